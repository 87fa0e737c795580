/* What is found broken in a match, and how a match that is broken ends.
 *
 * Nothing here can happen by the public functions alone: each test breaks a match by hand.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "match_fixture.h"
#include "match_priv.h"

/* --- Invariants, looked at after each move. --- */

static void more_rounds_than_fit_are_a_fault(void **state)
{
    (void)state;
    struct game game = game_starting();
    game.match.settings.rounds = MATCH_ROUNDS_MAX + 1;
    phase_timer(&game);
    expect_fault(&game, "no more rounds than there are");
}

static void a_round_beyond_the_last_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_asking(2);
    game.match.settings.rounds = 1;
    is_cancelled(&game, MATCH_END_SHUTDOWN);
    expect_fault(&game, "no more rounds than there are");
}

static void a_round_that_begins_49_days_after_the_match_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_starting();
    game.now.ms += UINT64_C(1) << 32;
    phase_timer_tagged(&game, game.match.phase);
    expect_fault(&game, "a match goes on for 49 days");
}

/* What lies there is another match's. */
static void a_round_beyond_the_last_is_not_written(void **state)
{
    (void)state;
    struct game game = game_asking(2);
    game.match.settings.rounds = 1;
    expect_assert_failure(phase_timer(&game));
}

static void a_log_that_is_empty_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_starting();
    game.match.seq = 0;
    phase_timer(&game);
    expect_fault(&game, "the log holds what was told");
}

static void a_log_beyond_its_end_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_starting();
    game.match.seq = MATCH_LOG_MAX + 1;
    phase_timer(&game);
    expect_fault(&game, "the log holds what was told");
}

static void a_score_without_points_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_revealing(1);
    game.match.players[BEN].score = 500;
    phase_timer(&game);
    expect_fault(&game, "a score is the sum of its points");
}

static void more_absences_than_there_can_be_are_a_fault(void **state)
{
    (void)state;
    struct game game = game_starting();
    game.match.players[BEN].absences = ABSENCES_MAX + 1;
    phase_timer(&game);
    expect_fault(&game, "presence fits the absences");
}

static void being_away_without_an_absence_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_starting();
    game.match.players[BEN].presence = PRESENCE_AWAY;
    phase_timer(&game);
    expect_fault(&game, "presence fits the absences");
}

static void playing_on_against_one_who_is_gone_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_starting();
    game.match.players[BEN].presence = PRESENCE_GONE;
    phase_timer(&game);
    expect_fault(&game, "in play who is gone leaves one who is away");
}

static void a_reason_to_end_while_playing_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_starting();
    game.match.reason = MATCH_END_CANCELLED;
    phase_timer(&game);
    expect_fault(&game, "there is a reason once it is over");
}

static void a_winner_while_playing_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_starting();
    game.match.winner = ADA;
    phase_timer(&game);
    expect_fault(&game, "only a result has a winner");
}

static void a_winner_who_is_no_player_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_settling();
    game.match.winner = MATCH_PLAYERS_MAX;
    is_saved(&game);
    expect_fault(&game, "only a result has a winner");
    game = game_settling();
    game.match.winner = -2;
    is_saved(&game);
    expect_fault(&game, "only a result has a winner");
}

static void a_forfeit_without_a_winner_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    leaves(&game, BEN);
    game.match.winner = MATCH_WINNER_NONE;
    is_saved(&game);
    expect_fault(&game, "only a result has a winner");
}

static void a_forfeit_of_one_who_is_there_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    leaves(&game, BEN);
    game.match.players[BEN].presence = PRESENCE_HERE;
    is_saved(&game);
    expect_fault(&game, "only the gone forfeit");
}

static void a_result_that_is_saved_while_playing_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_starting();
    game.match.is_saved = true;
    phase_timer(&game);
    expect_fault(&game, "a result is saved before it counts");
}

static void a_saved_result_that_is_thrown_away_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_settling();
    game.match.is_saved = true;
    is_cancelled(&game, MATCH_END_SHUTDOWN);
    expect_fault(&game, "a result is saved before it counts");
}

static void a_rating_that_changes_without_a_result_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_starting();
    game.match.players[BEN].rating_after.rating_centi++;
    phase_timer(&game);
    expect_fault(&game, "only a rated result changes ratings");
}

static void a_rating_that_an_unrated_result_changes_is_a_fault(void **state)
{
    (void)state;
    struct match_setup setup = house_setup();
    struct game game = game_set_up(&setup);
    leaves_this_match(&game, ADA);
    game.match.players[BEN].rating_after.deviation_centi++;
    is_saved(&game);
    expect_fault(&game, "only a rated result changes ratings");
}

