/* What the referee's files share. sim_referee.c reads every message and keeps who is where; the others hold the rules of
 * one subject each:
 *
 *     sim_referee_answers.c   which answers count, and what is said of the others
 *     sim_referee_crash.c     what a crash changes in all this
 *     sim_referee_match.c     what a match tells all its players
 *     sim_referee_result.c    what is saved, and the ratings
 *     sim_referee_secret.c    what no message may hold
 */
#pragma once

#include "sim_referee.h"

/* Adds it where it is new. */
int referee_find_player(struct referee *referee, const struct id *id);

/* The player's place in the match; -1: it has none. */
int referee_seat(const struct referee_match *match, const struct referee *referee, int player);

/* Messages up to the first that nobody has got. */
void referee_judge_what_is_whole(struct referee *referee, struct referee_match *match);

/* sim_referee_crash.c */
/* What turns the match's monotonic moments into those that the message shows. */
int64_t referee_wall_offset(const struct referee_match *match, uint32_t seq);

/* sim_referee_answers.c */
/* A reply to `id` reaches its client. */
void answers_on_reply(struct referee *referee, struct referee_client *client, uint32_t id,
                      const char *text);
void answers_on_answered(struct referee *referee, struct referee_client *client, const char *text);

/* sim_referee_match.c */
/* The match tells this for the first time. */
void match_rules_on_news(struct referee *referee, struct referee_match *match, const char *text,
                         uint16_t seq);
/* docs/protocol.md, Points. */
uint32_t match_rules_points(uint32_t at_ms, uint32_t time_ms, uint32_t weight);

/* sim_referee_result.c */
void result_rules_on_end(const struct referee_match *match, const char *text);
/* The store has said yes. */
void result_rules_on_saved(struct referee *referee, const struct referee_match *match);

/* sim_referee_secret.c */
void secret_rules_on_message(const char *text);
