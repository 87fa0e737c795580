/* The head of an HTTP request, looked at before libwebsockets gets the socket.
 *
 * A connection that has not said its head yet costs a few words here, and much in libwebsockets. What libwebsockets
 * then gets is never the client's own head but one that is written here, of the parts that it needs: on some heads that
 * it does not expect it gives no answer at all, on others it loops. Pure functions of the bytes; the worker does the
 * reading.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HEAD_SUBPROTOCOL "quizrush.v1"

enum {
    HEAD_BYTES_MAX = 4096,
    HEAD_PATH_BYTES_MAX = 128, /* Of a plain request: nothing that is served has a longer one. */
    HEAD_FORWARDED_BYTES_MAX = 256 /* Either head that is passed on, with its NUL. */
};

/* What a WebSocket handshake must be like. */
struct head_rules {
    const char *path;
    bool takes_other_subprotocols; /* Serves who offers others only, without one. */
};

enum head_verdict {
    HEAD_INCOMPLETE,
    HEAD_HTTP,    /* GET or HEAD: libwebsockets answers it. */
    HEAD_UPGRADE, /* A WebSocket handshake as the rules want it, version 13. */
    HEAD_REFUSED, /* Answered with `response`, and closed. */
};

struct head_found {
    size_t bytes;                             /* HTTP, UPGRADE: of the head with its empty line. */
    char forwarded[HEAD_FORWARDED_BYTES_MAX]; /* HTTP, UPGRADE: what is passed on instead. */
    const char *response;                     /* REFUSED: a constant, whole HTTP response. */
};

/* Looks at what has arrived. */
enum head_verdict head_look(const struct head_rules *rules, const char *bytes, size_t size,
                            struct head_found *ret_found);

/* The responses to a handshake that there is no room for, and to one where there is no game. */
extern const char head_response_full[];
extern const char head_response_not_found[];
