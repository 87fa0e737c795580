/* Which answer counts, and which refusal the others get: docs/protocol.md, "Answer time" and "Which
 * refusal". */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "match_fixture.h"

enum { LAST_MS = ROUND_TIME_MS + ADA_CREDIT_MS }; /* Of ADA's answers in time. */

/* --- What counts. --- */

static void an_answer_gets_its_receipt_before_the_others_learn_of_it(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    answer_at(&game, ADA, 2, 2350);
    expect_effects(&game, "receipt, answered");
    const struct effect *receipt = effect_of(&game, EFFECT_RECEIPT);
    assert_int_equal(receipt->player, ADA);
    assert_int_equal(receipt->request_id, game.request_id);
    assert_int_equal(receipt->round, 1);
    assert_int_equal(receipt->choice, 2);
    assert_int_equal(receipt->at_ms, 2350 - ADA_CREDIT_MS);
    assert_int_equal(receipt->credit_ms, ADA_CREDIT_MS);
    assert_int_equal(effect_of(&game, EFFECT_ANSWERED)->player, ADA);
    assert_int_equal(effect_of(&game, EFFECT_ANSWERED)->round, 1);
}

static void an_answer_is_kept_with_the_wall_time_of_its_arrival(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    mono_time arrival = mono_after(began_at(&game), 2350);
    game.now = mono_after(arrival, 30);
    answer_stamped(&game, ADA, 1, 2, arrival);
    assert_int_equal(
        match_wall(&game.match, match_answered_at(&game.match, current_round(&game), ADA)).ms,
        WALL_AT_CREATION_MS + START_MS + 2350);
}

static void the_credit_counts_that_was_granted_when_the_round_began(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    is_back_with_credit(&game, ADA, 250);
    answer_at(&game, ADA, 2, 2350);
    assert_int_equal(effect_of(&game, EFFECT_RECEIPT)->credit_ms, ADA_CREDIT_MS);
}

static void a_new_credit_counts_from_the_next_round_on(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    is_back_with_credit(&game, ADA, 250);
    both_answer(&game);
    phase_timer(&game);
    answer_at(&game, ADA, 2, 2350);
    assert_int_equal(effect_of(&game, EFFECT_RECEIPT)->at_ms, 2100);
}

static void an_answer_at_the_deadline_and_its_credit_counts(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    answer_at(&game, ADA, 2, LAST_MS);
    expect_effects(&game, "receipt, answered");
    assert_int_equal(effect_of(&game, EFFECT_RECEIPT)->at_ms, ROUND_TIME_MS);
}

static void an_answer_after_the_deadline_and_its_credit_is_late(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    struct game before = game;
    answer_at(&game, ADA, 2, LAST_MS + 1);
    expect_refusal(&game, &before, REFUSAL_LATE_ANSWER);
}

static void an_answer_that_arrived_in_time_counts_however_late_it_is_applied(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    mono_time in_time = mono_after(began_at(&game), LAST_MS);
    game.now = mono_after(in_time, 5000);
    answer_stamped(&game, ADA, 1, 2, in_time);
    expect_effects(&game, "receipt, answered");
}

static void an_answer_at_the_first_moment_of_the_round_counts(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    answer_at(&game, ADA, 2, 0);
    assert_int_equal(effect_of(&game, EFFECT_RECEIPT)->at_ms, 0);
}

static void answers_are_counted_out_of_the_order_of_their_stamps(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    mono_time earlier = mono_after(began_at(&game), 1000);
    answer_at(&game, BEN, 1, 4000);
    answer_stamped(&game, ADA, 1, 2, earlier);
    assert_int_equal(effect_of(&game, EFFECT_RECEIPT)->at_ms, 1000 - ADA_CREDIT_MS);
}

static void a_player_who_is_away_may_still_have_answered(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    is_lost(&game, ADA);
    answer_at(&game, ADA, 2, 1000);
    expect_effects(&game, "receipt, answered");
}

/* --- Answered before. --- */

static void a_second_answer_brings_the_first_receipt(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    answer_at(&game, ADA, 2, 2350);
    answer_at(&game, ADA, 3, 5000);
    expect_effects(&game, "receipt dup");
    const struct effect *receipt = effect_of(&game, EFFECT_RECEIPT);
    assert_int_equal(receipt->request_id, game.request_id);
    assert_int_equal(receipt->choice, 2);
    assert_int_equal(receipt->at_ms, 2350 - ADA_CREDIT_MS);
    assert_int_equal(receipt->credit_ms, ADA_CREDIT_MS);
}

