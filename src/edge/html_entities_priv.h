/* HTML character references: the named ones of HTML 4, and numeric ones.
 *
 * Strict: a reference that is unknown or unfinished is an error, and so is an ampersand that begins
 * none, unless a space follows it. Pure but for libxml2's constant table. Any thread.
 */
#pragma once

#include <stdbool.h>

#include "base/assert.h"

enum { HTML_ENTITY_BYTES_MAX = 33 };

/* Decodes into `ret_text`, which has room for as many bytes as `text`: no reference is shorter than
 * what it stands for. (They may be the same.) False, and what stands at the ampersand: `ret_text`
 * is then undefined. */
QR_MUST_USE bool html_entities_decode(const char *text, char *ret_text,
                                      char reterr_entity[HTML_ENTITY_BYTES_MAX]);
