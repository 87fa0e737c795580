/* What a match begins with: all that match_init() has decided, as a value.
 *
 * From its origin and the list of its events a match can be played again, without the bank that it was drawn from, the
 * lists that it was drawn by, or the clock: that is how a journal brings it back and how an audit recomputes it. The
 * seed stands in it: whoever can read an origin knows what will be asked. Pure, values only.
 */
#pragma once

#include "core/match.h"

/* Changes with every change of the rules that makes the same events lead somewhere else, or of what an event holds.
 * What was begun under another version is not played again. */
enum { MATCH_RULES_VERSION = 1 };

struct origin_player {
    struct id player;
    char name[NAME_BYTES_MAX + 1];
    struct rating rating; /* Before the match, after idle days where it is rated. */
    uint16_t credit_ms;
    bool is_bot;
};

struct origin_round {
    uint16_t question; /* Index into the bank that goes with the origin. */
    uint8_t choice_count;
    uint8_t places[QUESTION_CHOICES_MAX];
};

struct match_origin {
    struct id id;
    struct prng prng; /* As it stands behind the draws: what bots do is still to come from it. */
    struct match_settings settings;
    mono_time created_at;
    int64_t wall_offset_ms;
    bool is_rated;
    struct origin_player players[MATCH_PLAYERS_MAX];
    struct origin_round rounds[MATCH_ROUNDS_MAX]; /* settings.rounds of them. */
};

/* Requires: match_init() has just returned; nothing was stepped. */
void match_origin_of(const struct match *match, struct match_origin *ret_origin);

/* What is wrong with an origin that came from outside, as a sentence, or NULL. */
const char *match_origin_find_broken(const struct match_origin *origin, const struct bank *bank);

/* The match as it stood when match_init() returned, with the same effects. Its questions are those of `bank`, which
 * must live as long as the match. Requires: match_origin_find_broken() found nothing; `match` has match_bytes();
 * effects->count == 0. */
void match_restore(struct match *match, const struct match_origin *origin, const struct bank *bank,
                   struct effects *effects);
