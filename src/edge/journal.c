#include "edge/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "edge/log.h"
#include "journal_priv.h"
#include "proto/journal.h"

static int fail(const struct journal *journal, const char *event, int error)
{
    char path[LOG_VALUE_BYTES_MAX], value[LOG_VALUE_BYTES_MAX];
    log_event(LOG_LEVEL_ERROR, event, "path=%s error=%s", log_value(journal->path, path),
              log_value(strerror(-error), value));
    return error;
}

static void wake_thread(struct journal *journal)
{
    uint64_t one = 1;
    ssize_t written = write(journal->wake_fd, &one, sizeof(one));
    (void)written; /* It fails only where the counter is full: then the thread is awake. */
}

/* --- Life. --- */

static int begin_lane(struct journal *journal, unsigned shard)
{
    struct lane *lane = &journal->lanes[shard];
    lane->first = 1;
    int error = journal_allocate(journal, shard);
    if (error != 0) return error;
    lane->current = atomic_exchange(&lane->next, NULL);
    lane->position = position_of(lane->current->number, JOURNAL_HEAD_BYTES);
    lane->asked = lane->position;
    atomic_store(&lane->written, lane->position);
    atomic_store(&lane->synced, lane->position);
    atomic_store(&lane->need_from, lane->position);
    return 0;
}

static int open_all(struct journal *journal)
{
    int error = journal_dir_open(journal);
    for (unsigned i = 0; i < journal->options.shards && error == 0; i++) {
        error = begin_lane(journal, i);
    }
    return error;
}

int journal_create(const struct journal_options *options, struct journal **ret_journal)
{
    QR_ASSERT(options->segment_bytes >= JOURNAL_SEGMENT_BYTES_MIN);
    QR_ASSERT(options->segment_bytes % 4096 == 0);
    QR_ASSERT(options->shards > 0 && options->shards <= WORKERS_MAX);
    struct journal *journal = calloc(1, sizeof(*journal));
    struct lane *lanes = calloc(options->shards, sizeof(*lanes));
    if (journal == NULL || lanes == NULL) {
        free(journal);
        free(lanes);
        return -ENOMEM;
    }
    journal->options = *options;
    journal->lanes = lanes;
    journal->parent_fd = journal->dir_fd = -1;
    journal->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = journal->wake_fd < 0 ? -errno : open_all(journal);
    if (error != 0) {
        (void)fail(journal, "journal_open_failed", error);
        journal_destroy(journal);
        return error;
    }
    *ret_journal = journal;
    return 0;
}

static bool has_records(const struct journal *journal)
{
    for (unsigned i = 0; i < journal->options.shards; i++) {
        if (atomic_load(&journal->lanes[i].records) > 0) return true;
    }
    return false;
}

int journal_commit(struct journal *journal)
{
    int error = 0;
    for (unsigned i = 0; i < journal->options.shards && error == 0; i++) {
        error = journal_sync_lane(journal, i);
    }
    if (error == 0) error = journal_dir_commit(journal, has_records(journal));
    journal->is_started = error == 0; /* The thread reads it. */
    if (error == 0) error = -pthread_create(&journal->thread, NULL, journal_thread, journal);
    if (error != 0) {
        journal->is_started = false;
        return fail(journal, "journal_open_failed", error);
    }
    (void)pthread_setname_np(journal->thread, "journal"); /* A courtesy to top and gdb. */
    wake_thread(journal);                                 /* The segments after the first. */
    return 0;
}

bool journal_is_started(const struct journal *journal)
{
    return journal->is_started;
}

static void release_lane(struct journal *journal, struct lane *lane)
{
    for (unsigned i = 0; i < SEGMENTS_MAX; i++) {
        struct segment *segment = atomic_load(&lane->table[i]);
        if (segment != NULL) journal_release_segment(journal, segment);
    }
}

void journal_destroy(struct journal *journal)
{
    if (journal == NULL) return;
    if (journal->is_started) {
        atomic_store(&journal->is_stopping, true);
        wake_thread(journal);
        (void)pthread_join(journal->thread, NULL); /* It was started. */
    }
    for (unsigned i = 0; i < journal->options.shards; i++) {
        struct lane *lane = &journal->lanes[i];
        if (journal->is_started && lane->current != NULL) {
            (void)!journal_sync_lane(journal, i); /* What anybody waits for was synced before. */
        }
        release_lane(journal, lane);
    }
    if (journal->parent_fd >= 0) (void)close(journal->parent_fd); /* It was only read. */
    if (journal->dir_fd >= 0) (void)close(journal->dir_fd);
    if (journal->wake_fd >= 0) (void)close(journal->wake_fd);
    free(journal->lanes);
    free(journal);
}

/* --- Appending. --- */

static uint64_t left_in(const struct journal *journal, uint64_t position)
{
    return journal->options.segment_bytes - offset_at(position);
}

bool journal_has_room(const struct journal *journal, unsigned shard, uint64_t bytes,
                      uint64_t reserve)
{
    const struct lane *lane = &journal->lanes[shard];
    uint64_t frame = journal_frame_bytes(bytes);
    uint64_t left = left_in(journal, lane->position);
    uint64_t fresh = journal->options.segment_bytes - JOURNAL_HEAD_BYTES;
    bool has_next = atomic_load_explicit(&lane->next, memory_order_acquire) != NULL;
    if (!journal->is_started) reserve = 0; /* It is what a shard keeps for later. */
    if (frame <= left) return left - frame + (has_next ? fresh : 0) >= reserve;
    return has_next && frame <= fresh && fresh - frame >= reserve;
}

