#include "raw_ws.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

enum {
    EVENTS = 1024,
    BACKLOG = 4096,
    KEY_BYTES = 24,
    MASK_BYTES = 4,
    HEADER_BYTES = 8, /* Of a client's frame of 126 to 65,535 bytes. */
    READ_BYTES = 65536,
    OPCODE_TEXT = 1,
    OPCODE_CLOSE = 8,
    OPCODE_PING = 9,
};

enum conn_state { CONN_NONE, CONN_UPGRADING, CONN_OPEN };

/* What a connection has sent of a frame or head that is not whole. */
struct held {
    uint8_t bytes[RAW_MESSAGE_BYTES_MAX + HEADER_BYTES];
};

struct raw {
    const struct raw_calls *calls;
    void *context;
    int epoll;
    int listener;
    uint8_t states[RAW_FDS_MAX]; /* enum conn_state */
    uint16_t held_bytes[RAW_FDS_MAX];
    struct held *held; /* RAW_FDS_MAX; pages that are never used are never there. */
    uint8_t in[sizeof(struct held) + READ_BYTES];
};

size_t raw_header(uint8_t *out, uint8_t first, size_t size)
{
    out[0] = first;
    if (size < 126) {
        out[1] = (uint8_t)size;
        return 2;
    }
    out[1] = 126;
    out[2] = (uint8_t)(size >> 8);
    out[3] = (uint8_t)size;
    return 4;
}

void raw_write(int fd, const void *bytes, size_t size)
{
    if (send(fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size) return;
    (void)shutdown(fd, SHUT_RDWR); /* The loop hears of it. */
}

unsigned raw_number(const char *text, unsigned max)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0' && value <= max)
        return (unsigned)value;
    fprintf(stderr, "not a number from 0 to %u: %s\n", max, text);
    exit(2);
}

static bool upgrade(struct raw *raw, int fd, char *head)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455, 1.3. */
    static const char name[] = "Sec-WebSocket-Key: ";
    const char *key = strstr(head, name);
    if (key == NULL) return false;
    char text[KEY_BYTES + sizeof(guid)];
    memcpy(text, key + sizeof(name) - 1, KEY_BYTES);
    memcpy(text + KEY_BYTES, guid, sizeof(guid));
    uint8_t digest[SHA_DIGEST_LENGTH];
    SHA1((const uint8_t *)text, KEY_BYTES + sizeof(guid) - 1, digest);
    char accept[2 * SHA_DIGEST_LENGTH];
    (void)EVP_EncodeBlock((uint8_t *)accept, digest, sizeof(digest)); /* 28 characters. */
    char reply[256];
    int size = snprintf(reply, sizeof(reply),
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
                        "Sec-WebSocket-Protocol: quizrush.v1\r\n\r\n",
                        accept);
    raw->states[fd] = CONN_OPEN;
    raw_write(fd, reply, (size_t)size);
    return true;
}

/* True: the connection goes on. */
static bool take(struct raw *raw, int fd, unsigned opcode, uint8_t *payload, size_t size)
{
    if (opcode == OPCODE_TEXT) raw->calls->on_text(raw->context, fd, (char *)payload, size);
    if (opcode != OPCODE_PING && opcode != OPCODE_CLOSE) return true;
    uint8_t reply[2 + 125];
    if (size > 125) return false;
    size_t header = raw_header(reply, opcode == OPCODE_PING ? 0x8a : 0x88, size);
    memcpy(reply + header, payload, size);
    raw_write(fd, reply, header + size);
    return opcode != OPCODE_CLOSE;
}

/* Of a frame at `bytes`: how long it is; 0: not all is there, -1: it is none that is taken. */
static ssize_t take_frame(struct raw *raw, int fd, uint8_t *bytes, size_t size)
{
    if (size < 2) return 0;
    size_t length = bytes[1] & 0x7f, at = 2;
    if ((bytes[1] & 0x80) == 0 || length == 127) return -1;
    if (length == 126) {
        if (size < 4) return 0;
        length = (size_t)bytes[2] << 8 | bytes[3];
        at = 4;
    }
    if (length > RAW_MESSAGE_BYTES_MAX) return -1;
    if (size < at + MASK_BYTES + length) return 0;
    uint8_t *payload = bytes + at + MASK_BYTES;
    uint64_t mask = 0;
    memcpy(&mask, bytes + at, MASK_BYTES);
    mask |= mask << 32;
    size_t i = 0;
    for (; i + sizeof(mask) <= length; i += sizeof(mask)) {
        uint64_t word;
        memcpy(&word, payload + i, sizeof(word));
        word ^= mask;
        memcpy(payload + i, &word, sizeof(word));
    }
    for (; i < length; i++) payload[i] ^= bytes[at + i % MASK_BYTES];
    if (!take(raw, fd, bytes[0] & 0x0f, payload, length)) return -1;
    return (ssize_t)(at + MASK_BYTES + length);
}

