#include "edge/clock.h"

#include <time.h>

#include "base/assert.h"

/* Wraps around where the last run ended on a clock that was ahead of this one. Set once, before there are threads. */
static uint64_t offset_ms;

void clock_go_on_from(mono_time last)
{
    offset_ms = last.ms + 1 - (clock_mono().ms - offset_ms);
}

uint64_t clock_us(void)
{
    struct timespec now;
    int error = clock_gettime(CLOCK_MONOTONIC, &now);
    QR_ASSERT(error == 0);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

mono_time clock_mono_at(uint64_t us)
{
    return (mono_time){us / 1000 + offset_ms};
}

mono_time clock_mono(void)
{
    return clock_mono_at(clock_us());
}

wall_time clock_wall(void)
{
    struct timespec now;
    int error = clock_gettime(CLOCK_REALTIME, &now);
    QR_ASSERT(error == 0);
    return (wall_time){(int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000};
}
