/* A finished match as the store keeps it: a value, copied out of the match when its outcome is fixed.
 *
 * The strings point into the question bank, which the match holds until its result is saved. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/limits.h"
#include "base/time.h"
#include "core/match.h"
#include "core/player.h"

struct result_player {
    struct id player;
    char name[NAME_BYTES_MAX + 1];
    struct rating before;
    struct rating after; /* The same where the match is unrated. */
    uint16_t score;
    bool is_gone;
    bool is_bot;
};

struct result_answer {
    int8_t choice; /* The place, or MATCH_CHOICE_NONE. */
    bool is_right;
    uint16_t credit_ms;
    uint16_t points;
    uint32_t at_ms;
    wall_time received_at;
};

/* One round as it was asked; only rounds that were revealed count. */
struct result_round {
    const struct question *question;
    uint8_t places
        [QUESTION_CHOICES_MAX]; /* places[i]: the bank's choice (0: the right one) shown at place i. */
    uint8_t choice_count;
    uint8_t weight;
    bool is_revealed;
    uint32_t time_ms;
    wall_time began_at;
    struct result_answer answers[MATCH_PLAYERS_MAX];
};

struct match_result {
    struct id match;
    uint8_t mode;   /* enum match_mode. */
    uint8_t reason; /* MATCH_END_FINISHED or MATCH_END_FORFEIT. */
    bool is_rated;
    int8_t winner;
    uint8_t player_count;
    uint8_t round_count; /* Rounds that have begun. */
    uint16_t tau_milli;  /* What ratings were computed with. */
    wall_time created_at;
    wall_time ended_at;
    const struct bank *bank;
    struct result_player players[MATCH_PLAYERS_MAX];
    struct result_round rounds[MATCH_ROUNDS_MAX];
};

/* Requires: the match is SETTLING with reason FINISHED or FORFEIT. */
void match_result_of(const struct match *match, struct match_result *ret_result);

/* What the match makes of a player's record as the store has it: the questions that were asked, and, where it is rated,
 * the opponent and the rating.
 *
 * Where the rating is still the one that the match was computed from, it becomes the one that was told. Where it is not
 * (another result of the player came first), this result is rated anew, from what stands: so each counts once, in
 * whatever order they come. True: it was rated anew. Requires: the record's rating is valid. */
bool match_result_apply(const struct match_result *result, unsigned place,
                        struct player_record *record);

/* What a player did in the match's revealed rounds of one category. */
struct match_tally {
    uint8_t rounds;
    uint8_t answers;
    uint8_t right_answers;
    uint32_t points;
};

/* `category`: an index of the bank, or QUESTION_CATEGORY_ANY. */
struct match_tally match_result_tally(const struct match_result *result, unsigned place,
                                      uint8_t category);

/* Whether it puts its players on the boards: a duel must have been rated. */
bool match_result_is_listed(const struct match_result *result);
