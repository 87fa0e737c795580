/* Matches against the house: always there, unrated, one bot. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shard_expect.h"

enum { LONG_MS = 1000, WHOLE_MS = START_MS + ROUNDS * (ROUND_TIME_MS + REVEAL_TIME_MS + LONG_MS) };

static struct world *in_the_house(unsigned shard)
{
    struct world *world = world_of(2);
    is_idle(world, ADA, shard);
    joins_the_house(world, ADA);
    settle(world);
    expect_said(world, ADA, "queued, match");
    return world;
}

static void the_house_is_there_at_once(void **state)
{
    (void)state;
    struct world *world = in_the_house(1);
    const char *match = last_said(world, ADA, "match");
    assert_non_null(strstr(match, "\"mode\":\"house\""));
    assert_non_null(strstr(match, "\"rated\":false"));
    assert_non_null(strstr(match, "\"bot\":true"));
    assert_int_equal(stats_of(world, 1).match_slots.now, 1); /* It is played where the player is. */
    world_close(world);
}

static void a_whole_match_is_played_and_nothing_is_rated(void **state)
{
    (void)state;
    struct world *world = in_the_house(0);
    run_ms(world, WHOLE_MS);
    assert_int_equal(count_said(world, ADA, "round"), ROUNDS);
    assert_int_equal(count_said(world, ADA, "reveal"), ROUNDS);
    assert_non_null(strstr(expect_among(world, ADA, "end finished"), "\"ratings\":null"));
    assert_int_equal(matches_live(world), 0);
    world_close(world);
}

static void the_house_may_be_left(void **state)
{
    (void)state;
    struct world *world = in_the_house(0);
    run_ms(world, START_MS);
    look_away(world, ADA);
    leaves(world, ADA);
    settle(world);
    expect_said(world, ADA, "left, peer gone, end forfeit");
    world_close(world);
}

static void to_leave_before_it_begins_is_no_dodge(void **state)
{
    (void)state;
    struct world *world = in_the_house(0);
    for (unsigned i = 0; i < 3; i++) {
        run_ms(world, LONG_MS);
        leaves(world, ADA);
        run_ms(world, LONG_MS);
        joins_the_house(world, ADA);
        settle(world);
        expect_said(world, ADA, "left, peer gone, end cancelled, queued, match");
    }
    world_close(world);
}

static void who_is_lost_may_come_back_to_it(void **state)
{
    (void)state;
    struct world *world = in_the_house(1);
    is_lost(world, ADA);
    run_ms(world, LONG_MS);
    comes(world, ADA, 0);
    resumes(world, ADA);
    settle(world);
    expect_said(world, ADA, "welcome, peer away, clock, peer back");
    world_close(world);
}

static void the_house_plays_again_at_once(void **state)
{
    (void)state;
    struct world *world = in_the_house(0);
    run_ms(world, WHOLE_MS);
    look_away(world, ADA);
    asks_for_a_rematch(world, ADA);
    settle(world);
    expect_said(world, ADA, "queued, match");
    assert_non_null(strstr(last_said(world, ADA, "match"), "\"mode\":\"house\""));
    world_close(world);
}

static void a_full_shard_has_no_house(void **state)
{
    (void)state;
    struct world *world = world_create((struct world_settings){.matches_max = 1});
    duel_begins(world, 0, 0);
    is_idle(world, CAT, 0);
    joins_the_house(world, CAT);
    settle(world);
    expect_said(world, CAT, "queued, unqueued unavailable");
    joins(world, ADA);
    settle(world);
    expect_said(world, ADA, "error bad_state");
    world_close(world);
}

static void a_leave_on_the_way_to_a_full_house_is_answered(void **state)
{
    (void)state;
    struct world *world = world_create((struct world_settings){.matches_max = 1});
    duel_begins(world, 0, 0);
    is_idle(world, CAT, 0);
    joins_the_house(world, CAT);
    leaves(world, CAT);
    settle(world);
    expect_said(world, CAT, "queued, unqueued unavailable, left");
    world_close(world);
}

static void a_server_that_drains_has_no_house(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    drain(world);
    joins_the_house(world, ADA);
    settle(world);
    expect_among(world, ADA, "bye restart");
    assert_int_equal(count_said(world, ADA, "match"), 0);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_house_is_there_at_once),
        cmocka_unit_test(a_whole_match_is_played_and_nothing_is_rated),
        cmocka_unit_test(the_house_may_be_left),
        cmocka_unit_test(to_leave_before_it_begins_is_no_dodge),
        cmocka_unit_test(who_is_lost_may_come_back_to_it),
        cmocka_unit_test(the_house_plays_again_at_once),
        cmocka_unit_test(a_full_shard_has_no_house),
        cmocka_unit_test(a_leave_on_the_way_to_a_full_house_is_answered),
        cmocka_unit_test(a_server_that_drains_has_no_house),
    };
    return cmocka_run_group_tests_name("house", tests, NULL, NULL);
}
