#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load_stats.h"

static void measure(struct stats *stats, enum latency latency, uint64_t us)
{
    stats_measure(stats, latency, 0, us);
}

static void what_comes_before_it_was_due_took_no_time(void **state)
{
    (void)state;
    struct stats stats = {0};
    stats_measure(&stats, LATENCY_TIME_OVER, 2000, 1999);
    assert_int_equal(stats.latencies[LATENCY_TIME_OVER].count, 1);
    assert_int_equal(stats.latencies[LATENCY_TIME_OVER].max, 0);
}

static void while_warming_up_nothing_is_measured(void **state)
{
    (void)state;
    struct stats stats = {.is_warming_up = true};
    measure(&stats, LATENCY_PONG, 5);
    assert_int_equal(stats.latencies[LATENCY_PONG].count, 0);
}

static void a_generator_that_is_hardly_late_is_believed(void **state)
{
    (void)state;
    struct stats stats = {0};
    measure(&stats, LATENCY_LAG, 1000);
    measure(&stats, LATENCY_ACCEPTED, 1000);
    assert_false(stats_are_doubtful(&stats));
}

static void a_lag_that_is_a_tenth_of_a_latency_makes_it_doubtful(void **state)
{
    (void)state;
    struct stats stats = {0};
    measure(&stats, LATENCY_LAG, 2000);
    measure(&stats, LATENCY_ACCEPTED, 30000);
    assert_false(stats_are_doubtful(&stats));
    measure(&stats, LATENCY_PONG, 15000);
    assert_true(stats_are_doubtful(&stats));
}

static void refusals_are_counted_by_code(void **state)
{
    (void)state;
    struct stats stats = {0};
    codes_count(stats.refusals, "busy");
    codes_count(stats.refusals, "late_answer");
    codes_count(stats.refusals, "busy");
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
        codes_count(stats.refusals, code);
    }
    assert_int_equal(stats.refusals[STATS_CODES_MAX - 1].count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_before_it_was_due_took_no_time),
        cmocka_unit_test(while_warming_up_nothing_is_measured),
        cmocka_unit_test(a_generator_that_is_hardly_late_is_believed),
        cmocka_unit_test(a_lag_that_is_a_tenth_of_a_latency_makes_it_doubtful),
        cmocka_unit_test(refusals_are_counted_by_code),
        cmocka_unit_test(more_codes_than_rows_share_the_last_row),
    };
    return cmocka_run_group_tests_name("load_stats", tests, NULL, NULL);
}
