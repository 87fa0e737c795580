/* How rounds begin and end, and what an answer earns: docs/protocol.md, "Points" and "The end of a
 * round". */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "match_fixture.h"

/* --- Begin. --- */

static void the_first_round_begins_when_the_start_timer_expires(void **state)
{
    (void)state;
    struct game game = game_starting();
    phase_timer(&game);
    expect_effects(&game, "round, arm_phase");
    expect_state(&game, MATCH_ASKING);
    assert_int_equal(game.match.round, 1);
    assert_int_equal(began_at(&game).ms, CREATED_AT_MS + START_MS);
}

static void a_round_begins_when_its_timer_is_applied_and_not_when_it_was_due(void **state)
{
    (void)state;
    struct game game = game_starting();
    game.now = mono_after(game.match.phase_at, 7);
    phase_timer_tagged(&game, game.match.phase);
    assert_int_equal(began_at(&game).ms, game.now.ms);
}

static void a_round_stays_open_for_the_slack_and_the_largest_credit(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    const struct effect *arm = effect_of(&game, EFFECT_ARM_PHASE);
    assert_int_equal(arm->at.ms - game.now.ms, ROUND_TIME_MS + CLOSE_SLACK_MS + BEN_CREDIT_MS);
    assert_int_equal(arm->tag, game.match.phase);
}

static void a_round_does_not_stay_open_for_the_credit_of_one_who_is_gone(void **state)
{
    (void)state;
    struct game game = game_starting();
    is_lost(&game, ADA);
    leaves_this_match(&game, BEN);
    phase_timer(&game);
    const struct effect *arm = effect_of(&game, EFFECT_ARM_PHASE);
    assert_int_equal(arm->at.ms - game.now.ms, ROUND_TIME_MS + CLOSE_SLACK_MS + ADA_CREDIT_MS);
}

/* --- Reveal. --- */

static void a_round_is_revealed_when_its_time_is_over(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    phase_timer(&game);
    expect_effects(&game, "reveal, arm_phase");
    expect_state(&game, MATCH_REVEALING);
    assert_int_equal(match_revealed_at(&game.match, current_round(&game)).ms, game.now.ms);
}

static void a_round_is_revealed_at_once_when_all_have_answered(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    answer_at(&game, ADA, 2, 1000);
    answer_at(&game, BEN, 2, 2000);
    expect_effects(&game, "receipt, answered, reveal, arm_phase");
    assert_int_equal(match_revealed_at(&game.match, current_round(&game)).ms, game.now.ms);
    assert_int_equal(effect_of(&game, EFFECT_ARM_PHASE)->at.ms, game.now.ms + REVEAL_TIME_MS);
}

static void a_round_waits_for_a_player_who_is_away(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    is_lost(&game, BEN);
    answer_at(&game, ADA, 2, 1000);
    expect_effects(&game, "receipt, answered");
}

static void a_round_does_not_wait_for_a_player_who_is_gone(void **state)
{
    (void)state;
    struct game game = game_starting();
    is_lost(&game, ADA);
    leaves_this_match(&game, BEN);
    phase_timer(&game);
    answer_at(&game, ADA, 2, 1000);
    expect_effects(&game, "receipt, answered, reveal, arm_phase");
}

static void the_next_round_begins_after_the_reveal(void **state)
{
    (void)state;
    struct game game = game_revealing(1);
    phase_timer(&game);
    expect_effects(&game, "round, arm_phase");
    assert_int_equal(game.match.round, 2);
}

static void the_last_reveal_settles_the_match_in_the_same_step(void **state)
{
    (void)state;
    struct game game = game_asking(ROUNDS);
    both_answer(&game);
    expect_effects(&game, "receipt, answered, reveal, play_over, save, arm_phase");
    expect_state(&game, MATCH_SETTLING);
    assert_int_equal(effect_of(&game, EFFECT_PLAY_OVER)->code, CANCEL_FINISHED);
}

static void the_last_reveal_by_time_settles_the_match_too(void **state)
{
    (void)state;
    struct game game = game_asking(ROUNDS);
    phase_timer(&game);
    expect_effects(&game, "reveal, play_over, save, arm_phase");
}

