#include "base/id.h"

#include <string.h>

struct id id_make(wall_time now, const uint8_t random[ID_RANDOM_BYTES])
{
    struct id id;
    uint64_t ms = (uint64_t)now.ms;
    for (unsigned i = 0; i < 6; i++) id.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    memcpy(id.bytes + 6, random, ID_RANDOM_BYTES);
    id.bytes[6] = (uint8_t)(0x70 | (id.bytes[6] & 0x0f)); /* Version 7. */
    id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f)); /* Variant 10. */
    return id;
}

bool id_equal(const struct id *a, const struct id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool id_is_none(const struct id *id)
{
    static const struct id none;
    return id_equal(id, &none);
}

/* A dash stands before these bytes: 8-4-4-4-12 digits. */
static bool has_dash_before(unsigned byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void id_format(const struct id *id, char ret_text[ID_TEXT_BYTES + 1])
{
    static const char digits[] = "0123456789abcdef";
    char *next = ret_text;
    for (unsigned i = 0; i < sizeof id->bytes; i++) {
        if (has_dash_before(i)) *next++ = '-';
        *next++ = digits[id->bytes[i] >> 4];
        *next++ = digits[id->bytes[i] & 0x0f];
    }
    *next = '\0';
}

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

bool id_parse(const char *text, uint32_t text_bytes, struct id *ret_id)
{
    if (text_bytes != ID_TEXT_BYTES) return false;
    struct id id;
    const char *next = text;
    for (unsigned i = 0; i < sizeof id.bytes; i++) {
        if (has_dash_before(i) && *next++ != '-') return false;
        int high = digit_value(*next++);
        int low = digit_value(*next++);
        if (high < 0 || low < 0) return false;
        id.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret_id = id;
    return true;
}
