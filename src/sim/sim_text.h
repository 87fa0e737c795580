/* Reads single fields out of the shards' messages. Their writer is proto/encode*.c: one line, members in a fixed order,
 * no spaces. This is no JSON reader on purpose: what checks the writer has no code of the reader's.
 *
 * Pure; no state. A field that must be there and is not fails by sim_failed().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"

/* Whether the message is of this type. */
bool text_is_of(const char *text, const char *type);

/* The number behind `key`; 0: the key is not there. */
uint32_t text_number(const char *text, const char *key);

bool text_id(const char *text, const char *key, struct id *ret_id);

/* Behind the next `key`; fails where it is missing. */
const char *text_behind(const char *text, const char *key);

/* The number, or -1 where it says null, that stands at the next `key`; *text is left behind it. */
int64_t text_take_number(const char **text, const char *key);
