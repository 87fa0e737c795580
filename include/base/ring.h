/* A bounded first-in first-out queue of fixed-size items in three classes, with slots reserved for
 * the server's own.
 *
 * Of `slots`, `reserve` are for RING_RESERVED and the rest for clients: neither class can take the
 * other's room, so a flood of client events never delays a timer's, and a burst of timers never
 * makes an answer busy. RING_DROPPABLE is a client event that must leave room: it is refused once
 * half of the clients' slots are taken.
 *
 * The caller owns the storage. One owner, one thread. Every function is O(1).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"

enum ring_class {
    RING_DROPPABLE, /* A client's, and nobody is wronged when it is refused. */
    RING_CLIENT,    /* A client's: refused is answered with busy. */
    RING_RESERVED,  /* The server's own: limits.h counts how many can be outstanding. */
};

struct ring {
    uint8_t *items;   /* slots * item_bytes. */
    uint8_t *classes; /* The class of each slot's item. */
    uint32_t item_bytes;
    uint16_t slots;
    uint16_t reserve;
    uint16_t head;
    uint16_t client_count;
    uint16_t reserved_count;
    uint16_t count_max; /* High-water mark. */
};

/* The bytes of storage that ring_init needs. */
size_t ring_storage_bytes(uint32_t item_bytes, unsigned slots);

/* Requires: `storage` has ring_storage_bytes(), aligned for the items; reserve < slots <=
 * UINT16_MAX; item_bytes > 0. */
void ring_init(struct ring *ring, void *storage, uint32_t item_bytes, unsigned slots,
               unsigned reserve);

/* Copies the item in. False, and nothing changed, where its class has no room. */
QR_MUST_USE bool ring_push(struct ring *ring, const void *item, enum ring_class class);

/* Copies the oldest item out. False where the ring is empty. */
QR_MUST_USE bool ring_pop(struct ring *ring, void *ret_item);

static inline unsigned ring_count(const struct ring *ring)
{
    return (unsigned)ring->client_count + ring->reserved_count;
}
