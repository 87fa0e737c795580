/* A shard's journal in memory: its records one behind the other, and how far they are on the disk.
 *
 * The world owns it. Grows as it must: what is simulated is what shards write and read, not the disk.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_journal {
    uint8_t *bytes; /* Each record behind its length. */
    size_t size, capacity;
    size_t synced; /* What lies before it survives a power cut. */
    bool is_full;  /* Takes only what it has kept room for: OVER. */
};

struct sim_record {
    const uint8_t *bytes; /* In the journal. */
    size_t size;
};

/* False: it is full. */
bool sim_journal_append(struct sim_journal *journal, const uint8_t *record, size_t bytes);
/* The power fails. */
void sim_journal_cut(struct sim_journal *journal);
void sim_journal_free(struct sim_journal *journal);

/* The record at *at, which is then that of the next one. False: there is none. */
bool sim_journal_next(const struct sim_journal *journal, size_t *at, struct sim_record *ret_record);
