/* Writing JSON into a wire. For the encoders, and for the decoders' sentences.
 *
 * Commas come by themselves: a value or key that follows another in the same array or object is
 * separated from it. Every function appends all of its piece or, where that does not fit, sets
 * is_overflown; from then on nothing is written. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "proto/wire.h"

/* The bytes as they stand: no comma, no quotes, no escapes. */
void wire_append(struct wire *wire, const char *text);
void wire_append_int(struct wire *wire, int64_t number);

/* A sentence in an array of chars: begins it empty; ends it with a NUL, for which there is always
 * room. */
void wire_begin_text(struct wire *wire, char *text, uint32_t text_bytes);
void wire_end_text(struct wire *wire);

void wire_open_object(struct wire *wire);
void wire_close_object(struct wire *wire);
void wire_open_array(struct wire *wire);
void wire_close_array(struct wire *wire);

/* A member's name; its value is written next. Requires: nothing in `key` needs an escape. */
void wire_key(struct wire *wire, const char *key);

/* `text` is UTF-8 and passes as it is but for quotes, backslashes and control characters. */
void wire_string(struct wire *wire, const char *text);
void wire_int(struct wire *wire, int64_t number);
void wire_bool(struct wire *wire, bool value);
void wire_null(struct wire *wire);

/* A member: name and value. */
void wire_member_string(struct wire *wire, const char *key, const char *text);
void wire_member_int(struct wire *wire, const char *key, int64_t number);
void wire_member_bool(struct wire *wire, const char *key, bool value);
void wire_member_null(struct wire *wire, const char *key);
void wire_member_id(struct wire *wire, const char *key, const struct id *id);
void wire_member_array(struct wire *wire, const char *key); /* Opens it. */

/* The beginning of every message, and its end. */
void wire_open_message(struct wire *wire, const char *type);
void wire_close_message(struct wire *wire);
