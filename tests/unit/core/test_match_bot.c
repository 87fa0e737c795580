/* The house's bot: the tables it draws from, and how it plays. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <math.h>

#include <cmocka.h>

#include "match_bot_priv.h"
#include "match_fixture.h"

/* --- The tables, recomputed. --- */

static void the_table_of_chances_is_logistic(void **state)
{
    (void)state;
    for (int i = 0; i < BOT_CHANCE_COUNT; i++) {
        assert_int_equal(bot_chances[i], lround(65536 / (1 + pow(10, -50 * i / 400.0))));
    }
}

static void the_table_of_times_is_exponential(void **state)
{
    (void)state;
    for (int i = 0; i < BOT_FACTOR_COUNT; i++) {
        assert_int_equal(bot_factors[i], lround(65536 * exp(0.45 * (i / 8.0 - 4))));
    }
}

/* --- The chance. --- */

static double logistic(int32_t distance_centi)
{
    return 1 / (1 + pow(10, -distance_centi / 100.0 / 400));
}

static void the_chance_is_logistic_in_the_distance_between_the_ratings(void **state)
{
    (void)state;
    for (int32_t centi = RATING_MIN_CENTI; centi <= 310000; centi += 37) {
        double chance = bot_chance(centi, DIFFICULTY_MEDIUM) / 65536.0;
        assert_true(fabs(chance - logistic(centi - 150000)) < 0.0011);
    }
}

static void a_question_is_worth_what_it_is_hard(void **state)
{
    (void)state;
    assert_int_equal(bot_chance(120000, DIFFICULTY_EASY), BOT_ONE / 2);
    assert_int_equal(bot_chance(150000, DIFFICULTY_MEDIUM), BOT_ONE / 2);
    assert_int_equal(bot_chance(180000, DIFFICULTY_HARD), BOT_ONE / 2);
}

static void the_chance_lies_between_two_entries_in_proportion(void **state)
{
    (void)state;
    uint32_t between = bot_chances[3] + (bot_chances[4] - bot_chances[3]) / 2;
    assert_int_equal(bot_chance(150000 + 15000, DIFFICULTY_MEDIUM), bot_chances[3]);
    assert_int_equal(bot_chance(150000 + 17500, DIFFICULTY_MEDIUM), between);
    assert_int_equal(bot_chance(150000 - 17500, DIFFICULTY_MEDIUM), BOT_ONE - between);
}

static void beyond_the_table_the_chance_is_that_of_its_end(void **state)
{
    (void)state;
    uint32_t end = bot_chances[BOT_CHANCE_COUNT - 1];
    assert_int_equal(bot_chance(120000 + 160000, DIFFICULTY_EASY), end);
    assert_int_equal(bot_chance(RATING_MAX_CENTI, DIFFICULTY_EASY), end);
    assert_int_equal(bot_chance(RATING_MIN_CENTI, DIFFICULTY_HARD), BOT_ONE - end);
    assert_true(bot_chance(120000 + 159999, DIFFICULTY_EASY) < end);
}

/* --- The time. --- */

static void the_median_time_is_that_of_the_deviate_nought(void **state)
{
    (void)state;
    assert_int_equal(bot_answer_time(0, 10000), 3200);
    assert_int_equal(bot_answer_time(0, 5000), 1600);
    assert_int_equal(bot_answer_time(0, 20000), 6400);
}

static void the_time_is_log_normal(void **state)
{
    (void)state;
    for (int32_t deviate = -3 * BOT_ONE; deviate <= 4 * BOT_ONE; deviate += 1237) {
        double exact = 3200 * exp(0.45 * deviate / BOT_ONE);
        assert_true(fabs((double)bot_answer_time(deviate, 10000) - exact) < 1 + exact * 0.001);
    }
}

static void the_time_is_no_shorter_than_a_person_reads(void **state)
{
    (void)state;
    assert_int_equal(bot_answer_time(-4 * BOT_ONE, 10000), 700);
    assert_int_equal(bot_answer_time(-4 * BOT_ONE, 600), 42);
}

static void beyond_the_table_the_time_is_that_of_its_end(void **state)
{
    (void)state;
    uint64_t most = bot_answer_time(4 * BOT_ONE, 10000);
    assert_int_equal(most, 3200u * (uint64_t)bot_factors[BOT_FACTOR_COUNT - 1] / BOT_ONE);
    assert_int_equal(bot_answer_time(6 * BOT_ONE, 10000), most);
    assert_true(bot_answer_time(4 * BOT_ONE - 4096, 10000) < most);
    assert_int_equal(bot_answer_time(-6 * BOT_ONE, 10000), 700);
}

