/* Players whose connection is gone: what they keep, for how long, and how they come back to it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shard_expect.h"

enum { LONG_MS = 1000, SHORT_MS = 500 };

static void a_place_in_the_queue_is_kept_for_the_grace(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, ADA, 1);
    is_lost(world, ADA);
    run_ms(world, GRACE_MS - LONG_MS);
    assert_int_equal(stats_of(world, 0).away_tickets.now, 1);
    is_back(world, ADA, 0);
    assert_int_equal(stats_of(world, 0).away_tickets.now, 0);
    uint32_t waited_ms = number_in(last_said(world, ADA, "queued"), "waited_ms");
    assert_in_range(waited_ms, GRACE_MS - LONG_MS, GRACE_MS);
    world_close(world);
}

static void and_not_longer(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, ADA, 1);
    is_lost(world, ADA);
    run_ms(world, GRACE_MS + HOPS_MS);
    assert_int_equal(stats_of(world, 0).ticket_slots.now, 0);
    assert_int_equal(players_present(world), 0);
    comes(world, ADA, 0);
    resumes(world, ADA);
    settle(world);
    expect_said(world, ADA, "error resume_expired");
    world_close(world);
}

static void who_is_away_is_not_matched_until_back(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, ADA, 1);
    is_lost(world, ADA);
    settle(world);
    is_queued(world, BEN, 0);
    run_ms(world, SHORT_MS);
    assert_int_equal(matches_live(world), 0);
    comes(world, ADA, 1);
    resumes(world, ADA);
    settle(world);
    expect_said(world, ADA, "welcome, queued, match");
    expect_said(world, BEN, "match");
    world_close(world);
}

/* Idle on the last shard, and looked after by another than the lobby's. */
static unsigned one_at_home_elsewhere(struct world *world)
{
    unsigned client = ADA;
    is_idle(world, client, 2);
    while (stats_of(world, 0).presence_slots.now > 0) {
        is_lost(world, client);
        settle(world);
        client++;
        is_idle(world, client, 2);
    }
    return client;
}

static void that_one_was_away_is_no_news_once_it_is_back(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    unsigned client = one_at_home_elsewhere(world);
    joins(world, client);
    settle(world);
    stall(world, 0); /* The lobby: it reads what shard 1 has sent before what shard 2 has. */
    is_lost(world, client);
    settle(world);
    comes(world, client, 1);
    resumes(world, client);
    settle(world);
    go_on(world, 0);
    settle(world);
    expect_said(world, client, "welcome, queued");
    assert_int_equal(stats_of(world, 0).away_tickets.now, 0);
    world_close(world);
}

static void only_so_many_may_be_away_and_the_others_lose_their_place(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    uint32_t bound = stats_of(world, 0).away_tickets.bound;
    assert_in_range(bound, 1, LEO);
    static const char *const categories[CATEGORIES] = {"art",   "film",    "history",
                                                       "music", "science", "sports"};
    for (unsigned i = 0; i <= bound; i++) {
        is_idle(world, i, 0);
        joins_in(world, i, categories[i]);
        settle(world);
        is_lost(world, i);
    }
    settle(world);
    assert_int_equal(stats_of(world, 0).away_tickets.now, bound);
    comes(world, bound, 0);
    resumes(world, bound);
    settle(world);
    expect_said(world, bound, "welcome, unqueued expired");
    run_ms(world, LONG_MS);
    joins(world, bound);
    settle(world);
    expect_among(world, bound, "queued");
    world_close(world);
}

/* Idle on shard 1, and looked after by the lobby's. */
static unsigned one_at_home_with_the_lobby(struct world *world)
{
    unsigned client = ADA;
    is_idle(world, client, 1);
    while (stats_of(world, 0).presence_slots.now == 0) {
        is_lost(world, client);
        settle(world);
        client++;
        is_idle(world, client, 1);
    }
    return client;
}

/* The grace is over, and STANDING still finds no room: nobody else waits for that. */
static void who_is_handed_over_does_not_hold_up_other_deadlines(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    unsigned client = one_at_home_with_the_lobby(world);
    joins(world, client);
    settle(world);
    is_lost(world, client);
    settle(world);
    stall(world, 1);
    comes(world, client, 0);
    resumes(world, client);
    settle(world); /* LET_GO lies before shard 1. */
    stall(world, 0);
    jam(world, 1, 0);
    go_on(world, 1);
    run_ms(world, GRACE_MS - LONG_MS);
    comes(world, LEO, 1);
    run_ms(world, HELLO_TIMEOUT_MS + HOPS_MS);
    expect_closed(world, LEO, CLOSE_NO_HELLO);
    world_close(world);
}

