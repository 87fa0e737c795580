/* The log's lines. Stderr is a socket of datagrams here: each write arrives as one, whole. */

#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "edge/log.h"

struct capture {
    int saved_stderr;
    int reader;
};

static void capture_begin(struct capture *capture)
{
    int pair[2];
    (void)fflush(stderr);
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    capture->saved_stderr = dup(STDERR_FILENO);
    capture->reader = pair[0];
    assert_int_equal(dup2(pair[1], STDERR_FILENO), STDERR_FILENO);
    (void)close(pair[1]);
}

/* How many bytes the next write had; 0 where there is none. The text is terminated. */
static size_t capture_read(const struct capture *capture, char ret_line[2 * LOG_LINE_BYTES_MAX])
{
    ssize_t count = recv(capture->reader, ret_line, 2 * LOG_LINE_BYTES_MAX - 1, MSG_DONTWAIT);
    if (count < 0) count = 0;
    ret_line[count] = '\0';
    return (size_t)count;
}

static void capture_end(const struct capture *capture)
{
    (void)dup2(capture->saved_stderr, STDERR_FILENO);
    (void)close(capture->saved_stderr);
    (void)close(capture->reader);
}

static int begin(void **state)
{
    static struct capture capture;
    capture_begin(&capture);
    *state = &capture;
    return 0;
}

static int end(void **state)
{
    capture_end(*state);
    log_set_level(LOG_LEVEL_INFO);
    (void)unsetenv("JOURNAL_STREAM");
    return 0;
}

static void journal_is(dev_t device, ino_t inode)
{
    char stream[64];
    (void)snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)device,
                   (unsigned long long)inode);
    assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
}

static void stderr_is_the_journal(void)
{
    struct stat status;
    assert_int_equal(fstat(STDERR_FILENO, &status), 0);
    journal_is(status.st_dev, status.st_ino);
}

static void stderr_is_not_the_journal(void)
{
    struct stat status;
    assert_int_equal(fstat(STDERR_FILENO, &status), 0);
    journal_is(status.st_dev, status.st_ino + 1);
}

/* --- Lines. --- */

static void a_line_begins_with_the_time_in_utc(void **state)
{
    char line[2 * LOG_LINE_BYTES_MAX];
    log_event(LOG_LEVEL_INFO, "listening", "port=%d", 8080);
    (void)capture_read(*state, line);
    int year, month, day, hour, minute, second, ms, used = 0;
    assert_int_equal(sscanf(line, "time=%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &year, &month, &day, &hour,
                            &minute, &second, &ms, &used),
                     7);
    assert_string_equal(line + used, " level=info event=listening port=8080\n");
}

static void in_the_journal_a_line_begins_with_the_priority(void **state)
{
    char line[2 * LOG_LINE_BYTES_MAX];
    stderr_is_the_journal();
    log_event(LOG_LEVEL_ERROR, "store_failing", "results=%d", 3);
    (void)capture_read(*state, line);
    assert_string_equal(line, "<3>level=error event=store_failing results=3\n");
}

static void a_journal_that_is_not_stderr_is_no_journal(void **state)
{
    char line[2 * LOG_LINE_BYTES_MAX];
    stderr_is_not_the_journal();
    log_event(LOG_LEVEL_INFO, "listening", "port=%d", 8080);
    (void)capture_read(*state, line);
    assert_memory_equal(line, "time=", 5);
}

static void a_malformed_journal_stream_is_no_journal(void **state)
{
    char line[2 * LOG_LINE_BYTES_MAX];
    assert_int_equal(setenv("JOURNAL_STREAM", "9", 1), 0);
    log_event(LOG_LEVEL_INFO, "listening", "port=%d", 8080);
    (void)capture_read(*state, line);
    assert_memory_equal(line, "time=", 5);
}

