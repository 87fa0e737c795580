/* A client's first frame must be masked (RFC 6455, 5.1). libwebsockets does not mind, so the frame is looked at in the
 * socket before libwebsockets reads any of it. Who masks the first masks all; who does not speaks another protocol. */

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "worker_priv.h"

/* False: what decides has not come yet. */
static bool look(struct worker *worker, struct conn *conn)
{
    enum { OPCODE, LENGTH, BYTES, MASK_BIT = 0x80 };
    uint8_t bytes[BYTES];
    ssize_t size = recv(conn->first_frame.fd, bytes, BYTES, MSG_PEEK);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (size <= 0) return true; /* The connection has ended; libwebsockets will see it. */
    if (size < BYTES) return false;
    if ((bytes[LENGTH] & MASK_BIT) == 0) ws_close_later(worker, conn, 1002, "unmasked");
    return true;
}

int first_frame_expect(struct worker *worker, struct conn *conn)
{
    conn->first_frame = (struct source){SOURCE_FIRST_FRAME, lws_get_socket_fd(conn->wsi)};
    if (look(worker, conn)) return 0; /* It came with the head. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET,
                                .data.ptr = &conn->first_frame};
    if (epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, conn->first_frame.fd, &event) < 0) return -errno;
    conn->is_first_frame_due = true;
    ws_apply_pause(worker, conn);
    return 0;
}

void first_frame_on_ready(struct worker *worker, struct conn *conn, bool has_ended)
{
    if (!look(worker, conn) && !has_ended) return;
    first_frame_forget(worker, conn);
    ws_apply_pause(worker, conn);
}

void first_frame_forget(struct worker *worker, struct conn *conn)
{
    if (!conn->is_first_frame_due) return;
    conn->is_first_frame_due = false;
    (void)epoll_ctl(worker->epoll_fd, EPOLL_CTL_DEL, conn->first_frame.fd,
                    NULL); /* It is in there. */
}
