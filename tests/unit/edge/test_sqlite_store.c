/* What is the embedded store's alone: what shares a commit, and who reads meanwhile. */

#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_fixture.h"

static void what_waits_while_the_file_is_locked_shares_one_commit(void **state)
{
    struct world *world = *state;
    struct match_result results[] = {duel(1), duel(2), duel(3)};
    open_store(world);
    execute(world, "BEGIN IMMEDIATE");
    for (unsigned i = 0; i < 3; i++) save(world, &results[i]);
    execute(world, "COMMIT");
    for (unsigned i = 0; i < 3; i++) assert_true(next_answer(world, 0).is_saved);
    assert_int_equal(stats(world).commits, 1);
    assert_int_equal(stats(world).saved, 3);
}

static void a_reader_does_not_hold_up_the_writer(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    execute(world, "BEGIN");
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "0\n");
    expect_saved(world, &result);
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "0\n");
    execute(world, "COMMIT");
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "1\n");
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(what_waits_while_the_file_is_locked_shares_one_commit),
        store_test(a_reader_does_not_hold_up_the_writer),
    };
    return cmocka_run_group_tests_name("edge/sqlite_store", tests, NULL, NULL);
}
