/* Numbers, bytes and strings in and out of a record: little-endian, bounded, no alignment. Pure.
 *
 * Writing requires the room: records have a largest size, which the caller's buffer has. Reading never passes the end:
 * what is not there sets `is_bad`, once and for all, and reads as zeros.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pack {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
};

struct unpack {
    const uint8_t *at;
    size_t left;
    bool is_bad;
};

void pack_number(struct pack *pack, uint64_t number, unsigned width);
void pack_bytes(struct pack *pack, const void *bytes, size_t size);
void pack_string(struct pack *pack, const char *text);

uint64_t unpack_number(struct unpack *unpack, unsigned width);
int64_t unpack_signed(struct unpack *unpack, unsigned width);
bool unpack_bool(struct unpack *unpack); /* Bad where it is neither 0 nor 1. */
void unpack_bytes(struct unpack *unpack, void *ret_bytes, size_t size);

/* Where it lies, of at most `most` bytes, with its NUL. Empty where it is bad. */
const char *unpack_string(struct unpack *unpack, size_t most);
