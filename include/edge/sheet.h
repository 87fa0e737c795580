/* A match's score sheet: all that decided it, round by round, as a tool reads it out of the store or plays it again from
 * the journal, so that every point can be recomputed by hand.
 *
 * A value, about 90 KB. What the bank said is in it, as it was shown; texts are cut to what the bank allows. Right
 * choices stand in it: it is for operators.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "core/match.h"
#include "edge/postgres_store.h"

enum {
    SHEET_PROBLEM_BYTES = 256,
    SHEET_QUESTION_BYTES = 4 * QUESTION_CHARACTERS_MAX + 1,
    SHEET_CHOICE_BYTES = 4 * CHOICE_CHARACTERS_MAX + 1,
    SHEET_WORD_BYTES = 16,
};

struct sheet_answer {
    bool is_given;
    uint8_t choice;
    uint32_t at_ms;
    uint32_t credit_ms;
    uint32_t points; /* As the server counted them. */
};

struct sheet_round {
    char question[SHEET_QUESTION_BYTES];
    char choices[QUESTION_CHOICES_MAX][SHEET_CHOICE_BYTES]; /* As they were shown. */
    uint8_t choice_count;
    uint8_t right_place;
    uint8_t weight;
    bool is_revealed; /* Only then do its answers count. */
    uint32_t time_ms;
    struct sheet_answer answers[MATCH_PLAYERS_MAX];
};

struct sheet_player {
    char name[NAME_BYTES_MAX + 1];
    uint32_t score;
    int32_t before_centi, after_centi; /* Ratings. */
    bool is_gone;
};

struct sheet {
    struct id match;
    char mode[SHEET_WORD_BYTES];
    char reason[SHEET_WORD_BYTES]; /* "none" while it runs. */
    bool is_rated;
    int8_t winner; /* Index or MATCH_WINNER_NONE. */
    uint8_t round_count;
    struct sheet_player players[MATCH_PLAYERS_MAX];
    struct sheet_round rounds[MATCH_ROUNDS_MAX];
};

/* As it stands now. Requires: the bank is still there. */
void sheet_of_match(const struct match *match, struct sheet *ret_sheet);

/* From a SQLite store's file. 1: there is no such match; 0; or a negative errno and why. */
QR_MUST_USE int sheet_read_sqlite(const char *path, const struct id *match, struct sheet *ret_sheet,
                                  char reterr_problem[SHEET_PROBLEM_BYTES]);

/* The same from PostgreSQL. What keeps the connection from being opened is logged. */
QR_MUST_USE int sheet_read_postgres(const struct postgres_store_options *options,
                                    const struct id *match, struct sheet *ret_sheet,
                                    char reterr_problem[SHEET_PROBLEM_BYTES]);

/* What the rules make of the answers: points, scores, and the winner where it was finished. */
void sheet_recompute(const struct sheet *sheet, struct sheet *ret_sheet);

/* The first thing in which two sheets of one match differ, as a sentence, or NULL; `ret_text` is its storage. */
const char *sheet_difference(const struct sheet *a, const struct sheet *b,
                             char ret_text[SHEET_PROBLEM_BYTES]);
