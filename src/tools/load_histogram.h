/* A histogram of durations with a fixed relative error, after the HdrHistogram: below
 * HISTOGRAM_STEPS a bucket is one microsecond, above it is at most 1/HISTOGRAM_STEPS of its value
 * wide.
 *
 * One owner. sizeof(struct histogram), 34 KB; O(1) to add, O(HISTOGRAM_BUCKETS) to ask.
 */
#pragma once

#include <stdint.h>

enum {
    HISTOGRAM_STEP_BITS = 7,
    HISTOGRAM_STEPS = 1 << HISTOGRAM_STEP_BITS, /* Buckets per power of two. */
    HISTOGRAM_POWER_MAX = 39,                   /* Up to 2^40 µs: 12 days. */
    HISTOGRAM_BUCKETS = HISTOGRAM_STEPS * (HISTOGRAM_POWER_MAX - HISTOGRAM_STEP_BITS + 2),
    HISTOGRAM_WHOLE = 100000, /* What a share of all is told in: p99.99 is 99990. */
};

struct histogram {
    uint64_t count;
    uint64_t max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value_us);

/* The least value that `share` of all, in HISTOGRAM_WHOLE parts, do not exceed; up to a bucket's
 * width more. 0 where there are none. */
uint64_t histogram_percentile(const struct histogram *histogram, uint32_t share);
