/* The head of an HTTP request, looked at before libwebsockets gets the socket.
 *
 * libwebsockets takes any WebSocket version, falls back to a default where the client offers other subprotocols only,
 * and pays dearly for connections that never say anything. So the head is read here first: a connection that has not
 * said its head yet costs a few words. Pure functions of the bytes; the worker does the reading.
 */
#pragma once

#include <stddef.h>

enum { HEAD_BYTES_MAX = 4096 };

enum head_verdict {
    HEAD_INCOMPLETE,
    HEAD_HTTP,    /* A plain request: libwebsockets answers it. */
    HEAD_UPGRADE, /* A WebSocket handshake on /ws, version 13, with our subprotocol or none. */
    HEAD_REFUSED, /* Answered with *ret_response, and closed. */
};

/* Looks at what has arrived. `ret_bytes` is the length of the head with its empty line (HTTP and UPGRADE);
 * `ret_response` a constant, whole HTTP response (REFUSED). */
enum head_verdict head_look(const char *bytes, size_t size, size_t *ret_bytes,
                            const char **ret_response);

/* The responses to a handshake that there is no room for, and to one where there is no game. */
extern const char head_response_full[];
extern const char head_response_not_found[];