static void a_match_of_one_round_is_over_after_it(void **state)
{
    (void)state;
    struct match_settings settings = game_settings();
    settings.rounds = 1;
    struct game game = game_of(settings);
    phase_timer(&game);
    both_answer(&game);
    expect_end(&game, MATCH_END_FINISHED, ADA);
}

/* --- Points. --- */

static void a_right_answer_earns_by_its_time(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    answer_at(&game, ADA, right_choice(&game), 2310 + ADA_CREDIT_MS);
    answer_at(&game, BEN, wrong_choice(&game), 4000);
    assert_true(current_round(&game)->answers[ADA].is_right);
    assert_int_equal(current_round(&game)->answers[ADA].points, 904);
    assert_int_equal(game.match.players[ADA].score, 904);
}

static void a_wrong_answer_earns_nothing(void **state)
{
    (void)state;
    struct game game = game_revealing(1);
    assert_false(current_round(&game)->answers[BEN].is_right);
    assert_int_equal(current_round(&game)->answers[BEN].points, 0);
    assert_int_equal(game.match.players[BEN].score, 0);
}

static void no_answer_earns_nothing(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    phase_timer(&game);
    assert_int_equal(current_round(&game)->answers[ADA].choice, MATCH_CHOICE_NONE);
    assert_false(current_round(&game)->answers[ADA].is_right);
    assert_int_equal(game.match.players[ADA].score, 0);
}

static void before_the_reveal_nothing_tells_whether_an_answer_is_right(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    answer_at(&game, ADA, right_choice(&game), 1000);
    assert_false(current_round(&game)->answers[ADA].is_right);
    assert_int_equal(current_round(&game)->answers[ADA].points, 0);
    assert_int_equal(game.match.players[ADA].score, 0);
}

static void the_last_round_counts_double(void **state)
{
    (void)state;
    struct game game = game_settling();
    uint32_t once = game.match.rounds[0].answers[ADA].points;
    assert_int_equal(game.match.rounds[ROUNDS - 2].weight, 1);
    assert_int_equal(game.match.rounds[ROUNDS - 1].weight, 2);
    assert_int_equal(game.match.rounds[ROUNDS - 1].answers[ADA].points, 2 * once);
    assert_int_equal(game.match.players[ADA].score, (ROUNDS + 1) * once);
}

static void a_round_remembers_the_scores_and_streaks_after_it(void **state)
{
    (void)state;
    struct game game = game_settling();
    assert_int_equal(game.match.rounds[0].streaks[ADA], 1);
    assert_int_equal(game.match.rounds[ROUNDS - 1].streaks[ADA], ROUNDS);
    assert_int_equal(game.match.rounds[0].scores[ADA], game.match.rounds[0].answers[ADA].points);
    assert_int_equal(game.match.rounds[ROUNDS - 1].scores[ADA], game.match.players[ADA].score);
}

static void a_wrong_answer_breaks_the_streak(void **state)
{
    (void)state;
    struct game game = game_asking(2);
    answer_at(&game, ADA, wrong_choice(&game), 1000);
    answer_at(&game, BEN, right_choice(&game), 1000);
    assert_int_equal(game.match.players[ADA].streak, 0);
    assert_int_equal(game.match.players[BEN].streak, 1);
}

static void no_answer_breaks_the_streak(void **state)
{
    (void)state;
    struct game game = game_asking(2);
    phase_timer(&game);
    assert_int_equal(game.match.players[ADA].streak, 0);
}

/* --- Winner. --- */

static void the_higher_score_wins(void **state)
{
    (void)state;
    struct game game = game_settling();
    expect_end(&game, MATCH_END_FINISHED, ADA);
}

static void the_second_player_wins_by_a_higher_score_as_well(void **state)
{
    (void)state;
    struct match_settings settings = game_settings();
    settings.rounds = 1;
    struct game game = game_of(settings);
    phase_timer(&game);
    answer_at(&game, ADA, wrong_choice(&game), 1000);
    answer_at(&game, BEN, right_choice(&game), 1000);
    expect_end(&game, MATCH_END_FINISHED, BEN);
}

