#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load_rough.h"

static unsigned count_in_hundred(enum player_kind kind, uint32_t slow, uint32_t garbage)
{
    unsigned count = 0;
    for (uint32_t index = 300; index < 400; index++)
        count += rough_kind_of(index, slow, garbage) == kind;
    return count;
}

static void of_a_hundred_in_a_row_as_many_are_rough_as_is_said(void **state)
{
    (void)state;
    assert_int_equal(count_in_hundred(PLAYER_SLOW, 7, 11), 7);
    assert_int_equal(count_in_hundred(PLAYER_GARBAGE, 7, 11), 11);
    assert_int_equal(count_in_hundred(PLAYER_HONEST, 7, 11), 82);
}

static void unless_it_is_said_everybody_is_honest(void **state)
{
    (void)state;
    assert_int_equal(count_in_hundred(PLAYER_HONEST, 0, 0), 100);
}

static void all_may_be_rough(void **state)
{
    (void)state;
    assert_int_equal(count_in_hundred(PLAYER_SLOW, 100, 0), 100);
    assert_int_equal(count_in_hundred(PLAYER_GARBAGE, 1, 99), 99);
}

static void a_few_in_a_row_are_of_all_kinds(void **state)
{
    (void)state;
    assert_int_equal(rough_kind_of(0, 20, 20), PLAYER_SLOW);
    assert_int_equal(rough_kind_of(1, 20, 20), PLAYER_GARBAGE);
    assert_int_equal(rough_kind_of(2, 20, 20), PLAYER_HONEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_hundred_in_a_row_as_many_are_rough_as_is_said),
        cmocka_unit_test(unless_it_is_said_everybody_is_honest),
        cmocka_unit_test(all_may_be_rough),
        cmocka_unit_test(a_few_in_a_row_are_of_all_kinds),
    };
    return cmocka_run_group_tests_name("load_rough", tests, NULL, NULL);
}
