/* Players' names: normalised and checked. docs/protocol.md, Limits.
 *
 * NFC, white space (of the Unicode category Zs: tabs and newlines are controls) trimmed and runs of it folded into one
 * space; then 1 to NAME_CHARACTERS_MAX code points in at most NAME_BYTES_MAX bytes, none of them a control, format
 * (bidirectional controls are), private-use, unassigned, surrogate, line or paragraph separator, or invisible
 * (default-ignorable, or a blank other than the space) character, and at least one of them visible by itself (not a
 * mark). What is assigned is what libunistring's Unicode version knows.
 *
 * Pure; works in 2 KB on the stack, and stops reading where no name can come of the text. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"
#include "base/limits.h"

/* False, and nothing written, where the name is against the limits (also where it is not UTF-8). */
QR_MUST_USE bool name_normalise(const char *text, size_t bytes, char ret_name[NAME_BYTES_MAX + 1]);