static void a_bot_that_is_away_is_a_fault(void **state)
{
    (void)state;
    struct match_setup setup = house_setup();
    struct game game = game_set_up(&setup);
    game.match.players[BEN].presence = PRESENCE_AWAY;
    game.match.players[BEN].absences = 1;
    phase_timer(&game);
    expect_fault(&game, "a bot is always here");
}

/* --- What a step finds. --- */

static void a_move_that_the_table_does_not_have_is_a_fault_and_moves_nothing(void **state)
{
    (void)state;
    struct game game = game_starting();
    match_move(&game.match, MATCH_REVEALING);
    expect_fault(&game, "this state does not lead to that one");
    expect_state(&game, MATCH_STARTING);
}

static void a_full_log_is_a_fault_and_nothing_is_written_behind_it(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    game.match.seq = MATCH_LOG_MAX;
    is_lost(&game, BEN);
    expect_fault(&game, "the log is full");
    assert_int_equal(game.match.seq, MATCH_LOG_MAX);
}

static void a_round_after_the_last_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_revealing(1);
    game.match.settings.rounds = 1;
    phase_timer(&game);
    expect_fault(&game, "no round is left");
    assert_int_equal(game.match.round, 1);
}

static void a_presence_that_is_none_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    game.match.players[BEN].presence = PRESENCE_GONE + 1;
    leaves(&game, ADA);
    expect_fault(&game, "presence is none of its kinds");
}

static void a_state_that_is_none_is_a_fault(void **state)
{
    (void)state;
    struct game game = game_starting();
    game.match.state = MATCH_STATE_COUNT;
    is_lost(&game, ADA);
    expect_fault(&game, "the state is none of its kinds");
    assert_int_equal(match_left_ms(&game.match, game.now), 0);
}

static void expect_no_such_event(enum match_state in)
{
    struct game game = game_in(in);
    struct game before = game;
    game_step(&game, (struct match_event){.kind = MATCH_EVENT_COUNT});
    expect_fault(&game, "an event is none of its kinds");
    assert_int_equal(game.effects.count, 0);
    game.match.fault = NULL;
    assert_memory_equal(&game.match, &before.match, sizeof(game.match));
}

static void an_event_that_is_none_is_a_fault_in_every_state(void **state)
{
    (void)state;
    expect_no_such_event(MATCH_STARTING);
    expect_no_such_event(MATCH_ASKING);
    expect_no_such_event(MATCH_REVEALING);
    expect_no_such_event(MATCH_SETTLING);
    expect_no_such_event(MATCH_ENDED);
}

static void a_round_out_of_bounds_stops_the_process(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    game.match.round = 0;
    expect_assert_failure(phase_timer(&game));
    game.match.round = MATCH_ROUNDS_MAX + 1;
    expect_assert_failure(phase_timer(&game));
}

static void effects_out_of_bounds_stop_the_process(void **state)
{
    (void)state;
    struct effects effects = {.count = EFFECTS_MAX};
    expect_assert_failure((void)match_want(&effects, EFFECT_OK));
}

static void the_first_fault_is_kept(void **state)
{
    (void)state;
    struct game game = game_starting();
    match_fault(&game.match, "the first");
    match_fault(&game.match, "the second");
    expect_fault(&game, "the first");
}

/* --- Abort. --- */

static void abort_game(struct game *game)
{
    match_abort(&game->match, &game->effects);
}

static void expect_aborted(const struct game *game)
{
    char caused[EFFECTS_TEXT_BYTES];
    assert_string_equal(effects_text(game, caused), "play_over, end, ended");
    expect_state(game, MATCH_ENDED);
    expect_end(game, MATCH_END_CANCELLED, MATCH_WINNER_NONE);
}

static void a_match_that_is_whole_is_not_aborted(void **state)
{
    (void)state;
    struct game game = game_starting();
    expect_assert_failure(abort_game(&game));
}

static void an_aborted_match_ends_cancelled_without_a_winner(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    match_fault(&game.match, "a test");
    abort_game(&game);
    expect_aborted(&game);
    expect_fault(&game, "a test");
}

static void a_match_whose_result_is_being_saved_may_be_aborted(void **state)
{
    (void)state;
    struct game game = game_settling();
    match_fault(&game.match, "a test");
    abort_game(&game);
    expect_aborted(&game);
}

static void an_abort_leaves_no_gap_where_the_faulted_step_logged(void **state)
{
    (void)state;
    struct game game = game_revealing(1);
    uint16_t told = game.match.seq;
    game.match.players[BEN].score = 500;
    phase_timer(&game);
    assert_int_equal(game.match.seq, told + 1);
    abort_game(&game);
    expect_aborted(&game);
    assert_int_equal(effect_of(&game, EFFECT_ANNOUNCE)->seq, told + 1);
}

