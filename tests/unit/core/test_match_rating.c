/* Which matches are rated, and what becomes of the ratings. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "match_fixture.h"

enum { DAY_MS = 86400000 };

/* A match of ADA and BEN as tests want them. */
struct pair {
    struct match_setup setup;
    struct match_entrant entrants[MATCH_PLAYERS_MAX];
};

static struct pair pair(void)
{
    struct pair pair = {.setup = game_setup()};
    pair.entrants[ADA] = *pair.setup.entrants[ADA];
    pair.entrants[BEN] = *pair.setup.entrants[BEN];
    return pair;
}

static struct game game_of_pair(struct pair *pair)
{
    pair->setup.entrants[ADA] = &pair->entrants[ADA];
    pair->setup.entrants[BEN] = &pair->entrants[BEN];
    return game_set_up(&pair->setup);
}

static void met_before(struct pair *pair, uint8_t player, int64_t ago_ms)
{
    uint64_t other = player_fingerprint(&pair->entrants[1 - player].player);
    opponents_add(&pair->entrants[player].record.opponents, other,
                  (wall_time){WALL_AT_CREATION_MS - ago_ms});
}

static void expect_rated(struct pair *pair)
{
    struct game game = game_of_pair(pair);
    assert_true(game.match.is_rated);
}

static void expect_unrated(struct pair *pair)
{
    struct game game = game_of_pair(pair);
    assert_false(game.match.is_rated);
}

/* --- Which matches are rated. --- */

static void a_duel_is_rated(void **state)
{
    (void)state;
    struct pair duel = pair();
    expect_rated(&duel);
}

static void a_match_against_the_house_is_not(void **state)
{
    (void)state;
    struct pair duel = pair();
    duel.setup.settings.mode = MATCH_MODE_HOUSE;
    expect_unrated(&duel);
}

static void a_duel_with_a_bot_is_not(void **state)
{
    (void)state;
    struct pair duel = pair();
    duel.entrants[BEN].is_bot = true;
    expect_unrated(&duel);
    duel = pair();
    duel.entrants[ADA].is_bot = true;
    expect_unrated(&duel);
}

static void the_second_match_of_a_pair_within_a_day_is_rated(void **state)
{
    (void)state;
    struct pair duel = pair();
    met_before(&duel, ADA, DAY_MS - 1);
    met_before(&duel, BEN, DAY_MS - 1);
    expect_rated(&duel);
}

static void the_third_match_of_a_pair_within_a_day_is_not(void **state)
{
    (void)state;
    struct pair duel = pair();
    met_before(&duel, ADA, DAY_MS - 1);
    met_before(&duel, ADA, 1);
    expect_unrated(&duel);
    duel = pair();
    met_before(&duel, BEN, DAY_MS - 1);
    met_before(&duel, BEN, 1);
    expect_unrated(&duel);
}

static void the_third_match_of_a_pair_is_rated_when_the_first_is_a_day_ago(void **state)
{
    (void)state;
    struct pair duel = pair();
    met_before(&duel, ADA, DAY_MS);
    met_before(&duel, ADA, 1);
    expect_rated(&duel);
}

static void matches_with_others_do_not_count(void **state)
{
    (void)state;
    struct pair duel = pair();
    wall_time now = {WALL_AT_CREATION_MS};
    opponents_add(&duel.entrants[ADA].record.opponents, 1, now);
    opponents_add(&duel.entrants[ADA].record.opponents, 1, now);
    opponents_add(&duel.entrants[ADA].record.opponents,
                  player_fingerprint(&duel.entrants[ADA].player), now);
    expect_rated(&duel);
}

/* --- Before. --- */

static void expect_rating(struct rating rating, int32_t rating_centi, int32_t deviation_centi)
{
    assert_int_equal(rating.rating_centi, rating_centi);
    assert_int_equal(rating.deviation_centi, deviation_centi);
}

static void a_match_begins_with_the_ratings_of_the_records(void **state)
{
    (void)state;
    struct game game = game_starting();
    expect_rating(game.match.players[ADA].rating, 150000, 35000);
    expect_rating(game.match.players[BEN].rating, 160000, 20000);
    expect_rating(game.match.players[BEN].rating_after, 160000, 20000);
    assert_int_equal(game.match.players[BEN].rating.volatility_micro, 60000);
    assert_false(match_shows_ratings(&game.match));
}

static int32_t deviation_when_rated(int64_t ago_ms)
{
    struct pair duel = pair();
    duel.entrants[BEN].record.rating.deviation_centi = 3000;
    duel.entrants[BEN].record.rated_at.ms = WALL_AT_CREATION_MS - ago_ms;
    struct game game = game_of_pair(&duel);
    return game.match.players[BEN].rating.deviation_centi;
}

