/* A hash map from an id to a 32-bit value (a pool's slot), with open addressing and keyed hashing.
 *
 * Linear probing with backward-shift deletion: no tombstones, so a map that is used for months
 * stays as fast as a new one. Bounded: it is sized at start for all that can ever be in it, at most
 * three quarters full.
 *
 * One owner, one thread. Expected O(1).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/id.h"
#include "base/siphash.h"

struct map_entry {
    struct id key;
    uint32_t value;
    uint32_t is_used;
};

struct map {
    struct map_entry *entries;
    uint32_t mask;
    uint32_t count;
    struct siphash_key key;
};

/* The number of entries that storage for `count_max` ids needs: a power of two, at least 4, and 4/3
 * of it. Requires: count_max <= 3/4 * 2^31. */
uint32_t map_entries_for(uint32_t count_max);

/* Requires: `entries` are map_entries_for() many and zero, and outlive the map. */
void map_init(struct map *map, struct map_entry *entries, uint32_t entry_count,
              const struct siphash_key *key);

/* False, and nothing changed, where the map is full: three quarters of the entries are used. An id
 * that is there gets the new value, also in a full map. */
QR_MUST_USE bool map_put(struct map *map, const struct id *key, uint32_t value);
bool map_find(const struct map *map, const struct id *key, uint32_t *ret_value);
/* True where it was there. */
bool map_remove(struct map *map, const struct id *key);
