/* The table of configuration keys, for what parses, checks and prints them.
 *
 * A row is all there is to know about a key; conf.h has its field. Constant.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/conf.h"

enum conf_kind { CONF_NUMBER, CONF_TEXT };

struct conf_key {
    const char *name;
    enum conf_kind kind;
    bool is_reloadable; /* A running daemon may take a new value. */
    size_t offset;      /* Of the field in struct conf. */
    uint32_t number_min;
    uint32_t number_max;
    uint32_t number_default;
    const char *text_default;
    bool (*is_number_right)(uint32_t number); /* NULL: the bounds are all. */
    bool (*is_text_right)(const char *text);
    /* What is wrong with a text that the function above does not take, as the beginning of a
     * sentence; NULL: that it is not what is wanted. */
    void (*explain_text)(const char *text, char *ret_problem, size_t size);
    const char *wanted; /* What the function above takes, in words; NULL without one. */
    const char *what;   /* One sentence that begins with an ordinary word. */
};

enum { CONF_KEY_COUNT = 39 };

extern const struct conf_key conf_keys[CONF_KEY_COUNT];

/* NULL where there is no such key. */
const struct conf_key *conf_key_find(const char *name);

/* The key that a mistyped name is likely to mean; NULL where none is near. */
const struct conf_key *conf_key_nearest(const char *name);

/* The key's field. */
uint32_t *conf_key_number(const struct conf_key *key, struct conf *conf);
char *conf_key_text(const struct conf_key *key, struct conf *conf);
