/* Connections from accept to the end of their HTTP head: cheap while they say nothing, bounded in
 * number and time. */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge/clock.h"
#include "edge/log.h"
#include "worker_priv.h"

enum {
    NEWCOMERS_US = 1000, /* Of a turn; who says its head at once takes some 60. */
    ROUNDS_PER_TURN = 256,
    ROUNDS_WHERE_OTHERS_LEAVE = 8, /* Half of ENDS_PER_TURN. */
    HEAD_SHARE = 16,               /* A sixteenth of all places is many for one address. */
};

static int watch(struct worker *worker, struct source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = source};
    return epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, source->fd, &event) < 0 ? -errno : 0;
}

int accept_init(struct worker *worker)
{
    uint32_t count = worker->shared->half_open_max;
    list_init(&worker->open_heads);
    list_init(&worker->ready_heads);
    for (unsigned i = 0; i < HEAD_ORIGINS; i++) list_init(&worker->heads_from[i]);
    list_init(&worker->free_heads);
    worker->heads = calloc(count, sizeof(struct head));
    if (worker->heads == NULL) return -ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        list_append(&worker->free_heads, &worker->heads[i].node);
    }
    worker->stats.half_open_bound = count;
    int error = watch(worker, &worker->listener, EPOLLIN);
    if (error == 0 && worker->admin.fd >= 0) error = watch(worker, &worker->admin, EPOLLIN);
    return error;
}

/* Gives the place back; the socket is somebody else's by now, or closed. */
static void free_head(struct worker *worker, struct head *head)
{
    list_remove(&head->node);
    list_remove(&head->from_node);
    list_remove(&head->ready_node);
    worker->heads_from_count[head->from]--;
    head->source.fd = -1;
    list_append(&worker->free_heads, &head->node);
    worker->stats.half_open--;
}

static void close_head(struct worker *worker, struct head *head)
{
    (void)close(head->source.fd); /* Nothing was promised to it. */
    free_head(worker, head);
}

void accept_fini(struct worker *worker)
{
    while (worker->heads != NULL && !list_is_empty(&worker->open_heads)) {
        close_head(worker, LIST_ITEM(worker->open_heads.next, struct head, node));
    }
    free(worker->heads);
    worker->heads = NULL;
}

/* Which part of the net it is: an IPv4 address, or the half of an IPv6 address that one customer has. */
static uint16_t origin_of(const struct sockaddr_storage *peer)
{
    uint64_t net = 0;
    if (peer->ss_family == AF_INET) {
        net = ((const struct sockaddr_in *)(const void *)peer)->sin_addr.s_addr;
    } else if (peer->ss_family == AF_INET6) {
        const struct in6_addr *at = &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr;
        memcpy(&net, IN6_IS_ADDR_V4MAPPED(at) ? at->s6_addr + 8 : at->s6_addr, sizeof(net));
    }
    return (uint16_t)((net * UINT64_C(0x9E3779B97F4A7C15)) >> 56);
}

/* Where all places are taken one has to go. Whoever has many is served from its own: the oldest of it. Who has few takes
 * the oldest of all, so that a flood keeps out nobody who comes from elsewhere and says its head at once. */
static void make_place(struct worker *worker, uint16_t from)
{
    if (!list_is_empty(&worker->free_heads)) return;
    bool has_many = worker->heads_from_count[from] > worker->shared->half_open_max / HEAD_SHARE;
    struct head *head = has_many ? LIST_ITEM(worker->heads_from[from].next, struct head, from_node)
                                 : LIST_ITEM(worker->open_heads.next, struct head, node);
    worker->stats.refused_handshake++;
    close_head(worker, head);
}

static void refuse(struct worker *worker, struct head *head, const char *response)
{
    int fd = head->source.fd;
    char rest[HEAD_BYTES_MAX];
    /* What is unread would turn the close into a reset, and the answer could be lost with it. */
    for (unsigned i = 0; i < 4; i++) {
        if (recv(fd, rest, sizeof(rest), MSG_DONTWAIT) < (ssize_t)sizeof(rest)) break;
    }
    (void)send(fd, response, strlen(response),
               MSG_DONTWAIT | MSG_NOSIGNAL); /* As far as it goes. */
    (void)shutdown(fd, SHUT_WR);             /* The close follows anyway. */
    close_head(worker, head);
}

