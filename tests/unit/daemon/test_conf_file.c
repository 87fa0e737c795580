/* What a line of the file may say, and the exact words when it says something else. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/conf.h"
#include "temp.h"

static const char file_name[] = "quizrushd.conf"; /* In a directory of the test's own. */

static void write_file(const char *text, size_t bytes)
{
    FILE *file = fopen(file_name, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

static struct conf defaults(void)
{
    struct conf conf;
    conf_init(&conf);
    return conf;
}

static struct conf read_text(const char *text)
{
    struct conf conf = defaults();
    struct conf_problem problem = {""};
    write_file(text, strlen(text));
    if (!conf_read_file(&conf, file_name, &problem)) fail_msg("%s", problem.text);
    return conf;
}

static void expect_bytes_refused(const char *text, size_t bytes, const char *message)
{
    struct conf conf = defaults();
    struct conf before = conf;
    struct conf_problem problem = {""};
    write_file(text, bytes);
    assert_false(conf_read_file(&conf, file_name, &problem));
    assert_string_equal(problem.text, message);
    assert_memory_equal(&conf, &before, sizeof(conf));
}

static void expect_file_refused(const char *text, const char *message)
{
    expect_bytes_refused(text, strlen(text), message);
}

static void a_number_may_stand_with_and_without_quotes(void **state)
{
    (void)state;
    assert_int_equal(read_text("port = 9000\n").port, 9000);
    assert_int_equal(read_text("port = \"9000\"\n").port, 9000);
    assert_int_equal(read_text("port='9000'").port, 9000);
}

static void a_text_may_stand_with_and_without_quotes(void **state)
{
    (void)state;
    assert_string_equal(read_text("address = ::1\n").address, "::1");
    assert_string_equal(read_text("data_dir = /srv/quiz\n").data_dir, "/srv/quiz");
    assert_string_equal(read_text("data_dir = \"/srv/a quiz\"\n").data_dir, "/srv/a quiz");
}

static void what_the_file_does_not_say_keeps_its_value(void **state)
{
    (void)state;
    struct conf conf = read_text("# nothing but this\n\nport = 9000 # and this\r\n\n");
    struct conf expected = defaults();
    expected.port = 9000;
    assert_memory_equal(&conf, &expected, sizeof(conf));
}

static void comments_do_not_move_the_line_number(void **state)
{
    (void)state;
    expect_file_refused("# one\n#\n\n# four\nround_time_ms = 1 # five\n",
                        "quizrushd.conf:5: round_time_ms: 1 is below the least, 600 (600 to "
                        "120000; how long players may think)");
}

static void an_unknown_key_names_the_one_that_is_near(void **state)
{
    (void)state;
    expect_file_refused(
        "port = 9000\nround_tim_ms = 5\n",
        "quizrushd.conf:2: \"round_tim_ms\" is not a key (did you mean \"round_time_ms\"?)");
    expect_file_refused("data-dir = /srv\n",
                        "quizrushd.conf:1: \"data-dir\" is not a key (did you mean \"data_dir\"?)");
}

static void an_unknown_key_that_is_near_nothing_points_to_the_list(void **state)
{
    (void)state;
    expect_file_refused("colour = red\n",
                        "quizrushd.conf:1: \"colour\" is not a key (--print-config lists them)");
    expect_file_refused(
        "a_name_that_is_longer_than_any_key_of_ours = 1\n",
        "quizrushd.conf:1: \"a_name_that_is_longer_than_any_key_of_ours\" is not a key "
        "(--print-config lists them)");
}

static void a_key_set_twice_is_refused(void **state)
{
    (void)state;
    expect_file_refused("port = 1\n\nport = 2\n",
                        "quizrushd.conf:3: port: set twice, first in line 1");
}

static void a_line_has_one_key(void **state)
{
    (void)state;
    expect_file_refused("port = 1 workers = 2\n",
                        "quizrushd.conf:1: workers: only one key to a line, and it has port");
}

static void words_after_the_value_are_refused(void **state)
{
    (void)state;
    expect_file_refused("data_dir = /srv/a quiz\n",
                        "quizrushd.conf:1: data_dir: \"quiz\" follows the value; text with spaces "
                        "goes in quotes");
    expect_file_refused(
        "round_time_ms = 10000 ms\n",
        "quizrushd.conf:1: round_time_ms: \"ms\" follows the value; text with spaces goes in "
        "quotes");
}

static void a_line_without_an_equal_sign_is_refused(void **state)
{
    (void)state;
    expect_file_refused("\nport 9000\n",
                        "quizrushd.conf:2: missing equal sign after option 'port'; a line is key = "
                        "value, with quotes closed");
}

static void an_unfinished_line_is_refused(void **state)
{
    (void)state;
    expect_file_refused("port =\n9000\n",
                        "quizrushd.conf:1: unfinished; a line is key = value, with quotes closed");
    expect_file_refused("port\n",
                        "quizrushd.conf:1: unfinished; a line is key = value, with quotes closed");
    expect_file_refused("data_dir = \"/srv\nport = 1\n",
                        "quizrushd.conf:1: unfinished; a line is key = value, with quotes closed");
    expect_file_refused("data_dir = '/srv\n",
                        "quizrushd.conf:1: unterminated string constant; a line is key = value, "
                        "with quotes closed");
}

static void a_section_or_a_list_is_refused(void **state)
{
    (void)state;
    expect_file_refused(
        "port = {1, 2}\n",
        "quizrushd.conf:1: unexpected token '{'; a line is key = value, with quotes closed");
    expect_file_refused("port += 1\n",
                        "quizrushd.conf:1: attempt to append to non-list option 'port'; a line is "
                        "key = value, with quotes closed");
    expect_file_refused("server { port = 1 }\n",
                        "quizrushd.conf:1: \"server\" is not a key (--print-config lists them)");
}

static void a_refused_file_leaves_the_next_one_readable(void **state)
{
    (void)state;
    expect_file_refused("data_dir = \"/srv",
                        "quizrushd.conf:1: unfinished; a line is key = value, with quotes closed");
    assert_int_equal(read_text("port = 9000\n").port, 9000);
}

static void a_file_that_is_not_there_is_refused(void **state)
{
    (void)state;
    struct conf conf = defaults();
    struct conf_problem problem = {""};
    assert_false(conf_read_file(&conf, "nowhere.conf", &problem));
    assert_string_equal(problem.text, "nowhere.conf: No such file or directory");
}

static void a_directory_is_refused(void **state)
{
    (void)state;
    struct conf conf = defaults();
    struct conf_problem problem = {""};
    assert_false(conf_read_file(&conf, ".", &problem));
    assert_string_equal(problem.text, ".: Is a directory");
}

static void a_file_with_a_nul_is_refused(void **state)
{
    (void)state;
    expect_bytes_refused("port = 1\0", 9, "quizrushd.conf: not a text file");
}

static void a_file_that_is_too_big_is_refused(void **state)
{
    (void)state;
    char *text = malloc(CONF_FILE_BYTES_MAX + 1);
    assert_non_null(text);
    memset(text, '\n', CONF_FILE_BYTES_MAX + 1);
    write_file(text, CONF_FILE_BYTES_MAX);
    struct conf conf = defaults();
    struct conf_problem problem = {""};
    assert_true(conf_read_file(&conf, file_name, &problem));
    expect_bytes_refused(text, CONF_FILE_BYTES_MAX + 1, "quizrushd.conf: more than 65536 bytes");
    free(text);
}

static int enter_directory(void **state)
{
    (void)state;
    static char directory[256];
    temp_template(directory, sizeof directory, "conf");
    if (mkdtemp(directory) == NULL || chdir(directory) != 0) return -1;
    *state = directory;
    return 0;
}

static int remove_directory(void **state)
{
    (void)unlink(file_name); /* It may never have been written. */
    return rmdir(*state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_may_stand_with_and_without_quotes),
        cmocka_unit_test(a_text_may_stand_with_and_without_quotes),
        cmocka_unit_test(what_the_file_does_not_say_keeps_its_value),
        cmocka_unit_test(comments_do_not_move_the_line_number),
        cmocka_unit_test(an_unknown_key_names_the_one_that_is_near),
        cmocka_unit_test(an_unknown_key_that_is_near_nothing_points_to_the_list),
        cmocka_unit_test(a_key_set_twice_is_refused),
        cmocka_unit_test(a_line_has_one_key),
        cmocka_unit_test(words_after_the_value_are_refused),
        cmocka_unit_test(a_line_without_an_equal_sign_is_refused),
        cmocka_unit_test(an_unfinished_line_is_refused),
        cmocka_unit_test(a_section_or_a_list_is_refused),
        cmocka_unit_test(a_refused_file_leaves_the_next_one_readable),
        cmocka_unit_test(a_file_that_is_not_there_is_refused),
        cmocka_unit_test(a_directory_is_refused),
        cmocka_unit_test(a_file_with_a_nul_is_refused),
        cmocka_unit_test(a_file_that_is_too_big_is_refused),
    };
    return cmocka_run_group_tests_name("conf_file", tests, enter_directory, remove_directory);
}
