/* A strict recogniser of JSON texts (RFC 8259), run over every text before cJSON sees it.
 *
 * cJSON is lenient: it takes control characters for white space, "01" and "1." for numbers,
 * "\uZZZZ" for a NUL. What passes here is JSON by the letter, so that both readers see the same
 * thing. It builds nothing and keeps nothing; its stack is a byte per level. Two bounds of its own:
 * nesting up to the caller's depth, and numbers of JSON_NUMBER_BYTES_MAX, which is as much as cJSON
 * reads.
 *
 * The cursor is the caller's. Every function advances it over what it recognised; after a fault it
 * stands where the text stops making sense. O(bytes).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"

enum { JSON_DEPTH_MAX = 16, JSON_NUMBER_BYTES_MAX = 63 };

enum json_fault {
    JSON_FAULT_NONE,
    JSON_FAULT_SYNTAX,
    JSON_FAULT_DEPTH,
    JSON_FAULT_CONTROL,
    JSON_FAULT_NUMBER,
    JSON_FAULT_ESCAPE,
    JSON_FAULT_SURROGATE,
};

struct json_scan {
    const char *text; /* Borrows. */
    size_t bytes;
    size_t at;
    enum json_fault fault;
    bool has_nul; /* A string held \u0000: JSON, but no C string can hold it. */
};

/* What is wrong, as an English sentence. Requires: not JSON_FAULT_NONE. */
const char *json_fault_text(enum json_fault fault);

void json_skip_space(struct json_scan *scan);

/* Whether the byte at the cursor is `byte`; if so steps over it. */
bool json_take(struct json_scan *scan, char byte);

/* One value, with white space before it. False, and `fault` set, where there is none or it nests
 * deeper than depth_max. Requires: depth_max <= JSON_DEPTH_MAX. */
QR_MUST_USE bool json_scan_value(struct json_scan *scan, unsigned depth_max);

/* A member's name and colon, with white space around them; the cursor then stands at the value. */
QR_MUST_USE bool json_scan_key(struct json_scan *scan);

/* Moves the cursor from the brace of an object to the value of its member `index`, from 0.
 * Requires: the object is JSON and has such a member. */
void json_seek_member(struct json_scan *scan, unsigned index);
