#include "sim_journal.h"

#include <stdlib.h>
#include <string.h>

#include "proto/journal.h"
#include "shard/shard.h"
#include "sim_failed.h"

enum { MATCHES_MAX = 4096 };

static void *grown(void *memory, size_t bytes)
{
    void *larger = realloc(memory, bytes);
    SIM_EXPECT(larger != NULL);
    return larger;
}

bool sim_journal_append(struct sim_journal *journal, const uint8_t *record, size_t bytes)
{
    if (journal->is_full && record[0] != JOURNAL_OVER) return false;
    size_t needed = journal->size + sizeof(bytes) + bytes;
    if (needed > journal->capacity) {
        journal->capacity = 2 * needed;
        journal->bytes = grown(journal->bytes, journal->capacity);
    }
    memcpy(journal->bytes + journal->size, &bytes, sizeof(bytes));
    memcpy(journal->bytes + journal->size + sizeof(bytes), record, bytes);
    journal->size = needed;
    return true;
}

void sim_journal_free(struct sim_journal *journal)
{
    for (unsigned i = 0; i < journal->borrowed_count; i++) free(journal->borrowed[i]);
    free(journal->borrowed);
    free(journal->bytes);
    *journal = (struct sim_journal){.bytes = NULL};
}

/* --- What a crash makes of it. --- */

struct replayed {
    struct id id;
    struct handle handle; /* NONE: over. */
};

struct replay {
    struct sim_journal *journal;
    struct shard *shard;
    struct replayed *matches;
    unsigned count;
};

static struct replayed *find(struct replay *replay, const struct id *match)
{
    for (unsigned i = replay->count; i > 0; i--) {
        if (id_equal(&replay->matches[i - 1].id, match)) return &replay->matches[i - 1];
    }
    return NULL;
}

/* Strings are used where they lie: a copy that stays. */
static void *kept(struct sim_journal *journal, const void *bytes, size_t size)
{
    void *copy = grown(NULL, size);
    memcpy(copy, bytes, size);
    journal->borrowed =
        grown(journal->borrowed, (journal->borrowed_count + 1) * sizeof(*journal->borrowed));
    journal->borrowed[journal->borrowed_count++] = copy;
    return copy;
}

static void replay_begin(struct replay *replay, const uint8_t *bytes, size_t size)
{
    struct journal_begin none;
    const uint8_t *copy = kept(replay->journal, bytes, size);
    memset(&none, 0, sizeof(none));
    struct journal_begin *begin = kept(replay->journal, &none, sizeof(none));
    const char *problem = journal_read_begin(copy, size, begin);
    if (problem != NULL) sim_failed("a journal can be read: %s", problem);
    SIM_EXPECT(replay->count < MATCHES_MAX);
    replay->matches[replay->count++] =
        (struct replayed){begin->origin.id, shard_restore_begin(replay->shard, begin)};
}

static void replay_event(struct replay *replay, struct replayed *match, const uint8_t *bytes,
                         size_t size)
{
    struct journal_event event;
    const char *problem = journal_read_event(bytes, size, &event);
    if (problem != NULL) sim_failed("a journal can be read: %s", problem);
    switch (shard_restore_event(replay->shard, match->handle, &event)) {
    case RESTORED_LIVE: return;
    case RESTORED_ENDED: match->handle = HANDLE_NONE; return;
    case RESTORED_OTHERWISE: sim_failed("a match comes about again as it was");
    }
}

static void replay_record(struct replay *replay, const uint8_t *bytes, size_t size)
{
    struct journal_head head;
    struct journal_seat seat;
    const char *problem = journal_read_head(bytes, size, &head);
    if (problem != NULL) sim_failed("a journal can be read: %s", problem);
    if (head.kind == JOURNAL_BEGIN) {
        replay_begin(replay, bytes, size);
        return;
    }
    struct replayed *match = find(replay, &head.match);
    if (match == NULL || handle_is_none(match->handle)) return;
    if (head.kind == JOURNAL_EVENT) {
        replay_event(replay, match, bytes, size);
    } else if (head.kind == JOURNAL_SEAT) {
        problem = journal_read_seat(bytes, size, &seat);
        if (problem != NULL) sim_failed("a journal can be read: %s", problem);
        shard_restore_seat(replay->shard, match->handle, &seat);
    } else if (head.kind == JOURNAL_OVER) {
        shard_restore_forget(replay->shard, match->handle);
        match->handle = HANDLE_NONE;
    }
}

unsigned sim_journal_replay(struct sim_journal *journal, struct shard *shard)
{
    struct replay replay = {.journal = journal, .shard = shard};
    replay.matches = grown(NULL, MATCHES_MAX * sizeof(*replay.matches));
    for (size_t at = 0; at < journal->size;) {
        size_t bytes;
        memcpy(&bytes, journal->bytes + at, sizeof(bytes));
        replay_record(&replay, journal->bytes + at + sizeof(bytes), bytes);
        at += sizeof(bytes) + bytes;
    }
    unsigned live = 0;
    for (unsigned i = 0; i < replay.count; i++) live += !handle_is_none(replay.matches[i].handle);
    free(replay.matches);
    return live;
}
