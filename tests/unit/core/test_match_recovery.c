/* What a match begins with, and what becomes of it when the server was gone. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/match_origin.h"
#include "match_fixture.h"

enum { GONE_MS = 5000 };

static struct match_origin an_origin(void)
{
    struct game game = game_starting();
    struct match_origin origin;
    match_origin_of(&game.match, &origin);
    return origin;
}

static const struct bank *its_bank(void)
{
    return game_starting().match.bank;
}

static void expect_broken(const struct match_origin *origin, const char *what)
{
    assert_string_equal(match_origin_find_broken(origin, its_bank()), what);
}

/* --- The origin. --- */

static void an_origin_brings_back_the_match_as_it_began(void **state)
{
    (void)state;
    struct game begun = game_starting();
    struct match_origin origin;
    match_origin_of(&begun.match, &origin);
    struct game restored = {.now = begun.now};
    match_restore(&restored.match, &origin, begun.match.bank, &restored.effects);
    expect_effects(&restored, "match, arm_phase");
    assert_memory_equal(&restored.match, &begun.match, sizeof(begun.match));
}

static void what_bots_do_is_in_the_origin(void **state)
{
    (void)state;
    struct match_setup setup = house_setup();
    struct game begun = game_set_up(&setup);
    struct match_origin origin;
    match_origin_of(&begun.match, &origin);
    struct game restored = {.now = begun.now};
    match_restore(&restored.match, &origin, begun.match.bank, &restored.effects);
    phase_timer(&begun);
    phase_timer(&restored);
    assert_int_equal(effect_of(&restored, EFFECT_ARM_BOT)->at.ms,
                     effect_of(&begun, EFFECT_ARM_BOT)->at.ms);
    assert_int_equal(effect_of(&restored, EFFECT_ARM_BOT)->tag,
                     effect_of(&begun, EFFECT_ARM_BOT)->tag);
}

static void only_what_has_just_begun_has_an_origin(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    struct match_origin origin;
    expect_assert_failure(match_origin_of(&game.match, &origin));
}

static void an_origin_is_whole(void **state)
{
    (void)state;
    struct match_origin origin = an_origin();
    assert_null(match_origin_find_broken(&origin, its_bank()));
}

static void an_origin_with_more_rounds_than_there_can_be_is_broken(void **state)
{
    (void)state;
    struct match_origin origin = an_origin();
    origin.settings.rounds = MATCH_ROUNDS_MAX + 1;
    expect_broken(&origin, "its settings are out of bounds");
}

static void an_origin_of_an_unknown_mode_is_broken(void **state)
{
    (void)state;
    struct match_origin origin = an_origin();
    origin.settings.mode = MATCH_MODE_COUNT;
    expect_broken(&origin, "its settings are out of bounds");
}

static void an_origin_with_an_impossible_rating_is_broken(void **state)
{
    (void)state;
    struct match_origin origin = an_origin();
    origin.players[BEN].rating.rating_centi = RATING_MAX_CENTI + 1;
    expect_broken(&origin, "its players cannot be");
}

static void a_name_that_does_not_end_is_broken(void **state)
{
    (void)state;
    struct match_origin origin = an_origin();
    memset(origin.players[ADA].name, 'a', sizeof(origin.players[ADA].name));
    expect_broken(&origin, "its players cannot be");
}

static void a_rated_match_with_a_bot_is_broken(void **state)
{
    (void)state;
    struct match_origin origin = an_origin();
    origin.players[BEN].is_bot = true;
    expect_broken(&origin, "its players cannot be");
}

static void a_question_that_the_bank_does_not_have_is_broken(void **state)
{
    (void)state;
    struct match_origin origin = an_origin();
    origin.rounds[0].question = UINT16_MAX;
    expect_broken(&origin, "its rounds do not fit their questions");
}

static void a_place_that_is_shown_twice_is_broken(void **state)
{
    (void)state;
    struct match_origin origin = an_origin();
    origin.rounds[1].places[0] = origin.rounds[1].places[1];
    expect_broken(&origin, "its rounds do not fit their questions");
}

static void another_count_of_choices_than_the_questions_is_broken(void **state)
{
    (void)state;
    struct match_origin origin = an_origin();
    origin.rounds[2].choice_count--;
    expect_broken(&origin, "its rounds do not fit their questions");
}

/* --- The server was gone. --- */

static void who_was_there_is_away_and_has_the_grace_from_now(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    server_is_back(&game, GONE_MS);
    expect_effects(&game, "away ADA, away BEN, arm_grace, arm_grace");
    assert_int_equal(effect_of(&game, EFFECT_ARM_GRACE)->at.ms, game.now.ms + GRACE_MS);
    expect_state(&game, MATCH_ASKING);
}

