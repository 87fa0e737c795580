/* One connection, from the first packet to the last, without ever waiting for the server. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "edge/log.h"
#include "postgres_shard_priv.h"

/* How long a query that was cancelled has to end; then the connection is closed. */
enum { CANCEL_WAIT_MS = 1000 };

void link_init(struct link *link, struct postgres_shard *shard, unsigned index)
{
    memset(link, 0, sizeof *link);
    link->shard = shard;
    link->index = index;
    link->fd = -1;
}

bool link_is_up(const struct link *link)
{
    return link->state >= STORE_LINK_READY;
}

/* --- Losing it. --- */

void link_close(struct link *link)
{
    /* Fails where libpq has closed it itself. */
    if (link->fd >= 0) (void)epoll_ctl(link->shard->epoll_fd, EPOLL_CTL_DEL, link->fd, NULL);
    PQfinish(link->conn); /* The socket does not block: nor does saying goodbye. */
    link->conn = NULL;
    link->fd = -1;
    link->events = 0;
    link->serial++;
    link->job.syncs = 0;
    link->awaits_cancel = false;
    link->state = STORE_LINK_DOWN;
}

static void note_lost(struct postgres_shard *shard, const char *problem)
{
    shard->stats.server.lost++;
    if (shard->links_lost++ > 0) return;
    char value[LOG_VALUE_BYTES_MAX];
    log_event(LOG_LEVEL_WARNING, "store_connection_lost", "shard=%u error=%s", shard->index,
              log_value(problem, value));
}

void link_lose(struct link *link, mono_time now, const char *problem)
{
    struct postgres_shard *shard = link->shard;
    note_lost(shard, problem);
    postgres_shard_on_failure(shard, now, problem);
    job_give_up(link, now);
    link_close(link); /* And with it the problem's text. */
    link->failures++;
    link->due = mono_after(now, backoff_ms(&shard->prng, link->failures));
}

/* With libpq's words, which hold no password. */
static void lose(struct link *link, mono_time now)
{
    char problem[PROBLEM_BYTES];
    (void)snprintf(problem, sizeof problem, "%s", PQerrorMessage(link->conn)); /* Cut is fine. */
    problem[strcspn(problem, "\n")] = '\0';
    link_lose(link, now, problem[0] != '\0' ? problem : "the connection is gone");
}

/* --- Watching and sending. --- */