static void the_longest_round_is_no_trouble(void **state)
{
    (void)state;
    uint64_t expected = 3200ull * UINT32_MAX / 10000;
    assert_true(bot_answer_time(0, UINT32_MAX) == expected);
}

/* --- What is drawn. --- */

enum { DRAWS = 100000 };

static struct prng seeded(void)
{
    struct prng prng;
    prng_init(&prng, &(struct siphash_key){{0xb07, 0x5eed}});
    return prng;
}

static void deviates_are_standard_normal(void **state)
{
    (void)state;
    struct prng prng = seeded();
    double sum = 0;
    double squares = 0;
    unsigned within_one = 0;
    unsigned beyond_two = 0;
    for (int i = 0; i < DRAWS; i++) {
        double z = (double)bot_draw_deviate(&prng) / BOT_ONE;
        sum += z;
        squares += z * z;
        within_one += fabs(z) < 1;
        beyond_two += fabs(z) > 2;
    }
    assert_true(fabs(sum / DRAWS) < 0.015);
    assert_true(fabs(squares / DRAWS - 1) < 0.02);
    assert_true(abs((int)within_one - 68270) < 800);
    assert_true(abs((int)beyond_two - 4550) < 400);
}

static void drawn_as_often_as(unsigned counts[CHOICES], uint32_t chance, uint8_t right)
{
    struct prng prng = seeded();
    for (int i = 0; i < DRAWS; i++) counts[bot_draw_choice(&prng, chance, right, CHOICES)]++;
}

static void the_right_choice_is_drawn_with_its_chance_and_the_others_alike(void **state)
{
    (void)state;
    for (uint8_t right = 0; right < CHOICES; right++) {
        unsigned counts[CHOICES] = {0};
        drawn_as_often_as(counts, BOT_ONE * 7 / 10, right);
        for (uint8_t choice = 0; choice < CHOICES; choice++) {
            assert_true(abs((int)counts[choice] - (choice == right ? 70000 : 10000)) < 800);
        }
    }
}

static void of_two_choices_the_wrong_one_is_the_other(void **state)
{
    (void)state;
    struct prng prng = seeded();
    assert_int_equal(bot_draw_choice(&prng, 0, 0, 2), 1);
    assert_int_equal(bot_draw_choice(&prng, 0, 1, 2), 0);
    assert_int_equal(bot_draw_choice(&prng, BOT_ONE, 1, 2), 1);
}

/* --- The play. --- */

static struct game house_starting(void)
{
    struct match_setup setup = house_setup();
    return game_set_up(&setup);
}

static struct game house_asking(void)
{
    struct game game = house_starting();
    phase_timer(&game);
    return game;
}

static struct match_event bot_answer(const struct game *game)
{
    const struct effect *arm = effect_of(game, EFFECT_ARM_BOT);
    return match_bot_answer(arm->player, arm->tag, arm->at);
}

static void bot_answers(struct game *game, struct match_event event)
{
    game->now = event.answer.stamp;
    game_step(game, event);
}

static void a_round_arms_the_bot_within_its_time(void **state)
{
    (void)state;
    struct game game = house_asking();
    expect_effects(&game, "round, arm_phase, arm_bot");
    const struct effect *arm = effect_of(&game, EFFECT_ARM_BOT);
    assert_int_equal(arm->player, BEN);
    assert_int_equal(arm->tag >> 8, 1);
    assert_true((arm->tag & 0xff) < CHOICES);
    assert_true(arm->at.ms >= began_at(&game).ms + 700);
    assert_true(arm->at.ms <= began_at(&game).ms + ROUND_TIME_MS);
}

static void a_duel_arms_no_bot(void **state)
{
    (void)state;
    struct game game = game_starting();
    phase_timer(&game);
    expect_effects(&game, "round, arm_phase");
}

static void every_bot_is_armed(void **state)
{
    (void)state;
    struct match_setup setup = house_setup();
    setup.entrants[ADA] = setup.entrants[BEN];
    struct game game = game_set_up(&setup);
    phase_timer(&game);
    expect_effects(&game, "round, arm_phase, arm_bot, arm_bot");
    assert_int_equal(game.effects.items[2].player, ADA);
    assert_int_equal(game.effects.items[3].player, BEN);
}

