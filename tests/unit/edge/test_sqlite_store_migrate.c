/* A file of the first version, made by that version's own statements, brought up to date. */

#define _GNU_SOURCE

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store_fixture.h"

static const struct id ada = {{0xad}};
static const struct id carl = {{0xca}};

static void make_first_version(struct world *world)
{
    static char sql[16384];
    FILE *file = fopen(FIRST_SCHEMA, "r");
    assert_non_null(file);
    size_t size = fread(sql, 1, sizeof sql - 1, file);
    assert_in_range(size, 1, sizeof sql - 2);
    sql[size] = '\0';
    assert_int_equal(fclose(file), 0);
    execute(world, "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON");
    execute(world, sql);
    execute(world,
            "INSERT INTO players VALUES"
            " (x'AD000000000000000000000000000000', 'Ada', 151000, 1000, 2000, 3, 2),"
            " (x'CA000000000000000000000000000000', 'Carl', 150000, 1000, 2000, 1, 0);"
            "INSERT INTO matches VALUES"
            " (x'0A000000000000000000000000000000', 'duel', 'finished', 0, 0, 1, 1000, 2000);"
            "INSERT INTO match_players VALUES"
            " (x'0A000000000000000000000000000000', 0, x'AD000000000000000000000000000000', 'Ada',"
            "  150000, 151000, 900, 0),"
            " (x'0A000000000000000000000000000000', 1, x'CA000000000000000000000000000000', 'Carl',"
            "  150000, 150000, 0, 1);"
            "INSERT INTO rounds VALUES (x'0A000000000000000000000000000000', 1,"
            " x'0B000000000000000000000000000000', 'nature', 'easy', '?', '[]', 0, 1, 1, 10000,"
            " 1500);"
            "INSERT INTO answers VALUES"
            " (x'0A000000000000000000000000000000', 1, 0, 2, 1, 700, 20, 900, 1700),"
            " (x'0A000000000000000000000000000000', 1, 1, 3, 0, 800, 20, 0, 1800)");
    close_store(world);
}

static void it_becomes_the_newest_version(void **state)
{
    struct world *world = *state;
    make_first_version(world);
    open_store(world);
    assert_string_equal(rows(world, "PRAGMA user_version"), "4\n");
}

static void it_then_has_the_schema_of_a_new_file(void **state)
{
    struct world *world = *state;
    static const char schema[] = "SELECT type, name, sql FROM sqlite_schema ORDER BY name";
    static char migrated[16384];
    make_first_version(world);
    open_store(world);
    (void)snprintf(migrated, sizeof migrated, "%s", rows(world, schema));
    close_store(world);
    assert_int_equal(remove(world->path), 0);
    open_store(world);
    assert_string_equal(rows(world, schema), migrated);
}

static void nothing_that_was_in_it_is_lost(void **state)
{
    struct world *world = *state;
    make_first_version(world);
    open_store(world);
    assert_string_equal(rows(world, "SELECT name, rating_centi, created_at_ms, last_seen_at_ms,"
                                    " matches, wins FROM players"),
                        "Ada|151000|1000|2000|3|2\nCarl|150000|1000|2000|1|0\n");
    assert_string_equal(rows(world,
                             "SELECT place, substr(hex(player), 1, 2), name, rating_before,"
                             " rating_after, rating_applied, score, gone FROM match_players"),
                        "0|AD|Ada|150000|151000|151000|900|0\n"
                        "1|CA|Carl|150000|150000|150000|0|1\n");
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "1\n");
    assert_string_equal(rows(world, "SELECT count(*) FROM rounds"), "1\n");
    assert_string_equal(rows(world, "SELECT place, choice, points FROM answers"),
                        "0|2|900\n1|3|0\n");
    assert_string_equal(rows(world, "SELECT count(*) FROM pragma_foreign_key_check"), "0\n");
    assert_string_equal(rows(world, "PRAGMA integrity_check"), "ok\n");
}

