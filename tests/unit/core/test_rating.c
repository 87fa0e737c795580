/* Ratings: the paper's example, known answers, and what holds for every pair of ratings there is.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rating_priv.h"

enum { TAU_MILLI = 500 };

static const struct rating average = {150000, 35000, 60000};
static const struct rating settled = {150000, 5000, 60000};
static const struct rating lowest = {RATING_MIN_CENTI, RATING_DEVIATION_MIN_CENTI,
                                     RATING_VOLATILITY_MIN_MICRO};
static const struct rating highest = {RATING_MAX_CENTI, RATING_DEVIATION_MAX_CENTI,
                                      RATING_VOLATILITY_MAX_MICRO};

static void expect_rating(struct rating rating, struct rating expected)
{
    assert_int_equal(rating.rating_centi, expected.rating_centi);
    assert_int_equal(rating.deviation_centi, expected.deviation_centi);
    assert_int_equal(rating.volatility_micro, expected.volatility_micro);
}

static void expect_near(int32_t value, int32_t expected, int32_t most_apart)
{
    assert_true(abs(value - expected) <= most_apart);
}

static struct rating after(struct rating own, struct rating other, enum rating_score score)
{
    return rating_after_match(&own, &other, score, TAU_MILLI);
}

/* --- The paper. --- */

static void the_example_of_the_paper_comes_out(void **state)
{
    (void)state;
    struct rating own = {150000, 20000, 60000};
    const struct rating_game games[] = {
        {{140000, 3000, 60000}, RATING_WIN},
        {{155000, 10000, 60000}, RATING_LOSS},
        {{170000, 30000, 60000}, RATING_LOSS},
    };
    struct rating rating = rating_after_games(&own, games, 3, TAU_MILLI);
    /* It prints 1464.06, 151.52 and 0.05999, from steps that it rounds to four digits. */
    expect_near(rating.rating_centi, 146406, 1);
    assert_int_equal(rating.deviation_centi, 15152);
    expect_near(rating.volatility_micro, 59990, 10);
}

static void a_match_is_a_period_with_one_game(void **state)
{
    (void)state;
    struct rating own = {150000, 20000, 60000};
    const struct rating_game game = {{140000, 3000, 60000}, RATING_WIN};
    expect_rating(after(own, game.other, RATING_WIN),
                  rating_after_games(&own, &game, 1, TAU_MILLI));
}

static void a_new_rating_is_1500_with_the_greatest_deviation(void **state)
{
    (void)state;
    struct rating rating = rating_initial();
    expect_rating(rating, (struct rating){150000, 35000, 60000});
    assert_true(rating_is_valid(&rating));
}

/* --- Known answers, of an independent calculation with 60 digits. The same ones on every machine
 * and of every compiler. --- */

struct answer {
    struct rating own;
    struct rating other;
    enum rating_score score;
    uint32_t tau_milli;
    struct rating after;
};

static const struct answer answers[] = {
    {{150000, 35000, 60000}, {150000, 35000, 60000}, RATING_WIN, 500, {166231, 29032, 60000}},
    {{150000, 35000, 60000}, {150000, 35000, 60000}, RATING_DRAW, 500, {150000, 29032, 59999}},
    {{150000, 35000, 60000}, {150000, 35000, 60000}, RATING_LOSS, 500, {133769, 29032, 60000}},
    {{150000, 20000, 60000}, {140000, 3000, 60000}, RATING_WIN, 500, {156356, 17540, 59999}},
    {{150000, 20000, 60000}, {155000, 10000, 60000}, RATING_LOSS, 500, {142669, 17590, 59999}},
    {{183427, 6321, 58123}, {164210, 9044, 61002}, RATING_LOSS, 500, {181781, 6326, 58127}},
    {{183427, 6321, 58123}, {164210, 9044, 61002}, RATING_WIN, 500, {183995, 6326, 58122}},
    {{183427, 6321, 58123}, {164210, 9044, 61002}, RATING_DRAW, 500, {182888, 6326, 58122}},
    {{120055, 11234, 71999}, {221099, 4500, 55000}, RATING_WIN, 500, {127304, 11296, 72022}},
    {{120055, 11234, 71999}, {221099, 4500, 55000}, RATING_WIN, 300, {127304, 11296, 72007}},
    {{210000, 3000, 10000}, {90000, 3000, 10000}, RATING_LOSS, 1200, {209483, 3005, 10000}},
    {{150000, 3000, 60000}, {150000, 3000, 60000}, RATING_WIN, 500, {150287, 3163, 60000}},
    /* Next to impossible: the equation has three roots, of which the lowest counts. */
    {{120055, 11234, 71999}, {221099, 4500, 55000}, RATING_WIN, 1200, {127304, 11296, 72130}},
    {{10000, 35000, 60000}, {400000, 3000, 60000}, RATING_WIN, 1200, {80262, 35000, 60077}},
    {{400000, 3000, 60000}, {10000, 35000, 60000}, RATING_LOSS, 1200, {399611, 3176, 60035}},
    /* And the volatility is kept within its bounds before anything follows from it. */
    {{210000, 35000, 200000}, {90000, 35000, 200000}, RATING_LOSS, 1200, {163639, 34865, 200000}},
    /* Beyond the ends of the scale. */
    {{399990, 5000, 60000}, {399990, 5000, 60000}, RATING_WIN, 500, {400000, 5054, 60000}},
    {{10010, 5000, 60000}, {10010, 5000, 60000}, RATING_LOSS, 500, {10000, 5054, 60000}},
};

