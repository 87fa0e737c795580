#include "bank_text_priv.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "html_entities_priv.h"

enum {
    /* As it stands in the file: every character as a reference of a name of ten, and room to spare.
     */
    RAW_BYTES_MAX = 4096,
    /* NFC makes no UTF-8 longer than this (Unicode Standard Annex 15, expansion factors). */
    NFC_BYTES_MAX = 3 * RAW_BYTES_MAX,
};

static bool is_tag(const char *text)
{
    if (text[0] != '<') return false;
    char next = text[1];
    if (next == '/' || next == '!' || next == '?') return true;
    return (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z');
}

static bool has_markup(const char *text)
{
    for (; *text != '\0'; text++) {
        if (is_tag(text)) return true;
    }
    return false;
}

/* Leaves the text between leading and trailing white space. */
static void trim(const uint8_t **text, size_t *size)
{
    ucs4_t character;
    while (*size > 0) {
        int count = u8_mbtoucr(&character, *text, *size);
        if (!uc_is_property_white_space(character)) break;
        *text += count;
        *size -= (size_t)count;
    }
    while (*size > 0) {
        const uint8_t *last = u8_prev(&character, *text + *size, *text);
        if (!uc_is_property_white_space(character)) break;
        *size = (size_t)(last - *text);
    }
}

/* The first control character, or line or paragraph separator; 0 where there is none. */
static ucs4_t find_control(const uint8_t *text, size_t size)
{
    const uint32_t controls =
        UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Zl | UC_CATEGORY_MASK_Zp | UC_CATEGORY_MASK_Cs;
    while (size > 0) {
        ucs4_t character;
        int count = u8_mbtoucr(&character, text, size);
        if (uc_is_general_category_withtable(character, controls)) return character;
        text += count;
        size -= (size_t)count;
    }
    return 0;
}

static bool refuse(char reterr_reason[BANK_TEXT_REASON_BYTES], const char *reason)
{
    (void)snprintf(reterr_reason, BANK_TEXT_REASON_BYTES, "%s", reason);
    return false;
}

/* Trims, checks and copies what is normalised. */
static bool take(const uint8_t *text, size_t size, unsigned characters_max,
                 struct bank_text *ret_text, char reterr_reason[BANK_TEXT_REASON_BYTES])
{
    trim(&text, &size);
    if (size == 0) return refuse(reterr_reason, "is empty.");
    ucs4_t control = find_control(text, size);
    if (control != 0) {
        (void)snprintf(reterr_reason, BANK_TEXT_REASON_BYTES, "holds the control character U+%04X.",
                       (unsigned)control);
        return false;
    }
    size_t characters = u8_mbsnlen(text, size);
    if (characters > characters_max) {
        (void)snprintf(reterr_reason, BANK_TEXT_REASON_BYTES,
                       "has %zu characters; at most %u are allowed.", characters, characters_max);
        return false;
    }
    memcpy(ret_text->bytes, text, size);
    ret_text->bytes[size] = '\0';
    ret_text->size = size;
    return true;
}

bool bank_text_normalise(const char *text, unsigned characters_max, struct bank_text *ret_text,
                         char reterr_reason[BANK_TEXT_REASON_BYTES])
{
    QR_ASSERT(characters_max <= QUESTION_CHARACTERS_MAX);
    if (strlen(text) > RAW_BYTES_MAX) return refuse(reterr_reason, "is far too long.");
    if (has_markup(text)) return refuse(reterr_reason, "holds markup.");
    char decoded[RAW_BYTES_MAX + 1];
    char entity[HTML_ENTITY_BYTES_MAX];
    if (!html_entities_decode(text, decoded, entity)) {
        (void)snprintf(reterr_reason, BANK_TEXT_REASON_BYTES, "holds %s, which is no entity.",
                       entity);
        return false;
    }
    size_t decoded_bytes = strlen(decoded);
    if (u8_check((const uint8_t *)decoded, decoded_bytes) != NULL) {
        return refuse(reterr_reason, "is not UTF-8.");
    }
    uint8_t buffer[NFC_BYTES_MAX];
    size_t size = sizeof buffer;
    uint8_t *normal =
        u8_normalize(UNINORM_NFC, (const uint8_t *)decoded, decoded_bytes, buffer, &size);
    if (normal == NULL) return refuse(reterr_reason, "cannot be normalised.");
    bool is_taken = take(normal, size, characters_max, ret_text, reterr_reason);
    if (normal != buffer) free(normal);
    return is_taken;
}
