/* The same two once more: both must ask, and no stranger comes between. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shard_expect.h"

enum { LONG_MS = 1000, SOON_MS = 2000 };

static struct world *after_a_duel(struct world_settings settings)
{
    struct world *world = world_create(settings);
    duel_asks(world, 0, 1);
    plays_to_the_end(world);
    run_ms(world, LONG_MS);
    look_away(world, ADA);
    look_away(world, BEN);
    return world;
}

static struct world *after_a_duel_on_two_shards(void)
{
    return after_a_duel((struct world_settings){.shards = 2});
}

static void who_both_ask_play_again(void **state)
{
    (void)state;
    struct world *world = after_a_duel_on_two_shards();
    asks_for_a_rematch(world, ADA);
    run_ms(world, SOON_MS);
    asks_for_a_rematch(world, BEN);
    settle(world);
    expect_among(world, ADA, "match");
    expect_said(world, BEN, "queued, match");
    expect_same_bytes(world, ADA, BEN, "match");
    world_close(world);
}

static void who_asks_alone_hears_that_the_time_is_over(void **state)
{
    (void)state;
    struct world *world = after_a_duel_on_two_shards();
    asks_for_a_rematch(world, ADA);
    run_ms(world, REMATCH_MS - LONG_MS);
    assert_int_equal(count_said(world, ADA, "unqueued"), 0);
    run_ms(world, LONG_MS + HOPS_MS);
    expect_among(world, ADA, "unqueued timeout");
    assert_int_equal(stats_of(world, 0).ticket_slots.now, 0);
    joins(world, ADA);
    settle(world);
    expect_said(world, ADA, "queued");
    world_close(world);
}

static void who_asks_too_late_waits_alone(void **state)
{
    (void)state;
    struct world *world = after_a_duel_on_two_shards();
    asks_for_a_rematch(world, ADA);
    run_ms(world, REMATCH_MS + HOPS_MS);
    asks_for_a_rematch(world, BEN);
    run_ms(world, SOON_MS);
    assert_int_equal(matches_live(world), 0);
    world_close(world);
}

static void it_is_never_a_stranger(void **state)
{
    (void)state;
    struct world *world = after_a_duel_on_two_shards();
    asks_for_a_rematch(world, ADA);
    is_queued(world, CAT, 1);
    run_ms(world, REMATCH_MS - LONG_MS);
    assert_int_equal(matches_live(world), 0);
    world_close(world);
}

static void another_match_than_the_last_is_a_bad_message(void **state)
{
    (void)state;
    struct world *world = after_a_duel_on_two_shards();
    asks(world, ADA, "join",
         "\"mode\":\"duel\",\"rematch\":\"01890000-0000-7000-8000-000000000000\"");
    is_idle(world, CAT, 0);
    asks(world, CAT, "join",
         "\"mode\":\"duel\",\"rematch\":\"00000000-0000-0000-0000-000000000000\"");
    settle(world);
    expect_said(world, ADA, "error bad_message");
    expect_said(world, CAT, "error bad_message");
    world_close(world);
}

static void who_leaves_after_asking_is_out_of_it(void **state)
{
    (void)state;
    struct world *world = after_a_duel_on_two_shards();
    uint32_t timers = stats_of(world, 0).timers_live;
    asks_for_a_rematch(world, ADA);
    settle(world);
    assert_int_equal(stats_of(world, 0).timers_live, timers + 1);
    leaves(world, ADA);
    settle(world);
    expect_said(world, ADA, "queued, left");
    assert_int_equal(stats_of(world, 0).timers_live, timers);
    assert_int_equal(stats_of(world, 0).ticket_slots.now, 0);
    asks_for_a_rematch(world, BEN);
    run_ms(world, REMATCH_MS + HOPS_MS);
    expect_among(world, BEN, "unqueued timeout");
    world_close(world);
}

static void whose_opponent_leaves_as_the_match_is_made_hears_so(void **state)
{
    (void)state;
    struct world *world = after_a_duel_on_two_shards();
    asks_for_a_rematch(world, ADA);
    settle(world);
    stall(world, 1); /* BEN's: the offer finds that he has left. */
    asks_for_a_rematch(world, BEN);
    leaves(world, BEN);
    go_on(world, 1);
    settle(world);
    expect_said(world, BEN, "queued, left");
    expect_said(world, ADA, "queued, unqueued opponent_left");
    assert_int_equal(stats_of(world, 0).ticket_slots.now, 0);
    world_close(world);
}

static void who_is_lost_after_asking_is_out_of_it(void **state)
{
    (void)state;
    struct world *world = after_a_duel_on_two_shards();
    asks_for_a_rematch(world, BEN);
    settle(world);
    is_lost(world, BEN);
    settle(world);
    assert_int_equal(stats_of(world, 0).ticket_slots.now, 0);
    world_close(world);
}

static void a_match_that_cannot_be_started_is_unavailable(void **state)
{
    (void)state;
    struct world *world = after_a_duel((struct world_settings){.shards = 2, .matches_max = 1});
    /* Both shards play something else. */
    is_idle(world, CAT, 0);
    joins_the_house(world, CAT);
    is_idle(world, DAN, 1);
    joins_the_house(world, DAN);
    settle(world);
    asks_for_a_rematch(world, ADA);
    asks_for_a_rematch(world, BEN);
    settle(world);
    expect_said(world, ADA, "queued, unqueued unavailable");
    expect_said(world, BEN, "queued, unqueued unavailable");
    assert_int_equal(stats_of(world, 0).ticket_slots.now, 0);
    world_close(world);
}

static void it_may_be_asked_for_on_the_next_connection(void **state)
{
    (void)state;
    struct world *world = after_a_duel_on_two_shards();
    knows_what(world, CAT, BEN);
    comes(world, CAT, 0);
    resumes(world, CAT);
    settle(world);
    asks_for_a_rematch(world, CAT);
    asks_for_a_rematch(world, ADA);
    settle(world);
    expect_said(world, CAT, "welcome, queued, match");
    expect_said(world, ADA, "queued, match");
    world_close(world);
}

static void a_place_that_changes_hands_still_waits_for_the_other(void **state)
{
    (void)state;
    struct world *world = after_a_duel_on_two_shards();
    asks_for_a_rematch(world, BEN);
    settle(world);
    knows_what(world, CAT, BEN);
    comes(world, CAT, 0);
    resumes(world, CAT);
    settle(world);
    expect_said(world, CAT, "welcome, queued");
    asks_for_a_rematch(world, ADA);
    settle(world);
    expect_said(world, CAT, "match");
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_both_ask_play_again),
        cmocka_unit_test(who_asks_alone_hears_that_the_time_is_over),
        cmocka_unit_test(who_asks_too_late_waits_alone),
        cmocka_unit_test(it_is_never_a_stranger),
        cmocka_unit_test(another_match_than_the_last_is_a_bad_message),
        cmocka_unit_test(who_leaves_after_asking_is_out_of_it),
        cmocka_unit_test(whose_opponent_leaves_as_the_match_is_made_hears_so),
        cmocka_unit_test(who_is_lost_after_asking_is_out_of_it),
        cmocka_unit_test(a_match_that_cannot_be_started_is_unavailable),
        cmocka_unit_test(it_may_be_asked_for_on_the_next_connection),
        cmocka_unit_test(a_place_that_changes_hands_still_waits_for_the_other),
    };
    return cmocka_run_group_tests_name("rematch", tests, NULL, NULL);
}