static void equal_scores_have_no_winner(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    phase_timer(&game);
    phase_timer(&game);
    phase_timer(&game);
    phase_timer(&game);
    phase_timer(&game);
    expect_end(&game, MATCH_END_FINISHED, MATCH_WINNER_NONE);
}

static void what_one_who_is_gone_has_answered_still_counts(void **state)
{
    (void)state;
    struct game game = game_asking(ROUNDS);
    answer_at(&game, ADA, right_choice(&game), 1000);
    is_lost(&game, BEN);
    leaves(&game, ADA);
    phase_timer(&game);
    expect_effects(&game, "reveal, play_over, save, arm_phase");
    expect_end(&game, MATCH_END_FINISHED, ADA);
    assert_true(current_round(&game)->answers[ADA].is_right);
}

/* --- Timers. --- */

static void an_old_phase_timer_does_nothing(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    uint16_t old = game.match.phase;
    both_answer(&game);
    struct game before = game;
    game.now = mono_after(game.now, ROUND_TIME_MS);
    phase_timer_tagged(&game, old);
    expect_nothing(&game);
    assert_memory_equal(&game.match, &before.match, sizeof(game.match));
}

static void an_old_phase_timer_does_nothing_while_starting(void **state)
{
    (void)state;
    struct game game = game_starting();
    phase_timer_tagged(&game, (uint16_t)(game.match.phase - 1));
    expect_nothing(&game);
}

static void an_old_phase_timer_does_nothing_while_asking(void **state)
{
    (void)state;
    struct game game = game_asking(2);
    phase_timer_tagged(&game, (uint16_t)(game.match.phase - 1));
    expect_nothing(&game);
}

static void a_phase_timer_before_its_time_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    game.now = (mono_time){game.match.phase_at.ms - 1};
    phase_timer_tagged(&game, game.match.phase);
    expect_fault(&game, "a phase timer came before its time");
    expect_state(&game, MATCH_ASKING);
    assert_int_equal(game.effects.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_round_begins_when_the_start_timer_expires),
        cmocka_unit_test(a_round_begins_when_its_timer_is_applied_and_not_when_it_was_due),
        cmocka_unit_test(a_round_stays_open_for_the_slack_and_the_largest_credit),
        cmocka_unit_test(a_round_does_not_stay_open_for_the_credit_of_one_who_is_gone),
        cmocka_unit_test(a_round_is_revealed_when_its_time_is_over),
        cmocka_unit_test(a_round_is_revealed_at_once_when_all_have_answered),
        cmocka_unit_test(a_round_waits_for_a_player_who_is_away),
        cmocka_unit_test(a_round_does_not_wait_for_a_player_who_is_gone),
        cmocka_unit_test(the_next_round_begins_after_the_reveal),
        cmocka_unit_test(the_last_reveal_settles_the_match_in_the_same_step),
        cmocka_unit_test(the_last_reveal_by_time_settles_the_match_too),
        cmocka_unit_test(a_match_of_one_round_is_over_after_it),
        cmocka_unit_test(a_right_answer_earns_by_its_time),
        cmocka_unit_test(a_wrong_answer_earns_nothing),
        cmocka_unit_test(no_answer_earns_nothing),
        cmocka_unit_test(before_the_reveal_nothing_tells_whether_an_answer_is_right),
        cmocka_unit_test(the_last_round_counts_double),
        cmocka_unit_test(a_round_remembers_the_scores_and_streaks_after_it),
        cmocka_unit_test(a_wrong_answer_breaks_the_streak),
        cmocka_unit_test(no_answer_breaks_the_streak),
        cmocka_unit_test(the_higher_score_wins),
        cmocka_unit_test(the_second_player_wins_by_a_higher_score_as_well),
        cmocka_unit_test(equal_scores_have_no_winner),
        cmocka_unit_test(what_one_who_is_gone_has_answered_still_counts),
        cmocka_unit_test(an_old_phase_timer_does_nothing),
        cmocka_unit_test(an_old_phase_timer_does_nothing_while_starting),
        cmocka_unit_test(an_old_phase_timer_does_nothing_while_asking),
        cmocka_unit_test(a_phase_timer_before_its_time_is_a_fault),
    };
    return cmocka_run_group_tests_name("match_rounds", tests, NULL, NULL);
}
