#include "base/histogram.h"

const uint32_t histogram_bounds_us[HISTOGRAM_BOUNDS] = {
    50,    75,     110,    170,    250,    380,    570,    850,     1300,
    1900,  2900,   4300,   6500,   10000,  15000,  22000,  33000,   50000,
    75000, 110000, 170000, 250000, 380000, 570000, 850000, 1000000,
};

/* Five steps find the first bound that is not below. */
static unsigned bucket_of(uint64_t took_us)
{
    unsigned low = 0, high = HISTOGRAM_BOUNDS;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (histogram_bounds_us[middle] < took_us) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void histogram_record(struct histogram *histogram, uint64_t took_us)
{
    histogram->counts[bucket_of(took_us)]++;
    histogram->sum_us += took_us;
    if (took_us > histogram->max_us) histogram->max_us = took_us;
}

uint64_t histogram_count(const struct histogram *histogram)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) count += histogram->counts[i];
    return count;
}
