/* A shard's part of the PostgreSQL store: its calls, its connections, its breaker.
 *
 *     postgres_store.c   struct store_class; start, stop, figures
 *     postgres_shard.c   a turn: deadlines, connections that are due, what is queued
 *     postgres_calls.c   calls in their slots, from the queue to the answer
 *     postgres_link.c    one connection: connect, send, read, lose, cancel
 *     postgres_job.c     what a connection does at a time
 *
 * All of it is the shard's thread's; other threads see the copy of the figures, under a mutex.
 * Bounded: calls by their slots, connections by the configuration, what one of them has in its
 * pipeline by JOB_CALLS_MAX.
 */
#pragma once

#include <pthread.h>
#include <sys/epoll.h>

#include "base/list.h"
#include "postgres_breaker_priv.h"
#include "postgres_statement_priv.h"
#include "postgres_target_priv.h"
#include "store_report_priv.h"

enum {
    JOB_CALLS_MAX = 32,   /* Look-ups in one pipeline. */
    JOB_RESULTS_MAX = 32, /* Results: about 15 statements each. */
    PROBLEM_BYTES = 256,
    SQLSTATE_BYTES = 6,
};

/* --- Calls: postgres_calls.c. --- */

struct call {
    struct list node; /* Free, queued, or answered; in none while it runs. */
    struct handle handle;
    mono_time asked_at;
    mono_time due;
    uint8_t kind; /* enum store_answer_kind. */
    bool is_cancelled;
    struct id player; /* Of a look-up. */
    struct match_result *result;
    struct store_answer answer;
};

/* Of one kind. */
struct calls {
    struct list free;
    struct list queued; /* By their deadlines. */
    unsigned unanswered;
    unsigned unanswered_max;
};

/* --- Connections. --- */

enum job_kind {
    JOB_NONE,
    JOB_PREPARE,
    JOB_PROBE,
    JOB_LOOK_UPS,
    JOB_READ,
    JOB_WRITE,
    JOB_CANCEL,
    JOB_PRUNE
};

/* What is in the pipeline. It is made of segments, each a transaction, each ended by a sync. */
struct job {
    uint8_t kind;     /* enum job_kind. */
    unsigned count;   /* Calls. */
    unsigned segment; /* The one whose results come. */
    unsigned syncs;   /* Segments that are to come. */
    unsigned command; /* The next result is this one's, within the segment. */
    unsigned failed_command;
    char sqlstate[SQLSTATE_BYTES]; /* The segment's first error, of that command; "": none. */
    char problem[PROBLEM_BYTES];
    struct call *calls[JOB_CALLS_MAX];
    bool is_saved
        [JOB_RESULTS_MAX]; /* Committed, now or before: JOB_WRITE answers when that is synced. */
    struct stored_player players[JOB_RESULTS_MAX * MATCH_PLAYERS_MAX]; /* JOB_READ; no one twice. */
    unsigned player_count;
    int64_t pruned;                          /* JOB_PRUNE: rows. */
    unsigned segment_calls[JOB_RESULTS_MAX]; /* JOB_WRITE: whose each segment is, */
    unsigned segment_count;                  /* and how many; then one that syncs them. */
    int64_t version;                         /* JOB_PREPARE, JOB_PROBE: the schema's. */
    unsigned target;                         /* JOB_CANCEL: the link whose query is ended, */
    uint64_t target_serial;                  /* if it is still that connection. */
};

struct postgres_shard;

struct link {
    struct postgres_shard *shard;
    unsigned index;
    uint8_t state; /* enum store_link_state. */
    PGconn *conn;
    int fd;          /* What epoll watches; -1: none. */
    uint32_t events; /* What it watches it for. */
    mono_time due;   /* DOWN: to connect; else: to be where it goes, or lost. */
    unsigned failures;
    uint64_t serial;    /* One more with each connection. */
    bool awaits_cancel; /* CANCELLING: the request is on its way by another link. */
    struct job job;
};

struct postgres_shard {
    const struct target *target;
    unsigned index;
    uint32_t timeout_ms;
    int epoll_fd;
    struct prng prng;
    struct breaker breaker;
    struct store_report report;
    uint64_t links_lost; /* Since the last one was made. */
    bool is_failing;     /* The last result failed for another reason than its own. */
    struct lookup *lookup;
    struct store_retention keep; /* Nothing to delete, but on the first shard. */
    wall_time (*now)(void);
    uint32_t prune_pause_ms;
    mono_time prune_at;
    struct calls calls[STORE_LOADED + 1]; /* By kind. */
    struct list answered;
    unsigned link_count;
    struct link *links;
    struct call *call_memory;
    struct match_result *result_memory;
    struct store_stats stats;
    pthread_mutex_t published_lock;
    struct store_stats published;
    bool is_healthy_published;
};

