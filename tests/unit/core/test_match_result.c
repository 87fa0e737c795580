/* What the store is given of a match whose outcome is fixed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/match_result.h"
#include "match_fixture.h"

static struct match_result result_of(const struct game *game)
{
    struct match_result result;
    match_result_of(&game->match, &result);
    return result;
}

/* BEN leaves in round 2, which both have not answered; ADA has. */
static struct game game_forfeited(void)
{
    struct game game = game_asking(2);
    answer_at(&game, ADA, right_choice(&game), 1500);
    leaves(&game, BEN);
    return game;
}

static void a_result_names_the_match_and_its_outcome(void **state)
{
    (void)state;
    struct game game = game_settling();
    struct match_result result = result_of(&game);
    assert_true(id_equal(&result.match, &game.match.id));
    assert_int_equal(result.mode, MATCH_MODE_DUEL);
    assert_int_equal(result.reason, MATCH_END_FINISHED);
    assert_int_equal(result.winner, ADA);
    assert_true(result.is_rated);
    assert_ptr_equal(result.bank, game.match.bank);
}

static void its_times_are_wall_times(void **state)
{
    (void)state;
    struct game game = game_settling();
    struct match_result result = result_of(&game);
    int64_t lasted_ms = (int64_t)game.now.ms - CREATED_AT_MS;
    assert_int_equal(result.created_at.ms, WALL_AT_CREATION_MS);
    assert_int_equal(result.ended_at.ms, WALL_AT_CREATION_MS + lasted_ms);
    assert_int_equal(result.rounds[0].began_at.ms, WALL_AT_CREATION_MS + START_MS);
}

static void it_holds_every_player_as_they_were(void **state)
{
    (void)state;
    struct game game = game_settling();
    struct match_result result = result_of(&game);
    assert_int_equal(result.player_count, 2);
    assert_true(id_equal(&result.players[BEN].player, &game.match.players[BEN].player));
    assert_string_equal(result.players[ADA].name, "Ada");
    assert_string_equal(result.players[BEN].name, "Ben");
    assert_int_equal(result.players[ADA].score, game.match.players[ADA].score);
    assert_int_equal(result.players[BEN].score, 0);
    assert_false(result.players[BEN].is_gone);
    assert_false(result.players[BEN].is_bot);
}

static void it_holds_the_ratings_before_and_after(void **state)
{
    (void)state;
    struct game game = game_settling();
    struct match_result result = result_of(&game);
    assert_int_equal(result.players[BEN].before.rating_centi, 160000);
    assert_true(rating_equal(&result.players[BEN].after, &game.match.players[BEN].rating_after));
    assert_true(result.players[ADA].after.rating_centi > 150000);
    assert_true(result.players[BEN].after.rating_centi < 160000);
}

static void an_unrated_result_says_so_and_who_is_a_bot(void **state)
{
    (void)state;
    struct match_setup setup = house_setup();
    struct game game = game_set_up(&setup);
    leaves_this_match(&game, ADA);
    struct match_result result = result_of(&game);
    assert_int_equal(result.mode, MATCH_MODE_HOUSE);
    assert_false(result.is_rated);
    assert_true(result.players[BEN].is_bot);
    assert_false(result.players[ADA].is_bot);
    assert_true(rating_equal(&result.players[ADA].after, &result.players[ADA].before));
}

static void it_holds_every_round_as_it_was_shown(void **state)
{
    (void)state;
    struct game game = game_settling();
    struct match_result result = result_of(&game);
    const struct match_round *last = &game.match.rounds[ROUNDS - 1];
    assert_int_equal(result.round_count, ROUNDS);
    assert_ptr_equal(result.rounds[ROUNDS - 1].question,
                     &game.match.bank->questions[last->question]);
    assert_memory_equal(result.rounds[ROUNDS - 1].places, last->places, sizeof last->places);
    assert_int_equal(result.rounds[ROUNDS - 1].choice_count, CHOICES);
    assert_int_equal(result.rounds[ROUNDS - 1].weight, 2);
    assert_int_equal(result.rounds[ROUNDS - 1].time_ms, ROUND_TIME_MS);
    assert_true(result.rounds[ROUNDS - 1].is_revealed);
}

static void it_holds_every_answer(void **state)
{
    (void)state;
    struct game game = game_settling();
    struct match_result result = result_of(&game);
    const struct match_answer *given = &game.match.rounds[0].answers[ADA];
    const struct result_answer *kept = &result.rounds[0].answers[ADA];
    assert_int_equal(kept->choice, given->choice);
    assert_true(kept->is_right);
    assert_int_equal(kept->at_ms, 2000 - ADA_CREDIT_MS);
    assert_int_equal(kept->credit_ms, ADA_CREDIT_MS);
    assert_int_equal(kept->points, given->points);
    assert_int_equal(kept->received_at.ms, WALL_AT_CREATION_MS + START_MS + 2000);
    assert_false(result.rounds[0].answers[BEN].is_right);
}

