/* What is printed, and that what is shipped and documented is the same. */

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

static char *printed(void (*print)(FILE *out))
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    print(out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static char *read_project_file(const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", PROJECT_DIR, name);
    FILE *file = fopen(path, "r");
    if (file == NULL) fail_msg("%s: cannot be read", path);
    char *text = calloc(1, CONF_FILE_BYTES_MAX);
    assert_non_null(text);
    size_t bytes = fread(text, 1, CONF_FILE_BYTES_MAX - 1, file);
    assert_in_range(bytes, 1, CONF_FILE_BYTES_MAX - 2);
    assert_int_equal(fclose(file), 0);
    return text;
}

static void what_is_printed_reads_back_the_same(void **state)
{
    (void)state;
    struct conf conf = read_text("data_dir = \"/srv/\\\"a\\\\b\\\" \\${HOME} # c\"\nport = 9000\n");
    assert_string_equal(conf.data_dir, "/srv/\"a\\b\" ${HOME} # c");
    FILE *out = fopen("printed.conf", "w");
    assert_non_null(out);
    conf_print(&conf, out);
    assert_int_equal(fclose(out), 0);
    struct conf again = defaults();
    struct conf_problem problem = {""};
    if (!conf_read_file(&again, "printed.conf", &problem)) fail_msg("%s", problem.text);
    assert_memory_equal(&again, &conf, sizeof(conf));
    assert_int_equal(unlink("printed.conf"), 0);
}

static void the_shipped_file_is_the_table(void **state)
{
    (void)state;
    char *shipped = read_project_file("config/quizrushd.conf");
    char *expected = printed(conf_print_sample);
    assert_string_equal(shipped, expected);
    free(expected);
    free(shipped);
}

static void the_shipped_file_changes_nothing(void **state)
{
    (void)state;
    char *shipped = read_project_file("config/quizrushd.conf");
    struct conf conf = read_text(shipped);
    struct conf expected = defaults();
    assert_memory_equal(&conf, &expected, sizeof(conf));
    free(shipped);
}

static void the_operations_guide_has_the_table(void **state)
{
    (void)state;
    char *guide = read_project_file("docs/operations.md");
    char *expected = printed(conf_print_table);
    char *table = strstr(guide, "<!-- conf-keys -->\n");
    assert_non_null(table);
    table += strlen("<!-- conf-keys -->\n");
    char *end = strstr(table, "<!-- /conf-keys -->");
    assert_non_null(end);
    *end = '\0';
    assert_string_equal(table, expected);
    free(expected);
    free(guide);
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
        cmocka_unit_test(what_is_printed_reads_back_the_same),
        cmocka_unit_test(the_shipped_file_is_the_table),
        cmocka_unit_test(the_shipped_file_changes_nothing),
        cmocka_unit_test(the_operations_guide_has_the_table),
    };
    return cmocka_run_group_tests_name("conf_print", tests, enter_directory, remove_directory);
}
