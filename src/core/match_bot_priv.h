/* How a bot's answers are drawn. Integers only: what decides a match is the same on every machine.
 *
 * Pure; the generator is the match's. A round costs a bot at most a few draws.
 */
#pragma once

#include <stdint.h>

#include "base/prng.h"
#include "core/question.h"

enum {
    BOT_ONE = 65536, /* A chance of one, a factor of one, a deviate of one. */

    BOT_CHANCE_STEP_CENTI = 5000,
    BOT_CHANCE_COUNT = 33,

    BOT_DEVIATE_MAX = 4 * BOT_ONE,
    BOT_FACTOR_STEP = BOT_ONE / 8,
    BOT_FACTOR_COUNT = 2 * BOT_DEVIATE_MAX / BOT_FACTOR_STEP + 1,

    /* In a round of BOT_TIMES_OF_MS; in another in proportion. */
    BOT_MEDIAN_MS = 3200,
    BOT_LEAST_MS = 700,
    BOT_TIMES_OF_MS = 10000,
};

extern const uint32_t bot_chances[BOT_CHANCE_COUNT];
extern const uint32_t bot_factors[BOT_FACTOR_COUNT];

/* The chance, of BOT_ONE, that who has this rating knows the answer. */
uint32_t bot_chance(int32_t rating_centi, enum difficulty difficulty);

/* A standard normal number, in parts of BOT_ONE. */
int32_t bot_draw_deviate(struct prng *prng);

/* Log-normal over the deviates: the median at 0. */
uint64_t bot_answer_time(int32_t deviate, uint32_t round_time_ms);

/* The right place with that chance, otherwise one of the others. Requires: choice_count >= 2. */
uint8_t bot_draw_choice(struct prng *prng, uint32_t chance, uint8_t right, uint8_t choice_count);
