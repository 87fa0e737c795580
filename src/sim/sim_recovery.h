/* What a start makes of the journals that were left, as src/edge/recovery.c does it: matches are played again, and what
 * is still needed goes on into new journals. The process may be killed meanwhile; then the old journals are there still.
 *
 * The world owns it. Restored matches read its memory: it lives until their shards are gone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "base/pool.h"
#include "sim_journal.h"

struct shard;

/* What goes wrong while it is read. Each counts from the end of the journals, from 1; 0: nothing. */
struct sim_replay_faults {
    uint32_t killed_at;      /* Records, from the beginning: the process is killed there. */
    uint32_t spoiled_event;  /* That one leads somewhere else. */
    uint32_t foreign_begins; /* So many of the last matches were begun under other rules. */
};

enum sim_found_state {
    FOUND_LIVE,
    FOUND_CONDEMNED, /* It did not come about as it was. */
    FOUND_FOREIGN,   /* Begun under other rules. */
    FOUND_HOMELESS,  /* There was no room. */
    FOUND_OVER,
};

struct sim_found {
    struct id id;
    struct handle handle;
    unsigned shard;
    uint8_t state; /* enum sim_found_state. */
    bool has_result;
    bool is_stored;
    uint32_t kept; /* Of its records: those that were played again. */
    uint32_t copied;
};

struct sim_recovery {
    struct sim_found *found;
    unsigned count, capacity;
    void **borrowed; /* What restored matches read. */
    unsigned borrowed_count;
};

/* False: the process was killed. Then the shards are of no use. */
bool sim_recovery_replay(struct sim_recovery *recovery, const struct sim_journal journals[],
                         unsigned journal_count, struct shard *const shards[], unsigned count,
                         const struct sim_replay_faults *faults);
/* What goes on, into new journals: `to` has one for each shard, and they are empty. */
void sim_recovery_copy(struct sim_recovery *recovery, const struct sim_journal journals[],
                       unsigned journal_count, struct sim_journal to[], unsigned count);
void sim_recovery_free(struct sim_recovery *recovery);

/* NULL: the journals knew nothing of it. */
const struct sim_found *sim_recovery_find(const struct sim_recovery *recovery,
                                          const struct id *match);
