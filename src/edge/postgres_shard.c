/* A turn of one shard's part: what its connections bring, what is over its time, what is to be sent. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "edge/clock.h"
#include "edge/log.h"
#include "postgres_shard_priv.h"

/* How often a look-up of the host's name is asked whether it is done. */
enum { LOOKUP_EVERY_MS = 10 };

static const char breaker_problem[] = "the server fails: it is left alone for a while";

/* --- The breaker. --- */

static void log_closed(const struct postgres_shard *shard)
{
    log_event(LOG_LEVEL_INFO, "store_breaker", "shard=%u state=closed", shard->index);
}

/* With the last failure: the first one has been logged, and may have been another. */
static void log_open(const struct postgres_shard *shard, const char *problem)
{
    char value[LOG_VALUE_BYTES_MAX];
    log_event(LOG_LEVEL_ERROR, "store_breaker", "shard=%u state=open failures=%u error=%s",
              shard->index, shard->breaker.failures, log_value(problem, value));
}

void postgres_shard_on_success(struct postgres_shard *shard, mono_time now)
{
    if (!breaker_on_success(&shard->breaker)) return;
    log_closed(shard);
    for (unsigned i = 0; i < shard->link_count; i++) {
        struct link *link = &shard->links[i];
        if (link->state == STORE_LINK_DOWN) link->due = now;
    }
}

void postgres_shard_on_failure(struct postgres_shard *shard, mono_time now, const char *problem)
{
    bool was_closed = shard->breaker.state == BREAKER_CLOSED;
    if (!breaker_on_failure(&shard->breaker, &shard->prng, now) || !was_closed) return;
    shard->stats.server.breakers_opened++;
    log_open(shard, problem);
}

/* --- Deadlines. --- */

static void expire(struct postgres_shard *shard, mono_time now)
{
    for (unsigned kind = STORE_SAVED; kind <= STORE_LOADED; kind++) {
        struct call *call = calls_first(shard, (enum store_answer_kind)kind);
        while (call != NULL && !mono_is_before(now, call->due)) {
            list_remove(&call->node);
            (void)calls_answer_expired(shard, call, now); /* It is. */
            call = calls_first(shard, (enum store_answer_kind)kind);
        }
    }
    for (unsigned i = 0; i < shard->link_count; i++) {
        struct link *link = &shard->links[i];
        bool waits = link->state != STORE_LINK_DOWN && link->state != STORE_LINK_READY;
        if (waits && !mono_is_before(now, link->due)) link_expire(link, now);
    }
}

static void fail_queued(struct postgres_shard *shard)
{
    for (unsigned kind = STORE_SAVED; kind <= STORE_LOADED; kind++) {
        struct call *call;
        while ((call = calls_take(shard, (enum store_answer_kind)kind)) != NULL) {
            if (kind == STORE_SAVED) {
                store_report_failing(&shard->report, 1, breaker_problem);
                shard->is_failing = true;
            } else {
                store_report_reading_failing(&shard->report, breaker_problem);
            }
            calls_answer_failed(shard, call);
        }
    }
}

/* --- Connecting. --- */

static void ask_lookup(struct postgres_shard *shard, mono_time now)
{
    if (shard->lookup == NULL) return;
    struct addresses addresses;
    int error = lookup_result(shard->lookup, &addresses);
    if (error == -EINPROGRESS) return;
    lookup_end(shard->lookup);
    shard->lookup = NULL;
    for (unsigned i = 0; i < shard->link_count; i++) {
        struct link *link = &shard->links[i];
        if (link->state != STORE_LINK_CONNECTING || link->conn != NULL) continue;
        if (error == 0) link_on_looked_up(link, &addresses, now);
        if (error != 0) link_lose(link, now, "the host's name has no address");
    }
}

/* Some connection is about to succeed or to fail. */
static bool is_trying(const struct postgres_shard *shard)
{
    for (unsigned i = 0; i < shard->link_count; i++) {
        uint8_t state = shard->links[i].state;
        if (state != STORE_LINK_READY && state != STORE_LINK_DOWN) return true;
    }
    return false;
}

/* The one connection that tries whether the server is back. */
static void probe(struct postgres_shard *shard, mono_time now)
{
    struct link *idle = NULL;
    struct link *down = NULL;
    if (is_trying(shard)) return;
    for (unsigned i = 0; i < shard->link_count; i++) {
        struct link *link = &shard->links[i];
        if (link->state == STORE_LINK_READY) idle = link;
        if (link->state == STORE_LINK_DOWN) down = link;
    }
    if (idle == NULL) {
        link_connect(down, now);
        return;
    }
    idle->state = STORE_LINK_BUSY;
    idle->due = mono_after(now, shard->timeout_ms);
    bool is_begun = job_begin_probe(idle);
    if (is_begun) link_flush(idle, now);
    if (!is_begun) link_lose(idle, now, "the connection is gone");
}

