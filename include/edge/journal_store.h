/* A store with a journal before it: a result counts when it is in the journal on disk, and gets from there to the
 * database when that takes it.
 *
 * To shards it is a store like any other (edge/store.h). save() appends the result and asks for a sync; the answer comes
 * when that is done, whatever the database is doing. Where the journal has no room the result goes straight to the database,
 * and the answer is that one's. Behind it each shard reads its own journal again and hands on, in
 * order, what has been synced, a bounded number at a time; what the database refuses is tried again, later each time.
 * A result is keyed by its match, so that one which is handed on twice is there once. load() waits for results of that
 * player which are on their way, and then asks the database.
 *
 * It is also where the other records of a shard go into the journal (store_append), since it knows which matches
 * still need them: segments are given up when no match that runs began in or before them and every result in them is
 * in the database.
 *
 * Each shard's part is its thread's alone, but for a table of counters: how many results are on their way for players
 * whose ids hash there.
 */
#pragma once

#include "edge/journal.h"
#include "edge/store.h"

enum {
    /* Results handed on in one call of store_take_answers(), which others on the loop wait for: each takes some
     * microseconds. Where there are more the next call is due at once. */
    JOURNAL_STORE_HAND_AT_ONCE = 16,
};

struct journal_store_options {
    struct journal *journal; /* Owns. */
    struct store *store;     /* The database's; owns. */
    unsigned shards;
    uint32_t matches_max; /* Of one shard at one time. */
    uint32_t loads_max;   /* Waiting, of one shard. */
    /* Under way to the database, of one shard: a few kilobytes each, once they are used. */
    uint32_t results_max;
};

/* What all shards together may come to use for results under way. */
size_t journal_store_bytes(unsigned shards, uint32_t results_max);

/* 0, or -ENOMEM (then nothing is owned). Main thread. */
QR_MUST_USE int journal_store_create(const struct journal_store_options *options,
                                     struct store **ret_store);
