#include "base/ring.h"

#include <string.h>

size_t ring_storage_bytes(uint32_t item_bytes, unsigned slots)
{
    return (size_t)slots * item_bytes + slots;
}

void ring_init(struct ring *ring, void *storage, uint32_t item_bytes, unsigned slots,
               unsigned reserve)
{
    QR_ASSERT(item_bytes > 0);
    QR_ASSERT(slots <= UINT16_MAX);
    QR_ASSERT(reserve < slots);
    *ring = (struct ring){
        .items = storage,
        .classes = (uint8_t *)storage + (size_t)slots * item_bytes,
        .item_bytes = item_bytes,
        .slots = (uint16_t)slots,
        .reserve = (uint16_t)reserve,
    };
}

static bool has_room(const struct ring *ring, enum ring_class class)
{
    unsigned client_slots = (unsigned)ring->slots - ring->reserve;
    switch (class) {
    case RING_DROPPABLE: return 2u * ring->client_count < client_slots;
    case RING_CLIENT: return ring->client_count < client_slots;
    case RING_RESERVED: return ring->reserved_count < ring->reserve;
    }
    QR_UNREACHABLE("a class that is none");
}

bool ring_push(struct ring *ring, const void *item, enum ring_class class)
{
    if (!has_room(ring, class)) return false;
    unsigned slot = (ring->head + ring_count(ring)) % ring->slots;
    memcpy(ring->items + (size_t)slot * ring->item_bytes, item, ring->item_bytes);
    ring->classes[slot] = (uint8_t) class;
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
    memcpy(ret_item, ring->items + (size_t)ring->head * ring->item_bytes, ring->item_bytes);
    if (ring->classes[ring->head] == RING_RESERVED)
        ring->reserved_count--;
    else
        ring->client_count--;
    ring->head = (uint16_t)((ring->head + 1u) % ring->slots);
    return true;
}
