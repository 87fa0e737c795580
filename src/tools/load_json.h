/* Reading what the server sent: fields of a parsed object, strictly.
 *
 * Names are case-sensitive; integers are exact. Pure; borrows the object. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/assert.h"

enum { JSON_EXACT_MAX_BITS = 53 };

/* Exactly one object and nothing behind it, or NULL. The caller deletes it with cJSON_Delete. */
QR_MUST_USE cJSON *json_read_object(const char *text, size_t bytes);

/* The field, or NULL. */
const cJSON *json_find(const cJSON *object, const char *name);

/* Whether it is a number that is an integer from min to max. `item` may be NULL. */
QR_MUST_USE bool json_int(const cJSON *item, int64_t min, int64_t max, int64_t *ret_value);

/* The string, or NULL. `item` may be NULL. */
const char *json_string(const cJSON *item);

/* Code points of UTF-8. */
size_t json_characters(const char *text);

/* A name that occurs twice in one object, at any depth; NULL: none does. */
const char *json_find_twice(const cJSON *item);

/* One of the names, at any depth; NULL: none of them occurs. The list ends with NULL. */
const char *json_find_any(const cJSON *item, const char *const names[]);
