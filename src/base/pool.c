#include "base/pool.h"

#include <string.h>

static const uint32_t no_slot = UINT32_MAX;

static bool is_live(uint32_t generation)
{
    return generation % 2 == 1;
}

static void *item_at(const struct pool *pool, uint32_t slot)
{
    return pool->items + (size_t)slot * pool->item_bytes;
}

void pool_init(struct pool *pool, void *items, struct pool_slot *slots, size_t item_bytes,
               uint32_t capacity)
{
    QR_ASSERT(item_bytes > 0);
    QR_ASSERT(capacity < no_slot);
    *pool = (struct pool){
        .items = items,
        .slots = slots,
        .item_bytes = item_bytes,
        .capacity = capacity,
        .first_free = no_slot,
    };
}

void *pool_acquire_unset(struct pool *pool, struct handle *ret_handle)
{
    uint32_t slot = pool->first_free;
    if (slot != no_slot) {
        pool->first_free = pool->slots[slot].next_free;
    } else if (pool->touched < pool->capacity) {
        slot = pool->touched++;
    } else {
        return NULL;
    }
    pool->slots[slot].generation++;
    QR_ASSERT(is_live(pool->slots[slot].generation));
    pool->used++;
    if (pool->used > pool->used_max) pool->used_max = pool->used;
    *ret_handle = (struct handle){slot, pool->slots[slot].generation};
    return item_at(pool, slot);
}

void *pool_acquire(struct pool *pool, struct handle *ret_handle)
{
    void *item = pool_acquire_unset(pool, ret_handle);
    return item != NULL ? memset(item, 0, pool->item_bytes) : NULL;
}

void pool_release(struct pool *pool, struct handle handle)
{
    QR_ASSERT(pool_resolve(pool, handle) != NULL);
    struct pool_slot *slot = &pool->slots[handle.slot];
    slot->generation++;
    slot->next_free = pool->first_free;
    pool->first_free = handle.slot;
    pool->used--;
}

void *pool_resolve(const struct pool *pool, struct handle handle)
{
    if (handle.slot >= pool->touched) return NULL;
    /* A free slot's generation is even, and so is that of HANDLE_NONE. */
    if (!is_live(handle.generation)) return NULL;
    if (pool->slots[handle.slot].generation != handle.generation) return NULL;
    return item_at(pool, handle.slot);
}

struct handle pool_handle_of(const struct pool *pool, const void *item)
{
    /* As integers: comparing pointers into different objects is undefined, and a wrong item is just
     * that. */
    uintptr_t first = (uintptr_t)pool->items;
    uintptr_t address = (uintptr_t)item;
    QR_ASSERT(address >= first);
    QR_ASSERT((address - first) % pool->item_bytes == 0);
    uintptr_t slot = (address - first) / pool->item_bytes;
    QR_ASSERT(slot < pool->touched);
    QR_ASSERT(is_live(pool->slots[slot].generation));
    return (struct handle){(uint32_t)slot, pool->slots[slot].generation};
}

void *pool_at(const struct pool *pool, uint32_t slot)
{
    if (slot >= pool->touched || !is_live(pool->slots[slot].generation)) return NULL;
    return item_at(pool, slot);
}