static void known_answers_come_out(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const struct answer *answer = &answers[i];
        expect_rating(
            rating_after_match(&answer->own, &answer->other, answer->score, answer->tau_milli),
            answer->after);
    }
}

/* --- What holds for every pair. --- */

static const int32_t ratings[] = {10000,  10001,  90000,  149999, 150000,
                                  150001, 163217, 399999, 400000};
static const int32_t deviations[] = {3000, 3001, 7777, 20000, 35000};
static const int32_t volatilities[] = {10000, 60000, 200000};
static const uint32_t taus_milli[] = {300, 500, 1200};
enum { RATINGS = 9, DEVIATIONS = 5, VOLATILITIES = 3, TAUS = 3 };
enum { SAMPLES = RATINGS * DEVIATIONS * VOLATILITIES };

static struct rating sample(unsigned number)
{
    return (struct rating){
        ratings[number % RATINGS],
        deviations[number / RATINGS % DEVIATIONS],
        volatilities[number / RATINGS / DEVIATIONS],
    };
}

static struct rating mirrored(struct rating rating)
{
    rating.rating_centi = 2 * 150000 - rating.rating_centi;
    return rating;
}

typedef void pair_rule(struct rating own, struct rating other, uint32_t tau_milli);

static void for_every_pair(pair_rule *rule)
{
    for (unsigned a = 0; a < SAMPLES; a++) {
        for (unsigned b = 0; b < SAMPLES; b++) {
            for (unsigned tau = 0; tau < TAUS; tau++) rule(sample(a), sample(b), taus_milli[tau]);
        }
    }
}

static void wins_more_than_it_draws_and_loses(struct rating own, struct rating other,
                                              uint32_t tau_milli)
{
    struct rating won = rating_after_match(&own, &other, RATING_WIN, tau_milli);
    struct rating drawn = rating_after_match(&own, &other, RATING_DRAW, tau_milli);
    struct rating lost = rating_after_match(&own, &other, RATING_LOSS, tau_milli);
    assert_true(rating_is_valid(&won) && rating_is_valid(&drawn) && rating_is_valid(&lost));
    assert_true(won.rating_centi >= own.rating_centi);
    assert_true(lost.rating_centi <= own.rating_centi);
    assert_true(drawn.rating_centi >= own.rating_centi || other.rating_centi < own.rating_centi);
    assert_true(drawn.rating_centi <= own.rating_centi || other.rating_centi > own.rating_centi);
}

static void a_winner_never_falls_and_a_loser_never_rises(void **state)
{
    (void)state;
    for_every_pair(wins_more_than_it_draws_and_loses);
}

static void mirrors(struct rating own, struct rating other, uint32_t tau_milli)
{
    struct rating mirror = mirrored(own);
    struct rating other_mirror = mirrored(other);
    if (!rating_is_valid(&mirror) || !rating_is_valid(&other_mirror)) return;
    struct rating won = rating_after_match(&own, &other, RATING_WIN, tau_milli);
    struct rating lost = rating_after_match(&mirror, &other_mirror, RATING_LOSS, tau_milli);
    if (won.rating_centi > 2 * 150000 - RATING_MIN_CENTI) return; /* The scale ends there. */
    expect_rating(mirrored(won), lost);
    struct rating drawn = rating_after_match(&own, &other, RATING_DRAW, tau_milli);
    struct rating other_drawn = rating_after_match(&mirror, &other_mirror, RATING_DRAW, tau_milli);
    expect_rating(mirrored(drawn), other_drawn);
}

