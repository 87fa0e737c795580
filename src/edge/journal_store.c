#include "edge/journal_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "edge/clock.h"
#include "journal_store_priv.h"

enum {
    LOAD_WAIT_MAX_MS = 5000,
    ANSWERS_AT_ONCE = 32,
    /* Of the database, in one call, which others on the loop wait for: each is a record in the journal. */
    DATABASE_ANSWERS_MAX = 64,
    DESTROY_MAX_MS = 3000,
    PUMP_EVERY_NS = 2000000,
    /* Another shard's answer may be what a look-up waits for, and that wakes nobody here. */
    LOOK_AGAIN_MS = 20,
};

static struct journal_store *of(struct store *store)
{
    return (struct journal_store *)store;
}

/* --- Writing. --- */

static uint64_t reserve_for_begin(const struct journal_store *store, const struct store_lane *lane)
{
    uint64_t reserve = (uint64_t)(lane->live.used + 1) * RESERVE_PER_MATCH_BYTES;
    /* More than this is allocated when it is needed, or the disk is full. */
    uint64_t most = journal_segment_bytes(store->journal) / 2;
    return reserve < most ? reserve : most;
}

/* A match can always say that it is over, or its beginning would be needed for ever, and a crash would bring it back. */
static uint64_t reserve_for_ends(const struct store_lane *lane)
{
    return (uint64_t)(lane->live.used + 1) * MARK_BYTES;
}

static uint64_t reserve_for(const struct journal_store *store, const struct store_lane *lane,
                            uint8_t kind)
{
    if (kind == JOURNAL_BEGIN) return reserve_for_begin(store, lane);
    return kind == JOURNAL_OVER ? 0 : reserve_for_ends(lane);
}

bool journal_store_write(struct journal_store *store, unsigned shard, const uint8_t *record,
                         size_t bytes, uint64_t *ret_position)
{
    struct store_lane *lane = &store->lanes[shard];
    struct journal_head head;
    const char *problem = journal_read_head(record, bytes, &head);
    QR_ASSERT(problem == NULL);
    uint64_t position;
    uint64_t reserve = reserve_for(store, lane, head.kind);
    if (!journal_append(store->journal, shard, record, bytes, reserve, &position)) return false;
    live_on_record(lane, &head, position);
    if (ret_position != NULL) *ret_position = position;
    return true;
}

/* Brought over from the journal of an earlier run. */
static bool append_result(struct journal_store *store, unsigned shard, const uint8_t *record,
                          size_t bytes)
{
    /* Memory first: what has been written is handed on, and cannot be left uncounted. */
    struct journal_result *result = malloc(sizeof(*result));
    if (result == NULL) return false;
    const char *problem = journal_read_result(record, bytes, result);
    QR_ASSERT(problem == NULL);
    bool is_written = journal_store_write(store, shard, record, bytes, NULL);
    if (is_written) carry_expect(store, shard, &result->result);
    free(result);
    return is_written;
}

static bool append(struct store *store, unsigned shard, const uint8_t *record, size_t bytes)
{
    struct journal_store *self = of(store);
    if (record[0] == JOURNAL_RESULT) return append_result(self, shard, record, bytes);
    return journal_store_write(self, shard, record, bytes, NULL);
}

static bool has_room(struct store *store, unsigned shard)
{
    struct journal_store *self = of(store);
    uint64_t reserve = reserve_for_begin(self, &self->lanes[shard]);
    return journal_has_room(self->journal, shard, RESERVE_PER_MATCH_BYTES, reserve);
}

/* --- The shards' calls. --- */

static int save(struct store *store, unsigned shard, struct handle match,
                const struct match_result *result)
{
    struct journal_store *self = of(store);
    struct store_lane *lane = &self->lanes[shard];
    uint64_t position;
    if (lane->promise_count == self->options.matches_max) return -EAGAIN;
    size_t bytes = journal_write_result(lane->record, result);
    if (!journal_store_write(self, shard, lane->record, bytes, &position)) {
        /* Matches that wait here keep what they have written, so that there would never be room. */
        return store_save(self->database, shard, match, result);
    }
    carry_expect(self, shard, result);
    uint32_t at = (lane->promise_first + lane->promise_count++) % self->options.matches_max;
    lane->promises[at] = (struct promise){match, position};
    journal_sync(self->journal, shard, position);
    return 0;
}

static int load(struct store *store, unsigned shard, struct handle session, const struct id *player)
{
    struct journal_store *self = of(store);
    struct store_lane *lane = &self->lanes[shard];
    if (!carry_is_expected(self, player)) return store_load(self->database, shard, session, player);
    if (lane->load_count == self->options.loads_max) return -EAGAIN;
    carry_hurry(self);
    lane->loads[lane->load_count++] =
        (struct waiting_load){session, *player, mono_after(clock_mono(), LOAD_WAIT_MAX_MS)};
    atomic_store(&lane->loads_waiting, lane->load_count);
    return 0;
}

