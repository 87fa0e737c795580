/* Results on their way from the journal to the database. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "edge/clock.h"
#include "edge/log.h"
#include "journal_store_priv.h"

enum {
    RETRY_FIRST_MS = 1000,
    RETRY_DOUBLINGS = 5,
    PARCEL_GENERATION = 0, /* No match's is. */
    /* Results are durable where they are, and a large batch costs the database much less than several. */
    CARRY_EVERY_MS = 1000,
};

int carry_init(struct store_lane *lane, uint32_t results_max)
{
    list_init(&lane->free_parcels);
    list_init(&lane->parcels_by_age);
    lane->parcels = calloc(results_max, sizeof(*lane->parcels));
    if (lane->parcels == NULL) return -ENOMEM;
    for (uint32_t i = 0; i < results_max; i++) {
        list_append(&lane->free_parcels, &lane->parcels[i].node);
    }
    return 0;
}

static void free_results(struct list *parcels)
{
    for (struct list *node = parcels->next; node != parcels; node = node->next) {
        free(LIST_ITEM(node, struct parcel, node)->result);
    }
}

void carry_fini(struct store_lane *lane)
{
    if (lane->parcels == NULL) return;
    free_results(&lane->free_parcels);
    free_results(&lane->parcels_by_age);
    free(lane->parcels);
}

/* --- Who waits for them. --- */

static _Atomic uint32_t *counter_of(const struct journal_store *store, const struct id *player)
{
    uint16_t hash;
    /* The last bytes of a player's id are random. */
    memcpy(&hash, player->bytes + sizeof(player->bytes) - sizeof(hash), sizeof(hash));
    return &store->counters[hash];
}

static void count_players(struct journal_store *store, const struct match_result *result,
                          bool is_expected)
{
    for (unsigned i = 0; i < result->player_count; i++) {
        if (result->players[i].is_bot) continue;
        _Atomic uint32_t *counter = counter_of(store, &result->players[i].player);
        if (is_expected) {
            atomic_fetch_add(counter, 1);
        } else {
            uint32_t before = atomic_fetch_sub(counter, 1);
            QR_ASSERT(before > 0);
        }
    }
}

/* Results in the journal that have no parcel yet. */
static bool has_unread(const struct store_lane *lane)
{
    return atomic_load(&lane->waiting) > lane->parcel_count;
}

void carry_expect(struct journal_store *store, unsigned shard, const struct match_result *result)
{
    struct store_lane *lane = &store->lanes[shard];
    if (!has_unread(lane)) lane->carry_at = mono_after(clock_mono(), CARRY_EVERY_MS);
    atomic_fetch_add(&lane->waiting, 1);
    count_players(store, result, true);
}

void carry_hurry(struct journal_store *store)
{
    for (unsigned i = 0; i < store->options.shards; i++) {
        struct store_lane *lane = &store->lanes[i];
        if (atomic_load(&lane->waiting) > 0) atomic_store(&lane->is_hurried, true);
    }
}

bool carry_is_expected(const struct journal_store *store, const struct id *player)
{
    return atomic_load(counter_of(store, player)) > 0;
}

/* --- Handing on. --- */

static void hand(struct journal_store *store, unsigned shard, struct parcel *parcel, mono_time now)
{
    struct handle handle = {(uint32_t)(parcel - store->lanes[shard].parcels), PARCEL_GENERATION};
    parcel->is_handed = store_save(store->database, shard, handle, &parcel->result->result) == 0;
    if (parcel->is_handed) return;
    parcel->retry_at = mono_after(now, RETRY_FIRST_MS);
    store->lanes[shard].refused_count++;
}

static void take_up(struct journal_store *store, unsigned shard, const uint8_t *record,
                    size_t bytes, mono_time now)
{
    struct store_lane *lane = &store->lanes[shard];
    struct list *node = list_take_first(&lane->free_parcels);
    QR_ASSERT(node != NULL); /* The caller has looked. */
    struct parcel *parcel = LIST_ITEM(node, struct parcel, node);
    if (parcel->result == NULL) parcel->result = malloc(sizeof(*parcel->result));
    QR_ASSERT(parcel->result != NULL); /* A few kilobytes, once for each parcel. */
    const char *problem = journal_read_result(record, bytes, parcel->result);
    QR_ASSERT(problem == NULL); /* This process has written it. */
    list_append(&lane->parcels_by_age, node);
    lane->parcel_count++;
    parcel->attempts = 0;
    parcel->position = lane->cursor;
    hand(store, shard, parcel, now);
}

/* What was synced, up to the next result that finds no parcel; at most `left` results. */
static void read_on(struct journal_store *store, unsigned shard, unsigned left, mono_time now)
{
    struct store_lane *lane = &store->lanes[shard];
    uint64_t synced = journal_synced(store->journal, shard);
    const uint8_t *record;
    size_t bytes;
    while (left > 0 && !list_is_empty(&lane->free_parcels) && lane->cursor < synced &&
           journal_next(store->journal, shard, &lane->cursor, &record, &bytes)) {
        if (record[0] != JOURNAL_RESULT) continue;
        take_up(store, shard, record, bytes, now);
        left--;
    }
    /* It goes on at once, or when a parcel gets free. */
    if (left == 0 || list_is_empty(&lane->free_parcels)) return;
    lane->carry_at = mono_after(now, CARRY_EVERY_MS); /* What is left is not synced yet. */
}

