#include "edge/recovery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/map.h"
#include "edge/journal_scan.h"
#include "edge/log.h"
#include "edge/store.h"
#include "proto/journal.h"
#include "recovery_attempt_priv.h"

struct kept_record {
    const uint8_t *bytes; /* In the scan. */
    size_t size;
};

/* A match as far as it was read. */
struct found {
    struct id id;
    unsigned shard;
    struct handle handle; /* NONE: not live. */
    bool is_condemned;    /* It cannot come about again; what was played stands. */
    bool is_stored;
    struct kept_record result;
    struct kept_record *records; /* Of a live one, for the new journal. */
    unsigned record_count;
    void *begin; /* struct journal_begin and the record's bytes: restored matches read them. */
};

struct recovery {
    char dir[JOURNAL_PATH_BYTES];
    struct journal_scan *scan;
    struct attempt attempt;
    mono_time last;
    struct found *found; /* In the order in which they began. */
    uint32_t count, capacity;
    struct map ids; /* A match, to its place in `found`. */
    struct map_entry *ids_memory;
    uint8_t rounds_max; /* Of a match that may come back. */
    struct recovery_stats stats;
};

static void *must(void *memory)
{
    QR_ASSERT(memory != NULL); /* At start, for what the last run held in memory as well. */
    return memory;
}

/* --- Opening. --- */

static mono_time moment_of(const struct journal_head *head, const uint8_t *record, size_t bytes)
{
    struct journal_event event;
    struct journal_clock clock;
    if (head->kind == JOURNAL_EVENT && journal_read_event(record, bytes, &event) == NULL) {
        return event.event.at;
    }
    if (head->kind == JOURNAL_CLOCK && journal_read_clock(record, bytes, &clock) == NULL) {
        return clock.now;
    }
    return (mono_time){0};
}

/* How many matches there can be, of how many rounds, and the last moment. */
static void survey(struct recovery *recovery)
{
    unsigned shard;
    const uint8_t *record;
    size_t bytes;
    while (journal_scan_next(recovery->scan, &shard, &record, &bytes)) {
        struct journal_head head;
        const char *problem = journal_read_head(record, bytes, &head);
        QR_ASSERT(problem == NULL); /* The scan has looked. */
        mono_time at = moment_of(&head, record, bytes);
        if (mono_is_before(recovery->last, at)) recovery->last = at;
        if (head.kind == JOURNAL_BEGIN || head.kind == JOURNAL_RESULT) recovery->capacity++;
        if (head.kind != JOURNAL_BEGIN) continue;
        uint8_t rounds = journal_rounds_of(record, bytes);
        if (rounds > recovery->rounds_max) recovery->rounds_max = rounds;
    }
    journal_scan_rewind(recovery->scan);
}

static void init_found(struct recovery *recovery)
{
    struct siphash_key key;
    ssize_t got = getrandom(&key, sizeof(key), 0);
    QR_ASSERT(got == (ssize_t)sizeof(key));
    uint32_t entries = map_entries_for(recovery->capacity);
    recovery->ids_memory = must(calloc(entries, sizeof(*recovery->ids_memory)));
    recovery->found = must(calloc(recovery->capacity + 1, sizeof(*recovery->found)));
    map_init(&recovery->ids, recovery->ids_memory, entries, &key);
}

static void log_problem(const char *event, enum log_level level,
                        const struct journal_problem *problem)
{
    char file[LOG_VALUE_BYTES_MAX], what[LOG_VALUE_BYTES_MAX];
    log_event(level, event, "file=%s offset=%llu what=%s", log_value(problem->file, file),
              (unsigned long long)problem->offset, log_value(problem->what, what));
}

int recovery_open(const char *journal_dir, struct recovery **ret_recovery)
{
    struct journal_problem problem;
    struct recovery *recovery = must(calloc(1, sizeof(*recovery)));
    size_t length = strlen(journal_dir);
    QR_ASSERT(length < sizeof(recovery->dir));
    memcpy(recovery->dir, journal_dir, length + 1);
    int error = journal_scan_open(journal_dir, &recovery->scan, &problem);
    if (error != 0) {
        log_problem(error == -EBADMSG ? "journal_corrupt" : "journal_open_failed", LOG_LEVEL_ERROR,
                    &problem);
        recovery_close(recovery);
        return error;
    }
    if (journal_scan_torn(recovery->scan, &problem) > 0) {
        log_problem("journal_torn", LOG_LEVEL_WARNING, &problem);
    }
    error = attempt_open(&recovery->attempt, journal_dir);
    if (error != 0) {
        char value[LOG_VALUE_BYTES_MAX];
        log_event(LOG_LEVEL_ERROR, "journal_open_failed", "path=%s/attempt error=%s", journal_dir,
                  log_value(strerror(-error), value));
        recovery_close(recovery);
        return error;
    }
    survey(recovery);
    init_found(recovery);
    *ret_recovery = recovery;
    return 0;
}

