/* Who is here, away and gone, and what follows: docs/protocol.md, "Coming and going". */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "match_fixture.h"

static struct game asking_without_grace(void)
{
    struct match_settings settings = game_settings();
    settings.grace_ms = 0;
    struct game game = game_of(settings);
    phase_timer(&game);
    return game;
}

static void lose_often(struct game *game, uint8_t player, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        is_lost(game, player);
        is_back(game, player);
    }
}

/* --- Away. --- */

static void a_player_who_is_lost_is_away_and_the_others_are_told_at_once(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    is_lost(&game, BEN);
    expect_effects(&game, "away BEN, arm_grace");
    expect_presence(&game, BEN, PRESENCE_AWAY);
    expect_state(&game, MATCH_ASKING);
}

static void the_grace_timer_carries_the_absence_it_is_armed_for(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    lose_often(&game, BEN, 2);
    is_lost(&game, BEN);
    const struct effect *grace = effect_of(&game, EFFECT_ARM_GRACE);
    assert_int_equal(grace->player, BEN);
    assert_int_equal(grace->at.ms, game.now.ms + GRACE_MS);
    assert_int_equal(grace->tag, 3);
}

static void who_is_away_already_is_not_lost_again(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    is_lost(&game, BEN);
    is_lost(&game, BEN);
    expect_nothing(&game);
    assert_int_equal(game.match.players[BEN].absences, 1);
}

static void rounds_go_on_while_a_player_is_away(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    is_lost(&game, BEN);
    phase_timer(&game);
    phase_timer(&game);
    expect_effects(&game, "round, arm_phase");
}

/* --- Back. --- */

static void a_player_comes_back_within_the_grace(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    is_lost(&game, BEN);
    is_back(&game, BEN);
    expect_effects(&game, "disarm_grace, back BEN");
    expect_presence(&game, BEN, PRESENCE_HERE);
}

static void who_comes_back_brings_the_credit_of_the_new_connection(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    is_lost(&game, BEN);
    is_back_with_credit(&game, BEN, 7);
    assert_int_equal(game.match.players[BEN].credit_ms, 7);
}

static void a_connection_that_takes_over_is_no_news_to_the_others(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    is_back_with_credit(&game, BEN, 7);
    expect_nothing(&game);
    assert_int_equal(game.match.players[BEN].credit_ms, 7);
}

static void both_may_be_away_and_come_back(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    is_lost(&game, ADA);
    is_lost(&game, BEN);
    is_back(&game, ADA);
    expect_effects(&game, "disarm_grace, back ADA");
    is_back(&game, BEN);
    expect_effects(&game, "disarm_grace, back BEN");
    expect_state(&game, MATCH_ASKING);
}

/* --- Gone. --- */

static void after_the_grace_a_player_is_gone_and_forfeits(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    is_lost(&game, BEN);
    grace_timer(&game, BEN);
    expect_effects(&game, "gone BEN, play_over, save, arm_phase");
    expect_end(&game, MATCH_END_FORFEIT, ADA);
    assert_int_equal(effect_of(&game, EFFECT_PLAY_OVER)->code, CANCEL_DISCONNECT);
}

static void after_the_grace_a_player_forfeits_before_the_first_round_too(void **state)
{
    (void)state;
    struct game game = game_starting();
    is_lost(&game, ADA);
    grace_timer(&game, ADA);
    expect_end(&game, MATCH_END_FORFEIT, BEN);
}

static void after_the_grace_a_player_forfeits_between_rounds_too(void **state)
{
    (void)state;
    struct game game = game_revealing(1);
    is_lost(&game, ADA);
    grace_timer(&game, ADA);
    expect_end(&game, MATCH_END_FORFEIT, BEN);
}

static void a_forfeit_does_not_look_at_the_score(void **state)
{
    (void)state;
    struct game game = game_revealing(1);
    leaves(&game, ADA);
    expect_end(&game, MATCH_END_FORFEIT, BEN);
    assert_true(game.match.players[ADA].score > game.match.players[BEN].score);
}

static void the_grace_timer_of_an_earlier_absence_does_nothing(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    lose_often(&game, BEN, 1);
    is_lost(&game, BEN);
    grace_timer_tagged(&game, BEN, 1);
    expect_nothing(&game);
    expect_presence(&game, BEN, PRESENCE_AWAY);
}

