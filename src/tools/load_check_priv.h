/* What the checker's two halves share: one message being read. load_check.c has the envelope,
 * requests and replies; load_check_match.c what belongs to a match. */
#pragma once

#include <cjson/cJSON.h>

#include "load_check.h"

struct reading {
    struct check *check;
    const cJSON *object;
    const char *type;
    const char *text; /* The message as it came. */
    size_t bytes;
    uint64_t now_us;
    struct news *news;
    struct verdict *verdict;
};

/* Notes a violation; the text names what is wrong. */
__attribute__((format(printf, 2, 3))) void fail(struct reading *reading, const char *format, ...);

/* Each reads one required field and fails where it is missing, of another type or out of range;
 * false then, and *ret_value is untouched. */
bool need_int(struct reading *reading, const cJSON *object, const char *field, int64_t min,
              int64_t max, int64_t *ret_value);
bool need_bool(struct reading *reading, const cJSON *object, const char *field, bool *ret_value);
/* From 1 to `characters_max` characters. */
bool need_string(struct reading *reading, const cJSON *object, const char *field,
                 size_t characters_max, const char **ret_text);
/* An integer, or null: then *ret_is_null. */
bool need_int_or_null(struct reading *reading, const cJSON *object, const char *field, int64_t min,
                      int64_t max, int64_t *ret_value, bool *ret_is_null);
/* An array of min to max items. */
bool need_array(struct reading *reading, const cJSON *object, const char *field, int min, int max,
                const cJSON **ret_array);

/* A point in time: Unix milliseconds of this century. */
bool need_wall(struct reading *reading, const cJSON *object, const char *field, int64_t *ret_value);

void read_match(struct reading *reading);
void read_round(struct reading *reading);
void read_answered(struct reading *reading);
void read_reveal(struct reading *reading);
void read_peer(struct reading *reading);
void read_saving(struct reading *reading);
void read_end(struct reading *reading);
void read_emote(struct reading *reading);

/* The receipt. `request`: what it answers. */
void read_accepted(struct reading *reading, const struct check_request *request);