void recovery_close(struct recovery *recovery)
{
    if (recovery == NULL) return;
    for (uint32_t i = 0; i < recovery->count; i++) {
        free(recovery->found[i].records);
        free(recovery->found[i].begin);
    }
    attempt_close(&recovery->attempt);
    journal_scan_close(recovery->scan);
    free(recovery->found);
    free(recovery->ids_memory);
    free(recovery);
}

mono_time recovery_last(const struct recovery *recovery)
{
    return recovery->last;
}

uint8_t recovery_rounds_max(const struct recovery *recovery)
{
    return recovery != NULL ? recovery->rounds_max : 0;
}

int recovery_put_off(const struct recovery *recovery, int error)
{
    if (recovery != NULL && recovery->last.ms > 0) {
        log_event(
            LOG_LEVEL_ERROR, "journal_kept",
            "path=%s what=\"start again when the database answers: matches and results of the "
            "last run wait there\"",
            recovery->dir);
    }
    return error;
}

struct recovery_stats recovery_stats(const struct recovery *recovery)
{
    return recovery->stats;
}

/* --- Playing again. --- */

static struct found *find(struct recovery *recovery, const struct id *match)
{
    uint32_t at;
    return map_find(&recovery->ids, match, &at) ? &recovery->found[at] : NULL;
}

static struct found *find_or_add(struct recovery *recovery, const struct id *match)
{
    struct found *found = find(recovery, match);
    if (found != NULL) return found;
    QR_ASSERT(recovery->count < recovery->capacity);
    bool is_put = map_put(&recovery->ids, match, recovery->count);
    QR_ASSERT(is_put);
    found = &recovery->found[recovery->count++];
    found->id = *match;
    return found;
}

static void keep_record(struct found *found, const uint8_t *bytes, size_t size)
{
    /* Grows by doubling: at the powers of two. */
    unsigned count = found->record_count;
    if ((count & (count - 1)) == 0) {
        unsigned room = count == 0 ? 1 : 2 * count;
        found->records = must(realloc(found->records, room * sizeof(*found->records)));
    }
    found->records[found->record_count++] = (struct kept_record){bytes, size};
}

static void log_lost(struct recovery *recovery, const struct found *found, const char *why)
{
    char id[ID_TEXT_BYTES + 1], value[LOG_VALUE_BYTES_MAX];
    id_format(&found->id, id);
    log_event(LOG_LEVEL_ERROR, "match_not_recovered", "match=%s event=%u why=%s", id,
              found->record_count, log_value(why, value));
    recovery->stats.matches_cancelled++;
}

/* It ends cancelled: where it was played at all, its players hear so. */
static void condemn(struct recovery *recovery, struct shard *const shards[], struct found *found,
                    const char *why)
{
    log_lost(recovery, found, why);
    found->is_condemned = true;
    shard_restore_cancel(shards[found->shard], found->handle);
}

static void on_begin(struct recovery *recovery, struct shard *const shards[], struct found *found,
                     const uint8_t *record, size_t bytes)
{
    if (found->begin != NULL) return;
    struct journal_begin *begin = must(malloc(sizeof(*begin) + bytes));
    uint8_t *copy = (uint8_t *)(begin + 1);
    found->begin = begin;
    memcpy(copy, record, bytes);
    const char *problem = journal_read_begin(copy, bytes, begin);
    if (problem == NULL && begin->rules != MATCH_RULES_VERSION) {
        problem = "it was begun under other rules";
    }
    if (problem == NULL && attempt_has_stopped_at(&recovery->attempt, &found->id, 0)) {
        problem = "an earlier start has stopped at it";
    }
    if (problem != NULL) {
        log_lost(recovery, found, problem);
        return;
    }
    attempt_at(&recovery->attempt, &found->id, 0);
    found->handle = shard_restore_begin(shards[found->shard], begin);
    if (handle_is_none(found->handle)) {
        log_lost(recovery, found, "there is no room");
        return;
    }
    keep_record(found, record, bytes);
}

static void on_event(struct recovery *recovery, struct shard *const shards[], struct found *found,
                     const uint8_t *record, size_t bytes)
{
    struct journal_event event;
    const char *problem = journal_read_event(record, bytes, &event);
    if (problem == NULL &&
        attempt_has_stopped_at(&recovery->attempt, &found->id, found->record_count)) {
        problem = "an earlier start has stopped at it";
    }
    if (problem != NULL) {
        condemn(recovery, shards, found, problem);
        return;
    }
    attempt_at(&recovery->attempt, &found->id, found->record_count);
    switch (shard_restore_event(shards[found->shard], found->handle, &event)) {
    case RESTORED_LIVE: keep_record(found, record, bytes); return;
    case RESTORED_ENDED: found->handle = HANDLE_NONE; return;
    case RESTORED_OTHERWISE:
        condemn(recovery, shards, found, "it did not come about as it was");
        return;
    }
}

static void on_seat(struct recovery *recovery, struct shard *const shards[], struct found *found,
                    const uint8_t *record, size_t bytes)
{
    struct journal_seat seat;
    const char *problem = journal_read_seat(record, bytes, &seat);
    if (problem != NULL) {
        condemn(recovery, shards, found, problem);
        return;
    }
    shard_restore_seat(shards[found->shard], found->handle, &seat);
    keep_record(found, record, bytes);
}