static void whole_idle_days_make_a_rating_less_certain(void **state)
{
    (void)state;
    assert_int_equal(deviation_when_rated(DAY_MS - 1), 3000);
    assert_int_equal(deviation_when_rated(DAY_MS), 3176);
    assert_int_equal(deviation_when_rated(2 * (int64_t)DAY_MS - 1), 3176);
    assert_int_equal(deviation_when_rated(2 * (int64_t)DAY_MS), 3343);
}

static void a_clock_that_went_back_has_seen_no_idle_day(void **state)
{
    (void)state;
    assert_int_equal(deviation_when_rated(0), 3000);
    assert_int_equal(deviation_when_rated(-3 * (int64_t)DAY_MS), 3000);
}

static void who_was_never_rated_was_not_idle(void **state)
{
    (void)state;
    assert_int_equal(deviation_when_rated(WALL_AT_CREATION_MS), 3000);
    assert_int_equal(deviation_when_rated(WALL_AT_CREATION_MS - 1), 35000);
}

static void more_days_than_there_have_been_are_enough(void **state)
{
    (void)state;
    assert_int_equal(deviation_when_rated(DAY_MS * ((int64_t)UINT32_MAX + 1)), 35000);
}

static void an_unrated_match_counts_no_idle_days(void **state)
{
    (void)state;
    struct pair duel = pair();
    duel.setup.settings.mode = MATCH_MODE_HOUSE;
    duel.entrants[BEN].record.rated_at.ms = WALL_AT_CREATION_MS - 9 * (int64_t)DAY_MS;
    struct game game = game_of_pair(&duel);
    expect_rating(game.match.players[BEN].rating, 160000, 20000);
}

static void what_is_no_rating_is_not_played_with(void **state)
{
    (void)state;
    struct pair duel = pair();
    duel.entrants[BEN].record.rating.volatility_micro = 0;
    expect_assert_failure((void)game_of_pair(&duel));
}

/* --- After. --- */

static void expect_rates(const struct game *game, enum rating_score of_ada,
                         enum rating_score of_ben)
{
    const struct match_player *ada = &game->match.players[ADA];
    const struct match_player *ben = &game->match.players[BEN];
    struct rating ada_after = rating_after_match(&ada->rating, &ben->rating, of_ada, TAU_MILLI);
    struct rating ben_after = rating_after_match(&ben->rating, &ada->rating, of_ben, TAU_MILLI);
    assert_true(rating_equal(&ada->rating_after, &ada_after));
    assert_true(rating_equal(&ben->rating_after, &ben_after));
    assert_true(match_shows_ratings(&game->match));
}

static void expect_no_rates(const struct game *game)
{
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct match_player *player = &game->match.players[i];
        assert_true(rating_equal(&player->rating, &player->rating_after));
    }
    assert_false(match_shows_ratings(&game->match));
}

static void a_finished_match_rates_by_the_score(void **state)
{
    (void)state;
    struct game game = game_settling();
    expect_end(&game, MATCH_END_FINISHED, ADA);
    expect_rates(&game, RATING_WIN, RATING_LOSS);
}

static void equal_scores_rate_as_a_draw(void **state)
{
    (void)state;
    struct match_settings settings = game_settings();
    settings.rounds = 1;
    struct game game = game_of(settings);
    phase_timer(&game);
    phase_timer(&game);
    expect_end(&game, MATCH_END_FINISHED, MATCH_WINNER_NONE);
    expect_rates(&game, RATING_DRAW, RATING_DRAW);
}

static void a_forfeit_rates_as_a_loss_whatever_the_score(void **state)
{
    (void)state;
    struct game game = game_revealing(1);
    leaves(&game, ADA);
    expect_end(&game, MATCH_END_FORFEIT, BEN);
    expect_rates(&game, RATING_LOSS, RATING_WIN);
}

static void ratings_stay_when_the_result_is_saved(void **state)
{
    (void)state;
    struct game game = game_ended();
    expect_rates(&game, RATING_WIN, RATING_LOSS);
}

static void the_tau_of_the_settings_counts(void **state)
{
    (void)state;
    struct pair duel = pair();
    duel.entrants[BEN].record.rating = (struct rating){300000, 3000, 60000};
    duel.setup.settings.tau_milli = RATING_TAU_MAX_MILLI;
    duel.setup.settings.rounds = 1;
    struct game game = game_of_pair(&duel);
    phase_timer(&game);
    both_answer(&game);
    assert_int_equal(game.match.players[ADA].rating_after.volatility_micro,
                     rating_after_match(&duel.entrants[ADA].record.rating,
                                        &duel.entrants[BEN].record.rating, RATING_WIN,
                                        RATING_TAU_MAX_MILLI)
                         .volatility_micro);
    assert_int_not_equal(game.match.players[ADA].rating_after.volatility_micro,
                         rating_after_match(&duel.entrants[ADA].record.rating,
                                            &duel.entrants[BEN].record.rating, RATING_WIN,
                                            TAU_MILLI)
                             .volatility_micro);
}