static void mirrored_games_have_mirrored_results(void **state)
{
    (void)state;
    for_every_pair(mirrors);
}

static void between_equals_one_gains_what_the_other_loses(void **state)
{
    (void)state;
    int32_t gain = after(settled, settled, RATING_WIN).rating_centi - settled.rating_centi;
    int32_t loss = settled.rating_centi - after(settled, settled, RATING_LOSS).rating_centi;
    assert_int_equal(gain, loss);
    assert_true(gain > 0);
}

static void a_draw_between_equals_moves_nobody(void **state)
{
    (void)state;
    assert_int_equal(after(settled, settled, RATING_DRAW).rating_centi, settled.rating_centi);
}

static void beating_the_stronger_gains_more(void **state)
{
    (void)state;
    struct rating strong = {170000, 5000, 60000};
    assert_true(after(settled, strong, RATING_WIN).rating_centi >
                after(settled, settled, RATING_WIN).rating_centi);
}

static void beating_the_uncertain_gains_less(void **state)
{
    (void)state;
    assert_true(after(settled, average, RATING_WIN).rating_centi <
                after(settled, settled, RATING_WIN).rating_centi);
}

static void a_game_makes_an_uncertain_rating_more_certain(void **state)
{
    (void)state;
    assert_true(after(average, settled, RATING_WIN).deviation_centi < average.deviation_centi);
}

static void the_ends_of_the_scale_are_not_left(void **state)
{
    (void)state;
    struct rating bottom = after(lowest, highest, RATING_LOSS);
    struct rating top = after(highest, lowest, RATING_WIN);
    assert_int_equal(bottom.rating_centi, RATING_MIN_CENTI);
    assert_int_equal(top.rating_centi, RATING_MAX_CENTI);
}

static void many_impossible_games_are_survived(void **state)
{
    (void)state;
    struct rating own = {RATING_MIN_CENTI, RATING_DEVIATION_MAX_CENTI, 60000};
    struct rating_game games[16];
    for (unsigned i = 0; i < 16; i++) {
        games[i] = (struct rating_game){{RATING_MAX_CENTI, 3000, 60000}, RATING_WIN};
    }
    struct rating rating = rating_after_games(&own, games, 16, RATING_TAU_MAX_MILLI);
    expect_rating(rating, (struct rating){RATING_MAX_CENTI, RATING_DEVIATION_MAX_CENTI,
                                          RATING_VOLATILITY_MAX_MICRO});
}

/* --- Idle days. --- */

static int32_t deviation_after_idle(struct rating rating, uint32_t days)
{
    return rating_after_idle(&rating, days).deviation_centi;
}

static void idle_days_add_the_volatility_to_the_deviation(void **state)
{
    (void)state;
    assert_int_equal(deviation_after_idle((struct rating){150000, 3000, 60000}, 1), 3176);
    assert_int_equal(deviation_after_idle((struct rating){150000, 5000, 60000}, 30), 7589);
    assert_int_equal(deviation_after_idle((struct rating){150000, 20000, 60000}, 365), 28223);
    assert_int_equal(deviation_after_idle((struct rating){150000, 3000, 10000}, 7), 3035);
}

static void idle_days_change_nothing_else(void **state)
{
    (void)state;
    struct rating rating = {163217, 5000, 61234};
    struct rating idle = rating_after_idle(&rating, 30);
    assert_int_equal(idle.rating_centi, 163217);
    assert_int_equal(idle.volatility_micro, 61234);
}

static void no_idle_day_changes_nothing(void **state)
{
    (void)state;
    struct rating rating = settled;
    for (int32_t centi = RATING_DEVIATION_MIN_CENTI; centi <= RATING_DEVIATION_MAX_CENTI; centi++) {
        rating.deviation_centi = centi;
        expect_rating(rating_after_idle(&rating, 0), rating);
    }
}

static void the_deviation_never_grows_beyond_its_most(void **state)
{
    (void)state;
    struct rating restless = {150000, 3000, 200000};
    assert_int_equal(deviation_after_idle(restless, 100), 34873);
    assert_int_equal(deviation_after_idle(restless, 101), RATING_DEVIATION_MAX_CENTI);
    assert_int_equal(deviation_after_idle(settled, UINT32_MAX), RATING_DEVIATION_MAX_CENTI);
}

