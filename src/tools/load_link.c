#include "load_link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static void draw_bytes(struct prng *prng, uint8_t *out, size_t size)
{
    for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
        uint64_t word = prng_next(prng);
        memcpy(out + at, &word, size - at < sizeof(word) ? size - at : sizeof(word));
    }
}

static void *must_allocate(void *memory)
{
    QR_ASSERT(memory != NULL); /* A generator that runs out of memory measures nothing any more. */
    return memory;
}

static void tell_epoll(const struct link *link)
{
    uint32_t in = link->bite_bytes > 0 ? EPOLLRDHUP : EPOLLIN;
    uint32_t out = link->is_watched_for_room || link->wants_room ? EPOLLOUT : 0;
    struct epoll_event event = {.events = in | out, .data.u32 = link->token};
    int result = epoll_ctl(link->epoll, EPOLL_CTL_MOD, link->fd, &event);
    QR_ASSERT(result == 0);
}

static void watch(struct link *link, bool for_room)
{
    if (link->is_watched_for_room == for_room) return;
    link->is_watched_for_room = for_room;
    tell_epoll(link);
}

bool link_has_room(const struct link *link)
{
    return link->state == LINK_OPEN && link->unsent_bytes == 0;
}

void link_want_room(struct link *link)
{
    QR_ASSERT(link->state != LINK_CLOSED);
    link->wants_room = true;
    tell_epoll(link);
}

void link_slow_down(struct link *link, uint32_t bytes)
{
    QR_ASSERT(link->state != LINK_CLOSED);
    if (link->bite_bytes == bytes) return;
    link->bite_bytes = bytes;
    tell_epoll(link);
}

void link_rename(struct link *link, uint32_t token)
{
    QR_ASSERT(link->state != LINK_CLOSED);
    link->token = token;
    tell_epoll(link);
}

/* The port is chosen by connect(), so that it only has to be free for this pair of addresses. */
static int bind_source(int fd, uint32_t index)
{
    enum { FIRST_SOURCE = INADDR_LOOPBACK + 1 };
    int on = 1;
    struct sockaddr_in source = {.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(FIRST_SOURCE + index)};
    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) != 0) return -1;
    return bind(fd, (struct sockaddr *)&source, sizeof(source));
}

int link_open(struct link *link, const struct link_target *target, int epoll, uint32_t token,
              struct prng *prng)
{
    QR_ASSERT(link->state == LINK_CLOSED);
    int fd = socket(target->address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* Only delays without it. */
    int least = 1; /* The kernel makes its own least of it. */
    if (target->has_small_buffer)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least)); /* Then it is large. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u32 = token};
    if ((target->sources > 0 && bind_source(fd, token % target->sources) != 0) ||
        (connect(fd, target->address, target->address_bytes) != 0 && errno != EINPROGRESS) ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        int error = errno;
        (void)close(fd); /* It was never used. */
        return -error;
    }
    *link = (struct link){.fd = fd,
                          .epoll = epoll,
                          .token = token,
                          .state = LINK_CONNECTING,
                          .is_watched_for_room = true,
                          .prng = prng,
                          .host = target->host,
                          .port = target->port,
                          .subprotocol = target->subprotocol};
    uint8_t nonce[WS_NONCE_BYTES];
    draw_bytes(prng, nonce, sizeof(nonce));
    ws_key_format(nonce, link->key);
    return 0;
}

void link_drop(struct link *link)
{
    if (link->state == LINK_CLOSED) return;
    (void)close(link->fd); /* Nothing is left to be lost; epoll forgets it by itself. */
    free(link->held);
    free(link->fragments);
    free(link->unsent);
    *link = (struct link){.fd = -1};
}

void link_lose(struct link *link, enum link_loss loss)
{
    if (link->state == LINK_CLOSED) return;
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (loss == LINK_LOSS_RST)
        (void)setsockopt(link->fd, SOL_SOCKET, SO_LINGER, &at_once,
                         sizeof(at_once)); /* Then it is a FIN. */
    link_drop(link);
}

/* --- Out. --- */

