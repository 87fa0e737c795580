/* A bounded buffer that JSON messages are written into.
 *
 * The storage is the caller's. What does not fit sets `is_overflown` and is not written: the caller asserts, since
 * every message's largest size is known (WIRE_MESSAGE_BYTES_MAX). One owner.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The largest messages are welcome (32 categories of 64 bytes) and round (300 + 6 * 120 characters), where every
 * character may be escaped to six bytes. */
enum { WIRE_MESSAGE_BYTES_MAX = 16000 };

struct wire {
    char *bytes;
    uint32_t size;
    uint32_t capacity;
    bool is_overflown;
};

static inline void wire_init(struct wire *wire, char *bytes, uint32_t capacity)
{
    *wire = (struct wire){.bytes = bytes, .capacity = capacity};
}
