/* One player's connection: a non-blocking socket with the codec of load_ws.h on it.
 *
 * It reports; it does not act: link_receive() reads once, link_next() hands out what that brought,
 * one event at a time, and the caller may send or close in between. Pings are answered here, and
 * told. The caller owns the struct; after LINK_EVENT_ENDED it holds neither a descriptor nor
 * memory. One thread.
 *
 * Memory: what has come incompletely (at most a message and its header) and what the socket did not
 * take yet (at most LINK_UNSENT_BYTES_MAX) are allocated while they last. What was just read lies
 * in an inbox that all links share.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "base/prng.h"
#include "load_ws.h"

enum {
    LINK_INBOX_BYTES = 4 * WS_MESSAGE_BYTES_MAX,
    LINK_UNSENT_BYTES_MAX = 65536,
    LINK_CODE_LOST = 1006, /* No close frame came. */
};

enum link_state {
    LINK_CLOSED,
    LINK_CONNECTING,
    LINK_UPGRADING,
    LINK_OPEN,
    LINK_CLOSING, /* We have sent our close frame. */
};

struct link {
    int fd;
    int epoll;
    uint32_t token; /* What epoll gives back. */
    uint8_t state;  /* enum link_state. */
    bool is_watched_for_room;
    bool wants_room;     /* The owner does: it is told as long as there is some. */
    uint32_t bite_bytes; /* Above 0: so much is read at a time, and only when the owner wants. */
    bool has_sent_close;
    bool is_mute;        /* Answers no pings: what it gets, nobody reads any more. */
    uint16_t close_code; /* What the server's close frame said; 0: none yet. */
    struct prng *prng;   /* Keys and masks. Borrows. */
    const char *host;
    uint16_t port;
    enum ws_subprotocol subprotocol;
    char key[WS_KEY_BYTES + 1];
    uint8_t *held; /* Input whose rest has not come. Owns. */
    size_t held_bytes;
    uint8_t *fragments; /* A message's fragments so far. Owns. */
    size_t fragments_bytes;
    bool is_fragmented;
    uint8_t *unsent; /* Owns. */
    size_t unsent_bytes;
};

struct inbox {
    uint8_t bytes[LINK_INBOX_BYTES];
    size_t size;
    size_t used;
    bool is_at_end; /* The peer sends no more, or the socket failed. */
};

enum link_event_kind {
    LINK_EVENT_NONE,
    LINK_EVENT_OPENED,
    LINK_EVENT_TEXT,
    LINK_EVENT_PING, /* It has its pong already. */
    LINK_EVENT_ENDED,
};

struct link_event {
    enum link_event_kind kind;
    const char *text; /* TEXT: UTF-8, valid until the next call for this inbox. */
    size_t text_bytes;
    uint16_t close_code; /* ENDED: the server's, or LINK_CODE_LOST. */
    const char *problem; /* ENDED: what broke the rules or failed; NULL: nothing did. */
};

struct link_target {
    const struct sockaddr *address;
    socklen_t address_bytes;
    const char *host; /* For the Host field; outlives the link. */
    uint16_t port;
    enum ws_subprotocol subprotocol;
    /* Above 0: the link with this token comes from the (token % sources)-th address from
     * 127.0.0.2 on. Then `address` is IPv4. */
    uint32_t sources;
    bool has_small_buffer; /* The kernel takes as little ahead of the reader as it can. */
};

/* Begins to connect: 0, or a negative errno and nothing is held. Requires: the link is zero or
 * LINK_CLOSED. */
QR_MUST_USE int link_open(struct link *link, const struct link_target *target, int epoll,
                          uint32_t token, struct prng *prng);

/* The socket is readable, writable or broken: reads what has come into the inbox, writes what
 * waits. */
void link_receive(struct link *link, uint32_t epoll_events, struct inbox *inbox);

/* The next of what link_receive() brought; NONE: that was all, and the inbox may serve another
 * link. */
void link_next(struct link *link, struct inbox *inbox, struct link_event *ret_event);

/* False where the link is not open or too much is unsent already. */
QR_MUST_USE bool link_send_text(struct link *link, const char *text, size_t size);

/* Sends a close frame; ENDED follows when the server has answered it. Idempotent. */
void link_close(struct link *link, uint16_t code);

/* Nothing is unsent: what is sent now goes straight to the socket. */
bool link_has_room(const struct link *link);

/* From now on epoll tells the owner whenever the socket takes more. */
void link_want_room(struct link *link);

/* From now on each link_receive() reads so many bytes at most, and epoll tells only the end; 0: all
 * as before. */
void link_slow_down(struct link *link, uint32_t bytes);

/* What epoll gives back from now on. */
void link_rename(struct link *link, uint32_t token);

/* Lets go at once without a close frame: the server sees the stream end, or a reset. No event
 * follows. Idempotent. */
enum link_loss { LINK_LOSS_FIN, LINK_LOSS_RST };
void link_lose(struct link *link, enum link_loss loss);

/* Lets go at once; no event follows. Idempotent. */
void link_drop(struct link *link);
