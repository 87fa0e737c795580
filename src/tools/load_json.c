#include "load_json.h"

#include <math.h>
#include <string.h>

cJSON *json_read_object(const char *text, size_t bytes)
{
    const char *end = NULL;
    cJSON *object = cJSON_ParseWithLengthOpts(text, bytes, &end, false);
    if (cJSON_IsObject(object) && end == text + bytes) return object;
    cJSON_Delete(object);
    return NULL;
}

const cJSON *json_find(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

bool json_int(const cJSON *item, int64_t min, int64_t max, int64_t *ret_value)
{
    if (!cJSON_IsNumber(item)) return false;
    double value = item->valuedouble;
    double bound = (double)(INT64_C(1) << JSON_EXACT_MAX_BITS);
    if (!(value >= -bound && value <= bound) || value != floor(value)) return false;
    if ((int64_t)value < min || (int64_t)value > max) return false;
    *ret_value = (int64_t)value;
    return true;
}

const char *json_string(const cJSON *item)
{
    return cJSON_IsString(item) ? item->valuestring : NULL;
}

size_t json_characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        if (((unsigned char)*text & 0xc0) != 0x80) count++;
    return count;
}

/* strcmp() for names, most of which differ in the first letter: done for every pair of a message. */
static bool is_same_name(const char *a, const char *b)
{
    return a[0] == b[0] && strcmp(a, b) == 0;
}

static bool name_follows(const cJSON *item)
{
    for (const cJSON *other = item->next; other != NULL; other = other->next)
        if (is_same_name(item->string, other->string)) return true;
    return false;
}

/* The recursions below end: cJSON refuses what is nested deeper than CJSON_NESTING_LIMIT. */

const char *json_find_twice(const cJSON *item)
{
    for (const cJSON *child = item->child; child != NULL; child = child->next) {
        if (cJSON_IsObject(item) && name_follows(child)) return child->string;
        const char *deeper = json_find_twice(child);
        if (deeper != NULL) return deeper;
    }
    return NULL;
}

const char *json_find_any(const cJSON *item, const char *const names[])
{
    for (const cJSON *child = item->child; child != NULL; child = child->next) {
        for (unsigned index = 0; cJSON_IsObject(item) && names[index] != NULL; index++)
            if (is_same_name(child->string, names[index])) return names[index];
        const char *deeper = json_find_any(child, names);
        if (deeper != NULL) return deeper;
    }
    return NULL;
}
