#include "edge/sqlite_store.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "edge/clock.h"
#include "edge/log.h"
#include "sqlite_pruner_priv.h"
#include "sqlite_reader_priv.h"
#include "sqlite_schema_priv.h"
#include "sqlite_writer_priv.h"
#include "store_queue_priv.h"
#include "store_report_priv.h"

struct sqlite_store {
    struct store base;
    struct store_queue *queue;
    store_wake *wake;
    void *wake_context;
    sqlite3 *db;
    pthread_t writer_thread;
    pthread_t reader_thread;
    bool has_writer;
    bool has_reader;
    struct sqlite_reader reader; /* The reader's own. */
    /* From here on the writer's own. */
    struct sqlite_writer writer;
    struct sqlite_pruner pruner;
    struct store_report report;
    wall_time (*now)(void);
    uint32_t prune_pause_ms;
    mono_time prune_at;
};

/* --- The writer's thread. --- */

/* In one transaction, with what comes meanwhile. Where the code is not SQLITE_OK, nothing of the
 * batch is to be kept. */
static int write_together(struct sqlite_store *store, unsigned *count, bool ret_is_saved[])
{
    int code = SQLITE_OK;
    for (unsigned i = 0; i < *count && code == SQLITE_OK; i++) {
        code = sqlite_writer_save(&store->writer, &store_queue_at(store->queue, i)->result);
        ret_is_saved[i] = true;
        if (i + 1 == *count) *count = store_queue_batch(store->queue, SQLITE_STORE_BATCH_MAX);
    }
    return code == SQLITE_OK ? sqlite_writer_commit(&store->writer) : code;
}

/* The same, without those that fail alone. */
static int write_apart(struct sqlite_store *store, unsigned count, bool ret_is_saved[])
{
    sqlite_writer_rollback(&store->writer);
    int code = sqlite_writer_begin(&store->writer);
    for (unsigned i = 0; i < count && code == SQLITE_OK; i++) {
        const struct match_result *result = &store_queue_at(store->queue, i)->result;
        code = sqlite_writer_save_apart(&store->writer, result);
        ret_is_saved[i] = code == SQLITE_OK;
        if (!sqlite_writer_is_alone(code)) continue;
        store_report_refused(&store->report, &result->match, store->writer.problem);
        code = SQLITE_OK;
    }
    return code == SQLITE_OK ? sqlite_writer_commit(&store->writer) : code;
}

static void write_batch(struct sqlite_store *store)
{
    int code = sqlite_writer_begin(&store->writer);
    /* Only now: what came while another process held the lock shares the commit. */
    unsigned count = store_queue_batch(store->queue, SQLITE_STORE_BATCH_MAX);
    bool is_saved[SQLITE_STORE_BATCH_MAX];
    if (code == SQLITE_OK) code = write_together(store, &count, is_saved);
    if (sqlite_writer_is_alone(code)) code = write_apart(store, count, is_saved);
    if (code == SQLITE_OK) {
        store_report_recovered(&store->report);
    } else {
        sqlite_writer_rollback(&store->writer);
        store_report_failing(&store->report, count, store->writer.problem);
        memset(is_saved, 0, sizeof is_saved);
    }
    uint64_t wake = store_queue_answer(store->queue, is_saved, count, code == SQLITE_OK);
    for (unsigned shard = 0; shard < WORKERS_MAX; shard++) {
        if ((wake >> shard & 1) != 0) store->wake(store->wake_context, shard);
    }
}

static void prune(struct sqlite_store *store)
{
    unsigned rows = 0;
    int code = sqlite_pruner_slice(&store->pruner, store->now(), &rows);
    if (code == SQLITE_OK) store_report_pruning_recovered(&store->report);
    if (code != SQLITE_OK) store_report_pruning_failing(&store->report, sqlite3_errmsg(store->db));
    store_queue_note_pruned(store->queue, rows, code == SQLITE_OK);
    bool is_over = code == SQLITE_OK && rows == 0;
    store->prune_at =
        mono_after(clock_mono(), is_over ? SQLITE_STORE_PRUNE_LOOK_MS : store->prune_pause_ms);
}

/* sched_setattr(2)'s, in its first version: the C library has none before 2.41. */
struct scheduling {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t slice_ns;
    uint64_t unused[2];
};

/* A batch is tens of milliseconds of work that nobody waits for: where a worker has the same core it
 * goes first. With the longer slice it is let in as soon as it wakes, and not when this thread's is
 * over (from Linux 6.12 on; an older one has the priority alone). */
static void give_way(void)
{
    enum { NICE = 10, SLICE_NS = 100000000 };
    struct scheduling how = {
        .size = sizeof(how), .policy = SCHED_BATCH, .nice = NICE, .slice_ns = SLICE_NS};
    /* Of this thread alone (sched(7)); where it is not allowed all works without. */
    if (syscall(SYS_sched_setattr, 0, &how, 0) != 0) (void)setpriority(PRIO_PROCESS, 0, NICE);
}

static void *writer_main(void *context)
{
    struct sqlite_store *store = context;
    give_way();
    const struct store_retention *keep = &store->pruner.keep;
    bool is_pruned = keep->matches_days > 0 || keep->answers_days > 0;
    store->prune_at = clock_mono();
    for (;;) {
        switch (store_queue_wait(store->queue, is_pruned ? &store->prune_at : NULL)) {
        case STORE_WAIT_CALLS: write_batch(store); break;
        case STORE_WAIT_IDLE: prune(store); break;
        case STORE_WAIT_CLOSED: return NULL;
        }
    }
}

