/* A result's answers as the columns of one statement: arrays in PostgreSQL's text form. A value, a few kilobytes. */
#pragma once

#include <stdbool.h>

#include "core/match_result.h"

enum answer_column {
    ANSWER_ROUND,
    ANSWER_PLACE,
    ANSWER_CHOICE,
    ANSWER_IS_RIGHT,
    ANSWER_AT,
    ANSWER_CREDIT,
    ANSWER_POINTS,
    ANSWER_RECEIVED_AT,
};
enum {
    ANSWER_COLUMNS = ANSWER_RECEIVED_AT + 1,
    /* A sign, 19 digits and what comes before them; and the bracket that closes it. */
    ANSWER_COLUMN_BYTES = MATCH_ROUNDS_MAX * MATCH_PLAYERS_MAX * 21 + 2,
};

struct answer_columns {
    char texts[ANSWER_COLUMNS][ANSWER_COLUMN_BYTES];
};

/* False: there are no answers, and no columns. */
bool answer_columns_of(const struct match_result *result, struct answer_columns *ret_columns);
