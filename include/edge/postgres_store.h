/* The store on a PostgreSQL server, through libpq: without a thread, on the shards' own loops.
 *
 * Each shard has a few connections, look-ups on the even ones and results on the odd ones, and
 * nothing on them ever blocks: connecting, TLS, queries, cancelling. What they do goes out in
 * pipelines of prepared statements; each result is a transaction of its own, and one sync
 * makes all of a pipeline durable.
 *
 * Every call has a deadline from when it is handed in. A connection that is lost is made again, with
 * exponential backoff and full jitter, and what ran on it is tried again within its deadline: a
 * result is keyed by its match, so twice is once. Where the server fails time after time a breaker
 * opens: calls fail at once until a probe succeeds. Queues are per shard. A name in the URI is looked
 * up anew with each connection, by the C library's own asynchronous resolver.
 */
#pragma once

#include <stddef.h>

#include "edge/postgres_uri.h"
#include "edge/store.h"

enum {
    POSTGRES_STORE_SCHEMA_VERSION = 2,
    POSTGRES_CONNECTIONS_MIN = 2, /* Of a shard: one for look-ups, one for results. */
    POSTGRES_CONNECTIONS_MAX = 16,
};

struct postgres_store_options {
    const char *uri;           /* postgresql://…; has passed postgres_uri_check(). */
    const char *password_file; /* "": $CREDENTIALS_DIRECTORY/store_password, where there is one. */
    unsigned shards;
    unsigned queue_slots; /* Of each shard's two queues. */
    unsigned connections; /* Of each shard. */
    uint32_t timeout_ms;  /* A call's deadline. */
    struct store_retention keep;
    wall_time (*now)(void);  /* What ages are told by; NULL: clock_wall(). */
    uint32_t prune_pause_ms; /* Between two slices; 0: a second. */
};

/* Connects once, waiting for it, and looks whether the database has our schema; the shards'
 * connections are made when their loops run. 0, or a negative errno after logging what is wrong,
 * with what to do about it. -ENOTSUP: the schema has another version. */
QR_MUST_USE int postgres_store_create(const struct postgres_store_options *options,
                                      struct store **ret_store);

/* Brings the schema up to date, waiting for it. 0, or a negative errno after logging why. */
QR_MUST_USE int postgres_store_migrate(const struct postgres_store_options *options);

/* The memory that it takes beside libpq's own. */
size_t postgres_store_bytes(const struct postgres_store_options *options);