static void a_second_answer_changes_nothing(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    answer_at(&game, ADA, 2, 2350);
    struct game before = game;
    answer_at(&game, ADA, 3, 5000);
    assert_memory_equal(&game.match, &before.match, sizeof(game.match));
}

static void a_second_answer_after_the_deadline_brings_the_first_receipt(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    answer_at(&game, ADA, 2, 2350);
    answer_at(&game, ADA, 3, LAST_MS + 1);
    expect_effects(&game, "receipt dup");
}

static void a_second_answer_with_a_choice_that_is_none_brings_the_first_receipt(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    answer_at(&game, ADA, 2, 2350);
    answer_at(&game, ADA, CHOICES, 2400);
    expect_effects(&game, "receipt dup");
}

static void a_second_answer_after_the_reveal_brings_the_first_receipt(void **state)
{
    (void)state;
    struct game game = game_revealing(1);
    answer(&game, ADA, 1, 3);
    expect_effects(&game, "receipt dup");
}

static void a_second_answer_to_an_earlier_round_brings_its_receipt(void **state)
{
    (void)state;
    struct game game = game_asking(3);
    answer(&game, BEN, 1, 3);
    expect_effects(&game, "receipt dup");
    assert_int_equal(effect_of(&game, EFFECT_RECEIPT)->round, 1);
    assert_int_equal(effect_of(&game, EFFECT_RECEIPT)->at_ms, 3000 - BEN_CREDIT_MS);
}

static void a_second_answer_while_the_result_is_saved_brings_the_first_receipt(void **state)
{
    (void)state;
    struct game game = game_settling();
    answer(&game, ADA, ROUNDS, 3);
    expect_effects(&game, "receipt dup");
}

static void a_second_answer_after_the_end_is_refused(void **state)
{
    (void)state;
    struct game game = game_ended();
    struct game before = game;
    answer(&game, ADA, ROUNDS, 3);
    expect_refusal(&game, &before, REFUSAL_BAD_STATE);
}

/* --- Not begun. --- */

static void before_the_first_round_no_round_has_begun(void **state)
{
    (void)state;
    struct game game = game_starting();
    struct game before = game;
    answer(&game, ADA, 1, 2);
    expect_refusal(&game, &before, REFUSAL_WRONG_ROUND);
}

static void the_next_round_has_not_begun(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    struct game before = game;
    answer(&game, ADA, 2, 2);
    expect_refusal(&game, &before, REFUSAL_WRONG_ROUND);
}

static void a_round_beyond_the_last_never_begins(void **state)
{
    (void)state;
    struct game game = game_asking(ROUNDS);
    struct game before = game;
    answer(&game, ADA, UINT8_MAX, 2);
    expect_refusal(&game, &before, REFUSAL_WRONG_ROUND);
}

static void there_is_no_round_zero(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    struct game before = game;
    answer(&game, ADA, 0, 2);
    expect_refusal(&game, &before, REFUSAL_WRONG_ROUND);
}

static void an_answer_that_arrived_before_its_round_began_is_to_the_wrong_round(void **state)
{
    (void)state;
    struct game game = game_asking(2);
    struct game before = game;
    answer_stamped(&game, ADA, 2, 2, (mono_time){began_at(&game).ms - 1});
    expect_refusal(&game, &before, REFUSAL_WRONG_ROUND);
}

static void a_round_that_has_not_begun_comes_before_a_choice_that_is_none(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    struct game before = game;
    answer(&game, ADA, 2, CHOICES);
    expect_refusal(&game, &before, REFUSAL_WRONG_ROUND);
}

static void while_the_result_of_a_forfeit_is_saved_a_later_round_has_not_begun(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    leaves(&game, BEN);
    struct game before = game;
    answer(&game, ADA, 2, 2);
    expect_refusal(&game, &before, REFUSAL_WRONG_ROUND);
}

/* --- Over. --- */

static void a_round_that_was_revealed_is_over(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    answer_at(&game, BEN, 1, 1000);
    phase_timer(&game);
    struct game before = game;
    answer_stamped(&game, ADA, 1, 2, mono_after(began_at(&game), 1));
    expect_refusal(&game, &before, REFUSAL_LATE_ANSWER);
}

static void an_earlier_round_is_over(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    phase_timer(&game);
    phase_timer(&game);
    struct game before = game;
    answer(&game, ADA, 1, 2);
    expect_refusal(&game, &before, REFUSAL_LATE_ANSWER);
}