static void who_was_away_has_the_grace_anew_and_is_not_told_of_again(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    is_lost(&game, BEN);
    server_is_back(&game, GONE_MS);
    expect_effects(&game, "away ADA, arm_grace, arm_grace");
}

static void without_a_grace_nobody_is_left_and_the_match_is_cancelled(void **state)
{
    (void)state;
    struct match_settings settings = game_settings();
    settings.grace_ms = 0;
    struct game game = game_of(settings);
    server_is_back(&game, GONE_MS);
    expect_end(&game, MATCH_END_CANCELLED, MATCH_WINNER_NONE);
}

static void a_bot_stays_there(void **state)
{
    (void)state;
    struct match_setup setup = house_setup();
    struct game game = game_set_up(&setup);
    server_is_back(&game, GONE_MS);
    expect_effects(&game, "away ADA, arm_grace");
    expect_presence(&game, BEN, PRESENCE_HERE);
}

static void a_result_on_its_way_to_the_store_is_saved_again(void **state)
{
    (void)state;
    struct game game = game_settling();
    server_is_back(&game, GONE_MS);
    expect_effects(&game, "away ADA, away BEN, save, arm_phase");
    is_saved(&game);
    expect_end(&game, MATCH_END_FINISHED, ADA);
}

static void an_answer_after_it_counts_by_the_clock_that_stood_still(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    server_is_back(&game, GONE_MS);
    is_back(&game, ADA);
    answer_at(&game, ADA, right_choice(&game), ROUND_TIME_MS);
    assert_int_equal(effect_of(&game, EFFECT_RECEIPT)->choice, right_choice(&game));
}

static void what_was_shown_before_keeps_its_wall_time(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    mono_time began_at = match_began_at(&game.match, &game.match.rounds[0]);
    wall_time shown = match_wall(&game.match, began_at);
    server_is_back(&game, GONE_MS);
    assert_int_equal(match_wall(&game.match, began_at).ms, shown.ms);
}

static void what_is_shown_from_then_on_has_the_wall_time_of_now(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    mono_time before = game.now;
    wall_time shown = match_wall(&game.match, before);
    server_is_back(&game, GONE_MS);
    assert_int_equal(match_wall(&game.match, game.now).ms - shown.ms,
                     (int64_t)(game.now.ms - before.ms) + GONE_MS);
}

static void one_crash_more_than_a_match_survives_cancels_it(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    for (unsigned i = 0; i < MATCH_RECOVERIES_MAX; i++) server_is_back(&game, GONE_MS);
    expect_state(&game, MATCH_ASKING);
    server_is_back(&game, GONE_MS);
    expect_end(&game, MATCH_END_CANCELLED, MATCH_WINNER_NONE);
}

static void however_often_a_result_is_not_lost(void **state)
{
    (void)state;
    struct game game = game_settling();
    for (unsigned i = 0; i <= MATCH_RECOVERIES_MAX; i++) server_is_back(&game, GONE_MS);
    expect_state(&game, MATCH_SETTLING);
    is_saved(&game);
    expect_end(&game, MATCH_END_FINISHED, ADA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_origin_brings_back_the_match_as_it_began),
        cmocka_unit_test(what_bots_do_is_in_the_origin),
        cmocka_unit_test(only_what_has_just_begun_has_an_origin),
        cmocka_unit_test(an_origin_is_whole),
        cmocka_unit_test(an_origin_with_more_rounds_than_there_can_be_is_broken),
        cmocka_unit_test(an_origin_of_an_unknown_mode_is_broken),
        cmocka_unit_test(an_origin_with_an_impossible_rating_is_broken),
        cmocka_unit_test(a_name_that_does_not_end_is_broken),
        cmocka_unit_test(a_rated_match_with_a_bot_is_broken),
        cmocka_unit_test(a_question_that_the_bank_does_not_have_is_broken),
        cmocka_unit_test(a_place_that_is_shown_twice_is_broken),
        cmocka_unit_test(another_count_of_choices_than_the_questions_is_broken),
        cmocka_unit_test(who_was_there_is_away_and_has_the_grace_from_now),
        cmocka_unit_test(who_was_away_has_the_grace_anew_and_is_not_told_of_again),
        cmocka_unit_test(without_a_grace_nobody_is_left_and_the_match_is_cancelled),
        cmocka_unit_test(a_bot_stays_there),
        cmocka_unit_test(a_result_on_its_way_to_the_store_is_saved_again),
        cmocka_unit_test(an_answer_after_it_counts_by_the_clock_that_stood_still),
        cmocka_unit_test(what_was_shown_before_keeps_its_wall_time),
        cmocka_unit_test(what_is_shown_from_then_on_has_the_wall_time_of_now),
        cmocka_unit_test(one_crash_more_than_a_match_survives_cancels_it),
        cmocka_unit_test(however_often_a_result_is_not_lost),
    };
    return cmocka_run_group_tests_name("match_recovery", tests, NULL, NULL);
}
