#include "sim_answers.h"

#include <errno.h>
#include <string.h>

#include "proto/journal.h"
#include "sim_failed.h"

enum { LOAD_WAIT_MAX_MS = 5000, RETRY_FIRST_MS = 1000, RETRY_DOUBLINGS = 5 };

static void keep_earlier(mono_time *earliest, mono_time at)
{
    if (mono_is_before(at, *earliest)) *earliest = at;
}

/* --- Asking. --- */

static int ask_store(struct world_shard *at, struct store *store, struct pending *pending)
{
    store->asked++;
    if (store->mode == STORE_REFUSING || store->count == PENDING_MAX) { /* Its queue is full. */
        store->refused++;
        return -EAGAIN;
    }
    pending->shard = (unsigned)(at - at->world->shards);
    pending->at = mono_after(at->world->now, store->mode == STORE_LATE ? store->delay_ms : 0);
    pending->asked_at = at->world->now;
    store->pending[store->count++] = *pending;
    return 0;
}

static int save_in_journal(struct world_shard *at, struct handle match,
                           const struct match_result *result)
{
    struct world *world = at->world;
    static uint8_t record[JOURNAL_RECORD_BYTES_MAX];
    size_t bytes = journal_write_result(record, result);
    bool is_kept =
        world->parcel_count < RESULTS_MAX && sim_journal_append(&at->journal, record, bytes);
    if (!is_kept) {
        world->saves.refused++;
        return -EAGAIN;
    }
    uint32_t delay_ms = prng_below(&world->chance, world->settings.sync_ms + 1);
    struct parcel parcel = {.state = PARCEL_SYNCING,
                            .who = match,
                            .shard = (unsigned)(at - world->shards),
                            .position = at->journal.size,
                            .at = mono_after(world->now, delay_ms)};
    store_take(result, &parcel.result);
    world->parcels[world->parcel_count++] = parcel;
    return 0;
}

int answers_save(void *context, struct handle match, const struct match_result *result)
{
    struct world_shard *at = context;
    if (world_is_dead(at->world)) return 0;
    at->world->last_result = *result;
    referee_on_save(&at->world->referee, result);
    if (at->world->settings.keeps == KEEPS_ALL) return save_in_journal(at, match, result);
    struct pending save = {.who = match, .id = result->match};
    store_take(result, &save.result);
    return ask_store(at, &at->world->saves, &save);
}

int answers_load(void *context, struct handle session, const struct id *player)
{
    struct world_shard *at = context;
    if (world_is_dead(at->world)) return 0;
    return ask_store(at, &at->world->loads, &(struct pending){.who = session, .id = *player});
}

void answers_cancel_load(void *context, struct handle session)
{
    struct world_shard *at = context;
    struct store *store = &at->world->loads;
    if (world_is_dead(at->world)) return;
    store->cancelled++;
    for (uint32_t i = 0; i < store->count; i++) {
        struct pending *pending = &store->pending[i];
        if (!handle_equal(pending->who, session)) continue;
        pending->is_cancelled = true;
        pending->at = at->world->now;
    }
}

/* --- Answers. --- */

/* What the store makes of a result now. False: it says no, or nothing is heard of it. */
static bool take_result(struct world *world, const struct kept_result *result)
{
    bool is_lost = world->saves.mode == STORE_LOSING;
    bool is_saved = world->saves.mode != STORE_FAILING && !is_lost;
    world->saves.failed += !is_saved && !is_lost;
    world->saves.lost += is_lost;
    tell(world, ANY_NUMBER, "saved", is_saved ? "yes" : is_lost ? "lost" : "no");
    bool is_kept = (is_saved || is_lost) && world->settings.remembers_results;
    if (is_kept) store_keep(world, result);
    return is_saved;
}

static void answer_save(struct world *world, const struct pending *save)
{
    bool is_saved = take_result(world, &save->result);
    if (is_saved) referee_on_saved(&world->referee, &save->id);
    shard_on_saved(world->shards[save->shard].shard, save->who, is_saved);
}

