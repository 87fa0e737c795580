#include "base/map.h"

enum { ENTRIES_MIN = 4 };

/* Three quarters of 2^31 entries. */
static const uint32_t count_limit = UINT32_C(3) << 29;

static uint32_t home_of(const struct map *map, const struct id *key)
{
    return (uint32_t)siphash(&map->key, key->bytes, sizeof key->bytes) & map->mask;
}

/* The entry that holds the key, or the free one where it belongs. There always is one: a quarter
 * stays free. */
static uint32_t entry_for(const struct map *map, const struct id *key)
{
    uint32_t at = home_of(map, key);
    while (map->entries[at].is_used && !id_equal(&map->entries[at].key, key))
        at = (at + 1) & map->mask;
    return at;
}

uint32_t map_entries_for(uint32_t count_max)
{
    QR_ASSERT(count_max <= count_limit);
    uint32_t entries = ENTRIES_MIN;
    while (entries - entries / 4 < count_max) entries *= 2;
    return entries;
}

void map_init(struct map *map, struct map_entry *entries, uint32_t entry_count,
              const struct siphash_key *key)
{
    QR_ASSERT(entry_count >= ENTRIES_MIN);
    QR_ASSERT((entry_count & (entry_count - 1)) == 0);
    *map = (struct map){.entries = entries, .mask = entry_count - 1, .key = *key};
}

bool map_put(struct map *map, const struct id *key, uint32_t value)
{
    struct map_entry *entry = &map->entries[entry_for(map, key)];
    if (entry->is_used) {
        entry->value = value;
        return true;
    }
    uint32_t entry_count = map->mask + 1;
    if (map->count == entry_count - entry_count / 4) return false;
    *entry = (struct map_entry){.key = *key, .value = value, .is_used = 1};
    map->count++;
    return true;
}

bool map_find(const struct map *map, const struct id *key, uint32_t *ret_value)
{
    const struct map_entry *entry = &map->entries[entry_for(map, key)];
    if (!entry->is_used) return false;
    *ret_value = entry->value;
    return true;
}

bool map_remove(struct map *map, const struct id *key)
{
    uint32_t hole = entry_for(map, key);
    if (!map->entries[hole].is_used) return false;
    /* Entries behind the hole move up into it, where a search for them would pass through it: where
     * the hole is not before their home. Distances are taken around the end of the table. */
    for (uint32_t at = (hole + 1) & map->mask; map->entries[at].is_used;
         at = (at + 1) & map->mask) {
        uint32_t home = home_of(map, &map->entries[at].key);
        if (((at - home) & map->mask) < ((at - hole) & map->mask)) continue;
        map->entries[hole] = map->entries[at];
        hole = at;
    }
    map->entries[hole] = (struct map_entry){.is_used = 0};
    map->count--;
    return true;
}
