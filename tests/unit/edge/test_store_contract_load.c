/* Looking players up: who is known, and that no look-up waits for a commit. */

#define _GNU_SOURCE

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "store_backend.h"

static const struct id ada = {{0xad}};
static const struct id ben = {{0xbe}};
static const struct id nobody = {{0x0b}};

/* --- Who is known. --- */

static void a_player_without_a_result_is_unknown(void **state)
{
    struct world *world = *state;
    open_store(world);
    assert_int_equal(load(world, &ada).loaded.outcome, LOAD_UNKNOWN);
}

static void a_player_is_known_once_a_result_is_saved(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    expect_saved(world, &result);
    struct player_record record = load_found(world, &ada);
    assert_string_equal(record.name, "Ada");
    assert_true(rating_equal(&record.rating, &result.players[ADA].after));
    assert_int_equal(record.rated_at.ms, result.ended_at.ms);
    assert_int_equal(load(world, &nobody).loaded.outcome, LOAD_UNKNOWN);
}

static void each_save_is_seen_by_the_look_up_after_its_answer(void **state)
{
    struct world *world = *state;
    open_store(world);
    struct match_result result = duel(0);
    expect_saved(world, &result);
    for (uint8_t number = 1; number < 100; number++) {
        result = duel_after(&result, number);
        result.players[ADA].after.rating_centi = 150000 + number;
        expect_saved(world, &result);
        assert_int_equal(load_found(world, &ada).rating.rating_centi, 150000 + number);
    }
}

static void a_player_is_known_after_a_restart(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    expect_saved(world, &result);
    struct player_record before = load_found(world, &ben);
    close_store(world);
    open_store(world);
    struct player_record after = load_found(world, &ben);
    assert_memory_equal(&before, &after, sizeof before);
}

/* --- The queue. --- */

static void a_look_up_does_not_wait_for_a_commit(void **state)
{
    struct world *world = *state;
    struct match_result first = duel(1);
    struct match_result second = duel(2);
    open_store(world);
    expect_saved(world, &first);
    hold_writes(world);
    save(world, &second);
    assert_int_equal(load_found(world, &ada).rated_at.ms, first.ended_at.ms);
    release_writes(world);
    expect_answer(world, 2, true);
    assert_int_equal(load_found(world, &ada).rated_at.ms, second.ended_at.ms);
}

static void each_shard_gets_its_own_look_ups(void **state)
{
    struct world *world = *state;
    open_store(world);
    assert_int_equal(store_load(world->store, 0, handle_of(1), &ada), 0);
    assert_int_equal(store_load(world->store, 1, handle_of(2), &ben), 0);
    assert_int_equal(next_answer(world, 0).handle.slot, 1);
    assert_int_equal(next_answer(world, 1).handle.slot, 2);
}

static void as_many_look_ups_as_results_may_be_outstanding(void **state)
{
    struct world *world = *state;
    struct match_result results[] = {duel(1), duel(2), duel(3)};
    open_store_with(world, 2);
    assert_int_equal(store_load(world->store, 0, handle_of(1), &ada), 0);
    assert_int_equal(store_load(world->store, 0, handle_of(2), &ada), 0);
    assert_int_equal(store_load(world->store, 0, handle_of(3), &ada), -EAGAIN);
    assert_int_equal(stats(world).loads_refused, 1);
    wait_until_looked_up(world, 2); /* The queue is empty; their answers are not taken. */
    assert_int_equal(store_load(world->store, 0, handle_of(3), &ada), -EAGAIN);
    /* Neither takes the other's place, nor another shard's. */
    save(world, &results[0]);
    save(world, &results[1]);
    wait_until_answered(world, 2);
    assert_int_equal(try_save(world, 0, &results[2]), -EAGAIN);
    assert_int_equal(store_load(world->store, 1, handle_of(4), &ada), 0);
    assert_int_equal(next_answer(world, 1).handle.slot, 4);
    for (unsigned i = 0; i < 4; i++) (void)next_answer(world, 0);
    assert_int_equal(try_save(world, 0, &results[2]), 0);
    assert_int_equal(store_load(world->store, 0, handle_of(5), &ada), 0);
}

static void the_figures_count_look_ups(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    expect_saved(world, &result);
    (void)load(world, &ada);
    (void)load(world, &nobody);
    struct store_stats figures = stats(world);
    assert_int_equal(figures.loaded, 2);
    assert_int_equal(figures.loads_failed, 0);
    assert_int_equal(figures.loads_queued, 0);
    assert_int_equal(figures.loads_queued_max, 1);
    assert_int_equal(figures.saved, 1);
}

