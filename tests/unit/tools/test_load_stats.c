#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load_stats.h"

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
    assert_int_equal(histogram_percentile(&histogram, 50), 0);
}

static void small_values_are_exact(void **state)
{
    (void)state;
    struct histogram histogram = one_to(20);
    assert_int_equal(histogram_percentile(&histogram, 50), 10);
    assert_int_equal(histogram_percentile(&histogram, 100), 20);
}

static void large_values_are_at_most_a_bucket_off(void **state)
{
    (void)state;
    struct histogram histogram = one_to(100000);
    assert_in_range(histogram_percentile(&histogram, 50), 50000, 50000 + 50000 / HISTOGRAM_STEPS);
    assert_in_range(histogram_percentile(&histogram, 99), 99000, 100000);
}

static void no_percentile_is_above_the_largest_value(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    histogram_add(&histogram, 1000001);
    assert_int_equal(histogram_percentile(&histogram, 99), 1000001);
    assert_int_equal(histogram.max, 1000001);
}

static void a_value_beyond_all_buckets_is_counted_in_the_last(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    histogram_add(&histogram, UINT64_MAX);
    assert_int_equal(histogram.buckets[HISTOGRAM_BUCKETS - 1], 1);
}

static void refusals_are_counted_by_code(void **state)
{
    (void)state;
    struct stats stats = {0};
    stats_refused(&stats, "busy");
    stats_refused(&stats, "late_answer");
    stats_refused(&stats, "busy");
    assert_string_equal(stats.refusals[0].code, "busy");
    assert_int_equal(stats.refusals[0].count, 2);
    assert_int_equal(stats.refusals[1].count, 1);
}

static void more_codes_than_rows_share_the_last_row(void **state)
{
    (void)state;
    struct stats stats = {0};
    for (unsigned index = 0; index < STATS_CODES_MAX + 2; index++) {
        char code[] = {(char)('a' + index), '\0'};
        stats_refused(&stats, code);
    }
    assert_int_equal(stats.refusals[STATS_CODES_MAX - 1].count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_histogram_has_no_percentile),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(large_values_are_at_most_a_bucket_off),
        cmocka_unit_test(no_percentile_is_above_the_largest_value),
        cmocka_unit_test(a_value_beyond_all_buckets_is_counted_in_the_last),
        cmocka_unit_test(refusals_are_counted_by_code),
        cmocka_unit_test(more_codes_than_rows_share_the_last_row),
    };
    return cmocka_run_group_tests_name("load_stats", tests, NULL, NULL);
}
