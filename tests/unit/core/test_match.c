/* A match's birth, its table of states, its log and its questions about time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/emote.h"
#include "match_fixture.h"

/* --- Birth. --- */

static void a_match_announces_itself_and_arms_its_start(void **state)
{
    (void)state;
    struct game game = game_starting();
    expect_effects(&game, "match, arm_phase");
    expect_state(&game, MATCH_STARTING);
    assert_int_equal(effect_of(&game, EFFECT_ANNOUNCE)->seq, 1);
    assert_int_equal(effect_of(&game, EFFECT_ARM_PHASE)->at.ms, CREATED_AT_MS + START_MS);
    assert_int_equal(effect_of(&game, EFFECT_ARM_PHASE)->tag, game.match.phase);
    assert_int_equal(game.match.phase_at.ms, CREATED_AT_MS + START_MS);
}

static void a_match_knows_its_players(void **state)
{
    (void)state;
    struct game game = game_starting();
    assert_int_equal(game.match.player_count, 2);
    assert_string_equal(game.match.players[BEN].name, "Ben");
    assert_int_equal(game.match.players[BEN].rating.rating_centi, 160000);
    assert_int_equal(game.match.players[BEN].credit_ms, BEN_CREDIT_MS);
    expect_presence(&game, ADA, PRESENCE_HERE);
    expect_presence(&game, BEN, PRESENCE_HERE);
}

static void a_match_has_no_winner_and_no_answers_at_first(void **state)
{
    (void)state;
    struct game game = game_starting();
    expect_end(&game, MATCH_END_NONE, MATCH_WINNER_NONE);
    assert_int_equal(game.match.round, 0);
    assert_int_equal(game.match.rounds[0].answers[ADA].choice, MATCH_CHOICE_NONE);
    assert_int_equal(game.match.rounds[ROUNDS - 1].answers[BEN].choice, MATCH_CHOICE_NONE);
}

static void the_same_seed_asks_the_same_questions_in_the_same_places(void **state)
{
    (void)state;
    struct game one = game_starting();
    struct game other = game_starting();
    assert_memory_equal(one.match.rounds, other.match.rounds, sizeof(one.match.rounds));
}

static void another_seed_asks_others(void **state)
{
    (void)state;
    struct game one = game_starting();
    struct match_setup setup = game_setup();
    setup.seed.words[1]++;
    struct game other = {.now = setup.now};
    match_init(&other.match, &setup, &other.effects);
    assert_memory_not_equal(one.match.rounds, other.match.rounds, sizeof(one.match.rounds));
}

static void a_match_of_another_category_asks_its_questions(void **state)
{
    (void)state;
    struct match_setup setup = game_setup();
    setup.category = 0;
    struct game game = {.now = setup.now};
    match_init(&game.match, &setup, &game.effects);
    assert_int_equal(game.match.rounds[0].choice_count, CHOICES);
}

static void try_to_init(struct match_setup setup)
{
    struct game game = {.now = setup.now};
    match_init(&game.match, &setup, &game.effects);
}

static void a_match_needs_two_players(void **state)
{
    (void)state;
    struct match_setup setup = game_setup();
    setup.player_count = 1;
    expect_assert_failure(try_to_init(setup));
}

static void a_match_needs_a_mode_that_exists(void **state)
{
    (void)state;
    struct match_setup setup = game_setup();
    setup.settings.mode = MATCH_MODE_COUNT;
    expect_assert_failure(try_to_init(setup));
}

static void a_match_needs_a_round(void **state)
{
    (void)state;
    struct match_setup setup = game_setup();
    setup.settings.rounds = 0;
    expect_assert_failure(try_to_init(setup));
}

static void a_match_has_no_more_rounds_than_fit(void **state)
{
    (void)state;
    struct match_setup setup = game_setup();
    setup.settings.rounds = MATCH_ROUNDS_MAX + 1;
    expect_assert_failure(try_to_init(setup));
}

static void a_match_needs_a_round_time_that_can_be_scored(void **state)
{
    (void)state;
    struct match_setup setup = game_setup();
    setup.settings.round_time_ms = 599;
    expect_assert_failure(try_to_init(setup));
    setup.settings.round_time_ms = UINT32_MAX - UINT16_MAX + 1u;
    expect_assert_failure(try_to_init(setup));
}

static void effects_are_taken_before_the_next_step(void **state)
{
    (void)state;
    struct match_setup setup = game_setup();
    struct game game = game_starting();
    struct match_event event = {.kind = MATCH_EVENT_EMOTE, .at = game.now};
    expect_assert_failure(match_init(&game.match, &setup, &game.effects));
    expect_assert_failure(match_step(&game.match, &event, &game.effects));
}

static void an_event_names_a_player_of_the_match(void **state)
{
    (void)state;
    struct game game = game_starting();
    expect_assert_failure(is_lost(&game, MATCH_PLAYERS_MAX));
}

