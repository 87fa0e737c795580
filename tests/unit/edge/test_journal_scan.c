/* Reading what the last run has left: torn by a power cut, or corrupt. */

#include "journal_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { MANY = 16 };

static uint64_t offset_of(unsigned index)
{
    return JOURNAL_HEAD_BYTES + (uint64_t)index * FRAME_BYTES;
}

/* Records 1 to 3 are on disk and known to be, 4 is not. */
static void write_four(struct desk *desk)
{
    begin_run(desk, MANY);
    for (unsigned i = 1; i <= 3; i++) (void)append(desk, i);
    note_synced(desk);
    (void)append(desk, 4);
    end_run(desk);
}

enum { CLOCK_FRAME_BYTES = 56 };

static uint64_t offset_of_the_fourth(void)
{
    return offset_of(3) + CLOCK_FRAME_BYTES;
}

static void expect_problem(const struct finding *finding, unsigned segment, uint64_t offset)
{
    char name[PATH_BYTES];
    segment_name(segment, name);
    assert_non_null(strstr(finding->problem.file, name));
    assert_int_equal(finding->problem.offset, offset);
    assert_non_null(finding->problem.what);
}

static void expect_corrupt(struct desk *desk, unsigned segment, uint64_t offset)
{
    struct finding finding = scan(desk);
    assert_int_equal(finding.error, -EBADMSG);
    expect_problem(&finding, segment, offset);
}

/* --- Nothing is wrong. --- */

static void no_journal_is_an_empty_one(void **state)
{
    struct finding finding = scan(*state);
    assert_int_equal(finding.error, 0);
    assert_int_equal(finding.count, 0);
}

static void all_is_read_in_the_order_in_which_it_was_written(void **state)
{
    struct desk *desk = *state;
    write_four(desk);
    struct finding finding = scan(desk);
    expect_numbers(&finding, 1, 4);
    assert_int_equal(finding.torn, 0);
}

static void what_is_not_whole_does_not_count(void **state)
{
    struct desk *desk = *state;
    write_four(desk);
    char path[PATH_BYTES];
    path_of(desk, "00000002.tmp", path);
    assert_int_equal(mkdir(path, S_IRWXU), 0);
    struct finding finding = scan(desk);
    expect_numbers(&finding, 1, 4);
    uint32_t newest = 0;
    assert_int_equal(journal_scan_newest(desk->dir, &newest), 0);
    assert_int_equal(newest, 2);
}

/* --- Torn. --- */

static void a_last_record_that_is_cut_anywhere_is_not_there(void **state)
{
    struct desk *desk = *state;
    write_four(desk);
    uint64_t at = offset_of_the_fourth();
    for (unsigned cut = FRAME_BYTES; cut-- > 0;) {
        wipe(desk, 1, at + cut, 1);
        struct finding finding = scan(desk);
        expect_numbers(&finding, 1, 3);
        if (finding.torn > 0) expect_problem(&finding, 1, at);
    }
}

static void a_last_record_whose_first_half_is_missing_is_not_there(void **state)
{
    struct desk *desk = *state;
    write_four(desk);
    wipe(desk, 1, offset_of_the_fourth(), FRAME_BYTES / 2);
    struct finding finding = scan(desk);
    expect_numbers(&finding, 1, 3);
}

static void a_broken_byte_behind_what_was_synced_is_a_torn_tail(void **state)
{
    struct desk *desk = *state;
    write_four(desk);
    flip(desk, 1, offset_of_the_fourth() + JOURNAL_FRAME_BYTES + 20);
    struct finding finding = scan(desk);
    expect_numbers(&finding, 1, 3);
    assert_int_equal(finding.torn, 1);
    expect_problem(&finding, 1, offset_of_the_fourth());
}

/* Two segments, of which nothing is known to be on disk; returns the offset of the last record in the first one. */
static uint64_t write_two_segments(struct desk *desk)
{
    begin_run(desk, MANY);
    for (unsigned i = 1; i <= LARGE_IN_SEGMENT + 1; i++) (void)append_large(desk, i);
    end_run(desk);
    return JOURNAL_HEAD_BYTES + (uint64_t)(LARGE_IN_SEGMENT - 1) * LARGE_FRAME_BYTES;
}

/* And now it is. */
static void write_two_synced_segments(struct desk *desk)
{
    begin_run(desk, MANY);
    for (unsigned i = 1; i <= LARGE_IN_SEGMENT + 1; i++) (void)append_large(desk, i);
    note_synced(desk);
    end_run(desk);
}

static void behind_a_segment_whose_end_is_missing_nothing_counts(void **state)
{
    struct desk *desk = *state;
    uint64_t last = write_two_segments(desk);
    wipe(desk, 1, last, LARGE_FRAME_BYTES);
    struct finding finding = scan(desk);
    expect_numbers(&finding, 1, LARGE_IN_SEGMENT - 1);
    assert_int_equal(finding.torn, 1);
    expect_problem(&finding, 1, last);
}

