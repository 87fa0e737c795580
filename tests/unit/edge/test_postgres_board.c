/* PostgreSQL's boards: how the server answers their queries where there are many players, and what
 * an older schema's players have done. */

#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "postgres_board_priv.h"
#include "store_backend_postgres.h"

enum { PLAN_BYTES = 4096, SQL_BYTES = 2048 };

/* Half of them are tied. */
static void add_players(struct world *world)
{
    execute(world, "INSERT INTO players SELECT lpad(to_hex(i), 32, '0')::uuid, 1, 'P',"
                   " 150000 + (i % 2) * i, 35000, 60000, 0, '', '', 0, 0, 1, 0"
                   " FROM generate_series(1, 100000) i");
    execute(world, "INSERT INTO player_stats SELECT player, 'duel', '', -rating_centi, 1, 1, 0, 0,"
                   " 0, 0 FROM players");
    execute(world, "INSERT INTO matches SELECT player, 'duel', 'finished', true, 0, 1, 0, 0"
                   " FROM players LIMIT 1000");
    execute(world, "INSERT INTO match_players SELECT match, 0, match, 'P', 0, 0, 0, 0, false"
                   " FROM matches");
    execute(world, "VACUUM ANALYZE");
}

/* As a prepared statement, since the queries have parameters. */
static const char *plan_of(struct world *world, enum postgres_board_query query, const char *types,
                           const char *values)
{
    static char plan[PLAN_BYTES];
    char sql[SQL_BYTES];
    (void)snprintf(sql, sizeof sql, "PREPARE q (%s) AS %s", types, postgres_board_queries[query]);
    execute(world, sql);
    (void)snprintf(sql, sizeof sql, "EXPLAIN EXECUTE q (%s)", values);
    (void)snprintf(plan, sizeof plan, "%s", rows(world, sql));
    execute(world, "DEALLOCATE q");
    return plan;
}

static void expect_indexed(const char *plan, const char *index)
{
    bool has_index = strstr(plan, index) != NULL;
    if (!has_index || strstr(plan, "Seq Scan") != NULL || strstr(plan, "Sort") != NULL ||
        strstr(plan, "Bitmap") != NULL) {
        fail_msg("%s", plan);
    }
}

static void expect_all_indexed(struct world *world)
{
    static const char four[] = "text, text, integer, uuid";
    static const char five[] = "text, text, integer, uuid, integer";
    static const char best[] = "'duel', '', -240000, '00000000-0000-0000-0000-00000000ffff'";
    static const char last[] = "'duel', '', -150000, '00000000-0000-0000-0000-0000000186a0'";
    static const char best_5[] = "'duel', '', -240000, '00000000-0000-0000-0000-00000000ffff', 5";
    static const char last_5[] = "'duel', '', -150000, '00000000-0000-0000-0000-0000000186a0', 5";
    execute(world, postgres_board_session);
    expect_indexed(plan_of(world, POSTGRES_BOARD_TOP, "text, text, integer", "'duel', '', 100"),
                   "Index Scan using player_stats_board");
    expect_indexed(plan_of(world, POSTGRES_BOARD_OWN, "text, text, uuid",
                           "'duel', '', '00000000-0000-0000-0000-00000000ffff'"),
                   "Index Scan using player_stats_pkey");
    expect_indexed(plan_of(world, POSTGRES_BOARD_PLACE, four, best),
                   "Index Only Scan using player_stats_board");
    expect_indexed(plan_of(world, POSTGRES_BOARD_PLACE, four, last),
                   "Index Only Scan using player_stats_board");
    expect_indexed(plan_of(world, POSTGRES_BOARD_BEFORE, five, best_5),
                   "Index Scan Backward using player_stats_board");
    expect_indexed(plan_of(world, POSTGRES_BOARD_BEFORE, five, last_5),
                   "Index Scan Backward using player_stats_board");
    expect_indexed(plan_of(world, POSTGRES_BOARD_BEHIND, five, best_5),
                   "Index Scan using player_stats_board");
    expect_indexed(plan_of(world, POSTGRES_BOARD_BEHIND, five, last_5),
                   "Index Scan using player_stats_board");
    expect_indexed(plan_of(world, POSTGRES_BOARD_HISTORY, "uuid, uuid, integer",
                           "'00000000-0000-0000-0000-000000000001',"
                           " 'ffffffff-ffff-ffff-ffff-ffffffffffff', 10"),
                   "Index Scan Backward using match_players_by_player");
}

