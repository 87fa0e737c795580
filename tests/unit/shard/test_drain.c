/* Drain and shutdown, in every state a player can be in. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "shard_expect.h"

enum { LONG_MS = 1000 };

static bool is_empty(const struct world *world)
{
    for (unsigned i = 0; i < world->settings.shards; i++) {
        if (!shard_is_empty(world->shards[i].shard)) return false;
    }
    return true;
}

static void run_until_attached(struct world *world)
{
    for (unsigned i = 0; i < LONG_MS && sessions_in(world, SESSION_ATTACHED) != 2; i++) {
        if (!run_once(world)) world->now.ms++;
    }
    assert_int_equal(sessions_in(world, SESSION_ATTACHED), 2);
}

static void who_is_idle_gets_bye(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_idle(world, ADA, 1);
    drain(world);
    settle(world);
    expect_said(world, ADA, "bye restart");
    assert_true(number_in(last_said(world, ADA, "bye"), "retry_ms") > 0);
    expect_closed(world, ADA, CLOSE_RESTART);
    assert_true(is_empty(world));
    world_close(world);
}

static void who_has_just_come_may_say_hello_and_then_gets_bye(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    comes(world, ADA, 0);
    drain(world);
    settle(world);
    expect_nothing_said(world, ADA);
    run_ms(world, LONG_MS);
    expect_said(world, ADA, "bye restart");
    assert_true(is_empty(world));
    world_close(world);
}

static void who_is_queued_gets_bye(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, ADA, 1);
    drain(world);
    settle(world);
    expect_said(world, ADA, "bye restart");
    assert_true(is_empty(world));
    world_close(world);
}

static void who_is_joining_gets_bye(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_idle(world, ADA, 1);
    joins(world, ADA);
    (void)run_once(world);
    assert_int_equal(sessions_in(world, SESSION_JOINING), 1);
    drain(world);
    settle(world);
    expect_said(world, ADA, "queued, bye restart");
    assert_true(is_empty(world));
    world_close(world);
}

static void who_is_greeting_gets_bye(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    comes(world, ADA, 0);
    greets(world, ADA);
    (void)run_once(world);
    assert_int_equal(sessions_in(world, SESSION_GREETING), 1);
    drain(world);
    settle(world);
    expect_among(world, ADA, "bye restart");
    assert_true(is_empty(world));
    world_close(world);
}

static void a_pair_on_its_way_into_a_match_gets_bye(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_queued(world, ADA, 0);
    is_idle(world, BEN, 0);
    joins(world, BEN);
    run_until_attached(world);
    drain(world);
    run_ms(world, LONG_MS);
    expect_said(world, ADA, "bye restart");
    expect_said(world, BEN, "queued, bye restart");
    assert_true(is_empty(world));
    world_close(world);
}

static void a_pair_of_two_shards_on_its_way_into_a_match_gets_bye(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    is_queued(world, ADA, 1);
    is_idle(world, BEN, 2);
    joins(world, BEN);
    run_until_attached(world);
    drain(world);
    run_ms(world, LONG_MS);
    expect_among(world, ADA, "bye restart");
    expect_among(world, BEN, "bye restart");
    assert_true(is_empty(world));
    world_close(world);
}

static void a_match_is_played_to_its_end_and_then_comes_bye(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    drain(world);
    settle(world);
    expect_nothing_said(world, ADA);
    plays_to_the_end(world);
    expect_among(world, ADA, "end finished");
    expect_among(world, BEN, "bye restart");
    expect_closed(world, ADA, CLOSE_RESTART);
    expect_closed(world, BEN, CLOSE_RESTART);
    assert_true(is_empty(world));
    world_close(world);
}

static void after_a_cancelled_match_nobody_is_queued_again(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_begins(world, 0, 1);
    drain(world);
    leaves(world, ADA);
    settle(world);
    expect_said(world, ADA, "left, peer gone, end cancelled, bye restart");
    expect_said(world, BEN, "peer gone, end cancelled, bye restart");
    world_close(world);
}

static void a_match_nobody_plays_ends_in_the_time_that_was_said(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_begins(world, 0, 1);
    drain(world);
    const struct shard_settings settings = {.match = {.rounds = ROUNDS,
                                                      .start_ms = START_MS,
                                                      .round_time_ms = ROUND_TIME_MS,
                                                      .reveal_time_ms = REVEAL_TIME_MS,
                                                      .close_slack_ms = CLOSE_SLACK_MS}};
    run_ms(world, shard_longest_match_ms(&settings) + HOPS_MS);
    expect_among(world, ADA, "end finished");
    assert_true(is_empty(world));
    world_close(world);
}

static void a_hello_is_unavailable_and_the_connection_closed(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    drain(world);
    settle(world);
    comes(world, ADA, 0);
    greets(world, ADA);
    settle(world);
    expect_said(world, ADA, "error unavailable, bye restart");
    expect_closed(world, ADA, CLOSE_RESTART);
    world_close(world);
}

static void who_does_not_read_holds_up_the_drain_for_the_send_timeout(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    takes_only(world, ADA, 0);
    drain(world);
    settle(world);
    assert_false(is_empty(world));
    run_ms(world, SEND_TIMEOUT_MS);
    assert_true(is_empty(world));
    world_close(world);
}

static void a_shutdown_ends_running_matches(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    shut_down(world);
    settle(world);
    expect_said(world, ADA, "end shutdown, bye restart");
    expect_said(world, BEN, "end shutdown, bye restart");
    assert_true(is_empty(world));
    world_close(world);
}

static void a_shutdown_ends_a_match_that_waits_for_its_first_round(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_begins(world, 1, 1);
    shut_down(world);
    settle(world);
    expect_said(world, ADA, "end shutdown, bye restart");
    assert_true(is_empty(world));
    world_close(world);
}

static void a_shutdown_waits_for_a_result_on_its_way_to_disk(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    world->saves.mode = STORE_LATE;
    world->saves.delay_ms = 500;
    duel_asks(world, 0, 1);
    plays_to_the_end(world);
    shut_down(world);
    settle(world);
    assert_int_equal(matches_live(world), 1);
    run_ms(world, world->saves.delay_ms);
    expect_among(world, ADA, "end finished");
    assert_true(is_empty(world));
    world_close(world);
}

static void who_is_away_holds_up_no_shutdown(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    is_lost(world, ADA);
    settle(world);
    shut_down(world);
    settle(world);
    assert_true(is_empty(world));
    world_close(world);
}

static void a_shard_that_is_full_of_goodbyes_can_refuse_a_match(void **state)
{
    (void)state;
    enum { CROWD = 900 }; /* More than the smallest mailbox has room for. */
    struct world *world = world_create((struct world_settings){
        .clients = CROWD, .sessions_max = CROWD, .mailbox_bytes = 2 * MAILBOX_RECORD_BYTES_MAX});
    for (unsigned client = 2; client < CROWD; client++) {
        comes(world, client, 0);
        greets(world, client);
    }
    run_ms(world, LONG_MS);
    is_queued(world, ADA, 0);
    is_idle(world, BEN, 0);
    joins(world, BEN);
    run_until_attached(world);
    world->now.ms++;
    (void)run_once(world); /* Both attaches are sent: the next iteration starts the match. */
    world->now.ms++;
    /* All others leave in it: what they send stands behind START, up to the last byte. */
    drain(world);
    for (unsigned client = 2; client < CROWD; client++) {
        if (world->clients[client].is_connected) is_lost(world, client);
    }
    run_ms(world, LONG_MS);
    assert_true(is_empty(world));
    world_close(world);
}

