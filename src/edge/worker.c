/* The worker's thread: its epoll loop around everything else. */

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edge/clock.h"
#include "edge/listener.h"
#include "edge/log.h"
#include "epoll_slice_priv.h"
#include "worker_priv.h"

enum {
    EVENTS_PER_WAIT = 256,
    ANSWERS_AT_ONCE = 8, /* A welcome takes some 40 microseconds. */
    ANSWERS_US = 500,
    PUBLISH_EVERY_MS = 1000,
    WAIT_MAX_MS = 1000
};

void worker_wake(struct worker *worker)
{
    uint64_t one = 1;
    ssize_t written = write(worker->wake.fd, &one, sizeof(one));
    (void)written; /* It fails only where the counter is full: then the worker is awake. */
}

struct shard *worker_shard(struct worker *worker)
{
    return worker->shard;
}

bool worker_is_empty(const struct worker *worker)
{
    return atomic_load(&worker->is_empty);
}

bool worker_has_matches(const struct worker *worker)
{
    return atomic_load(&worker->has_matches);
}

/* --- Figures. --- */

static void publish(struct worker *worker, mono_time now)
{
    if (mono_elapsed(worker->published_at, now) < PUBLISH_EVERY_MS) return;
    worker->published_at = now;
    struct worker_stats *stats = &worker->stats;
    stats->assemblies = worker->assembly_count - worker->free_assembly_count;
    stats->assemblies_max = worker->assembly_count; /* They are kept. */
    listener_depth(worker->listener.fd, &stats->listen_queue, &stats->listen_queue_bound);
    if (stats->listen_queue > stats->listen_queue_max) {
        stats->listen_queue_max = stats->listen_queue;
    }
    worker->stats.lag_us = worker->admission.lag_us;
    worker->stats.is_crowded = worker->admission.is_crowded ? 1 : 0;
    shard_stats(worker->shard, &worker->stats.shard);
    pthread_mutex_lock(&worker->published_lock);
    worker->published = worker->stats;
    pthread_mutex_unlock(&worker->published_lock);
    worker->stats.loop_lag_ms_max = 0;
}

void worker_stats(struct worker *worker, struct worker_stats *ret_stats)
{
    pthread_mutex_lock(&worker->published_lock);
    *ret_stats = worker->published;
    pthread_mutex_unlock(&worker->published_lock);
}

/* --- A turn of the loop. --- */

static int wait_ms(struct worker *worker, mono_time now)
{
    int64_t wait = WAIT_MAX_MS;
    mono_time due;
    bool has_more = worker->has_answers || !list_is_empty(&worker->closing) ||
                    !list_is_empty(&worker->held) || !list_is_empty(&worker->ready_heads);
    if (worker->needs_uv || worker->has_input || has_more) return 0;
    if (shard_next_due(worker->shard, &due)) {
        int64_t until = (int64_t)mono_elapsed(now, due);
        if (until < wait) wait = until;
    }
    if (accept_next_due(worker, &due)) {
        int64_t until = (int64_t)mono_elapsed(now, due);
        if (until < wait) wait = until;
    }
    if (ws_next_due(worker, &due)) {
        int64_t until = (int64_t)mono_elapsed(now, due);
        if (until < wait) wait = until;
    }
    if (store_next_due(worker->shared->store, worker->index, &due)) {
        int64_t until = (int64_t)mono_elapsed(now, due);
        if (until < wait) wait = until;
    }
    uv_update_time(&worker->uv_loop); /* Not every turn runs it. */
    int uv_ms = uv_backend_timeout(&worker->uv_loop);
    if (uv_ms >= 0 && uv_ms < wait) wait = uv_ms;
    return (int)wait;
}

/* False: what is ready in libwebsockets' set is not to be read yet. */
static bool read_events(struct worker *worker, int timeout_ms)
{
    struct epoll_event events[EVENTS_PER_WAIT];
    /* Not epoll_wait, which would cut it short: of what is ready here it is only noted that it is. */
    int count = epoll_pwait(worker->epoll_fd, events, EVENTS_PER_WAIT, timeout_ms, NULL);
    worker->read_at_us = clock_us();
    bool is_watched_ready = false;
    worker->is_uv_ready = count == EVENTS_PER_WAIT; /* It may be behind these. */
    for (int i = 0; i < count; i++) {
        struct source *source = events[i].data.ptr;
        switch ((enum source_kind)source->kind) {
        case SOURCE_LISTENER:
        case SOURCE_ADMIN: accept_on_listener(worker, source); break;
        case SOURCE_WAKE: break; /* That it was is all there is to know. */
        case SOURCE_UV: worker->is_uv_ready = true; break;
        case SOURCE_STORE: worker->is_store_ready = true; break;
        case SOURCE_HEAD:
            accept_on_head(worker, LIST_ITEM(source, struct head, source), events[i].events);
            break;
        case SOURCE_WATCHED: is_watched_ready = true; break;
        }
    }
    return watch_run(worker, is_watched_ready);
}