/* --- Bounds. --- */

static void expect_valid(int32_t rating_centi, int32_t deviation_centi, int32_t volatility_micro)
{
    struct rating rating = {rating_centi, deviation_centi, volatility_micro};
    assert_true(rating_is_valid(&rating));
}

static void expect_invalid(int32_t rating_centi, int32_t deviation_centi, int32_t volatility_micro)
{
    struct rating rating = {rating_centi, deviation_centi, volatility_micro};
    assert_false(rating_is_valid(&rating));
}

static void a_rating_is_valid_within_its_bounds_only(void **state)
{
    (void)state;
    expect_valid(10000, 3000, 10000);
    expect_valid(400000, 35000, 200000);
    expect_invalid(9999, 3000, 10000);
    expect_invalid(10000, 2999, 10000);
    expect_invalid(10000, 3000, 9999);
    expect_invalid(400001, 35000, 200000);
    expect_invalid(400000, 35001, 200000);
    expect_invalid(400000, 35000, 200001);
}

static void ratings_are_equal_when_all_of_them_is(void **state)
{
    (void)state;
    struct rating rating = {150000, 5000, 60000};
    assert_true(rating_equal(&rating, &(struct rating){150000, 5000, 60000}));
    assert_false(rating_equal(&rating, &(struct rating){150001, 5000, 60000}));
    assert_false(rating_equal(&rating, &(struct rating){150000, 5001, 60000}));
    assert_false(rating_equal(&rating, &(struct rating){150000, 5000, 60001}));
}

static void what_is_no_rating_is_not_calculated_with(void **state)
{
    (void)state;
    struct rating none = {0};
    expect_assert_failure((void)rating_after_idle(&none, 1));
    expect_assert_failure((void)rating_after_match(&none, &average, RATING_WIN, TAU_MILLI));
    expect_assert_failure((void)rating_after_match(&average, &none, RATING_WIN, TAU_MILLI));
}

static void a_tau_beyond_its_bounds_is_not_calculated_with(void **state)
{
    (void)state;
    expect_assert_failure((void)rating_after_match(&average, &average, RATING_WIN, 299));
    expect_assert_failure((void)rating_after_match(&average, &average, RATING_WIN, 1201));
}

static void a_score_that_is_none_is_not_calculated_with(void **state)
{
    (void)state;
    enum rating_score none = (enum rating_score)(RATING_WIN + 1);
    expect_assert_failure((void)rating_after_match(&average, &average, none, TAU_MILLI));
}

static void a_period_has_a_game(void **state)
{
    (void)state;
    const struct rating_game game = {average, RATING_WIN};
    expect_assert_failure((void)rating_after_games(&average, &game, 0, TAU_MILLI));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_paper_comes_out),
        cmocka_unit_test(a_match_is_a_period_with_one_game),
        cmocka_unit_test(a_new_rating_is_1500_with_the_greatest_deviation),
        cmocka_unit_test(known_answers_come_out),
        cmocka_unit_test(a_winner_never_falls_and_a_loser_never_rises),
        cmocka_unit_test(mirrored_games_have_mirrored_results),
        cmocka_unit_test(between_equals_one_gains_what_the_other_loses),
        cmocka_unit_test(a_draw_between_equals_moves_nobody),
        cmocka_unit_test(beating_the_stronger_gains_more),
        cmocka_unit_test(beating_the_uncertain_gains_less),
        cmocka_unit_test(a_game_makes_an_uncertain_rating_more_certain),
        cmocka_unit_test(the_ends_of_the_scale_are_not_left),
        cmocka_unit_test(many_impossible_games_are_survived),
        cmocka_unit_test(idle_days_add_the_volatility_to_the_deviation),
        cmocka_unit_test(idle_days_change_nothing_else),
        cmocka_unit_test(no_idle_day_changes_nothing),
        cmocka_unit_test(the_deviation_never_grows_beyond_its_most),
        cmocka_unit_test(a_rating_is_valid_within_its_bounds_only),
        cmocka_unit_test(ratings_are_equal_when_all_of_them_is),
        cmocka_unit_test(what_is_no_rating_is_not_calculated_with),
        cmocka_unit_test(a_tau_beyond_its_bounds_is_not_calculated_with),
        cmocka_unit_test(a_score_that_is_none_is_not_calculated_with),
        cmocka_unit_test(a_period_has_a_game),
    };
    return cmocka_run_group_tests_name("core/rating", tests, NULL, NULL);
}
