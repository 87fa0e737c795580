/* When the server fails: what calls come to and how soon, how it goes on, and that no turn of the
 * loop ever waits for it. */

#define _GNU_SOURCE

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "edge/clock.h"
#include "store_backend_postgres.h"

enum {
    TIMEOUT_MS = 400,
    /* On a machine that is busy with something else too. */
    LATE_MS = 600,
    RUN_MAX_US = 250000,
    RECOVER_MAX_MS = 20000,
    CANCEL_MAX_MS = 100,
    LINKS = 2 * SHARDS,
};

static const struct id ada = {{0xad}};
static const struct id ben = {{0xbe}};

/* --- The world. --- */

static void open_hasty(struct world *world)
{
    struct postgres_store_options options = backend_options(QUEUE_SLOTS);
    options.timeout_ms = TIMEOUT_MS;
    assert_int_equal(postgres_store_create(&options, &world->store), 0);
    wait_for_links(world, LINKS);
}

static int faults_begin(void **state)
{
    if (world_begin(state) != 0) return -1;
    open_hasty(*state);
    capture_log(*state);
    return 0;
}

/* The server is there for the next test, whatever became of this one. */
static int faults_end(void **state)
{
    struct world *world = *state;
    uint64_t longest_us = world->longest_run_us;
    if (backend_server()->pid == 0 && !server_start(backend_server())) return -1;
    server_signal(backend_server(), SIGCONT);
    if (world_end(state) != 0) return -1;
    print_message("the longest turn took %llu us\n", (unsigned long long)longest_us);
    return longest_us < RUN_MAX_US ? 0 : -1;
}

/* Tries again as a match does, until the result is there. */
static void save_until_saved(struct world *world, const struct match_result *result)
{
    mono_time by = mono_after(clock_mono(), RECOVER_MAX_MS);
    for (;;) {
        assert_int_equal(try_save(world, 0, result), 0);
        if (next_answer(world, 0).is_saved) return;
        assert_true(world_turn_until(world, by));
    }
}

static void expect_each_once(struct world *world, unsigned matches)
{
    char expected[64];
    (void)snprintf(expected, sizeof expected, "%u|%u|%u\n", matches, matches, matches);
    assert_string_equal(rows(world, "SELECT (SELECT count(*) FROM matches),"
                                    " (SELECT matches FROM players WHERE name = 'Ada'),"
                                    " (SELECT version FROM players WHERE name = 'Ben')"),
                        expected);
}

/* A result and a look-up fail, no later than their deadline. */
static void expect_both_fail_in_time(struct world *world)
{
    struct match_result result = duel(9);
    mono_time began = clock_mono();
    save(world, &result);
    assert_int_equal(store_load(world->store, 1, handle_of(1), &ada), 0);
    assert_false(next_answer(world, 0).is_saved);
    assert_int_equal(next_answer(world, 1).loaded.outcome, LOAD_FAILED);
    assert_true(mono_elapsed(began, clock_mono()) < TIMEOUT_MS + LATE_MS);
}

/* --- Servers that go. --- */

static void a_server_that_stands_still_fails_calls_at_their_deadline_and_recovers(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    server_signal(backend_server(), SIGSTOP);
    expect_both_fail_in_time(world);
    assert_false(world->store->class->is_healthy(world->store));
    server_signal(backend_server(), SIGCONT);
    save_until_saved(world, &result);
    assert_int_equal(load(world, &ada).loaded.outcome, LOAD_FOUND);
    assert_true(stats(world).server.timed_out >= 2);
}

static void a_server_that_is_killed_and_comes_back_has_each_result_once(void **state)
{
    struct world *world = *state;
    struct match_result first = duel(1);
    struct match_result second = duel_after(&first, 2);
    expect_saved(world, &first);
    save(world, &second); /* On its way when the server goes. */
    world_turn(world);
    server_stop(backend_server(), SIGKILL);
    (void)next_answer(world, 0);
    expect_both_fail_in_time(world);
    assert_true(server_start(backend_server()));
    save_until_saved(world, &second);
    save_until_saved(world, &first);
    backend_look_anew(world);
    expect_each_once(world, 2);
}

static void a_server_that_is_restarted_is_found_again(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    backend_close(world);
    server_stop(backend_server(), SIGINT);
    assert_true(server_start(backend_server()));
    save_until_saved(world, &result);
    wait_for_links(world, LINKS);
    expect_each_once(world, 1);
}

static const char terminate_sql[] = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                                    " WHERE datname = 'test' AND pid <> pg_backend_pid()";

