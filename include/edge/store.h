/* The repository: what outlives the process, behind asynchronous calls that every store implements.
 *
 * A shard's thread hands a call in and gets exactly one answer back, later, on its own thread, by store_take_answers()
 * after the store has woken it. Calls wait in a bounded queue; full is an error at once (-EAGAIN), and that call never
 * answers. A result is durable before its answer says so, and saving the same match again changes nothing.
 *
 * The interface is `struct store_class`; sqlite_store.h has the embedded implementation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/pool.h"
#include "core/match_result.h"

struct store;

struct store_answer {
    struct handle match; /* As given with the call. */
    bool is_saved;       /* False: it failed (the store has logged why); the caller may try again. */
};

/* For the metrics. */
struct store_stats {
    uint32_t queued;
    uint32_t queued_max;
    uint32_t queue_slots;
    uint64_t saved;
    uint64_t failed;
    uint64_t refused; /* Found the queue full. */
    uint64_t commits;
};

struct store_class {
    /* 0, or -EAGAIN where the queue is full, or where as many answers of this shard are outstanding. Copies the result;
     * the bank in it must live until the answer has come or the store is destroyed. Any shard's thread. */
    int (*save)(struct store *store, unsigned shard, struct handle match,
                const struct match_result *result);
    /* Moves up to `max` answers for this shard; returns how many. That shard's thread. */
    unsigned (*take_answers)(struct store *store, unsigned shard, struct store_answer answers[],
                             unsigned max);
    void (*stats)(struct store *store, struct store_stats *ret_stats);
    /* Whether the store took what last reached it: for /readyz. One result that it refuses for what is in it says
     * nothing about the store. Any thread. */
    bool (*is_healthy)(struct store *store);
    /* Finishes what is queued, then closes. The main thread, after the shards have stopped calling; until it
     * returns it may still wake them. */
    void (*destroy)(struct store *store);
};

/* The first member of every implementation. */
struct store {
    const struct store_class *class;
};

/* Called from the store's thread when a shard has answers to take. */
typedef void store_wake(void *context, unsigned shard);

QR_MUST_USE static inline int store_save(struct store *store, unsigned shard, struct handle match,
                                         const struct match_result *result)
{
    return store->class->save(store, shard, match, result);
}

static inline unsigned store_take_answers(struct store *store, unsigned shard,
                                          struct store_answer answers[], unsigned max)
{
    return store->class->take_answers(store, shard, answers, max);
}
