/* SipHash-2-4 of a byte string under a 128-bit key (Aumasson, Bernstein: "SipHash: a fast
 * short-input PRF", 2012).
 *
 * The one keyed function of the pure layers: the hash map uses it so that players cannot choose
 * colliding ids, the generator uses it in counter mode so that a player who sees its output cannot
 * recover its state.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t words[2];
};

uint64_t siphash(const struct siphash_key *key, const void *bytes, size_t size);
