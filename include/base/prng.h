/* A seeded generator: SipHash-2-4 over a counter, keyed by the seed.
 *
 * The seed is 128 bits of the kernel's randomness, given by the owner. Same seed, same sequence, on
 * every machine. One owner, one thread. Because the output is a keyed function of a counter, seeing
 * any part of the sequence tells nothing about the rest.
 */
#pragma once

#include <stdint.h>

#include "base/siphash.h"

struct prng {
    struct siphash_key key;
    uint64_t counter;
};

void prng_init(struct prng *prng, const struct siphash_key *seed);
uint64_t prng_next(struct prng *prng);

/* Uniform in 0 … bound − 1, without bias. Requires: bound > 0. */
uint32_t prng_below(struct prng *prng, uint32_t bound);

/* Puts `count` bytes into a uniformly random order (Fisher-Yates). */
void prng_shuffle(struct prng *prng, uint8_t *items, uint32_t count);
