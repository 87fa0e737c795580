#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

#include "core/draw.h"

enum {
    WORLD_QUESTIONS_MAX = 4000,
    LARGE = 2000, /* Large enough to be drawn from blindly. */
    ROUNDS = 7,
    SCIENCE = 0,
    HISTORY = 1,
    ADA = 0,
    BEN = 1,
};

/* A bank whose question i has the fingerprint i: its first half is science, its second history. */
struct world {
    struct question questions[WORLD_QUESTIONS_MAX];
    uint16_t indices[WORLD_QUESTIONS_MAX];
    struct bank bank;
    struct recent_questions recents[MATCH_PLAYERS_MAX];
    struct prng prng;
    uint16_t drawn[MATCH_ROUNDS_MAX];
};

static void set_fingerprint(struct world *world, uint32_t question, uint16_t fingerprint)
{
    world->questions[question].id.bytes[0] = (uint8_t)(fingerprint >> 8);
    world->questions[question].id.bytes[1] = (uint8_t)fingerprint;
}

/* One storage for all tests: each begins with a world of its own making. */
static struct world *world_of(uint32_t question_count)
{
    static struct world world;
    world = (struct world){0};
    for (uint32_t i = 0; i < question_count; i++) {
        world.indices[i] = (uint16_t)i;
        world.questions[i].category = i < question_count / 2 ? SCIENCE : HISTORY;
        set_fingerprint(&world, i, (uint16_t)i);
    }
    uint32_t half = question_count / 2;
    world.bank = (struct bank){
        .questions = world.questions,
        .count = question_count,
        .all = world.indices,
        .categories = {[SCIENCE] = {"science", world.indices, half},
                       [HISTORY] = {"history", world.indices + half, question_count - half}},
        .category_count = 2,
    };
    prng_init(&world.prng, &(struct siphash_key){{0x5eed, 0xd4a3}});
    return &world;
}

/* A player saw the questions from … to, in this order. */
static void saw(struct world *world, unsigned player, uint16_t from, uint16_t to)
{
    for (uint16_t i = from; i <= to; i++) recent_add(&world->recents[player], i);
}

static void draw(struct world *world, uint8_t category, unsigned rounds)
{
    const struct recent_questions *const recents[] = {&world->recents[ADA], &world->recents[BEN]};
    draw_questions(&world->bank, category, recents, MATCH_PLAYERS_MAX, &world->prng, rounds,
                   world->drawn);
}

static bool has_drawn(const struct world *world, unsigned from, unsigned to, uint16_t question)
{
    for (unsigned i = from; i < to; i++)
        if (world->drawn[i] == question) return true;
    return false;
}

static void assert_all_different(const struct world *world, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        assert_true(world->drawn[i] < world->bank.count);
        assert_false(has_drawn(world, 0, i, world->drawn[i]));
    }
}

/* Rounds from … to − 1 ask the questions first … last, in whatever order. */
static void assert_asked(const struct world *world, unsigned from, unsigned to, uint16_t first,
                         uint16_t last)
{
    assert_int_equal(to - from, last - first + 1);
    for (uint16_t question = first; question <= last; question++)
        assert_true(has_drawn(world, from, to, question));
}

/* Pearson's statistic of cells that should be equally full, in hundredths. */
static uint64_t chi_square_centi(const uint32_t cells[], unsigned count, uint32_t expected)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++) {
        int64_t off = (int64_t)cells[i] - expected;
        sum += (uint64_t)(off * off);
    }
    return sum * 100 / expected;
}

/* --- Which are drawn. --- */

static void no_question_is_drawn_twice_from_a_small_bank(void **state)
{
    (void)state;
    for (unsigned rounds = 1; rounds <= MATCH_ROUNDS_MAX; rounds++) {
        struct world *world = world_of(MATCH_ROUNDS_MAX + 5);
        draw(world, QUESTION_CATEGORY_ANY, rounds);
        assert_all_different(world, rounds);
    }
}

static void no_question_is_drawn_twice_from_a_large_bank(void **state)
{
    (void)state;
    struct world *world = world_of(LARGE);
    for (unsigned i = 0; i < 500; i++) {
        draw(world, QUESTION_CATEGORY_ANY, MATCH_ROUNDS_MAX);
        assert_all_different(world, MATCH_ROUNDS_MAX);
    }
}

static void a_bank_of_just_a_match_s_worth_is_drawn_whole(void **state)
{
    (void)state;
    struct world *world = world_of(ROUNDS);
    draw(world, QUESTION_CATEGORY_ANY, ROUNDS);
    assert_asked(world, 0, ROUNDS, 0, ROUNDS - 1);
}

static void a_bank_smaller_than_a_match_is_refused(void **state)
{
    (void)state;
    struct world *world = world_of(ROUNDS - 1);
    expect_assert_failure(draw(world, QUESTION_CATEGORY_ANY, ROUNDS));
}

