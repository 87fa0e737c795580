#include "edge/null_store.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { KINDS = 2 }; /* enum store_answer_kind */

/* One shard's: its thread's alone, but for `counts`. */
struct null_shard {
    struct store_answer *answers; /* In no order. */
    unsigned count;
    unsigned waiting[KINDS];
    _Atomic uint64_t counts[KINDS]; /* Answered. */
};

struct null_store {
    struct store store;
    struct null_store_options options;
    struct store_answer *answers;
    struct null_shard shards[];
};

static struct null_store *null_store_of(struct store *store)
{
    return (struct null_store *)store;
}

static int answer(struct null_store *self, unsigned shard, struct store_answer answer)
{
    struct null_shard *part = &self->shards[shard];
    if (part->waiting[answer.kind] == self->options.queue_slots) return -EAGAIN;
    part->waiting[answer.kind]++;
    part->answers[part->count++] = answer;
    self->options.wake(self->options.wake_context, shard);
    return 0;
}

static int save(struct store *store, unsigned shard, struct handle match,
                const struct match_result *result)
{
    (void)result;
    return answer(null_store_of(store), shard,
                  (struct store_answer){.kind = STORE_SAVED, .handle = match, .is_saved = true});
}

static int load(struct store *store, unsigned shard, struct handle session, const struct id *player)
{
    (void)player;
    return answer(null_store_of(store), shard,
                  (struct store_answer){.kind = STORE_LOADED,
                                        .handle = session,
                                        .loaded = {.outcome = LOAD_UNKNOWN}});
}

static unsigned take_answers(struct store *store, unsigned shard, struct store_answer answers[],
                             unsigned max)
{
    struct null_shard *part = &null_store_of(store)->shards[shard];
    unsigned taken = 0;
    for (; taken < max && part->count > 0; taken++) {
        answers[taken] = part->answers[--part->count];
        part->waiting[answers[taken].kind]--;
        atomic_fetch_add_explicit(&part->counts[answers[taken].kind], 1, memory_order_relaxed);
    }
    return taken;
}

static void stats(struct store *store, struct store_stats *ret_stats)
{
    struct null_store *self = null_store_of(store);
    *ret_stats = (struct store_stats){.queue_slots = self->options.queue_slots};
    for (unsigned i = 0; i < self->options.shards; i++) {
        ret_stats->saved +=
            atomic_load_explicit(&self->shards[i].counts[STORE_SAVED], memory_order_relaxed);
        ret_stats->loaded +=
            atomic_load_explicit(&self->shards[i].counts[STORE_LOADED], memory_order_relaxed);
    }
}

static bool is_healthy(struct store *store)
{
    (void)store;
    return true;
}

static void destroy(struct store *store)
{
    struct null_store *self = null_store_of(store);
    free(self->answers);
    free(self);
}

static const struct store_class null_store_class = {
    .save = save,
    .load = load,
    .take_answers = take_answers,
    .stats = stats,
    .is_healthy = is_healthy,
    .destroy = destroy,
};

int null_store_create(const struct null_store_options *options, struct store **ret_store)
{
    size_t slots = (size_t)KINDS * options->queue_slots;
    struct null_store *self =
        calloc(1, sizeof(*self) + options->shards * sizeof(struct null_shard));
    struct store_answer *answers = calloc(slots * options->shards, sizeof(*answers));
    if (self == NULL || answers == NULL) {
        free(self);
        free(answers);
        return -ENOMEM;
    }
    self->store.class = &null_store_class;
    self->options = *options;
    self->answers = answers;
    for (unsigned i = 0; i < options->shards; i++) self->shards[i].answers = answers + slots * i;
    *ret_store = &self->store;
    return 0;
}

size_t null_store_bytes(unsigned queue_slots, unsigned shards)
{
    return sizeof(struct null_store) +
           shards * (sizeof(struct null_shard) +
                     (size_t)KINDS * queue_slots * sizeof(struct store_answer));
}