static void a_server_that_takes_no_connections_is_asked_again(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    backend_close(world);
    backend_administer("ALTER DATABASE test ALLOW_CONNECTIONS false");
    backend_administer(terminate_sql);
    expect_both_fail_in_time(world);
    backend_administer("ALTER DATABASE test ALLOW_CONNECTIONS true");
    save_until_saved(world, &result);
    expect_each_once(world, 1);
}

static void a_connection_that_is_reset_fails_no_call(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    for (unsigned i = 0; i < 3; i++) {
        wait_for_links(world, LINKS);
        execute(world, terminate_sql);
        expect_saved(world, &result);
        assert_int_equal(load(world, &ada).loaded.outcome, LOAD_FOUND);
    }
    assert_true(stats(world).server.lost >= 3);
    assert_int_equal(stats(world).failed, 0);
}

static void a_server_that_fails_time_after_time_is_left_alone_until_a_probe_succeeds(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    server_stop(backend_server(), SIGKILL);
    while (stats(world).server.breakers_in[BREAKER_CLOSED] > 0) world_turn(world);
    mono_time began = clock_mono();
    save(world, &result);
    expect_answer(world, 1, false);
    assert_true(mono_elapsed(began, clock_mono()) < TIMEOUT_MS);
    assert_true(server_start(backend_server()));
    wait_for_links(world, LINKS);
    assert_int_equal(stats(world).server.breakers_in[BREAKER_CLOSED], SHARDS);
    expect_saved(world, &result);
    end_log(world);
    assert_int_equal(
        times_logged(world, "event=store_breaker shard=0 state=open failures=5 error="), 1);
    assert_int_equal(times_logged(world, "event=store_breaker shard=0 state=closed"), 1);
    assert_int_equal(times_logged(world, "event=store_connection_lost shard=0"), 1);
}

/* --- Queries that take too long. --- */

static const char running_sql[] =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = 'test' AND state = 'active'"
    " AND wait_event_type = 'Lock'";

static const char running_pid_sql[] =
    "SELECT pid FROM pg_stat_activity WHERE datname = 'test' AND state = 'active'"
    " AND wait_event_type = 'Lock'";

/* Within a transaction the server shows what it showed first, unless it is told. */
static const char *now_running(struct world *world, const char *sql)
{
    execute(world, "SELECT pg_stat_clear_snapshot()");
    return rows(world, sql);
}

static bool is_running(struct world *world)
{
    return strcmp(now_running(world, running_sql), "0\n") != 0;
}

static void wait_for_running(struct world *world, const char *count)
{
    mono_time by = mono_after(clock_mono(), RECOVER_MAX_MS);
    while (strcmp(now_running(world, running_sql), count) != 0) {
        world_turn_briefly(world);
        assert_true(mono_is_before(clock_mono(), by));
    }
}

static void hold_players(struct world *world)
{
    execute(world, "BEGIN; LOCK TABLE players IN ACCESS EXCLUSIVE MODE");
}

/* A look-up that waits for the lock at the server. */
static void begin_look_up(struct world *world, uint8_t number, const struct id *player)
{
    assert_int_equal(store_load(world->store, 0, handle_of(number), player), 0);
    while (!is_running(world)) world_turn_briefly(world);
}

static uint64_t ms_until_it_is_over(struct world *world)
{
    mono_time began = clock_mono();
    while (is_running(world)) world_turn_briefly(world);
    return mono_elapsed(began, clock_mono());
}

static void a_slow_look_up_fails_at_its_deadline_and_ends_at_the_server(void **state)
{
    struct world *world = *state;
    hold_players(world);
    begin_look_up(world, 1, &ada);
    assert_int_equal(next_answer(world, 0).loaded.outcome, LOAD_FAILED);
    assert_true(ms_until_it_is_over(world) < CANCEL_MAX_MS);
    execute(world, "COMMIT");
    assert_int_equal(load(world, &ada).loaded.outcome, LOAD_UNKNOWN);
    assert_int_equal(stats(world).server.timed_out, 1);
    assert_int_equal(stats(world).server.cancelled, 1);
}

static void a_look_up_that_is_cancelled_ends_at_the_server_and_takes_no_other_with_it(void **state)
{
    struct world *world = *state;
    hold_players(world);
    begin_look_up(world, 1, &ada);
    assert_int_equal(store_load(world->store, 0, handle_of(2), &ben), 0);
    store_cancel_load(world->store, 0, handle_of(1));
    struct store_answer cancelled = next_answer(world, 0);
    assert_int_equal(cancelled.handle.slot, 1);
    assert_int_equal(cancelled.loaded.outcome, LOAD_FAILED);
    execute(world, "COMMIT");
    struct store_answer other = next_answer(world, 0);
    assert_int_equal(other.handle.slot, 2);
    assert_int_equal(other.loaded.outcome, LOAD_UNKNOWN);
    assert_int_equal(stats(world).server.lost, 0);
}