static void a_match_that_broke_at_its_end_is_aborted(void **state)
{
    (void)state;
    struct game game = game_settling();
    game.match.winner = MATCH_PLAYERS_MAX;
    is_saved(&game);
    abort_game(&game);
    expect_aborted(&game);
}

static void an_end_that_was_told_is_not_told_again(void **state)
{
    (void)state;
    struct game game = game_ended();
    uint16_t told = game.match.seq;
    match_fault(&game.match, "a test");
    abort_game(&game);
    assert_int_equal(game.effects.count, 0);
    assert_int_equal(game.match.seq, told);
    expect_end(&game, MATCH_END_FINISHED, ADA);
}

static void an_aborted_match_answers_like_one_that_has_ended(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    match_fault(&game.match, "a test");
    abort_game(&game);
    struct game before = game;
    answer(&game, ADA, 1, 2);
    expect_refusal(&game, &before, REFUSAL_BAD_STATE);
}

static void without_room_in_the_log_an_abort_tells_no_end(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    match_fault(&game.match, "a test");
    game.match.seq_kept = MATCH_LOG_MAX + 1;
    abort_game(&game);
    char caused[EFFECTS_TEXT_BYTES];
    assert_string_equal(effects_text(&game, caused), "play_over, ended");
    expect_state(&game, MATCH_ENDED);
}

static void an_abort_tells_the_end_even_of_a_log_that_is_empty(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    match_fault(&game.match, "a test");
    game.match.seq_kept = 0;
    abort_game(&game);
    expect_aborted(&game);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_rounds_than_fit_are_a_fault),
        cmocka_unit_test(a_round_beyond_the_last_is_a_fault),
        cmocka_unit_test(a_round_beyond_the_last_is_not_written),
        cmocka_unit_test(a_round_that_begins_49_days_after_the_match_is_a_fault),
        cmocka_unit_test(a_log_that_is_empty_is_a_fault),
        cmocka_unit_test(a_log_beyond_its_end_is_a_fault),
        cmocka_unit_test(a_score_without_points_is_a_fault),
        cmocka_unit_test(more_absences_than_there_can_be_are_a_fault),
        cmocka_unit_test(being_away_without_an_absence_is_a_fault),
        cmocka_unit_test(playing_on_against_one_who_is_gone_is_a_fault),
        cmocka_unit_test(a_reason_to_end_while_playing_is_a_fault),
        cmocka_unit_test(a_winner_while_playing_is_a_fault),
        cmocka_unit_test(a_winner_who_is_no_player_is_a_fault),
        cmocka_unit_test(a_forfeit_without_a_winner_is_a_fault),
        cmocka_unit_test(a_forfeit_of_one_who_is_there_is_a_fault),
        cmocka_unit_test(a_result_that_is_saved_while_playing_is_a_fault),
        cmocka_unit_test(a_saved_result_that_is_thrown_away_is_a_fault),
        cmocka_unit_test(a_rating_that_changes_without_a_result_is_a_fault),
        cmocka_unit_test(a_rating_that_an_unrated_result_changes_is_a_fault),
        cmocka_unit_test(a_bot_that_is_away_is_a_fault),
        cmocka_unit_test(a_move_that_the_table_does_not_have_is_a_fault_and_moves_nothing),
        cmocka_unit_test(a_full_log_is_a_fault_and_nothing_is_written_behind_it),
        cmocka_unit_test(a_round_after_the_last_is_a_fault),
        cmocka_unit_test(a_presence_that_is_none_is_a_fault),
        cmocka_unit_test(a_state_that_is_none_is_a_fault),
        cmocka_unit_test(an_event_that_is_none_is_a_fault_in_every_state),
        cmocka_unit_test(a_round_out_of_bounds_stops_the_process),
        cmocka_unit_test(effects_out_of_bounds_stop_the_process),
        cmocka_unit_test(the_first_fault_is_kept),
        cmocka_unit_test(a_match_that_is_whole_is_not_aborted),
        cmocka_unit_test(an_aborted_match_ends_cancelled_without_a_winner),
        cmocka_unit_test(a_match_whose_result_is_being_saved_may_be_aborted),
        cmocka_unit_test(an_abort_leaves_no_gap_where_the_faulted_step_logged),
        cmocka_unit_test(a_match_that_broke_at_its_end_is_aborted),
        cmocka_unit_test(an_end_that_was_told_is_not_told_again),
        cmocka_unit_test(an_aborted_match_answers_like_one_that_has_ended),
        cmocka_unit_test(without_room_in_the_log_an_abort_tells_no_end),
        cmocka_unit_test(an_abort_tells_the_end_even_of_a_log_that_is_empty),
    };
    return cmocka_run_group_tests_name("match_faults", tests, NULL, NULL);
}
