/* What a leave does, and to whom: docs/protocol.md, "Coming and going". */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "match_fixture.h"

static void a_leave_forfeits_at_once(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    leaves(&game, ADA);
    expect_effects(&game, "left, gone ADA, play_over, save, arm_phase");
    expect_end(&game, MATCH_END_FORFEIT, BEN);
    assert_int_equal(effect_of(&game, EFFECT_LEFT)->player, ADA);
    assert_int_equal(effect_of(&game, EFFECT_LEFT)->request_id, game.request_id);
}

static void a_leave_before_the_first_round_cancels(void **state)
{
    (void)state;
    struct game game = game_starting();
    leaves(&game, ADA);
    expect_effects(&game, "left, gone ADA, play_over, end, ended");
    expect_end(&game, MATCH_END_CANCELLED, MATCH_WINNER_NONE);
}

static void a_leave_before_the_first_round_cancels_while_the_other_is_away_too(void **state)
{
    (void)state;
    struct game game = game_starting();
    is_lost(&game, BEN);
    leaves(&game, ADA);
    expect_effects(&game, "left, gone ADA, play_over, end, ended");
}

static void a_leave_that_names_the_match_forfeits_before_the_first_round_too(void **state)
{
    (void)state;
    struct game game = game_starting();
    leaves_this_match(&game, ADA);
    expect_effects(&game, "left, gone ADA, play_over, save, arm_phase");
    expect_end(&game, MATCH_END_FORFEIT, BEN);
}

static void who_is_gone_may_leave_and_nothing_happens(void **state)
{
    (void)state;
    struct game game = game_waiting_for_ada();
    struct game before = game;
    leaves(&game, BEN);
    expect_effects(&game, "left");
    assert_memory_equal(&game.match, &before.match, sizeof(game.match));
}

static void who_leaves_and_is_lost_is_gone_and_not_away(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    leaves_and_is_lost(&game, ADA);
    expect_effects(&game, "left, gone ADA, play_over, save, arm_phase");
    assert_int_equal(game.match.players[ADA].absences, 0);
}

static void who_was_away_and_has_left_since_needs_no_grace(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    is_lost(&game, ADA);
    leaves_and_is_lost(&game, ADA);
    expect_effects(&game, "left, disarm_grace, gone ADA, play_over, save, arm_phase");
    assert_int_equal(effect_of(&game, EFFECT_DISARM_GRACE)->player, ADA);
}

static void who_was_away_and_leaves_came_back_first(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    is_lost(&game, ADA);
    leaves(&game, ADA);
    expect_effects(&game, "disarm_grace, back ADA, left, gone ADA, play_over, save, arm_phase");
    expect_end(&game, MATCH_END_FORFEIT, BEN);
}

static void who_comes_back_to_a_win_and_leaves_has_won(void **state)
{
    (void)state;
    struct game game = game_waiting_for_ada();
    leaves(&game, ADA);
    expect_effects(&game, "disarm_grace, back ADA, play_over, save, arm_phase, left");
    expect_end(&game, MATCH_END_FORFEIT, ADA);
}

static void no_step_causes_more_than_to_come_back_and_leave_the_last_round(void **state)
{
    (void)state;
    struct game game = game_asking(ROUNDS);
    answer_at(&game, BEN, 1, 1000);
    is_lost(&game, BEN);
    is_lost(&game, ADA);
    leaves(&game, ADA);
    expect_effects(&game,
                   "disarm_grace, back ADA, left, gone ADA, reveal, play_over, save, arm_phase");
}

static void a_leave_while_the_result_is_saved_changes_nothing(void **state)
{
    (void)state;
    struct game game = game_settling();
    struct game before = game;
    leaves(&game, ADA);
    expect_effects(&game, "left");
    assert_memory_equal(&game.match, &before.match, sizeof(game.match));
}

static void who_leaves_while_the_result_is_saved_and_is_lost_is_away(void **state)
{
    (void)state;
    struct game game = game_settling();
    leaves_and_is_lost(&game, ADA);
    expect_effects(&game, "left, away ADA");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leave_forfeits_at_once),
        cmocka_unit_test(a_leave_before_the_first_round_cancels),
        cmocka_unit_test(a_leave_before_the_first_round_cancels_while_the_other_is_away_too),
        cmocka_unit_test(a_leave_that_names_the_match_forfeits_before_the_first_round_too),
        cmocka_unit_test(who_is_gone_may_leave_and_nothing_happens),
        cmocka_unit_test(who_leaves_and_is_lost_is_gone_and_not_away),
        cmocka_unit_test(who_was_away_and_has_left_since_needs_no_grace),
        cmocka_unit_test(who_was_away_and_leaves_came_back_first),
        cmocka_unit_test(who_comes_back_to_a_win_and_leaves_has_won),
        cmocka_unit_test(no_step_causes_more_than_to_come_back_and_leave_the_last_round),
        cmocka_unit_test(a_leave_while_the_result_is_saved_changes_nothing),
        cmocka_unit_test(who_leaves_while_the_result_is_saved_and_is_lost_is_away),
    };
    return cmocka_run_group_tests_name("match_leave", tests, NULL, NULL);
}