static void behind_a_segment_that_is_missing_nothing_counts(void **state)
{
    struct desk *desk = *state;
    begin_run(desk, MANY);
    for (unsigned i = 1; i <= 2 * LARGE_IN_SEGMENT + 1; i++) (void)append_large(desk, i);
    end_run(desk);
    remove_segment(desk, 2);
    struct finding finding = scan(desk);
    expect_numbers(&finding, 1, LARGE_IN_SEGMENT);
    expect_problem(&finding, 2, 0);
}

static void a_segment_without_a_head_is_torn(void **state)
{
    struct desk *desk = *state;
    (void)write_two_segments(desk);
    wipe(desk, 2, 0, JOURNAL_HEAD_BYTES);
    struct finding finding = scan(desk);
    expect_numbers(&finding, 1, LARGE_IN_SEGMENT);
    expect_problem(&finding, 2, 0);
}

/* --- Corrupt. --- */

static void a_flipped_byte_in_what_was_synced_is_corrupt(void **state)
{
    struct desk *desk = *state;
    write_four(desk);
    flip(desk, 1, offset_of(1) + JOURNAL_FRAME_BYTES + 30);
    expect_corrupt(desk, 1, offset_of(1));
}

static void zeros_in_what_was_synced_are_corrupt(void **state)
{
    struct desk *desk = *state;
    write_four(desk);
    wipe(desk, 1, offset_of(1), FRAME_BYTES);
    expect_corrupt(desk, 1, offset_of(1));
}

static void a_wrong_head_of_what_was_synced_is_corrupt(void **state)
{
    struct desk *desk = *state;
    write_four(desk);
    flip(desk, 1, 3);
    expect_corrupt(desk, 1, 0);
}

static void a_missing_segment_of_what_was_synced_is_corrupt(void **state)
{
    struct desk *desk = *state;
    begin_run(desk, MANY);
    for (unsigned i = 1; i <= 2 * LARGE_IN_SEGMENT + 1; i++) (void)append_large(desk, i);
    note_synced(desk);
    end_run(desk);
    remove_segment(desk, 2);
    expect_corrupt(desk, 2, 0);
}

static void a_missing_end_of_a_segment_that_was_synced_is_corrupt(void **state)
{
    struct desk *desk = *state;
    write_two_synced_segments(desk);
    uint64_t last = JOURNAL_HEAD_BYTES + (uint64_t)(LARGE_IN_SEGMENT - 1) * LARGE_FRAME_BYTES;
    wipe(desk, 1, last, LARGE_FRAME_BYTES);
    expect_corrupt(desk, 1, last);
}

/* --- Not to be read. --- */

static void a_directory_that_cannot_be_read_is_no_empty_journal(void **state)
{
    struct desk *desk = *state;
    write_four(desk);
    char path[PATH_BYTES];
    path_of(desk, "00000001/00-00000001.qrj", path);
    struct journal_scan *scan;
    struct journal_problem problem;
    assert_int_equal(journal_scan_open(path, &scan, &problem), -ENOTDIR);
    assert_string_equal(problem.file, path);
    uint32_t newest;
    assert_int_equal(journal_scan_newest(path, &newest), -ENOTDIR);
}

static void a_run_that_is_a_file_is_named(void **state)
{
    struct desk *desk = *state;
    write_four(desk);
    char path[PATH_BYTES];
    path_of(desk, "00000009", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fclose(file);
    struct finding finding = scan(desk);
    assert_int_equal(finding.error, -ENOTDIR);
    assert_string_equal(finding.problem.file, path);
}

#define SCAN_TEST(name) cmocka_unit_test_setup_teardown(name, desk_begin, desk_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCAN_TEST(no_journal_is_an_empty_one),
        SCAN_TEST(all_is_read_in_the_order_in_which_it_was_written),
        SCAN_TEST(what_is_not_whole_does_not_count),
        SCAN_TEST(a_last_record_that_is_cut_anywhere_is_not_there),
        SCAN_TEST(a_last_record_whose_first_half_is_missing_is_not_there),
        SCAN_TEST(a_broken_byte_behind_what_was_synced_is_a_torn_tail),
        SCAN_TEST(behind_a_segment_whose_end_is_missing_nothing_counts),
        SCAN_TEST(behind_a_segment_that_is_missing_nothing_counts),
        SCAN_TEST(a_segment_without_a_head_is_torn),
        SCAN_TEST(a_flipped_byte_in_what_was_synced_is_corrupt),
        SCAN_TEST(zeros_in_what_was_synced_are_corrupt),
        SCAN_TEST(a_wrong_head_of_what_was_synced_is_corrupt),
        SCAN_TEST(a_missing_segment_of_what_was_synced_is_corrupt),
        SCAN_TEST(a_missing_end_of_a_segment_that_was_synced_is_corrupt),
        SCAN_TEST(a_directory_that_cannot_be_read_is_no_empty_journal),
        SCAN_TEST(a_run_that_is_a_file_is_named),
    };
    return cmocka_run_group_tests_name("journal scan", tests, NULL, NULL);
}
