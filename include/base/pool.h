/* A pool of fixed-size slots, named by handles that outlive what they name.
 *
 * A handle is {slot, generation}; releasing a slot changes its generation, so a stale handle
 * resolves to NULL. The caller owns the storage; the pool touches a slot's memory for the first
 * time when it is first acquired, and hands out the slot released last first, so that an idle pool
 * costs address space only.
 *
 * One owner, one thread. Every function is O(1).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"

struct handle {
    uint32_t slot;
    uint32_t generation; /* Odd: live. 0: HANDLE_NONE. */
};

#define HANDLE_NONE ((struct handle){0, 0})

static inline bool handle_is_none(struct handle handle)
{
    return handle.generation == 0;
}

static inline bool handle_equal(struct handle a, struct handle b)
{
    return a.slot == b.slot && a.generation == b.generation;
}

struct pool_slot {
    uint32_t generation;
    uint32_t next_free;
};

struct pool {
    uint8_t *items;
    struct pool_slot *slots;
    size_t item_bytes;
    uint32_t capacity;
    uint32_t used;
    uint32_t used_max;
    uint32_t touched; /* Slots that were ever acquired. */
    uint32_t first_free;
};

/* Requires: `items` has capacity * item_bytes bytes, `slots` capacity entries, all zero; both
 * outlive the pool; item_bytes > 0; capacity < UINT32_MAX. */
void pool_init(struct pool *pool, void *items, struct pool_slot *slots, size_t item_bytes,
               uint32_t capacity);

/* A zeroed slot and its handle, or NULL where all are used. */
QR_MUST_USE void *pool_acquire(struct pool *pool, struct handle *ret_handle);

/* The same, but with whatever the slot held last: for large items that are overwritten at once. */
QR_MUST_USE void *pool_acquire_unset(struct pool *pool, struct handle *ret_handle);

/* Requires: the handle is live. */
void pool_release(struct pool *pool, struct handle handle);

/* NULL where what the handle named is gone. */
void *pool_resolve(const struct pool *pool, struct handle handle);

/* The handle of a live item. Requires: `item` was acquired from this pool and not released. */
struct handle pool_handle_of(const struct pool *pool, const void *item);

/* The live item of slot `slot`, or NULL: for walks over all of them in slices of a bounded size. */
void *pool_at(const struct pool *pool, uint32_t slot);