static void answer_load(struct world *world, const struct pending *load)
{
    struct shard *shard = world->shards[load->shard].shard;
    bool is_failing = world->loads.mode == STORE_FAILING || world->loads.mode == STORE_LOSING ||
                      load->is_cancelled;
    world->loads.failed += is_failing;
    tell(world, ANY_NUMBER, "loaded", is_failing ? "no" : "yes");
    if (is_failing) {
        shard_on_loaded(shard, load->who, LOAD_FAILED, NULL);
        return;
    }
    for (uint32_t i = 0; i < world->known_count; i++) {
        if (!id_equal(&world->known[i], &load->id)) continue;
        referee_on_loaded(&world->referee, &load->id, &world->records[i]);
        shard_on_loaded(shard, load->who, LOAD_FOUND, &world->records[i]);
        return;
    }
    referee_on_loaded(&world->referee, &load->id, NULL);
    shard_on_loaded(shard, load->who, LOAD_UNKNOWN, NULL);
}

/* A result of the player's is on its way to the store: what that says now is old. */
static bool is_expected(const struct world *world, const struct id *player)
{
    for (uint32_t i = 0; i < world->parcel_count; i++) {
        const struct kept_result *result = &world->parcels[i].result;
        if (id_equal(&result->players[0], player) || id_equal(&result->players[1], player))
            return true;
    }
    return false;
}

static bool has_to_wait(struct world *world, struct pending *load)
{
    if (load->is_cancelled || !is_expected(world, &load->id)) return false;
    if (mono_elapsed(load->asked_at, world->now) < LOAD_WAIT_MAX_MS) return true;
    load->is_cancelled = true;
    return false;
}

static void bring_answers_of(struct world *world, struct store *store,
                             void (*answer)(struct world *world, const struct pending *pending))
{
    if (store->mode == STORE_DEAD) return;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < store->count; i++) {
        struct pending pending = store->pending[i];
        bool waits = world->shards[pending.shard].is_stalled ||
                     mono_is_before(world->now, pending.at) || world->is_dead;
        waits = waits || (store == &world->loads && has_to_wait(world, &pending));
        if (waits || world_is_dead(world)) {
            store->pending[kept++] = pending;
            continue;
        }
        answer(world, &pending);
        world->shards[pending.shard].is_woken = true;
    }
    store->count = kept;
}

/* --- The journal before the store. --- */

/* The match hears that its result is saved; then it is the store's turn. */
static void keep_promise(struct world *world, struct parcel *parcel)
{
    struct world_shard *at = &world->shards[parcel->shard];
    if (at->journal.synced < parcel->position) at->journal.synced = parcel->position;
    parcel->state = PARCEL_WAITING;
    referee_on_saved(&world->referee, &parcel->result.match);
    shard_on_saved(at->shard, parcel->who, true);
    at->is_woken = true;
}

static void put_back(const struct world *world, struct parcel *parcel)
{
    unsigned doublings = parcel->attempts < RETRY_DOUBLINGS ? parcel->attempts : RETRY_DOUBLINGS;
    parcel->state = PARCEL_WAITING;
    parcel->at = mono_after(world->now, (uint64_t)RETRY_FIRST_MS << doublings);
    if (parcel->attempts < UINT8_MAX) parcel->attempts++;
}

static void hand_on(struct world *world, struct parcel *parcel)
{
    struct store *store = &world->saves;
    store->asked++;
    if (store->mode == STORE_REFUSING) {
        store->refused++;
        put_back(world, parcel);
        return;
    }
    parcel->state = PARCEL_HANDED;
    parcel->at = mono_after(world->now, store->mode == STORE_LATE ? store->delay_ms : 0);
}

/* True: the store has it, and the journal says so. */
static bool arrives(struct world *world, struct parcel *parcel)
{
    uint8_t mark[JOURNAL_EVENT_BYTES_MAX];
    if (!take_result(world, &parcel->result)) {
        put_back(world, parcel);
        return false;
    }
    if (world_is_dead(world)) return true;
    size_t bytes = journal_write_mark(mark, JOURNAL_STORED, &parcel->result.match);
    struct sim_journal *journal = &world->shards[parcel->shard].journal;
    /* Without it the next start hands the result on once more. */
    (void)!sim_journal_append(journal, mark, bytes);
    world->carried_over += parcel->is_from_before;
    return true;
}

