#include "edge/postgres_store.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "edge/clock.h"
#include "edge/log.h"
#include "postgres_schema_priv.h"
#include "postgres_shard_priv.h"

/* What is queued when the daemon stops has so long to be saved. */
enum { CLOSE_MAX_MS = 3000, CLOSE_LOOK_MS = 20 };

struct postgres_store {
    struct store base;
    struct target target;
    bool has_target;
    unsigned shard_count;
    struct postgres_shard *shards;
};

static struct postgres_store *postgres_store_of(struct store *store)
{
    return (struct postgres_store *)store; /* The first member. */
}

static struct postgres_shard *part_of(struct store *base, unsigned shard)
{
    struct postgres_store *store = postgres_store_of(base);
    QR_ASSERT(shard < store->shard_count);
    return &store->shards[shard];
}

/* --- A shard's calls. --- */

static int postgres_store_save(struct store *base, unsigned shard, struct handle match,
                               const struct match_result *result)
{
    struct postgres_shard *part = part_of(base, shard);
    struct call *call = calls_acquire(part, STORE_SAVED);
    if (call == NULL) part->stats.refused++;
    if (call != NULL) {
        call->handle = match;
        *call->result = *result;
        calls_queue(part, call);
    }
    postgres_shard_publish(part);
    return call != NULL ? 0 : -EAGAIN;
}

static int postgres_store_load(struct store *base, unsigned shard, struct handle session,
                               const struct id *player)
{
    struct postgres_shard *part = part_of(base, shard);
    struct call *call = calls_acquire(part, STORE_LOADED);
    if (call == NULL) part->stats.loads_refused++;
    if (call != NULL) {
        call->handle = session;
        call->player = *player;
        calls_queue(part, call);
    }
    postgres_shard_publish(part);
    return call != NULL ? 0 : -EAGAIN;
}

static void postgres_store_cancel_load(struct store *base, unsigned shard, struct handle session)
{
    postgres_shard_cancel_load(part_of(base, shard), session);
    postgres_shard_publish(part_of(base, shard));
}

static unsigned postgres_store_take_answers(struct store *base, unsigned shard,
                                            struct store_answer answers[], unsigned max)
{
    return calls_take_answers(part_of(base, shard), answers, max);
}

static int postgres_store_fd(struct store *base, unsigned shard)
{
    return part_of(base, shard)->epoll_fd;
}

static bool postgres_store_next_due(struct store *base, unsigned shard, mono_time *ret_due)
{
    return postgres_shard_next_due(part_of(base, shard), ret_due);
}

static void postgres_store_run(struct store *base, unsigned shard)
{
    postgres_shard_run(part_of(base, shard));
}

/* --- Figures. --- */

static void add_server(struct store_server_stats *sum, const struct store_server_stats *more)
{
    sum->links += more->links;
    sum->breakers_opened += more->breakers_opened;
    sum->connected += more->connected;
    sum->lost += more->lost;
    sum->timed_out += more->timed_out;
    sum->cancelled += more->cancelled;
    sum->conflicts += more->conflicts;
    sum->took_ms += more->took_ms;
    for (unsigned i = 0; i < STORE_LINK_STATES; i++) sum->links_in[i] += more->links_in[i];
    for (unsigned i = 0; i < BREAKER_STATES; i++) sum->breakers_in[i] += more->breakers_in[i];
    for (unsigned i = 0; i < STORE_TOOK_BUCKETS; i++) sum->took[i] += more->took[i];
}

/* Depths and bounds are the sums over the shards', which have a queue each. */
static void add_stats(struct store_stats *sum, const struct store_stats *more)
{
    sum->queued += more->queued;
    sum->queued_max += more->queued_max;
    sum->loads_queued += more->loads_queued;
    sum->loads_queued_max += more->loads_queued_max;
    sum->queue_slots += more->queue_slots;
    sum->pruned += more->pruned;
    sum->prunes_failed += more->prunes_failed;
    sum->saved += more->saved;
    sum->failed += more->failed;
    sum->refused += more->refused;
    sum->commits += more->commits;
    sum->loaded += more->loaded;
    sum->loads_failed += more->loads_failed;
    sum->loads_refused += more->loads_refused;
    add_server(&sum->server, &more->server);
}

static void postgres_store_stats(struct store *base, struct store_stats *ret_stats)
{
    struct postgres_store *store = postgres_store_of(base);
    memset(ret_stats, 0, sizeof *ret_stats);
    for (unsigned i = 0; i < store->shard_count; i++) {
        struct postgres_shard *part = &store->shards[i];
        pthread_mutex_lock(&part->published_lock);
        struct store_stats stats = part->published;
        pthread_mutex_unlock(&part->published_lock);
        add_stats(ret_stats, &stats);
    }
}

