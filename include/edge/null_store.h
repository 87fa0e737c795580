/* A store that keeps nothing, for benchmarks: a result counts as saved at once, a player is never
 * known. What the same run costs with it is what costs without a database.
 *
 * Calls are answered on the caller's own thread at its next look; nothing is shared between shards
 * but the counter for the metrics.
 */
#pragma once

#include "edge/store.h"

struct null_store_options {
    unsigned shards;
    unsigned
        queue_slots; /* Results of a shard that wait for their answers, and as many look-ups. */
    store_wake *wake;
    void *wake_context;
};

/* 0, or -ENOMEM. */
QR_MUST_USE int null_store_create(const struct null_store_options *options,
                                  struct store **ret_store);

size_t null_store_bytes(unsigned queue_slots, unsigned shards);