/* --- postgres_calls.c --- */

QR_MUST_USE int calls_init(struct postgres_shard *shard, unsigned slots);
void calls_fini(struct postgres_shard *shard);
size_t calls_bytes(unsigned slots);
/* A free one, not queued yet; NULL: all are taken. */
struct call *calls_acquire(struct postgres_shard *shard, enum store_answer_kind kind);
void calls_queue(struct postgres_shard *shard, struct call *call);
void calls_requeue(struct postgres_shard *shard, struct call *call); /* First. */
/* The first one, off the queue; NULL: none. */
struct call *calls_take(struct postgres_shard *shard, enum store_answer_kind kind);
void calls_answer_saved(struct postgres_shard *shard, struct call *call, bool is_saved);
void calls_answer_loaded(struct postgres_shard *shard, struct call *call, enum load_outcome outcome,
                         const struct player_record *record);
void calls_answer_failed(struct postgres_shard *shard, struct call *call);
/* Where it found its deadline, or nobody waits for it; true: it is answered. */
bool calls_answer_expired(struct postgres_shard *shard, struct call *call, mono_time now);
unsigned calls_take_answers(struct postgres_shard *shard, struct store_answer answers[],
                            unsigned max);
/* The first one that is queued, or NULL. */
struct call *calls_first(const struct postgres_shard *shard, enum store_answer_kind kind);

/* --- postgres_job.c: puts a job into an idle link's pipeline; or takes its results. --- */

/* False: the connection is of no use any more. */
QR_MUST_USE bool job_begin_prepare(struct link *link);
QR_MUST_USE bool job_begin_probe(struct link *link);
QR_MUST_USE bool job_begin_look_ups(struct link *link);
QR_MUST_USE bool job_begin_results(struct link *link);
QR_MUST_USE bool job_begin_prune(struct link *link);
QR_MUST_USE bool job_begin_cancel(struct link *link, const struct link *target);
/* False: the connection is of no use any more; `problem` says why. */
QR_MUST_USE bool job_on_result(struct link *link, const PGresult *result);
QR_MUST_USE bool job_on_sync(struct link *link);
/* Takes the calls off the job: those that found their deadline, or are cancelled, are answered, the
 * others queued again. */
void job_give_up(struct link *link, mono_time now);

/* --- postgres_prune.c: what has been kept for long enough, a slice at a time. --- */

void prune_init(struct postgres_shard *shard, const struct postgres_store_options *options);
/* Whether a slice may begin on an idle link for results, once `ret_at` has come. */
bool prune_is_wanted(const struct postgres_shard *shard, mono_time *ret_at);
/* Begins one where it is due. */
void prune_run(struct postgres_shard *shard, mono_time now);
void prune_on_done(struct postgres_shard *shard, int64_t rows, const char *problem);
/* The least id of a match that is to be kept; false: all are. */
bool prune_oldest_kept(uint32_t keep_days, wall_time now, struct id *ret_id);

/* --- postgres_link.c --- */

void link_init(struct link *link, struct postgres_shard *shard, unsigned index);
void link_connect(struct link *link, mono_time now);
void link_on_event(struct link *link, mono_time now);
/* Sends what the pipeline holds, and waits for the rest to be sent. */
void link_flush(struct link *link, mono_time now);
/* Its query is ended at the server; what it still brings finds nobody. */
void link_cancel(struct link *link, mono_time now);
/* What it was to have done by now it has not. */
void link_expire(struct link *link, mono_time now);
void link_lose(struct link *link, mono_time now, const char *problem);
void link_close(struct link *link);
bool link_is_up(const struct link *link);
/* For one that waits for the host's addresses. */
void link_on_looked_up(struct link *link, const struct addresses *addresses, mono_time now);

/* --- postgres_shard.c --- */

QR_MUST_USE int postgres_shard_init(struct postgres_shard *shard, const struct target *target,
                                    const struct postgres_store_options *options, unsigned index);
void postgres_shard_fini(struct postgres_shard *shard);
void postgres_shard_run(struct postgres_shard *shard);
bool postgres_shard_next_due(const struct postgres_shard *shard, mono_time *ret_due);
void postgres_shard_cancel_load(struct postgres_shard *shard, struct handle session);
void postgres_shard_publish(struct postgres_shard *shard);
void postgres_shard_on_success(struct postgres_shard *shard, mono_time now);
void postgres_shard_on_failure(struct postgres_shard *shard, mono_time now, const char *problem);
