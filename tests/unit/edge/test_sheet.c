/* A match's score sheet: what the rules make of it, and where two of them differ. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "edge/sheet.h"

enum { TIME_MS = 10000, AT_MS = 5250 };

/* Two rounds: the first player was right in both, the last one counts double. */
static const struct sheet *a_sheet(void)
{
    static struct sheet sheet;
    memset(&sheet, 0, sizeof sheet);
    strcpy(sheet.reason, "finished");
    sheet.round_count = 2;
    sheet.winner = 0;
    for (unsigned i = 0; i < sheet.round_count; i++) {
        struct sheet_round *round = &sheet.rounds[i];
        strcpy(round->question, "Which?");
        round->right_place = 1;
        round->weight = (uint8_t)(i + 1);
        round->is_revealed = true;
        round->time_ms = TIME_MS;
        round->answers[0] =
            (struct sheet_answer){.is_given = true, .choice = 1, .at_ms = AT_MS, .points = 750};
        round->answers[1] = (struct sheet_answer){.is_given = true, .choice = 0, .at_ms = AT_MS};
    }
    sheet.rounds[1].answers[0].points = 1500;
    sheet.players[0].score = 2250;
    return &sheet;
}

static void expect_difference(const struct sheet *sheet, const char *what)
{
    static struct sheet recomputed;
    char text[SHEET_PROBLEM_BYTES];
    sheet_recompute(sheet, &recomputed);
    assert_string_equal(sheet_difference(sheet, &recomputed, text), what);
}

static void what_was_counted_by_the_rules_is_the_same_again(void **state)
{
    (void)state;
    static struct sheet recomputed;
    char text[SHEET_PROBLEM_BYTES];
    sheet_recompute(a_sheet(), &recomputed);
    assert_null(sheet_difference(a_sheet(), &recomputed, text));
}

static void points_for_a_wrong_choice_are_found(void **state)
{
    (void)state;
    struct sheet sheet = *a_sheet();
    sheet.rounds[1].answers[1].points = 500;
    expect_difference(&sheet, "the points of player 1 in round 2");
}

static void a_score_that_is_not_the_sum_is_found(void **state)
{
    (void)state;
    struct sheet sheet = *a_sheet();
    sheet.players[0].score++;
    expect_difference(&sheet, "the score of player 0");
}

static void a_winner_with_fewer_points_is_found(void **state)
{
    (void)state;
    struct sheet sheet = *a_sheet();
    sheet.winner = 1;
    expect_difference(&sheet, "the winner");
}

static void a_forfeit_has_the_winner_that_stayed(void **state)
{
    (void)state;
    struct sheet sheet = *a_sheet(), recomputed;
    char text[SHEET_PROBLEM_BYTES];
    strcpy(sheet.reason, "forfeit");
    sheet.winner = 1;
    sheet_recompute(&sheet, &recomputed);
    assert_null(sheet_difference(&sheet, &recomputed, text));
}

static void a_round_that_was_not_revealed_has_no_points(void **state)
{
    (void)state;
    struct sheet sheet = *a_sheet();
    sheet.rounds[1].is_revealed = false;
    expect_difference(&sheet, "the points of player 0 in round 2");
}

static void another_choice_or_time_is_found(void **state)
{
    (void)state;
    struct sheet other = *a_sheet();
    char text[SHEET_PROBLEM_BYTES];
    other.rounds[0].answers[1].choice = 2;
    assert_string_equal(sheet_difference(a_sheet(), &other, text),
                        "the choice of player 1 in round 1");
    other = *a_sheet();
    other.rounds[0].answers[0].at_ms++;
    assert_string_equal(sheet_difference(a_sheet(), &other, text),
                        "the answer's time of player 0 in round 1");
    other = *a_sheet();
    other.players[1].after_centi++;
    assert_string_equal(sheet_difference(a_sheet(), &other, text), "the rating of player 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_counted_by_the_rules_is_the_same_again),
        cmocka_unit_test(points_for_a_wrong_choice_are_found),
        cmocka_unit_test(a_score_that_is_not_the_sum_is_found),
        cmocka_unit_test(a_winner_with_fewer_points_is_found),
        cmocka_unit_test(a_forfeit_has_the_winner_that_stayed),
        cmocka_unit_test(a_round_that_was_not_revealed_has_no_points),
        cmocka_unit_test(another_choice_or_time_is_found),
    };
    return cmocka_run_group_tests_name("sheet", tests, NULL, NULL);
}
