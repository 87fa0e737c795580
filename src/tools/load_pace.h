/* What happens at a given rate, whatever the server does: the n-th is due at its own moment, also
 * where those before it came late.
 *
 * Values only; any thread.
 */
#pragma once

#include <stdint.h>

struct pace {
    uint64_t from_us;
    uint64_t per_second; /* Above 0. */
    uint64_t done;       /* How many there were. */
};

/* When the next one is due. */
static inline uint64_t pace_due_us(const struct pace *pace)
{
    return pace->from_us + pace->done * 1000000 / pace->per_second;
}
