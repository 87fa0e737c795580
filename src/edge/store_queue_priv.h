/* The bounded queue between the shards and a store's writer, and the answers on their way back.
 *
 * Any shard pushes calls and takes its own answers; the one writer takes calls in batches and
 * answers them. A mutex guards all of it and is held for copies only, never for I/O. A call stays
 * in its slot while it is being written: the writer reads it there without the lock, since nobody
 * else touches a slot in use.
 *
 * Bounded by construction: an accepted call has an answer's slot of its shard reserved until that
 * shard has taken the answer, so neither side can overflow. Memory: slots * sizeof(struct
 * store_call), and per shard as many answers.
 */
#pragma once

#include "base/limits.h"
#include "edge/store.h"

struct store_call {
    struct handle match;
    unsigned shard;
    struct match_result result;
};

struct store_queue;

/* NULL where memory is short. Requires: slots > 0; 0 < shards <= WORKERS_MAX. */
struct store_queue *store_queue_create(unsigned slots, unsigned shards);
void store_queue_destroy(struct store_queue *queue); /* NULL is fine. */

/* --- The shards' side. --- */

/* 0; -EAGAIN where the queue is full, or as many of the shard's answers are outstanding. Requires:
 * not closed. */
QR_MUST_USE int store_queue_push(struct store_queue *queue, unsigned shard, struct handle match,
                                 const struct match_result *result);
unsigned store_queue_take_answers(struct store_queue *queue, unsigned shard,
                                  struct store_answer answers[], unsigned max);

/* --- Any thread. --- */

void store_queue_stats(struct store_queue *queue, struct store_stats *ret_stats);
bool store_queue_is_healthy(struct store_queue *queue);
void store_queue_close(struct store_queue *queue); /* What is queued is still served. */

/* --- The writer's side. --- */

/* Waits for a call. False where the queue is closed and empty. */
bool store_queue_wait(struct store_queue *queue);

/* How many calls the next batch has, at most `max`: they stay queued, as number 0 and up, until
 * they are answered. */
unsigned store_queue_batch(struct store_queue *queue, unsigned max);
const struct store_call *store_queue_at(const struct store_queue *queue, unsigned number);

/* Answers the first `count` calls, of which all that are saved came with one commit (where there
 * was one). Returns the shards to wake, a bit each. */
QR_MUST_USE uint64_t store_queue_answer(struct store_queue *queue, const bool is_saved[],
                                        unsigned count, bool is_committed);
