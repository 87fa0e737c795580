#include "base/siphash.h"

enum { COMPRESS_ROUNDS = 2, FINISH_ROUNDS = 4 };

struct state {
    uint64_t v[4];
};

static uint64_t rotate_left(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void mix(struct state *state, unsigned rounds)
{
    uint64_t *v = state->v;
    for (unsigned round = 0; round < rounds; round++) {
        v[0] += v[1];
        v[1] = rotate_left(v[1], 13) ^ v[0];
        v[0] = rotate_left(v[0], 32);
        v[2] += v[3];
        v[3] = rotate_left(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate_left(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate_left(v[1], 17) ^ v[2];
        v[2] = rotate_left(v[2], 32);
    }
}

static void absorb(struct state *state, uint64_t word)
{
    state->v[3] ^= word;
    mix(state, COMPRESS_ROUNDS);
    state->v[0] ^= word;
}

/* Little-endian whatever the machine: the same key and bytes give the same sequence everywhere. */
static uint64_t load(const uint8_t *bytes, size_t count)
{
    uint64_t word = 0;
    for (size_t i = 0; i < count; i++) word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

uint64_t siphash(const struct siphash_key *key, const void *bytes, size_t size)
{
    /* "somepseudorandomlygeneratedbytes", the paper's constants. */
    struct state state = {{
        key->words[0] ^ UINT64_C(0x736f6d6570736575),
        key->words[1] ^ UINT64_C(0x646f72616e646f6d),
        key->words[0] ^ UINT64_C(0x6c7967656e657261),
        key->words[1] ^ UINT64_C(0x7465646279746573),
    }};
    const uint8_t *next = bytes;
    size_t left = size;
    for (; left >= 8; left -= 8, next += 8) absorb(&state, load(next, 8));
    absorb(&state, load(next, left) | (uint64_t)size << 56);
    state.v[2] ^= 0xff;
    mix(&state, FINISH_ROUNDS);
    return state.v[0] ^ state.v[1] ^ state.v[2] ^ state.v[3];
}