static void a_category_gives_its_own_questions_only(void **state)
{
    (void)state;
    struct world *world = world_of(2 * ROUNDS);
    draw(world, SCIENCE, ROUNDS);
    assert_asked(world, 0, ROUNDS, 0, ROUNDS - 1);
    draw(world, HISTORY, ROUNDS);
    assert_asked(world, 0, ROUNDS, ROUNDS, 2 * ROUNDS - 1);
}

static void a_large_category_gives_its_own_questions_only(void **state)
{
    (void)state;
    struct world *world = world_of(2 * LARGE);
    draw(world, HISTORY, MATCH_ROUNDS_MAX);
    for (unsigned i = 0; i < MATCH_ROUNDS_MAX; i++)
        assert_int_equal(world->questions[world->drawn[i]].category, HISTORY);
}

static void a_category_the_bank_does_not_have_is_refused(void **state)
{
    (void)state;
    struct world *world = world_of(2 * ROUNDS);
    expect_assert_failure(draw(world, HISTORY + 1, ROUNDS));
}

static void more_players_rounds_or_recent_questions_than_there_can_be_are_refused(void **state)
{
    (void)state;
    struct world *world = world_of(LARGE);
    const struct recent_questions *const recents[] = {&world->recents[ADA], &world->recents[BEN]};
    expect_assert_failure(draw_questions(&world->bank, SCIENCE, recents, MATCH_PLAYERS_MAX + 1,
                                         &world->prng, ROUNDS, world->drawn));
    expect_assert_failure(draw(world, SCIENCE, MATCH_ROUNDS_MAX + 1));
    world->recents[BEN].count = RECENT_QUESTIONS_MAX + 1;
    expect_assert_failure(draw(world, SCIENCE, ROUNDS));
}

static void the_same_seed_draws_the_same(void **state)
{
    (void)state;
    struct world *world = world_of(LARGE);
    draw(world, QUESTION_CATEGORY_ANY, 1);
    uint16_t first = world->drawn[0];
    draw(world, QUESTION_CATEGORY_ANY, 1);
    uint16_t second = world->drawn[0];
    world = world_of(LARGE);
    draw(world, QUESTION_CATEGORY_ANY, 1);
    assert_int_equal(world->drawn[0], first);
    draw(world, QUESTION_CATEGORY_ANY, 1);
    assert_int_equal(world->drawn[0], second);
}

/* --- What the players saw. --- */

static void what_neither_player_saw_comes_first(void **state)
{
    (void)state;
    struct world *world = world_of(20);
    saw(world, ADA, 0, 9);
    saw(world, BEN, 5, 12);
    draw(world, QUESTION_CATEGORY_ANY, ROUNDS);
    assert_asked(world, 0, ROUNDS, 13, 19);
}

static void of_a_large_bank_nothing_is_asked_that_either_player_saw(void **state)
{
    (void)state;
    struct world *world = world_of(LARGE);
    saw(world, ADA, 0, RECENT_QUESTIONS_MAX - 1);
    saw(world, BEN, RECENT_QUESTIONS_MAX, 2 * RECENT_QUESTIONS_MAX - 1);
    for (unsigned match = 0; match < 200; match++) {
        draw(world, QUESTION_CATEGORY_ANY, MATCH_ROUNDS_MAX);
        for (unsigned i = 0; i < MATCH_ROUNDS_MAX; i++)
            assert_true(world->drawn[i] >= 2 * RECENT_QUESTIONS_MAX);
    }
}

static void then_come_those_seen_longest_ago(void **state)
{
    (void)state;
    struct world *world = world_of(12);
    saw(world, ADA, 0, 9);
    draw(world, QUESTION_CATEGORY_ANY, 5);
    assert_asked(world, 0, 2, 10, 11);
    assert_int_equal(world->drawn[2], 0);
    assert_int_equal(world->drawn[3], 1);
    assert_int_equal(world->drawn[4], 2);
}

static void the_later_sighting_by_either_player_counts(void **state)
{
    (void)state;
    struct world *world = world_of(4);
    /* From the end: Ada saw 3, 2, 1, 0 and Ben 0. */
    saw(world, ADA, 0, 3);
    saw(world, BEN, 0, 0);
    draw(world, QUESTION_CATEGORY_ANY, 2);
    assert_int_equal(world->drawn[0], 1);
    assert_int_equal(world->drawn[1], 2);
    /* Question 0 and 3 were both the last. */
    draw(world, QUESTION_CATEGORY_ANY, 4);
    assert_int_equal(world->drawn[2] + world->drawn[3], 0 + 3);
}

