/* The two clocks, read. Any thread. */
#pragma once

#include "base/time.h"

mono_time clock_mono(void); /* CLOCK_MONOTONIC: the same on all threads. */
wall_time clock_wall(void); /* CLOCK_REALTIME. */
