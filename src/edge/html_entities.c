#include "html_entities_priv.h"

#include <stdint.h>
#include <string.h>

#include <libxml/HTMLparser.h>
#include <unistr.h>

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* The value of a digit, or one that no base has. */
static uint32_t digit_value(char byte)
{
    if (is_digit(byte)) return (uint32_t)(byte - '0');
    if (byte >= 'a' && byte <= 'f') return (uint32_t)(byte - 'a' + 10);
    if (byte >= 'A' && byte <= 'F') return (uint32_t)(byte - 'A' + 10);
    return UINT32_MAX;
}

/* The reference between & and ;, as its bytes; their number, or 0 where there is none. */
static size_t reference_bytes(const char *text)
{
    size_t size = *text == '#' ? 1 : 0;
    while (size < HTML_ENTITY_BYTES_MAX && (is_letter(text[size]) || is_digit(text[size]))) size++;
    return size < HTML_ENTITY_BYTES_MAX && text[size] == ';' ? size : 0;
}

/* What "#039" or "#x27" stands for. */
static bool read_number(const char *reference, size_t size, ucs4_t *ret_character)
{
    bool is_hex = size > 1 && (reference[1] == 'x' || reference[1] == 'X');
    uint32_t base = is_hex ? 16 : 10;
    size_t first = is_hex ? 2 : 1;
    if (first >= size) return false;
    uint32_t value = 0;
    for (size_t i = first; i < size; i++) {
        uint32_t digit = digit_value(reference[i]);
        if (digit >= base) return false;
        value = value * base + digit;
        if (value > 0x10ffff) return false;
    }
    *ret_character = value;
    return value != 0;
}

static bool read_name(const char *reference, size_t size, ucs4_t *ret_character)
{
    char name[HTML_ENTITY_BYTES_MAX];
    memcpy(name, reference, size);
    name[size] = '\0';
    const htmlEntityDesc *entity = htmlEntityLookup((const xmlChar *)name);
    if (entity == NULL) return false;
    *ret_character = entity->value;
    return true;
}

/* The start of what stands at an ampersand: as much of it as names it, to its semicolon or the next
 * space. */
static void copy_entity(const char *text, char ret_entity[HTML_ENTITY_BYTES_MAX])
{
    size_t size = 0;
    while (size < HTML_ENTITY_BYTES_MAX - 1 && text[size] != '\0' && text[size] != ' ') {
        ret_entity[size] = text[size];
        size++;
        if (text[size - 1] == ';') break;
    }
    ret_entity[size] = '\0';
}

bool html_entities_decode(const char *text, char *ret_text,
                          char reterr_entity[HTML_ENTITY_BYTES_MAX])
{
    char *to = ret_text;
    while (*text != '\0') {
        if (text[0] != '&' || text[1] == ' ') {
            *to++ = *text++;
            continue;
        }
        const char *reference = text + 1;
        size_t size = reference_bytes(reference);
        ucs4_t character = 0;
        bool is_known = size > 0 && (*reference == '#' ? read_number(reference, size, &character)
                                                       : read_name(reference, size, &character));
        uint8_t bytes[4];
        /* Refuses surrogates. */
        int count = is_known ? u8_uctomb(bytes, character, sizeof bytes) : -1;
        if (count < 0) {
            copy_entity(text, reterr_entity);
            return false;
        }
        memcpy(to, bytes, (size_t)count);
        to += count;
        text = reference + size + 1;
    }
    *to = '\0';
    return true;
}