static void a_running_query_that_is_cancelled_is_over_within_100_ms(void **state)
{
    struct world *world = *state;
    hold_players(world);
    begin_look_up(world, 1, &ada);
    store_cancel_load(world->store, 0, handle_of(1));
    assert_true(ms_until_it_is_over(world) < CANCEL_MAX_MS);
    assert_int_equal(stats(world).server.cancelled, 1);
    execute(world, "COMMIT");
}

static void where_no_connection_is_idle_for_it_a_cancelled_query_ends_all_the_same(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    hold_players(world);
    begin_look_up(world, 1, &ada);
    char of_look_up[256];
    (void)snprintf(of_look_up, sizeof of_look_up, "%s AND pid = %ld", running_sql,
                   strtol(now_running(world, running_pid_sql), NULL, 10));
    assert_string_equal(now_running(world, of_look_up), "1\n");
    save(world, &result); /* Its connection waits too. */
    wait_for_running(world, "2\n");
    mono_time began = clock_mono();
    store_cancel_load(world->store, 0, handle_of(1));
    assert_int_equal(next_answer(world, 0).handle.slot, 1);
    /* The connection that follows may wait for the same lock meanwhile. */
    while (strcmp(now_running(world, of_look_up), "0\n") != 0) world_turn_briefly(world);
    assert_in_range(mono_elapsed(began, clock_mono()), 0, 2 * CANCEL_MAX_MS);
    execute(world, "COMMIT");
    save_until_saved(world, &result);
}

static void a_look_up_that_is_queued_and_cancelled_never_starts(void **state)
{
    struct world *world = *state;
    assert_int_equal(store_load(world->store, 0, handle_of(1), &ada), 0);
    store_cancel_load(world->store, 0, handle_of(1));
    assert_int_equal(next_answer(world, 0).loaded.outcome, LOAD_FAILED);
    assert_int_equal(stats(world).server.cancelled, 0);
    assert_int_equal(stats(world).loaded, 0);
}

static void
a_slow_result_fails_at_its_deadline_and_is_saved_once_when_it_is_tried_again(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    hold_writes(world);
    mono_time began = clock_mono();
    save(world, &result);
    expect_answer(world, 1, false);
    assert_true(mono_elapsed(began, clock_mono()) < TIMEOUT_MS + LATE_MS);
    release_writes(world);
    save_until_saved(world, &result);
    expect_each_once(world, 1);
}

/* --- Two at a time. --- */

static void a_row_that_changed_since_it_was_read_is_read_again(void **state)
{
    struct world *world = *state;
    struct match_result results[] = {duel(1), duel(2)};
    hold_writes(world);
    save_on(world, 0, &results[0]);
    save_on(world, 1, &results[1]);
    wait_for_running(world, "2\n");
    release_writes(world);
    assert_true(next_answer(world, 0).is_saved);
    assert_true(next_answer(world, 1).is_saved);
    expect_each_once(world, 2);
    assert_int_equal(stats(world).server.conflicts, 1);
    assert_string_equal(rows(world, "SELECT count(*) FROM match_players"
                                    " WHERE rating_after <> rating_applied"),
                        "2\n");
}

#define faults_test(name) cmocka_unit_test_setup_teardown(name, faults_begin, faults_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        faults_test(a_server_that_stands_still_fails_calls_at_their_deadline_and_recovers),
        faults_test(a_server_that_is_killed_and_comes_back_has_each_result_once),
        faults_test(a_server_that_is_restarted_is_found_again),
        faults_test(a_server_that_takes_no_connections_is_asked_again),
        faults_test(a_connection_that_is_reset_fails_no_call),
        faults_test(a_server_that_fails_time_after_time_is_left_alone_until_a_probe_succeeds),
        faults_test(a_slow_look_up_fails_at_its_deadline_and_ends_at_the_server),
        faults_test(a_look_up_that_is_cancelled_ends_at_the_server_and_takes_no_other_with_it),
        faults_test(a_running_query_that_is_cancelled_is_over_within_100_ms),
        faults_test(where_no_connection_is_idle_for_it_a_cancelled_query_ends_all_the_same),
        faults_test(a_look_up_that_is_queued_and_cancelled_never_starts),
        faults_test(a_slow_result_fails_at_its_deadline_and_is_saved_once_when_it_is_tried_again),
        faults_test(a_row_that_changed_since_it_was_read_is_read_again),
    };
    return cmocka_run_group_tests_name("edge/postgres_store_faults", tests, backend_group_begin,
                                       backend_group_end);
}
