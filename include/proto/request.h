/* What a client asked for, as the decoder understood it. docs/protocol.md, "Requests and replies".
 *
 * Values only, but for the strings of hello, join and ping: these lie in the decoder's arena and are valid until this
 * thread decodes again. A match that is named by a text which is no id names another match: it is read as the id of
 * zeros, which no match has.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "core/match.h"

enum request_type {
    REQUEST_HELLO,
    REQUEST_JOIN,
    REQUEST_LEAVE,
    REQUEST_ANSWER,
    REQUEST_EMOTE,
    REQUEST_PING,
};
enum { REQUEST_TYPE_COUNT = REQUEST_PING + 1 };

struct request {
    uint8_t type; /* enum request_type. */
    uint32_t id;  /* 1 … 2^31 - 1; 0: none (emote only). */
    union {
        struct {
            const char *
                name; /* Or NULL, also where token or resume say who it is. As it was sent, of any length:
                                 * name_normalise() decides, and its refusal is bad_name. */
            const char *token;   /* Or NULL. */
            const char *resume;  /* Or NULL. */
            bool has_last_match; /* With resume only, as last_seq. */
            struct id last_match;
            uint16_t last_seq; /* 0 where there was none. */
        } hello;
        struct {
            uint8_t mode;         /* enum match_mode. */
            const char *category; /* Or NULL: any. */
            bool has_rematch;
            struct id rematch; /* The match to be played again. */
        } join;
        struct {
            bool has_match;
            struct id match;
        } leave;
        struct {
            bool has_match;
            struct id match;
            uint8_t round;  /* 1 … 255: larger numbers are out of range. */
            uint8_t choice; /* 0 … 255. */
        } answer;
        struct {
            uint8_t code; /* Index of emote.h. */
        } emote;
        struct {
            const char *text; /* Or NULL: then `number`. */
            int64_t number;
        } ping;
    };
};
