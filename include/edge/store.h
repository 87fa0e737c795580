/* The repository: what outlives the process, behind asynchronous calls that every store implements.
 *
 * A shard's thread hands a call in and gets exactly one answer back, later, on its own thread, by
 * store_take_answers(). Results wait in a bounded queue, look-ups in another; full is an error at
 * once (-EAGAIN), and that call never answers. So a flood of look-ups takes no result's place, and
 * no look-up waits for a commit. A result is durable before its answer says so, and saving the same
 * match again changes nothing.
 *
 * A store works either on threads of its own and wakes a shard that has answers to take (SQLite,
 * whose calls block), or on the shards' own loops: then a loop watches store_fd(), and calls
 * store_run() when that is readable or store_next_due() has come (PostgreSQL).
 *
 * The interface is `struct store_class`; sqlite_store.h has the embedded
 * implementation, postgres_store.h the one for a server.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/pool.h"
#include "base/time.h"
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

/* Of a journal before the database; zeros where there is none. */
struct store_journal_stats {
    uint64_t bytes; /* Of all its files. */
    uint64_t bytes_max;
    uint64_t records, refused; /* Refused: there was no room. */
    uint64_t syncs;
    uint64_t sync_us_max;     /* The longest one since the last snapshot. */
    bool is_full;             /* Its next file cannot be allocated. */
    uint64_t results_waiting; /* In the journal and not yet in the database. */
    uint64_t results_retried;
    uint64_t loads_waiting; /* For results of their players. */
};

/* A connection to a database server. */
enum store_link_state {
    STORE_LINK_DOWN,       /* Until its backoff is over. */
    STORE_LINK_CONNECTING, /* The name is looked up, the server reached, TLS and password agreed. */
    STORE_LINK_PREPARING,  /* The schema is checked, statements are prepared. */
    STORE_LINK_READY,
    STORE_LINK_BUSY,
    STORE_LINK_CANCELLING, /* What it runs serves nobody any more. */
};
enum { STORE_LINK_STATES = STORE_LINK_CANCELLING + 1 };

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };
enum { BREAKER_STATES = BREAKER_HALF_OPEN + 1 };

/* Up to 1, 5, 25, 100, 500, 2500 ms, and longer. */
enum { STORE_TOOK_BUCKETS = 7 };

/* Of a store that asks a server; `links` is 0 where it is none. */
struct store_server_stats {
    uint32_t links;
    uint32_t links_in[STORE_LINK_STATES];
    uint32_t breakers_in[BREAKER_STATES]; /* One a shard. */
    uint64_t breakers_opened;
    uint64_t connected;
    uint64_t lost;      /* Connections, and tries to connect. */
    uint64_t timed_out; /* Calls that found their deadline. */
    uint64_t cancelled; /* Queries that were ended at the server. */
    uint64_t conflicts; /* Results that found a row changed, and were computed anew. */
    uint64_t took[STORE_TOOK_BUCKETS]; /* Calls by how long their answer took. */
    uint64_t took_ms;                  /* All of them. */
};

/* How many days what is kept, by when a match began; 0: for ever. */
struct store_retention {
    uint32_t matches_days;
    uint32_t answers_days; /* What was asked and answered. */
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
    struct store_journal_stats journal;
    uint64_t pruned; /* Rows deleted for their age. */
    uint64_t prunes_failed;
    struct store_server_stats server;
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
    /* Nobody waits for the session's look-up any more: where it is queued it never starts, where it
     * runs it is ended at the database, and it is answered, with LOAD_FAILED, by the next run.
     * NULL: look-ups are too short to be worth it. That shard's thread. */
    void (*cancel_load)(struct store *store, unsigned shard, struct handle session);
    /* Moves up to `max` answers for this shard; returns how many. That shard's thread. */
    unsigned (*take_answers)(struct store *store, unsigned shard, struct store_answer answers[],
                             unsigned max);
    /* For a store that works on the shards' loops; all NULL in one that has threads. That shard's
     * thread; `fd` also before it runs. The descriptor is readable where there is something to do,
     * and stays the same until the store is destroyed. `run` never blocks. */
    int (*fd)(struct store *store, unsigned shard);
    bool (*next_due)(struct store *store, unsigned shard, mono_time *ret_due);
    void (*run)(struct store *store, unsigned shard);
    /* A record of proto/journal.h about the shard's matches; false: there is no room. NULL: nothing is kept but
     * results. That shard's thread; the main thread before it runs. */
    bool (*append)(struct store *store, unsigned shard, const uint8_t *record, size_t bytes);
    /* Whether another match would find room. NULL: always. That shard's thread. */
    bool (*has_room)(struct store *store, unsigned shard);
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

static inline void store_cancel_load(struct store *store, unsigned shard, struct handle session)
{
    if (store->class->cancel_load != NULL) store->class->cancel_load(store, shard, session);
}

/* -1: it has threads of its own. */
static inline int store_fd(struct store *store, unsigned shard)
{
    return store->class->fd != NULL ? store->class->fd(store, shard) : -1;
}

/* False: only store_fd() says when. */
static inline bool store_next_due(struct store *store, unsigned shard, mono_time *ret_due)
{
    return store->class->next_due != NULL && store->class->next_due(store, shard, ret_due);
}

static inline void store_run(struct store *store, unsigned shard)
{
    if (store->class->run != NULL) store->class->run(store, shard);
}

static inline bool store_append(struct store *store, unsigned shard, const uint8_t *record,
                                size_t bytes)
{
    return store->class->append == NULL || store->class->append(store, shard, record, bytes);
}

static inline bool store_has_room(struct store *store, unsigned shard)
{
    return store->class->has_room == NULL || store->class->has_room(store, shard);
}

static inline unsigned store_take_answers(struct store *store, unsigned shard,
                                          struct store_answer answers[], unsigned max)
{
    return store->class->take_answers(store, shard, answers, max);
}