static void flush(struct link *link)
{
    while (link->unsent_bytes > 0) {
        ssize_t sent = send(link->fd, link->unsent, link->unsent_bytes, MSG_NOSIGNAL);
        if (sent <= 0) break; /* An error shows when it is read from. */
        link->unsent_bytes -= (size_t)sent;
        memmove(link->unsent, link->unsent + sent, link->unsent_bytes);
    }
    if (link->unsent_bytes == 0) {
        free(link->unsent);
        link->unsent = NULL;
    }
    watch(link, link->unsent_bytes > 0);
}

static bool write_bytes(struct link *link, const uint8_t *bytes, size_t size)
{
    if (link->unsent_bytes + size > LINK_UNSENT_BYTES_MAX) return false;
    ssize_t sent = 0;
    if (link->unsent_bytes == 0) {
        sent = send(link->fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0) sent = 0; /* Full; or broken, which shows when it is read from. */
        if ((size_t)sent == size) return true;
    }
    size_t left = size - (size_t)sent;
    link->unsent = must_allocate(realloc(link->unsent, link->unsent_bytes + left));
    memcpy(link->unsent + link->unsent_bytes, bytes + sent, left);
    link->unsent_bytes += left;
    watch(link, true);
    return true;
}

static bool write_frame(struct link *link, enum ws_opcode opcode, const void *payload, size_t size)
{
    enum { FRAME_BYTES_MAX = 4096 + WS_HEADER_BYTES_MAX };
    uint8_t frame[FRAME_BYTES_MAX];
    QR_ASSERT(size + WS_HEADER_BYTES_MAX <= sizeof(frame)); /* The protocol's limit for clients. */
    uint8_t mask[WS_MASK_BYTES];
    draw_bytes(link->prng, mask, sizeof(mask));
    return write_bytes(link, frame,
                       ws_frame_write(frame, sizeof(frame), opcode, payload, size, mask));
}

bool link_send_text(struct link *link, const char *text, size_t size)
{
    if (link->state != LINK_OPEN) return false;
    return write_frame(link, WS_TEXT, text, size);
}

static void send_close(struct link *link, uint16_t code)
{
    if (link->has_sent_close) return;
    link->has_sent_close = true;
    uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};
    (void)write_frame(link, WS_CLOSE, payload,
                      sizeof(payload)); /* No room: the server lets go itself. */
}

void link_close(struct link *link, uint16_t code)
{
    if (link->state != LINK_OPEN) return;
    send_close(link, code);
    link->state = LINK_CLOSING;
}

/* --- In. --- */

static void begin_upgrade(struct link *link, struct inbox *inbox)
{
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
        inbox->is_at_end = true;
        return;
    }
    char head[512];
    size_t head_bytes = ws_upgrade_write(head, sizeof(head), link->host, link->port, link->key);
    QR_ASSERT(head_bytes > 0);
    link->state = LINK_UPGRADING;
    (void)write_bytes(link, (const uint8_t *)head, head_bytes); /* The first: there is room. */
    watch(link, link->unsent_bytes > 0);
}

void link_receive(struct link *link, uint32_t epoll_events, struct inbox *inbox)
{
    inbox->used = 0;
    inbox->is_at_end = false;
    inbox->size = link->held_bytes;
    if (link->held_bytes > 0) memcpy(inbox->bytes, link->held, link->held_bytes);
    free(link->held);
    link->held = NULL;
    link->held_bytes = 0;
    if (link->state == LINK_CONNECTING) {
        if ((epoll_events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) begin_upgrade(link, inbox);
        return;
    }
    if ((epoll_events & EPOLLOUT) != 0) flush(link);
    if (link->bite_bytes > 0 && (epoll_events & EPOLLIN) == 0) return;
    size_t bytes_max = sizeof(inbox->bytes) - inbox->size;
    if (link->bite_bytes > 0 && link->bite_bytes < bytes_max) bytes_max = link->bite_bytes;
    ssize_t got = recv(link->fd, inbox->bytes + inbox->size, bytes_max, 0);
    if (got > 0) inbox->size += (size_t)got;
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) inbox->is_at_end = true;
}

static void hold_rest(struct link *link, const struct inbox *inbox)
{
    size_t rest = inbox->size - inbox->used;
    if (rest == 0) return;
    link->held = must_allocate(malloc(rest));
    memcpy(link->held, inbox->bytes + inbox->used, rest);
    link->held_bytes = rest;
}

