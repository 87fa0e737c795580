#include "edge/clock.h"

#include <time.h>

#include "base/assert.h"

mono_time clock_mono(void)
{
    struct timespec now;
    int error = clock_gettime(CLOCK_MONOTONIC, &now);
    QR_ASSERT(error == 0);
    return (mono_time){(uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000};
}

wall_time clock_wall(void)
{
    struct timespec now;
    int error = clock_gettime(CLOCK_REALTIME, &now);
    QR_ASSERT(error == 0);
    return (wall_time){(int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000};
}
