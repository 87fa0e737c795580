/* The journal on disk: what shards write (proto/journal.h), so that neither kill -9 nor a power cut takes back what a
 * player was told.
 *
 * Each shard appends to segment files of its own, which are allocated beforehand and mapped: a record that was appended
 * survives the process. One thread for all shards makes records survive the machine, too: it syncs a shard's segments
 * when that asks for it, once for all that arrived meanwhile, and wakes it. The same thread allocates the next segment
 * before it is needed and removes those that nobody needs. Where the disk is full, or max_bytes are there, a shard finds
 * no room, until there is some again.
 *
 *     DIR/00000007/            one run of the server: an incarnation
 *     DIR/00000007/00-00000001.qrj   shard 0's first segment
 *     DIR/00000008.tmp/        one that is being recovered into; without the suffix it is whole
 *
 * Once a second the thread lets go of the memory of what was written: the files, not the process, are as large as
 * max_bytes allows.
 *
 * A segment is a head of JOURNAL_HEAD_BYTES and then records, each [size: 4][crc32: 4][payload], padded to 8 bytes,
 * little-endian; the first size of zero is its end, and the head of the next one says where that was. The checksum
 * (zlib's) is over size and payload.
 *
 * A position counts through all segments of a shard and only grows.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/time.h"
#include "edge/store.h"

enum {
    JOURNAL_HEAD_BYTES = 32,
    JOURNAL_SEGMENT_BYTES_MIN = 1 << 20,
    JOURNAL_FRAME_BYTES = 8, /* Of a record beside its payload and padding. */
    /* From one sync's beginning to the next one's at least. What is to be synced meanwhile shares the next: one costs
     * as much as two answers, and wakes the shard, so that hundreds a second would be felt. A sync after a calm
     * moment begins at once; else `end`, which a reveal of seconds goes before, comes so much later at most. */
    JOURNAL_SYNC_APART_MS = 10,
};

struct journal;

struct journal_options {
    const char *dir; /* Exists. */
    unsigned shards;
    uint32_t segment_bytes; /* A multiple of 4096, >= JOURNAL_SEGMENT_BYTES_MIN. */
    uint64_t max_bytes;     /* Of all segments. */
    void (*wake)(void *context, unsigned shard); /* Something was synced. Called by its thread. */
    void *wake_context;
};

/* Opens a new incarnation, still to be committed; the first segments are allocated, the thread is not started. Until
 * journal_commit() whatever an earlier run has left finds room as long as the disk has any, without a reserve and beyond
 * max_bytes. 0, or a negative errno, logged. Main thread. */
QR_MUST_USE int journal_create(const struct journal_options *options, struct journal **ret_journal);

/* All that was appended is on disk, the incarnation is the valid one, and its thread runs, which removes older ones. 0, or a
 * negative errno, logged. Main thread. */
QR_MUST_USE int journal_commit(struct journal *journal);

/* It was committed. Main thread. */
bool journal_is_started(const struct journal *journal);

/* Syncs what is there and closes it. NULL is fine. Main thread, after the shards have stopped. */
void journal_destroy(struct journal *journal);

/* --- A shard's part: its own thread. --- */

/* False: there is no room, or less would be left than `reserve` bytes. The position is that behind the record. */
QR_MUST_USE bool journal_append(struct journal *journal, unsigned shard, const uint8_t *record,
                                size_t bytes, uint64_t reserve, uint64_t *ret_position);

/* Whether a record of `bytes` would leave as much as `reserve`. */
bool journal_has_room(const struct journal *journal, unsigned shard, uint64_t bytes,
                      uint64_t reserve);

/* Everything up to here is to be on disk soon; wake() follows. */
void journal_sync(struct journal *journal, unsigned shard, uint64_t position);
void journal_sync_all(struct journal *journal, unsigned shard);
uint64_t journal_synced(const struct journal *journal, unsigned shard);

/* Once a second: the time, for the moment of a crash. `reserve` as in journal_append(). */
void journal_tick(struct journal *journal, unsigned shard, mono_time now, wall_time wall_now,
                  uint64_t reserve);

/* The record at or behind a position, which moves behind it; the bytes stay until they are not needed (below). False:
 * there is none yet. */
bool journal_next(const struct journal *journal, unsigned shard, uint64_t *position,
                  const uint8_t **ret_record, size_t *ret_bytes);
uint32_t journal_segment_bytes(const struct journal *journal);
uint64_t journal_first(const struct journal *journal, unsigned shard);

/* What lies in segments wholly before this position is not needed any more. */
void journal_need_from(struct journal *journal, unsigned shard, uint64_t position);

/* --- Any thread. --- */

/* All but what is on its way to the database. */
void journal_stats(struct journal *journal, struct store_journal_stats *ret_stats);
