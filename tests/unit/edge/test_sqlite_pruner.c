/* What the embedded store deletes for its age, and how it goes about it. Time is an argument. */

#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "edge/clock.h"
#include "edge/sqlite_store.h"
#include "sqlite_pruner_priv.h"
#include "sqlite_schema_priv.h"
#include "store_backend.h"

enum {
    KEEP_DAYS = 10,
    MANY = 100,
    ROWS_OF_ONE = 1 + 2 + ROUNDS + 3, /* Of the fixture's duel, with three answers. */
    ROUND_ROWS_OF_ONE = ROUNDS + 3,
    CLOSE_MS = 900, /* Less than a pause, for a look that came late. */
};
static const int64_t day_ms = 24 * 60 * 60 * 1000;

/* A match's id begins with its time; those of the fixture are about 50 days apart. */
static wall_time began_at(uint8_t number)
{
    return (wall_time){(int64_t)(UINT64_C(0x01) << 40 | (uint64_t)number << 32)};
}

static wall_time days_after(uint8_t number, int64_t days)
{
    return (wall_time){began_at(number).ms + days * day_ms};
}

static void save_results(struct world *world, uint8_t count)
{
    struct match_result result = duel(1);
    open_store(world);
    expect_saved(world, &result);
    for (uint8_t number = 2; number <= count; number++) {
        result = duel_after(&result, number);
        expect_saved(world, &result);
    }
    close_store(world);
}

/* One slice, by a connection of its own. */
static unsigned prune(struct world *world, struct store_retention keep, wall_time now)
{
    struct sqlite_pruner pruner;
    sqlite3 *db = NULL;
    unsigned deleted = 0;
    assert_int_equal(sqlite_schema_open(world->path, &db), 0);
    assert_int_equal(sqlite_pruner_init(&pruner, db, &keep), SQLITE_OK);
    assert_int_equal(sqlite_pruner_slice(&pruner, now, &deleted), SQLITE_OK);
    sqlite_pruner_fini(&pruner);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return deleted;
}

static const char *counts(struct world *world)
{
    return rows(world, "SELECT (SELECT count(*) FROM matches),"
                       " (SELECT count(*) FROM match_players), (SELECT count(*) FROM rounds),"
                       " (SELECT count(*) FROM answers)");
}

static const struct store_retention keep_matches = {.matches_days = KEEP_DAYS};
static const struct store_retention keep_answers = {.answers_days = KEEP_DAYS};
static const struct store_retention keep_all = {0};

/* --- What goes. --- */

static void a_match_that_is_too_old_goes_whole(void **state)
{
    struct world *world = *state;
    save_results(world, 3);
    assert_int_equal(prune(world, keep_matches, days_after(3, 1)), 2 * ROWS_OF_ONE);
    assert_string_equal(counts(world), "1|2|2|3\n");
    assert_string_equal(rows(world, "SELECT hex(substr(match, 1, 2)) FROM matches"), "0103\n");
}

static void players_and_what_they_have_done_stay(void **state)
{
    struct world *world = *state;
    save_results(world, 3);
    assert_int_equal(prune(world, keep_matches, days_after(4, 1)), 3 * ROWS_OF_ONE);
    assert_string_equal(counts(world), "0|0|0|0\n");
    assert_string_equal(rows(world, "SELECT name, matches, wins FROM players"),
                        "Ada|3|3\nBen|3|0\n");
    assert_string_equal(rows(world, "SELECT matches FROM player_stats WHERE category = ''"),
                        "3\n3\n");
}

static void answers_that_are_too_old_leave_their_match(void **state)
{
    struct world *world = *state;
    save_results(world, 2);
    assert_int_equal(prune(world, keep_answers, days_after(2, 1)), ROUND_ROWS_OF_ONE);
    assert_string_equal(counts(world), "2|4|2|3\n");
    assert_string_equal(rows(world, "SELECT DISTINCT hex(substr(match, 1, 2)) FROM answers"),
                        "0102\n");
}

