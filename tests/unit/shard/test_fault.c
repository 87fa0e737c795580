/* A match whose invariants do not hold: its own end, and nobody else's. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shard_expect.h"
#include "shard_priv.h"

enum { A_SCORE = 77 };

/* Two duels on one shard, each in its first round: ADA's with BEN and CAT's with DAN. */
static struct world *two_duels_ask(void)
{
    struct world *world = world_of(1);
    duel_begins(world, 0, 0);
    is_queued(world, CAT, 0);
    is_idle(world, DAN, 0);
    joins(world, DAN);
    settle(world);
    run_ms(world, START_MS);
    assert_int_equal(count_said(world, CAT, "round"), 1);
    return world;
}

/* Gives ADA points that no answer has earned. */
static void break_adas_match(struct world *world)
{
    world->may_find_faults = true;
    struct shard *shard = world->shards[0].shard;
    struct live_match *live = pool_at(&shard->matches, 0);
    assert_non_null(live);
    assert_true(id_equal(&live->hosted.match.players[ADA].player, &world->clients[ADA].player));
    live->hosted.match.players[ADA].score = A_SCORE;
}

static void both_answer(struct world *world, unsigned first, unsigned second)
{
    answers(world, first, 1, right_choice(world, first));
    answers(world, second, 1, wrong_choice(world, second));
    settle(world);
}

static void a_broken_match_ends_cancelled_for_both(void **state)
{
    (void)state;
    struct world *world = two_duels_ask();
    look_away(world, ADA);
    look_away(world, BEN);
    break_adas_match(world);
    both_answer(world, ADA, BEN);
    const char *end = expect_among(world, ADA, "end cancelled");
    assert_int_equal(number_in(end, "winner"), ANY_NUMBER);
    assert_non_null(strstr(end, "\"ratings\":null"));
    /* The reveal of the step that was thrown away had this number. */
    assert_int_equal(number_in(end, "seq"), 3);
    expect_same_bytes(world, ADA, BEN, "end");
    assert_int_equal(count_said(world, ADA, "reveal"), 0);
    assert_int_equal(world->saves.asked, 0);
    world_close(world);
}

static void a_broken_match_is_counted_and_told_to_the_log(void **state)
{
    (void)state;
    struct world *world = two_duels_ask();
    break_adas_match(world);
    both_answer(world, ADA, BEN);
    assert_int_equal(world->notes[NOTE_MATCH_FAULT], 1);
    assert_int_equal(stats_of(world, 0).match_faults, 1);
    world_close(world);
}

static void a_broken_match_disturbs_no_other(void **state)
{
    (void)state;
    struct world *world = two_duels_ask();
    break_adas_match(world);
    both_answer(world, ADA, BEN);
    look_away(world, CAT);
    both_answer(world, CAT, DAN);
    expect_said(world, CAT, "accepted, answered, answered, reveal");
    assert_int_equal(matches_live(world), 1);
    world_close(world);
}

static void who_was_in_a_broken_match_may_join_again(void **state)
{
    (void)state;
    struct world *world = two_duels_ask();
    break_adas_match(world);
    both_answer(world, ADA, BEN);
    look_away(world, ADA);
    look_away(world, BEN);
    joins(world, ADA);
    joins(world, BEN);
    settle(world);
    expect_said(world, ADA, "queued, match");
    expect_among(world, BEN, "match");
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_match_ends_cancelled_for_both),
        cmocka_unit_test(a_broken_match_is_counted_and_told_to_the_log),
        cmocka_unit_test(a_broken_match_disturbs_no_other),
        cmocka_unit_test(who_was_in_a_broken_match_may_join_again),
    };
    return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
