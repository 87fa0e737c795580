/* The repository: what outlives the process, behind asynchronous calls that every store implements.
 *
 * A shard's thread hands a call in and gets exactly one answer back, later, on its own thread, by
 * store_take_answers() after the store has woken it. Results wait in a bounded queue, look-ups in
 * another; full is an error at once
 * (-EAGAIN), and that call never answers. So a flood of look-ups takes no result's place, and no
 * look-up waits for a commit. A result is durable before its answer says so, and saving the same
 * match again changes nothing.
 *
 * The interface is `struct store_class`; sqlite_store.h has the embedded implementation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/pool.h"
#include "core/match_result.h"
#include "core/player.h"
#include "shard/shard.h"

struct store;

enum store_answer_kind { STORE_SAVED, STORE_LOADED };

struct store_answer {
    uint8_t kind;         /* enum store_answer_kind: which call it answers. */
    struct handle handle; /* The match, or the session, as given with the call. */
    union {
        bool is_saved; /* False: it failed (the store has logged why); the caller may try again. */
        struct {
            uint8_t outcome;             /* enum load_outcome. */
            struct player_record record; /* Where it is LOAD_FOUND. */
        } loaded;
    };
};

/* For the metrics. */
struct store_stats {
    uint32_t queued; /* Results. */
    uint32_t queued_max;
    uint32_t loads_queued;
    uint32_t loads_queued_max;
    uint32_t queue_slots; /* Of each queue. */
    uint64_t saved;
    uint64_t failed;
    uint64_t refused; /* Found the queue full. */
    uint64_t commits;
    uint64_t loaded; /* Look-ups answered, whether there is such a player or not. */
    uint64_t loads_failed;
    uint64_t loads_refused;
};

struct store_class {
    /* 0, or -EAGAIN where the queue is full, or where as many answers of this shard are
     * outstanding. Copies the result; the bank in it must live until the answer has come or the
     * store is destroyed. Any shard's thread. */
    int (*save)(struct store *store, unsigned shard, struct handle match,
                const struct match_result *result);
    /* 0, or -EAGAIN as above. A player is known once a result that names it is saved, and seen as
     * of the results that were answered before the call. Any shard's thread. */
    int (*load)(struct store *store, unsigned shard, struct handle session,
                const struct id *player);
    /* Moves up to `max` answers for this shard; returns how many. That shard's thread. */
    unsigned (*take_answers)(struct store *store, unsigned shard, struct store_answer answers[],
                             unsigned max);
    void (*stats)(struct store *store, struct store_stats *ret_stats);
    /* Whether the store took what last reached it: for /readyz. One result that it refuses for what
     * is in it says nothing about the store; nor does a look-up, which nobody repeats until it
     * succeeds. Any thread. */
    bool (*is_healthy)(struct store *store);
    /* Saves what is queued, answers no look-up any more, then closes. The main thread, after the
     * shards have stopped calling; until it returns it may still wake them. */
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

QR_MUST_USE static inline int store_load(struct store *store, unsigned shard, struct handle session,
                                         const struct id *player)
{
    return store->class->load(store, shard, session, player);
}

static inline unsigned store_take_answers(struct store *store, unsigned shard,
                                          struct store_answer answers[], unsigned max)
{
    return store->class->take_answers(store, shard, answers, max);
}