static void bring_parcels(struct world *world)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < world->parcel_count; i++) {
        struct parcel parcel = world->parcels[i];
        bool is_due = !world->shards[parcel.shard].is_stalled &&
                      !mono_is_before(world->now, parcel.at) && !world->is_dead;
        bool is_answered = parcel.state == PARCEL_HANDED && world->saves.mode != STORE_DEAD;
        if (is_due && parcel.state == PARCEL_SYNCING && !world_is_dead(world)) {
            keep_promise(world, &parcel);
        } else if (is_due && parcel.state == PARCEL_WAITING && !world_is_dead(world)) {
            hand_on(world, &parcel);
        } else if (is_due && is_answered && !world_is_dead(world) && arrives(world, &parcel)) {
            continue;
        }
        world->parcels[kept++] = parcel;
    }
    world->parcel_count = kept;
}

/* --- Entries. --- */

void answers_bring(struct world *world)
{
    bring_answers_of(world, &world->saves, answer_save);
    bring_answers_of(world, &world->loads, answer_load);
    bring_parcels(world);
}

static void look_at_store(const struct world *world, const struct store *store, mono_time *next)
{
    for (uint32_t i = 0; i < store->count && store->mode != STORE_DEAD; i++) {
        const struct pending *pending = &store->pending[i];
        if (world->shards[pending->shard].is_stalled) continue;
        bool waits =
            store == &world->loads && !pending->is_cancelled && is_expected(world, &pending->id);
        keep_earlier(next, waits ? mono_after(pending->asked_at, LOAD_WAIT_MAX_MS) : pending->at);
    }
}

void answers_next_due(const struct world *world, mono_time *next)
{
    look_at_store(world, &world->saves, next);
    look_at_store(world, &world->loads, next);
    for (uint32_t i = 0; i < world->parcel_count; i++) {
        const struct parcel *parcel = &world->parcels[i];
        bool is_dead = parcel->state == PARCEL_HANDED && world->saves.mode == STORE_DEAD;
        if (!is_dead && !world->shards[parcel->shard].is_stalled) keep_earlier(next, parcel->at);
    }
}

bool answers_is_saving(const struct world *world)
{
    for (uint32_t i = 0; i < world->parcel_count; i++) {
        if (world->parcels[i].state == PARCEL_SYNCING) return true;
    }
    return world->saves.count > 0;
}

void answers_calm(struct world *world)
{
    for (uint32_t i = 0; i < world->parcel_count; i++) world->parcels[i].at = world->now;
}

/* --- Crashes. --- */

void answers_on_crash(struct world *world)
{
    for (uint32_t i = 0; i < world->parcel_count; i++) {
        const struct parcel *parcel = &world->parcels[i];
        bool has_arrived = parcel->state == PARCEL_HANDED && prng_below(&world->chance, 2) == 0;
        if (has_arrived && world->settings.remembers_results) store_keep(world, &parcel->result);
    }
    world->parcel_count = world->saves.count = world->loads.count = 0;
}

static void go_on_with(struct world *world, unsigned shard, const struct sim_record *record)
{
    static struct journal_result result;
    const char *problem = journal_read_result(record->bytes, record->size, &result);
    if (problem != NULL) sim_failed("a journal can be read: %s", problem);
    struct parcel parcel = {
        .state = PARCEL_WAITING, .shard = shard, .at = world->now, .is_from_before = true};
    store_take(&result.result, &parcel.result);
    SIM_EXPECT(world->parcel_count < RESULTS_MAX);
    world->parcels[world->parcel_count++] = parcel;
}

void answers_go_on(struct world *world)
{
    for (unsigned i = 0; i < world->settings.shards; i++) {
        struct sim_record record;
        for (size_t at = 0; sim_journal_next(&world->shards[i].journal, &at, &record);) {
            if (record.bytes[0] == JOURNAL_RESULT) go_on_with(world, i, &record);
        }
    }
}