static void connect_links(struct postgres_shard *shard, mono_time now)
{
    (void)breaker_probes(&shard->breaker, now); /* The state says it. */
    switch ((enum breaker_state)shard->breaker.state) {
    case BREAKER_OPEN: return;
    case BREAKER_HALF_OPEN: probe(shard, now); return;
    case BREAKER_CLOSED: break;
    }
    for (unsigned i = 0; i < shard->link_count; i++) {
        struct link *link = &shard->links[i];
        if (link->state == STORE_LINK_DOWN && !mono_is_before(now, link->due)) {
            link_connect(link, now);
        }
    }
}

/* --- Sending. --- */

static enum store_answer_kind kind_of(unsigned index)
{
    return index % 2 == 0 ? STORE_LOADED : STORE_SAVED;
}

static bool has_link_for(const struct postgres_shard *shard, enum store_answer_kind kind)
{
    for (unsigned i = 0; i < shard->link_count; i++) {
        if (kind_of(i) == kind && link_is_up(&shard->links[i])) return true;
    }
    return false;
}

/* What an idle connection is to do: its own kind, so that no look-up waits for a commit, or the
 * other where no connection of that kind is up. -1: nothing. */
static int next_kind(const struct postgres_shard *shard, const struct link *link)
{
    enum store_answer_kind own = kind_of(link->index);
    enum store_answer_kind other = own == STORE_SAVED ? STORE_LOADED : STORE_SAVED;
    if (link->state != STORE_LINK_READY) return -1;
    if (calls_first(shard, own) != NULL) return (int)own;
    if (calls_first(shard, other) != NULL && !has_link_for(shard, other)) return (int)other;
    return -1;
}

static void dispatch(struct postgres_shard *shard, mono_time now)
{
    for (unsigned i = 0; i < shard->link_count; i++) {
        struct link *link = &shard->links[i];
        int kind = next_kind(shard, link);
        if (kind < 0) continue;
        link->due = calls_first(shard, (enum store_answer_kind)kind)->due;
        link->state = STORE_LINK_BUSY;
        bool is_begun = kind == STORE_LOADED ? job_begin_look_ups(link) : job_begin_results(link);
        if (is_begun) link_flush(link, now);
        if (!is_begun) link_lose(link, now, "the connection is gone");
    }
}

static bool has_work(const struct postgres_shard *shard)
{
    for (unsigned i = 0; i < shard->link_count; i++) {
        if (next_kind(shard, &shard->links[i]) >= 0) return true;
    }
    return false;
}

/* --- A turn. --- */

void postgres_shard_run(struct postgres_shard *shard)
{
    struct epoll_event events[POSTGRES_CONNECTIONS_MAX];
    int count = epoll_wait(shard->epoll_fd, events, POSTGRES_CONNECTIONS_MAX, 0);
    mono_time now = clock_mono();
    for (int i = 0; i < count; i++) link_on_event(events[i].data.ptr, now);
    ask_lookup(shard, now);
    expire(shard, now);
    connect_links(shard, now);
    if (shard->breaker.state != BREAKER_CLOSED) fail_queued(shard);
    dispatch(shard, now);
    prune_run(shard, now);
    postgres_shard_publish(shard);
}

static void keep_earlier(mono_time *next, mono_time due)
{
    if (mono_is_before(due, *next)) *next = due;
}

bool postgres_shard_next_due(const struct postgres_shard *shard, mono_time *ret_due)
{
    bool is_closed = shard->breaker.state == BREAKER_CLOSED;
    mono_time next = {UINT64_MAX};
    for (unsigned kind = STORE_SAVED; kind <= STORE_LOADED; kind++) {
        const struct call *call = calls_first(shard, (enum store_answer_kind)kind);
        if (call != NULL) keep_earlier(&next, is_closed ? call->due : (mono_time){0});
    }
    for (unsigned i = 0; i < shard->link_count; i++) {
        const struct link *link = &shard->links[i];
        bool is_down = link->state == STORE_LINK_DOWN;
        if (link->state == STORE_LINK_READY || (is_down && !is_closed)) continue;
        keep_earlier(&next, link->due);
    }
    if (shard->breaker.state == BREAKER_OPEN) keep_earlier(&next, shard->breaker.until);
    if (shard->breaker.state == BREAKER_HALF_OPEN && !is_trying(shard)) next = (mono_time){0};
    mono_time prune_at;
    if (prune_is_wanted(shard, &prune_at)) keep_earlier(&next, prune_at);
    if (shard->lookup != NULL) keep_earlier(&next, mono_after(clock_mono(), LOOKUP_EVERY_MS));
    if (!list_is_empty(&shard->answered) || has_work(shard)) next = (mono_time){0};
    *ret_due = next;
    return next.ms != UINT64_MAX;
}

