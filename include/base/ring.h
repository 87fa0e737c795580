/* A bounded first-in first-out queue of fixed-size items in three classes, with slots reserved for
 * the server's own.
 *
 * Of its slots, `reserve` are for RING_RESERVED and the rest for clients: neither class can take the
 * other's room, so a flood of client events never delays a timer's, and a burst of timers never
 * makes an answer busy. RING_DROPPABLE is a client event that must leave room: it is refused once
 * half of the clients' slots are taken.
 *
 * Most rings are empty most of the time, so a ring has storage only while it holds something: rings
 * of one kind borrow it from a ring_store, which has some for each of them and lends what came back
 * last first. So the memory that is touched is that of as many rings as were ever in use at once.
 *
 * The caller owns the store's memory. One owner, one thread. Every function is O(1).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/pool.h"

enum ring_class {
    RING_DROPPABLE, /* A client's, and nobody is wronged when it is refused. */
    RING_CLIENT,    /* A client's: refused is answered with busy. */
    RING_RESERVED,  /* The server's own: limits.h counts how many can be outstanding. */
};

/* What rings of one kind have in common. */
struct ring_store {
    struct pool pool; /* A ring's storage each. */
    uint32_t item_bytes;
    uint16_t slots;
    uint16_t reserve;
};

struct ring {
    struct ring_store *store; /* Borrows for good. */
    uint8_t *items;        /* slots * item_bytes, then a class per slot; NULL while it is empty. */
    struct handle storage; /* Of the store. */
    uint16_t head;
    uint16_t client_count;
    uint16_t reserved_count;
    uint16_t count_max; /* High-water mark. */
};

/* The bytes of storage of one ring: what the items of ring_store.pool measure. */
size_t ring_storage_bytes(uint32_t item_bytes, unsigned slots);

/* Requires: `pool` is initialised, with items of ring_storage_bytes(), aligned for the rings' items,
 * as many as there are rings; reserve < slots <= UINT16_MAX; item_bytes > 0. */
void ring_store_init(struct ring_store *store, const struct pool *pool, uint32_t item_bytes,
                     unsigned slots, unsigned reserve);

void ring_init(struct ring *ring, struct ring_store *store);

/* Leaves it empty, its storage given back. */
void ring_fini(struct ring *ring);

/* Copies the item in. False, and nothing changed, where its class has no room. */
QR_MUST_USE bool ring_push(struct ring *ring, const void *item, enum ring_class class);

/* Copies the oldest item out. False where the ring is empty. */
QR_MUST_USE bool ring_pop(struct ring *ring, void *ret_item);

/* The class of the item that was pushed last. Requires: the ring is not empty. */
enum ring_class ring_last_class(const struct ring *ring);

static inline unsigned ring_count(const struct ring *ring)
{
    return (unsigned)ring->client_count + ring->reserved_count;
}
