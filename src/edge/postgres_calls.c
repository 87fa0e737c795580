#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "edge/clock.h"
#include "postgres_shard_priv.h"

static const uint32_t took_most_ms[STORE_TOOK_BUCKETS - 1] = {1, 5, 25, 100, 500, 2500};

int calls_init(struct postgres_shard *shard, unsigned slots)
{
    list_init(&shard->answered);
    for (unsigned kind = STORE_SAVED; kind <= STORE_LOADED; kind++) {
        list_init(&shard->calls[kind].free);
        list_init(&shard->calls[kind].queued);
    }
    shard->call_memory = calloc((size_t)slots * 2, sizeof *shard->call_memory);
    shard->result_memory = calloc(slots, sizeof *shard->result_memory);
    if (shard->call_memory == NULL || shard->result_memory == NULL) return -ENOMEM;
    for (unsigned i = 0; i < slots; i++) {
        struct call *save = &shard->call_memory[i];
        struct call *load = &shard->call_memory[slots + i];
        save->result = &shard->result_memory[i];
        list_append(&shard->calls[STORE_SAVED].free, &save->node);
        list_append(&shard->calls[STORE_LOADED].free, &load->node);
    }
    shard->stats.queue_slots = slots;
    return 0;
}

void calls_fini(struct postgres_shard *shard)
{
    free(shard->call_memory);
    free(shard->result_memory);
}

size_t calls_bytes(unsigned slots)
{
    return slots * (2 * sizeof(struct call) + sizeof(struct match_result));
}

struct call *calls_acquire(struct postgres_shard *shard, enum store_answer_kind kind)
{
    struct list *node = list_take_first(&shard->calls[kind].free);
    if (node == NULL) return NULL;
    struct call *call = LIST_ITEM(node, struct call, node);
    call->kind = (uint8_t)kind;
    call->is_cancelled = false;
    call->asked_at = clock_mono();
    call->due = mono_after(call->asked_at, shard->timeout_ms);
    return call;
}

void calls_queue(struct postgres_shard *shard, struct call *call)
{
    struct calls *calls = &shard->calls[call->kind];
    list_append(&calls->queued, &call->node);
    calls->unanswered++;
    if (calls->unanswered > calls->unanswered_max) calls->unanswered_max = calls->unanswered;
}

void calls_requeue(struct postgres_shard *shard, struct call *call)
{
    list_append(shard->calls[call->kind].queued.next, &call->node);
}

struct call *calls_first(const struct postgres_shard *shard, enum store_answer_kind kind)
{
    const struct list *queued = &shard->calls[kind].queued;
    return list_is_empty(queued) ? NULL : LIST_ITEM(queued->next, struct call, node);
}

struct call *calls_take(struct postgres_shard *shard, enum store_answer_kind kind)
{
    struct list *node = list_take_first(&shard->calls[kind].queued);
    return node != NULL ? LIST_ITEM(node, struct call, node) : NULL;
}

/* --- Answers. --- */

static void answer(struct postgres_shard *shard, struct call *call)
{
    struct store_server_stats *server = &shard->stats.server;
    uint64_t took_ms = mono_elapsed(call->asked_at, clock_mono());
    unsigned bucket = 0;
    while (bucket < STORE_TOOK_BUCKETS - 1 && took_ms > took_most_ms[bucket]) bucket++;
    server->took[bucket]++;
    server->took_ms += took_ms;
    shard->calls[call->kind].unanswered--;
    list_append(&shard->answered, &call->node);
}

void calls_answer_saved(struct postgres_shard *shard, struct call *call, bool is_saved)
{
    call->answer =
        (struct store_answer){.kind = STORE_SAVED, .handle = call->handle, .is_saved = is_saved};
    if (is_saved) shard->stats.saved++;
    if (!is_saved) shard->stats.failed++;
    answer(shard, call);
}

void calls_answer_loaded(struct postgres_shard *shard, struct call *call, enum load_outcome outcome,
                         const struct player_record *record)
{
    call->answer = (struct store_answer){.kind = STORE_LOADED, .handle = call->handle};
    call->answer.loaded.outcome = (uint8_t)outcome;
    if (outcome == LOAD_FOUND) call->answer.loaded.record = *record;
    if (outcome == LOAD_FAILED) shard->stats.loads_failed++;
    if (outcome != LOAD_FAILED) shard->stats.loaded++;
    answer(shard, call);
}

void calls_answer_failed(struct postgres_shard *shard, struct call *call)
{
    switch ((enum store_answer_kind)call->kind) {
    case STORE_SAVED: calls_answer_saved(shard, call, false); return;
    case STORE_LOADED: calls_answer_loaded(shard, call, LOAD_FAILED, NULL); return;
    }
}

bool calls_answer_expired(struct postgres_shard *shard, struct call *call, mono_time now)
{
    bool is_expired = !mono_is_before(now, call->due);
    if (!is_expired && !call->is_cancelled) return false;
    if (is_expired) {
        shard->stats.server.timed_out++;
        if (call->kind == STORE_SAVED) {
            shard->is_failing = true;
            store_report_failing(&shard->report, 1, "timed out");
        } else {
            store_report_reading_failing(&shard->report, "timed out");
        }
    }
    calls_answer_failed(shard, call);
    return true;
}

unsigned calls_take_answers(struct postgres_shard *shard, struct store_answer answers[],
                            unsigned max)
{
    unsigned taken = 0;
    while (taken < max && !list_is_empty(&shard->answered)) {
        struct call *call = LIST_ITEM(list_take_first(&shard->answered), struct call, node);
        answers[taken++] = call->answer;
        list_append(&shard->calls[call->kind].free, &call->node);
    }
    return taken;
}