static void a_timer_stands_for_an_answer_without_an_id(void **state)
{
    (void)state;
    struct match_event event = match_bot_answer(BEN, 0x1403, (mono_time){77});
    assert_int_equal(event.kind, MATCH_EVENT_ANSWER);
    assert_int_equal(event.player, BEN);
    assert_int_equal(event.request_id, 0);
    assert_int_equal(event.answer.round, 20);
    assert_int_equal(event.answer.choice, 3);
    assert_int_equal(event.answer.stamp.ms, 77);
    assert_int_equal(event.at.ms, 77);
}

static void a_bots_answer_is_told_as_anyones_but_has_no_receipt(void **state)
{
    (void)state;
    struct game game = house_asking();
    struct match_event event = bot_answer(&game);
    bot_answers(&game, event);
    expect_effects(&game, "answered");
    assert_int_equal(effect_of(&game, EFFECT_ANSWERED)->player, BEN);
    const struct match_answer *kept = &current_round(&game)->answers[BEN];
    assert_int_equal(kept->choice, event.answer.choice);
    assert_int_equal(match_answer_time(current_round(&game), BEN),
                     event.answer.stamp.ms - began_at(&game).ms);
    assert_int_equal(current_round(&game)->credits_ms[BEN], 0);
}

static void a_bots_answer_ends_the_round_when_it_is_the_last(void **state)
{
    (void)state;
    struct game game = house_asking();
    struct match_event event = bot_answer(&game);
    answer_at(&game, ADA, right_choice(&game), 600);
    bot_answers(&game, event);
    expect_effects(&game, "answered, reveal, arm_phase");
}

static void a_bots_answer_that_comes_again_changes_nothing(void **state)
{
    (void)state;
    struct game game = house_asking();
    struct match_event event = bot_answer(&game);
    bot_answers(&game, event);
    struct game before = game;
    bot_answers(&game, event);
    expect_nothing(&game);
    assert_memory_equal(&game.match, &before.match, sizeof(game.match));
}

static void a_bots_answer_of_a_round_that_is_over_changes_nothing(void **state)
{
    (void)state;
    struct game game = house_asking();
    struct match_event event = bot_answer(&game);
    phase_timer(&game);
    struct game before = game;
    bot_answers(&game, event);
    expect_nothing(&game);
    assert_memory_equal(&game.match, &before.match, sizeof(game.match));
}

static void a_time_beyond_the_round_is_no_answer(void **state)
{
    (void)state;
    unsigned unarmed = 0;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        struct match_setup setup = house_setup();
        setup.seed.words[0] = seed;
        struct game game = game_set_up(&setup);
        phase_timer(&game);
        if (game.effects.count < 3) {
            expect_effects(&game, "round, arm_phase");
            unarmed++;
        }
    }
    /* One in 176 log-normal times is beyond a round: 17 of 3000. */
    assert_true(unarmed > 4 && unarmed < 34);
}

static unsigned right_answers_of_a_bot(int32_t rating_centi)
{
    unsigned right = 0;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct match_setup setup = house_setup();
        struct match_entrant ada = *setup.entrants[ADA];
        ada.record.rating.rating_centi = rating_centi;
        setup.entrants[ADA] = &ada;
        setup.seed.words[0] = seed;
        struct game game = game_set_up(&setup);
        phase_timer(&game);
        if (game.effects.count < 3) continue;
        right += bot_answer(&game).answer.choice == right_choice(&game);
    }
    return right;
}

static void a_bot_is_as_good_as_who_plays_against_it(void **state)
{
    (void)state;
    /* The fixture's questions are easy: 1200. */
    assert_in_range(right_answers_of_a_bot(120000), 900, 1080);
    assert_in_range(right_answers_of_a_bot(160000), 1750, 1860);
}

static void the_same_seed_draws_the_same_answers(void **state)
{
    (void)state;
    struct game one = house_asking();
    struct game other = house_asking();
    assert_int_equal(bot_answer(&one).answer.stamp.ms, bot_answer(&other).answer.stamp.ms);
    assert_int_equal(effect_of(&one, EFFECT_ARM_BOT)->tag, effect_of(&other, EFFECT_ARM_BOT)->tag);
}

static void expect_armed(struct game *game, uint64_t after_ms, uint8_t choice)
{
    const struct effect *arm = effect_of(game, EFFECT_ARM_BOT);
    assert_int_equal(arm->at.ms - began_at(game).ms, after_ms);
    assert_int_equal(arm->tag, game->match.round << 8 | choice);
}

