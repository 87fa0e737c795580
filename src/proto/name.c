#include "proto/name.h"

#include <stdint.h>
#include <string.h>

#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

/* Bounds under which libunistring works in our buffers and allocates nothing, and which refuse no
 * name that the limits allow: a composed character stands for at most four (U+1F82), of which three
 * are marks on the first. */
enum {
    COMPOSED_FROM_MAX = 4,
    RAW_CHARACTERS_MAX = NAME_CHARACTERS_MAX * COMPOSED_FROM_MAX,
    RAW_BYTES_MAX = RAW_CHARACTERS_MAX * 4,

    /* A run of marks is sorted in a buffer of 64 characters on libunistring's stack. A mark is at
     * most two there (U+0344): 4 + 27 * 2 = 58. */
    MARK_RUN_MAX = NAME_CHARACTERS_MAX + COMPOSED_FROM_MAX - 1,

    /* NFC makes UTF-8 at most three times as long (Unicode Standard Annex #15). */
    NORMAL_BYTES_MAX = RAW_BYTES_MAX * 3,
};

struct raw_name {
    uint8_t bytes[RAW_BYTES_MAX];
    size_t size;
    unsigned characters;
};

static bool is_space(ucs4_t character)
{
    return uc_is_general_category_withtable(character, UC_CATEGORY_MASK_Zs);
}

/* Whether normalisation sorts the character among the marks before it. Some that are sorted
 * (U+0F73) do not say so themselves, only what they are composed of does. */
static bool is_sorted_mark(ucs4_t character)
{
    if (uc_combining_class(character) != UC_CCC_NR) return true;
    ucs4_t parts[UC_DECOMPOSITION_MAX_LENGTH];
    return uc_canonical_decomposition(character, parts) > 0 &&
           uc_combining_class(parts[0]) != UC_CCC_NR;
}

/* Requires: fewer than RAW_CHARACTERS_MAX so far. */
static void append(struct raw_name *name, ucs4_t character)
{
    name->size += (size_t)u8_uctomb(name->bytes + name->size, character,
                                    (ptrdiff_t)(sizeof name->bytes - name->size));
    name->characters++;
}

/* Copies the text with its white space trimmed and folded; false where it is no UTF-8 or too long
 * for any name. */
static bool fold_space(const char *text, size_t bytes, struct raw_name *ret_name)
{
    struct raw_name name = {.size = 0};
    bool has_space = false;
    unsigned mark_run = 0;
    for (size_t at = 0; at < bytes;) {
        ucs4_t character;
        int length = u8_mbtoucr(&character, (const uint8_t *)text + at, bytes - at);
        if (length <= 0) return false;
        at += (size_t)length;
        if (is_space(character)) {
            has_space = true;
            continue;
        }
        mark_run = is_sorted_mark(character) ? mark_run + 1 : 0;
        if (mark_run > MARK_RUN_MAX) return false;
        bool is_apart = has_space && name.characters > 0;
        if (name.characters + is_apart >= RAW_CHARACTERS_MAX) return false;
        if (is_apart) append(&name, ' ');
        has_space = false;
        append(&name, character);
    }
    *ret_name = name;
    return true;
}

/* Blank, and neither a space nor ignorable to Unicode: the empty Braille pattern, and a note head
 * that is not there. */
static bool is_blank_symbol(ucs4_t character)
{
    return character == 0x2800 || character == 0x1d159;
}

/* The other categories include the controls (Cc), the bidirectional and other format characters
 * (Cf), surrogates, private use and what is not assigned. */
static bool is_allowed(ucs4_t character)
{
    if (character == ' ') return true;
    if (uc_is_general_category_withtable(character, UC_CATEGORY_MASK_C | UC_CATEGORY_MASK_Z)) {
        return false;
    }
    if (uc_is_property_default_ignorable_code_point(character)) return false;
    return !is_blank_symbol(character);
}

static bool is_visible(ucs4_t character)
{
    return character != ' ' && !uc_is_general_category_withtable(character, UC_CATEGORY_MASK_M);
}

static bool meets_limits(const uint8_t *text, size_t bytes)
{
    if (bytes > NAME_BYTES_MAX) return false;
    unsigned characters = 0;
    bool has_visible = false;
    for (size_t at = 0; at < bytes; characters++) {
        ucs4_t character;
        at += (size_t)u8_mbtouc(&character, text + at, bytes - at);
        if (!is_allowed(character)) return false;
        if (is_visible(character)) has_visible = true;
    }
    return characters <= NAME_CHARACTERS_MAX && has_visible;
}

bool name_normalise(const char *text, size_t bytes, char ret_name[NAME_BYTES_MAX + 1])
{
    struct raw_name raw;
    if (!fold_space(text, bytes, &raw)) return false;
    uint8_t normal[NORMAL_BYTES_MAX];
    size_t size = sizeof normal;
    const uint8_t *result = u8_normalize(UNINORM_NFC, raw.bytes, raw.size, normal, &size);
    QR_ASSERT(result == normal); /* Another one would have been allocated. */
    if (!meets_limits(normal, size)) return false;
    memcpy(ret_name, normal, size);
    ret_name[size] = '\0';
    return true;
}