static bool postgres_store_is_healthy(struct store *base)
{
    struct postgres_store *store = postgres_store_of(base);
    bool is_healthy = true;
    for (unsigned i = 0; i < store->shard_count; i++) {
        struct postgres_shard *part = &store->shards[i];
        pthread_mutex_lock(&part->published_lock);
        is_healthy = is_healthy && part->is_healthy_published;
        pthread_mutex_unlock(&part->published_lock);
    }
    return is_healthy;
}

/* --- Stop. --- */

/* Look-ups are answered to nobody; results until they are saved, or fail. */
static bool has_unsaved(const struct postgres_shard *part)
{
    return part->calls[STORE_SAVED].unanswered > 0;
}

static void finish_saving(struct postgres_shard *part, mono_time by)
{
    uint64_t failed = part->stats.failed;
    while (has_unsaved(part) && mono_is_before(clock_mono(), by)) {
        postgres_shard_run(part);
        struct pollfd file = {.fd = part->epoll_fd, .events = POLLIN};
        if (has_unsaved(part)) (void)poll(&file, 1, CLOSE_LOOK_MS); /* Woken or not: it looks. */
    }
    uint64_t unsaved = part->calls[STORE_SAVED].unanswered + part->stats.failed - failed;
    if (unsaved == 0) return;
    log_event(LOG_LEVEL_ERROR, "store_closed_unsaved", "shard=%u results=%llu", part->index,
              (unsigned long long)unsaved);
}

static void postgres_store_destroy(struct store *base)
{
    if (base == NULL) return;
    struct postgres_store *store = postgres_store_of(base);
    mono_time by = mono_after(clock_mono(), CLOSE_MAX_MS);
    for (unsigned i = 0; i < store->shard_count; i++) {
        finish_saving(&store->shards[i], by);
        postgres_shard_fini(&store->shards[i]);
    }
    free(store->shards);
    if (store->has_target) target_fini(&store->target);
    free(store);
}

static const struct store_class postgres_store_class = {
    .save = postgres_store_save,
    .load = postgres_store_load,
    .cancel_load = postgres_store_cancel_load,
    .take_answers = postgres_store_take_answers,
    .fd = postgres_store_fd,
    .next_due = postgres_store_next_due,
    .run = postgres_store_run,
    .stats = postgres_store_stats,
    .is_healthy = postgres_store_is_healthy,
    .destroy = postgres_store_destroy,
};

/* --- Start. --- */

size_t postgres_store_bytes(const struct postgres_store_options *options)
{
    return sizeof(struct postgres_store) +
           options->shards * (sizeof(struct postgres_shard) + calls_bytes(options->queue_slots) +
                              options->connections * sizeof(struct link));
}

static int start(struct postgres_store *store, const struct postgres_store_options *options)
{
    int error = target_init(&store->target, options);
    if (error != 0) return error;
    store->has_target = true;
    error = postgres_schema_check(&store->target, options->timeout_ms);
    if (error != 0) return error;
    store->shards = calloc(options->shards, sizeof *store->shards);
    if (store->shards == NULL) return -ENOMEM;
    for (unsigned i = 0; i < options->shards && error == 0; i++) {
        error = postgres_shard_init(&store->shards[i], &store->target, options, i);
        store->shard_count++; /* Half made too, it is to be taken apart. */
    }
    return error;
}

int postgres_store_create(const struct postgres_store_options *options, struct store **ret_store)
{
    QR_ASSERT(options->connections >= POSTGRES_CONNECTIONS_MIN &&
              options->connections <= POSTGRES_CONNECTIONS_MAX);
    struct postgres_store *store = calloc(1, sizeof *store);
    if (store == NULL) return -ENOMEM;
    store->base.class = &postgres_store_class;
    int error = start(store, options);
    if (error != 0) {
        postgres_store_destroy(&store->base);
        return error;
    }
    *ret_store = &store->base;
    return 0;
}

int postgres_store_migrate(const struct postgres_store_options *options)
{
    struct target target;
    int error = target_init(&target, options);
    if (error != 0) return error;
    error = postgres_schema_migrate(&target, options->timeout_ms);
    target_fini(&target);
    if (error == 0) {
        log_event(LOG_LEVEL_INFO, "store_migrated", "version=%d",
                  (int)POSTGRES_STORE_SCHEMA_VERSION);
    }
    return error;
}