static void an_emote_is_one_of_those_that_exist(void **state)
{
    (void)state;
    struct game game = game_starting();
    struct match_event event = {.kind = MATCH_EVENT_EMOTE, .emote = {.code = EMOTE_COUNT}};
    expect_assert_failure(game_step(&game, event));
}

/* --- The table. --- */

static void a_match_moves_only_along_its_diagram(void **state)
{
    (void)state;
    static const char expected[MATCH_STATE_COUNT][MATCH_STATE_COUNT + 1] = {
        [MATCH_STARTING] = "-A-S-", [MATCH_ASKING] = "--RS-", [MATCH_REVEALING] = "-A-S-",
        [MATCH_SETTLING] = "----E", [MATCH_ENDED] = "-----",
    };
    for (unsigned from = 0; from < MATCH_STATE_COUNT; from++) {
        for (unsigned to = 0; to < MATCH_STATE_COUNT; to++) {
            bool may = match_may_move((enum match_state)from, (enum match_state)to);
            assert_int_equal(may, expected[from][to] != '-');
        }
    }
}

static void there_are_no_other_states(void **state)
{
    (void)state;
    enum match_state none = (enum match_state)MATCH_STATE_COUNT;
    expect_assert_failure((void)match_may_move(none, MATCH_ENDED));
    expect_assert_failure((void)match_may_move(MATCH_STARTING, none));
    expect_assert_failure((void)match_state_name(none));
}

static void names_are_those_of_the_wire_and_the_log(void **state)
{
    (void)state;
    assert_string_equal(match_mode_name(MATCH_MODE_DUEL), "duel");
    assert_string_equal(match_mode_name(MATCH_MODE_HOUSE), "house");
    assert_string_equal(match_state_name(MATCH_REVEALING), "revealing");
    assert_string_equal(match_event_name(MATCH_EVENT_SAVE_FAILED), "save_failed");
    assert_string_equal(match_end_reason_name(MATCH_END_FORFEIT), "forfeit");
}

static void what_does_not_exist_has_no_name(void **state)
{
    (void)state;
    enum match_end_reason no_reason = (enum match_end_reason)(MATCH_END_SHUTDOWN + 1);
    expect_assert_failure((void)match_mode_name((enum match_mode)MATCH_MODE_COUNT));
    expect_assert_failure((void)match_event_name((enum match_event_kind)MATCH_EVENT_COUNT));
    expect_assert_failure((void)match_end_reason_name(no_reason));
}

/* --- The log. --- */

static void expect_logged(const struct game *game, uint16_t seq, enum match_log_kind kind,
                          uint8_t player, uint8_t round)
{
    struct match_log_entry entry = match_log_at(&game->match, seq);
    assert_int_equal(entry.kind, kind);
    assert_int_equal(entry.player, player);
    assert_int_equal(entry.round, round);
}

static void the_log_tells_again_what_was_told(void **state)
{
    (void)state;
    struct game game = game_starting();
    is_lost(&game, BEN);
    phase_timer(&game);
    is_back(&game, BEN);
    both_answer(&game);
    phase_timer(&game);
    leaves(&game, BEN);
    is_saved(&game);
    assert_int_equal(game.match.seq, 8);
    expect_logged(&game, 1, MATCH_LOG_MATCH, 0, 0);
    expect_logged(&game, 2, MATCH_LOG_AWAY, BEN, 0);
    expect_logged(&game, 3, MATCH_LOG_ROUND, 0, 1);
    expect_logged(&game, 4, MATCH_LOG_BACK, BEN, 0);
    expect_logged(&game, 5, MATCH_LOG_REVEAL, 0, 1);
    expect_logged(&game, 6, MATCH_LOG_ROUND, 0, 2);
    expect_logged(&game, 7, MATCH_LOG_GONE, BEN, 0);
    expect_logged(&game, 8, MATCH_LOG_END, 0, 0);
}

static void the_log_holds_nothing_that_was_not_told(void **state)
{
    (void)state;
    struct game game = game_starting();
    expect_assert_failure((void)match_log_at(&game.match, 0));
    expect_assert_failure((void)match_log_at(&game.match, 2));
    game.match.seq = UINT16_MAX;
    expect_assert_failure((void)match_log_at(&game.match, MATCH_LOG_MAX + 1));
}

/* --- Questions. --- */

static void the_right_place_is_where_the_first_choice_of_the_bank_is_shown(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    uint8_t place = match_right_place(&game.match, 1);
    assert_true(place < CHOICES);
    assert_int_equal(current_round(&game)->places[place], 0);
}

static void the_right_place_is_found_among_the_choices_only(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    memset(current_round(&game)->places, 1, CHOICES);
    assert_int_equal(match_right_place(&game.match, 1), CHOICES);
}

