/* The two clocks, read. Any thread.
 *
 * The monotonic one is the game's: it stands still while the server is gone. Where a journal says when the last run
 * ended, it goes on from there.
 */
#pragma once

#include "base/time.h"

/* Before any other thread is started. */
void clock_go_on_from(mono_time last);

mono_time clock_mono(void); /* CLOCK_MONOTONIC, moved: the same on all threads. */
wall_time clock_wall(void); /* CLOCK_REALTIME. */

uint64_t clock_us(void); /* CLOCK_MONOTONIC as it is, in microseconds: to measure with. */
mono_time clock_mono_at(uint64_t us); /* What clock_mono() was when clock_us() was `us`. */