void journal_sync(struct journal *journal, unsigned shard, uint64_t position)
{
    struct lane *lane = &journal->lanes[shard];
    if (position <= lane->asked) return;
    lane->asked = position;
    atomic_store_explicit(&lane->wanted, position, memory_order_release);
    wake_thread(journal);
}

static bool turn_page(struct journal *journal, unsigned shard)
{
    struct lane *lane = &journal->lanes[shard];
    struct segment *next = atomic_exchange(&lane->next, NULL);
    if (next == NULL) return false;
    /* A journal that nobody waits for would else never be synced, and so never be given up. */
    journal_sync(journal, shard, lane->position);
    journal_file_begin(next->map, offset_at(lane->position));
    lane->current = next;
    lane->position = position_of(next->number, JOURNAL_HEAD_BYTES);
    wake_thread(journal); /* For the one after it. */
    return true;
}

/* The main thread, for itself. Where it fails, there is no room. */
static void allocate_before_start(struct journal *journal, unsigned shard, size_t frame)
{
    struct lane *lane = &journal->lanes[shard];
    if (frame <= left_in(journal, lane->position) || atomic_load(&lane->next) != NULL) return;
    int error = journal_allocate(journal, shard);
    if (error != 0) (void)fail(journal, "journal_full", error);
}

bool journal_append(struct journal *journal, unsigned shard, const uint8_t *record, size_t bytes,
                    uint64_t reserve, uint64_t *ret_position)
{
    struct lane *lane = &journal->lanes[shard];
    size_t frame = journal_frame_bytes(bytes);
    if (!journal->is_started) allocate_before_start(journal, shard, frame);
    bool has_room = journal_has_room(journal, shard, bytes, reserve);
    if (has_room && frame > left_in(journal, lane->position)) has_room = turn_page(journal, shard);
    if (!has_room) {
        atomic_fetch_add_explicit(&lane->refused, 1, memory_order_relaxed);
        return false;
    }
    journal_frame_write(lane->current->map + offset_at(lane->position), record, bytes);
    lane->position += frame;
    atomic_fetch_add_explicit(&lane->records, 1, memory_order_relaxed);
    atomic_store_explicit(&lane->written, lane->position, memory_order_release);
    if (ret_position != NULL) *ret_position = lane->position;
    return true;
}

void journal_sync_all(struct journal *journal, unsigned shard)
{
    journal_sync(journal, shard, journal->lanes[shard].position);
}

uint64_t journal_synced(const struct journal *journal, unsigned shard)
{
    return atomic_load_explicit(&journal->lanes[shard].synced, memory_order_acquire);
}

void journal_tick(struct journal *journal, unsigned shard, mono_time now, wall_time wall_now,
                  uint64_t reserve)
{
    struct lane *lane = &journal->lanes[shard];
    if (mono_elapsed(lane->clock_at, now) < JOURNAL_CLOCK_EVERY_MS) return;
    lane->clock_at = now;
    uint8_t bytes[JOURNAL_EVENT_BYTES_MAX];
    struct journal_clock clock = {now, wall_now, journal_synced(journal, shard)};
    size_t size = journal_write_clock(bytes, &clock);
    /* Without room the moment of a crash is known less exactly. */
    (void)!journal_append(journal, shard, bytes, size, reserve, NULL);
}

/* --- Reading one's own. --- */

bool journal_next(const struct journal *journal, unsigned shard, uint64_t *position,
                  const uint8_t **ret_record, size_t *ret_bytes)
{
    const struct lane *lane = &journal->lanes[shard];
    while (*position < lane->position) {
        const struct segment *segment = segment_at(lane, number_at(*position));
        QR_ASSERT(segment != NULL); /* It is needed. */
        uint32_t offset = offset_at(*position);
        enum journal_frame frame = journal_frame_read(
            segment->map + offset, journal->options.segment_bytes - offset, ret_record, ret_bytes);
        QR_ASSERT(frame != FRAME_BROKEN); /* This process has written it. */
        if (frame == FRAME_RECORD) {
            *position += journal_frame_bytes(*ret_bytes);
            return true;
        }
        *position = position_of(number_at(*position) + 1, JOURNAL_HEAD_BYTES);
    }
    return false;
}

uint32_t journal_segment_bytes(const struct journal *journal)
{
    return journal->options.segment_bytes;
}

uint64_t journal_first(const struct journal *journal, unsigned shard)
{
    (void)journal; /* Every incarnation begins with a first segment. */
    (void)shard;
    return position_of(1, JOURNAL_HEAD_BYTES);
}

void journal_need_from(struct journal *journal, unsigned shard, uint64_t position)
{
    struct lane *lane = &journal->lanes[shard];
    uint64_t before = atomic_exchange(&lane->need_from, position);
    if (number_at(before) != number_at(position)) wake_thread(journal);
}

/* --- Figures. --- */

void journal_stats(struct journal *journal, struct store_journal_stats *ret_stats)
{
    *ret_stats = (struct store_journal_stats){
        .bytes = atomic_load(&journal->bytes),
        .bytes_max = journal->options.max_bytes,
        .syncs = atomic_load(&journal->syncs),
        .sync_us_max = atomic_exchange(&journal->sync_us_max, 0),
        .is_full = atomic_load(&journal->is_full),
    };
    for (unsigned i = 0; i < journal->options.shards; i++) {
        ret_stats->records += atomic_load(&journal->lanes[i].records);
        ret_stats->refused += atomic_load(&journal->lanes[i].refused);
    }
}
