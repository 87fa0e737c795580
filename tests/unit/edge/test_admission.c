#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admission_priv.h"

enum { LIMIT_MS = 100, MS = 1000, SECOND = 1000 * MS };

struct loop {
    struct admission admission;
    uint64_t now_us;
};

static struct loop loop_with(uint32_t limit_ms)
{
    struct loop loop = {.now_us = SECOND};
    admission_init(&loop.admission, limit_ms, loop.now_us);
    return loop;
}

static void turns(struct loop *loop, uint64_t waits_us, uint64_t takes_us, int32_t read)
{
    uint64_t woke_at_us = loop->now_us + waits_us;
    loop->now_us = woke_at_us + takes_us;
    admission_on_turn(&loop->admission, woke_at_us, loop->now_us, read);
}

static void turns_for(struct loop *loop, uint64_t lasts_us, uint64_t takes_us, int32_t read)
{
    uint64_t until_us = loop->now_us + lasts_us;
    while (loop->now_us < until_us) turns(loop, 0, takes_us, read);
}

static void a_busy_loop_that_reads_all_there_is_lags_by_its_turns(void **state)
{
    (void)state;
    struct loop loop = loop_with(LIMIT_MS);
    turns_for(&loop, 10 * SECOND, 10 * MS, ADMISSION_READ_ALL);
    assert_in_range(loop.admission.lag_us, 9 * MS, 10 * MS);
    assert_false(loop.admission.is_crowded);
}

static void short_turns_that_read_nothing_are_a_crowd(void **state)
{
    (void)state;
    struct loop loop = loop_with(LIMIT_MS);
    turns_for(&loop, SECOND, 5 * MS, ADMISSION_READ_NOTHING);
    assert_true(loop.admission.is_crowded);
}

static void where_there_is_always_more_the_lag_is_that_of_a_whole_circle(void **state)
{
    (void)state;
    enum { SLICES = 8 };
    struct loop loop = loop_with(LIMIT_MS);
    turns_for(&loop, 10 * SECOND, 5 * MS, SLICES);
    assert_in_range(loop.admission.lag_us, SLICES * 5 * MS, 2 * SLICES * 5 * MS);
    assert_false(loop.admission.is_crowded);
    turns_for(&loop, 10 * SECOND, 20 * MS, SLICES);
    assert_true(loop.admission.is_crowded);
}

static void one_long_turn_is_no_crowd(void **state)
{
    (void)state;
    struct loop loop = loop_with(LIMIT_MS);
    turns(&loop, 0, 2 * LIMIT_MS * MS, ADMISSION_READ_ALL);
    assert_false(loop.admission.is_crowded);
}

static void
turns_as_long_as_the_limit_one_behind_the_other_are_no_crowd_and_longer_ones_are(void **state)
{
    (void)state;
    struct loop loop = loop_with(LIMIT_MS);
    turns_for(&loop, 10 * SECOND, LIMIT_MS * MS, ADMISSION_READ_ALL);
    assert_false(loop.admission.is_crowded);
    turns_for(&loop, 10 * SECOND, (LIMIT_MS + 10) * MS, ADMISSION_READ_ALL);
    assert_true(loop.admission.is_crowded);
}

static void a_crowd_lasts_until_the_lag_is_half_the_limit(void **state)
{
    (void)state;
    struct loop loop = loop_with(LIMIT_MS);
    turns_for(&loop, 10 * SECOND, 2 * LIMIT_MS * MS, ADMISSION_READ_ALL);
    turns_for(&loop, 10 * SECOND, (LIMIT_MS - 30) * MS, ADMISSION_READ_ALL);
    assert_true(loop.admission.is_crowded);
    turns_for(&loop, 10 * SECOND, LIMIT_MS / 2 * MS, ADMISSION_READ_ALL);
    assert_false(loop.admission.is_crowded);
}

static void a_loop_that_waits_has_no_crowd(void **state)
{
    (void)state;
    struct loop loop = loop_with(LIMIT_MS);
    turns_for(&loop, 10 * SECOND, 2 * LIMIT_MS * MS, ADMISSION_READ_NOTHING);
    assert_true(loop.admission.is_crowded);
    turns(&loop, SECOND, 0, ADMISSION_READ_ALL);
    assert_false(loop.admission.is_crowded);
}

static void without_a_limit_there_is_no_crowd(void **state)
{
    (void)state;
    struct loop loop = loop_with(0);
    turns_for(&loop, 10 * SECOND, SECOND, ADMISSION_READ_NOTHING);
    assert_false(loop.admission.is_crowded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_busy_loop_that_reads_all_there_is_lags_by_its_turns),
        cmocka_unit_test(short_turns_that_read_nothing_are_a_crowd),
        cmocka_unit_test(where_there_is_always_more_the_lag_is_that_of_a_whole_circle),
        cmocka_unit_test(one_long_turn_is_no_crowd),
        cmocka_unit_test(
            turns_as_long_as_the_limit_one_behind_the_other_are_no_crowd_and_longer_ones_are),
        cmocka_unit_test(a_crowd_lasts_until_the_lag_is_half_the_limit),
        cmocka_unit_test(a_loop_that_waits_has_no_crowd),
        cmocka_unit_test(without_a_limit_there_is_no_crowd),
    };
    return cmocka_run_group_tests_name("edge/admission", tests, NULL, NULL);
}