static void what_is_no_session_is_unavailable_too(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    drain(world);
    settle(world);
    comes(world, ADA, 0);
    asks(world, ADA, "hello", "\"resume\":\"short\"");
    settle(world);
    expect_said(world, ADA, "error unavailable, bye restart");
    expect_closed(world, ADA, CLOSE_RESTART);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_idle_gets_bye),
        cmocka_unit_test(who_has_just_come_may_say_hello_and_then_gets_bye),
        cmocka_unit_test(who_is_queued_gets_bye),
        cmocka_unit_test(who_is_joining_gets_bye),
        cmocka_unit_test(who_is_greeting_gets_bye),
        cmocka_unit_test(a_pair_on_its_way_into_a_match_gets_bye),
        cmocka_unit_test(a_pair_of_two_shards_on_its_way_into_a_match_gets_bye),
        cmocka_unit_test(a_match_is_played_to_its_end_and_then_comes_bye),
        cmocka_unit_test(after_a_cancelled_match_nobody_is_queued_again),
        cmocka_unit_test(a_match_nobody_plays_ends_in_the_time_that_was_said),
        cmocka_unit_test(a_hello_is_unavailable_and_the_connection_closed),
        cmocka_unit_test(who_does_not_read_holds_up_the_drain_for_the_send_timeout),
        cmocka_unit_test(a_shutdown_ends_running_matches),
        cmocka_unit_test(a_shutdown_ends_a_match_that_waits_for_its_first_round),
        cmocka_unit_test(a_shutdown_waits_for_a_result_on_its_way_to_disk),
        cmocka_unit_test(who_is_away_holds_up_no_shutdown),
        cmocka_unit_test(a_shard_that_is_full_of_goodbyes_can_refuse_a_match),
        cmocka_unit_test(what_is_no_session_is_unavailable_too),
    };
    return cmocka_run_group_tests_name("drain", tests, NULL, NULL);
}