/* How many of the bytes are used; -1: the connection ends. */
static ssize_t take_bytes(struct raw *raw, int fd, uint8_t *bytes, size_t size)
{
    size_t at = 0;
    if (raw->states[fd] == CONN_UPGRADING) {
        uint8_t *end = memmem(bytes, size, "\r\n\r\n", 4);
        if (end == NULL) return 0;
        *end = '\0';
        if (!upgrade(raw, fd, (char *)bytes)) return -1;
        at = (size_t)(end - bytes) + 4;
    }
    while (at < size) {
        ssize_t used = take_frame(raw, fd, bytes + at, size - at);
        if (used < 0) return -1;
        if (used == 0) break;
        at += (size_t)used;
    }
    return (ssize_t)at;
}

static void end_connection(struct raw *raw, int fd)
{
    bool was_open = raw->states[fd] == CONN_OPEN;
    raw->states[fd] = CONN_NONE;
    raw->held_bytes[fd] = 0;
    (void)close(fd); /* Nothing is left that could fail. */
    if (was_open && raw->calls->on_closed != NULL) raw->calls->on_closed(raw->context, fd);
}

static void receive(struct raw *raw, int fd)
{
    size_t held = raw->held_bytes[fd];
    ssize_t got = recv(fd, raw->in + held, READ_BYTES, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        end_connection(raw, fd);
        return;
    }
    if (held > 0) memcpy(raw->in, raw->held[fd].bytes, held);
    size_t size = held + (size_t)got;
    ssize_t used = take_bytes(raw, fd, raw->in, size);
    if (used < 0 || size - (size_t)used > sizeof(raw->held[fd].bytes)) {
        end_connection(raw, fd);
        return;
    }
    size_t rest = size - (size_t)used;
    raw->held_bytes[fd] = (uint16_t)rest;
    if (rest > 0) memcpy(raw->held[fd].bytes, raw->in + used, rest);
}

static void accept_all(struct raw *raw)
{
    int fd;
    while ((fd = accept4(raw->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        int one = 1;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (fd >= RAW_FDS_MAX || epoll_ctl(raw->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
            (void)close(fd); /* It was never used. */
            continue;
        }
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* Later is late only. */
        raw->states[fd] = CONN_UPGRADING;
    }
}

static int begin(struct raw *raw, uint16_t port)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files); /* Fewer connections, then. */
    }
    raw->held = calloc(RAW_FDS_MAX, sizeof(*raw->held));
    raw->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    raw->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (raw->held == NULL || raw->listener < 0 || raw->epoll < 0) return -1;
    int one = 1;
    if (setsockopt(raw->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0) return -1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(raw->listener, (struct sockaddr *)&address, sizeof(address)) < 0) return -1;
    if (listen(raw->listener, BACKLOG) < 0) return -1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = raw->listener};
    return epoll_ctl(raw->epoll, EPOLL_CTL_ADD, raw->listener, &event);
}

int raw_serve(uint16_t port, const struct raw_calls *calls, void *context)
{
    struct raw *raw = calloc(1, sizeof(*raw));
    if (raw == NULL) return EXIT_FAILURE;
    raw->calls = calls;
    raw->context = context;
    if (begin(raw, port) < 0) {
        perror("cannot listen");
        free(raw->held);
        free(raw);
        return EXIT_FAILURE;
    }
    int wait_ms = -1;
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(raw->epoll, events, EVENTS, wait_ms);
        if (calls->on_wake != NULL) calls->on_wake(context);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == raw->listener)
                accept_all(raw);
            else
                receive(raw, events[i].data.fd);
        }
        if (calls->on_turn != NULL) wait_ms = calls->on_turn(context);
    }
}