enum admit accept_admit(const struct worker *worker, uint32_t players)
{
    const struct worker_shared *shared = worker->shared;
    if (players < shared->connections_max && !worker->admission.is_crowded) return ADMIT_ANYBODY;
    bool has_room = players < shared->connections_max + shared->returning_max &&
                    shard_returning(worker->shard) < worker->returning_bound;
    return has_room ? ADMIT_RETURNING : ADMIT_NOBODY;
}

/* Where it drains and no match is left, nobody has anything to come back to: whoever still came would only put off the
 * end. */
static bool is_over(const struct worker_shared *shared)
{
    if (!atomic_load(&shared->is_draining)) return false;
    for (unsigned i = 0; i < shared->count; i++) {
        if (worker_has_matches(shared->workers[i])) return false;
    }
    return true;
}

static void hand_over(struct worker *worker, struct head *head, const struct head_found *found)
{
    char bytes[HEAD_BYTES_MAX];
    int fd = head->source.fd;
    /* libwebsockets registers it in its own loop. */
    (void)epoll_ctl(worker->epoll_fd, EPOLL_CTL_DEL, fd, NULL); /* It is in there. */
    free_head(worker, head);
    /* Exactly the head: the frames behind it stay in the socket, or libwebsockets would lose them.
     */
    if (recv(fd, bytes, found->bytes, 0) != (ssize_t)found->bytes) {
        (void)close(fd); /* It was there a moment ago: the peer has reset. */
        return;
    }
    ws_adopt(worker, fd, found->forwarded);
}

static void look_at(struct worker *worker, struct head *head)
{
    char bytes[HEAD_BYTES_MAX];
    ssize_t size = recv(head->source.fd, bytes, sizeof(bytes), MSG_PEEK);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) {
        close_head(worker, head);
        return;
    }
    struct head_found found;
    switch (head_look(&worker->shared->head_rules, bytes, (size_t)size, &found)) {
    case HEAD_INCOMPLETE:
        if (head->has_ended) close_head(worker, head);
        break;
    case HEAD_HTTP: hand_over(worker, head, &found); break;
    case HEAD_UPGRADE:
        if (head->is_admin) {
            worker->stats.refused_handshake++;
            refuse(worker, head, head_response_not_found);
        } else if (is_over(worker->shared) ||
                   accept_admit(worker, atomic_load(&worker->shared->players)) == ADMIT_NOBODY) {
            worker->stats.refused_full++;
            refuse(worker, head, head_response_full);
        } else {
            hand_over(worker, head, &found);
        }
        break;
    case HEAD_REFUSED:
        worker->stats.refused_handshake++;
        refuse(worker, head, found.response);
        break;
    }
}

static void begin_head(struct worker *worker, int fd, bool is_admin, uint16_t from, mono_time now)
{
    int one = 1;
    make_place(worker, from);
    struct list *node = list_take_first(&worker->free_heads);
    struct head *head = LIST_ITEM(node, struct head, node);
    *head = (struct head){
        .source = {SOURCE_HEAD, fd}, .is_admin = is_admin, .accepted_at = now, .from = from};
    list_init(&head->ready_node);
    list_append(&worker->open_heads, &head->node);
    list_append(&worker->heads_from[from], &head->from_node);
    worker->heads_from_count[from]++;
    worker->stats.half_open++;
    if (worker->stats.half_open > worker->stats.half_open_max_seen) {
        worker->stats.half_open_max_seen = worker->stats.half_open;
    }
    /* Without it small frames wait for the peer's ACK; it works as well, only slower. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    /* The second net under the shard's pings; without it the kernel sends again for a quarter of an
     * hour. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &worker->shared->silence_ms,
                     sizeof(worker->shared->silence_ms));
    /* Edge-triggered: the bytes stay in the socket while the head is not whole. */
    if (watch(worker, &head->source, EPOLLIN | EPOLLRDHUP | EPOLLET) < 0) {
        close_head(worker, head);
        return;
    }
    look_at(worker, head); /* Its head may be here already. */
}

/* The listeners stay ready while nobody is accepted from them. */
static void listen_for(struct worker *worker, uint32_t events)
{
    struct source *listeners[] = {&worker->listener, &worker->admin};
    for (unsigned i = 0; i < 2; i++) {
        struct epoll_event event = {.events = events, .data.ptr = listeners[i]};
        if (listeners[i]->fd < 0) continue;
        /* It is in there. */
        (void)epoll_ctl(worker->epoll_fd, EPOLL_CTL_MOD, listeners[i]->fd, &event);
    }
}

