#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load_pace.h"

static void the_first_is_due_at_once(void **state)
{
    (void)state;
    struct pace pace = {.from_us = 500, .per_second = 3};
    assert_int_equal(pace_due_us(&pace), 500);
}

static void each_is_due_at_its_own_moment_whenever_those_before_it_came(void **state)
{
    (void)state;
    struct pace pace = {.from_us = 500, .per_second = 3, .done = 1};
    assert_int_equal(pace_due_us(&pace), 500 + 333333);
    pace.done = 3;
    assert_int_equal(pace_due_us(&pace), 500 + 1000000);
}

static void a_day_of_a_million_a_second_keeps_its_moments(void **state)
{
    (void)state;
    struct pace pace = {.per_second = 1000000, .done = UINT64_C(86400000000)};
    assert_int_equal(pace_due_us(&pace), UINT64_C(86400000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_due_at_once),
        cmocka_unit_test(each_is_due_at_its_own_moment_whenever_those_before_it_came),
        cmocka_unit_test(a_day_of_a_million_a_second_keeps_its_moments),
    };
    return cmocka_run_group_tests_name("load_pace", tests, NULL, NULL);
}
