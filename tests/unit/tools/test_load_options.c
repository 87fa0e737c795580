#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load_options.h"

enum { ARGUMENTS_MAX = 8 };

static struct options options;
static char problem[OPTIONS_PROBLEM_BYTES];

/* Up to four arguments; the rest NULL. */
static enum options_result parse(const char *a, const char *b, const char *c, const char *d)
{
    static char program[] = "quizrush-load";
    static char copies[4][64];
    char *arguments[ARGUMENTS_MAX] = {program};
    const char *given[] = {a, b, c, d};
    int count = 1;
    for (int index = 0; index < 4 && given[index] != NULL; index++, count++) {
        (void)snprintf(copies[index], sizeof(copies[index]), "%s", given[index]); /* It fits. */
        arguments[count] = copies[index];
    }
    options = (struct options){0};
    return options_parse(count, arguments, &options, problem);
}

static void a_port_is_enough(void **state)
{
    (void)state;
    assert_int_equal(parse("--port", "8080", NULL, NULL), OPTIONS_RUN);
    assert_string_equal(options.host, "127.0.0.1");
    assert_int_equal(options.port, 8080);
    assert_int_equal(options.players, 100);
    assert_int_equal(options.seconds, 10);
    assert_int_equal(options.think_min_ms, 200);
    assert_int_equal(options.think_max_ms, 2000);
}

static void without_a_port_nothing_runs(void **state)
{
    (void)state;
    assert_int_equal(parse("--players", "5", NULL, NULL), OPTIONS_WRONG);
    assert_string_equal(problem, "--port is required");
}

static void a_server_may_die_and_what_is_told_goes_to_a_file(void **state)
{
    (void)state;
    assert_int_equal(parse("--port=1", "--told", "ends", "--server-may-die"), OPTIONS_RUN);
    assert_string_equal(options.told, "ends");
    assert_true(options.server_may_die);
    assert_int_equal(parse("--port=1", NULL, NULL, NULL), OPTIONS_RUN);
    assert_null(options.told);
    assert_false(options.server_may_die);
}

static void a_number_is_read_to_its_last_character(void **state)
{
    (void)state;
    assert_int_equal(parse("--port", "80x", NULL, NULL), OPTIONS_WRONG);
    assert_string_equal(problem, "--port takes a number from 1 to 65535");
    assert_int_equal(parse("--port", "-1", NULL, NULL), OPTIONS_WRONG);
    assert_int_equal(parse("--port", "65536", NULL, NULL), OPTIONS_WRONG);
    assert_int_equal(parse("--port", "", NULL, NULL), OPTIONS_WRONG);
}

static void thinking_takes_at_most_the_longest_time(void **state)
{
    (void)state;
    assert_int_equal(parse("--port", "1", "--think-min-ms", "2001"), OPTIONS_WRONG);
    assert_int_equal(parse("--port", "1", "--think-min-ms", "2000"), OPTIONS_RUN);
}

static void a_run_without_an_end_is_refused(void **state)
{
    (void)state;
    assert_int_equal(parse("--port", "1", "--seconds", "0"), OPTIONS_WRONG);
}

static void a_run_measures_something_after_its_warm_up(void **state)
{
    (void)state;
    assert_int_equal(parse("--port=1", "--seconds=5", "--warmup=4", NULL), OPTIONS_RUN);
    assert_int_equal(options.warmup, 4);
    assert_int_equal(parse("--port=1", "--seconds=5", "--warmup=5", NULL), OPTIONS_WRONG);
    assert_string_equal(problem, "--warmup is not less than --seconds: nothing would be measured");
}

static void nobody_at_all_is_refused(void **state)
{
    (void)state;
    assert_int_equal(parse("--port", "1", "--players", "0"), OPTIONS_WRONG);
    assert_string_equal(problem, "--players 0 needs --idle: nobody is left");
}

static void losses_are_of_one_player_of_all_or_at_a_reveal(void **state)
{
    (void)state;
    assert_int_equal(parse("--port=1", NULL, NULL, NULL), OPTIONS_RUN);
    assert_false(options_drop(&options));
    assert_int_equal(parse("--port=1", "--drop-every-ms=1", NULL, NULL), OPTIONS_RUN);
    assert_true(options_drop(&options));
    assert_int_equal(parse("--port=1", "--drop-all-every-ms=3000", NULL, NULL), OPTIONS_RUN);
    assert_int_equal(options.drop_all_every_ms, 3000);
    assert_true(options_drop(&options));
    assert_int_equal(parse("--port=1", "--drop-reveal=20", NULL, NULL), OPTIONS_RUN);
    assert_int_equal(options.drop_reveal_percent, 20);
    assert_true(options_drop(&options));
}

static void a_loss_has_a_mean_time_and_a_longest_absence(void **state)
{
    (void)state;
    assert_int_equal(parse("--port=1", "--drop-every-ms", "5000", NULL), OPTIONS_RUN);
    assert_int_equal(options.drop_every_ms, 5000);
    assert_int_equal(options.back_within_ms, 3000);
}