static void questions_seen_equally_long_ago_come_in_random_order(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    saw(world, ADA, 0, 0);
    saw(world, BEN, 1, 1);
    uint32_t firsts[2] = {0};
    for (unsigned i = 0; i < 10000; i++) {
        draw(world, QUESTION_CATEGORY_ANY, 2);
        firsts[world->drawn[0]]++;
    }
    /* One degree of freedom: beyond 10.83 once in a thousand. */
    assert_true(chi_square_centi(firsts, 2, 5000) < 1083);
}

static void a_bank_that_was_seen_whole_is_still_a_match(void **state)
{
    (void)state;
    struct world *world = world_of(RECENT_QUESTIONS_MAX);
    saw(world, ADA, 0, RECENT_QUESTIONS_MAX - 1);
    saw(world, BEN, 0, RECENT_QUESTIONS_MAX - 1);
    draw(world, QUESTION_CATEGORY_ANY, MATCH_ROUNDS_MAX);
    for (uint16_t i = 0; i < MATCH_ROUNDS_MAX; i++) assert_int_equal(world->drawn[i], i);
}

static void the_last_of_all_is_the_one_both_have_just_seen(void **state)
{
    (void)state;
    struct world *world = world_of(ROUNDS);
    saw(world, ADA, 3, 3);
    saw(world, BEN, 3, 3);
    draw(world, QUESTION_CATEGORY_ANY, ROUNDS);
    assert_all_different(world, ROUNDS);
    assert_int_equal(world->drawn[ROUNDS - 1], 3);
}

static void a_large_bank_that_shares_fingerprints_still_asks_the_unseen_first(void **state)
{
    (void)state;
    struct world *world = world_of(LARGE);
    /* All but the last five share the fingerprint that Ada has seen. */
    for (uint32_t i = 0; i < LARGE - 5; i++) set_fingerprint(world, i, 0);
    saw(world, ADA, 0, 0);
    draw(world, QUESTION_CATEGORY_ANY, ROUNDS);
    assert_all_different(world, ROUNDS);
    assert_asked(world, 0, 5, LARGE - 5, LARGE - 1);
}

/* --- Chance. --- */

static void a_small_bank_is_drawn_uniformly_in_choice_and_order(void **state)
{
    (void)state;
    enum { COUNT = 5, TIMES_EACH = 1000, PAIRS = COUNT * (COUNT - 1) };
    struct world *world = world_of(COUNT + 1);
    saw(world, ADA, COUNT, COUNT);
    uint32_t pairs[COUNT * COUNT] = {0};
    for (unsigned i = 0; i < PAIRS * TIMES_EACH; i++) {
        draw(world, QUESTION_CATEGORY_ANY, 2);
        pairs[world->drawn[0] * COUNT + world->drawn[1]]++;
    }
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(pairs[i * COUNT + i], 0);
        pairs[i * COUNT + i] = TIMES_EACH;
    }
    /* 19 degrees of freedom: beyond 43.8 once in a thousand. */
    assert_true(chi_square_centi(pairs, COUNT * COUNT, TIMES_EACH) < 4380);
}

static void a_large_bank_is_drawn_uniformly(void **state)
{
    (void)state;
    enum { TIMES_EACH = 100, SEEN = 40 };
    struct world *world = world_of(LARGE + SEEN);
    saw(world, ADA, LARGE, LARGE + SEEN / 2 - 1);
    saw(world, BEN, LARGE + SEEN / 2, LARGE + SEEN - 1);
    static uint32_t counts[LARGE];
    for (unsigned i = 0; i < LARGE * TIMES_EACH / MATCH_ROUNDS_MAX; i++) {
        draw(world, QUESTION_CATEGORY_ANY, MATCH_ROUNDS_MAX);
        for (unsigned round = 0; round < MATCH_ROUNDS_MAX; round++) counts[world->drawn[round]]++;
    }
    /* 1999 degrees of freedom: beyond 2200 once in a thousand. */
    assert_true(chi_square_centi(counts, LARGE, TIMES_EACH) < 220000);
}

/* Blind draws find some of them, a scan the rest. */
static void the_few_unseen_of_a_large_bank_are_drawn_uniformly_and_never_twice(void **state)
{
    (void)state;
    enum { UNSEEN = 40, FIRST_UNSEEN = LARGE - UNSEEN, TIMES_EACH = 500 };
    struct world *world = world_of(LARGE);
    for (uint32_t i = 0; i < FIRST_UNSEEN; i++) set_fingerprint(world, i, 0);
    saw(world, ADA, 0, 0);
    uint32_t counts[UNSEEN] = {0};
    for (unsigned i = 0; i < UNSEEN * TIMES_EACH / MATCH_ROUNDS_MAX; i++) {
        draw(world, QUESTION_CATEGORY_ANY, MATCH_ROUNDS_MAX);
        assert_all_different(world, MATCH_ROUNDS_MAX);
        for (unsigned round = 0; round < MATCH_ROUNDS_MAX; round++) {
            assert_true(world->drawn[round] >= FIRST_UNSEEN);
            counts[world->drawn[round] - FIRST_UNSEEN]++;
        }
    }
    /* 39 degrees of freedom: beyond 72.1 once in a thousand. */
    assert_true(chi_square_centi(counts, UNSEEN, TIMES_EACH) < 7210);
}

