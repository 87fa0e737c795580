#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/score.h"

enum { TIME_MS = 10000, ONCE = 1, TWICE = 2 };

static void an_answer_within_the_first_half_second_earns_a_thousand(void **state)
{
    (void)state;
    assert_int_equal(score_points(0, TIME_MS, ONCE), 1000);
    assert_int_equal(score_points(SCORE_FULL_MS, TIME_MS, ONCE), 1000);
}

static void points_begin_to_fall_after_the_first_half_second(void **state)
{
    (void)state;
    assert_int_equal(score_points(SCORE_FULL_MS + 1, TIME_MS, ONCE), 999);
}

static void an_answer_at_the_deadline_earns_five_hundred(void **state)
{
    (void)state;
    assert_int_equal(score_points(TIME_MS, TIME_MS, ONCE), 500);
}

static void just_before_the_deadline_the_speed_is_rounded_down_to_nothing(void **state)
{
    (void)state;
    assert_int_equal(score_points(TIME_MS - 18, TIME_MS, ONCE), 500);
    assert_int_equal(score_points(TIME_MS - 19, TIME_MS, ONCE), 501);
}

static void the_example_of_the_protocol_earns_904(void **state)
{
    (void)state;
    assert_int_equal(score_points(2310, TIME_MS, ONCE), 904);
}

static void the_weight_multiplies_after_rounding(void **state)
{
    (void)state;
    assert_int_equal(score_points(2310, TIME_MS, TWICE), 1808);
    assert_int_equal(score_points(0, TIME_MS, TWICE), 2000);
}

static void the_shortest_round_still_goes_from_a_thousand_to_five_hundred(void **state)
{
    (void)state;
    assert_int_equal(score_points(SCORE_FULL_MS, ROUND_TIME_MIN_MS, ONCE), 1000);
    assert_int_equal(score_points(ROUND_TIME_MIN_MS, ROUND_TIME_MIN_MS, ONCE), 500);
}

static void the_longest_time_does_not_overflow(void **state)
{
    (void)state;
    assert_int_equal(score_points(0, UINT32_MAX, ONCE), 1000);
    assert_int_equal(score_points(UINT32_MAX, UINT32_MAX, ONCE), 500);
}

static void an_answer_after_the_deadline_is_nobodys_to_score(void **state)
{
    (void)state;
    expect_assert_failure((void)score_points(TIME_MS + 1, TIME_MS, ONCE));
}

static void a_round_of_half_a_second_has_no_points(void **state)
{
    (void)state;
    expect_assert_failure((void)score_points(0, SCORE_FULL_MS, ONCE));
}

static void the_credit_is_taken_off_the_answer_time(void **state)
{
    (void)state;
    assert_int_equal(score_answer_time(2328, 18), 2310);
    assert_int_equal(score_answer_time(2310, 0), 2310);
}

static void an_answer_time_is_never_below_zero(void **state)
{
    (void)state;
    assert_int_equal(score_answer_time(250, 250), 0);
    assert_int_equal(score_answer_time(249, 250), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_within_the_first_half_second_earns_a_thousand),
        cmocka_unit_test(points_begin_to_fall_after_the_first_half_second),
        cmocka_unit_test(an_answer_at_the_deadline_earns_five_hundred),
        cmocka_unit_test(just_before_the_deadline_the_speed_is_rounded_down_to_nothing),
        cmocka_unit_test(the_example_of_the_protocol_earns_904),
        cmocka_unit_test(the_weight_multiplies_after_rounding),
        cmocka_unit_test(the_shortest_round_still_goes_from_a_thousand_to_five_hundred),
        cmocka_unit_test(the_longest_time_does_not_overflow),
        cmocka_unit_test(an_answer_after_the_deadline_is_nobodys_to_score),
        cmocka_unit_test(a_round_of_half_a_second_has_no_points),
        cmocka_unit_test(the_credit_is_taken_off_the_answer_time),
        cmocka_unit_test(an_answer_time_is_never_below_zero),
    };
    return cmocka_run_group_tests_name("score", tests, NULL, NULL);
}
