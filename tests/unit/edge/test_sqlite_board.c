/* The embedded store's boards: how its queries are answered, also where there are many players, and
 * files that are none of its own. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "edge/sqlite_board.h"
#include "sqlite_board_priv.h"
#include "store_fixture.h"

enum { PLAYERS = 100000 };

/* Half of them are tied. Player number i's id begins with i. */
static void add_players(struct world *world)
{
    execute(world,
            "BEGIN;"
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
            " INSERT INTO players (player, name, rating_centi, created_at_ms, last_seen_at_ms,"
            " matches, wins) SELECT cast(printf('%08x', i) || 'abcdefgh' AS BLOB), 'P',"
            " 150000 + (i % 2) * i, 0, 0, 1, 0 FROM n;"
            "INSERT INTO player_stats SELECT player, 'duel', '', -rating_centi, 1, 1, 0, 0, 0, 0"
            " FROM players;"
            "COMMIT");
}

/* What EXPLAIN QUERY PLAN says, a line a step. */
static const char *plan_of(struct world *world, enum sqlite_board_query query)
{
    static char plan[1024];
    char sql[1024];
    (void)snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", sqlite_board_queries[query]);
    (void)snprintf(plan, sizeof plan, "%s", rows(world, sql));
    return plan;
}

static void expect_indexed(struct world *world, enum sqlite_board_query query, const char *step)
{
    const char *plan = plan_of(world, query);
    if (strstr(plan, step) == NULL || strstr(plan, "SCAN") != NULL ||
        strstr(plan, "TEMP B-TREE") != NULL) {
        fail_msg("query %d: %s", (int)query, plan);
    }
}

static void expect_all_indexed(struct world *world)
{
    expect_indexed(world, SQLITE_BOARD_TOP,
                   "player_stats_board (mode=? AND category=? AND listed=?)");
    expect_indexed(world, SQLITE_BOARD_OWN, "PRIMARY KEY (player=? AND mode=? AND category=?)");
    expect_indexed(world, SQLITE_BOARD_PLACE,
                   "COVERING INDEX player_stats_board"
                   " (mode=? AND category=? AND listed=? AND (order_centi,player)<(?,?))");
    expect_indexed(
        world, SQLITE_BOARD_BEFORE,
        "player_stats_board (mode=? AND category=? AND listed=? AND (order_centi,player)<(?,?))");
    expect_indexed(
        world, SQLITE_BOARD_BEHIND,
        "player_stats_board (mode=? AND category=? AND listed=? AND (order_centi,player)>(?,?))");
    expect_indexed(world, SQLITE_BOARD_HISTORY, "match_players_by_player (player=? AND match<?)");
}

static void every_query_is_answered_by_an_index(void **state)
{
    struct world *world = *state;
    open_store(world);
    expect_all_indexed(world);
}

static void statistics_of_many_players_change_no_plan(void **state)
{
    struct world *world = *state;
    open_store(world);
    add_players(world);
    expect_all_indexed(world);
    execute(world, "ANALYZE");
    expect_all_indexed(world);
}

static void many_players_have_a_first_and_a_last(void **state)
{
    struct world *world = *state;
    struct board *board = NULL;
    char problem[BOARD_PROBLEM_BYTES];
    struct board_row found[BOARD_ROWS_MAX];
    const struct board_key duels = {.mode = MATCH_MODE_DUEL};
    unsigned count = 0;
    struct id last;
    memcpy(last.bytes, "000186a0abcdefgh", sizeof last.bytes); /* 100,000, one of those tied. */
    open_store(world);
    add_players(world);
    assert_int_equal(sqlite_board_open(world->path, &board, problem), 0);
    assert_int_equal(board_top(board, &duels, BOARD_ROWS_MAX, found, &count), 0);
    assert_int_equal(count, BOARD_ROWS_MAX);
    assert_int_equal(found[0].rating_centi, 150000 + PLAYERS - 1);
    assert_int_equal(board_around(board, &duels, &last, 2, found, &count), 0);
    assert_int_equal(count, 3);
    assert_int_equal(found[2].place, PLAYERS);
    assert_true(id_equal(&found[2].player, &last));
    assert_int_equal(found[0].place, PLAYERS - 2);
    board_close(board);
}

