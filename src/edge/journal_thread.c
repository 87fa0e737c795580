/* The journal's thread: it does whatever can take the disk's time, so that no loop ever waits for it. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "edge/log.h"
#include "journal_priv.h"

enum { LOOK_EVERY_MS = 1000 };

/* --- Allocating. --- */

static int fill_file(const struct journal *journal, unsigned shard, struct segment *segment)
{
    int error = posix_fallocate(segment->fd, 0, journal->options.segment_bytes);
    if (error != 0) return -error;
    void *map = mmap(NULL, journal->options.segment_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                     segment->fd, 0);
    if (map == MAP_FAILED) return -errno;
    segment->map = map;
    struct journal_file_head head = {.shard = shard, .number = segment->number};
    memcpy(head.magic, journal_magic, sizeof(head.magic));
    memcpy(segment->map, &head, sizeof(head));
    return 0;
}

void journal_release_segment(struct journal *journal, struct segment *segment)
{
    if (segment->map != NULL) (void)munmap(segment->map, journal->options.segment_bytes);
    if (segment->fd >= 0) (void)close(segment->fd); /* All that counts was synced. */
    free(segment);
}

static void remove_file(const struct journal *journal, unsigned shard, uint32_t number)
{
    char name[JOURNAL_NAME_BYTES];
    journal_file_name(shard, number, name);
    (void)unlinkat(journal->dir_fd, name, 0); /* Where it stays, the next start removes it. */
}

