/* A store that is late, fails, refuses or is dead, and what the players see of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shard_expect.h"

static struct world *after_the_last_round(enum store_mode store, uint32_t delay_ms)
{
    struct world *world = world_of(2);
    world->saves.mode = store;
    world->saves.delay_ms = delay_ms;
    duel_asks(world, 0, 1);
    plays_to_the_end(world);
    return world;
}

static void the_end_comes_at_once_with_a_prompt_store(void **state)
{
    (void)state;
    struct world *world = after_the_last_round(STORE_PROMPT, 0);
    expect_among(world, ADA, "end finished");
    assert_int_equal(count_said(world, ADA, "saving"), 0);
    assert_int_equal(world->saves.asked, 1);
    assert_int_equal(world->last_result.round_count, ROUNDS);
    assert_int_equal(world->last_result.winner, 0);
    world_close(world);
}

static void before_the_store_has_answered_there_is_no_end(void **state)
{
    (void)state;
    struct world *world = after_the_last_round(STORE_LATE, 900);
    expect_among(world, ADA, "reveal");
    run_ms(world, 800);
    expect_nothing_said(world, ADA);
    run_ms(world, 200);
    expect_said(world, ADA, "end finished");
    world_close(world);
}

static void after_a_second_without_an_answer_saving_is_told_once(void **state)
{
    (void)state;
    struct world *world = after_the_last_round(STORE_LATE, 3500);
    look_away(world, ADA);
    look_away(world, BEN);
    run_ms(world, 3400);
    expect_said(world, ADA, "saving");
    expect_said(world, BEN, "saving");
    run_ms(world, 200);
    expect_said(world, ADA, "end finished");
    assert_int_equal(world->saves.asked, 1);
    world_close(world);
}

static void a_failed_commit_is_tried_again_every_second(void **state)
{
    (void)state;
    struct world *world = after_the_last_round(STORE_FAILING, 0);
    look_away(world, ADA);
    run_ms(world, 3 * MATCH_SAVE_RETRY_MS);
    assert_int_equal(world->saves.asked, 4);
    expect_said(world, ADA, "saving");
    world->saves.mode = STORE_PROMPT;
    run_ms(world, MATCH_SAVE_RETRY_MS);
    expect_said(world, ADA, "end finished");
    world_close(world);
}

static void a_store_without_room_is_asked_again(void **state)
{
    (void)state;
    struct world *world = after_the_last_round(STORE_REFUSING, 0);
    look_away(world, BEN);
    run_ms(world, MATCH_SAVE_RETRY_MS);
    assert_true(world->saves.asked >= 2);
    world->saves.mode = STORE_PROMPT;
    run_ms(world, MATCH_SAVE_RETRY_MS + HOPS_MS);
    expect_said(world, BEN, "saving, end finished");
    world_close(world);
}

static void every_failure_is_noted(void **state)
{
    (void)state;
    struct world *world = after_the_last_round(STORE_FAILING, 0);
    run_ms(world, MATCH_SAVE_RETRY_MS);
    world->saves.mode = STORE_REFUSING;
    run_ms(world, MATCH_SAVE_RETRY_MS);
    assert_int_equal(world->notes[NOTE_SAVE_FAILED], world->saves.asked);
    world_close(world);
}

static void while_the_result_is_saved_join_is_unavailable(void **state)
{
    (void)state;
    struct world *world = after_the_last_round(STORE_LATE, 900);
    look_away(world, BEN);
    joins(world, BEN);
    settle(world);
    expect_said(world, BEN, "error unavailable");
    assert_true(number_in(last_said(world, BEN, "error"), "retry_ms") > 0);
    run_ms(world, 1000);
    joins(world, BEN);
    settle(world);
    expect_said(world, BEN, "end finished, queued");
    world_close(world);
}

static void while_the_result_is_saved_a_leave_is_answered_and_changes_nothing(void **state)
{
    (void)state;
    struct world *world = after_the_last_round(STORE_LATE, 900);
    look_away(world, BEN);
    leaves(world, BEN);
    settle(world);
    expect_said(world, BEN, "left");
    run_ms(world, 1000);
    expect_said(world, BEN, "end finished");
    world_close(world);
}

static void who_is_lost_while_the_result_is_saved_changes_nothing(void **state)
{
    (void)state;
    struct world *world = after_the_last_round(STORE_LATE, 900);
    is_lost(world, ADA);
    is_lost(world, BEN);
    settle(world);
    assert_int_equal(matches_live(world), 1);
    run_ms(world, 1000);
    assert_int_equal(matches_live(world), 0);
    assert_int_equal(world->saves.asked, 1);
    world_close(world);
}

static void a_forfeit_is_saved_too(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    world->saves.mode = STORE_LATE;
    world->saves.delay_ms = 500;
    duel_asks(world, 0, 1);
    leaves(world, ADA);
    settle(world);
    expect_said(world, ADA, "left, peer gone");
    run_ms(world, 500);
    expect_said(world, ADA, "end forfeit");
    assert_int_equal(world->last_result.reason, MATCH_END_FORFEIT);
    world_close(world);
}

static void a_cancelled_match_is_not_saved(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_begins(world, 0, 1);
    leaves(world, ADA);
    settle(world);
    assert_int_equal(world->saves.asked, 0);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_comes_at_once_with_a_prompt_store),
        cmocka_unit_test(before_the_store_has_answered_there_is_no_end),
        cmocka_unit_test(after_a_second_without_an_answer_saving_is_told_once),
        cmocka_unit_test(a_failed_commit_is_tried_again_every_second),
        cmocka_unit_test(a_store_without_room_is_asked_again),
        cmocka_unit_test(every_failure_is_noted),
        cmocka_unit_test(while_the_result_is_saved_join_is_unavailable),
        cmocka_unit_test(while_the_result_is_saved_a_leave_is_answered_and_changes_nothing),
        cmocka_unit_test(who_is_lost_while_the_result_is_saved_changes_nothing),
        cmocka_unit_test(a_forfeit_is_saved_too),
        cmocka_unit_test(a_cancelled_match_is_not_saved),
    };
    return cmocka_run_group_tests_name("saving", tests, NULL, NULL);
}