/* It counts: a match that does not lead there is over. */
static void stand_by_result(struct shard *const shards[], struct found *found)
{
    if (handle_is_none(found->handle)) return;
    if (shard_restore_result(shards[found->shard], found->handle) == RESTORED_LIVE) return;
    found->handle = HANDLE_NONE;
}

/* A result was told, so that it must not be passed over. */
static bool on_result(struct recovery *recovery, struct shard *const shards[], struct found *found,
                      const uint8_t *record, size_t bytes)
{
    struct journal_result *result = must(malloc(sizeof(*result)));
    const char *what = journal_read_result(record, bytes, result);
    free(result);
    found->result = (struct kept_record){record, bytes};
    if (what == NULL) {
        stand_by_result(shards, found);
        return true;
    }
    struct journal_problem problem;
    journal_scan_name_last(recovery->scan, &problem);
    problem.what = what;
    log_problem("journal_corrupt", LOG_LEVEL_ERROR, &problem);
    return false;
}

/* False: it must not be passed over, and cannot be read; logged. */
static bool on_record(struct recovery *recovery, struct shard *const shards[], unsigned shard,
                      const uint8_t *record, size_t bytes)
{
    struct journal_head head;
    const char *problem = journal_read_head(record, bytes, &head);
    QR_ASSERT(problem == NULL); /* The scan has looked. */
    if (head.kind == JOURNAL_CLOCK) return true;
    bool is_first = head.kind == JOURNAL_BEGIN || head.kind == JOURNAL_RESULT;
    struct found *found =
        is_first ? find_or_add(recovery, &head.match) : find(recovery, &head.match);
    if (found == NULL) return true; /* Of a match whose beginning was not needed any more. */
    if (head.kind == JOURNAL_RESULT) return on_result(recovery, shards, found, record, bytes);
    if (head.kind == JOURNAL_STORED) found->is_stored = true;
    if (head.kind == JOURNAL_BEGIN) {
        found->shard = shard;
        on_begin(recovery, shards, found, record, bytes);
        return true;
    }
    if (handle_is_none(found->handle)) return true;
    if (head.kind == JOURNAL_OVER) { /* However it came about. */
        shard_restore_forget(shards[found->shard], found->handle);
        found->handle = HANDLE_NONE;
    }
    if (found->is_condemned) return true;
    if (head.kind == JOURNAL_EVENT) on_event(recovery, shards, found, record, bytes);
    if (head.kind == JOURNAL_SEAT) on_seat(recovery, shards, found, record, bytes);
    return true;
}

/* --- What is still needed goes on into the new journal. --- */

static bool carry_over(struct recovery *recovery, const struct found *found, struct store *store)
{
    if (!handle_is_none(found->handle)) {
        if (!found->is_condemned) recovery->stats.matches_live++;
        for (unsigned i = 0; i < found->record_count; i++) {
            const struct kept_record *record = &found->records[i];
            if (!store_append(store, found->shard, record->bytes, record->size)) {
                return false;
            }
        }
    }
    if (found->result.bytes == NULL || found->is_stored) return true;
    recovery->stats.results++;
    return store_append(store, found->shard, found->result.bytes, found->result.size);
}

static int carry_all_over(struct recovery *recovery, struct store *store)
{
    for (uint32_t i = 0; i < recovery->count; i++) {
        if (carry_over(recovery, &recovery->found[i], store)) continue;
        log_event(LOG_LEVEL_ERROR, "journal_full", "path=%s what=\"no room for what is to go on\"",
                  recovery->dir);
        return -ENOSPC;
    }
    return 0;
}

int recovery_replay(struct recovery *recovery, struct shard *const shards[], unsigned count,
                    struct store *store)
{
    unsigned shard;
    const uint8_t *record;
    size_t bytes;
    while (journal_scan_next(recovery->scan, &shard, &record, &bytes)) {
        if (!on_record(recovery, shards, shard % count, record, bytes)) return -EBADMSG;
    }
    attempt_nowhere(&recovery->attempt);
    int error = carry_all_over(recovery, store);
    if (error != 0) return error;
    shard_restored(shards, count);
    if (recovery->count > 0) {
        log_event(LOG_LEVEL_INFO, "recovered", "live=%llu cancelled=%llu results=%llu",
                  (unsigned long long)recovery->stats.matches_live,
                  (unsigned long long)recovery->stats.matches_cancelled,
                  (unsigned long long)recovery->stats.results);
    }
    return 0;
}

void recovery_succeeded(struct recovery *recovery)
{
    attempt_close(&recovery->attempt);
    attempt_remove(recovery->dir);
    journal_scan_close(recovery->scan);
    recovery->scan = NULL;
    for (uint32_t i = 0; i < recovery->count; i++) {
        struct found *found = &recovery->found[i];
        free(found->records);
        found->records = NULL;
        if (!handle_is_none(found->handle)) continue; /* It reads its beginning. */
        free(found->begin);
        found->begin = NULL;
    }
}
