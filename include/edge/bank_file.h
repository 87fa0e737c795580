/* A question bank read from a file: decoded, checked strictly, and built into one block of memory.
 *
 * Strings: HTML entities decoded (an unknown one is an error), normalised to NFC, white space trimmed; no markup, no
 * control characters; lengths in characters within base/limits.h. Entries: choices all different, no question twice in
 * a category. Categories: at most CATEGORIES_MAX, in alphabetical order. The first fault found refuses the whole file.
 *
 * Called at start and reload only, from the main thread; the bank is read-only for every other.
 */
#pragma once

#include "base/assert.h"
#include "core/question.h"
#include "proto/bank_decode.h"

enum { BANK_FILE_BYTES_MAX = 64 * 1024 * 1024 };

/* 0 and the bank; or a negative errno: -EINVAL with the problem's line and reason (line 0: there is no question), others
 * for the file itself (with line 0 and the reason in words). The caller destroys the bank. Requires: decode_init() was called. */
QR_MUST_USE int bank_file_load(const char *path, struct bank **ret_bank,
                               struct bank_problem *reterr_problem);

void bank_destroy(struct bank *bank); /* NULL is fine. */