/* While it connects libpq may go through several sockets, also of the same number. */
static bool watch(struct link *link, uint32_t events)
{
    int fd = PQsocket(link->conn);
    if (fd < 0) return false;
    bool is_watched = fd == link->fd && events == link->events;
    if (is_watched && link->state != STORE_LINK_CONNECTING) return true;
    struct epoll_event event = {.events = events, .data.ptr = link};
    if (epoll_ctl(link->shard->epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0 &&
        epoll_ctl(link->shard->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        return false;
    }
    link->fd = fd;
    link->events = events;
    return true;
}

void link_flush(struct link *link, mono_time now)
{
    int left = PQflush(link->conn);
    uint32_t events = left == 1 ? EPOLLIN | EPOLLOUT : EPOLLIN;
    if (left < 0 || !watch(link, events)) lose(link, now);
}

/* --- Connecting. --- */

static void ignore_notice(void *context, const char *message)
{
    (void)context;
    (void)message; /* libpq's own way is to print it. */
}

static void begin_connecting(struct link *link, const struct addresses *addresses, mono_time now)
{
    link->conn = target_connect(link->shard->target, addresses);
    if (link->conn == NULL || PQstatus(link->conn) == CONNECTION_BAD) {
        lose(link, now);
        return;
    }
    (void)PQsetNoticeProcessor(link->conn, ignore_notice, NULL); /* Gives the former one. */
    if (!watch(link, EPOLLOUT)) lose(link, now);
}

void link_connect(struct link *link, mono_time now)
{
    struct postgres_shard *shard = link->shard;
    static const struct addresses as_in_uri;
    link->state = STORE_LINK_CONNECTING;
    link->due = mono_after(now, shard->timeout_ms);
    if (shard->target->host[0] == '\0') {
        begin_connecting(link, &as_in_uri, now);
        return;
    }
    if (shard->lookup == NULL) shard->lookup = lookup_begin(shard->target);
    if (shard->lookup == NULL) link_lose(link, now, "the host's name cannot be looked up");
}

void link_on_looked_up(struct link *link, const struct addresses *addresses, mono_time now)
{
    if (link->state == STORE_LINK_CONNECTING && link->conn == NULL) {
        begin_connecting(link, addresses, now);
    }
}

static void prepare(struct link *link, mono_time now)
{
    link->state = STORE_LINK_PREPARING;
    bool is_begun = PQsetnonblocking(link->conn, 1) == 0 && PQenterPipelineMode(link->conn) == 1 &&
                    job_begin_prepare(link);
    if (is_begun) link_flush(link, now);
    if (!is_begun) lose(link, now);
}

static void go_on_connecting(struct link *link, mono_time now)
{
    switch (PQconnectPoll(link->conn)) {
    case PGRES_POLLING_READING:
        if (!watch(link, EPOLLIN)) lose(link, now);
        return;
    case PGRES_POLLING_WRITING:
        if (!watch(link, EPOLLOUT)) lose(link, now);
        return;
    case PGRES_POLLING_OK: prepare(link, now); return;
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE: lose(link, now); return;
    }
}

/* --- Reading. --- */

static void note_ready(struct link *link)
{
    struct postgres_shard *shard = link->shard;
    shard->stats.server.connected++;
    link->failures = 0;
    if (shard->links_lost == 0) return;
    log_event(LOG_LEVEL_INFO, "store_connected", "shard=%u lost=%llu", shard->index,
              (unsigned long long)shard->links_lost);
    shard->links_lost = 0;
}

/* All that it had to do has come back. */
static void on_idle(struct link *link, mono_time now)
{
    if (link->state == STORE_LINK_CANCELLING) {
        if (!link->awaits_cancel) link->state = STORE_LINK_READY;
        return;
    }
    if (link->state == STORE_LINK_PREPARING) note_ready(link);
    unsigned cancels = link->job.target;
    bool was_cancel = link->job.kind == JOB_CANCEL;
    link->job.kind = JOB_NONE;
    link->state = STORE_LINK_READY;
    postgres_shard_on_success(link->shard, now);
    if (!was_cancel) return;
    struct link *target = &link->shard->links[cancels];
    if (target->state == STORE_LINK_CANCELLING && target->job.syncs == 0) on_idle(target, now);
}

/* False: it is lost. */
static bool read_results(struct link *link, mono_time now)
{
    unsigned ends = 0;
    while (link->job.syncs > 0 && !PQisBusy(link->conn)) {
        PGresult *result = PQgetResult(link->conn);
        if (result == NULL) {
            if (++ends > 1) return false; /* Between two statements there is one. */
            continue;
        }
        ends = 0;
        bool is_sync = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        bool is_right = is_sync ? job_on_sync(link) : job_on_result(link, result);
        PQclear(result);
        if (is_right) continue;
        char problem[PROBLEM_BYTES];
        memcpy(problem, link->job.problem, sizeof problem);
        link_lose(link, now, problem);
        return true;
    }
    return PQstatus(link->conn) != CONNECTION_BAD;
}

void link_on_event(struct link *link, mono_time now)
{
    if (link->conn == NULL) return; /* Lost in the same turn. */
    if (link->state == STORE_LINK_CONNECTING) {
        go_on_connecting(link, now);
        return;
    }
    bool is_busy = link->state != STORE_LINK_READY;
    if (PQconsumeInput(link->conn) != 1 || !read_results(link, now)) {
        lose(link, now);
        return;
    }
    if (link->conn == NULL) return;
    link_flush(link, now);
    if (link->conn != NULL && is_busy && link->job.syncs == 0) on_idle(link, now);
}

/* --- Deadlines. --- */

static struct link *find_idle(struct postgres_shard *shard)
{
    for (unsigned i = 0; i < shard->link_count; i++) {
        if (shard->links[i].state == STORE_LINK_READY) return &shard->links[i];
    }
    return NULL;
}

/* By another connection of the pool: libpq's own request for it blocks. Where none is idle it is
 * closed, and the server sees that within check_interval_ms (postgres_job.c). */
void link_cancel(struct link *link, mono_time now)
{
    struct postgres_shard *shard = link->shard;
    shard->stats.server.cancelled++;
    job_give_up(link, now);
    struct link *by = find_idle(shard);
    if (by == NULL) {
        link_close(link);
        link->due = mono_after(now, backoff_ms(&shard->prng, link->failures));
        return;
    }
    link->state = STORE_LINK_CANCELLING;
    link->due = mono_after(now, CANCEL_WAIT_MS);
    link->awaits_cancel = true;
    by->state = STORE_LINK_BUSY;
    by->due = mono_after(now, shard->timeout_ms);
    bool is_begun = job_begin_cancel(by, link);
    if (is_begun) link_flush(by, now);
    if (!is_begun) lose(by, now);
}

void link_expire(struct link *link, mono_time now)
{
    bool has_calls =
        link->job.kind == JOB_LOOK_UPS || link->job.kind == JOB_READ || link->job.kind == JOB_WRITE;
    if (link->state != STORE_LINK_BUSY || !has_calls) {
        link_lose(link, now, "timed out");
        return;
    }
    postgres_shard_on_failure(link->shard, now, "timed out");
    link_cancel(link, now);
}
