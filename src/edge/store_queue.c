#include "store_queue_priv.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

_Static_assert(WORKERS_MAX <= 64, "a bit per shard in 64 bits");

struct answer_ring {
    struct store_answer *answers;
    unsigned head;
    unsigned count;
    /* Accepted calls of each kind whose answer was not taken yet; `count` of them are answered. */
    unsigned reserved[STORE_LOADED + 1];
};

struct store_queue {
    pthread_mutex_t mutex;
    pthread_cond_t filled;       /* With results. */
    pthread_cond_t loads_filled; /* With look-ups. */
    struct store_call *calls;
    struct store_load *loads;
    struct store_answer *answers; /* The rings' memory. */
    unsigned slots;
    unsigned head; /* Moved by the writer only. */
    unsigned count;
    unsigned load_head;
    unsigned load_count;
    unsigned shards;
    bool is_closed;
    bool is_healthy;
    struct store_stats stats;
    struct answer_ring rings[WORKERS_MAX];
};

static void lock(struct store_queue *queue)
{
    int error = pthread_mutex_lock(&queue->mutex);
    QR_ASSERT(error == 0);
}

static void unlock(struct store_queue *queue)
{
    int error = pthread_mutex_unlock(&queue->mutex);
    QR_ASSERT(error == 0);
}

/* Of a shard: for each kind of call as many as can be queued. */
static unsigned ring_slots(unsigned slots)
{
    return slots * (STORE_LOADED + 1);
}

size_t store_queue_bytes(unsigned slots, unsigned shards)
{
    return sizeof(struct store_queue) +
           slots * (sizeof(struct store_call) + sizeof(struct store_load)) +
           (size_t)ring_slots(slots) * shards * sizeof(struct store_answer);
}

struct store_queue *store_queue_create(unsigned slots, unsigned shards)
{
    QR_ASSERT(slots > 0);
    QR_ASSERT(shards > 0 && shards <= WORKERS_MAX);
    struct store_queue *queue = calloc(1, sizeof *queue);
    if (queue == NULL) return NULL;
    queue->calls = calloc(slots, sizeof *queue->calls);
    queue->loads = calloc(slots, sizeof *queue->loads);
    queue->answers = calloc((size_t)ring_slots(slots) * shards, sizeof *queue->answers);
    if (queue->calls == NULL || queue->loads == NULL || queue->answers == NULL) {
        free(queue->calls);
        free(queue->loads);
        free(queue->answers);
        free(queue);
        return NULL;
    }
    /* With default attributes none can fail. */
    (void)pthread_mutex_init(&queue->mutex, NULL);
    pthread_condattr_t monotonic; /* As clock_mono(). */
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&queue->filled, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_cond_init(&queue->loads_filled, NULL);
    queue->slots = slots;
    queue->shards = shards;
    queue->is_healthy = true;
    queue->stats.queue_slots = slots;
    for (unsigned i = 0; i < shards; i++) {
        queue->rings[i].answers = queue->answers + (size_t)i * ring_slots(slots);
    }
    return queue;
}

void store_queue_destroy(struct store_queue *queue)
{
    if (queue == NULL) return;
    (void)pthread_cond_destroy(&queue->filled); /* Nobody waits any more. */
    (void)pthread_cond_destroy(&queue->loads_filled);
    (void)pthread_mutex_destroy(&queue->mutex);
    free(queue->calls);
    free(queue->loads);
    free(queue->answers);
    free(queue);
}

static unsigned wrap(const struct store_queue *queue, unsigned slot)
{
    return slot < queue->slots ? slot : slot - queue->slots;
}

static unsigned wrap_ring(const struct store_queue *queue, unsigned slot)
{
    return slot < ring_slots(queue->slots) ? slot : slot - ring_slots(queue->slots);
}

/* Into the slot that was reserved at the push. */
static void push_answer(struct store_queue *queue, unsigned shard,
                        const struct store_answer *answer)
{
    struct answer_ring *ring = &queue->rings[shard];
    QR_ASSERT(ring->count < ring->reserved[STORE_SAVED] + ring->reserved[STORE_LOADED]);
    ring->answers[wrap_ring(queue, ring->head + ring->count)] = *answer;
    ring->count++;
}

int store_queue_push(struct store_queue *queue, unsigned shard, struct handle match,
                     const struct match_result *result)
{
    QR_ASSERT(shard < queue->shards);
    lock(queue);
    QR_ASSERT(!queue->is_closed);
    struct answer_ring *ring = &queue->rings[shard];
    if (queue->count == queue->slots || ring->reserved[STORE_SAVED] == queue->slots) {
        queue->stats.refused++;
        unlock(queue);
        return -EAGAIN;
    }
    ring->reserved[STORE_SAVED]++;
    queue->calls[wrap(queue, queue->head + queue->count)] = (struct store_call){
        .match = match,
        .shard = shard,
        .result = *result,
    };
    queue->count++;
    if (queue->count > queue->stats.queued_max) queue->stats.queued_max = queue->count;
    (void)pthread_cond_signal(&queue->filled); /* Cannot fail. */
    unlock(queue);
    return 0;
}

