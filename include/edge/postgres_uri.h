/* What `store` names where it is not the embedded database.
 *
 * Pure, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"

/* Whether it is a URI of ours: postgresql://, one host. The problem is a sentence without its end,
 * and never has a password in it: a URI with one is refused, since others read command lines and
 * configurations. */
QR_MUST_USE bool postgres_uri_check(const char *uri, char *ret_problem, size_t size);
