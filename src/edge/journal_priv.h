/* What the files of the journal's writer share.
 *
 *     journal.c         its life, and the shards' part
 *     journal_dir.c     its directories
 *     journal_thread.c  the thread: syncing, allocating, removing
 *     journal_file.c    how a segment and its records lie in a file
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/limits.h"
#include "edge/journal.h"
#include "journal_file_priv.h"

enum {
    SEGMENTS_MAX = 4096, /* Of one shard at one time. */
    JOURNAL_CLOCK_EVERY_MS = 1000,
};

struct segment {
    uint32_t number;
    int fd;
    uint8_t *map;    /* segment_bytes of it. */
    bool is_durable; /* Its size and its name are on disk. */
};

/* One shard's segments. */
struct lane {
    /* By number % SEGMENTS_MAX. The thread puts them in and takes them out; the shard reads those that it has not
     * given up (need_from). */
    _Atomic(struct segment *) table[SEGMENTS_MAX];
    _Atomic(struct segment *) next; /* Allocated and not begun. */

    /* The shard's. */
    struct segment *current;
    uint64_t position; /* Behind the last record. */
    mono_time clock_at;
    uint64_t asked; /* The last position that was to be synced. */

    _Atomic uint64_t written; /* As `position`, for the thread. */
    _Atomic uint64_t wanted;
    _Atomic uint64_t synced;
    _Atomic uint64_t need_from;
    _Atomic uint64_t records, refused;

    /* The thread's. */
    uint32_t first;  /* The oldest segment. */
    uint32_t newest; /* The last one allocated. */
};

struct journal {
    struct journal_options options;
    char path[512]; /* Of the incarnation, as it is called now. */
    uint32_t incarnation;
    int parent_fd;
    int dir_fd;
    int wake_fd; /* Something is to be done. */
    pthread_t thread;
    bool is_started;
    _Atomic bool is_stopping;
    _Atomic bool is_full;
    _Atomic uint64_t bytes;
    _Atomic uint64_t syncs, sync_us_max;
    struct lane *lanes;
};

static inline uint64_t position_of(uint32_t number, uint32_t offset)
{
    return (uint64_t)number << 32 | offset;
}

static inline uint32_t number_at(uint64_t position)
{
    return (uint32_t)(position >> 32);
}

static inline uint32_t offset_at(uint64_t position)
{
    return (uint32_t)position;
}

static inline struct segment *segment_at(const struct lane *lane, uint32_t number)
{
    return atomic_load_explicit(&lane->table[number % SEGMENTS_MAX], memory_order_acquire);
}

/* --- journal_dir.c --- */

/* A new incarnation, still with its suffix. 0, or a negative errno. */
QR_MUST_USE int journal_dir_open(struct journal *journal);
/* From here on it is the valid one; before it everything is as the crash left it. 0, or a negative errno. */
QR_MUST_USE int journal_dir_commit(struct journal *journal, bool has_records);
/* All others. It takes as long as their files. */
void journal_dir_remove_older(const struct journal *journal);

/* --- journal_thread.c --- */

/* The lane's next segment. 0, or a negative errno. */
QR_MUST_USE int journal_allocate(struct journal *journal, unsigned shard);
/* Everything that is written is on disk. 0, or a negative errno. */
QR_MUST_USE int journal_sync_lane(struct journal *journal, unsigned shard);
void *journal_thread(void *context);
void journal_release_segment(struct journal *journal, struct segment *segment);
