#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/histogram.h"

static void what_took_exactly_a_bound_counts_below_it(void **state)
{
    (void)state;
    struct histogram histogram = {.sum_us = 0};
    histogram_record(&histogram, histogram_bounds_us[3]);
    histogram_record(&histogram, histogram_bounds_us[3] + 1);
    assert_int_equal(histogram.counts[3], 1);
    assert_int_equal(histogram.counts[4], 1);
}

static void what_took_no_time_is_in_the_first_bucket(void **state)
{
    (void)state;
    struct histogram histogram = {.sum_us = 0};
    histogram_record(&histogram, 0);
    assert_int_equal(histogram.counts[0], 1);
}

static void what_took_longer_than_every_bound_is_in_the_last(void **state)
{
    (void)state;
    struct histogram histogram = {.sum_us = 0};
    histogram_record(&histogram, UINT64_C(1) << 40);
    assert_int_equal(histogram.counts[HISTOGRAM_BUCKETS - 1], 1);
}

static void all_are_counted_added_up_and_the_longest_is_kept(void **state)
{
    (void)state;
    struct histogram histogram = {.sum_us = 0};
    histogram_record(&histogram, 10);
    histogram_record(&histogram, 3000);
    histogram_record(&histogram, 200);
    assert_int_equal(histogram_count(&histogram), 3);
    assert_int_equal(histogram.sum_us, 3210);
    assert_int_equal(histogram.max_us, 3000);
}

static void each_bound_is_at_most_about_half_as_much_again_as_the_one_before(void **state)
{
    (void)state;
    for (unsigned i = 1; i < HISTOGRAM_BOUNDS; i++) {
        assert_true(histogram_bounds_us[i] > histogram_bounds_us[i - 1]);
        assert_true(histogram_bounds_us[i] * 10 <= histogram_bounds_us[i - 1] * 16);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_took_exactly_a_bound_counts_below_it),
        cmocka_unit_test(what_took_no_time_is_in_the_first_bucket),
        cmocka_unit_test(what_took_longer_than_every_bound_is_in_the_last),
        cmocka_unit_test(all_are_counted_added_up_and_the_longest_is_kept),
        cmocka_unit_test(each_bound_is_at_most_about_half_as_much_again_as_the_one_before),
    };
    return cmocka_run_group_tests_name("base/histogram", tests, NULL, NULL);
}