/* A match is replayed from its seed and its events: what was drawn once is drawn again. */
static void what_a_seed_draws_never_changes(void **state)
{
    (void)state;
    struct game game = house_asking();
    expect_armed(&game, 6055, 3);
    phase_timer(&game);
    phase_timer(&game);
    expect_armed(&game, 1692, 2);
    phase_timer(&game);
    phase_timer(&game);
    expect_armed(&game, 2178, 3);
}

static void an_answer_at_the_deadline_is_within_the_round(void **state)
{
    (void)state;
    struct match_setup setup = house_setup();
    setup.settings.round_time_ms = 600;
    setup.seed.words[0] = 29535; /* Draws just that. */
    struct game game = game_set_up(&setup);
    phase_timer(&game);
    struct match_event event = bot_answer(&game);
    assert_int_equal(event.answer.stamp.ms, began_at(&game).ms + 600);
    bot_answers(&game, event);
    expect_effects(&game, "answered");
}

static void a_bot_knows_its_name_and_rating_and_is_one(void **state)
{
    (void)state;
    struct game game = house_starting();
    assert_true(game.match.players[BEN].is_bot);
    assert_false(game.match.players[ADA].is_bot);
    assert_string_equal(game.match.players[BEN].name, "House");
    expect_presence(&game, BEN, PRESENCE_HERE);
}

static void a_bot_wins_by_forfeit_when_its_opponent_leaves(void **state)
{
    (void)state;
    struct game game = house_asking();
    leaves(&game, ADA);
    expect_effects(&game, "left, gone ADA, play_over, save, arm_phase");
    expect_end(&game, MATCH_END_FORFEIT, BEN);
}

static void a_bot_that_comes_or_goes_is_a_fault(void **state)
{
    (void)state;
    struct game game = house_asking();
    is_lost(&game, BEN);
    expect_fault(&game, "a bot neither comes nor goes");
    game = house_asking();
    is_back(&game, BEN);
    expect_fault(&game, "a bot neither comes nor goes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_chances_is_logistic),
        cmocka_unit_test(the_table_of_times_is_exponential),
        cmocka_unit_test(the_chance_is_logistic_in_the_distance_between_the_ratings),
        cmocka_unit_test(a_question_is_worth_what_it_is_hard),
        cmocka_unit_test(the_chance_lies_between_two_entries_in_proportion),
        cmocka_unit_test(beyond_the_table_the_chance_is_that_of_its_end),
        cmocka_unit_test(the_median_time_is_that_of_the_deviate_nought),
        cmocka_unit_test(the_time_is_log_normal),
        cmocka_unit_test(the_time_is_no_shorter_than_a_person_reads),
        cmocka_unit_test(beyond_the_table_the_time_is_that_of_its_end),
        cmocka_unit_test(the_longest_round_is_no_trouble),
        cmocka_unit_test(deviates_are_standard_normal),
        cmocka_unit_test(the_right_choice_is_drawn_with_its_chance_and_the_others_alike),
        cmocka_unit_test(of_two_choices_the_wrong_one_is_the_other),
        cmocka_unit_test(a_round_arms_the_bot_within_its_time),
        cmocka_unit_test(a_duel_arms_no_bot),
        cmocka_unit_test(every_bot_is_armed),
        cmocka_unit_test(a_timer_stands_for_an_answer_without_an_id),
        cmocka_unit_test(a_bots_answer_is_told_as_anyones_but_has_no_receipt),
        cmocka_unit_test(a_bots_answer_ends_the_round_when_it_is_the_last),
        cmocka_unit_test(a_bots_answer_that_comes_again_changes_nothing),
        cmocka_unit_test(a_bots_answer_of_a_round_that_is_over_changes_nothing),
        cmocka_unit_test(a_time_beyond_the_round_is_no_answer),
        cmocka_unit_test(a_bot_is_as_good_as_who_plays_against_it),
        cmocka_unit_test(the_same_seed_draws_the_same_answers),
        cmocka_unit_test(what_a_seed_draws_never_changes),
        cmocka_unit_test(an_answer_at_the_deadline_is_within_the_round),
        cmocka_unit_test(a_bot_knows_its_name_and_rating_and_is_one),
        cmocka_unit_test(a_bot_wins_by_forfeit_when_its_opponent_leaves),
        cmocka_unit_test(a_bot_that_comes_or_goes_is_a_fault),
    };
    return cmocka_run_group_tests_name("match_bot", tests, NULL, NULL);
}
