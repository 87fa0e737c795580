/* Pings where nothing is heard, when a connection is lost, and the delay that is credited. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shard_expect.h"

enum { LONG_MS = 1000, LOST_MS = PING_MS * 5 / 2, MATCH_LOST_MS = MATCH_PING_MS * 5 / 2 };

static void one_ping_comes_after_welcome_and_then_one_an_interval(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    assert_int_equal(world->clients[ADA].pings, 1);
    run_ms(world, 4 * PING_MS + LONG_MS);
    assert_int_equal(world->clients[ADA].pings, 1 + 4);
    expect_open(world, ADA);
    world_close(world);
}

static void who_speaks_is_not_pinged(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    for (unsigned i = 0; i < 10; i++) {
        run_ms(world, PING_MS / 2);
        pings(world, ADA);
    }
    settle(world);
    assert_int_equal(world->clients[ADA].pings, 1);
    world_close(world);
}

static void in_a_match_pings_come_more_often(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_begins(world, 0, 1);
    uint32_t before = world->clients[ADA].pings; /* After welcome, and with `match`. */
    assert_int_equal(before, 2);
    run_ms(world, 2 * MATCH_PING_MS + LONG_MS);
    assert_int_equal(world->clients[ADA].pings, before + 2);
    world_close(world);
}

static void a_ping_waits_behind_what_is_not_taken_and_is_timed_from_when_it_goes(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    world->clients[BEN].rtt_us = 200000;
    world->clients[BEN].pong_delay_ms = 50;
    is_queued(world, BEN, 0);
    is_idle(world, ADA, 0);
    uint32_t before = world->clients[BEN].pings;
    takes_only(world, BEN, 0);
    joins(world, ADA);
    settle(world);
    assert_int_equal(world->clients[BEN].pings, before); /* The one with `match`. */
    run_ms(world, LONG_MS);
    mono_time reads_again_at = world->now;
    takes_everything(world, BEN);
    settle(world);
    assert_int_equal(world->clients[BEN].pings, before + 1);
    assert_false(mono_is_before(world->clients[BEN].pinged_at, reads_again_at));
    run_ms(world, START_MS + HOPS_MS);
    answers(world, BEN, 1, 0);
    settle(world);
    assert_in_range(number_in(last_said(world, BEN, "accepted"), "rtt_ms"), 50, 52);
    world_close(world);
}

static void who_is_not_heard_for_two_and_a_half_intervals_is_lost(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    falls_silent(world, ADA);
    run_ms(world, LOST_MS - 5 * HOPS_MS);
    expect_open(world, ADA);
    run_ms(world, 5 * HOPS_MS);
    expect_closed(world, ADA, CLOSE_LOST);
    expect_nothing_said(world, ADA);
    world_close(world);
}

static void in_a_match_that_is_sooner_and_the_other_is_told(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_begins(world, 0, 1);
    falls_silent(world, BEN);
    run_ms(world, MATCH_LOST_MS + HOPS_MS);
    expect_closed(world, BEN, CLOSE_LOST);
    expect_said(world, ADA, "round, peer away");
    world_close(world);
}

static void who_was_silent_in_the_queue_is_not_lost_as_the_match_begins(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, ADA, 1);
    run_ms(world, PING_MS - LONG_MS); /* Not pinged yet, and not heard. */
    look_away(world, ADA);
    world->clients[ADA].pong_delay_ms = MATCH_PING_MS;
    is_idle(world, BEN, 0);
    joins(world, BEN);
    settle(world);
    expect_said(world, ADA, "match");
    run_ms(world, MATCH_PING_MS + LONG_MS);
    expect_open(world, ADA);
    world_close(world);
}

static void what_is_sent_is_no_sign_of_life(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    falls_silent(world, BEN);
    for (unsigned i = 0; i < MATCH_LOST_MS / LONG_MS; i++) {
        emotes(world, ADA); /* It is shown to BEN. */
        run_ms(world, LONG_MS);
    }
    settle(world);
    expect_closed(world, BEN, CLOSE_LOST);
    world_close(world);
}

static void who_is_not_read_is_not_lost(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    is_lost(world, ADA);
    settle(world);
    world->loads.mode = STORE_LATE;
    world->loads.delay_ms = 2 * LOST_MS;
    comes(world, ADA, 0);
    shows_its_token(world, ADA);
    run_ms(world, 2 * LOST_MS + HOPS_MS);
    expect_open(world, ADA);
    expect_said(world, ADA, "welcome");
    world_close(world);
}

/* --- Credit. --- */

static struct world *with_delays(uint32_t rtt_us, uint32_t pong_delay_ms)
{
    struct world *world = world_of(2);
    world->clients[BEN].rtt_us = rtt_us;
    world->clients[BEN].pong_delay_ms = pong_delay_ms;
    return world;
}

static uint32_t credit_of(struct world *world)
{
    duel_begins(world, 0, 1);
    run_ms(world, START_MS);
    answers(world, BEN, 1, 0);
    settle(world);
    uint32_t rtt_ms = number_in(last_said(world, BEN, "accepted"), "rtt_ms");
    world_close(world);
    return rtt_ms;
}

static void the_credit_is_what_the_kernel_has_seen_where_that_is_least(void **state)
{
    (void)state;
    assert_int_equal(credit_of(with_delays(40000, 90)), 40);
}

