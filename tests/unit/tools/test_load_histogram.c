#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/prng.h"
#include "load_histogram.h"

static struct histogram one_to(uint64_t last)
{
    struct histogram histogram = {0};
    for (uint64_t value = 1; value <= last; value++) histogram_add(&histogram, value);
    return histogram;
}

static void an_empty_histogram_has_no_percentile(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    assert_int_equal(histogram_percentile(&histogram, 50000), 0);
}

static void small_values_are_exact(void **state)
{
    (void)state;
    struct histogram histogram = one_to(100);
    assert_int_equal(histogram_percentile(&histogram, 50000), 50);
    assert_int_equal(histogram_percentile(&histogram, 99000), 99);
    assert_int_equal(histogram_percentile(&histogram, 99001), 100);
    assert_int_equal(histogram_percentile(&histogram, HISTOGRAM_WHOLE), 100);
}

static int compare(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* The value that a sorted list has at that place, and a bucket's width more. */
static void assert_close(const struct histogram *histogram, const uint64_t *sorted, size_t count,
                         uint32_t share)
{
    size_t place = (count * share + HISTOGRAM_WHOLE - 1) / HISTOGRAM_WHOLE;
    uint64_t exact = sorted[place - 1];
    assert_in_range(histogram_percentile(histogram, share), exact, exact + exact / HISTOGRAM_STEPS);
}

static void percentiles_are_those_of_the_sorted_values_up_to_a_bucket(void **state)
{
    (void)state;
    enum { COUNT = 200000, POWERS = 34 };
    static uint64_t values[COUNT];
    static struct histogram histogram;
    struct prng prng;
    prng_init(&prng, &(struct siphash_key){{3, 0}});
    for (unsigned index = 0; index < COUNT; index++) {
        values[index] = prng_next(&prng) >> (64 - POWERS + prng_below(&prng, POWERS));
        histogram_add(&histogram, values[index]);
    }
    qsort(values, COUNT, sizeof(values[0]), compare);
    assert_close(&histogram, values, COUNT, 1);
    assert_close(&histogram, values, COUNT, 50000);
    assert_close(&histogram, values, COUNT, 90000);
    assert_close(&histogram, values, COUNT, 99000);
    assert_close(&histogram, values, COUNT, 99900);
    assert_close(&histogram, values, COUNT, 99990);
    assert_int_equal(histogram.max, values[COUNT - 1]);
}

static void no_percentile_is_above_the_largest_value(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    histogram_add(&histogram, 1000001);
    assert_int_equal(histogram_percentile(&histogram, 99000), 1000001);
    assert_int_equal(histogram.max, 1000001);
}

static void a_value_beyond_all_buckets_is_counted_in_the_last(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    histogram_add(&histogram, (UINT64_C(1) << (HISTOGRAM_POWER_MAX + 1)) - 1);
    histogram_add(&histogram, UINT64_MAX);
    assert_int_equal(histogram.buckets[HISTOGRAM_BUCKETS - 1], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_histogram_has_no_percentile),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(percentiles_are_those_of_the_sorted_values_up_to_a_bucket),
        cmocka_unit_test(no_percentile_is_above_the_largest_value),
        cmocka_unit_test(a_value_beyond_all_buckets_is_counted_in_the_last),
    };
    return cmocka_run_group_tests_name("load_histogram", tests, NULL, NULL);
}
