/* A journal in a directory of its own, for its tests: of one shard mostly, segments of 1 MB, records that are told apart by a
 * number.
 *
 * Nothing sleeps for a fixed time: what the journal's thread does is waited for, at most WAIT_MS.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "edge/journal.h"
#include "edge/journal_scan.h"

enum {
    SEGMENT_BYTES = JOURNAL_SEGMENT_BYTES_MIN,
    RECORD_BYTES = 64,
    FRAME_BYTES = RECORD_BYTES + JOURNAL_FRAME_BYTES,
    LARGE_BYTES = 64 * 1024,
    LARGE_FRAME_BYTES = LARGE_BYTES + JOURNAL_FRAME_BYTES,
    LARGE_IN_SEGMENT = (SEGMENT_BYTES - JOURNAL_HEAD_BYTES) / LARGE_FRAME_BYTES,
    WAIT_MS = 30000,
    PATH_BYTES = 256,
};

struct desk {
    char dir[PATH_BYTES];
    int woken;
    unsigned shards; /* 1, unless a test says otherwise before it opens the journal. */
    struct journal *journal;
};

int desk_begin(void **state);
int desk_end(void **state);

/* --- Writing. --- */

void open_journal(struct desk *desk, unsigned segments_max); /* Not committed. */
void commit(struct desk *desk);
void begin_run(struct desk *desk, unsigned segments_max); /* Both. */
void end_run(struct desk *desk);

bool try_append(struct desk *desk, unsigned number, size_t bytes);
uint64_t append(struct desk *desk, unsigned number);
uint64_t append_large(struct desk *desk, unsigned number);
/* A moment that says that all before it is on disk, and is itself there. */
void note_synced(struct desk *desk);
void sync_all(struct desk *desk);                   /* Of the first shard, */
void sync_shard(struct desk *desk, unsigned shard); /* or of another. */

/* --- Waiting. --- */

void wait_until(bool (*is_so)(struct desk *desk), struct desk *desk);
bool has_file(const struct desk *desk, const char *name);

/* --- What the disk holds. --- */

void path_of(const struct desk *desk, const char *name, char ret_path[PATH_BYTES]);
/* Of the first incarnation's first shard. */
void segment_name(unsigned segment, char ret_name[PATH_BYTES]);
void overwrite(const struct desk *desk, unsigned segment, uint64_t offset, const void *bytes,
               size_t size);
void wipe(const struct desk *desk, unsigned segment, uint64_t offset, size_t size);
void flip(const struct desk *desk, unsigned segment, uint64_t offset);
void remove_segment(const struct desk *desk, unsigned segment);

/* What a scan of it finds: the numbers of the records in order, but for moments. */
struct finding {
    int error;
    struct journal_problem problem; /* Where there is an error, or a torn tail. */
    unsigned torn;
    unsigned count;
    unsigned numbers[256];
};

struct finding scan(const struct desk *desk);
void expect_numbers(const struct finding *finding, unsigned first, unsigned last);
