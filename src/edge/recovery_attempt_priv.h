/* Which match is being played again, in a file that survives an assertion: later starts ask it, until one
 * succeeds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/id.h"

enum { ATTEMPT_STOPS_MAX = 64 }; /* Beyond it the oldest is forgotten, and stops one start more. */

struct attempt_place {
    struct id match;
    uint32_t event; /* Which of its records, from 0. */
    uint32_t spare;
};

struct attempt_mark {
    char magic[8];
    uint32_t has_asserted; /* An assertion failed at `at`. */
    uint32_t stop_count;   /* All that there ever were since a start has succeeded. */
    struct attempt_place at;
    struct attempt_place stops[ATTEMPT_STOPS_MAX]; /* Where earlier starts have stopped. */
};

struct attempt {
    struct attempt_mark *mark; /* The file, mapped. */
};

/* 0, or a negative errno. */
QR_MUST_USE int attempt_open(struct attempt *attempt, const char *dir);
void attempt_close(struct attempt *attempt);
void attempt_remove(const char *dir);

void attempt_at(struct attempt *attempt, const struct id *match, uint32_t event);
/* Nothing is being played any more. */
void attempt_nowhere(struct attempt *attempt);
/* Whether an earlier start has stopped here. */
bool attempt_has_stopped_at(const struct attempt *attempt, const struct id *match, uint32_t event);