static void the_grace_timer_of_one_who_is_back_does_nothing(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    lose_often(&game, BEN, 1);
    grace_timer_tagged(&game, BEN, 1);
    expect_nothing(&game);
    expect_presence(&game, BEN, PRESENCE_HERE);
}

static void without_a_grace_a_player_is_gone_at_once(void **state)
{
    (void)state;
    struct game game = asking_without_grace();
    is_lost(&game, BEN);
    expect_effects(&game, "away BEN, gone BEN, play_over, save, arm_phase");
    expect_end(&game, MATCH_END_FORFEIT, ADA);
}

static void a_player_may_be_away_63_times(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    lose_often(&game, BEN, ABSENCES_MAX - 1);
    expect_effects(&game, "disarm_grace, back BEN");
}

static void who_is_away_for_the_64th_time_is_gone(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    lose_often(&game, BEN, ABSENCES_MAX - 1);
    is_lost(&game, BEN);
    expect_effects(&game, "away BEN, gone BEN, play_over, save, arm_phase");
}

static void who_is_gone_does_not_come_back(void **state)
{
    (void)state;
    struct game game = game_waiting_for_ada();
    is_back_with_credit(&game, BEN, 7);
    expect_nothing(&game);
    expect_presence(&game, BEN, PRESENCE_GONE);
    assert_int_equal(game.match.players[BEN].credit_ms, BEN_CREDIT_MS);
}

static void who_is_gone_is_not_lost(void **state)
{
    (void)state;
    struct game game = game_waiting_for_ada();
    is_lost(&game, BEN);
    expect_nothing(&game);
}

static void who_is_gone_sends_no_emotes(void **state)
{
    (void)state;
    struct game game = game_waiting_for_ada();
    struct game before = game;
    emote(&game, BEN);
    expect_refusal(&game, &before, REFUSAL_BAD_STATE);
    emote_without_id(&game, BEN);
    expect_nothing(&game);
}

/* --- Gone while the other is away. --- */

static void while_the_other_is_away_the_match_goes_on(void **state)
{
    (void)state;
    struct game game = game_waiting_for_ada();
    expect_effects(&game, "left, gone BEN");
    expect_state(&game, MATCH_ASKING);
}

static void the_other_comes_back_and_wins(void **state)
{
    (void)state;
    struct game game = game_waiting_for_ada();
    is_back(&game, ADA);
    expect_effects(&game, "disarm_grace, back ADA, play_over, save, arm_phase");
    expect_end(&game, MATCH_END_FORFEIT, ADA);
}

static void the_other_is_gone_too_and_the_match_is_cancelled(void **state)
{
    (void)state;
    struct game game = game_waiting_for_ada();
    grace_timer(&game, ADA);
    expect_effects(&game, "gone ADA, play_over, end, ended");
    expect_end(&game, MATCH_END_CANCELLED, MATCH_WINNER_NONE);
    expect_state(&game, MATCH_ENDED);
}

static void the_last_round_is_over_first_and_the_match_is_finished(void **state)
{
    (void)state;
    struct game game = game_asking(ROUNDS);
    is_lost(&game, ADA);
    leaves(&game, BEN);
    phase_timer(&game);
    expect_effects(&game, "reveal, play_over, save, arm_phase");
    expect_end(&game, MATCH_END_FINISHED, ADA);
}

static void a_round_that_waited_only_for_the_one_who_is_gone_is_revealed(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    answer_at(&game, ADA, 2, 1000);
    is_lost(&game, ADA);
    leaves(&game, BEN);
    expect_effects(&game, "left, gone BEN, reveal, arm_phase");
}

static void between_rounds_nothing_waits_for_the_one_who_is_gone(void **state)
{
    (void)state;
    struct game game = game_revealing(1);
    is_lost(&game, ADA);
    is_lost(&game, BEN);
    grace_timer(&game, BEN);
    expect_effects(&game, "gone BEN");
    phase_timer(&game);
    expect_effects(&game, "round, arm_phase");
}

/* --- While the result is saved. --- */

static void while_the_result_is_saved_presence_is_told_and_nobody_goes(void **state)
{
    (void)state;
    struct game game = game_settling();
    is_lost(&game, BEN);
    expect_effects(&game, "away BEN");
    grace_timer(&game, BEN);
    expect_nothing(&game);
    is_back(&game, BEN);
    expect_effects(&game, "back BEN");
    expect_end(&game, MATCH_END_FINISHED, ADA);
}