/* --- Places. --- */

static unsigned places_drawn(struct world *world, unsigned count, uint8_t ret_places[])
{
    draw_places(&world->prng, count, ret_places);
    unsigned set = 0;
    for (unsigned i = 0; i < count; i++) set |= 1u << ret_places[i];
    return set;
}

static void places_are_a_permutation_of_the_choices(void **state)
{
    (void)state;
    struct world *world = world_of(ROUNDS);
    uint8_t places[QUESTION_CHOICES_MAX];
    assert_int_equal(places_drawn(world, 2, places), 0x03);
    assert_int_equal(places_drawn(world, 3, places), 0x07);
    assert_int_equal(places_drawn(world, 4, places), 0x0f);
    assert_int_equal(places_drawn(world, 5, places), 0x1f);
    assert_int_equal(places_drawn(world, 6, places), 0x3f);
}

static void every_permutation_is_as_likely(void **state)
{
    (void)state;
    enum { TIMES_EACH = 1000, PERMUTATIONS = 4 * 3 * 2 };
    struct world *world = world_of(ROUNDS);
    uint32_t counts[4 * 4 * 4] = {0};
    for (unsigned i = 0; i < PERMUTATIONS * TIMES_EACH; i++) {
        uint8_t places[4];
        draw_places(&world->prng, 4, places);
        counts[places[0] * 16 + places[1] * 4 + places[2]]++;
    }
    uint32_t met[PERMUTATIONS] = {0};
    unsigned met_count = 0;
    for (unsigned i = 0; i < 4 * 4 * 4; i++)
        if (counts[i] > 0) met[met_count++] = counts[i];
    assert_int_equal(met_count, PERMUTATIONS);
    /* 23 degrees of freedom: beyond 49.7 once in a thousand. */
    assert_true(chi_square_centi(met, PERMUTATIONS, TIMES_EACH) < 4970);
}

static void fewer_or_more_choices_than_a_question_has_are_refused(void **state)
{
    (void)state;
    struct world *world = world_of(ROUNDS);
    uint8_t places[QUESTION_CHOICES_MAX + 1];
    expect_assert_failure(draw_places(&world->prng, QUESTION_CHOICES_MIN - 1, places));
    expect_assert_failure(draw_places(&world->prng, QUESTION_CHOICES_MAX + 1, places));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_question_is_drawn_twice_from_a_small_bank),
        cmocka_unit_test(no_question_is_drawn_twice_from_a_large_bank),
        cmocka_unit_test(a_bank_of_just_a_match_s_worth_is_drawn_whole),
        cmocka_unit_test(a_bank_smaller_than_a_match_is_refused),
        cmocka_unit_test(a_category_gives_its_own_questions_only),
        cmocka_unit_test(a_large_category_gives_its_own_questions_only),
        cmocka_unit_test(a_category_the_bank_does_not_have_is_refused),
        cmocka_unit_test(more_players_rounds_or_recent_questions_than_there_can_be_are_refused),
        cmocka_unit_test(the_same_seed_draws_the_same),
        cmocka_unit_test(what_neither_player_saw_comes_first),
        cmocka_unit_test(of_a_large_bank_nothing_is_asked_that_either_player_saw),
        cmocka_unit_test(then_come_those_seen_longest_ago),
        cmocka_unit_test(the_later_sighting_by_either_player_counts),
        cmocka_unit_test(questions_seen_equally_long_ago_come_in_random_order),
        cmocka_unit_test(a_bank_that_was_seen_whole_is_still_a_match),
        cmocka_unit_test(the_last_of_all_is_the_one_both_have_just_seen),
        cmocka_unit_test(a_large_bank_that_shares_fingerprints_still_asks_the_unseen_first),
        cmocka_unit_test(a_small_bank_is_drawn_uniformly_in_choice_and_order),
        cmocka_unit_test(a_large_bank_is_drawn_uniformly),
        cmocka_unit_test(the_few_unseen_of_a_large_bank_are_drawn_uniformly_and_never_twice),
        cmocka_unit_test(places_are_a_permutation_of_the_choices),
        cmocka_unit_test(every_permutation_is_as_likely),
        cmocka_unit_test(fewer_or_more_choices_than_a_question_has_are_refused),
    };
    return cmocka_run_group_tests_name("draw", tests, NULL, NULL);
}
