/* How often something took how long: counts by fixed bounds, each about half as much again as the one before, from 50
 * microseconds to a second. What lies between two bounds is told no closer, so a percentile read from it is right to
 * within that half.
 *
 * One owner, one thread; a copy is a snapshot. 232 bytes; O(1) to record.
 */
#pragma once

#include <stdint.h>

enum { HISTOGRAM_BOUNDS = 26, HISTOGRAM_BUCKETS = HISTOGRAM_BOUNDS + 1 };

/* The most that each bucket but the last counts, in microseconds; the last one has no bound. */
extern const uint32_t histogram_bounds_us[HISTOGRAM_BOUNDS];

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t sum_us;
    uint64_t max_us; /* The longest there was. */
};

/* All zero is an empty one. */
void histogram_record(struct histogram *histogram, uint64_t took_us);

uint64_t histogram_count(const struct histogram *histogram);
