/* When a result cannot be saved: what fails with it, what is logged, and how it goes on. */

#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_fixture.h"

static bool is_healthy(struct world *world)
{
    return world->store->class->is_healthy(world->store);
}

static void a_locked_file_fails_the_batch_and_recovers(void **state)
{
    struct world *world = *state;
    struct match_result results[] = {duel(1), duel(2)};
    open_store(world);
    execute(world, "BEGIN IMMEDIATE");
    capture_log(world);
    save(world, &results[0]);
    save(world, &results[1]);
    expect_answer(world, 1, false);
    expect_answer(world, 2, false);
    assert_false(is_healthy(world));
    save(world, &results[0]);
    expect_answer(world, 1, false);
    execute(world, "COMMIT");
    expect_saved(world, &results[0]);
    expect_saved(world, &results[1]);
    end_log(world);
    assert_true(is_healthy(world));
    assert_int_equal(stats(world).failed, 3);
    assert_int_equal(times_logged(world, "\n"), 2);
    assert_int_equal(times_logged(world, "level=error event=store_failing results=2"
                                         " error=\"database is locked\""),
                     1);
    assert_int_equal(times_logged(world, "level=info event=store_recovered failed=3"), 1);
}

/* Saves results from number 10 on, until one fails, and gives its number. */
static uint8_t fill(struct world *world)
{
    for (uint8_t number = 10; number < 100; number++) {
        struct match_result result = duel(number);
        save(world, &result);
        if (!next_answer(world, 0).is_saved) return number;
    }
    fail_msg("there was room for all");
    return 0;
}

static void a_full_disk_fails_the_batch_and_recovers(void **state)
{
    struct world *world = *state;
    watch_connection();
    open_store(world);
    /* No page more than there are. */
    sqlite3 *writer = watched_connection();
    assert_int_equal(sqlite3_exec(writer, "PRAGMA max_page_count = 1", NULL, NULL, NULL),
                     SQLITE_OK);
    capture_log(world);
    struct match_result result = duel(fill(world));
    assert_false(is_healthy(world));
    assert_int_equal(sqlite3_exec(writer, "PRAGMA max_page_count = 1000", NULL, NULL, NULL),
                     SQLITE_OK);
    expect_saved(world, &result);
    end_log(world);
    assert_true(is_healthy(world));
    assert_int_equal(times_logged(world, "\n"), 2);
    assert_int_equal(times_logged(world, "event=store_failing results=1"
                                         " error=\"database or disk is full\""),
                     1);
    assert_int_equal(times_logged(world, "event=store_recovered failed=1"), 1);
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(a_locked_file_fails_the_batch_and_recovers),
        store_test(a_full_disk_fails_the_batch_and_recovers),
    };
    return cmocka_run_group_tests_name("edge/sqlite_store_faults", tests, NULL, NULL);
}
