/* The least that speaks WebSocket: one epoll loop, the handshake, whole text messages, a write for
 * what is sent. It is what benchmarks hold the daemon against, and no server: nobody is refused, a
 * client that does not read is dropped, and what it receives is not checked.
 *
 * One thread, no state but by file descriptor; raw_serve() returns only when it cannot begin.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    RAW_FDS_MAX = 65536,
    RAW_MESSAGE_BYTES_MAX = 4096, /* Of a client; a longer one ends the connection. */
    RAW_HEADER_BYTES_MAX = 4,     /* Of what is sent: at most 65,535 bytes each. */
};

struct raw_calls {
    void (*on_wake)(void *context); /* At the beginning of each iteration. May be NULL. */
    void (*on_text)(void *context, int fd, const char *text, size_t size);
    void (*on_closed)(void *context, int fd); /* An open one; the number is free. May be NULL. */
    /* At the end of each iteration: how long to wait at most, in ms; -1 for ever. May be NULL. */
    int (*on_turn)(void *context);
};

/* Takes connections on 127.0.0.1. */
int raw_serve(uint16_t port, const struct raw_calls *calls, void *context);

/* An unmasked frame's header before `size` bytes; returns its size, at most RAW_HEADER_BYTES_MAX. */
size_t raw_header(uint8_t *out, uint8_t first, size_t size);

/* In one write. What the socket does not take at once shuts it down. */
void raw_write(int fd, const void *bytes, size_t size);

/* The command line's number, or the end of the program. */
unsigned raw_number(const char *text, unsigned max);

#define RAW_TEXT 0x81 /* The first byte of a whole text frame. */
#define RAW_PING 0x89