static void a_forfeit_names_who_is_gone(void **state)
{
    (void)state;
    struct game game = game_forfeited();
    struct match_result result = result_of(&game);
    assert_int_equal(result.reason, MATCH_END_FORFEIT);
    assert_int_equal(result.winner, ADA);
    assert_true(result.players[BEN].is_gone);
    assert_false(result.players[ADA].is_gone);
}

static void a_round_that_the_forfeit_cut_off_is_kept_unrevealed(void **state)
{
    (void)state;
    struct game game = game_forfeited();
    struct match_result result = result_of(&game);
    assert_int_equal(result.round_count, 2);
    assert_true(result.rounds[0].is_revealed);
    assert_false(result.rounds[1].is_revealed);
}

static void a_missing_answer_is_none(void **state)
{
    (void)state;
    struct game game = game_forfeited();
    struct match_result result = result_of(&game);
    assert_int_equal(result.rounds[1].answers[BEN].choice, MATCH_CHOICE_NONE);
}

static void an_answer_in_an_unrevealed_round_has_no_points(void **state)
{
    (void)state;
    struct game game = game_forfeited();
    struct match_result result = result_of(&game);
    assert_int_not_equal(result.rounds[1].answers[ADA].choice, MATCH_CHOICE_NONE);
    assert_int_equal(result.rounds[1].answers[ADA].points, 0);
}

static void a_forfeit_before_round_1_has_no_rounds(void **state)
{
    (void)state;
    struct game game = game_starting();
    leaves_this_match(&game, BEN);
    struct match_result result = result_of(&game);
    assert_int_equal(result.round_count, 0);
}

/* --- Applied to what the store has. --- */

/* As it stood when the match was set up. */
static struct player_record record_before(const struct match_result *result, unsigned place)
{
    struct player_record record;
    player_record_init(&record, result->players[place].name);
    record.rating = result->players[place].before;
    return record;
}

static void a_rating_that_still_stands_becomes_the_one_that_was_told(void **state)
{
    (void)state;
    struct game game = game_settling();
    struct match_result result = result_of(&game);
    struct player_record record = record_before(&result, ADA);
    assert_false(match_result_apply(&result, ADA, &record));
    assert_true(rating_equal(&record.rating, &result.players[ADA].after));
    assert_int_equal(record.rated_at.ms, result.ended_at.ms);
    assert_int_equal(record.opponents.count, 1);
    assert_int_equal(record.recent.count, ROUNDS);
}

static void a_rating_that_changed_meanwhile_is_rated_anew(void **state)
{
    (void)state;
    struct game game = game_settling();
    struct match_result result = result_of(&game);
    struct player_record record = record_before(&result, ADA);
    record.rating.rating_centi += 1000;
    struct rating expected = rating_after_match(&record.rating, &result.players[BEN].before,
                                                RATING_WIN, result.tau_milli);
    assert_true(match_result_apply(&result, ADA, &record));
    assert_true(rating_equal(&record.rating, &expected));
}

static void idle_days_before_the_match_are_no_change(void **state)
{
    (void)state;
    struct game game = game_settling();
    struct match_result result = result_of(&game);
    struct player_record record = record_before(&result, ADA);
    record.rating.deviation_centi = 5000;
    record.rated_at.ms = result.created_at.ms - 3 * (int64_t)RATING_DAY_MS;
    result.players[ADA].before = rating_after_idle(&record.rating, 3);
    assert_false(match_result_apply(&result, ADA, &record));
}

static void an_earlier_match_does_not_turn_back_when_the_player_was_rated_last(void **state)
{
    (void)state;
    struct game game = game_settling();
    struct match_result result = result_of(&game);
    struct player_record record = record_before(&result, ADA);
    record.rated_at.ms = result.ended_at.ms + 1;
    (void)match_result_apply(&result, ADA, &record);
    assert_int_equal(record.rated_at.ms, result.ended_at.ms + 1);
}

static void an_unrated_match_leaves_rating_and_opponents(void **state)
{
    (void)state;
    struct game game = game_settling();
    struct match_result result = result_of(&game);
    result.is_rated = false;
    struct player_record record = record_before(&result, ADA);
    record.rating.rating_centi += 1000;
    struct rating before = record.rating;
    assert_false(match_result_apply(&result, ADA, &record));
    assert_true(rating_equal(&record.rating, &before));
    assert_int_equal(record.opponents.count, 0);
    assert_int_equal(record.recent.count, ROUNDS);
}

static void a_match_in_play_has_no_result(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    struct match_result untouched;
    expect_assert_failure(match_result_of(&game.match, &untouched));
}

static void an_ended_match_has_no_result(void **state)
{
    (void)state;
    struct game game = game_ended();
    struct match_result untouched;
    expect_assert_failure(match_result_of(&game.match, &untouched));
}

