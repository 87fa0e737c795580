/* Each player's connection in an epoll set of ours, beside libwebsockets' own, for two things that libwebsockets does
 * not see or cannot put off:
 *
 * - A client's first frame must be masked (RFC 6455, 5.1). libwebsockets does not mind, so the frame is looked at in the
 *   socket before libwebsockets reads any of it. Who masks the first masks all; who does not speaks another protocol.
 * - A peer that has gone costs libwebsockets a close, which is dear (docs/architecture.md, libwebsockets). When
 *   thousands go at once those who stay would wait for all of these, since what is ready is served in order. So the
 *   end is seen here first, for some microseconds each, and shown to libwebsockets for some of them in each turn. */

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "epoll_slice_priv.h"
#include "worker_priv.h"

enum {
    EVENTS_PER_LOOK = EPOLL_SLICE,
    LOOK_US = 1000,     /* Ends of some 4 each; the rest comes before anything else is read. */
    ENDS_PER_TURN = 16, /* Of 40 to 50 microseconds each. */
};

int watch_create(struct worker *worker)
{
    worker->watched = (struct source){SOURCE_WATCHED, epoll_create1(EPOLL_CLOEXEC)};
    return worker->watched.fd < 0 ? -errno : 0;
}

static int set(const struct worker *worker, struct conn *conn, int op)
{
    uint32_t events = EPOLLRDHUP | EPOLLET;
    if (conn->is_first_frame_due) events |= EPOLLIN;
    struct epoll_event event = {.events = events, .data.ptr = conn};
    return epoll_ctl(worker->watched.fd, op, lws_get_socket_fd(conn->wsi), &event) < 0 ? -errno : 0;
}

/* --- The first frame. --- */

/* False: what decides has not come yet. */
static bool look_at_frame(struct worker *worker, struct conn *conn)
{
    enum { OPCODE, LENGTH, BYTES, MASK_BIT = 0x80 };
    uint8_t bytes[BYTES];
    ssize_t size = recv(lws_get_socket_fd(conn->wsi), bytes, BYTES, MSG_PEEK);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (size <= 0) return true; /* The connection has ended; libwebsockets will see it. */
    if (size < BYTES) return false;
    if ((bytes[LENGTH] & MASK_BIT) == 0) ws_close_later(worker, conn, 1002, "unmasked");
    return true;
}

void watch_no_frame(struct worker *worker, struct conn *conn)
{
    if (!conn->is_first_frame_due) return;
    conn->is_first_frame_due = false;
    (void)set(worker, conn, EPOLL_CTL_MOD); /* It is in there. */
}

int watch_begin(struct worker *worker, struct conn *conn)
{
    conn->is_first_frame_due = !look_at_frame(worker, conn); /* It may have come with the head. */
    int error = set(worker, conn, EPOLL_CTL_ADD);
    if (error != 0) return error;
    conn->is_watched = true;
    if (conn->is_first_frame_due) ws_apply_pause(worker, conn);
    return 0;
}

void watch_end(struct worker *worker, struct conn *conn)
{
    list_remove(&conn->held_node);
    if (!conn->is_watched) return;
    conn->is_watched = false;
    /* It is in there. */
    (void)epoll_ctl(worker->watched.fd, EPOLL_CTL_DEL, lws_get_socket_fd(conn->wsi), NULL);
}

/* --- The end. --- */

static void hold(struct worker *worker, struct conn *conn)
{
    if (conn->is_held) return;
    conn->is_held = true;
    if (!conn->is_shut) ws_apply_pause(worker, conn);
    list_append(&worker->held, &conn->held_node);
}

static void let_go(struct worker *worker, unsigned count)
{
    struct list *node;
    while (count-- > 0 && (node = list_take_first(&worker->held)) != NULL) {
        struct conn *conn = LIST_ITEM(node, struct conn, held_node);
        conn->is_held = false;
        if (conn->is_shut) {
            list_remove(&conn->node); /* Nothing is left to be read or said. */
            ws_kill_later(worker, conn);
        } else {
            ws_apply_pause(worker, conn);
        }
    }
}

static void on_event(struct worker *worker, struct conn *conn, uint32_t events)
{
    bool has_ended = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (conn->is_first_frame_due && (look_at_frame(worker, conn) || has_ended)) {
        watch_no_frame(worker, conn);
        ws_apply_pause(worker, conn);
    }
    if (has_ended) hold(worker, conn);
}

/* False: nothing more is ready. */
static bool look(struct worker *worker)
{
    struct epoll_event events[EVENTS_PER_LOOK];
    int count = epoll_wait(worker->watched.fd, events, EVENTS_PER_LOOK, 0);
    for (int i = 0; i < count; i++) on_event(worker, events[i].data.ptr, events[i].events);
    return count == EVENTS_PER_LOOK;
}

bool watch_run(struct worker *worker, bool is_ready)
{
    uint64_t began_us = clock_us();
    while (is_ready && look(worker)) {
        if (worker_is_over(began_us, LOOK_US)) return false;
    }
    let_go(worker, ENDS_PER_TURN);
    return true;
}
