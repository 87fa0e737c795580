/* A worker: one thread with its epoll loop, its libwebsockets context, its listening socket and its
 * shard.
 *
 * The main thread creates all workers before it starts any, and joins them before it destroys them.
 * Between workers there are only the shards' mailboxes, one eventfd each to wake another, and the
 * counters of `struct worker_shared`.
 *
 * A turn of the loop, always in this order: wait; sample the clock; read (handshakes, then
 * libwebsockets' sockets, then the store and its answers); sample the clock again; shard_run; hand
 * libwebsockets what shard_run has changed.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/histogram.h"
#include "edge/head.h"
#include "edge/proxies.h"
#include "edge/store.h"
#include "edge/token.h"
#include "shard/shard.h"

struct worker;

/* What all workers share. The main thread owns it; it outlives them. */
struct worker_shared {
    unsigned count;
    struct worker *workers[WORKERS_MAX];
    struct store *store; /* With the journal before it. */
    uint32_t connections_max;
    uint32_t
        returning_max; /* Beyond them, for those who come back to a match: worker_returning_max(). */
    uint32_t admit_lag_ms;  /* 0: new players are not turned away for a loop that lags. */
    uint32_t half_open_max; /* Per worker: connections that have not said their HTTP head yet. */
    uint32_t head_timeout_ms;
    struct head_rules head_rules;
    uint32_t silence_ms; /* The kernel gives up a connection that has taken nothing for as long. */
    struct token_key token_key;
    struct proxies proxies;
    _Atomic uint32_t players; /* WebSocket connections, counted at the handshake. */
    _Atomic bool is_draining;
    _Atomic bool is_shutting_down;
    _Atomic bool is_stopping;
    int main_eventfd; /* Written when a worker has become empty while draining. */
};

struct worker_settings {
    struct worker_shared *shared; /* Keeps a reference. */
    int listener_fd;              /* Takes. */
    int admin_fd;                 /* Takes; -1: none. */
    uint16_t admin_port;
    struct shard_settings shard;
};

/* How many connections beyond `connections_max` are kept for players who come back to a match: one in 32, but 16 at
 * least and 1,024 at most. */
uint32_t worker_returning_max(uint32_t connections_max);

/* Maps the shard's memory and opens libwebsockets. 0, or a negative errno. Main thread. */
QR_MUST_USE int worker_create(const struct worker_settings *settings, struct worker **ret_worker);
QR_MUST_USE int worker_start(struct worker *worker);
void worker_join(struct worker *worker);
void worker_destroy(struct worker *worker); /* NULL is fine. After the join. */

/* Before the start: for what comes back from the journal. */
struct shard *worker_shard(struct worker *worker);

/* Wakes the worker's loop. Any thread. */
void worker_wake(struct worker *worker);

/* Whether the shard was empty at the end of the last turn. Any thread. */
bool worker_is_empty(const struct worker *worker);

/* Whether it had a match at the end of the last turn. Any thread. */
bool worker_has_matches(const struct worker *worker);

/* The memory that a worker may come to use: its shard's, and the edge's of its share of the
 * connections. */
size_t worker_bytes(const struct worker_shared *shared, const struct shard_settings *settings);

/* What a worker publishes once a second. */
struct worker_stats {
    struct shard_stats shard;
    uint32_t connections;          /* Open WebSocket connections. */
    uint32_t leaving, leaving_max; /* Of them: that are being closed. */
    uint64_t leaving_dropped;      /* That had to be: the peer did not go. */
    uint32_t half_open, half_open_max_seen, half_open_bound;
    uint64_t accepted;
    uint64_t refused_full; /* 503, or 1013 right behind the handshake: no room. */
    uint32_t returning_bound;
    uint32_t is_crowded; /* 1: new players are turned away, because the loop lags. */
    uint32_t lag_us;     /* The mean of the last half second. */
    uint64_t crowds;     /* How often that began. */
    uint64_t accept_failed;
    uint64_t adopt_failed;      /* libwebsockets did not take the connection. */
    uint64_t refused_handshake; /* Other answers to a bad handshake. */
    uint64_t handshake_timeouts;
    uint32_t assemblies, assemblies_max, assemblies_bound; /* Messages in pieces. */
    uint32_t listen_queue, listen_queue_max, listen_queue_bound;
    uint64_t assembly_refused; /* Closed in the middle of a message: too many in pieces at once. */
    uint64_t turns;
    uint64_t loop_lag_ms_max;    /* The longest turn since the last snapshot. */
    struct histogram turns_took; /* From the return of the wait to the turn's end. */
    struct histogram
        arrival_to_write; /* From the return of the wait that brought a player's message to the first
                                          write to that player behind it. */
    struct histogram hello_to_write; /* The same of a connection's first message. */
};

/* The last snapshot. Any thread. */
void worker_stats(struct worker *worker, struct worker_stats *ret_stats);