/* --- What it comes to. --- */

static void a_tally_counts_revealed_rounds_only(void **state)
{
    (void)state;
    struct game game = game_forfeited();
    struct match_result result = result_of(&game);
    assert_int_equal(result.round_count, 2);
    assert_int_equal(match_result_tally(&result, ADA, QUESTION_CATEGORY_ANY).rounds, 1);
    result.rounds[1].is_revealed = true;
    struct match_tally tally = match_result_tally(&result, ADA, QUESTION_CATEGORY_ANY);
    assert_int_equal(tally.rounds, 2);
    assert_int_equal(tally.points,
                     result.rounds[0].answers[ADA].points + result.rounds[1].answers[ADA].points);
}

static void a_tally_counts_who_answered_and_who_was_right(void **state)
{
    (void)state;
    struct game game = game_settling();
    struct match_result result = result_of(&game);
    result.round_count = 2;
    result.rounds[0].is_revealed = result.rounds[1].is_revealed = true;
    result.rounds[0].answers[BEN] =
        (struct result_answer){.choice = 1, .is_right = true, .points = 7};
    result.rounds[1].answers[BEN] = (struct result_answer){.choice = 0, .points = 0};
    struct match_tally both = match_result_tally(&result, BEN, QUESTION_CATEGORY_ANY);
    assert_int_equal(both.answers, 2);
    assert_int_equal(both.right_answers, 1);
    assert_int_equal(both.points, 7);
    result.rounds[1].answers[BEN] = (struct result_answer){.choice = MATCH_CHOICE_NONE};
    assert_int_equal(match_result_tally(&result, BEN, QUESTION_CATEGORY_ANY).answers, 1);
}

static void a_tally_of_a_category_is_of_its_questions(void **state)
{
    (void)state;
    struct game game = game_settling();
    struct match_result result = result_of(&game);
    struct question first = *result.rounds[0].question;
    struct question second = first;
    first.category = 0;
    second.category = 1;
    result.round_count = 2;
    result.rounds[0].question = &first;
    result.rounds[1].question = &second;
    result.rounds[0].is_revealed = result.rounds[1].is_revealed = true;
    assert_int_equal(match_result_tally(&result, ADA, 0).rounds, 1);
    assert_int_equal(match_result_tally(&result, ADA, 1).rounds, 1);
    assert_int_equal(match_result_tally(&result, ADA, 2).rounds, 0);
    assert_int_equal(match_result_tally(&result, ADA, QUESTION_CATEGORY_ANY).rounds, 2);
}

static void a_duel_puts_its_players_on_the_boards_where_it_is_rated(void **state)
{
    (void)state;
    struct game game = game_settling();
    struct match_result result = result_of(&game);
    assert_true(match_result_is_listed(&result));
    result.is_rated = false;
    assert_false(match_result_is_listed(&result));
    result.mode = MATCH_MODE_HOUSE;
    assert_true(match_result_is_listed(&result));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_names_the_match_and_its_outcome),
        cmocka_unit_test(its_times_are_wall_times),
        cmocka_unit_test(it_holds_every_player_as_they_were),
        cmocka_unit_test(it_holds_the_ratings_before_and_after),
        cmocka_unit_test(an_unrated_result_says_so_and_who_is_a_bot),
        cmocka_unit_test(it_holds_every_round_as_it_was_shown),
        cmocka_unit_test(it_holds_every_answer),
        cmocka_unit_test(a_forfeit_names_who_is_gone),
        cmocka_unit_test(a_round_that_the_forfeit_cut_off_is_kept_unrevealed),
        cmocka_unit_test(a_missing_answer_is_none),
        cmocka_unit_test(an_answer_in_an_unrevealed_round_has_no_points),
        cmocka_unit_test(a_forfeit_before_round_1_has_no_rounds),
        cmocka_unit_test(a_rating_that_still_stands_becomes_the_one_that_was_told),
        cmocka_unit_test(a_rating_that_changed_meanwhile_is_rated_anew),
        cmocka_unit_test(idle_days_before_the_match_are_no_change),
        cmocka_unit_test(an_earlier_match_does_not_turn_back_when_the_player_was_rated_last),
        cmocka_unit_test(an_unrated_match_leaves_rating_and_opponents),
        cmocka_unit_test(a_match_in_play_has_no_result),
        cmocka_unit_test(an_ended_match_has_no_result),
        cmocka_unit_test(a_tally_counts_revealed_rounds_only),
        cmocka_unit_test(a_tally_counts_who_answered_and_who_was_right),
        cmocka_unit_test(a_tally_of_a_category_is_of_its_questions),
        cmocka_unit_test(a_duel_puts_its_players_on_the_boards_where_it_is_rated),
    };
    return cmocka_run_group_tests_name("core/match_result", tests, NULL, NULL);
}
