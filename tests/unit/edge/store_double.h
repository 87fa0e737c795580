/* A database under a test's hand: in memory, which does as it is told. The test owns it. */
#pragma once

#include <stdbool.h>

#include "edge/store.h"

enum double_mode {
    DOUBLE_PROMPT,
    DOUBLE_FAILING, /* Answers no. */
    DOUBLE_DOWN,    /* Answers no, and is not healthy. */
    DOUBLE_SILENT,  /* Takes, and answers when store_double_answer_all() says so. */
    DOUBLE_FULL,    /* Takes nothing. */
};

enum { DOUBLE_ANSWERS_MAX = 256, DOUBLE_QUESTION_BYTES = 128 };

struct double_answer {
    unsigned shard;
    struct store_answer answer;
};

struct store_double {
    struct store store;
    enum double_mode mode;
    unsigned handed; /* Calls of save() that were taken, */
    unsigned saved;  /* and those that were answered with yes. */
    unsigned loads;
    bool is_destroyed;
    struct match_result last;
    char last_question[DOUBLE_QUESTION_BYTES];
    struct double_answer held[DOUBLE_ANSWERS_MAX], ready[DOUBLE_ANSWERS_MAX];
    unsigned held_count, ready_count;
};

void store_double_init(struct store_double *database);
void store_double_answer_all(struct store_double *database);

/* A finished duel of the players 0 and 1. */
struct match_result double_result(unsigned number);
struct id double_player(unsigned number);