static void without_a_grace_there_is_no_place_to_keep(void **state)
{
    (void)state;
    struct world *world = world_create((struct world_settings){.is_without_grace = true});
    is_queued(world, ADA, 0);
    is_lost(world, ADA);
    settle(world);
    assert_int_equal(stats_of(world, 0).ticket_slots.now, 0);
    world_close(world);
}

static void who_is_back_in_time_plays_on(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    is_lost(world, BEN);
    settle(world);
    expect_said(world, ADA, "peer away");
    run_ms(world, GRACE_MS / 2);
    comes(world, BEN, 0);
    resumes(world, BEN);
    settle(world);
    expect_said(world, BEN, "welcome, peer away, clock, peer back");
    expect_said(world, ADA, "peer back");
    run_ms(world, GRACE_MS); /* The time that it had is over. */
    assert_int_equal(matches_live(world), 1);
    world_close(world);
}

static void who_is_not_back_in_time_has_lost(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    is_lost(world, BEN);
    run_ms(world, GRACE_MS + HOPS_MS);
    expect_among(world, ADA, "end forfeit");
    is_back(world, BEN, 0);
    assert_int_equal(count_said(world, BEN, "end"), 1);
    expect_same_bytes(world, ADA, BEN, "end");
    world_close(world);
}

static void clock_says_what_is_left_of_the_round(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    is_lost(world, BEN);
    run_ms(world, 2 * LONG_MS);
    is_back(world, BEN, 1);
    const char *clock = last_said(world, BEN, "clock");
    assert_int_equal(number_in(clock, "round"), 1);
    assert_in_range(number_in(clock, "left_ms"), ROUND_TIME_MS - 2 * LONG_MS - 3 * HOPS_MS,
                    ROUND_TIME_MS - 2 * LONG_MS);
    world_close(world);
}

static void both_away_and_one_back_wins(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    is_lost(world, BEN);
    run_ms(world, GRACE_MS / 2);
    is_lost(world, ADA);
    run_ms(world, GRACE_MS / 2 + HOPS_MS); /* BEN is gone, ADA away. */
    assert_int_equal(matches_live(world), 1);
    is_back(world, ADA, 1);
    assert_int_equal(count_said(world, ADA, "end"), 1);
    assert_int_equal(number_in(last_said(world, ADA, "end"), "winner"), 0);
    world_close(world);
}

static void an_ended_match_is_kept_for_who_has_not_been_heard(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    is_lost(world, BEN);
    leaves(world, ADA);
    settle(world);
    run_ms(world, ENDED_KEEP_MS - 5 * HOPS_MS);
    assert_int_equal(matches_kept(world), 1);
    comes(world, BEN, 0);
    resumes(world, BEN);
    settle(world);
    expect_among(world, BEN, "end forfeit");
    world_close(world);
}

static void and_forgotten_then(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    is_lost(world, BEN);
    leaves(world, ADA);
    settle(world);
    run_ms(world, ENDED_KEEP_MS + HOPS_MS);
    assert_int_equal(matches_kept(world), 0);
    assert_int_equal(players_present(world), 1); /* ADA. */
    comes(world, BEN, 0);
    resumes(world, BEN);
    settle(world);
    expect_said(world, BEN, "error resume_expired");
    world_close(world);
}

static void a_match_that_both_have_seen_end_is_kept_for_nobody(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    world->clients[ADA].pong_delay_ms = LONG_MS;
    world->clients[BEN].pong_delay_ms = LONG_MS;
    leaves(world, ADA);
    settle(world);
    pings(world, ADA); /* Said without `end`, for all the server knows. */
    settle(world);
    assert_int_equal(matches_kept(world), 1);
    run_ms(
        world,
        LONG_MS +
            HOPS_MS); /* The pongs to the pings behind `end`: got, and perhaps shown to nobody. */
    assert_int_equal(matches_kept(world), 1);
    pings(world, ADA);
    pings(world, BEN);
    settle(world);
    assert_int_equal(matches_kept(world), 0);
    world_close(world);
}