static void end(struct link *link, const char *problem, struct link_event *ret_event)
{
    if (problem == NULL && link->close_code == 0) {
        problem = link->state == LINK_CONNECTING  ? "could not connect"
                  : link->state == LINK_UPGRADING ? "lost before the upgrade"
                                                  : "lost without a close frame";
    }
    *ret_event = (struct link_event){
        .kind = LINK_EVENT_ENDED,
        .close_code = link->close_code != 0 ? link->close_code : (uint16_t)LINK_CODE_LOST,
        .problem = problem,
    };
    link_drop(link);
}

/* One frame of a message. True: the message is whole and in the event. */
static bool take_data(struct link *link, const struct ws_frame *frame, struct link_event *event,
                      const char **reterr_problem)
{
    bool continues = frame->opcode == WS_CONTINUATION;
    if (frame->opcode == WS_BINARY) *reterr_problem = "a binary message";
    if (continues != link->is_fragmented) *reterr_problem = "fragments out of order";
    if (link->fragments_bytes + frame->payload_bytes > WS_MESSAGE_BYTES_MAX)
        *reterr_problem = "a message that is too long";
    if (*reterr_problem != NULL) return false;
    const uint8_t *bytes = frame->payload;
    size_t size = frame->payload_bytes;
    if (continues || !frame->is_final) {
        link->fragments = must_allocate(realloc(link->fragments, WS_MESSAGE_BYTES_MAX));
        memcpy(link->fragments + link->fragments_bytes, bytes, size);
        link->fragments_bytes += size;
        link->is_fragmented = !frame->is_final;
        if (!frame->is_final) return false;
        bytes = link->fragments;
        size = link->fragments_bytes;
        link->fragments_bytes = 0;
    }
    if (!ws_is_utf8(bytes, size)) {
        *reterr_problem = "text that is not UTF-8";
        return false;
    }
    *event = (struct link_event){
        .kind = LINK_EVENT_TEXT, .text = (const char *)bytes, .text_bytes = size};
    return true;
}

/* True: the event says what it was. */
static bool take_frame(struct link *link, const struct ws_frame *frame, struct link_event *event,
                       const char **reterr_problem)
{
    if (link->close_code != 0) {
        *reterr_problem = "a frame behind the close frame";
        return false;
    }
    if (frame->opcode == WS_PING) {
        if (!link->is_mute) {
            (void)write_frame(link, WS_PONG, frame->payload,
                              frame->payload_bytes); /* Full: late anyway. */
        }
        event->kind = LINK_EVENT_PING;
        return true;
    }
    if (frame->opcode == WS_CLOSE) {
        if (!ws_close_read(frame, &link->close_code)) {
            *reterr_problem = "a broken close frame";
            return false;
        }
        send_close(link,
                   link->close_code >= 3000 || link->close_code == 1000 ? link->close_code : 1000);
        link->state = LINK_CLOSING;
    }
    return frame->opcode < WS_CLOSE && take_data(link, frame, event, reterr_problem);
}

void link_next(struct link *link, struct inbox *inbox, struct link_event *ret_event)
{
    *ret_event = (struct link_event){.kind = LINK_EVENT_NONE};
    if (link->state == LINK_CLOSED) return;
    const char *problem = NULL;
    enum ws_result result = WS_MORE;
    if (link->state == LINK_UPGRADING && inbox->used < inbox->size) {
        size_t head_bytes = 0;
        result = ws_upgrade_read(inbox->bytes, inbox->size, link->key, link->subprotocol,
                                 &head_bytes, &problem);
        if (result == WS_DONE) {
            inbox->used = head_bytes;
            link->state = LINK_OPEN;
            ret_event->kind = LINK_EVENT_OPENED;
            return;
        }
    }
    while (link->state >= LINK_OPEN) {
        struct ws_frame frame;
        result =
            ws_frame_read(inbox->bytes + inbox->used, inbox->size - inbox->used, &frame, &problem);
        if (result != WS_DONE) break;
        inbox->used += frame.frame_bytes;
        if (take_frame(link, &frame, ret_event, &problem)) return;
        if (problem != NULL) break;
    }
    if (problem != NULL || inbox->is_at_end)
        end(link, problem, ret_event);
    else
        hold_rest(link, inbox);
}
