#include "sim_recovery.h"

#include <stdlib.h>
#include <string.h>

#include "proto/journal.h"
#include "shard/shard.h"
#include "sim_failed.h"

struct replay {
    struct sim_recovery *recovery;
    struct shard *const *shards;
    unsigned count;
    uint32_t records, events, begins; /* Left, this one included. */
    const struct sim_replay_faults *faults;
};

static void *grown(void *memory, size_t bytes)
{
    void *larger = realloc(memory, bytes);
    SIM_EXPECT(larger != NULL);
    return larger;
}

static void expect_read(const char *problem)
{
    if (problem != NULL) sim_failed("a journal can be read: %s", problem);
}

static struct journal_head head_of(const struct sim_record *record)
{
    struct journal_head head;
    expect_read(journal_read_head(record->bytes, record->size, &head));
    return head;
}

/* --- What was found. --- */

static struct sim_found *find(const struct sim_recovery *recovery, const struct id *match)
{
    for (unsigned i = recovery->count; i > 0; i--) {
        if (id_equal(&recovery->found[i - 1].id, match)) return &recovery->found[i - 1];
    }
    return NULL;
}

const struct sim_found *sim_recovery_find(const struct sim_recovery *recovery,
                                          const struct id *match)
{
    return find(recovery, match);
}

static struct sim_found *find_or_add(struct sim_recovery *recovery, const struct id *match)
{
    struct sim_found *found = find(recovery, match);
    if (found != NULL) return found;
    if (recovery->count == recovery->capacity) {
        recovery->capacity = 2 * recovery->capacity + 16;
        recovery->found = grown(recovery->found, recovery->capacity * sizeof(*recovery->found));
    }
    found = &recovery->found[recovery->count++];
    *found = (struct sim_found){.id = *match, .handle = HANDLE_NONE, .state = FOUND_OVER};
    return found;
}

/* Strings are used where they lie: a copy that stays. */
static void *kept(struct sim_recovery *recovery, const void *bytes, size_t size)
{
    void *copy = grown(NULL, size);
    memcpy(copy, bytes, size);
    recovery->borrowed =
        grown(recovery->borrowed, (recovery->borrowed_count + 1) * sizeof(*recovery->borrowed));
    recovery->borrowed[recovery->borrowed_count++] = copy;
    return copy;
}

void sim_recovery_free(struct sim_recovery *recovery)
{
    for (unsigned i = 0; i < recovery->borrowed_count; i++) free(recovery->borrowed[i]);
    free(recovery->borrowed);
    free(recovery->found);
    *recovery = (struct sim_recovery){.found = NULL};
}

/* --- Playing again. --- */

static void replay_begin(struct replay *replay, struct sim_found *found,
                         const struct sim_record *record)
{
    struct journal_begin none;
    memset(&none, 0, sizeof(none));
    const uint8_t *copy = kept(replay->recovery, record->bytes, record->size);
    struct journal_begin *begin = kept(replay->recovery, &none, sizeof(none));
    expect_read(journal_read_begin(copy, record->size, begin));
    if (replay->begins-- <= replay->faults->foreign_begins) begin->rules++;
    if (begin->rules != MATCH_RULES_VERSION) {
        found->state = FOUND_FOREIGN;
        return;
    }
    found->handle = shard_restore_begin(replay->shards[found->shard], begin);
    found->state = handle_is_none(found->handle) ? FOUND_HOMELESS : FOUND_LIVE;
}

static void replay_event(struct replay *replay, struct sim_found *found,
                         const struct sim_record *record)
{
    struct journal_event event;
    struct shard *shard = replay->shards[found->shard];
    expect_read(journal_read_event(record->bytes, record->size, &event));
    bool is_spoiled = replay->events == replay->faults->spoiled_event;
    if (is_spoiled) event.seq++;
    switch (shard_restore_event(shard, found->handle, &event)) {
    case RESTORED_LIVE: found->kept++; return;
    case RESTORED_ENDED: found->state = FOUND_OVER; return;
    case RESTORED_OTHERWISE: break;
    }
    if (!is_spoiled)
        sim_failed("a match comes about again as it was: not with event %u", event.seq);
    shard_restore_cancel(shard, found->handle);
    found->state = FOUND_CONDEMNED;
}