static void a_round_that_a_forfeit_ended_is_over(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    leaves(&game, BEN);
    struct game before = game;
    answer(&game, ADA, 1, 2);
    expect_refusal(&game, &before, REFUSAL_LATE_ANSWER);
}

static void a_round_that_is_over_comes_before_a_choice_that_is_none(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    struct game before = game;
    answer_at(&game, ADA, CHOICES, LAST_MS + 1);
    expect_refusal(&game, &before, REFUSAL_LATE_ANSWER);
}

/* --- No such choice. --- */

static void the_last_choice_is_one(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    answer(&game, ADA, 1, CHOICES - 1);
    expect_effects(&game, "receipt, answered");
}

static void a_choice_after_the_last_is_none(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    struct game before = game;
    answer(&game, ADA, 1, CHOICES);
    expect_refusal(&game, &before, REFUSAL_BAD_CHOICE);
}

static void a_refused_answer_may_be_followed_by_one_that_counts(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    answer(&game, ADA, 1, CHOICES);
    answer(&game, ADA, 1, 2);
    expect_effects(&game, "receipt, answered");
}

/* --- Who is gone. --- */

static void a_player_who_is_gone_answers_no_more(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    answer_at(&game, ADA, 2, 1000);
    is_lost(&game, BEN);
    leaves(&game, ADA);
    struct game before = game;
    answer(&game, ADA, 1, 2);
    expect_refusal(&game, &before, REFUSAL_BAD_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_gets_its_receipt_before_the_others_learn_of_it),
        cmocka_unit_test(an_answer_is_kept_with_the_wall_time_of_its_arrival),
        cmocka_unit_test(the_credit_counts_that_was_granted_when_the_round_began),
        cmocka_unit_test(a_new_credit_counts_from_the_next_round_on),
        cmocka_unit_test(an_answer_at_the_deadline_and_its_credit_counts),
        cmocka_unit_test(an_answer_after_the_deadline_and_its_credit_is_late),
        cmocka_unit_test(an_answer_that_arrived_in_time_counts_however_late_it_is_applied),
        cmocka_unit_test(an_answer_at_the_first_moment_of_the_round_counts),
        cmocka_unit_test(answers_are_counted_out_of_the_order_of_their_stamps),
        cmocka_unit_test(a_player_who_is_away_may_still_have_answered),
        cmocka_unit_test(a_second_answer_brings_the_first_receipt),
        cmocka_unit_test(a_second_answer_changes_nothing),
        cmocka_unit_test(a_second_answer_after_the_deadline_brings_the_first_receipt),
        cmocka_unit_test(a_second_answer_with_a_choice_that_is_none_brings_the_first_receipt),
        cmocka_unit_test(a_second_answer_after_the_reveal_brings_the_first_receipt),
        cmocka_unit_test(a_second_answer_to_an_earlier_round_brings_its_receipt),
        cmocka_unit_test(a_second_answer_while_the_result_is_saved_brings_the_first_receipt),
        cmocka_unit_test(a_second_answer_after_the_end_is_refused),
        cmocka_unit_test(before_the_first_round_no_round_has_begun),
        cmocka_unit_test(the_next_round_has_not_begun),
        cmocka_unit_test(a_round_beyond_the_last_never_begins),
        cmocka_unit_test(there_is_no_round_zero),
        cmocka_unit_test(an_answer_that_arrived_before_its_round_began_is_to_the_wrong_round),
        cmocka_unit_test(a_round_that_has_not_begun_comes_before_a_choice_that_is_none),
        cmocka_unit_test(while_the_result_of_a_forfeit_is_saved_a_later_round_has_not_begun),
        cmocka_unit_test(a_round_that_was_revealed_is_over),
        cmocka_unit_test(an_earlier_round_is_over),
        cmocka_unit_test(a_round_that_a_forfeit_ended_is_over),
        cmocka_unit_test(a_round_that_is_over_comes_before_a_choice_that_is_none),
        cmocka_unit_test(the_last_choice_is_one),
        cmocka_unit_test(a_choice_after_the_last_is_none),
        cmocka_unit_test(a_refused_answer_may_be_followed_by_one_that_counts),
        cmocka_unit_test(a_player_who_is_gone_answers_no_more),
    };
    return cmocka_run_group_tests_name("match_answers", tests, NULL, NULL);
}
