/* What happens in a world, one event after the other: hashed, so that two runs can be compared, and the last ones kept, so
 * that a failure can show what led to it. Optionally printed as it happens.
 *
 * One world after the other writes into it; the hash goes over all of them. Depends on no address, no compiler and no
 * clock. TRACE_KEPT events of TRACE_TEXT_BYTES are its memory.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/id.h"
#include "base/time.h"

enum { TRACE_KEPT = 1024, TRACE_TEXT_BYTES = 176, TRACE_SHOWN = 64 };

static const uint32_t TRACE_NOBODY = UINT32_MAX;

struct trace_head {
    uint64_t ms; /* Since the world began. */
    uint32_t step;
    uint32_t shard; /* TRACE_NOBODY: none. */
    uint32_t client;
    struct id match;  /* Zeros: none. */
    const char *what; /* A literal. */
};

struct trace_event {
    struct trace_head head;
    char text[TRACE_TEXT_BYTES];
};

struct trace {
    uint64_t hash;
    uint64_t count;
    bool is_printed;
    struct trace_event events[TRACE_KEPT];
};

void trace_init(struct trace *trace, bool is_printed);

/* `text` in full goes into the hash, its beginning is kept. */
void trace_add(struct trace *trace, const struct trace_head *head, const char *text);

/* The last events of that match's players (NULL: of all), and of nobody; TRACE_SHOWN at most. */
void trace_print_last(const struct trace *trace, const struct id *match, FILE *file);
