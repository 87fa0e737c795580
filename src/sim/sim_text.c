#include "sim_text.h"

#include <stdlib.h>
#include <string.h>

#include "sim_failed.h"

bool text_is_of(const char *text, const char *type)
{
    static const char head[] = "{\"type\":\"";
    /* By hand: asked several times of every message, and most are told apart by one letter. */
    for (unsigned i = 0; i < sizeof(head) - 1; i++) {
        if (text[i] != head[i]) return false;
    }
    text += sizeof(head) - 1;
    while (*type != '\0') {
        if (*text++ != *type++) return false;
    }
    return *text == '"';
}

uint32_t text_number(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at == NULL ? 0 : (uint32_t)strtoul(at + strlen(key), NULL, 10);
}

bool text_id(const char *text, const char *key, struct id *ret_id)
{
    const char *at = strstr(text, key);
    return at != NULL && id_parse(at + strlen(key), ID_TEXT_BYTES, ret_id);
}

const char *text_behind(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    if (at == NULL) sim_failed("a message has its fields: no %s in %s", key, text);
    return at + strlen(key);
}

int64_t text_take_number(const char **text, const char *key)
{
    const char *at = text_behind(*text, key);
    if (strncmp(at, "null", 4) == 0) {
        *text = at + 4;
        return -1;
    }
    char *end;
    int64_t number = strtoll(at, &end, 10);
    if (end == at) sim_failed("a message has its fields: no number at %s in %s", key, *text);
    *text = end;
    return number;
}