/* Returns how many of `left` are left; where none is, what is still due stays so. */
static unsigned try_again(struct journal_store *store, unsigned shard, unsigned left, mono_time now)
{
    struct store_lane *lane = &store->lanes[shard];
    struct list *all = &lane->parcels_by_age;
    for (struct list *node = all->next; node != all && left > 0; node = node->next) {
        struct parcel *parcel = LIST_ITEM(node, struct parcel, node);
        if (parcel->is_handed || mono_is_before(now, parcel->retry_at)) continue;
        lane->refused_count--;
        hand(store, shard, parcel, now);
        left--;
    }
    return left;
}

void carry_on(struct journal_store *store, unsigned shard, mono_time now)
{
    struct store_lane *lane = &store->lanes[shard];
    unsigned left = JOURNAL_STORE_HAND_AT_ONCE;
    if (atomic_exchange(&lane->is_hurried, false)) lane->carry_at = (mono_time){0};
    if (lane->refused_count > 0) left = try_again(store, shard, left, now);
    if (!mono_is_before(now, lane->carry_at)) read_on(store, shard, left, now);
}

/* --- The database's answer. --- */

static void put_back(struct journal_store *store, struct store_lane *lane, struct parcel *parcel,
                     mono_time now)
{
    struct store *database = store->database;
    unsigned doublings = parcel->attempts < RETRY_DOUBLINGS ? parcel->attempts : RETRY_DOUBLINGS;
    parcel->is_handed = false;
    lane->refused_count++;
    parcel->retry_at = mono_after(now, (uint64_t)RETRY_FIRST_MS << doublings);
    if (parcel->attempts < UINT8_MAX) parcel->attempts++;
    atomic_fetch_add(&lane->retried, 1);
    /* Not so where it refuses what is in this one. */
    if (!database->class->is_healthy(database)) lane->is_database_down = true;
}

/* The database is back: nothing need wait out its delay. */
static void hasten(struct store_lane *lane, mono_time now)
{
    lane->is_database_down = false;
    struct list *all = &lane->parcels_by_age;
    for (struct list *node = all->next; node != all; node = node->next) {
        LIST_ITEM(node, struct parcel, node)->retry_at = now;
    }
}

bool carry_is_parcel(struct handle handle)
{
    return handle.generation == PARCEL_GENERATION;
}

void carry_on_saved(struct journal_store *store, unsigned shard, const struct store_answer *answer,
                    mono_time now)
{
    struct store_lane *lane = &store->lanes[shard];
    QR_ASSERT(answer->handle.slot < store->options.results_max);
    struct parcel *parcel = &lane->parcels[answer->handle.slot];
    QR_ASSERT(parcel->is_handed);
    if (!answer->is_saved) {
        put_back(store, lane, parcel, now);
        return;
    }
    if (lane->is_database_down) hasten(lane, now);
    const struct match_result *result = &parcel->result->result;
    uint8_t mark[JOURNAL_EVENT_BYTES_MAX];
    size_t bytes = journal_write_mark(mark, JOURNAL_STORED, &result->match);
    /* Without it the next start hands the result on once more, to no effect. */
    (void)!journal_store_write(store, shard, mark, bytes, NULL);
    count_players(store, result, false);
    atomic_fetch_sub(&lane->waiting, 1);
    parcel->is_handed = false;
    list_remove(&parcel->node);
    list_append(lane->free_parcels.next,
                &parcel->node); /* The first: the next one finds its memory warm. */
    lane->parcel_count--;
}

bool carry_next_due(const struct store_lane *lane, mono_time *ret_due)
{
    *ret_due = (mono_time){UINT64_MAX};
    if (has_unread(lane) && !list_is_empty(&lane->free_parcels)) {
        *ret_due = atomic_load(&lane->is_hurried) ? (mono_time){0} : lane->carry_at;
    }
    const struct list *all = &lane->parcels_by_age;
    const struct list *end = lane->refused_count > 0 ? all : all->next; /* Nearly always none. */
    for (const struct list *node = all->next; node != end; node = node->next) {
        const struct parcel *parcel = LIST_ITEM(node, struct parcel, node);
        if (parcel->is_handed) continue;
        if (mono_is_before(parcel->retry_at, *ret_due)) *ret_due = parcel->retry_at;
    }
    return ret_due->ms != UINT64_MAX;
}

uint64_t carry_need_from(const struct store_lane *lane)
{
    if (list_is_empty(&lane->parcels_by_age)) return lane->cursor;
    return LIST_ITEM(lane->parcels_by_age.next, struct parcel, node)->position;
}