/* --- The reader's thread. --- */

static void *reader_main(void *context)
{
    struct sqlite_store *store = context;
    struct store_load load;
    while (store_queue_wait_load(store->queue, &load)) {
        struct player_record record;
        enum load_outcome outcome = sqlite_reader_load(&store->reader, &load.player, &record);
        store_queue_answer_load(store->queue, &load, outcome, &record);
        store->wake(store->wake_context, load.shard);
    }
    return NULL;
}

/* With all signals blocked: they are the main thread's. */
static int start_thread(struct sqlite_store *store, pthread_t *ret_thread, void *(*run)(void *),
                        const char *name)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all); /* Cannot fail; nor can the two masks. */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(ret_thread, NULL, run, store);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) return -error;
    (void)pthread_setname_np(*ret_thread, name); /* For top and gdb only. */
    return 0;
}

static void join_thread(pthread_t thread)
{
    int error = pthread_join(thread, NULL);
    QR_ASSERT(error == 0);
}

/* --- The interface. --- */

static struct sqlite_store *sqlite_store_of(struct store *store)
{
    return (struct sqlite_store *)store; /* The first member. */
}

static int sqlite_store_save(struct store *base, unsigned shard, struct handle match,
                             const struct match_result *result)
{
    return store_queue_push(sqlite_store_of(base)->queue, shard, match, result);
}

static int sqlite_store_load(struct store *base, unsigned shard, struct handle session,
                             const struct id *player)
{
    struct store_load load = {.session = session, .shard = shard, .player = *player};
    return store_queue_push_load(sqlite_store_of(base)->queue, &load);
}

static unsigned sqlite_store_take_answers(struct store *base, unsigned shard,
                                          struct store_answer answers[], unsigned max)
{
    return store_queue_take_answers(sqlite_store_of(base)->queue, shard, answers, max);
}

static void sqlite_store_stats(struct store *base, struct store_stats *ret_stats)
{
    store_queue_stats(sqlite_store_of(base)->queue, ret_stats);
}

static bool sqlite_store_is_healthy(struct store *base)
{
    return store_queue_is_healthy(sqlite_store_of(base)->queue);
}

static void sqlite_store_destroy(struct store *base)
{
    if (base == NULL) return;
    struct sqlite_store *store = sqlite_store_of(base);
    if (store->queue != NULL) store_queue_close(store->queue);
    if (store->has_writer) join_thread(store->writer_thread);
    if (store->has_reader) join_thread(store->reader_thread);
    /* The reader's connection first: the last one that closes empties the log, for which it must
     * write. */
    sqlite_reader_fini(&store->reader);
    sqlite_pruner_fini(&store->pruner);
    sqlite_writer_fini(&store->writer);
    int code = sqlite3_close(store->db);
    QR_ASSERT(code == SQLITE_OK); /* No statement is left. */
    store_queue_destroy(store->queue);
    free(store);
}

static const struct store_class sqlite_store_class = {
    .save = sqlite_store_save,
    .load = sqlite_store_load,
    .take_answers = sqlite_store_take_answers,
    .stats = sqlite_store_stats,
    .is_healthy = sqlite_store_is_healthy,
    .destroy = sqlite_store_destroy,
};

static int log_failure(const char *step, const char *why, int error)
{
    char buffer[LOG_VALUE_BYTES_MAX];
    log_event(LOG_LEVEL_ERROR, "store_start_failed", "step=%s error=%s", step,
              log_value(why, buffer));
    return error;
}

static int start(struct sqlite_store *store, const struct sqlite_store_options *options)
{
    store->queue = store_queue_create(options->queue_slots, options->shards);
    if (store->queue == NULL) return log_failure("queue", strerror(ENOMEM), -ENOMEM);
    int error = sqlite_schema_open(options->path, &store->db);
    if (error != 0) return error;
    int code = sqlite_writer_init(&store->writer, store->db);
    /* The version says that the tables are ours, but they are not. */
    if (code != SQLITE_OK) return log_failure("prepare", store->writer.problem, -EBADMSG);
    code = sqlite_pruner_init(&store->pruner, store->db, &options->keep);
    if (code != SQLITE_OK) return log_failure("prepare", sqlite3_errmsg(store->db), -EBADMSG);
    error = sqlite_reader_init(&store->reader, options->path);
    if (error != 0) return error;
    error = start_thread(store, &store->writer_thread, writer_main, "store");
    store->has_writer = error == 0;
    if (error == 0) {
        error = start_thread(store, &store->reader_thread, reader_main, "store-reader");
        store->has_reader = error == 0;
    }
    return error == 0 ? 0 : log_failure("thread", strerror(-error), error);
}

size_t sqlite_store_bytes(unsigned queue_slots, unsigned shards)
{
    return sizeof(struct sqlite_store) + store_queue_bytes(queue_slots, shards);
}

int sqlite_store_create(const struct sqlite_store_options *options, struct store **ret_store)
{
    struct sqlite_store *store = calloc(1, sizeof *store);
    if (store == NULL) return log_failure("memory", strerror(ENOMEM), -ENOMEM);
    store->base.class = &sqlite_store_class;
    store->wake = options->wake;
    store->wake_context = options->wake_context;
    store->now = options->now != NULL ? options->now : clock_wall;
    store->prune_pause_ms =
        options->prune_pause_ms > 0 ? options->prune_pause_ms : SQLITE_STORE_PRUNE_PAUSE_MS;
    int error = start(store, options);
    if (error != 0) {
        sqlite_store_destroy(&store->base);
        return error;
    }
    *ret_store = &store->base;
    return 0;
}
