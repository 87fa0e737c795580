#include "wire_priv.h"

#include <string.h>

enum { INT64_DIGITS_MAX = 20 }; /* 19, and a sign. */

static void append_bytes(struct wire *wire, const char *bytes, size_t count)
{
    if (wire->is_overflown || count > wire->capacity - wire->size) {
        wire->is_overflown = true;
        return;
    }
    memcpy(wire->bytes + wire->size, bytes, count);
    wire->size += (uint32_t)count;
}

void wire_append(struct wire *wire, const char *text)
{
    append_bytes(wire, text, strlen(text));
}

void wire_append_int(struct wire *wire, int64_t number)
{
    char digits[INT64_DIGITS_MAX];
    size_t first = sizeof digits;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        digits[--first] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) digits[--first] = '-';
    append_bytes(wire, digits + first, sizeof digits - first);
}

void wire_begin_text(struct wire *wire, char *text, uint32_t text_bytes)
{
    wire_init(wire, text, text_bytes - 1);
}

void wire_end_text(struct wire *wire)
{
    wire->bytes[wire->size] = '\0';
}

/* What was written last tells whether something precedes: no value ends in an opening bracket or a
 * colon outside its quotes, and a string ends in its quote. */
static void separate(struct wire *wire)
{
    if (wire->size == 0) return;
    char last = wire->bytes[wire->size - 1];
    if (last != '{' && last != '[' && last != ':') append_bytes(wire, ",", 1);
}

void wire_open_object(struct wire *wire)
{
    separate(wire);
    append_bytes(wire, "{", 1);
}

void wire_close_object(struct wire *wire)
{
    append_bytes(wire, "}", 1);
}

void wire_open_array(struct wire *wire)
{
    separate(wire);
    append_bytes(wire, "[", 1);
}

void wire_close_array(struct wire *wire)
{
    append_bytes(wire, "]", 1);
}

void wire_key(struct wire *wire, const char *key)
{
    separate(wire);
    append_bytes(wire, "\"", 1);
    wire_append(wire, key);
    append_bytes(wire, "\":", 2);
}

static bool needs_escape(unsigned char byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}

static void append_escape(struct wire *wire, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    if (byte >= 0x20) {
        append_bytes(wire, (const char[]){'\\', (char)byte}, 2);
        return;
    }
    char escape[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 0x0f]};
    append_bytes(wire, escape, sizeof escape);
}

void wire_string(struct wire *wire, const char *text)
{
    separate(wire);
    append_bytes(wire, "\"", 1);
    const char *plain = text; /* What needs no escape is copied in one piece. */
    const char *next = text;
    for (; *next != '\0'; next++) {
        if (!needs_escape((unsigned char)*next)) continue;
        append_bytes(wire, plain, (size_t)(next - plain));
        append_escape(wire, (unsigned char)*next);
        plain = next + 1;
    }
    append_bytes(wire, plain, (size_t)(next - plain));
    append_bytes(wire, "\"", 1);
}

void wire_int(struct wire *wire, int64_t number)
{
    separate(wire);
    wire_append_int(wire, number);
}

void wire_bool(struct wire *wire, bool value)
{
    separate(wire);
    wire_append(wire, value ? "true" : "false");
}

void wire_null(struct wire *wire)
{
    separate(wire);
    wire_append(wire, "null");
}

void wire_member_string(struct wire *wire, const char *key, const char *text)
{
    wire_key(wire, key);
    wire_string(wire, text);
}

void wire_member_int(struct wire *wire, const char *key, int64_t number)
{
    wire_key(wire, key);
    wire_int(wire, number);
}

void wire_member_bool(struct wire *wire, const char *key, bool value)
{
    wire_key(wire, key);
    wire_bool(wire, value);
}

void wire_member_null(struct wire *wire, const char *key)
{
    wire_key(wire, key);
    wire_null(wire);
}

void wire_member_id(struct wire *wire, const char *key, const struct id *id)
{
    char text[ID_TEXT_BYTES + 1];
    id_format(id, text);
    wire_member_string(wire, key, text);
}

void wire_member_array(struct wire *wire, const char *key)
{
    wire_key(wire, key);
    wire_open_array(wire);
}

void wire_open_message(struct wire *wire, const char *type)
{
    wire_open_object(wire);
    wire_member_string(wire, "type", type);
}

void wire_close_message(struct wire *wire)
{
    wire_close_object(wire);
}
