/* A server that is full serves those who come back to a match, and nobody else. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shard_expect.h"

enum { HELLO_MS = 1000 };

static void comes_to_a_full_server(struct world *world, unsigned client, unsigned shard)
{
    comes(world, client, shard);
    shard_only_for_return(world->shards[shard].shard, world->clients[client].session);
}

static void expect_turned_away(struct world *world, unsigned client)
{
    expect_said(world, client, "error unavailable, bye full");
    assert_int_equal(number_in(last_said(world, client, "error"), "retry_ms"), 5000);
    assert_int_equal(number_in(last_said(world, client, "bye"), "retry_ms"), 5000);
    expect_closed(world, client, CLOSE_FULL);
}

static void expect_nobody_is_awaited(struct world *world, unsigned shard)
{
    assert_int_equal(shard_returning(world->shards[shard].shard), 0);
}

static void a_new_guest_is_turned_away(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    comes_to_a_full_server(world, ADA, 0);
    assert_int_equal(shard_returning(world->shards[0].shard), 1);
    greets(world, ADA);
    settle(world);
    expect_turned_away(world, ADA);
    expect_nobody_is_awaited(world, 0);
    assert_int_equal(stats_of(world, 0).turned_away, 1);
    world_close(world);
}

static void who_resumes_a_live_match_plays_on(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    duel_asks(world, 0, 1);
    is_lost(world, ADA);
    settle(world);
    comes_to_a_full_server(world, ADA, 2);
    resumes(world, ADA);
    settle(world);
    expect_among(world, ADA, "peer back");
    expect_nobody_is_awaited(world, 2);
    expect_open(world, ADA);
    world_close(world);
}

static void a_token_is_as_good_as_a_session_to_come_back_with(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    is_lost(world, ADA);
    settle(world);
    comes_to_a_full_server(world, ADA, 0);
    shows_its_token(world, ADA);
    settle(world);
    expect_among(world, ADA, "peer back");
    world_close(world);
}

static void who_resumes_an_end_that_was_not_seen_gets_it(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    is_lost(world, ADA);
    run_ms(world, GRACE_MS + HOPS_MS);
    comes_to_a_full_server(world, ADA, 1);
    resumes(world, ADA);
    settle(world);
    expect_among(world, ADA, "end forfeit");
    world_close(world);
}

static void a_token_without_a_match_is_turned_away_and_the_store_not_asked(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_idle(world, ADA, 0);
    is_lost(world, ADA);
    settle(world);
    world->loads.mode = STORE_LATE;
    world->loads.delay_ms = 60000;
    comes_to_a_full_server(world, ADA, 1);
    shows_its_token(world, ADA);
    settle(world);
    expect_turned_away(world, ADA);
    expect_nobody_is_awaited(world, 1);
    world_close(world);
}

static void a_session_that_is_not_known_is_turned_away(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_idle(world, ADA, 0);
    is_lost(world, ADA);
    settle(world);
    comes_to_a_full_server(world, ADA, 1);
    resumes(world, ADA);
    settle(world);
    expect_turned_away(world, ADA);
    world_close(world);
}

static void what_is_no_session_is_turned_away(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    comes_to_a_full_server(world, ADA, 0);
    asks(world, ADA, "hello", "\"resume\":\"short\"");
    settle(world);
    expect_turned_away(world, ADA);
    world_close(world);
}

static void who_waits_in_the_queue_is_turned_away_and_keeps_the_place_for_the_grace(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, ADA, 0);
    is_lost(world, ADA);
    settle(world);
    comes_to_a_full_server(world, ADA, 1);
    resumes(world, ADA);
    settle(world);
    expect_turned_away(world, ADA);
    is_back(world, ADA, 0);
    assert_int_equal(count_said(world, ADA, "queued"), 1);
    world_close(world);
}

/* Whose pause is not over does not get rid of it. */
static void who_must_pause_is_turned_away_and_goes_on_pausing(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, BEN, 1);
    is_idle(world, ADA, 0);
    for (unsigned i = 0; i < 3; i++) {
        joins(world, ADA);
        settle(world);
        leaves(world, ADA);
        run_ms(world, HELLO_MS);
    }
    is_lost(world, ADA);
    settle(world);
    look_away(world, ADA);
    comes_to_a_full_server(world, ADA, 1);
    resumes(world, ADA);
    settle(world);
    expect_turned_away(world, ADA);
    run_ms(world, 2 * HELLO_MS);
    is_back(world, ADA, 0);
    joins(world, ADA);
    settle(world);
    expect_said(world, ADA, "error rate_limited");
    world_close(world);
}

static void who_says_no_hello_gives_the_place_back_soon(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    comes_to_a_full_server(world, ADA, 0);
    run_ms(world, HELLO_MS);
    expect_said(world, ADA, "bye no_hello");
    expect_closed(world, ADA, CLOSE_NO_HELLO);
    expect_nobody_is_awaited(world, 0);
    world_close(world);
}

static void who_goes_without_a_hello_gives_the_place_back(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    comes_to_a_full_server(world, ADA, 0);
    is_lost(world, ADA);
    settle(world);
    expect_nobody_is_awaited(world, 0);
    world_close(world);
}

static void a_drain_comes_first(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    comes_to_a_full_server(world, ADA, 0);
    drain(world);
    greets(world, ADA);
    settle(world);
    expect_said(world, ADA, "error unavailable, bye restart");
    world_close(world);
}

static void who_comes_back_to_a_match_is_heard_in_a_drain_too(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    is_lost(world, ADA);
    settle(world);
    drain(world);
    comes_to_a_full_server(world, ADA, 0);
    run_ms(world, HELLO_MS / 2);
    resumes(world, ADA);
    settle(world);
    expect_among(world, ADA, "peer back");
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_guest_is_turned_away),
        cmocka_unit_test(who_resumes_a_live_match_plays_on),
        cmocka_unit_test(a_token_is_as_good_as_a_session_to_come_back_with),
        cmocka_unit_test(who_resumes_an_end_that_was_not_seen_gets_it),
        cmocka_unit_test(a_token_without_a_match_is_turned_away_and_the_store_not_asked),
        cmocka_unit_test(a_session_that_is_not_known_is_turned_away),
        cmocka_unit_test(what_is_no_session_is_turned_away),
        cmocka_unit_test(who_waits_in_the_queue_is_turned_away_and_keeps_the_place_for_the_grace),
        cmocka_unit_test(who_must_pause_is_turned_away_and_goes_on_pausing),
        cmocka_unit_test(who_says_no_hello_gives_the_place_back_soon),
        cmocka_unit_test(who_goes_without_a_hello_gives_the_place_back),
        cmocka_unit_test(a_drain_comes_first),
        cmocka_unit_test(who_comes_back_to_a_match_is_heard_in_a_drain_too),
    };
    return cmocka_run_group_tests_name("shard/crowd", tests, NULL, NULL);
}
