/* A SQLite store that moves into a PostgreSQL database. */

#define _GNU_SOURCE

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "edge/sqlite_store.h"
#include "edge/store_move.h"
#include "store_backend_postgres.h"

enum { MANY = 250 };

static char problem[STORE_MOVE_PROBLEM_BYTES];

/* The embedded store, in the world's directory, instead of the server's. */
static void open_source(struct world *world)
{
    (void)strcat(strcpy(world->path, world->directory), "/quizrush.db");
    struct sqlite_store_options options = {
        .path = world->path,
        .shards = SHARDS,
        .queue_slots = QUEUE_SLOTS,
        .wake = world_on_wake,
        .wake_context = world,
    };
    assert_int_equal(sqlite_store_create(&options, &world->store), 0);
}

static void save_source(struct world *world, uint8_t from, uint8_t count)
{
    open_source(world);
    struct match_result result = duel(from);
    expect_saved(world, &result);
    for (uint8_t i = 1; i < count; i++) {
        result = duel_after(&result, (uint8_t)(from + i));
        if (i % 10 == 0) {
            result.is_rated = false;
            result.mode = MATCH_MODE_HOUSE;
            result.players[BEN].is_bot = true;
            result.players[ADA].after = result.players[ADA].before;
            result.players[BEN].after = result.players[BEN].before;
        }
        expect_saved(world, &result);
    }
    close_store(world);
}

static int move(struct world *world, struct store_moved *ret_moved)
{
    struct postgres_store_options options = backend_options(0);
    problem[0] = '\0';
    return store_move(world->path, &options, ret_moved, problem);
}

static struct store_moved expect_moved(struct world *world)
{
    struct store_moved moved = {0};
    if (move(world, &moved) != 0) fail_msg("%s", problem);
    return moved;
}

static void expect_refused(struct world *world, int error, const char *why)
{
    struct store_moved moved = {.players = 77};
    assert_int_equal(move(world, &moved), error);
    if (strstr(problem, why) == NULL) fail_msg("%s", problem);
    assert_int_equal(moved.players, 77);
}

static void everything_is_moved(void **state)
{
    struct world *world = *state;
    save_source(world, 1, MANY);
    struct store_moved moved = expect_moved(world);
    assert_int_equal(moved.players, 2);
    assert_int_equal(moved.matches, MANY);
    assert_string_equal(rows(world, "SELECT (SELECT count(*) FROM matches),"
                                    " (SELECT count(*) FROM match_players),"
                                    " (SELECT count(*) FROM match_players WHERE player IS NULL),"
                                    " (SELECT count(*) FROM rounds),"
                                    " (SELECT count(*) FROM answers),"
                                    " to_regclass('quizrush_move') IS NULL"),
                        "250|500|24|500|750|1\n");
    assert_string_equal(rows(world, "SELECT question, choices->>2, revealed, right_place FROM"
                                    " rounds WHERE match ="
                                    " '01010000-0000-0000-0000-000000000000' AND round = 1"),
                        "What is H2O?|Caf\xc3\xa9|1|1\n");
}

static void the_store_goes_on_there(void **state)
{
    struct world *world = *state;
    save_source(world, 1, 3);
    (void)expect_moved(world);
    struct match_result last = duel(3);
    struct match_result next = duel_after(&last, 4);
    open_store(world);
    struct player_record record = load_found(world, &last.players[ADA].player);
    assert_int_equal(record.rating.rating_centi, 151000);
    assert_int_equal(record.recent.count, ROUNDS);
    assert_int_equal(record.opponents.count, 3);
    expect_saved(world, &next);
    assert_string_equal(rows(world, "SELECT name, matches FROM players ORDER BY name"),
                        "Ada|4\nBen|4\n");
    assert_string_equal(rows(world, "SELECT matches FROM player_stats WHERE category = ''"),
                        "4\n4\n");
}

static void an_empty_store_is_moved(void **state)
{
    struct world *world = *state;
    open_source(world);
    close_store(world);
    assert_int_equal(expect_moved(world).matches, 0);
}

static void other_data_is_refused_and_left(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(9);
    open_store(world);
    expect_saved(world, &result);
    close_store(world);
    save_source(world, 1, 2);
    expect_refused(world, -EEXIST, "the database has other data");
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "1\n");
    assert_string_equal(rows(world, "SELECT to_regclass('quizrush_move') IS NULL"), "1\n");
}

/* The server refuses a batch in the middle, as if it had been lost. */
static void a_move_that_was_interrupted_goes_on(void **state)
{
    struct world *world = *state;
    save_source(world, 1, MANY);
    refuse_match(world, 150);
    expect_refused(world, -EIO, "injected fault");
    refuse_none(world);
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "100\n");
    assert_int_equal(expect_moved(world).matches, MANY - 100);
    assert_string_equal(rows(world, "SELECT count(*) FROM answers"), "750\n");
}

static void what_was_saved_between_two_tries_is_moved_too(void **state)
{
    struct world *world = *state;
    save_source(world, 1, 120);
    refuse_match(world, 110);
    expect_refused(world, -EIO, "injected fault");
    refuse_none(world);
    save_source(world, 121, 2);
    assert_int_equal(expect_moved(world).matches, 22);
    assert_string_equal(rows(world, "SELECT matches FROM players"), "122\n111\n");
}

static void a_move_from_another_file_is_refused(void **state)
{
    struct world *world = *state;
    char first[PATH_BYTES];
    save_source(world, 1, 2);
    refuse_match(world, 1);
    expect_refused(world, -EIO, "injected fault");
    (void)strcpy(first, world->path);
    (void)strcat(strcpy(world->path, world->directory), "/other.db");
    assert_int_equal(rename(first, world->path), 0);
    expect_refused(world, -EEXIST, "a move from another file");
}

static void a_difference_at_the_end_is_told(void **state)
{
    struct world *world = *state;
    save_source(world, 1, 2);
    refuse_match(world, 2);
    expect_refused(world, -EIO, "injected fault");
    refuse_none(world);
    execute(world, "INSERT INTO players SELECT 'ff000000-0000-0000-0000-000000000000', 1, 'X',"
                   " 150000, 35000, 60000, 0, '', '', 0, 0, 0, 0");
    expect_refused(world, -EBADMSG, "SQLite has players: 2 ");
    assert_string_equal(rows(world, "SELECT to_regclass('quizrush_move') IS NULL"), "0\n");
}

static void two_moves_at_once_are_refused(void **state)
{
    struct world *world = *state;
    save_source(world, 1, 2);
    execute(world, "SELECT pg_advisory_lock(1364349769)");
    expect_refused(world, -EBUSY, "another move is under way");
}

static void a_target_without_a_schema_is_refused(void **state)
{
    struct world *world = *state;
    save_source(world, 1, 2);
    execute(world, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    capture_log(world);
    expect_refused(world, -ENOTSUP, "PostgreSQL");
    end_log(world);
    assert_int_equal(times_logged(world, "run quizrushd --migrate"), 1);
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(everything_is_moved),
        store_test(the_store_goes_on_there),
        store_test(an_empty_store_is_moved),
        store_test(other_data_is_refused_and_left),
        store_test(a_move_that_was_interrupted_goes_on),
        store_test(what_was_saved_between_two_tries_is_moved_too),
        store_test(a_move_from_another_file_is_refused),
        store_test(a_difference_at_the_end_is_told),
        store_test(two_moves_at_once_are_refused),
        store_test(a_target_without_a_schema_is_refused),
    };
    return cmocka_run_group_tests_name("edge/store_move", tests, backend_group_begin,
                                       backend_group_end);
}
