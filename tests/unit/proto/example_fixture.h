/* The server's messages written again from what an example of docs/protocol.md says: the values are
 * read with cJSON, the bytes come from the encoders. */
#pragma once

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "proto/wire.h"

enum { EXAMPLE_TYPES_MAX = 32 };

/* False where there is no message of this type. */
bool example_find_type(const char *type, unsigned *ret_index);

/* The index'th type of the server's messages, or NULL beyond the last. */
const char *example_type(unsigned index);

/* Writes the message of type `index` that has the example's values. A value that is missing fails
 * the test. */
void example_write(unsigned index, const cJSON *example, struct wire *out);
