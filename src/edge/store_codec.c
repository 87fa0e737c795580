#include "store_codec_priv.h"

#include <string.h>

/* --- Lists. --- */

static void put(uint8_t *bytes, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) bytes[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = size; i > 0; i--) value = value << 8 | bytes[i - 1];
    return value;
}

size_t recent_encode(const struct recent_questions *recent, uint8_t ret_bytes[RECENT_BYTES_MAX])
{
    QR_ASSERT(recent->count <= RECENT_QUESTIONS_MAX);
    for (size_t i = 0; i < recent->count; i++) put(ret_bytes + 2 * i, recent->fingerprints[i], 2);
    return 2 * (size_t)recent->count;
}

size_t opponents_encode(const struct recent_opponents *opponents,
                        uint8_t ret_bytes[OPPONENTS_BYTES_MAX])
{
    QR_ASSERT(opponents->count <= RECENT_OPPONENTS_MAX);
    for (size_t i = 0; i < opponents->count; i++) {
        put(ret_bytes + 16 * i, opponents->items[i].fingerprint, 8);
        put(ret_bytes + 16 * i + 8, (uint64_t)opponents->items[i].at.ms, 8);
    }
    return 16 * (size_t)opponents->count;
}

bool recent_decode(const uint8_t *bytes, size_t size, struct recent_questions *ret_recent)
{
    if (size > RECENT_BYTES_MAX || size % 2 != 0) return false;
    ret_recent->count = (uint8_t)(size / 2);
    for (size_t i = 0; i < ret_recent->count; i++) {
        ret_recent->fingerprints[i] = (uint16_t)get(bytes + 2 * i, 2);
    }
    return true;
}

bool opponents_decode(const uint8_t *bytes, size_t size, struct recent_opponents *ret_opponents)
{
    if (size > OPPONENTS_BYTES_MAX || size % 16 != 0) return false;
    ret_opponents->count = (uint8_t)(size / 16);
    for (size_t i = 0; i < ret_opponents->count; i++) {
        ret_opponents->items[i] = (struct recent_opponent){
            .fingerprint = get(bytes + 16 * i, 8),
            .at = {(int64_t)get(bytes + 16 * i + 8, 8)},
        };
    }
    return true;
}

/* --- Choices. --- */

static size_t write_escaped(unsigned char byte, char *to)
{
    static const char digits[] = "0123456789abcdef";
    if (byte == '"' || byte == '\\') {
        to[0] = '\\';
        to[1] = (char)byte;
        return 2;
    }
    if (byte >= 0x20) {
        to[0] = (char)byte;
        return 1;
    }
    memcpy(to, "\\u00", 4);
    to[4] = digits[byte >> 4];
    to[5] = digits[byte & 0x0f];
    return 6;
}

void choices_encode(const struct result_round *round, char ret_json[CHOICES_JSON_BYTES_MAX])
{
    size_t used = 0;
    ret_json[used++] = '[';
    for (unsigned place = 0; place < round->choice_count; place++) {
        const char *choice = round->question->choices[round->places[place]];
        if (place > 0) ret_json[used++] = ',';
        ret_json[used++] = '"';
        for (; *choice != '\0'; choice++) {
            QR_ASSERT(used + 6 + 3 <=
                      CHOICES_JSON_BYTES_MAX); /* bank_file.h: as long as a choice may be. */
            used += write_escaped((unsigned char)*choice, ret_json + used);
        }
        ret_json[used++] = '"';
    }
    ret_json[used++] = ']';
    ret_json[used] = '\0';
}

unsigned round_right_place(const struct result_round *round)
{
    unsigned place = 0;
    /* The bank's first choice is the right one (core/question.h). */
    while (place < round->choice_count && round->places[place] != 0) place++;
    return place;
}