/* --- Files that are none of ours. --- */

static void expect_refused(struct world *world, int error, const char *why)
{
    struct board *board = NULL;
    char problem[BOARD_PROBLEM_BYTES] = "";
    assert_int_equal(sqlite_board_open(world->path, &board, problem), error);
    assert_null(board);
    if (strstr(problem, why) == NULL) fail_msg("%s", problem);
}

static void a_file_that_is_not_there_is_not_made(void **state)
{
    struct world *world = *state;
    expect_refused(world, -ENOENT, "No such file");
    expect_refused(world, -ENOENT, world->path);
}

static void another_programs_file_is_refused(void **state)
{
    struct world *world = *state;
    execute(world, "CREATE TABLE players (player)");
    expect_refused(world, -EBADMSG, "no database of quizrushd's");
}

static void another_version_is_refused_and_left(void **state)
{
    struct world *world = *state;
    open_store(world);
    close_store(world);
    execute(world, "PRAGMA user_version = 99");
    expect_refused(world, -ENOTSUP, "the schema's version is 99, this program's is 4");
    execute(world, "PRAGMA user_version = 2");
    expect_refused(world, -ENOTSUP, "quizrushd of this version updates it");
    assert_string_equal(rows(world, "PRAGMA user_version"), "2\n");
}

static void a_directory_is_refused(void **state)
{
    struct world *world = *state;
    struct board *board = NULL;
    char problem[BOARD_PROBLEM_BYTES] = "";
    assert_int_equal(sqlite_board_open(world->directory, &board, problem), -EBADMSG);
}

/* What a hostile row can be is cut, not believed. */
static void numbers_and_names_beyond_all_bounds_are_cut(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    struct board *board = NULL;
    char problem[BOARD_PROBLEM_BYTES];
    struct board_row found[BOARD_ROWS_MAX];
    struct board_match matches[BOARD_ROWS_MAX];
    unsigned count = 0;
    open_store(world);
    expect_saved(world, &result);
    execute(world,
            "UPDATE players SET name = printf('%.1000c', 'x');"
            "UPDATE player_stats SET order_centi = -9223372036854775808, matches = -1, points ="
            " 9223372036854775807;"
            "UPDATE match_players SET name = printf('%.1000c', 'x'), score = -5, rating_before ="
            " 9223372036854775807; UPDATE matches SET mode = printf('%.1000c', 'x'), winner = 900");
    assert_int_equal(sqlite_board_open(world->path, &board, problem), 0);
    assert_int_equal(
        board_top(board, &(struct board_key){.mode = MATCH_MODE_DUEL}, 100, found, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(strlen(found[0].name), NAME_BYTES_MAX);
    assert_int_equal(found[0].rating_centi, INT32_MAX);
    assert_int_equal(found[0].matches, 0);
    assert_int_equal(board_history(board, &result.players[ADA].player, NULL, 100, matches, &count),
                     0);
    assert_int_equal(count, 1);
    assert_int_equal(matches[0].score, 0);
    assert_int_equal(matches[0].rating_before_centi, INT32_MAX);
    board_close(board);
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(every_query_is_answered_by_an_index),
        store_test(statistics_of_many_players_change_no_plan),
        store_test(many_players_have_a_first_and_a_last),
        store_test(a_file_that_is_not_there_is_not_made),
        store_test(another_programs_file_is_refused),
        store_test(another_version_is_refused_and_left),
        store_test(a_directory_is_refused),
        store_test(numbers_and_names_beyond_all_bounds_are_cut),
    };
    return cmocka_run_group_tests_name("edge/sqlite_board", tests, NULL, NULL);
}