static void on_store_answer(struct shard *shard, const struct store_answer *answer)
{
    switch ((enum store_answer_kind)answer->kind) {
    case STORE_SAVED: shard_on_saved(shard, answer->handle, answer->is_saved); break;
    case STORE_LOADED:
        shard_on_loaded(shard, answer->handle, (enum load_outcome)answer->loaded.outcome,
                        &answer->loaded.record);
        break;
    }
}

/* Of a store that works on this loop. */
static void run_store(struct worker *worker)
{
    struct store *store = worker->shared->store;
    mono_time due;
    bool is_due = store_next_due(store, worker->index, &due) && !mono_is_before(clock_mono(), due);
    if (!worker->is_store_ready && !is_due) return;
    worker->is_store_ready = false;
    store_run(store, worker->index);
}

static void take_store_answers(struct worker *worker)
{
    struct store_answer answers[ANSWERS_AT_ONCE];
    unsigned count = 0;
    uint64_t began_us = clock_us();
    do {
        count = store_take_answers(worker->shared->store, worker->index, answers, ANSWERS_AT_ONCE);
        for (unsigned i = 0; i < count; i++) {
            on_store_answer(worker->shard, &answers[i]);
        }
    } while (count == ANSWERS_AT_ONCE && !worker_is_over(began_us, ANSWERS_US));
    worker->has_answers = count == ANSWERS_AT_ONCE;
}

static void follow_orders(struct worker *worker)
{
    if (atomic_load(&worker->shared->is_shutting_down)) {
        shard_shutdown(worker->shard);
    } else if (atomic_load(&worker->shared->is_draining)) {
        shard_drain(worker->shard);
    }
}

static void tell_empty(struct worker *worker)
{
    bool is_empty = shard_is_empty(worker->shard) && worker->stats.connections == 0;
    atomic_store(&worker->is_empty, is_empty);
    atomic_store(&worker->has_matches, shard_has_matches(worker->shard));
    if (!is_empty || !atomic_load(&worker->shared->is_draining)) {
        worker->has_told_empty = false;
    } else if (!worker->has_told_empty) {
        uint64_t one = 1;
        worker->has_told_empty = true;
        ssize_t written = write(worker->shared->main_eventfd, &one, sizeof(one));
        (void)written; /* It fails only where the counter is full: then main is awake. */
    }
}

/* Of the players' sockets, for admission_on_turn(). */
static int32_t what_was_read(const struct worker *worker)
{
    if (!worker->has_read) return ADMISSION_READ_NOTHING;
    if (!worker->is_cut) return ADMISSION_READ_ALL;
    return (int32_t)(worker->stats.connections / EPOLL_SLICE / worker->slices) + 1;
}

static mono_time end_turn(struct worker *worker, uint64_t woke_at_us)
{
    uint64_t now_us = clock_us();
    uint64_t took_us = now_us - woke_at_us;
    worker->stats.turns++;
    histogram_record(&worker->stats.turns_took, took_us);
    if (took_us / 1000 > worker->stats.loop_lag_ms_max) {
        worker->stats.loop_lag_ms_max = took_us / 1000;
    }
    bool was_crowded = worker->admission.is_crowded;
    admission_on_turn(&worker->admission, woke_at_us, now_us, what_was_read(worker));
    if (worker->admission.is_crowded && !was_crowded) worker->stats.crowds++;
    mono_time now = clock_mono_at(now_us);
    publish(worker, now);
    return now;
}

static mono_time turn(struct worker *worker, mono_time now)
{
    int timeout_ms = wait_ms(worker, now);
    worker->has_input = false;
    worker->has_read = false;
    bool may_read = read_events(worker, timeout_ms);
    uint64_t woke_at_us = worker->read_at_us;
    /* What is not read now the kernel keeps. */
    if (may_read && shard_takes_input(worker->shard)) ws_run(worker);
    run_store(worker);
    take_store_answers(worker);
    shard_set_journal_room(worker->shard, store_has_room(worker->shared->store, worker->index));
    follow_orders(worker);
    now = clock_mono();
    worker->has_input = false; /* All of it is the run's. */
    shard_run(worker->shard, now, clock_wall());
    ws_close_pending(worker);
    ws_drop_leaving(worker, now);
    /* Behind the players: what they have sent does not wait for it. */
    if (may_read) accept_run(worker, now);
    tell_empty(worker);
    return end_turn(worker, woke_at_us);
}

static void *run(void *context)
{
    struct worker *worker = context;
    admission_init(&worker->admission, worker->shared->admit_lag_ms, clock_us());
    mono_time now = clock_mono();
    while (!atomic_load(&worker->shared->is_stopping)) now = turn(worker, now);
    return NULL;
}

/* --- Life. --- */