int store_queue_push_load(struct store_queue *queue, const struct store_load *load)
{
    QR_ASSERT(load->shard < queue->shards);
    lock(queue);
    QR_ASSERT(!queue->is_closed);
    struct answer_ring *ring = &queue->rings[load->shard];
    if (queue->load_count == queue->slots || ring->reserved[STORE_LOADED] == queue->slots) {
        queue->stats.loads_refused++;
        unlock(queue);
        return -EAGAIN;
    }
    ring->reserved[STORE_LOADED]++;
    queue->loads[wrap(queue, queue->load_head + queue->load_count)] = *load;
    queue->load_count++;
    if (queue->load_count > queue->stats.loads_queued_max) {
        queue->stats.loads_queued_max = queue->load_count;
    }
    (void)pthread_cond_signal(&queue->loads_filled); /* Cannot fail. */
    unlock(queue);
    return 0;
}

unsigned store_queue_take_answers(struct store_queue *queue, unsigned shard,
                                  struct store_answer answers[], unsigned max)
{
    QR_ASSERT(shard < queue->shards);
    lock(queue);
    struct answer_ring *ring = &queue->rings[shard];
    unsigned taken = 0;
    while (taken < max && ring->count > 0) {
        const struct store_answer *answer = &ring->answers[ring->head];
        ring->reserved[answer->kind]--;
        answers[taken++] = *answer;
        ring->head = wrap_ring(queue, ring->head + 1);
        ring->count--;
    }
    unlock(queue);
    return taken;
}

void store_queue_stats(struct store_queue *queue, struct store_stats *ret_stats)
{
    lock(queue);
    *ret_stats = queue->stats;
    ret_stats->queued = queue->count;
    ret_stats->loads_queued = queue->load_count;
    unlock(queue);
}

bool store_queue_is_healthy(struct store_queue *queue)
{
    lock(queue);
    bool is_healthy = queue->is_healthy;
    unlock(queue);
    return is_healthy;
}

void store_queue_close(struct store_queue *queue)
{
    lock(queue);
    queue->is_closed = true;
    (void)pthread_cond_signal(&queue->filled); /* Neither can fail. */
    (void)pthread_cond_signal(&queue->loads_filled);
    unlock(queue);
}

enum store_wait store_queue_wait(struct store_queue *queue, const mono_time *by)
{
    struct timespec until = {0};
    int error = 0;
    if (by != NULL) {
        until.tv_sec = (time_t)(by->ms / 1000);
        until.tv_nsec = (long)(by->ms % 1000) * 1000000;
    }
    lock(queue);
    while (queue->count == 0 && !queue->is_closed && error == 0) {
        error = by != NULL ? pthread_cond_timedwait(&queue->filled, &queue->mutex, &until)
                           : pthread_cond_wait(&queue->filled, &queue->mutex);
        QR_ASSERT(error == 0 || error == ETIMEDOUT);
    }
    enum store_wait outcome = STORE_WAIT_IDLE;
    if (queue->is_closed) outcome = STORE_WAIT_CLOSED;
    if (queue->count > 0) outcome = STORE_WAIT_CALLS;
    unlock(queue);
    return outcome;
}

void store_queue_note_pruned(struct store_queue *queue, unsigned rows, bool is_done)
{
    lock(queue);
    queue->stats.pruned += rows;
    if (!is_done) queue->stats.prunes_failed++;
    unlock(queue);
}

unsigned store_queue_batch(struct store_queue *queue, unsigned max)
{
    lock(queue);
    unsigned count = queue->count < max ? queue->count : max;
    unlock(queue);
    return count;
}

const struct store_call *store_queue_at(const struct store_queue *queue, unsigned number)
{
    return &queue->calls[wrap(queue, queue->head + number)];
}

uint64_t store_queue_answer(struct store_queue *queue, const bool is_saved[], unsigned count,
                            bool is_committed)
{
    uint64_t wake = 0;
    lock(queue);
    QR_ASSERT(count <= queue->count);
    for (unsigned i = 0; i < count; i++) {
        const struct store_call *call = &queue->calls[queue->head];
        push_answer(queue, call->shard,
                    &(struct store_answer){
                        .kind = STORE_SAVED, .handle = call->match, .is_saved = is_saved[i]});
        wake |= UINT64_C(1) << call->shard;
        if (is_saved[i]) queue->stats.saved++;
        if (!is_saved[i]) queue->stats.failed++;
        queue->head = wrap(queue, queue->head + 1);
    }
    queue->count -= count;
    queue->is_healthy = is_committed;
    if (is_committed) queue->stats.commits++;
    unlock(queue);
    return wake;
}

bool store_queue_wait_load(struct store_queue *queue, struct store_load *ret_load)
{
    lock(queue);
    while (queue->load_count == 0 && !queue->is_closed) {
        (void)pthread_cond_wait(&queue->loads_filled, &queue->mutex); /* Cannot fail. */
    }
    bool has_load = !queue->is_closed;
    if (has_load) {
        *ret_load = queue->loads[queue->load_head];
        queue->load_head = wrap(queue, queue->load_head + 1);
        queue->load_count--;
    }
    unlock(queue);
    return has_load;
}

void store_queue_answer_load(struct store_queue *queue, const struct store_load *load,
                             enum load_outcome outcome, const struct player_record *record)
{
    struct store_answer answer = {.kind = STORE_LOADED, .handle = load->session};
    answer.loaded.outcome = (uint8_t)outcome;
    if (outcome == LOAD_FOUND) answer.loaded.record = *record;
    lock(queue);
    push_answer(queue, load->shard, &answer);
    if (outcome == LOAD_FAILED) queue->stats.loads_failed++;
    if (outcome != LOAD_FAILED) queue->stats.loaded++;
    unlock(queue);
}