static void a_tau_beyond_its_bounds_is_not_played_with(void **state)
{
    (void)state;
    struct pair duel = pair();
    duel.setup.settings.tau_milli = RATING_TAU_MIN_MILLI;
    expect_rated(&duel);
    duel.setup.settings.tau_milli = RATING_TAU_MAX_MILLI;
    expect_rated(&duel);
    duel.setup.settings.tau_milli = RATING_TAU_MIN_MILLI - 1;
    expect_assert_failure((void)game_of_pair(&duel));
    duel.setup.settings.tau_milli = RATING_TAU_MAX_MILLI + 1;
    expect_assert_failure((void)game_of_pair(&duel));
}

static void an_unrated_match_rates_nobody(void **state)
{
    (void)state;
    struct pair duel = pair();
    duel.setup.settings.mode = MATCH_MODE_HOUSE;
    struct game game = game_of_pair(&duel);
    leaves_this_match(&game, BEN);
    expect_end(&game, MATCH_END_FORFEIT, ADA);
    expect_no_rates(&game);
}

static void a_cancelled_match_rates_nobody(void **state)
{
    (void)state;
    struct game game = game_revealing(1);
    is_cancelled(&game, MATCH_END_CANCELLED);
    expect_state(&game, MATCH_ENDED);
    expect_no_rates(&game);
}

static void a_shutdown_rates_nobody(void **state)
{
    (void)state;
    struct game game = game_revealing(1);
    is_cancelled(&game, MATCH_END_SHUTDOWN);
    expect_no_rates(&game);
}

static void a_shutdown_that_does_not_wait_for_the_save_tells_no_ratings(void **state)
{
    (void)state;
    struct game game = game_settling();
    is_cancelled(&game, MATCH_END_SHUTDOWN);
    expect_state(&game, MATCH_ENDED);
    assert_null(game.match.fault);
    expect_no_rates(&game);
}

static void an_aborted_match_shows_no_ratings(void **state)
{
    (void)state;
    struct game game = game_settling();
    match_fault(&game.match, "a test");
    match_abort(&game.match, &game.effects);
    assert_false(match_shows_ratings(&game.match));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duel_is_rated),
        cmocka_unit_test(a_match_against_the_house_is_not),
        cmocka_unit_test(a_duel_with_a_bot_is_not),
        cmocka_unit_test(the_second_match_of_a_pair_within_a_day_is_rated),
        cmocka_unit_test(the_third_match_of_a_pair_within_a_day_is_not),
        cmocka_unit_test(the_third_match_of_a_pair_is_rated_when_the_first_is_a_day_ago),
        cmocka_unit_test(matches_with_others_do_not_count),
        cmocka_unit_test(a_match_begins_with_the_ratings_of_the_records),
        cmocka_unit_test(whole_idle_days_make_a_rating_less_certain),
        cmocka_unit_test(a_clock_that_went_back_has_seen_no_idle_day),
        cmocka_unit_test(who_was_never_rated_was_not_idle),
        cmocka_unit_test(more_days_than_there_have_been_are_enough),
        cmocka_unit_test(an_unrated_match_counts_no_idle_days),
        cmocka_unit_test(what_is_no_rating_is_not_played_with),
        cmocka_unit_test(a_finished_match_rates_by_the_score),
        cmocka_unit_test(equal_scores_rate_as_a_draw),
        cmocka_unit_test(a_forfeit_rates_as_a_loss_whatever_the_score),
        cmocka_unit_test(ratings_stay_when_the_result_is_saved),
        cmocka_unit_test(the_tau_of_the_settings_counts),
        cmocka_unit_test(a_tau_beyond_its_bounds_is_not_played_with),
        cmocka_unit_test(an_unrated_match_rates_nobody),
        cmocka_unit_test(a_cancelled_match_rates_nobody),
        cmocka_unit_test(a_shutdown_rates_nobody),
        cmocka_unit_test(a_shutdown_that_does_not_wait_for_the_save_tells_no_ratings),
        cmocka_unit_test(an_aborted_match_shows_no_ratings),
    };
    return cmocka_run_group_tests_name("match_rating", tests, NULL, NULL);
}
