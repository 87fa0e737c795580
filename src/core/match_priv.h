/* What the files of the match share among themselves.
 *
 * match.c holds the states and which event does what; the others each hold one subject: rounds,
 * bots, ratings, presence, the end, the log, the invariants. All of them write into one match and
 * one effects buffer, in the order in which things must be told.
 */
#pragma once

#include "core/match.h"
#include "core/score.h"

/* "The other player" is what every rule of presence speaks of: docs/protocol.md, Coming and going.
 */
_Static_assert(MATCH_PLAYERS_MAX == 2, "the rules of forfeit are those of a duel");

static inline uint8_t match_other(uint8_t player)
{
    return (uint8_t)(1 - player);
}

/* Requires: round 1 has begun. */
static inline struct match_round *match_current_round(struct match *match)
{
    QR_ASSERT(match->round >= 1 && match->round <= match->settings.rounds);
    return &match->rounds[match->round - 1];
}

/* --- match.c --- */

/* The only writer of `state`: checks the table, then the invariants of the new state. */
void match_move(struct match *match, enum match_state next);

/* Adds an effect and returns it zeroed, for the caller to fill in. */
struct effect *match_want(struct effects *effects, enum effect_kind kind);

/* Adds the refusal of the event's request; nothing where it asked for no answer. */
void match_refuse(const struct match_event *event, enum refusal refusal, struct effects *effects);

/* Adds the answer to the event's leave, which is never refused. */
void match_confirm_leave(const struct match_event *event, struct effects *effects);

/* Arms the phase timer anew: from now on an older one is stale. */
void match_arm_phase(struct match *match, mono_time at, struct effects *effects);

/* One round, without its places, before it has begun. */
void match_init_round(struct match *match, unsigned index, uint16_t question, uint8_t choice_count);

/* All is decided: the match is announced. */
void match_begin(struct match *match, struct effects *effects);

/* --- match_round.c --- */

void match_begin_round(struct match *match, mono_time now, struct effects *effects);
void match_answer(struct match *match, const struct match_event *event, struct effects *effects);
void match_reveal(struct match *match, mono_time now, struct effects *effects);

/* Whether the match is over with a result: one that is saved, told and, where it is rated, rated.
 */
static inline bool match_has_result(const struct match *match)
{
    return match->reason == MATCH_END_FINISHED || match->reason == MATCH_END_FORFEIT;
}

/* Whether everyone who is not gone has answered the current round. */
bool match_has_all_answers(const struct match *match, const struct match_round *round);

/* --- match_bot.c --- */

/* Draws what each bot answers in the round that has begun, and when. */
void match_arm_bots(struct match *match, struct effects *effects);

/* --- match_rating.c --- */

/* Decides whether the match is rated, and what the ratings are before it. */
void match_init_ratings(struct match *match, const struct match_setup *setup);

/* The outcome is fixed: what becomes of the ratings. */
void match_rate(struct match *match);

/* No result is told after all. */
void match_forget_rates(struct match *match);

/* --- match_presence.c --- */

/* Brings the player to the event's level, while STARTING to SETTLING. */
void match_apply_presence(struct match *match, const struct match_event *event,
                          struct effects *effects);
void match_grace_over(struct match *match, const struct match_event *event,
                      struct effects *effects);

/* The server is back, its players are not yet: each has the grace from now. */
void match_recover(struct match *match, const struct match_event *event, struct effects *effects);

/* --- match_settle.c --- */

/* Nothing is played any more: with a result it is saved first, without one the match ends in this
 * step. */
void match_settle(struct match *match, enum match_end_reason reason, int winner, mono_time now,
                  struct effects *effects);
void match_saving_timer(struct match *match, struct effects *effects);
/* Whatever was said to the store is forgotten: it is saved again. */
void match_save_again(struct match *match, mono_time now, struct effects *effects);
void match_saved(struct match *match, struct effects *effects);
void match_save_failed(struct match *match, mono_time now, struct effects *effects);
void match_cancel(struct match *match, const struct match_event *event, struct effects *effects);

/* --- match_log.c --- */

/* Logs what all players are told, and announces it. */
void match_tell(struct match *match, enum match_log_kind kind, uint8_t player,
                struct effects *effects);
bool match_has_told_end(const struct match *match);

/* match_right_place() of a round at hand; its choice_count where no place is right. */
uint8_t match_round_right_place(const struct match_round *round);

/* --- match_check.c --- */

/* The first invariant that does not hold, as a sentence, or NULL. */
const char *match_find_broken(const struct match *match);
