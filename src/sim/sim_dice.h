/* What is drawn: each choice from a generator of its own, made of the seed, who chooses and for the how manieth time.
 * So what one player or fault draws does not depend on what others have drawn, and leaving one out leaves the others'
 * choices alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/prng.h"

enum dice_of { DICE_RECIPE, DICE_PLAYER, DICE_FAULT, DICE_END };

static inline struct prng dice(uint64_t seed, enum dice_of of, uint32_t who, uint32_t number)
{
    struct siphash_key key = {
        {seed, (uint64_t)of << 60 | (uint64_t)(who & 0xfffff) << 40 | (uint64_t)number}};
    struct prng prng;
    prng_init(&prng, &key);
    return prng;
}

/* Both ends included. */
static inline uint32_t between(struct prng *prng, uint32_t least, uint32_t most)
{
    return least + prng_below(prng, most - least + 1);
}

static inline bool one_in(struct prng *prng, uint32_t count)
{
    return prng_below(prng, count) == 0;
}