static void pings_at_a_rate_are_sent_by_those_who_idle(void **state)
{
    (void)state;
    assert_int_equal(parse("--port=1", "--idle=5", "--ping-rate=10", NULL), OPTIONS_RUN);
    assert_int_equal(options.ping_rate, 10);
    assert_int_equal(parse("--port=1", "--ping-rate=10", NULL, NULL), OPTIONS_WRONG);
    assert_string_equal(problem, "--ping-rate needs --idle: it is they who ping");
}

static void an_echo_is_pinged_and_plays_nothing(void **state)
{
    (void)state;
    assert_int_equal(parse("--port=1", "--echo", "--players=0", NULL), OPTIONS_WRONG);
    assert_int_equal(parse("--port=1", "--echo", "--idle=5", "--ping-rate=1"), OPTIONS_WRONG);
    assert_string_equal(problem, "--echo needs --players 0: who only hears itself plays no duel");
    assert_int_equal(parse("--port=1", "--echo", "--players=0", "--idle=5"), OPTIONS_WRONG);
    assert_string_equal(problem, "--echo needs --ping-rate: nothing else is said");
}

static void with_a_lenient_eye_nothing_is_proven_about_returns(void **state)
{
    (void)state;
    assert_int_equal(parse("--port=1", "--lenient", NULL, NULL), OPTIONS_RUN);
    assert_true(options.is_lenient);
    assert_int_equal(parse("--port=1", "--lenient", "--drop-reveal=1", NULL), OPTIONS_WRONG);
    assert_string_equal(problem,
                        "--lenient and --drop-... do not go together: nothing would be proven");
    assert_int_equal(parse("--port=1", "--lenient", "--server-may-die", NULL), OPTIONS_WRONG);
}

static void the_slow_and_those_with_garbage_are_shares_of_the_players(void **state)
{
    (void)state;
    assert_int_equal(parse("--port=1", "--slow=40", "--garbage=60", "--slow-bytes=9"), OPTIONS_RUN);
    assert_int_equal(options.slow_percent, 40);
    assert_int_equal(options.slow_bytes, 9);
    assert_int_equal(options.garbage_percent, 60);
    assert_int_equal(parse("--port=1", "--slow=41", "--garbage=60", NULL), OPTIONS_WRONG);
    assert_string_equal(problem, "--slow and --garbage are more than 100 percent together");
}

static void nobody_but_the_slow_plays_no_number_of_matches(void **state)
{
    (void)state;
    assert_int_equal(parse("--port=1", "--slow=100", "--seconds=0", "--matches=1"), OPTIONS_WRONG);
    assert_string_equal(
        problem, "--slow and --garbage are everybody, and need --seconds: nobody has matches");
}

static void a_share_is_of_a_hundred(void **state)
{
    (void)state;
    assert_int_equal(parse("--port=1", "--house=100", "--emotes=0", NULL), OPTIONS_RUN);
    assert_int_equal(options.house_percent, 100);
    assert_int_equal(options.emotes_percent, 0);
    assert_int_equal(parse("--port=1", "--house=101", NULL, NULL), OPTIONS_WRONG);
    assert_string_equal(problem, "--house takes a number from 0 to 100");
}

static void what_is_unknown_is_named(void **state)
{
    (void)state;
    assert_int_equal(parse("--speed", NULL, NULL, NULL), OPTIONS_WRONG);
    assert_string_equal(problem, "unknown option, or its value is missing: --speed");
    assert_int_equal(parse("--port", "1", "more", NULL), OPTIONS_WRONG);
}

static void help_and_version_need_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(parse("--help", NULL, NULL, NULL), OPTIONS_HELP);
    assert_int_equal(parse("--version", NULL, NULL, NULL), OPTIONS_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_is_enough),
        cmocka_unit_test(without_a_port_nothing_runs),
        cmocka_unit_test(a_server_may_die_and_what_is_told_goes_to_a_file),
        cmocka_unit_test(a_number_is_read_to_its_last_character),
        cmocka_unit_test(thinking_takes_at_most_the_longest_time),
        cmocka_unit_test(a_run_without_an_end_is_refused),
        cmocka_unit_test(a_run_measures_something_after_its_warm_up),
        cmocka_unit_test(nobody_at_all_is_refused),
        cmocka_unit_test(losses_are_of_one_player_of_all_or_at_a_reveal),
        cmocka_unit_test(a_loss_has_a_mean_time_and_a_longest_absence),
        cmocka_unit_test(pings_at_a_rate_are_sent_by_those_who_idle),
        cmocka_unit_test(an_echo_is_pinged_and_plays_nothing),
        cmocka_unit_test(with_a_lenient_eye_nothing_is_proven_about_returns),
        cmocka_unit_test(the_slow_and_those_with_garbage_are_shares_of_the_players),
        cmocka_unit_test(nobody_but_the_slow_plays_no_number_of_matches),
        cmocka_unit_test(a_share_is_of_a_hundred),
        cmocka_unit_test(what_is_unknown_is_named),
        cmocka_unit_test(help_and_version_need_nothing_else),
    };
    return cmocka_run_group_tests_name("load_options", tests, NULL, NULL);
}