static void one_event_is_one_write(void **state)
{
    char line[2 * LOG_LINE_BYTES_MAX];
    log_event(LOG_LEVEL_WARNING, "one", "a=%d b=%d c=%s", 1, 2, "three");
    size_t size = capture_read(*state, line);
    assert_int_equal(line[size - 1], '\n');
    assert_non_null(strstr(line, "level=warning event=one a=1 b=2 c=three\n"));
    assert_int_equal(capture_read(*state, line), 0);
}

static void a_line_without_fields_ends_after_the_event(void **state)
{
    char line[2 * LOG_LINE_BYTES_MAX];
    stderr_is_the_journal();
    log_event(LOG_LEVEL_INFO, "stopped", "%s", "");
    (void)capture_read(*state, line);
    assert_string_equal(line, "<6>level=info event=stopped\n");
}

static void a_line_break_in_a_field_makes_no_second_line(void **state)
{
    char line[2 * LOG_LINE_BYTES_MAX];
    stderr_is_the_journal();
    log_event(LOG_LEVEL_INFO, "careless", "text=%s", "a\nlevel=error\tb");
    (void)capture_read(*state, line);
    assert_string_equal(line, "<6>level=info event=careless text=a?level=error?b\n");
}

static void a_line_that_is_too_long_is_cut_and_ends(void **state)
{
    char line[2 * LOG_LINE_BYTES_MAX];
    char text[2 * LOG_LINE_BYTES_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_event(LOG_LEVEL_INFO, "long", "text=%s", text);
    size_t size = capture_read(*state, line);
    assert_in_range(size, LOG_LINE_BYTES_MAX - 2, LOG_LINE_BYTES_MAX);
    assert_int_equal(line[size - 1], '\n');
    assert_int_equal(line[size - 2], 'x');
}

static void a_line_of_any_length_near_the_bound_ends(void **state)
{
    char line[2 * LOG_LINE_BYTES_MAX];
    char text[2 * LOG_LINE_BYTES_MAX];
    memset(text, 'x', sizeof text);
    for (int size = LOG_LINE_BYTES_MAX - 100; size < LOG_LINE_BYTES_MAX + 100; size++) {
        log_event(LOG_LEVEL_INFO, "long", "text=%.*s", size, text);
        size_t written = capture_read(*state, line);
        assert_in_range(written, 1, LOG_LINE_BYTES_MAX);
        assert_int_equal(line[written - 1], '\n');
        assert_int_equal(line[written - 2], 'x');
    }
}

static void a_name_that_is_too_long_is_cut_and_ends(void **state)
{
    char line[2 * LOG_LINE_BYTES_MAX];
    char name[2 * LOG_LINE_BYTES_MAX];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    log_event(LOG_LEVEL_INFO, name, "a=%d", 1);
    size_t size = capture_read(*state, line);
    assert_in_range(size, LOG_LINE_BYTES_MAX - 2, LOG_LINE_BYTES_MAX);
    assert_int_equal(line[size - 1], '\n');
}

/* --- Levels. --- */

static void a_line_above_the_level_is_not_written(void **state)
{
    char line[2 * LOG_LINE_BYTES_MAX];
    log_event(LOG_LEVEL_DEBUG, "detail", "a=%d", 1);
    assert_int_equal(capture_read(*state, line), 0);
}

static void a_line_at_the_level_is_written(void **state)
{
    char line[2 * LOG_LINE_BYTES_MAX];
    log_set_level(LOG_LEVEL_DEBUG);
    log_event(LOG_LEVEL_DEBUG, "detail", "a=%d", 1);
    assert_int_not_equal(capture_read(*state, line), 0);
}

static void an_error_passes_the_strictest_level(void **state)
{
    char line[2 * LOG_LINE_BYTES_MAX];
    log_set_level(LOG_LEVEL_ERROR);
    log_event(LOG_LEVEL_WARNING, "hm", "a=%d", 1);
    assert_int_equal(capture_read(*state, line), 0);
    log_event(LOG_LEVEL_ERROR, "oh", "a=%d", 1);
    assert_int_not_equal(capture_read(*state, line), 0);
}

/* --- Values. --- */

static void expect_written(const char *text, const char *expected)
{
    char buffer[LOG_VALUE_BYTES_MAX];
    assert_string_equal(log_value(text, buffer), expected);
}

static void a_plain_word_stands_as_it_is(void **state)
{
    (void)state;
    expect_written("127.0.0.1:8080", "127.0.0.1:8080");
}

static void an_empty_value_is_a_pair_of_quotes(void **state)
{
    (void)state;
    expect_written("", "\"\"");
}

static void a_space_or_an_equals_sign_needs_quotes(void **state)
{
    (void)state;
    expect_written("not here", "\"not here\"");
    expect_written("a=b", "\"a=b\"");
}

static void quotes_and_backslashes_are_escaped(void **state)
{
    (void)state;
    expect_written("say \"hi\"", "\"say \\\"hi\\\"\"");
    expect_written("a\\b", "\"a\\\\b\"");
}

static void controls_and_bytes_that_are_not_ascii_are_in_hex(void **state)
{
    (void)state;
    expect_written("a\nb", "\"a\\x0ab\"");
    expect_written("\x7f", "\"\\x7f\"");
    expect_written("caf\xc3\xa9", "\"caf\\xc3\\xa9\"");
}

static void a_plain_value_that_is_too_long_is_cut(void **state)
{
    (void)state;
    char text[2 * LOG_VALUE_BYTES_MAX];
    char buffer[LOG_VALUE_BYTES_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(strlen(log_value(text, buffer)), LOG_VALUE_BYTES_MAX - 1);
}

static void a_quoted_value_that_is_too_long_is_cut_before_its_quote(void **state)
{
    (void)state;
    char text[2 * LOG_VALUE_BYTES_MAX];
    char buffer[LOG_VALUE_BYTES_MAX];
    memset(text, '\n', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    (void)log_value(text, buffer);
    size_t size = strlen(buffer);
    /* Whole escapes of four bytes between the quotes. */
    assert_int_equal((size - 2) % 4, 0);
    assert_string_equal(buffer + size - 5, "\\x0a\"");
}

static void a_quoted_value_fills_its_buffer_and_no_more(void **state)
{
    (void)state;
    char text[2 * LOG_VALUE_BYTES_MAX];
    char buffer[LOG_VALUE_BYTES_MAX];
    memset(text, ' ', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(strlen(log_value(text, buffer)), LOG_VALUE_BYTES_MAX - 1);
}

#define log_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_test(a_line_begins_with_the_time_in_utc),
        log_test(in_the_journal_a_line_begins_with_the_priority),
        log_test(a_journal_that_is_not_stderr_is_no_journal),
        log_test(a_malformed_journal_stream_is_no_journal),
        log_test(one_event_is_one_write),
        log_test(a_line_without_fields_ends_after_the_event),
        log_test(a_line_break_in_a_field_makes_no_second_line),
        log_test(a_line_that_is_too_long_is_cut_and_ends),
        log_test(a_line_of_any_length_near_the_bound_ends),
        log_test(a_name_that_is_too_long_is_cut_and_ends),
        log_test(a_line_above_the_level_is_not_written),
        log_test(a_line_at_the_level_is_written),
        log_test(an_error_passes_the_strictest_level),
        cmocka_unit_test(a_plain_word_stands_as_it_is),
        cmocka_unit_test(an_empty_value_is_a_pair_of_quotes),
        cmocka_unit_test(a_space_or_an_equals_sign_needs_quotes),
        cmocka_unit_test(quotes_and_backslashes_are_escaped),
        cmocka_unit_test(controls_and_bytes_that_are_not_ascii_are_in_hex),
        cmocka_unit_test(a_plain_value_that_is_too_long_is_cut),
        cmocka_unit_test(a_quoted_value_that_is_too_long_is_cut_before_its_quote),
        cmocka_unit_test(a_quoted_value_fills_its_buffer_and_no_more),
    };
    return cmocka_run_group_tests_name("edge/log", tests, NULL, NULL);
}
