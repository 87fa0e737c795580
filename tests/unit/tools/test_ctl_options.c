/* quizrushctl's command line. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_command.h"

#define ID "0192f0c1-2a3b-7c4d-8e5f-60718293a4b5"

static char problem[CTL_PROBLEM_BYTES];

/* A list of words that ends with NULL. */
static bool parse_words(struct ctl_options *options, va_list words)
{
    char *argv[16] = {(char[]){"quizrushctl"}};
    int argc = 1;
    for (char *word = va_arg(words, char *); word != NULL; word = va_arg(words, char *)) {
        argv[argc++] = word;
    }
    problem[0] = '\0';
    return ctl_options_parse(argc, argv, options, problem);
}

/* After a word that says nothing. */
static struct ctl_options parse(const char *before, ...)
{
    struct ctl_options options;
    va_list words;
    va_start(words, before);
    bool is_right = parse_words(&options, words);
    va_end(words);
    if (!is_right) fail_msg("%s", problem);
    return options;
}

static void expect_wrong(const char *what, ...)
{
    struct ctl_options options;
    va_list words;
    va_start(words, what);
    bool is_right = parse_words(&options, words);
    va_end(words);
    assert_false(is_right);
    if (strstr(problem, what) == NULL) fail_msg("%s", problem);
}

static void a_command_has_its_defaults(void **state)
{
    (void)state;
    struct ctl_options options = parse("", "top", NULL);
    assert_string_equal(options.command->name, "top");
    assert_int_equal(options.key.mode, MATCH_MODE_DUEL);
    assert_string_equal(options.key.category, "");
    assert_int_equal(options.count, CTL_COUNT_DEFAULT);
}

static void options_stand_before_and_behind_the_command(void **state)
{
    (void)state;
    struct ctl_options options = parse("", "--data-dir", "/d", "top", "--mode=house", "--category",
                                       "art", "--count", "100", "--store=sqlite", NULL);
    assert_string_equal(options.data_dir, "/d");
    assert_string_equal(options.store, "sqlite");
    assert_int_equal(options.key.mode, MATCH_MODE_HOUSE);
    assert_string_equal(options.key.category, "art");
    assert_int_equal(options.count, 100);
}

static void an_id_is_read(void **state)
{
    (void)state;
    struct ctl_options options = parse("", "history", ID, "--before", ID, NULL);
    assert_int_equal(options.player.bytes[0], 0x01);
    assert_int_equal(options.player.bytes[15], 0xb5);
    assert_true(options.has_before);
    assert_true(id_equal(&options.player, &options.before));
}

static void a_wrong_id_is_named(void **state)
{
    (void)state;
    expect_wrong("around: takes an id", "around", "42", NULL);
    expect_wrong("around: takes an id", "around", ID "0", NULL);
    expect_wrong("--before: takes an id", "history", ID, "--before", "x' OR 1", NULL);
}

static void numbers_have_bounds(void **state)
{
    (void)state;
    assert_int_equal(parse("", "top", "--count", "1", NULL).count, 1);
    assert_int_equal(parse("", "around", ID, "--beside", "49", NULL).beside, 49);
    expect_wrong("--count: takes a number from 1 to 100, not 0", "top", "--count", "0", NULL);
    expect_wrong("--count", "top", "--count", "101", NULL);
    expect_wrong("--count", "top", "--count", "-1", NULL);
    expect_wrong("--count", "top", "--count", " 1", NULL);
    expect_wrong("--count", "top", "--count", "1e1", NULL);
    expect_wrong("--count", "top", "--count", "99999999999999999999", NULL);
    expect_wrong("--beside", "around", ID, "--beside", "50", NULL);
}

static void a_mode_is_one_that_there_is(void **state)
{
    (void)state;
    expect_wrong("--mode: duel or house, not chess", "top", "--mode", "chess", NULL);
}

static void a_category_has_the_length_of_one(void **state)
{
    (void)state;
    char long_name[CATEGORY_BYTES_MAX + 2];
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    expect_wrong("--category", "top", "--category", long_name, NULL);
    expect_wrong("--category", "top", "--category", "", NULL);
    long_name[CATEGORY_BYTES_MAX] = '\0';
    assert_string_equal(parse("", "top", "--category", long_name, NULL).key.category, long_name);
}

static void what_a_command_does_not_take_is_refused(void **state)
{
    (void)state;
    expect_wrong("--mode: backup does not take it", "backup", "f", "--mode", "duel", NULL);
    expect_wrong("--yes: top does not take it", "--yes", "top", NULL);
    expect_wrong("--count: around does not take it", "around", ID, "--count", "1", NULL);
}

static void operands_are_counted(void **state)
{
    (void)state;
    expect_wrong("backup: without its FILE", "backup", NULL);
    expect_wrong("export-player: without its PLAYER", "export-player", NULL);
    expect_wrong("top: x is too much", "top", "x", NULL);
    expect_wrong("backup: it is empty", "backup", "", NULL);
}

static void what_is_not_known_is_named(void **state)
{
    (void)state;
    expect_wrong("without a command", NULL);
    expect_wrong("drop: not a command", "drop", NULL);
    expect_wrong("--frob: not an option", "top", "--frob", NULL);
    expect_wrong("--count: needs a value", "top", "--count", NULL);
    expect_wrong("--store: given twice", "--store", "sqlite", "--store", "sqlite", "top", NULL);
    expect_wrong("--data-dir: is empty", "--data-dir", "", "top", NULL);
}

static void a_complaint_is_one_line_without_controls(void **state)
{
    (void)state;
    expect_wrong("a?[31m?b: not a command", "a\033[31m\nb", NULL);
}

static void help_needs_no_operand(void **state)
{
    (void)state;
    struct ctl_options options = parse("", "backup", "--help", NULL);
    assert_int_equal(options.action, CTL_HELP);
    assert_string_equal(options.command->name, "backup");
    assert_null(parse("", "--help", NULL).command);
    assert_int_equal(parse("", "--version", NULL).action, CTL_VERSION);
}

static void what_is_printed_has_no_controls(void **state)
{
    (void)state;
    char text[CTL_NAME_BYTES];
    assert_string_equal(ctl_printable("Ad\xc3\xa4\033[2J\n", text), "Ad\xc3\xa4?[2J?");
    assert_string_equal(ctl_printable("a\xc2\x9b"
                                      "b\xc2\xa9",
                                      text),
                        "a?b\xc2\xa9");
    assert_string_equal(ctl_printable("\xc2", text), "\xc2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_has_its_defaults),
        cmocka_unit_test(options_stand_before_and_behind_the_command),
        cmocka_unit_test(an_id_is_read),
        cmocka_unit_test(a_wrong_id_is_named),
        cmocka_unit_test(numbers_have_bounds),
        cmocka_unit_test(a_mode_is_one_that_there_is),
        cmocka_unit_test(a_category_has_the_length_of_one),
        cmocka_unit_test(what_a_command_does_not_take_is_refused),
        cmocka_unit_test(operands_are_counted),
        cmocka_unit_test(what_is_not_known_is_named),
        cmocka_unit_test(a_complaint_is_one_line_without_controls),
        cmocka_unit_test(help_needs_no_operand),
        cmocka_unit_test(what_is_printed_has_no_controls),
    };
    return cmocka_run_group_tests_name("tools/ctl_options", tests, NULL, NULL);
}
