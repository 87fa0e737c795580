/* The client's side of RFC 6455 as pure functions: the handshake, frames, UTF-8.
 *
 * Independent of the library that serves: what a server must not send is WS_BROKEN with a reason.
 * Bytes in, values out; nothing is stored, nothing is allocated; pointers in results point into the
 * bytes given. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"

#define WS_SUBPROTOCOL "quizrush.v1"

enum {
    WS_NONCE_BYTES = 16,
    WS_KEY_BYTES = 24,    /* The nonce in base64. */
    WS_ACCEPT_BYTES = 28, /* 20 bytes of SHA-1 in base64. */
    WS_HEAD_BYTES_MAX = 4096,
    WS_CONTROL_BYTES_MAX = 125,
    WS_HEADER_BYTES_MAX = 14,
    /* Above the largest message of the protocol (a round of 6 choices in escapes) by a factor of
       four. */
    WS_MESSAGE_BYTES_MAX = 65536,
    WS_MASK_BYTES = 4,
};

enum ws_opcode {
    WS_CONTINUATION = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
};

enum ws_result {
    WS_MORE, /* The bytes end too early. */
    WS_DONE,
    WS_BROKEN,
};

struct ws_frame {
    uint8_t opcode; /* enum ws_opcode. */
    bool is_final;
    const uint8_t *payload;
    size_t payload_bytes;
    size_t frame_bytes; /* The header included. */
};

void ws_key_format(const uint8_t nonce[WS_NONCE_BYTES], char ret_key[WS_KEY_BYTES + 1]);

/* What the server must answer a key with. */
void ws_accept_format(const char key[WS_KEY_BYTES + 1], char ret_accept[WS_ACCEPT_BYTES + 1]);

/* The request for /ws; its length, or 0 where `capacity` is too small. */
size_t ws_upgrade_write(char *out, size_t capacity, const char *host, uint16_t port,
                        const char key[WS_KEY_BYTES + 1]);

/* Whether the server has to take the subprotocol. */
enum ws_subprotocol { WS_SUBPROTOCOL_NEEDED, WS_SUBPROTOCOL_OPTIONAL };

/* The answer to it: 101, all four header fields, and no extension. `ret_head_bytes`: what it took.
 */
QR_MUST_USE enum ws_result ws_upgrade_read(const uint8_t *bytes, size_t size,
                                           const char key[WS_KEY_BYTES + 1],
                                           enum ws_subprotocol subprotocol, size_t *ret_head_bytes,
                                           const char **reterr_reason);

/* Writes one final, masked frame; returns its length. Requires: capacity >= size +
 * WS_HEADER_BYTES_MAX. */
size_t ws_frame_write(uint8_t *out, size_t capacity, enum ws_opcode opcode, const void *payload,
                      size_t size, const uint8_t mask[WS_MASK_BYTES]);

/* Reads the first frame. Broken: masked, reserved bits or opcodes, a length in more bytes than it
 * needs, too large, a control frame that is fragmented or longer than 125 bytes. */
QR_MUST_USE enum ws_result ws_frame_read(const uint8_t *bytes, size_t size,
                                         struct ws_frame *ret_frame, const char **reterr_reason);

/* A close frame's payload: the code (1005 where there is none). False: one byte only, a code that
 * must not be sent, or a reason that is not UTF-8. */
QR_MUST_USE bool ws_close_read(const struct ws_frame *frame, uint16_t *ret_code);

bool ws_is_utf8(const uint8_t *bytes, size_t size);