static void each_has_its_own_age(void **state)
{
    struct world *world = *state;
    struct store_retention keep = {.matches_days = 70, .answers_days = KEEP_DAYS};
    save_results(world, 3);
    assert_int_equal(prune(world, keep, days_after(3, 11)), ROWS_OF_ONE + 2 * ROUND_ROWS_OF_ONE);
    assert_string_equal(counts(world), "2|4|0|0\n");
}

static void on_the_last_day_it_is_kept(void **state)
{
    struct world *world = *state;
    save_results(world, 1);
    assert_int_equal(prune(world, keep_matches, days_after(1, KEEP_DAYS)), 0);
    assert_string_equal(counts(world), "1|2|2|3\n");
}

static void a_millisecond_after_the_last_day_it_goes(void **state)
{
    struct world *world = *state;
    wall_time now = {days_after(1, KEEP_DAYS).ms + 1};
    save_results(world, 1);
    assert_int_equal(prune(world, keep_matches, now), ROWS_OF_ONE);
}

static void without_a_limit_everything_is_kept(void **state)
{
    struct world *world = *state;
    save_results(world, 1);
    assert_int_equal(prune(world, keep_all, (wall_time){INT64_MAX}), 0);
    assert_string_equal(counts(world), "1|2|2|3\n");
}

static void a_clock_before_all_time_deletes_nothing(void **state)
{
    struct world *world = *state;
    save_results(world, 1);
    assert_int_equal(prune(world, keep_matches, (wall_time){0}), 0);
    assert_int_equal(prune(world, keep_matches, (wall_time){-1}), 0);
}

/* --- How. --- */

static void a_slice_is_bounded_and_the_oldest_go_first(void **state)
{
    struct world *world = *state;
    save_results(world, MANY);
    unsigned deleted = prune(world, keep_matches, days_after(MANY, 11));
    assert_in_range(deleted, SQLITE_PRUNER_ROWS_MAX - SQLITE_PRUNER_MATCH_ROWS_MAX - ROWS_OF_ONE,
                    SQLITE_PRUNER_ROWS_MAX);
    assert_string_equal(rows(world, "SELECT hex(substr(max(match), 1, 2)) FROM matches"), "0164\n");
    unsigned rest = prune(world, keep_matches, days_after(MANY, 11));
    assert_int_equal(deleted + rest, MANY * ROWS_OF_ONE);
    assert_int_equal(prune(world, keep_matches, days_after(MANY, 11)), 0);
}

