/* Which matches still need what is written: from their beginning in the journal until they are over. */

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "journal_store_priv.h"

int live_init(struct store_lane *lane, uint32_t matches_max)
{
    /* A match that has ended may be over in the journal only after the next one has begun in its slot. */
    uint32_t most = 2 * matches_max;
    uint32_t entries = map_entries_for(most);
    lane->live_ids_memory = calloc(entries, sizeof(*lane->live_ids_memory));
    lane->live_memory = calloc(most, sizeof(struct live_entry) + sizeof(struct pool_slot));
    if (lane->live_ids_memory == NULL || lane->live_memory == NULL) return -ENOMEM;
    struct siphash_key key;
    ssize_t got = getrandom(&key, sizeof(key), 0);
    QR_ASSERT(got == (ssize_t)sizeof(key));
    map_init(&lane->live_ids, lane->live_ids_memory, entries, &key);
    struct live_entry *items = lane->live_memory;
    pool_init(&lane->live, items, (struct pool_slot *)(items + most), sizeof(*items), most);
    list_init(&lane->live_by_age);
    return 0;
}

void live_fini(struct store_lane *lane)
{
    free(lane->live_ids_memory);
    free(lane->live_memory);
}

static void begin(struct store_lane *lane, const struct id *match, uint64_t position)
{
    struct handle handle;
    struct live_entry *entry = pool_acquire(&lane->live, &handle);
    QR_ASSERT(entry != NULL); /* The shard has not so many. */
    entry->position = position;
    list_init(&entry->node);
    list_append(&lane->live_by_age, &entry->node);
    bool is_put = map_put(&lane->live_ids, match, handle.slot);
    QR_ASSERT(is_put);
}

static void end(struct store_lane *lane, const struct id *match)
{
    uint32_t slot;
    if (!map_find(&lane->live_ids, match, &slot)) return;
    struct live_entry *entry = pool_at(&lane->live, slot);
    list_remove(&entry->node);
    (void)map_remove(&lane->live_ids, match); /* It was found just now. */
    pool_release(&lane->live, pool_handle_of(&lane->live, entry));
}

void live_on_record(struct store_lane *lane, const struct journal_head *head, uint64_t position)
{
    if (head->kind == JOURNAL_BEGIN) begin(lane, &head->match, position);
    if (head->kind == JOURNAL_OVER) end(lane, &head->match);
}

uint64_t live_need_from(const struct store_lane *lane)
{
    if (list_is_empty(&lane->live_by_age)) return UINT64_MAX;
    return LIST_ITEM(lane->live_by_age.next, struct live_entry, node)->position;
}
