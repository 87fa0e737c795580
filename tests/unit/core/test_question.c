#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/question.h"

enum { UNTOUCHED = 77, ROUNDS = 7, SCIENCE = 0, HISTORY = 1 };

/* --- Difficulties and fingerprints. --- */

static void a_difficulty_has_the_name_of_the_wire(void **state)
{
    (void)state;
    assert_string_equal(difficulty_name(DIFFICULTY_EASY), "easy");
    assert_string_equal(difficulty_name(DIFFICULTY_MEDIUM), "medium");
    assert_string_equal(difficulty_name(DIFFICULTY_HARD), "hard");
}

static void what_is_no_difficulty_has_no_name(void **state)
{
    (void)state;
    expect_assert_failure((void)difficulty_name((enum difficulty)(DIFFICULTY_HARD + 1)));
}

static void a_fingerprint_is_the_first_16_bits_of_the_id(void **state)
{
    (void)state;
    struct question question = {.id = {{0xfe, 0xdc, 0xba}}};
    assert_int_equal(question_fingerprint(&question), 0xfedc);
}

/* --- Categories. --- */

static struct bank bank_of_two(void)
{
    return (struct bank){
        .categories = {[SCIENCE] = {.name = "science", .count = ROUNDS},
                       [HISTORY] = {.name = "history", .count = ROUNDS - 1}},
        .category_count = 2,
    };
}

static void a_category_is_found_by_its_name(void **state)
{
    (void)state;
    struct bank bank = bank_of_two();
    uint8_t category = UNTOUCHED;
    assert_true(bank_find_category(&bank, "history", 1, &category));
    assert_int_equal(category, HISTORY);
}

static void a_category_with_just_a_match_s_worth_of_questions_is_found(void **state)
{
    (void)state;
    struct bank bank = bank_of_two();
    uint8_t category = UNTOUCHED;
    assert_true(bank_find_category(&bank, "science", ROUNDS, &category));
    assert_int_equal(category, SCIENCE);
}

static void a_category_with_one_question_too_few_is_not_found(void **state)
{
    (void)state;
    struct bank bank = bank_of_two();
    uint8_t category = UNTOUCHED;
    assert_false(bank_find_category(&bank, "history", ROUNDS, &category));
    assert_int_equal(category, UNTOUCHED);
}

static void an_unknown_category_is_not_found(void **state)
{
    (void)state;
    struct bank bank = bank_of_two();
    uint8_t category = UNTOUCHED;
    assert_false(bank_find_category(&bank, "Science", ROUNDS, &category));
    assert_false(bank_find_category(&bank, "", ROUNDS, &category));
    assert_int_equal(category, UNTOUCHED);
}

/* --- What a player saw last. --- */

/* 1, 2, 3 … */
static struct recent_questions recent_of(uint8_t count)
{
    struct recent_questions recent = {.count = count};
    for (uint8_t i = 0; i < count; i++) recent.fingerprints[i] = (uint16_t)(i + 1);
    return recent;
}

static void a_first_question_is_remembered(void **state)
{
    (void)state;
    struct recent_questions recent = recent_of(0);
    recent_add(&recent, 9);
    assert_int_equal(recent.count, 1);
    assert_int_equal(recent.fingerprints[0], 9);
}

static void a_new_question_stands_at_the_end(void **state)
{
    (void)state;
    struct recent_questions recent = recent_of(RECENT_QUESTIONS_MAX - 1);
    recent_add(&recent, 900);
    assert_int_equal(recent.count, RECENT_QUESTIONS_MAX);
    assert_int_equal(recent.fingerprints[0], 1);
    assert_int_equal(recent.fingerprints[RECENT_QUESTIONS_MAX - 2], RECENT_QUESTIONS_MAX - 1);
    assert_int_equal(recent.fingerprints[RECENT_QUESTIONS_MAX - 1], 900);
}

static void the_oldest_falls_out_of_a_full_list(void **state)
{
    (void)state;
    struct recent_questions recent = recent_of(RECENT_QUESTIONS_MAX);
    recent_add(&recent, 900);
    assert_int_equal(recent.count, RECENT_QUESTIONS_MAX);
    assert_int_equal(recent.fingerprints[0], 2);
    assert_int_equal(recent.fingerprints[RECENT_QUESTIONS_MAX - 2], RECENT_QUESTIONS_MAX);
    assert_int_equal(recent.fingerprints[RECENT_QUESTIONS_MAX - 1], 900);
}

static void a_question_seen_again_moves_to_the_end(void **state)
{
    (void)state;
    struct recent_questions recent = recent_of(4);
    recent_add(&recent, 2);
    const uint16_t expected[] = {1, 3, 4, 2};
    assert_int_equal(recent.count, 4);
    assert_memory_equal(recent.fingerprints, expected, sizeof expected);
}

static void the_last_question_seen_again_stays_at_the_end(void **state)
{
    (void)state;
    struct recent_questions recent = recent_of(4);
    recent_add(&recent, 4);
    const uint16_t expected[] = {1, 2, 3, 4};
    assert_int_equal(recent.count, 4);
    assert_memory_equal(recent.fingerprints, expected, sizeof expected);
}

static void a_question_seen_again_costs_a_full_list_nothing(void **state)
{
    (void)state;
    struct recent_questions recent = recent_of(RECENT_QUESTIONS_MAX);
    recent_add(&recent, RECENT_QUESTIONS_MAX - 1);
    assert_int_equal(recent.count, RECENT_QUESTIONS_MAX);
    assert_int_equal(recent.fingerprints[0], 1);
    assert_int_equal(recent.fingerprints[RECENT_QUESTIONS_MAX - 2], RECENT_QUESTIONS_MAX);
    assert_int_equal(recent.fingerprints[RECENT_QUESTIONS_MAX - 1], RECENT_QUESTIONS_MAX - 1);
}

static void a_list_beyond_its_bound_is_refused(void **state)
{
    (void)state;
    struct recent_questions recent = {.count = RECENT_QUESTIONS_MAX + 1};
    expect_assert_failure(recent_add(&recent, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_difficulty_has_the_name_of_the_wire),
        cmocka_unit_test(what_is_no_difficulty_has_no_name),
        cmocka_unit_test(a_fingerprint_is_the_first_16_bits_of_the_id),
        cmocka_unit_test(a_category_is_found_by_its_name),
        cmocka_unit_test(a_category_with_just_a_match_s_worth_of_questions_is_found),
        cmocka_unit_test(a_category_with_one_question_too_few_is_not_found),
        cmocka_unit_test(an_unknown_category_is_not_found),
        cmocka_unit_test(a_first_question_is_remembered),
        cmocka_unit_test(a_new_question_stands_at_the_end),
        cmocka_unit_test(the_oldest_falls_out_of_a_full_list),
        cmocka_unit_test(a_question_seen_again_moves_to_the_end),
        cmocka_unit_test(the_last_question_seen_again_stays_at_the_end),
        cmocka_unit_test(a_question_seen_again_costs_a_full_list_nothing),
        cmocka_unit_test(a_list_beyond_its_bound_is_refused),
    };
    return cmocka_run_group_tests_name("question", tests, NULL, NULL);
}