/* Also afterwards, for results, the connection waits as long as before. */
static void a_slice_waits_for_no_lock(void **state)
{
    struct world *world = *state;
    struct sqlite_pruner pruner;
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    unsigned deleted = 77;
    save_results(world, 1);
    assert_int_equal(sqlite_schema_open(world->path, &db), 0);
    assert_int_equal(sqlite_pruner_init(&pruner, db, &keep_matches), SQLITE_OK);
    hold_writes(world);
    mono_time began = clock_mono();
    int code = sqlite_pruner_slice(&pruner, days_after(1, 11), &deleted);
    assert_int_equal(code & 0xff, SQLITE_BUSY);
    assert_true(mono_elapsed(began, clock_mono()) < SQLITE_SCHEMA_BUSY_MS);
    assert_int_equal(deleted, 77);
    release_writes(world);
    assert_int_equal(sqlite_pruner_slice(&pruner, days_after(1, 11), &deleted), SQLITE_OK);
    assert_int_equal(deleted, ROWS_OF_ONE);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA busy_timeout", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(statement, 0), SQLITE_SCHEMA_BUSY_MS);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    sqlite_pruner_fini(&pruner);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void the_oldest_is_found_by_an_index(void **state)
{
    struct world *world = *state;
    open_store(world);
    const char *plan = rows(world, "EXPLAIN QUERY PLAN SELECT match FROM rounds WHERE match < x'00'"
                                   " ORDER BY match LIMIT 1");
    assert_non_null(strstr(plan, "COVERING INDEX sqlite_autoindex_rounds_1 (match<?)"));
    plan = rows(world, "EXPLAIN QUERY PLAN SELECT match FROM matches WHERE match < x'00'"
                       " ORDER BY match LIMIT 1");
    assert_non_null(strstr(plan, "PRIMARY KEY (match<?)"));
}

/* --- The store's own thread. --- */

static wall_time long_after(void)
{
    return days_after(MANY, 11);
}

static void open_pruning(struct world *world, uint32_t pause_ms)
{
    struct sqlite_store_options options = {
        .path = world->path,
        .shards = SHARDS,
        .queue_slots = QUEUE_SLOTS,
        .wake = world_on_wake,
        .wake_context = world,
        .keep = keep_matches,
        .now = long_after,
        .prune_pause_ms = pause_ms,
    };
    assert_int_equal(sqlite_store_create(&options, &world->store), 0);
}

/* Looks players up meanwhile, which waits for nothing that is deleted. */
static void wait_until_pruned(struct world *world, uint64_t count)
{
    mono_time by = mono_after(clock_mono(), WAIT_MS);
    while (stats(world).pruned < count) {
        assert_true(mono_is_before(clock_mono(), by));
        (void)load_found(world, &(struct id){{0xad}});
    }
}

static void the_store_deletes_while_it_is_idle(void **state)
{
    struct world *world = *state;
    save_results(world, MANY);
    open_pruning(world, 1);
    wait_until_pruned(world, MANY * ROWS_OF_ONE);
    assert_int_equal(stats(world).pruned, MANY * ROWS_OF_ONE);
    assert_int_equal(stats(world).prunes_failed, 0);
    assert_string_equal(counts(world), "0|0|0|0\n");
}

static void results_are_saved_meanwhile(void **state)
{
    struct world *world = *state;
    save_results(world, MANY);
    open_pruning(world, 1);
    struct match_result result = duel(MANY + 100); /* Not too old. */
    expect_saved(world, &result);
    wait_until_pruned(world, MANY * ROWS_OF_ONE);
    assert_string_equal(counts(world), "1|2|2|3\n");
}

static void between_two_slices_is_a_second(void **state)
{
    struct world *world = *state;
    save_results(world, MANY);
    open_pruning(world, 0);
    wait_until_pruned(world, 1);
    mono_time first = clock_mono();
    assert_true(stats(world).pruned <= SQLITE_PRUNER_ROWS_MAX);
    wait_until_pruned(world, SQLITE_PRUNER_ROWS_MAX + 1);
    assert_true(mono_elapsed(first, clock_mono()) >= CLOSE_MS);
}

static void a_slice_that_fails_is_tried_again(void **state)
{
    struct world *world = *state;
    save_results(world, 1);
    execute(world, "CREATE TRIGGER injected BEFORE DELETE ON matches"
                   " BEGIN SELECT RAISE(ABORT, 'injected fault'); END");
    capture_log(world);
    open_pruning(world, 1);
    mono_time by = mono_after(clock_mono(), WAIT_MS);
    while (stats(world).prunes_failed < 2) {
        assert_true(mono_is_before(clock_mono(), by));
        (void)load_found(world, &(struct id){{0xad}});
    }
    refuse_none(world);
    wait_until_pruned(world, ROWS_OF_ONE);
    close_store(world);
    end_log(world);
    assert_int_equal(times_logged(world, "level=warning event=store_pruning_failing"), 1);
    assert_int_equal(times_logged(world, "level=info event=store_pruning_recovered"), 1);
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(a_match_that_is_too_old_goes_whole),
        store_test(players_and_what_they_have_done_stay),
        store_test(answers_that_are_too_old_leave_their_match),
        store_test(each_has_its_own_age),
        store_test(on_the_last_day_it_is_kept),
        store_test(a_millisecond_after_the_last_day_it_goes),
        store_test(without_a_limit_everything_is_kept),
        store_test(a_clock_before_all_time_deletes_nothing),
        store_test(a_slice_is_bounded_and_the_oldest_go_first),
        store_test(a_slice_waits_for_no_lock),
        store_test(the_oldest_is_found_by_an_index),
        store_test(the_store_deletes_while_it_is_idle),
        store_test(results_are_saved_meanwhile),
        store_test(between_two_slices_is_a_second),
        store_test(a_slice_that_fails_is_tried_again),
    };
    return cmocka_run_group_tests_name("edge/sqlite_pruner", tests, NULL, NULL);
}