static void replay_of_live(struct replay *replay, struct sim_found *found, enum journal_kind kind,
                           const struct sim_record *record)
{
    struct journal_seat seat;
    struct shard *shard = replay->shards[found->shard];
    if (kind == JOURNAL_EVENT) {
        replay_event(replay, found, record);
    } else if (kind == JOURNAL_SEAT) {
        expect_read(journal_read_seat(record->bytes, record->size, &seat));
        shard_restore_seat(shard, found->handle, &seat);
        found->kept++;
    } else if (kind == JOURNAL_OVER) {
        shard_restore_forget(shard, found->handle);
        found->state = FOUND_OVER;
    }
}

static void replay_result(struct replay *replay, struct sim_found *found)
{
    found->has_result = true;
    if (found->state != FOUND_LIVE && found->state != FOUND_CONDEMNED) return;
    struct shard *shard = replay->shards[found->shard];
    if (shard_restore_result(shard, found->handle) != RESTORED_LIVE) found->state = FOUND_OVER;
}

static void replay_record(struct replay *replay, unsigned shard, const struct sim_record *record)
{
    struct journal_head head = head_of(record);
    struct sim_found *found = find_or_add(replay->recovery, &head.match);
    if (head.kind == JOURNAL_RESULT) replay_result(replay, found);
    if (head.kind == JOURNAL_STORED) found->is_stored = true;
    if (head.kind == JOURNAL_BEGIN) {
        found->shard = shard % replay->count;
        replay_begin(replay, found, record);
        if (found->state == FOUND_LIVE) found->kept++;
    } else if (found->state == FOUND_LIVE) {
        replay_of_live(replay, found, (enum journal_kind)head.kind, record);
    } else if (head.kind == JOURNAL_OVER) {
        if (found->state == FOUND_CONDEMNED)
            shard_restore_forget(replay->shards[found->shard], found->handle);
        found->state = FOUND_OVER;
    }
    if (head.kind == JOURNAL_EVENT) replay->events--;
}

static void count_records(struct replay *replay, const struct sim_journal *journal)
{
    struct sim_record record;
    for (size_t at = 0; sim_journal_next(journal, &at, &record);) {
        uint8_t kind = head_of(&record).kind;
        replay->records++;
        replay->events += kind == JOURNAL_EVENT;
        replay->begins += kind == JOURNAL_BEGIN;
    }
}

bool sim_recovery_replay(struct sim_recovery *recovery, const struct sim_journal journals[],
                         unsigned journal_count, struct shard *const shards[], unsigned count,
                         const struct sim_replay_faults *faults)
{
    struct replay replay = {
        .recovery = recovery, .shards = shards, .count = count, .faults = faults};
    for (unsigned i = 0; i < journal_count; i++) count_records(&replay, &journals[i]);
    uint32_t number = 0;
    for (unsigned i = 0; i < journal_count; i++) {
        struct sim_record record;
        for (size_t at = 0; sim_journal_next(&journals[i], &at, &record);) {
            if (++number == faults->killed_at) return false;
            replay_record(&replay, i, &record);
        }
    }
    return true;
}

/* --- What goes on. --- */

static bool goes_on(struct sim_found *found, enum journal_kind kind)
{
    if (kind == JOURNAL_RESULT) return !found->is_stored;
    if (kind != JOURNAL_BEGIN && kind != JOURNAL_EVENT && kind != JOURNAL_SEAT) return false;
    bool is_live = found->state == FOUND_LIVE || found->state == FOUND_CONDEMNED;
    return is_live && found->copied++ < found->kept;
}

void sim_recovery_copy(struct sim_recovery *recovery, const struct sim_journal journals[],
                       unsigned journal_count, struct sim_journal to[], unsigned count)
{
    for (unsigned i = 0; i < journal_count; i++) {
        struct sim_record record;
        for (size_t at = 0; sim_journal_next(&journals[i], &at, &record);) {
            struct journal_head head = head_of(&record);
            struct sim_found *found = find(recovery, &head.match);
            if (!goes_on(found, (enum journal_kind)head.kind)) continue;
            bool is_kept = sim_journal_append(&to[i % count], record.bytes, record.size);
            SIM_EXPECT(is_kept);
        }
    }
    for (unsigned i = 0; i < count; i++) to[i].synced = to[i].size;
}