static void while_the_result_is_saved_no_grace_makes_anyone_gone(void **state)
{
    (void)state;
    struct game game = asking_without_grace();
    phase_timer(&game);
    phase_timer(&game);
    phase_timer(&game);
    phase_timer(&game);
    phase_timer(&game);
    expect_state(&game, MATCH_SETTLING);
    is_lost(&game, BEN);
    expect_effects(&game, "away BEN");
}

static void while_the_result_is_saved_absences_beyond_the_64th_are_not_told(void **state)
{
    (void)state;
    struct game game = game_settling();
    lose_often(&game, BEN, ABSENCES_MAX);
    expect_effects(&game, "back BEN");
    is_lost(&game, BEN);
    expect_nothing(&game);
    is_back(&game, BEN);
    expect_nothing(&game);
}

static void the_log_holds_all_that_players_who_flap_can_cause(void **state)
{
    (void)state;
    struct match_settings settings = game_settings();
    settings.rounds = MATCH_ROUNDS_MAX;
    struct game game = game_of(settings);
    lose_often(&game, ADA, ABSENCES_MAX - 1);
    lose_often(&game, BEN, ABSENCES_MAX - 1);
    for (unsigned i = 0; i < 2 * MATCH_ROUNDS_MAX; i++) phase_timer(&game);
    lose_often(&game, ADA, 2);
    lose_often(&game, BEN, 2);
    is_saved(&game);
    expect_effects(&game, "end, ended");
    /* Nobody is gone in a match that is finished with both here. */
    assert_int_equal(game.match.seq, MATCH_LOG_MAX - MATCH_PLAYERS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_player_who_is_lost_is_away_and_the_others_are_told_at_once),
        cmocka_unit_test(the_grace_timer_carries_the_absence_it_is_armed_for),
        cmocka_unit_test(who_is_away_already_is_not_lost_again),
        cmocka_unit_test(rounds_go_on_while_a_player_is_away),
        cmocka_unit_test(a_player_comes_back_within_the_grace),
        cmocka_unit_test(who_comes_back_brings_the_credit_of_the_new_connection),
        cmocka_unit_test(a_connection_that_takes_over_is_no_news_to_the_others),
        cmocka_unit_test(both_may_be_away_and_come_back),
        cmocka_unit_test(after_the_grace_a_player_is_gone_and_forfeits),
        cmocka_unit_test(after_the_grace_a_player_forfeits_before_the_first_round_too),
        cmocka_unit_test(after_the_grace_a_player_forfeits_between_rounds_too),
        cmocka_unit_test(a_forfeit_does_not_look_at_the_score),
        cmocka_unit_test(the_grace_timer_of_an_earlier_absence_does_nothing),
        cmocka_unit_test(the_grace_timer_of_one_who_is_back_does_nothing),
        cmocka_unit_test(without_a_grace_a_player_is_gone_at_once),
        cmocka_unit_test(a_player_may_be_away_63_times),
        cmocka_unit_test(who_is_away_for_the_64th_time_is_gone),
        cmocka_unit_test(who_is_gone_does_not_come_back),
        cmocka_unit_test(who_is_gone_is_not_lost),
        cmocka_unit_test(who_is_gone_sends_no_emotes),
        cmocka_unit_test(while_the_other_is_away_the_match_goes_on),
        cmocka_unit_test(the_other_comes_back_and_wins),
        cmocka_unit_test(the_other_is_gone_too_and_the_match_is_cancelled),
        cmocka_unit_test(the_last_round_is_over_first_and_the_match_is_finished),
        cmocka_unit_test(a_round_that_waited_only_for_the_one_who_is_gone_is_revealed),
        cmocka_unit_test(between_rounds_nothing_waits_for_the_one_who_is_gone),
        cmocka_unit_test(while_the_result_is_saved_presence_is_told_and_nobody_goes),
        cmocka_unit_test(while_the_result_is_saved_no_grace_makes_anyone_gone),
        cmocka_unit_test(while_the_result_is_saved_absences_beyond_the_64th_are_not_told),
        cmocka_unit_test(the_log_holds_all_that_players_who_flap_can_cause),
    };
    return cmocka_run_group_tests_name("match_presence", tests, NULL, NULL);
}
