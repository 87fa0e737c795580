#include "load_histogram.h"

/* Below HISTOGRAM_STEPS a bucket is one value; above, the highest bits of the value name it. */
static unsigned bucket_of(uint64_t value)
{
    if (value < HISTOGRAM_STEPS) return (unsigned)value;
    unsigned power = 63 - (unsigned)__builtin_clzll(value);
    unsigned step = (unsigned)(value >> (power - HISTOGRAM_STEP_BITS)) - HISTOGRAM_STEPS;
    unsigned bucket = (power - HISTOGRAM_STEP_BITS + 1) * HISTOGRAM_STEPS + step;
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The largest value of a bucket. */
static uint64_t bucket_top(unsigned bucket)
{
    if (bucket < HISTOGRAM_STEPS) return bucket;
    unsigned shift = bucket / HISTOGRAM_STEPS - 1;
    return ((uint64_t)(bucket % HISTOGRAM_STEPS + HISTOGRAM_STEPS + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value_us)
{
    histogram->count++;
    histogram->buckets[bucket_of(value_us)]++;
    if (value_us > histogram->max) histogram->max = value_us;
}

uint64_t histogram_percentile(const struct histogram *histogram, uint32_t share)
{
    uint64_t wanted = (histogram->count * share + HISTOGRAM_WHOLE - 1) / HISTOGRAM_WHOLE;
    uint64_t seen = 0;
    for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS && wanted > 0; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen < wanted) continue;
        uint64_t top = bucket_top(bucket);
        return top < histogram->max ? top : histogram->max;
    }
    return 0;
}
