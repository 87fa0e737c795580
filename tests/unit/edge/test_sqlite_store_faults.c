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

/* Results 1 to 3 in one batch, the second of which the database refuses. */
static void save_three_of_which_one_is_bad(struct world *world)
{
    struct match_result results[] = {duel(1), duel(2), duel(3)};
    execute(world, "CREATE TRIGGER injected BEFORE INSERT ON answers"
                   " WHEN hex(NEW.match) LIKE '0102%'"
                   " BEGIN SELECT RAISE(ABORT, 'injected fault'); END");
    execute(world, "BEGIN IMMEDIATE");
    for (unsigned i = 0; i < 3; i++) save(world, &results[i]);
    execute(world, "COMMIT");
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
    assert_int_equal(stats(world).commits, 1);
    assert_true(is_healthy(world));
}

static void a_bad_result_leaves_no_row(void **state)
{
    struct world *world = *state;
    open_store(world);
    capture_log(world);
    save_three_of_which_one_is_bad(world);
    wait_until_answered(world, 3);
    end_log(world);
    assert_string_equal(rows(world, "SELECT substr(hex(match), 1, 4) FROM matches"),
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
    execute(world, "DROP TRIGGER injected");
    expect_saved(world, &bad);
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "3\n");
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
    assert_int_equal(times_logged(world, "error=\"no such table: "), 1);
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
        store_test(a_locked_file_fails_the_batch_and_recovers),
        store_test(a_full_disk_fails_the_batch_and_recovers),
        store_test(a_broken_schema_fails_the_batch_and_recovers),
    };
    return cmocka_run_group_tests_name("edge/sqlite_store_faults", tests, NULL, NULL);
}