static void the_credit_is_the_fastest_pong_where_that_is_least(void **state)
{
    (void)state;
    assert_in_range(credit_of(with_delays(90000, 40)), 40, 42);
}

static void the_credit_is_no_more_than_is_granted(void **state)
{
    (void)state;
    assert_int_equal(credit_of(with_delays(900000, 900)), CREDIT_MAX_MS);
}

static void where_the_kernel_knows_of_no_delay_there_is_no_credit(void **state)
{
    (void)state;
    assert_int_equal(credit_of(with_delays(0, 100)), 0);
}

static void without_a_pong_there_is_no_credit(void **state)
{
    (void)state;
    assert_int_equal(credit_of(with_delays(90000, 2 * START_MS)), 0);
}

static void a_late_pong_gains_nothing(void **state)
{
    (void)state;
    struct world *world = with_delays(200000, 30);
    duel_begins(world, 0, 1);
    run_ms(world, LONG_MS);
    world->clients[BEN].pong_delay_ms = 190;
    run_ms(world, START_MS - LONG_MS + MATCH_PING_MS);
    answers(world, BEN, 1, 0);
    settle(world);
    assert_in_range(number_in(last_said(world, BEN, "accepted"), "rtt_ms"), 30, 32);
    world_close(world);
}

static void a_faster_pong_counts_from_the_next_round_on(void **state)
{
    (void)state;
    struct world *world = with_delays(200000, 100);
    duel_asks(world, 0, 1);
    world->clients[BEN].pong_delay_ms = 10;
    run_ms(world, MATCH_PING_MS + LONG_MS);
    answers(world, BEN, 1, 0);
    settle(world);
    assert_in_range(number_in(last_said(world, BEN, "accepted"), "rtt_ms"), 100, 102);
    answers(world, ADA, 1, 0);
    run_ms(world, REVEAL_TIME_MS + HOPS_MS);
    answers(world, BEN, 2, 0);
    settle(world);
    assert_in_range(number_in(last_said(world, BEN, "accepted"), "rtt_ms"), 10, 12);
    world_close(world);
}

static void the_pong_to_an_earlier_ping_says_nothing(void **state)
{
    (void)state;
    struct world *world = with_delays(200000, MATCH_PING_MS + 100);
    duel_begins(world, 0, 1);
    run_ms(world, MATCH_PING_MS + LONG_MS); /* Pinged again, and then the first pong came. */
    world->clients[BEN].pong_delay_ms = 150;
    run_ms(world, ROUND_TIME_MS + REVEAL_TIME_MS);
    answers(world, BEN, 2, 0);
    settle(world);
    assert_in_range(number_in(last_said(world, BEN, "accepted"), "rtt_ms"), 150, 152);
    world_close(world);
}

static void run_until_attached(struct world *world)
{
    for (unsigned i = 0; i < LONG_MS && sessions_in(world, SESSION_ATTACHED) != 2; i++) {
        if (!run_once(world)) world->now.ms++;
    }
    assert_int_equal(sessions_in(world, SESSION_ATTACHED), 2);
}

static void a_pong_on_the_way_into_the_match_counts(void **state)
{
    (void)state;
    struct world *world = with_delays(90000, 50);
    is_queued(world, ADA, 0);
    comes(world, BEN, 1);
    greets(world, BEN);
    joins(world, BEN);
    run_until_attached(world);
    run_once(world);
    stall(world, 0); /* Where the match begins. */
    run_ms(world, 2 * world->clients[BEN].pong_delay_ms);
    go_on(world, 0);
    run_ms(world, START_MS + HOPS_MS);
    answers(world, BEN, 1, 0);
    settle(world);
    assert_in_range(number_in(last_said(world, BEN, "accepted"), "rtt_ms"), 50, 52);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_ping_comes_after_welcome_and_then_one_an_interval),
        cmocka_unit_test(who_speaks_is_not_pinged),
        cmocka_unit_test(in_a_match_pings_come_more_often),
        cmocka_unit_test(a_ping_waits_behind_what_is_not_taken_and_is_timed_from_when_it_goes),
        cmocka_unit_test(who_is_not_heard_for_two_and_a_half_intervals_is_lost),
        cmocka_unit_test(in_a_match_that_is_sooner_and_the_other_is_told),
        cmocka_unit_test(who_was_silent_in_the_queue_is_not_lost_as_the_match_begins),
        cmocka_unit_test(what_is_sent_is_no_sign_of_life),
        cmocka_unit_test(who_is_not_read_is_not_lost),
        cmocka_unit_test(the_credit_is_what_the_kernel_has_seen_where_that_is_least),
        cmocka_unit_test(the_credit_is_the_fastest_pong_where_that_is_least),
        cmocka_unit_test(the_credit_is_no_more_than_is_granted),
        cmocka_unit_test(where_the_kernel_knows_of_no_delay_there_is_no_credit),
        cmocka_unit_test(without_a_pong_there_is_no_credit),
        cmocka_unit_test(a_late_pong_gains_nothing),
        cmocka_unit_test(a_faster_pong_counts_from_the_next_round_on),
        cmocka_unit_test(the_pong_to_an_earlier_ping_says_nothing),
        cmocka_unit_test(a_pong_on_the_way_into_the_match_counts),
    };
    return cmocka_run_group_tests_name("liveness", tests, NULL, NULL);
}