/* Files or memory are used up: it is tried again when some may have been given back. */
static void on_accept_failed(struct worker *worker, int error, mono_time now)
{
    enum { ACCEPT_AGAIN_MS = 100, LOG_EVERY_MS = 10000 };
    worker->stats.accept_failed++;
    worker->accept_again_at = mono_after(now, ACCEPT_AGAIN_MS);
    listen_for(worker, 0);
    bool is_told = worker->accept_logged_at.ms > 0 &&
                   mono_elapsed(worker->accept_logged_at, now) < LOG_EVERY_MS;
    if (is_told) return;
    worker->accept_logged_at = now;
    char value[LOG_VALUE_BYTES_MAX];
    log_event(LOG_LEVEL_WARNING, "accept_failed", "shard=%u error=%s", worker->index,
              log_value(strerror(error), value));
}

/* False: nobody waits there. */
static bool accept_one(struct worker *worker, const struct source *source, mono_time now)
{
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof(peer);
    int fd = accept4(source->fd, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        bool is_usual = errno == EAGAIN || errno == ECONNABORTED || errno == EINTR;
        if (!is_usual) on_accept_failed(worker, errno, now);
        return false;
    }
    worker->stats.accepted++;
    begin_head(worker, fd, source->kind == SOURCE_ADMIN, origin_of(&peer), now);
    return true;
}

void accept_on_listener(struct worker *worker, const struct source *source)
{
    if (source->kind == SOURCE_ADMIN) {
        worker->is_admin_ready = true;
    } else {
        worker->is_listener_ready = true;
    }
}

void accept_on_head(struct worker *worker, struct head *head, uint32_t events)
{
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) head->has_ended = true;
    if (!list_is_linked(&head->ready_node)) list_append(&worker->ready_heads, &head->ready_node);
}

static bool expire_one(struct worker *worker, mono_time now)
{
    if (list_is_empty(&worker->open_heads)) return false;
    struct head *oldest = LIST_ITEM(worker->open_heads.next, struct head, node);
    if (mono_elapsed(oldest->accepted_at, now) < worker->shared->head_timeout_ms) return false;
    worker->stats.handshake_timeouts++;
    close_head(worker, oldest);
    return true;
}

static bool look_at_one(struct worker *worker)
{
    struct list *node = list_take_first(&worker->ready_heads);
    if (node == NULL) return false;
    look_at(worker, LIST_ITEM(node, struct head, ready_node));
    return true;
}

/* One of each, so that none of these waits for a flood of another. False: nothing is left. */
static bool serve_round(struct worker *worker, mono_time now)
{
    worker->is_admin_ready = worker->is_admin_ready && accept_one(worker, &worker->admin, now);
    worker->is_listener_ready =
        worker->is_listener_ready && accept_one(worker, &worker->listener, now);
    bool has_looked = look_at_one(worker);
    return expire_one(worker, now) || has_looked || worker->is_listener_ready ||
           worker->is_admin_ready;
}

void accept_run(struct worker *worker, mono_time now)
{
    if (worker->accept_again_at.ms > 0 && !mono_is_before(now, worker->accept_again_at)) {
        worker->accept_again_at.ms = 0;
        listen_for(worker, EPOLLIN);
    }
    /* Peers that have gone hold their places until they are closed: they leave faster than others come. */
    unsigned rounds = list_is_empty(&worker->held) ? ROUNDS_PER_TURN : ROUNDS_WHERE_OTHERS_LEAVE;
    uint64_t began_us = clock_us();
    while (rounds-- > 0 && serve_round(worker, now) && !worker_is_over(began_us, NEWCOMERS_US))
        continue;
    worker->is_listener_ready = worker->is_admin_ready =
        false; /* What still waits there is told again. */
}

bool accept_next_due(const struct worker *worker, mono_time *ret_at)
{
    bool is_held = worker->accept_again_at.ms > 0;
    if (is_held) *ret_at = worker->accept_again_at;
    if (list_is_empty(&worker->open_heads)) return is_held;
    const struct head *oldest = LIST_ITEM(worker->open_heads.next, struct head, node);
    mono_time at = mono_after(oldest->accepted_at, worker->shared->head_timeout_ms);
    if (!is_held || mono_is_before(at, *ret_at)) *ret_at = at;
    return true;
}
