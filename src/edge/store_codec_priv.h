/* What every store writes alike: a player's lists as bytes, a round's choices as JSON.
 *
 * Lists are little-endian, the oldest entry first (config/sql). Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/limits.h"
#include "core/match_result.h"
#include "core/player.h"

enum {
    RECENT_BYTES_MAX = 2 * RECENT_QUESTIONS_MAX,
    OPPONENTS_BYTES_MAX = 16 * RECENT_OPPONENTS_MAX,
    /* Per choice two quotes and a comma, per character four bytes as it stands or six escaped; two
     * brackets and the NUL. */
    CHOICES_JSON_BYTES_MAX = QUESTION_CHOICES_MAX * (CHOICE_CHARACTERS_MAX * 6 + 3) + 3,
};

/* Both return how many bytes they have written. */
size_t recent_encode(const struct recent_questions *recent, uint8_t ret_bytes[RECENT_BYTES_MAX]);
size_t opponents_encode(const struct recent_opponents *opponents,
                        uint8_t ret_bytes[OPPONENTS_BYTES_MAX]);

/* False: no list that was written by the functions above. */
QR_MUST_USE bool recent_decode(const uint8_t *bytes, size_t size,
                               struct recent_questions *ret_recent);
QR_MUST_USE bool opponents_decode(const uint8_t *bytes, size_t size,
                                  struct recent_opponents *ret_opponents);

/* The choices as they were shown. */
void choices_encode(const struct result_round *round, char ret_json[CHOICES_JSON_BYTES_MAX]);

/* Where the right one was shown. */
unsigned round_right_place(const struct result_round *round);
