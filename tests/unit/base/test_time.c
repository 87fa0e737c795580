#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"

static const mono_time noon = {43200000};

static void a_time_after_another_is_that_many_milliseconds_later(void **state)
{
    (void)state;
    assert_int_equal(mono_after(noon, 250).ms, noon.ms + 250);
}

static void only_an_earlier_time_is_before(void **state)
{
    (void)state;
    assert_true(mono_is_before(noon, mono_after(noon, 1)));
    assert_false(mono_is_before(noon, noon));
    assert_false(mono_is_before(mono_after(noon, 1), noon));
}

static void elapsed_is_the_difference_and_never_negative(void **state)
{
    (void)state;
    assert_int_equal(mono_elapsed(noon, mono_after(noon, 1)), 1);
    assert_int_equal(mono_elapsed(noon, noon), 0);
    assert_int_equal(mono_elapsed(mono_after(noon, 1), noon), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_after_another_is_that_many_milliseconds_later),
        cmocka_unit_test(only_an_earlier_time_is_before),
        cmocka_unit_test(elapsed_is_the_difference_and_never_negative),
    };
    return cmocka_run_group_tests_name("base/time", tests, NULL, NULL);
}
