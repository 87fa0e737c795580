#include "base/prng.h"

#include "base/assert.h"

void prng_init(struct prng *prng, const struct siphash_key *seed)
{
    prng->key = *seed;
    prng->counter = 0;
}

uint64_t prng_next(struct prng *prng)
{
    uint8_t block[8];
    for (unsigned i = 0; i < sizeof block; i++) block[i] = (uint8_t)(prng->counter >> (8 * i));
    prng->counter++;
    return siphash(&prng->key, block, sizeof block);
}

uint32_t prng_below(struct prng *prng, uint32_t bound)
{
    QR_ASSERT(bound > 0);
    /* Lemire's multiplication: the upper half of draw * bound is the result. 2^32 mod bound of the
     * lower halves are refused, so that every result has the same number of draws. */
    uint32_t refused = (uint32_t)-bound % bound;
    uint64_t product;
    do {
        product = (prng_next(prng) >> 32) * bound;
    } while ((uint32_t)product < refused);
    return (uint32_t)(product >> 32);
}

void prng_shuffle(struct prng *prng, uint8_t *items, uint32_t count)
{
    for (uint32_t left = count; left > 1; left--) {
        uint32_t chosen = prng_below(prng, left);
        uint8_t item = items[chosen];
        items[chosen] = items[left - 1];
        items[left - 1] = item;
    }
}
