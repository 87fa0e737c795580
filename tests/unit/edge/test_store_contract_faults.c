/* A result that cannot be saved: what fails with it, what is logged, and how it goes on. */

#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_backend.h"

/* Results 1 to 3 in one batch, the second of which the database refuses. */
static void save_three_of_which_one_is_bad(struct world *world)
{
    struct match_result results[] = {duel(1), duel(2), duel(3)};
    refuse_match(world, 2);
    hold_writes(world);
    for (unsigned i = 0; i < 3; i++) save(world, &results[i]);
    release_writes(world);
}

static void one_bad_result_in_a_batch_fails_alone(void **state)
{
    struct world *world = *state;
    open_store(world);
    capture_log(world);
    save_three_of_which_one_is_bad(world);
    expect_answer(world, 1, true);
    expect_answer(world, 2, false);
    expect_answer(world, 3, true);
    end_log(world);
    assert_true(world->store->class->is_healthy(world->store));
}

static void a_bad_result_leaves_no_row(void **state)
{
    struct world *world = *state;
    open_store(world);
    capture_log(world);
    save_three_of_which_one_is_bad(world);
    wait_until_answered(world, 3);
    end_log(world);
    assert_string_equal(rows(world, "SELECT substr(hex(match), 1, 4) FROM matches ORDER BY match"),
                        "0101\n0103\n");
    assert_string_equal(rows(world, "SELECT count(*) FROM rounds"), "4\n");
    assert_string_equal(rows(world, "SELECT matches FROM players"), "2\n2\n");
}

static void a_bad_result_is_logged_once_however_often_it_is_tried(void **state)
{
    struct world *world = *state;
    struct match_result bad = duel(2);
    open_store(world);
    capture_log(world);
    save_three_of_which_one_is_bad(world);
    wait_until_answered(world, 3);
    save(world, &bad);
    wait_until_answered(world, 4);
    end_log(world);
    assert_int_equal(times_logged(world, "\n"), 1);
    assert_int_equal(times_logged(world, "level=error event=store_result_refused"
                                         " match=01020000-0000-0000-0000-000000000000"
                                         " error=\"injected fault\""),
                     1);
}

static void a_bad_result_may_be_saved_when_the_fault_is_gone(void **state)
{
    struct world *world = *state;
    struct match_result bad = duel(2);
    open_store(world);
    capture_log(world);
    save_three_of_which_one_is_bad(world);
    wait_until_answered(world, 3);
    end_log(world);
    for (unsigned i = 0; i < 3; i++) (void)next_answer(world, 0);
    refuse_none(world);
    expect_saved(world, &bad);
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "3\n");
}

static void a_broken_schema_fails_the_batch_and_recovers(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    execute(world, "ALTER TABLE answers RENAME TO lost");
    capture_log(world);
    save(world, &result);
    expect_answer(world, 1, false);
    execute(world, "ALTER TABLE lost RENAME TO answers");
    expect_saved(world, &result);
    end_log(world);
    assert_int_equal(times_logged(world, "event=store_failing "), 1);
    assert_string_equal(rows(world, "SELECT count(*) FROM match_players"), "2\n");
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(one_bad_result_in_a_batch_fails_alone),
        store_test(a_bad_result_leaves_no_row),
        store_test(a_bad_result_is_logged_once_however_often_it_is_tried),
        store_test(a_bad_result_may_be_saved_when_the_fault_is_gone),
        store_test(a_broken_schema_fails_the_batch_and_recovers),
    };
    return cmocka_run_group_tests_name("edge/store_contract_faults", tests, backend_group_begin,
                                       backend_group_end);
}
