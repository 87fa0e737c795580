/* cJSON in an arena: a JSON text as a tree, for the length of one message.
 *
 * The arena is the one mutable thread-local of the pure layers: DECODE_ARENA_BYTES per thread, of
 * which a page is touched when it is first needed. Parsing empties it, so a tree and its strings
 * are valid until this thread parses again; nothing is ever freed by itself.
 *
 * A message of MESSAGE_BYTES_MAX always fits (json_tree.c has the arithmetic). Any thread.
 */
#pragma once

#include <stddef.h>

#include <cjson/cJSON.h>

#include "base/assert.h"

/* Makes cJSON use the arenas. Once per process, before the first parse, from one thread. */
void json_tree_init(void);

/* NULL where the arena is too small. Requires: the text passed json_scan_value(). */
QR_MUST_USE cJSON *json_tree_parse(const char *text, size_t bytes);
