/* Which match is being played again, in a file that survives an assertion: the next start asks it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/id.h"

struct attempt_mark {
    char magic[8];
    struct id match;
    uint32_t event;        /* Which of its records, from 0. */
    uint32_t has_asserted; /* And an assertion failed there. */
};

struct attempt {
    struct attempt_mark *mark; /* The file, mapped. */
    struct attempt_mark before; /* What the last start has left. */
};

/* 0, or a negative errno. */
QR_MUST_USE int attempt_open(struct attempt *attempt, const char *dir);
void attempt_close(struct attempt *attempt);
void attempt_remove(const char *dir);

void attempt_at(struct attempt *attempt, const struct id *match, uint32_t event);
/* Whether the last start has stopped here. */
bool attempt_has_stopped_at(const struct attempt *attempt, const struct id *match, uint32_t event);