static void who_has_all_of_an_ended_match_comes_back_to_nothing(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    falls_silent(world, BEN);
    leaves(world, ADA);
    settle(world);
    is_lost(world, BEN);
    settle(world);
    comes(world, BEN, 0);
    resumes(world, BEN);
    settle(world);
    expect_said(world, BEN, "welcome");
    assert_null(strstr(last_said(world, BEN, "welcome"), "\"match\""));
    world_close(world);
}

static void an_answer_on_the_connection_before_counts_and_its_receipt_goes_nowhere(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    stall(world, 0); /* Where the match is. */
    answers(world, BEN, 1, 2);
    settle(world);
    is_lost(world, BEN);
    settle(world);
    comes(world, BEN, 1);
    resumes(world, BEN);
    settle(world);
    go_on(world, 0);
    settle(world);
    expect_open(world, BEN);
    assert_int_equal(count_said(world, BEN, "accepted"), 0);
    answers(world, BEN, 1, 0);
    settle(world);
    const char *accepted = last_said(world, BEN, "accepted");
    assert_int_equal(number_in(accepted, "choice"), 2);
    assert_non_null(strstr(accepted, "\"dup\":true"));
    world_close(world);
}

static void when_the_server_drains_a_match_may_be_come_back_to(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    is_lost(world, BEN);
    settle(world);
    drain(world);
    settle(world);
    comes(world, BEN, 1);
    resumes(world, BEN);
    settle(world);
    expect_said(world, BEN, "welcome, peer away, clock, peer back");
    world_close(world);
}

static void when_the_server_drains_a_place_in_the_queue_is_none(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, ADA, 0);
    is_lost(world, ADA);
    settle(world);
    stall(world, 0); /* Nobody is swept away yet. */
    drain(world);
    comes(world, ADA, 1);
    resumes(world, ADA);
    settle(world);
    go_on(world, 0);
    settle(world);
    expect_said(world, ADA, "error unavailable, bye restart");
    expect_closed(world, ADA, CLOSE_RESTART);
    world_close(world);
}

static void who_is_lost_before_the_match_has_answered_is_away_again(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 0); /* The match is there too. */
    is_lost(world, BEN);
    settle(world);
    expect_said(world, ADA, "peer away");
    comes(world, BEN, 1);
    resumes(world, BEN);
    stall(world, 0);
    settle(world);
    is_lost(world, BEN);
    settle(world);
    go_on(world, 0);
    settle(world);
    expect_said(world, ADA, "peer back, peer away");
    assert_int_equal(sessions_in(world, SESSION_PLAYING), 2);
    comes(world, BEN, 1);
    resumes(world, BEN);
    settle(world);
    expect_said(world, BEN, "welcome, peer away, peer back, peer away, clock, peer back");
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_in_the_queue_is_kept_for_the_grace),
        cmocka_unit_test(and_not_longer),
        cmocka_unit_test(who_is_away_is_not_matched_until_back),
        cmocka_unit_test(that_one_was_away_is_no_news_once_it_is_back),
        cmocka_unit_test(only_so_many_may_be_away_and_the_others_lose_their_place),
        cmocka_unit_test(who_is_handed_over_does_not_hold_up_other_deadlines),
        cmocka_unit_test(without_a_grace_there_is_no_place_to_keep),
        cmocka_unit_test(who_is_back_in_time_plays_on),
        cmocka_unit_test(who_is_not_back_in_time_has_lost),
        cmocka_unit_test(clock_says_what_is_left_of_the_round),
        cmocka_unit_test(both_away_and_one_back_wins),
        cmocka_unit_test(an_ended_match_is_kept_for_who_has_not_been_heard),
        cmocka_unit_test(and_forgotten_then),
        cmocka_unit_test(a_match_that_both_have_seen_end_is_kept_for_nobody),
        cmocka_unit_test(who_has_all_of_an_ended_match_comes_back_to_nothing),
        cmocka_unit_test(an_answer_on_the_connection_before_counts_and_its_receipt_goes_nowhere),
        cmocka_unit_test(when_the_server_drains_a_match_may_be_come_back_to),
        cmocka_unit_test(when_the_server_drains_a_place_in_the_queue_is_none),
        cmocka_unit_test(who_is_lost_before_the_match_has_answered_is_away_again),
    };
    return cmocka_run_group_tests_name("ghost", tests, NULL, NULL);
}