static void cancel_load(struct store *store, unsigned shard, struct handle session)
{
    struct journal_store *self = of(store);
    struct store_lane *lane = &self->lanes[shard];
    for (uint32_t i = 0; i < lane->load_count; i++) {
        if (!handle_equal(lane->loads[i].session, session)) continue;
        lane->loads[i].give_up_at = (mono_time){0};
        return;
    }
    store_cancel_load(self->database, shard, session);
}

/* --- Answers. --- */

static unsigned take_from_database(struct journal_store *store, unsigned shard,
                                   struct store_answer answers[], unsigned max, mono_time now)
{
    unsigned count = 0, taken = ANSWERS_AT_ONCE, all = 0;
    while (count < max && taken > 0 && all < DATABASE_ANSWERS_MAX) {
        struct store_answer from[ANSWERS_AT_ONCE];
        unsigned most = max - count < ANSWERS_AT_ONCE ? max - count : ANSWERS_AT_ONCE;
        taken = store_take_answers(store->database, shard, from, most);
        all += taken;
        for (unsigned i = 0; i < taken; i++) {
            if (from[i].kind == STORE_SAVED && carry_is_parcel(from[i].handle)) {
                carry_on_saved(store, shard, &from[i], now);
            } else {
                answers[count++] = from[i];
            }
        }
    }
    store->lanes[shard].has_more_answers = all >= DATABASE_ANSWERS_MAX;
    return count;
}

static unsigned keep_promises(struct journal_store *store, unsigned shard,
                              struct store_answer answers[], unsigned max)
{
    struct store_lane *lane = &store->lanes[shard];
    uint64_t synced = journal_synced(store->journal, shard);
    unsigned count = 0;
    while (count < max && lane->promise_count > 0 &&
           lane->promises[lane->promise_first].position <= synced) {
        answers[count++] =
            (struct store_answer){.kind = STORE_SAVED,
                                  .handle = lane->promises[lane->promise_first].match,
                                  .is_saved = true};
        lane->promise_first = (lane->promise_first + 1) % store->options.matches_max;
        lane->promise_count--;
    }
    return count;
}

/* False: it waits on. An answer only where there will be none from the database. */
static bool look_at_load(struct journal_store *store, unsigned shard,
                         const struct waiting_load *load, mono_time now, bool *ret_has_failed)
{
    *ret_has_failed = !mono_is_before(now, load->give_up_at);
    if (*ret_has_failed) return true;
    if (carry_is_expected(store, &load->player)) return false;
    return store_load(store->database, shard, load->session, &load->player) == 0;
}

static unsigned look_at_loads(struct journal_store *store, unsigned shard,
                              struct store_answer answers[], unsigned max, mono_time now)
{
    struct store_lane *lane = &store->lanes[shard];
    unsigned count = 0, kept = 0;
    for (uint32_t i = 0; i < lane->load_count; i++) {
        bool has_failed;
        struct waiting_load load = lane->loads[i];
        if (count == max || !look_at_load(store, shard, &load, now, &has_failed)) {
            lane->loads[kept++] = load;
        } else if (has_failed) {
            answers[count++] = (struct store_answer){
                .kind = STORE_LOADED, .handle = load.session, .loaded = {.outcome = LOAD_FAILED}};
        }
    }
    lane->load_count = kept;
    if (kept > 0) carry_hurry(store); /* What was not synced when it was last hurried may be now. */
    atomic_store(&lane->loads_waiting, kept);
    return count;
}

static void give_up_what_is_not_needed(struct journal_store *store, unsigned shard)
{
    const struct store_lane *lane = &store->lanes[shard];
    uint64_t carried = carry_need_from(lane);
    uint64_t live = live_need_from(lane);
    journal_need_from(store->journal, shard, carried < live ? carried : live);
}

static unsigned take_answers(struct store *store, unsigned shard, struct store_answer answers[],
                             unsigned max)
{
    struct journal_store *self = of(store);
    mono_time now = clock_mono();
    unsigned count = take_from_database(self, shard, answers, max, now);
    count += keep_promises(self, shard, answers + count, max - count);
    count += look_at_loads(self, shard, answers + count, max - count, now);
    carry_on(self, shard, now);
    give_up_what_is_not_needed(self, shard);
    journal_tick(self->journal, shard, now, clock_wall(), reserve_for_ends(&self->lanes[shard]));
    return count;
}

/* --- The database's loop. --- */

static int fd(struct store *store, unsigned shard)
{
    return store_fd(of(store)->database, shard);
}

static void keep_earlier(mono_time *due, bool *is_due, mono_time at)
{
    if (!*is_due || mono_is_before(at, *due)) *due = at;
    *is_due = true;
}