static void only_rounds_of_the_match_have_a_right_place(void **state)
{
    (void)state;
    struct game game = game_starting();
    expect_assert_failure((void)match_right_place(&game.match, 0));
    expect_assert_failure((void)match_right_place(&game.match, ROUNDS + 1));
}

static void shown_times_are_fixed_to_the_wall_clock_at_creation(void **state)
{
    (void)state;
    struct game game = game_starting();
    assert_int_equal(match_wall(&game.match, (mono_time){CREATED_AT_MS}).ms, WALL_AT_CREATION_MS);
    assert_int_equal(match_wall(&game.match, game.match.phase_at).ms,
                     WALL_AT_CREATION_MS + START_MS);
}

static void a_wall_clock_before_1970_is_no_trouble(void **state)
{
    (void)state;
    struct match_setup setup = game_setup();
    setup.wall_now.ms = -1;
    struct game game = {.now = setup.now};
    match_init(&game.match, &setup, &game.effects);
    assert_int_equal(match_wall(&game.match, (mono_time){CREATED_AT_MS + 2}).ms, 1);
}

static uint32_t left_after(const struct game *game, uint32_t ms)
{
    return match_left_ms(&game->match, mono_after(game->now, ms));
}

static void what_is_left_before_the_first_round_ends_at_the_start(void **state)
{
    (void)state;
    struct game game = game_starting();
    assert_int_equal(left_after(&game, 0), START_MS);
    assert_int_equal(left_after(&game, 1000), START_MS - 1000);
}

static void what_is_left_of_a_round_ends_at_its_deadline_without_slack(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    assert_int_equal(left_after(&game, 1), ROUND_TIME_MS - 1);
    assert_int_equal(left_after(&game, ROUND_TIME_MS), 0);
    assert_int_equal(left_after(&game, ROUND_TIME_MS + 1), 0);
}

static void what_is_left_after_a_reveal_ends_at_the_next_round(void **state)
{
    (void)state;
    struct game game = game_revealing(1);
    assert_int_equal(left_after(&game, 500), REVEAL_TIME_MS - 500);
}

static void nothing_is_left_once_the_last_round_is_over(void **state)
{
    (void)state;
    struct game game = game_settling();
    assert_int_equal(left_after(&game, 0), 0);
    is_saved(&game);
    assert_int_equal(left_after(&game, 0), 0);
}

static void the_outcome_is_open_until_the_match_settles(void **state)
{
    (void)state;
    struct game game = game_revealing(1);
    assert_false(match_is_settling(&game.match));
    game = game_settling();
    assert_true(match_is_settling(&game.match));
    is_saved(&game);
    assert_true(match_is_settling(&game.match));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_match_announces_itself_and_arms_its_start),
        cmocka_unit_test(a_match_knows_its_players),
        cmocka_unit_test(a_match_has_no_winner_and_no_answers_at_first),
        cmocka_unit_test(the_same_seed_asks_the_same_questions_in_the_same_places),
        cmocka_unit_test(another_seed_asks_others),
        cmocka_unit_test(a_match_of_another_category_asks_its_questions),
        cmocka_unit_test(a_match_needs_two_players),
        cmocka_unit_test(a_match_needs_a_mode_that_exists),
        cmocka_unit_test(a_match_needs_a_round),
        cmocka_unit_test(a_match_has_no_more_rounds_than_fit),
        cmocka_unit_test(a_match_needs_a_round_time_that_can_be_scored),
        cmocka_unit_test(effects_are_taken_before_the_next_step),
        cmocka_unit_test(an_event_names_a_player_of_the_match),
        cmocka_unit_test(an_emote_is_one_of_those_that_exist),
        cmocka_unit_test(a_match_moves_only_along_its_diagram),
        cmocka_unit_test(there_are_no_other_states),
        cmocka_unit_test(names_are_those_of_the_wire_and_the_log),
        cmocka_unit_test(what_does_not_exist_has_no_name),
        cmocka_unit_test(the_log_tells_again_what_was_told),
        cmocka_unit_test(the_log_holds_nothing_that_was_not_told),
        cmocka_unit_test(the_right_place_is_where_the_first_choice_of_the_bank_is_shown),
        cmocka_unit_test(the_right_place_is_found_among_the_choices_only),
        cmocka_unit_test(only_rounds_of_the_match_have_a_right_place),
        cmocka_unit_test(shown_times_are_fixed_to_the_wall_clock_at_creation),
        cmocka_unit_test(a_wall_clock_before_1970_is_no_trouble),
        cmocka_unit_test(what_is_left_before_the_first_round_ends_at_the_start),
        cmocka_unit_test(what_is_left_of_a_round_ends_at_its_deadline_without_slack),
        cmocka_unit_test(what_is_left_after_a_reveal_ends_at_the_next_round),
        cmocka_unit_test(nothing_is_left_once_the_last_round_is_over),
        cmocka_unit_test(the_outcome_is_open_until_the_match_settles),
    };
    return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
