/* The bounded queues between the shards and a store's two threads, and the answers on their way
 * back.
 *
 * Any shard pushes calls and takes its own answers. The one writer takes results in batches and
 * answers them; the one reader takes look-ups one by one. A mutex guards all of it and is held for
 * copies only, never for I/O. A result stays in its slot while it is being written: the writer
 * reads it there without the lock, since nobody else touches a slot in use.
 *
 * Bounded by construction: an accepted call has an answer's slot of its shard reserved until that
 * shard has taken the answer, so neither side can overflow; results and look-ups have as many each,
 * so neither can take the other's. Memory: store_queue_bytes().
 */
#pragma once

#include "base/limits.h"
#include "edge/store.h"

struct store_call {
    struct handle match;
    unsigned shard;
    struct match_result result;
};

struct store_load {
    struct handle session;
    unsigned shard;
    struct id player;
};

struct store_queue;

/* NULL where memory is short. Requires: slots > 0; 0 < shards <= WORKERS_MAX. */
struct store_queue *store_queue_create(unsigned slots, unsigned shards);
size_t store_queue_bytes(unsigned slots, unsigned shards);
void store_queue_destroy(struct store_queue *queue); /* NULL is fine. */

/* --- The shards' side. --- */

/* 0; -EAGAIN where the queue is full, or as many of the shard's answers are outstanding. Requires:
 * not closed. */
QR_MUST_USE int store_queue_push(struct store_queue *queue, unsigned shard, struct handle match,
                                 const struct match_result *result);
QR_MUST_USE int store_queue_push_load(struct store_queue *queue, const struct store_load *load);
unsigned store_queue_take_answers(struct store_queue *queue, unsigned shard,
                                  struct store_answer answers[], unsigned max);

/* --- Any thread. --- */

void store_queue_stats(struct store_queue *queue, struct store_stats *ret_stats);
bool store_queue_is_healthy(struct store_queue *queue);
void store_queue_close(struct store_queue *queue); /* Results that are queued are still served. */

/* --- The writer's side. --- */

enum store_wait {
    STORE_WAIT_CALLS,
    STORE_WAIT_IDLE,   /* None came until then. */
    STORE_WAIT_CLOSED, /* And none is left. */
};

/* Waits for a call, until `by` or, where that is NULL, for ever. */
enum store_wait store_queue_wait(struct store_queue *queue, const mono_time *by);

/* For the metrics: rows that were deleted for their age; or that it failed. */
void store_queue_note_pruned(struct store_queue *queue, unsigned rows, bool is_done);

/* How many calls the next batch has, at most `max`: they stay queued, as number 0 and up, until
 * they are answered. */
unsigned store_queue_batch(struct store_queue *queue, unsigned max);
const struct store_call *store_queue_at(const struct store_queue *queue, unsigned number);

/* Answers the first `count` calls, of which all that are saved came with one commit (where there
 * was one). Returns the shards to wake, a bit each. */
QR_MUST_USE uint64_t store_queue_answer(struct store_queue *queue, const bool is_saved[],
                                        unsigned count, bool is_committed);

/* --- The reader's side. --- */

/* Waits for a look-up and takes it. False where the queue is closed. */
bool store_queue_wait_load(struct store_queue *queue, struct store_load *ret_load);

/* The shard is then to be woken. `record` is looked at where the outcome is LOAD_FOUND. */
void store_queue_answer_load(struct store_queue *queue, const struct store_load *load,
                             enum load_outcome outcome, const struct player_record *record);
