/* From the last reveal to the end: saving the result, cancelling, and what comes after. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "match_fixture.h"

/* --- Saving. --- */

static void the_saving_timer_is_armed_for_a_second(void **state)
{
    (void)state;
    struct game game = game_settling();
    assert_int_equal(effect_of(&game, EFFECT_ARM_PHASE)->at.ms, game.now.ms + MATCH_SAVE_RETRY_MS);
    assert_int_equal(game.match.settled_at.ms, game.now.ms);
}

static void the_end_is_told_when_the_result_is_saved(void **state)
{
    (void)state;
    struct game game = game_settling();
    is_saved(&game);
    expect_effects(&game, "end, ended");
    expect_state(&game, MATCH_ENDED);
    expect_end(&game, MATCH_END_FINISHED, ADA);
}

static void a_save_that_takes_a_second_is_told_once(void **state)
{
    (void)state;
    struct game game = game_settling();
    phase_timer(&game);
    expect_effects(&game, "saving");
    phase_timer(&game);
    expect_nothing(&game);
    is_saved(&game);
    expect_effects(&game, "end, ended");
}

static void a_failed_save_is_tried_again_after_a_second(void **state)
{
    (void)state;
    struct game game = game_settling();
    save_failed(&game);
    expect_effects(&game, "arm_phase");
    assert_int_equal(effect_of(&game, EFFECT_ARM_PHASE)->at.ms, game.now.ms + MATCH_SAVE_RETRY_MS);
    phase_timer(&game);
    expect_effects(&game, "saving, save");
}

static void a_save_may_fail_again_and_saving_is_not_told_again(void **state)
{
    (void)state;
    struct game game = game_settling();
    save_failed(&game);
    phase_timer(&game);
    save_failed(&game);
    phase_timer(&game);
    expect_effects(&game, "save");
}

static void a_save_that_is_slow_and_then_fails_is_tried_again(void **state)
{
    (void)state;
    struct game game = game_settling();
    phase_timer(&game);
    save_failed(&game);
    expect_effects(&game, "arm_phase");
    phase_timer(&game);
    expect_effects(&game, "save");
}

static void the_first_saving_timer_is_stale_after_a_failure(void **state)
{
    (void)state;
    struct game game = game_settling();
    uint16_t first = game.match.phase;
    save_failed(&game);
    phase_timer_tagged(&game, first);
    expect_nothing(&game);
}

static void a_failure_of_what_has_failed_already_does_nothing(void **state)
{
    (void)state;
    struct game game = game_settling();
    save_failed(&game);
    save_failed(&game);
    expect_nothing(&game);
}

static void a_result_that_is_saved_after_all_counts(void **state)
{
    (void)state;
    struct game game = game_settling();
    save_failed(&game);
    is_saved(&game);
    expect_effects(&game, "end, ended");
}

static void a_forfeit_is_saved_before_it_counts(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    leaves(&game, BEN);
    is_saved(&game);
    expect_effects(&game, "end, ended");
    expect_end(&game, MATCH_END_FORFEIT, ADA);
}

static void emotes_are_shown_until_the_end(void **state)
{
    (void)state;
    struct game game = game_settling();
    emote(&game, BEN);
    expect_effects(&game, "emote, ok");
    assert_int_equal(effect_of(&game, EFFECT_EMOTE)->player, BEN);
    assert_int_equal(effect_of(&game, EFFECT_EMOTE)->code, 3);
    assert_int_equal(effect_of(&game, EFFECT_OK)->request_id, game.request_id);
    emote_without_id(&game, BEN);
    expect_effects(&game, "emote");
}

/* --- Cancel. --- */

static void a_cancel_ends_the_match_at_once_without_a_winner(void **state)
{
    (void)state;
    struct game game = game_revealing(1);
    is_cancelled(&game, MATCH_END_CANCELLED);
    expect_effects(&game, "play_over, end, ended");
    expect_end(&game, MATCH_END_CANCELLED, MATCH_WINNER_NONE);
    assert_int_equal(effect_of(&game, EFFECT_PLAY_OVER)->code, CANCEL_DISCONNECT);
}

static void a_shutdown_ends_the_match_at_once_without_a_winner(void **state)
{
    (void)state;
    struct game game = game_asking(2);
    is_cancelled(&game, MATCH_END_SHUTDOWN);
    expect_effects(&game, "play_over, end, ended");
    expect_end(&game, MATCH_END_SHUTDOWN, MATCH_WINNER_NONE);
    assert_int_equal(effect_of(&game, EFFECT_PLAY_OVER)->code, CANCEL_SHUTDOWN);
}

static void a_match_that_has_not_begun_may_be_cancelled(void **state)
{
    (void)state;
    struct game game = game_starting();
    is_cancelled(&game, MATCH_END_CANCELLED);
    expect_effects(&game, "play_over, end, ended");
}

