/* A shard's journal in memory: its records one behind the other, and what a crash makes of them.
 *
 * The world owns it. Grows as it must: what is simulated is what shards write and read, not the disk.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"

struct shard;

struct sim_journal {
    uint8_t *bytes; /* Each record behind its length. */
    size_t size, capacity;
    bool is_full;    /* Takes only what it has kept room for: OVER. */
    void **borrowed; /* What restored matches still read. */
    unsigned borrowed_count;
};

/* False: it is full. */
bool sim_journal_append(struct sim_journal *journal, const uint8_t *record, size_t bytes);
void sim_journal_free(struct sim_journal *journal);

/* Brings the matches that it holds back into the shard. Returns how many of them are live. */
unsigned sim_journal_replay(struct sim_journal *journal, struct shard *shard);
