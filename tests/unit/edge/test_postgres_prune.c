/* What a PostgreSQL store deletes for its age, on its own loop. Time is an option. */

#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "edge/clock.h"
#include "store_backend_postgres.h"

enum { KEEP_DAYS = 10, MANY = 40, ROWS_OF_ONE = 1 + 2 + ROUNDS + 3 };

/* A match's id begins with its time; those of the fixture are about 50 days apart. */
static wall_time a_day_after(uint8_t number)
{
    return (wall_time){(int64_t)(UINT64_C(0x01) << 40 | (uint64_t)number << 32) + 24 * 3600 * 1000};
}

static wall_time a_day_after_the_third(void)
{
    return a_day_after(3);
}

static wall_time a_day_after_the_last(void)
{
    return a_day_after(MANY);
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

static void open_pruning(struct world *world, struct store_retention keep, wall_time (*now)(void))
{
    struct postgres_store_options options = backend_options(QUEUE_SLOTS);
    options.keep = keep;
    options.now = now;
    options.prune_pause_ms = 1;
    assert_int_equal(postgres_store_create(&options, &world->store), 0);
}

static void wait_until_pruned(struct world *world, uint64_t count)
{
    while (stats(world).pruned < count) world_turn(world);
}

static const char *counts(struct world *world)
{
    return rows(world, "SELECT (SELECT count(*) FROM matches),"
                       " (SELECT count(*) FROM match_players), (SELECT count(*) FROM rounds),"
                       " (SELECT count(*) FROM answers)");
}

static void a_match_that_is_too_old_goes_whole(void **state)
{
    struct world *world = *state;
    save_results(world, 3);
    open_pruning(world, (struct store_retention){.matches_days = KEEP_DAYS}, a_day_after_the_third);
    wait_until_pruned(world, 2 * ROWS_OF_ONE);
    assert_string_equal(counts(world), "1|2|2|3\n");
    assert_string_equal(rows(world, "SELECT matches FROM players"), "3\n3\n");
    assert_string_equal(rows(world, "SELECT matches FROM player_stats WHERE category = ''"),
                        "3\n3\n");
}

static void answers_that_are_too_old_leave_their_match(void **state)
{
    struct world *world = *state;
    save_results(world, 3);
    open_pruning(world, (struct store_retention){.answers_days = KEEP_DAYS}, a_day_after_the_third);
    wait_until_pruned(world, 2 * (ROUNDS + 3));
    assert_string_equal(counts(world), "3|6|2|3\n");
}

static void many_go_in_slices_while_results_are_saved(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(MANY + 50);
    save_results(world, MANY);
    open_pruning(world, (struct store_retention){.matches_days = KEEP_DAYS}, a_day_after_the_last);
    expect_saved(world, &result);
    wait_until_pruned(world, (MANY - 1) * ROWS_OF_ONE);
    assert_string_equal(counts(world), "2|4|4|6\n");
    assert_int_equal(stats(world).prunes_failed, 0);
}

static void without_a_limit_everything_is_kept(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(9);
    save_results(world, 3);
    open_pruning(world, (struct store_retention){0}, a_day_after_the_last);
    expect_saved(world, &result);
    assert_int_equal(stats(world).pruned, 0);
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "4\n");
}

static void a_slice_that_fails_is_tried_again(void **state)
{
    struct world *world = *state;
    save_results(world, 3);
    execute(world, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                   " $$ BEGIN RAISE EXCEPTION 'injected fault'; END $$");
    execute(world, "CREATE TRIGGER injected BEFORE DELETE ON matches FOR EACH ROW"
                   " EXECUTE FUNCTION refuse()");
    capture_log(world);
    open_pruning(world, (struct store_retention){.matches_days = KEEP_DAYS}, a_day_after_the_third);
    while (stats(world).prunes_failed < 2) world_turn(world);
    assert_int_equal(stats(world).pruned, 0);
    execute(world, "DROP TRIGGER injected ON matches");
    wait_until_pruned(world, 2 * ROWS_OF_ONE);
    end_log(world);
    assert_int_equal(times_logged(world, "level=warning event=store_pruning_failing"), 1);
    assert_int_equal(times_logged(world, "level=info event=store_pruning_recovered"), 1);
    assert_int_equal(times_logged(world, "store_connection_lost"), 0);
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(a_match_that_is_too_old_goes_whole),
        store_test(answers_that_are_too_old_leave_their_match),
        store_test(many_go_in_slices_while_results_are_saved),
        store_test(without_a_limit_everything_is_kept),
        store_test(a_slice_that_fails_is_tried_again),
    };
    return cmocka_run_group_tests_name("edge/postgres_prune", tests, backend_group_begin,
                                       backend_group_end);
}
