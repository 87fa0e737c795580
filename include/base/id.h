/* 128-bit identifiers of players, matches and questions, and their text form.
 *
 * Player and match ids are UUIDs of version 7 (RFC 9562): a time prefix keeps the store's indexes
 * compact, 74 random bits make them unguessable enough to be shown. An id proves nothing: that is
 * the session's and the token's part.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

struct id {
    uint8_t bytes[16];
};

enum { ID_TEXT_BYTES = 36, ID_RANDOM_BYTES = 10 };

/* A version 7 UUID from the wall clock, 48 bits of it, and ten random bytes, of which 74 bits are
 * used. */
struct id id_make(wall_time now, const uint8_t random[ID_RANDOM_BYTES]);

bool id_equal(const struct id *a, const struct id *b);
bool id_is_none(const struct id *id);

/* Writes 36 characters in lower case and a NUL. */
void id_format(const struct id *id, char ret_text[ID_TEXT_BYTES + 1]);

/* Reads exactly the form that id_format writes, in either case. False, and nothing written, where
 * it is another. */
bool id_parse(const char *text, uint32_t text_bytes, struct id *ret_id);
