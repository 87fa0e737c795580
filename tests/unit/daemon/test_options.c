/* The command line's rules. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/options.h"

enum { WORDS_MAX = 140 };

/* getopt_long takes, and reorders, a vector that is not constant. */
struct words {
    char *argv[WORDS_MAX];
    int argc;
};

static struct words words_of(const char *const *words)
{
    struct words copy = {.argc = 0};
    for (; words[copy.argc] != NULL; copy.argc++) copy.argv[copy.argc] = strdup(words[copy.argc]);
    return copy;
}

static void words_free(struct words *words)
{
    for (int i = 0; i < words->argc; i++) free(words->argv[i]);
}

static void expect_action(const char *const *given, enum options_action action)
{
    struct words words = words_of(given);
    struct options options;
    struct conf_problem problem = {""};
    if (!options_parse(words.argc, words.argv, &options, &problem)) fail_msg("%s", problem.text);
    assert_int_equal(options.action, action);
    words_free(&words);
}

static void expect_refused(const char *const *given, const char *message)
{
    struct words words = words_of(given);
    struct options options;
    struct conf_problem problem = {""};
    assert_false(options_parse(words.argc, words.argv, &options, &problem));
    assert_string_equal(problem.text, message);
    words_free(&words);
}

#define WORDS(...) ((const char *const[]){"quizrushd", __VA_ARGS__, NULL})

static void without_options_the_daemon_runs_with_defaults(void **state)
{
    (void)state;
    struct words words = words_of((const char *const[]){"quizrushd", NULL});
    struct options options;
    struct conf_problem problem = {""};
    assert_true(options_parse(words.argc, words.argv, &options, &problem));
    assert_int_equal(options.action, OPTIONS_RUN);
    assert_null(options.config_path);
    assert_int_equal(options.set_count, 0);
    words_free(&words);
}

static void a_file_and_what_is_set_are_kept_in_order(void **state)
{
    (void)state;
    struct words words =
        words_of(WORDS("--set", "port=1", "--config", "a.conf", "--set=port=2", "--check-config"));
    struct options options;
    struct conf_problem problem = {""};
    assert_true(options_parse(words.argc, words.argv, &options, &problem));
    assert_int_equal(options.action, OPTIONS_CHECK_CONFIG);
    assert_string_equal(options.config_path, "a.conf");
    assert_int_equal(options.set_count, 2);
    assert_string_equal(options.sets[0], "port=1");
    assert_string_equal(options.sets[1], "port=2");
    words_free(&words);
}

static void each_action_has_its_option(void **state)
{
    (void)state;
    expect_action(WORDS("--print-config"), OPTIONS_PRINT_CONFIG);
    expect_action(WORDS("--print-keys"), OPTIONS_PRINT_KEYS);
    expect_action(WORDS("--check-config"), OPTIONS_CHECK_CONFIG);
    expect_action(WORDS("--check-questions", "q.json"), OPTIONS_CHECK_QUESTIONS);
    expect_action(WORDS("--help"), OPTIONS_HELP);
    expect_action(WORDS("-h"), OPTIONS_HELP);
    expect_action(WORDS("--version"), OPTIONS_VERSION);
}

static void a_question_bank_to_check_is_kept(void **state)
{
    (void)state;
    struct words words = words_of(WORDS("--check-questions", "q.json"));
    struct options options;
    struct conf_problem problem = {""};
    assert_true(options_parse(words.argc, words.argv, &options, &problem));
    assert_string_equal(options.questions_path, "q.json");
    words_free(&words);
}

static void help_wins_over_another_action(void **state)
{
    (void)state;
    expect_action(WORDS("--check-config", "--help"), OPTIONS_HELP);
    expect_action(WORDS("--help", "--check-config"), OPTIONS_HELP);
}

static void two_actions_are_refused(void **state)
{
    (void)state;
    expect_refused(WORDS("--check-config", "--print-config"),
                   "only one of the options that print, check or migrate; see quizrushd --help");
}

static void an_unknown_option_is_refused(void **state)
{
    (void)state;
    expect_refused(WORDS("--prot"), "--prot: not an option; see quizrushd --help");
    expect_refused(WORDS("-x"), "-x: not an option; see quizrushd --help");
}

static void a_word_that_is_no_option_is_refused(void **state)
{
    (void)state;
    expect_refused(WORDS("start"), "start: not an option; see quizrushd --help");
    expect_refused(WORDS("--", "--help"), "--help: not an option; see quizrushd --help");
}

static void an_option_without_its_argument_is_refused(void **state)
{
    (void)state;
    expect_refused(WORDS("--config"), "--config: needs an argument; see quizrushd --help");
}

static void an_argument_that_no_option_takes_is_refused(void **state)
{
    (void)state;
    expect_refused(WORDS("--version=2"), "--version=2: takes no argument; see quizrushd --help");
}

static void a_second_file_is_refused(void **state)
{
    (void)state;
    expect_refused(WORDS("--config", "a", "--config", "b"),
                   "--config: given twice; see quizrushd --help");
}

static void what_is_set_has_a_bound(void **state)
{
    (void)state;
    const char *given[WORDS_MAX] = {"quizrushd"};
    for (unsigned i = 1; i <= OPTIONS_SETS_MAX; i++) given[i] = "--set=port=1";
    expect_action(given, OPTIONS_RUN);
    given[OPTIONS_SETS_MAX + 1] = "--set=port=1";
    expect_refused(given, "--set: more than 64 times; use a file and --config");
}

static void the_version_is_the_projects(void **state)
{
    (void)state;
    char text[64] = "";
    FILE *out = fmemopen(text, sizeof(text), "w");
    assert_non_null(out);
    options_print_version(out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "quizrushd " PROJECT_VERSION "\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_the_daemon_runs_with_defaults),
        cmocka_unit_test(a_file_and_what_is_set_are_kept_in_order),
        cmocka_unit_test(each_action_has_its_option),
        cmocka_unit_test(a_question_bank_to_check_is_kept),
        cmocka_unit_test(help_wins_over_another_action),
        cmocka_unit_test(two_actions_are_refused),
        cmocka_unit_test(an_unknown_option_is_refused),
        cmocka_unit_test(a_word_that_is_no_option_is_refused),
        cmocka_unit_test(an_option_without_its_argument_is_refused),
        cmocka_unit_test(an_argument_that_no_option_takes_is_refused),
        cmocka_unit_test(a_second_file_is_refused),
        cmocka_unit_test(what_is_set_has_a_bound),
        cmocka_unit_test(the_version_is_the_projects),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