static bool next_due(struct store *store, unsigned shard, mono_time *ret_due)
{
    struct journal_store *self = of(store);
    const struct store_lane *lane = &self->lanes[shard];
    mono_time at;
    bool is_due = store_next_due(self->database, shard, ret_due);
    if (carry_next_due(lane, &at)) keep_earlier(ret_due, &is_due, at);
    if (lane->has_more_answers) keep_earlier(ret_due, &is_due, (mono_time){0});
    for (uint32_t i = 0; i < lane->load_count; i++) {
        keep_earlier(ret_due, &is_due, lane->loads[i].give_up_at);
    }
    if (lane->load_count > 0) {
        keep_earlier(ret_due, &is_due, mono_after(clock_mono(), LOOK_AGAIN_MS));
    }
    return is_due;
}

static void run(struct store *store, unsigned shard)
{
    store_run(of(store)->database, shard);
}

/* --- Figures. --- */

static void stats(struct store *store, struct store_stats *ret_stats)
{
    struct journal_store *self = of(store);
    struct store_journal_stats journal;
    journal_stats(self->journal, &journal);
    for (unsigned i = 0; i < self->options.shards; i++) {
        struct store_lane *lane = &self->lanes[i];
        journal.results_waiting += atomic_load(&lane->waiting);
        journal.results_retried += atomic_load(&lane->retried);
        journal.loads_waiting += atomic_load(&lane->loads_waiting);
    }
    self->database->class->stats(self->database, ret_stats);
    ret_stats->journal = journal;
}

static bool is_healthy(struct store *store)
{
    struct store *database = of(store)->database;
    return database->class->is_healthy(database);
}

/* --- Life. --- */

static void free_all(struct journal_store *store)
{
    for (unsigned i = 0; i < store->options.shards && store->lanes != NULL; i++) {
        struct store_lane *lane = &store->lanes[i];
        carry_fini(lane);
        live_fini(lane);
        free(lane->promises);
        free(lane->loads);
    }
    free(store->lanes);
    free(store->counters);
    free(store);
}

static bool is_anything_waiting(const struct journal_store *store)
{
    for (unsigned i = 0; i < store->options.shards; i++) {
        if (atomic_load(&store->lanes[i].waiting) > 0) return true;
    }
    return false;
}

/* What the database takes in time need not be handed on by the next start. */
static void pump(struct journal_store *store)
{
    struct store_answer answers[ANSWERS_AT_ONCE];
    if (!journal_is_started(store->journal)) return; /* The start has failed. */
    mono_time until = mono_after(clock_mono(), DESTROY_MAX_MS);
    for (unsigned i = 0; i < store->options.shards; i++) {
        journal_sync_all(store->journal, i);
    }
    while (is_anything_waiting(store) && mono_is_before(clock_mono(), until)) {
        carry_hurry(store);
        for (unsigned i = 0; i < store->options.shards; i++) {
            store_run(store->database, i);
            (void)take_answers(&store->store, i, answers, ANSWERS_AT_ONCE); /* Nobody is left. */
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = PUMP_EVERY_NS}, NULL);
    }
}

static void destroy(struct store *store)
{
    struct journal_store *self = of(store);
    pump(self);
    self->database->class->destroy(self->database);
    journal_destroy(self->journal);
    free_all(self);
}

static const struct store_class journal_store_class = {
    .save = save,
    .load = load,
    .cancel_load = cancel_load,
    .take_answers = take_answers,
    .fd = fd,
    .next_due = next_due,
    .run = run,
    .append = append,
    .has_room = has_room,
    .stats = stats,
    .is_healthy = is_healthy,
    .destroy = destroy,
};

static int init_lane(const struct journal_store_options *options, struct store_lane *lane,
                     unsigned shard)
{
    lane->promises = calloc(options->matches_max, sizeof(*lane->promises));
    lane->loads = calloc(options->loads_max, sizeof(*lane->loads));
    lane->cursor = journal_first(options->journal, shard);
    if (lane->promises == NULL || lane->loads == NULL) return -ENOMEM;
    int error = carry_init(lane, options->results_max);
    return error != 0 ? error : live_init(lane, options->matches_max);
}

size_t journal_store_bytes(unsigned shards, uint32_t results_max)
{
    return (size_t)shards * results_max * (sizeof(struct parcel) + sizeof(struct journal_result));
}

int journal_store_create(const struct journal_store_options *options, struct store **ret_store)
{
    QR_ASSERT(options->matches_max > 0 && options->loads_max > 0 && options->results_max > 0);
    struct journal_store *store = calloc(1, sizeof(*store));
    if (store == NULL) return -ENOMEM;
    store->store.class = &journal_store_class;
    store->journal = options->journal;
    store->database = options->store;
    store->options = *options;
    store->lanes = calloc(options->shards, sizeof(*store->lanes));
    store->counters = calloc(COUNTERS, sizeof(*store->counters));
    int error = store->lanes == NULL || store->counters == NULL ? -ENOMEM : 0;
    for (unsigned i = 0; i < options->shards && error == 0; i++) {
        error = init_lane(options, &store->lanes[i], i);
    }
    if (error != 0) {
        free_all(store);
        return error;
    }
    *ret_store = &store->store;
    return 0;
}