static void closing_waits_for_no_look_up(void **state)
{
    struct world *world = *state;
    open_store(world);
    for (uint8_t i = 0; i < QUEUE_SLOTS; i++) {
        assert_int_equal(store_load(world->store, 0, handle_of(i), &ada), 0);
    }
    close_store(world);
}

/* --- Failures. --- */

static void a_look_up_that_fails_says_so_and_is_logged_once(void **state)
{
    struct world *world = *state;
    open_store(world);
    execute(world, "ALTER TABLE players RENAME TO lost");
    capture_log(world);
    assert_int_equal(load(world, &ada).loaded.outcome, LOAD_FAILED);
    assert_int_equal(load(world, &ada).loaded.outcome, LOAD_FAILED);
    execute(world, "ALTER TABLE lost RENAME TO players");
    assert_int_equal(load(world, &ada).loaded.outcome, LOAD_UNKNOWN);
    end_log(world);
    assert_int_equal(times_logged(world, "\n"), 2);
    assert_int_equal(times_logged(world, "level=error event=store_reading_failing error="), 1);
    assert_int_equal(times_logged(world, "level=info event=store_reading_recovered failed=2"), 1);
    assert_int_equal(stats(world).loads_failed, 2);
    assert_true(world->store->class->is_healthy(world->store));
}

static void a_row_that_is_none_of_ours_fails_for_its_player_alone(void **state)
{
    struct world *world = *state;
    struct match_result first = duel(1);
    struct match_result second = duel(2);
    open_store(world);
    expect_saved(world, &first);
    execute(world, "UPDATE players SET deviation_centi = 7 WHERE name = 'Ada'");
    capture_log(world);
    assert_int_equal(load(world, &ada).loaded.outcome, LOAD_FAILED);
    assert_int_equal(load(world, &ben).loaded.outcome, LOAD_FOUND);
    assert_int_equal(load(world, &ada).loaded.outcome, LOAD_FAILED);
    end_log(world);
    assert_int_equal(times_logged(world, "\n"), 1);
    assert_int_equal(times_logged(world, "level=error event=store_player_malformed"
                                         " player=ad000000-0000-0000-0000-000000000000"),
                     1);
    /* The next result replaces it. */
    expect_saved(world, &second);
    assert_int_equal(load_found(world, &ada).recent.count, ROUNDS);
}

/* --- Pace: printed, not asserted. --- */

enum { PACE_LOADS = 2000 };

static uint64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int compare(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a;
    uint64_t other = *(const uint64_t *)b;
    return one < other ? -1 : one > other;
}

/* Results on shard 1, look-ups on shard 0. */
static void look_ups_while_results_are_committed(void **state)
{
    struct world *world = *state;
    static uint64_t took_us[PACE_LOADS];
    struct match_result result = duel(1);
    open_store_with(world, backend_many);
    for (unsigned i = 0; i < backend_many; i++) {
        result.match.bytes[14] = (uint8_t)(i >> 8);
        result.match.bytes[15] = (uint8_t)i;
        save_on(world, 1, &result);
    }
    unsigned during = 0;
    for (unsigned i = 0; i < PACE_LOADS; i++) {
        uint64_t began = now_us();
        (void)load(world, &ada);
        took_us[i] = now_us() - began;
        if (stats(world).queued > 0) during++;
    }
    qsort(took_us, PACE_LOADS, sizeof took_us[0], compare);
    print_message("%u of %d look-ups while results were committed: median %llu us, 99 %% %llu us,"
                  " worst %llu us\n",
                  during, (int)PACE_LOADS, (unsigned long long)took_us[PACE_LOADS / 2],
                  (unsigned long long)took_us[PACE_LOADS * 99 / 100],
                  (unsigned long long)took_us[PACE_LOADS - 1]);
    for (unsigned i = 0; i < backend_many; i++) assert_true(next_answer(world, 1).is_saved);
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(a_player_without_a_result_is_unknown),
        store_test(a_player_is_known_once_a_result_is_saved),
        store_test(each_save_is_seen_by_the_look_up_after_its_answer),
        store_test(a_player_is_known_after_a_restart),
        store_test(a_look_up_does_not_wait_for_a_commit),
        store_test(each_shard_gets_its_own_look_ups),
        store_test(as_many_look_ups_as_results_may_be_outstanding),
        store_test(the_figures_count_look_ups),
        store_test(closing_waits_for_no_look_up),
        store_test(a_look_up_that_fails_says_so_and_is_logged_once),
        store_test(a_row_that_is_none_of_ours_fails_for_its_player_alone),
        store_test(look_ups_while_results_are_committed),
    };
    return cmocka_run_group_tests_name("edge/store_contract_load", tests, backend_group_begin,
                                       backend_group_end);
}
