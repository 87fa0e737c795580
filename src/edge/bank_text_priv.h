/* One string of a question bank, from how it stands in the file to how players see it.
 *
 * Decoded, in NFC, trimmed; refused where it is markup, empty, too long, or has a character that
 * cannot be shown. Markup is what stands as such: "<b>" is refused, and "&lt;b&gt;" is text. Works
 * on the stack; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"
#include "base/limits.h"

enum {
    BANK_TEXT_REASON_BYTES = 80,
    /* Four bytes a character in UTF-8. */
    BANK_TEXT_BYTES_MAX = QUESTION_CHARACTERS_MAX * 4,
};

struct bank_text {
    size_t size;
    char bytes[BANK_TEXT_BYTES_MAX + 1];
};

/* False and the reason, in words that follow "`question` ". Requires: characters_max <=
 * QUESTION_CHARACTERS_MAX. */
QR_MUST_USE bool bank_text_normalise(const char *text, unsigned characters_max,
                                     struct bank_text *ret_text,
                                     char reterr_reason[BANK_TEXT_REASON_BYTES]);