/* --- Look-ups that nobody waits for. --- */

static bool cancel_running(struct link *link, struct handle session)
{
    struct postgres_shard *shard = link->shard;
    struct job *job = &link->job;
    for (unsigned i = job->segment; job->kind == JOB_LOOK_UPS && i < job->count; i++) {
        struct call *call = job->calls[i];
        if (call == NULL || !handle_equal(call->handle, session)) continue;
        call->is_cancelled = true;
        if (i == job->segment) {
            link_cancel(link, clock_mono());
        } else { /* It has not begun, and is read to nobody when it has. */
            job->calls[i] = NULL;
            calls_answer_failed(shard, call);
        }
        return true;
    }
    return false;
}

void postgres_shard_cancel_load(struct postgres_shard *shard, struct handle session)
{
    struct list *queued = &shard->calls[STORE_LOADED].queued;
    for (struct list *node = queued->next; node != queued; node = node->next) {
        struct call *call = LIST_ITEM(node, struct call, node);
        if (!handle_equal(call->handle, session)) continue;
        list_remove(node);
        calls_answer_failed(shard, call);
        return;
    }
    for (unsigned i = 0; i < shard->link_count; i++) {
        if (cancel_running(&shard->links[i], session)) return;
    }
}

/* --- Figures. --- */

void postgres_shard_publish(struct postgres_shard *shard)
{
    struct store_stats *stats = &shard->stats;
    const struct calls *saves = &shard->calls[STORE_SAVED];
    const struct calls *loads = &shard->calls[STORE_LOADED];
    stats->queued = saves->unanswered;
    stats->queued_max = saves->unanswered_max;
    stats->loads_queued = loads->unanswered;
    stats->loads_queued_max = loads->unanswered_max;
    stats->server.links = shard->link_count;
    memset(stats->server.links_in, 0, sizeof stats->server.links_in);
    memset(stats->server.breakers_in, 0, sizeof stats->server.breakers_in);
    for (unsigned i = 0; i < shard->link_count; i++) {
        stats->server.links_in[shard->links[i].state]++;
    }
    stats->server.breakers_in[shard->breaker.state] = 1;
    pthread_mutex_lock(&shard->published_lock);
    shard->published = *stats;
    shard->is_healthy_published = shard->breaker.state == BREAKER_CLOSED && !shard->is_failing;
    pthread_mutex_unlock(&shard->published_lock);
}

/* --- Life. --- */

int postgres_shard_init(struct postgres_shard *shard, const struct target *target,
                        const struct postgres_store_options *options, unsigned index)
{
    struct siphash_key seed;
    shard->target = target;
    shard->index = index;
    shard->timeout_ms = options->timeout_ms;
    prune_init(shard, options);
    pthread_mutex_init(&shard->published_lock, NULL);
    int error = calls_init(shard, options->queue_slots);
    shard->links = calloc(options->connections, sizeof *shard->links);
    shard->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (error != 0 || shard->links == NULL) return -ENOMEM;
    if (shard->epoll_fd < 0) return -errno;
    shard->link_count = options->connections;
    for (unsigned i = 0; i < shard->link_count; i++) link_init(&shard->links[i], shard, i);
    ssize_t got = getrandom(&seed, sizeof seed, 0);
    QR_ASSERT(got == (ssize_t)sizeof seed);
    prng_init(&shard->prng, &seed);
    postgres_shard_publish(shard);
    return 0;
}

void postgres_shard_fini(struct postgres_shard *shard)
{
    for (unsigned i = 0; i < shard->link_count; i++) link_close(&shard->links[i]);
    lookup_end(shard->lookup);
    free(shard->links);
    calls_fini(shard);
    if (shard->epoll_fd >= 0) (void)close(shard->epoll_fd); /* It holds nothing. */
    pthread_mutex_destroy(&shard->published_lock);
}
