/* The two clocks, as two types that cannot be mixed up.
 *
 * mono_time decides: deadlines, answer times, timers. wall_time is shown: Unix milliseconds in
 * messages and in the store. Nobody in layers 0 to 3 can read either; they come in as parameters.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t ms;
} mono_time;

typedef struct {
    int64_t ms;
} wall_time;

static inline mono_time mono_after(mono_time from, uint64_t ms)
{
    return (mono_time){from.ms + ms};
}

static inline bool mono_is_before(mono_time a, mono_time b)
{
    return a.ms < b.ms;
}

/* Milliseconds from `since` to `now`; 0 where `now` is earlier. */
static inline uint64_t mono_elapsed(mono_time since, mono_time now)
{
    return now.ms > since.ms ? now.ms - since.ms : 0;
}