int journal_allocate(struct journal *journal, unsigned shard)
{
    struct lane *lane = &journal->lanes[shard];
    uint64_t bytes = atomic_load(&journal->bytes) + journal->options.segment_bytes;
    /* What an earlier run has left goes on in any case. */
    if (bytes > journal->options.max_bytes && journal->is_started) return -EDQUOT;
    if (lane->newest + 1 - lane->first >= SEGMENTS_MAX) return -EDQUOT;
    struct segment *segment = calloc(1, sizeof(*segment));
    if (segment == NULL) return -ENOMEM;
    char name[JOURNAL_NAME_BYTES];
    segment->number = lane->newest + 1;
    journal_file_name(shard, segment->number, name);
    segment->fd =
        openat(journal->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    int error = segment->fd < 0 ? -errno : fill_file(journal, shard, segment);
    if (error != 0) {
        if (segment->fd >= 0) remove_file(journal, shard, segment->number);
        journal_release_segment(journal, segment);
        return error;
    }
    lane->newest++;
    atomic_store(&journal->bytes, bytes);
    atomic_store_explicit(&lane->table[segment->number % SEGMENTS_MAX], segment,
                          memory_order_release);
    atomic_store_explicit(&lane->next, segment, memory_order_release);
    return 0;
}

static bool allocate_all(struct journal *journal)
{
    bool is_full = false;
    for (unsigned i = 0; i < journal->options.shards; i++) {
        if (atomic_load(&journal->lanes[i].next) != NULL) continue;
        int error = journal_allocate(journal, i);
        if (error == 0) continue;
        if (!is_full && !atomic_load(&journal->is_full)) {
            char value[LOG_VALUE_BYTES_MAX];
            log_event(LOG_LEVEL_ERROR, "journal_full", "path=%s bytes=%llu error=%s", journal->path,
                      (unsigned long long)atomic_load(&journal->bytes),
                      log_value(strerror(-error), value));
        }
        is_full = true;
    }
    return is_full;
}

static void allocate_what_is_missing(struct journal *journal)
{
    bool was_full = atomic_load(&journal->is_full);
    bool is_full = allocate_all(journal);
    atomic_store(&journal->is_full, is_full);
    if (was_full && !is_full) {
        log_event(LOG_LEVEL_INFO, "journal_has_room", "path=%s", journal->path);
    }
}

/* --- Removing. --- */

static void remove_what_is_not_needed(struct journal *journal, unsigned shard)
{
    struct lane *lane = &journal->lanes[shard];
    uint32_t need_from = number_at(atomic_load(&lane->need_from));
    /* Nothing that is still to be synced goes. */
    uint32_t synced = number_at(atomic_load(&lane->synced));
    while (lane->first < need_from && lane->first < synced) {
        struct segment *segment = segment_at(lane, lane->first);
        /* In order, also after a power cut: a gap would be a segment that is missing. */
        if (fsync(journal->dir_fd) < 0) return;
        atomic_store(&lane->table[lane->first % SEGMENTS_MAX], NULL);
        remove_file(journal, shard, lane->first);
        journal_release_segment(journal, segment);
        atomic_fetch_sub(&journal->bytes, journal->options.segment_bytes);
        lane->first++;
    }
}

/* --- Memory. --- */

/* What is written lies in the kernel's page cache, whether it was synced or not: the process need not map it, where all
 * segments together may be as large as max_bytes. Who reads it has it mapped again. */
static void let_go_of_pages(struct journal *journal, unsigned shard)
{
    struct lane *lane = &journal->lanes[shard];
    uint64_t written = atomic_load_explicit(&lane->written, memory_order_acquire);
    for (uint32_t number = lane->first; number <= number_at(written); number++) {
        bool is_last = number == number_at(written);
        size_t bytes = is_last ? offset_at(written) : journal->options.segment_bytes;
        (void)madvise(segment_at(lane, number)->map, bytes, MADV_DONTNEED); /* Else it stays. */
    }
}

/* --- Syncing. --- */

static uint64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* It is there. */
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int journal_sync_lane(struct journal *journal, unsigned shard)
{
    struct lane *lane = &journal->lanes[shard];
    uint64_t written = atomic_load_explicit(&lane->written, memory_order_acquire);
    uint64_t synced = atomic_load(&lane->synced);
    if (written == synced) return 0;
    uint64_t began_us = now_us();
    for (uint32_t number = number_at(synced); number <= number_at(written); number++) {
        struct segment *segment = segment_at(lane, number);
        if (fdatasync(segment->fd) < 0) return -errno;
        /* A record is of use only where its file has a name, and the directory has one. */
        if (!segment->is_durable && (fsync(journal->dir_fd) < 0 || fsync(journal->parent_fd) < 0)) {
            return -errno;
        }
        segment->is_durable = true;
        if (number == number_at(written)) continue;
        (void)close(segment->fd); /* Nothing is written to it any more. */
        segment->fd = -1;
    }
    uint64_t took_us = now_us() - began_us;
    atomic_fetch_add(&journal->syncs, 1);
    if (took_us > atomic_load(&journal->sync_us_max)) atomic_store(&journal->sync_us_max, took_us);
    atomic_store_explicit(&lane->synced, written, memory_order_release);
    return 0;
}

static bool sync_what_is_wanted(struct journal *journal, unsigned shard)
{
    struct lane *lane = &journal->lanes[shard];
    if (atomic_load(&lane->wanted) <= atomic_load(&lane->synced)) return false;
    int error = journal_sync_lane(journal, shard);
    if (error != 0) {
        /* After a failed sync nobody knows what of the pages reached the disk, and a second one may say yes to
         * nothing (the kernel has dropped them): only a new process, which reads the file, can tell. */
        char value[LOG_VALUE_BYTES_MAX];
        log_event(LOG_LEVEL_ERROR, "journal_sync_failed", "path=%s error=%s", journal->path,
                  log_value(strerror(-error), value));
        QR_UNREACHABLE("the journal cannot be synced");
    }
    journal->options.wake(journal->options.wake_context, shard);
    return true;
}

static bool sync_all_that_is_wanted(struct journal *journal)
{
    bool has_synced = false;
    for (unsigned i = 0; i < journal->options.shards; i++) {
        has_synced = sync_what_is_wanted(journal, i) || has_synced;
    }
    return has_synced;
}

static void sleep_until(uint64_t us)
{
    struct timespec until = {.tv_sec = (time_t)(us / 1000000),
                             .tv_nsec = (long)(us % 1000000) * 1000};
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until,
                          NULL); /* A shorter one does no harm. */
}

void *journal_thread(void *context)
{
    struct journal *journal = context;
    bool has_tidied = false;
    uint64_t looked_us = now_us();
    while (!atomic_load(&journal->is_stopping)) {
        struct pollfd wake = {.fd = journal->wake_fd, .events = POLLIN};
        (void)poll(&wake, 1, LOOK_EVERY_MS); /* Interrupted or not, it looks. */
        uint64_t count;
        ssize_t size = read(journal->wake_fd, &count, sizeof(count));
        (void)size; /* How often says nothing. */
        uint64_t began_us = now_us();
        bool has_synced = sync_all_that_is_wanted(journal);
        for (unsigned i = 0; i < journal->options.shards; i++) {
            remove_what_is_not_needed(journal, i);
        }
        allocate_what_is_missing(journal);
        if (now_us() - looked_us >= LOOK_EVERY_MS * UINT64_C(1000)) {
            for (unsigned i = 0; i < journal->options.shards; i++) let_go_of_pages(journal, i);
            looked_us = now_us();
        }
        if (!has_tidied) journal_dir_remove_older(journal);
        has_tidied = true;
        if (has_synced) sleep_until(began_us + JOURNAL_SYNC_APART_MS * UINT64_C(1000));
    }
    return NULL;
}