static void a_result_is_never_cancelled(void **state)
{
    (void)state;
    struct game game = game_settling();
    struct game before = game;
    is_cancelled(&game, MATCH_END_CANCELLED);
    expect_nothing(&game);
    assert_memory_equal(&game.match, &before.match, sizeof(game.match));
}

static void a_shutdown_does_not_wait_for_the_store(void **state)
{
    (void)state;
    struct game game = game_settling();
    is_cancelled(&game, MATCH_END_SHUTDOWN);
    expect_effects(&game, "end, ended");
    expect_end(&game, MATCH_END_SHUTDOWN, MATCH_WINNER_NONE);
}

static void a_cancel_for_another_reason_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    is_cancelled(&game, MATCH_END_FINISHED);
    expect_fault(&game, "a cancel has another reason");
    expect_state(&game, MATCH_ASKING);
}

/* --- A store answer that nobody asked for. --- */

static void a_store_answer_before_the_start_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_starting();
    is_saved(&game);
    expect_fault(&game, "a store answer before the start");
}

static void a_store_answer_during_a_round_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    is_saved(&game);
    expect_fault(&game, "a store answer during a round");
}

static void a_store_answer_between_rounds_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_revealing(1);
    save_failed(&game);
    expect_fault(&game, "a store answer between rounds");
}

/* --- After the end. --- */

static void after_the_end_answers_are_refused(void **state)
{
    (void)state;
    struct game game = game_ended();
    struct game before = game;
    answer(&game, ADA, 1, 2);
    expect_refusal(&game, &before, REFUSAL_BAD_STATE);
}

static void after_the_end_emotes_are_refused(void **state)
{
    (void)state;
    struct game game = game_ended();
    struct game before = game;
    emote(&game, ADA);
    expect_refusal(&game, &before, REFUSAL_BAD_STATE);
    emote_without_id(&game, ADA);
    expect_nothing(&game);
}

static void after_the_end_a_leave_is_confirmed(void **state)
{
    (void)state;
    struct game game = game_ended();
    struct game before = game;
    leaves(&game, ADA);
    expect_effects(&game, "left");
    assert_int_equal(effect_of(&game, EFFECT_LEFT)->player, ADA);
    assert_int_equal(effect_of(&game, EFFECT_LEFT)->request_id, game.request_id);
    assert_memory_equal(&game.match, &before.match, sizeof(game.match));
}

static void after_the_end_nothing_else_does_anything(void **state)
{
    (void)state;
    struct game game = game_ended();
    struct game before = game;
    is_lost(&game, ADA);
    expect_nothing(&game);
    is_back(&game, ADA);
    expect_nothing(&game);
    phase_timer(&game);
    expect_nothing(&game);
    grace_timer(&game, ADA);
    expect_nothing(&game);
    is_saved(&game);
    expect_nothing(&game);
    save_failed(&game);
    expect_nothing(&game);
    is_cancelled(&game, MATCH_END_SHUTDOWN);
    expect_nothing(&game);
    assert_memory_equal(&game.match, &before.match, sizeof(game.match));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_saving_timer_is_armed_for_a_second),
        cmocka_unit_test(the_end_is_told_when_the_result_is_saved),
        cmocka_unit_test(a_save_that_takes_a_second_is_told_once),
        cmocka_unit_test(a_failed_save_is_tried_again_after_a_second),
        cmocka_unit_test(a_save_may_fail_again_and_saving_is_not_told_again),
        cmocka_unit_test(a_save_that_is_slow_and_then_fails_is_tried_again),
        cmocka_unit_test(the_first_saving_timer_is_stale_after_a_failure),
        cmocka_unit_test(a_failure_of_what_has_failed_already_does_nothing),
        cmocka_unit_test(a_result_that_is_saved_after_all_counts),
        cmocka_unit_test(a_forfeit_is_saved_before_it_counts),
        cmocka_unit_test(emotes_are_shown_until_the_end),
        cmocka_unit_test(a_cancel_ends_the_match_at_once_without_a_winner),
        cmocka_unit_test(a_shutdown_ends_the_match_at_once_without_a_winner),
        cmocka_unit_test(a_match_that_has_not_begun_may_be_cancelled),
        cmocka_unit_test(a_result_is_never_cancelled),
        cmocka_unit_test(a_shutdown_does_not_wait_for_the_store),
        cmocka_unit_test(a_cancel_for_another_reason_is_a_fault),
        cmocka_unit_test(a_store_answer_before_the_start_is_a_fault),
        cmocka_unit_test(a_store_answer_during_a_round_is_a_fault),
        cmocka_unit_test(a_store_answer_between_rounds_is_a_fault),
        cmocka_unit_test(after_the_end_answers_are_refused),
        cmocka_unit_test(after_the_end_emotes_are_refused),
        cmocka_unit_test(after_the_end_a_leave_is_confirmed),
        cmocka_unit_test(after_the_end_nothing_else_does_anything),
    };
    return cmocka_run_group_tests_name("match_saving", tests, NULL, NULL);
}
