/* How ratings are shown. Pure. */
#pragma once

#include <stdint.h>

/* Whole points from hundredths, half away from zero. */
static inline int64_t rating_shown(int32_t centi)
{
    int64_t half = centi < 0 ? -50 : 50;
    return (centi + half) / 100;
}
