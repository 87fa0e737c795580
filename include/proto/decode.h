/* Bytes to requests: the only reader of clients' JSON.
 *
 * Every message is hostile. The reader takes strict JSON (RFC 8259: no control characters in strings, nothing behind
 * the object, nesting up to DECODE_DEPTH_MAX, numbers of at most 63 characters, no half surrogate pairs), refuses
 * strings with \u0000, looks fields up case-sensitively, takes the first of duplicate keys, and ignores fields that it
 * does not know. One function reads integers and refuses 2.5, 1e30 and "2".
 *
 * An error repeats the `id` wherever that could be read, even where `type` is missing or a string holds \u0000.
 *
 * cJSON works in an arena of its own per thread (DECODE_ARENA_BYTES), emptied at each message: nothing is allocated
 * from the heap, nothing outlives the next call on this thread. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "core/refusal.h"
#include "proto/request.h"

enum {
    DECODE_DEPTH_MAX = 8,
    DECODE_ARENA_BYTES = 256 * 1024,
};

/* Why a message is no request, and as much as could be read for the answer. */
struct problem {
    uint8_t refusal;     /* enum refusal: BAD_JSON, BAD_MESSAGE or UNKNOWN_TYPE. */
    uint32_t request_id; /* 0: no usable id; the error goes without one. */
    bool is_silent;      /* A broken emote without an id: it gets no answer. */
    char message[96];    /* English, for developers; names the field. */
};

/* Makes cJSON use the arenas. Once per process, before the first decode, from one thread. */
void decode_init(void);

/* False and the problem, or true and the request. Requires: bytes <= MESSAGE_BYTES_MAX; valid UTF-8. */
QR_MUST_USE bool decode_request(const char *text, size_t bytes, struct request *ret_request,
                                struct problem *reterr_problem);