static void what_its_players_have_done_is_counted(void **state)
{
    struct world *world = *state;
    make_first_version(world);
    open_store(world);
    static const char stats[] =
        "SELECT substr(hex(player), 1, 2), mode, category, order_centi, listed, matches, wins,"
        " answers, right_answers, points FROM player_stats";
    assert_string_equal(rows(world, stats), "AD|duel||-151000|0|1|1|1|1|900\n"
                                            "AD|duel|nature|-151000|0|1|1|1|1|900\n"
                                            "CA|duel||-150000|0|1|0|1|0|0\n"
                                            "CA|duel|nature|-150000|0|1|0|1|0|0\n");
}

static void a_player_of_it_was_never_rated_and_has_seen_nothing(void **state)
{
    struct world *world = *state;
    make_first_version(world);
    open_store(world);
    struct player_record record = load_found(world, &ada);
    assert_string_equal(record.name, "Ada");
    assert_int_equal(record.rating.rating_centi, 151000);
    assert_int_equal(record.rating.deviation_centi, RATING_DEVIATION_MAX_CENTI);
    assert_int_equal(record.rating.volatility_micro, RATING_VOLATILITY_INITIAL_MICRO);
    assert_int_equal(record.rated_at.ms, 0);
    assert_int_equal(record.recent.count, 0);
    assert_int_equal(record.opponents.count, 0);
}

static void the_next_result_goes_on_from_it(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    result.players[ADA].before.rating_centi = 151000;
    make_first_version(world);
    open_store(world);
    expect_saved(world, &result);
    assert_string_equal(rows(world, "SELECT name, matches, wins FROM players"),
                        "Ada|4|3\nBen|1|0\nCarl|1|0\n");
    struct player_record record = load_found(world, &ada);
    assert_true(rating_equal(&record.rating, &result.players[ADA].after));
    assert_int_equal(record.recent.count, ROUNDS);
    assert_int_equal(load_found(world, &carl).recent.count, 0);
}

static void rows_still_refer_to_each_other(void **state)
{
    struct world *world = *state;
    make_first_version(world);
    open_store(world);
    execute(world, "PRAGMA foreign_keys = ON; DELETE FROM matches");
    assert_string_equal(rows(world, "SELECT (SELECT count(*) FROM match_players),"
                                    " (SELECT count(*) FROM rounds),"
                                    " (SELECT count(*) FROM answers)"),
                        "0|0|0\n");
}

static void it_is_brought_up_to_date_once(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    make_first_version(world);
    open_store(world);
    expect_saved(world, &result);
    close_store(world);
    open_store(world);
    assert_int_equal(load_found(world, &ada).recent.count, ROUNDS);
}

static void rows_that_refer_to_nothing_are_refused_and_left(void **state)
{
    struct world *world = *state;
    make_first_version(world);
    execute(world, "PRAGMA foreign_keys = OFF; DELETE FROM players WHERE name = 'Carl'");
    close_store(world);
    capture_log(world);
    int opened = try_open(world);
    end_log(world);
    assert_int_equal(opened, -EBADMSG);
    assert_int_equal(times_logged(world, "step=create_schema error=\"rows refer to what is not"
                                         " there\""),
                     1);
    assert_string_equal(rows(world, "PRAGMA user_version"), "1\n");
    assert_string_equal(rows(world, "SELECT count(*) FROM match_players"), "2\n");
    assert_string_equal(rows(world, "SELECT count(*) FROM pragma_table_info('players')"), "7\n");
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(it_becomes_the_newest_version),
        store_test(it_then_has_the_schema_of_a_new_file),
        store_test(nothing_that_was_in_it_is_lost),
        store_test(what_its_players_have_done_is_counted),
        store_test(a_player_of_it_was_never_rated_and_has_seen_nothing),
        store_test(the_next_result_goes_on_from_it),
        store_test(rows_still_refer_to_each_other),
        store_test(it_is_brought_up_to_date_once),
        store_test(rows_that_refer_to_nothing_are_refused_and_left),
    };
    return cmocka_run_group_tests_name("edge/sqlite_store_migrate", tests, NULL, NULL);
}