static void every_query_is_answered_by_an_index_where_there_are_many(void **state)
{
    struct world *world = *state;
    add_players(world);
    expect_all_indexed(world);
}

static void what_an_older_schemas_players_have_done_is_counted(void **state)
{
    struct world *world = *state;
    struct postgres_store_options options = backend_options(QUEUE_SLOTS);
    static char sql[16384];
    FILE *file = fopen(FIRST_POSTGRES_SCHEMA, "r");
    assert_non_null(file);
    size_t size = fread(sql, 1, sizeof sql - 1, file);
    assert_in_range(size, 1, sizeof sql - 2);
    sql[size] = '\0';
    assert_int_equal(fclose(file), 0);
    execute(world, "DROP SCHEMA public CASCADE");
    execute(world, "CREATE SCHEMA public");
    execute(world, sql);
    execute(world,
            "INSERT INTO players VALUES"
            " ('ad000000-0000-0000-0000-000000000000', 1, 'Ada', 151000, 35000, 60000, 0, '', '',"
            "  0, 0, 2, 2),"
            " ('ca000000-0000-0000-0000-000000000000', 1, 'Carl', 150000, 35000, 60000, 0, '', '',"
            "  0, 0, 1, 0);"
            "INSERT INTO matches VALUES"
            " ('0a000000-0000-0000-0000-000000000000', 'duel', 'finished', true, 0, 2, 0, 0),"
            " ('0b000000-0000-0000-0000-000000000000', 'house', 'forfeit', false, 0, 0, 0, 0);"
            "INSERT INTO match_players VALUES"
            " ('0a000000-0000-0000-0000-000000000000', 0, 'ad000000-0000-0000-0000-000000000000',"
            "  'Ada', 0, 0, 0, 900, false),"
            " ('0a000000-0000-0000-0000-000000000000', 1, 'ca000000-0000-0000-0000-000000000000',"
            "  'Carl', 0, 0, 0, 0, false),"
            " ('0b000000-0000-0000-0000-000000000000', 0, 'ad000000-0000-0000-0000-000000000000',"
            "  'Ada', 0, 0, 0, 0, false);"
            "INSERT INTO rounds SELECT '0a000000-0000-0000-0000-000000000000', i,"
            " '00000000-0000-0000-0000-000000000001', 'nature', 'easy', '?', '[]', 0, 1, i = 1,"
            " 10000, 0 FROM generate_series(1, 2) i;"
            "INSERT INTO answers SELECT '0a000000-0000-0000-0000-000000000000', i, p, 0, p = 0,"
            " 700, 0, 900 * (1 - p), 0 FROM generate_series(1, 2) i, generate_series(0, 1) p");
    assert_int_equal(postgres_store_migrate(&options), 0);
    assert_string_equal(
        rows(world, "SELECT substr(player::text, 1, 2), mode, category, order_centi, listed,"
                    " matches, wins, answers, right_answers, points FROM player_stats"
                    " ORDER BY player, mode, category"),
        "ad|duel||-151000|1|1|1|1|1|900\n"
        "ad|duel|nature|-151000|1|1|1|1|1|900\n"
        "ad|house||-151000|1|1|1|0|0|0\n"
        "ca|duel||-150000|1|1|0|1|0|0\n"
        "ca|duel|nature|-150000|1|1|0|1|0|0\n");
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(every_query_is_answered_by_an_index_where_there_are_many),
        store_test(what_an_older_schemas_players_have_done_is_counted),
    };
    return cmocka_run_group_tests_name("edge/postgres_board", tests, backend_group_begin,
                                       backend_group_end);
}
