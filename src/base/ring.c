#include "base/ring.h"

#include <string.h>

size_t ring_storage_bytes(uint32_t item_bytes, unsigned slots)
{
    return (size_t)slots * item_bytes + slots;
}

void ring_store_init(struct ring_store *store, const struct pool *pool, uint32_t item_bytes,
                     unsigned slots, unsigned reserve)
{
    QR_ASSERT(item_bytes > 0);
    QR_ASSERT(slots <= UINT16_MAX);
    QR_ASSERT(reserve < slots);
    QR_ASSERT(pool->item_bytes >= ring_storage_bytes(item_bytes, slots));
    *store = (struct ring_store){
        .pool = *pool,
        .item_bytes = item_bytes,
        .slots = (uint16_t)slots,
        .reserve = (uint16_t)reserve,
    };
}

void ring_init(struct ring *ring, struct ring_store *store)
{
    *ring = (struct ring){.store = store};
}

static uint8_t *item_at(const struct ring *ring, unsigned slot)
{
    return ring->items + (size_t)slot * ring->store->item_bytes;
}

static uint8_t *class_at(const struct ring *ring, unsigned slot)
{
    return item_at(ring, ring->store->slots) + slot;
}

static void borrow(struct ring *ring)
{
    ring->items = pool_acquire_unset(&ring->store->pool, &ring->storage);
    QR_ASSERT(ring->items != NULL); /* The store has some for each. */
    ring->head = 0;
}

static void give_back(struct ring *ring)
{
    pool_release(&ring->store->pool, ring->storage);
    ring->items = NULL;
}

void ring_fini(struct ring *ring)
{
    if (ring->items != NULL) give_back(ring);
    ring->client_count = ring->reserved_count = 0;
}

static bool has_room(const struct ring *ring, enum ring_class class)
{
    unsigned client_slots = (unsigned)ring->store->slots - ring->store->reserve;
    switch (class) {
    case RING_DROPPABLE: return 2u * ring->client_count < client_slots;
    case RING_CLIENT: return ring->client_count < client_slots;
    case RING_RESERVED: return ring->reserved_count < ring->store->reserve;
    }
    QR_UNREACHABLE("a class that is none");
}

static unsigned slot_behind(const struct ring *ring, unsigned count)
{
    return (ring->head + count) % ring->store->slots;
}

bool ring_push(struct ring *ring, const void *item, enum ring_class class)
{
    if (!has_room(ring, class)) return false;
    if (ring_count(ring) == 0) borrow(ring);
    unsigned slot = slot_behind(ring, ring_count(ring));
    memcpy(item_at(ring, slot), item, ring->store->item_bytes);
    *class_at(ring, slot) = (uint8_t) class;
    if (class == RING_RESERVED)
        ring->reserved_count++;
    else
        ring->client_count++;
    if (ring_count(ring) > ring->count_max) ring->count_max = (uint16_t)ring_count(ring);
    return true;
}

bool ring_pop(struct ring *ring, void *ret_item)
{
    if (ring_count(ring) == 0) return false;
    memcpy(ret_item, item_at(ring, ring->head), ring->store->item_bytes);
    if (*class_at(ring, ring->head) == RING_RESERVED)
        ring->reserved_count--;
    else
        ring->client_count--;
    ring->head = (uint16_t)slot_behind(ring, 1);
    if (ring_count(ring) == 0) give_back(ring);
    return true;
}

enum ring_class ring_last_class(const struct ring *ring)
{
    QR_ASSERT(ring_count(ring) > 0);
    return (enum ring_class) * class_at(ring, slot_behind(ring, ring_count(ring) - 1));
}