uint32_t worker_returning_max(uint32_t connections_max)
{
    enum { ONE_IN = 32, LEAST = 16, MOST = 1024 };
    uint32_t share = connections_max / ONE_IN;
    if (share < LEAST) return LEAST;
    return share < MOST ? share : MOST;
}

size_t worker_bytes(const struct worker_shared *shared, const struct shard_settings *settings)
{
    enum { LWS_BYTES_PER_CONNECTION = 2048 }; /* Measured; its receive buffer is most of it. */
    return shard_bytes(settings) + sizeof(struct worker) + (size_t)ASSEMBLIES_MAX * ASSEMBLY_BYTES +
           shared->half_open_max * sizeof(struct head) +
           ((size_t)shared->connections_max + shared->returning_max) / shared->count *
               LWS_BYTES_PER_CONNECTION;
}

/* Address space that costs memory only where it is used. */
static void *map_memory(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

static int watch_source(struct worker *worker, struct source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = source};
    return epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, source->fd, &event) < 0 ? -errno : 0;
}

static int open_loop(struct worker *worker)
{
    worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (worker->epoll_fd < 0) return -errno;
    worker->wake.kind = SOURCE_WAKE;
    worker->wake.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (worker->wake.fd < 0) return -errno;
    /* Each write is an event of its own, and none need be read: the counter is never full. */
    int error = watch_source(worker, &worker->wake, EPOLLIN | EPOLLET);
    if (error == 0) error = ws_create(worker);
    if (error == 0) error = watch_create(worker);
    if (error == 0) error = watch_source(worker, &worker->watched, EPOLLIN);
    if (error != 0) return error;
    worker->uv = (struct source){SOURCE_UV, uv_backend_fd(&worker->uv_loop)};
    error = watch_source(worker, &worker->uv, EPOLLIN);
    worker->store = (struct source){SOURCE_STORE, store_fd(worker->shared->store, worker->index)};
    if (error == 0 && worker->store.fd >= 0) error = watch_source(worker, &worker->store, EPOLLIN);
    return error == 0 ? accept_init(worker) : error;
}

static int open_shard(struct worker *worker, const struct shard_settings *settings)
{
    worker->shard_memory_bytes = shard_bytes(settings);
    worker->shard_memory = map_memory(worker->shard_memory_bytes);
    if (worker->shard_memory == NULL) return -ENOMEM;
    struct shard_io io = ws_shard_io(worker);
    worker->shard = shard_create(worker->shard_memory, settings, &io, clock_mono(), clock_wall());
    return 0;
}

int worker_create(const struct worker_settings *settings, struct worker **ret_worker)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL) return -ENOMEM;
    worker->shared = settings->shared;
    worker->index = settings->shard.index;
    worker->listener = (struct source){SOURCE_LISTENER, settings->listener_fd};
    worker->admin = (struct source){SOURCE_ADMIN, settings->admin_fd};
    worker->returning_bound =
        (worker->shared->returning_max + worker->shared->count - 1) / worker->shared->count;
    worker->stats.assemblies_bound = ASSEMBLIES_MAX;
    worker->stats.returning_bound = worker->returning_bound;
    worker->admin_port = settings->admin_fd >= 0 ? settings->admin_port : 0;
    worker->wake.fd = worker->watched.fd = worker->epoll_fd = -1;
    list_init(&worker->closing);
    list_init(&worker->leaving);
    list_init(&worker->held);
    list_init(&worker->assembling);
    pthread_mutex_init(&worker->published_lock, NULL);
    int error = open_shard(worker, &settings->shard);
    if (error == 0) error = open_loop(worker);
    if (error != 0) {
        worker_destroy(worker);
        return error;
    }
    *ret_worker = worker;
    return 0;
}

int worker_start(struct worker *worker)
{
    worker->is_started = true; /* Before there is a thread that could see it change. */
    int error = pthread_create(&worker->thread, NULL, run, worker);
    if (error != 0) worker->is_started = false;
    return -error;
}

void worker_join(struct worker *worker)
{
    if (!worker->is_started) return;
    pthread_join(worker->thread, NULL);
    worker->is_started = false;
}

static void close_fd(int fd)
{
    if (fd >= 0) (void)close(fd); /* The process ends. */
}

void worker_destroy(struct worker *worker)
{
    if (worker == NULL) return;
    accept_fini(worker);
    ws_destroy(worker);
    if (worker->shard != NULL && shard_is_empty(worker->shard)) shard_destroy(worker->shard);
    if (worker->shard_memory != NULL) {
        (void)munmap(worker->shard_memory,
                     worker->shard_memory_bytes); /* It was mapped like this. */
    }
    close_fd(worker->listener.fd);
    close_fd(worker->admin.fd);
    close_fd(worker->wake.fd);
    close_fd(worker->watched.fd);
    close_fd(worker->epoll_fd);
    pthread_mutex_destroy(&worker->published_lock);
    free(worker);
}
