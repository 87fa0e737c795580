/* The journal while it is written: what survives whom, where it finds room, what it gives up. */

#include "journal_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "edge/clock.h"
#include "proto/journal.h"

enum { MANY = 16 };

/* --- Appending and syncing. --- */

static void what_is_appended_is_read_again_in_order(void **state)
{
    struct desk *desk = *state;
    begin_run(desk, MANY);
    for (unsigned i = 1; i <= 3; i++) (void)append(desk, i);
    uint64_t at = journal_first(desk->journal, 0);
    const uint8_t *record;
    size_t bytes;
    for (unsigned i = 1; i <= 3; i++) {
        assert_true(journal_next(desk->journal, 0, &at, &record, &bytes));
        assert_int_equal(bytes, RECORD_BYTES);
        assert_int_equal(record[1], i);
    }
    assert_false(journal_next(desk->journal, 0, &at, &record, &bytes));
}

static bool has_the_next_segment(struct desk *desk)
{
    struct store_journal_stats stats;
    journal_stats(desk->journal, &stats);
    return stats.bytes == 2 * SEGMENT_BYTES;
}

static void what_was_appended_is_there_without_a_sync(void **state)
{
    struct desk *desk = *state;
    begin_run(desk, MANY);
    (void)append(desk, 1);
    (void)append(desk, 2);
    wait_until(has_the_next_segment,
               desk); /* One that is being made has no head yet, as a torn one. */
    struct finding finding = scan(desk); /* As after kill -9: nothing was closed. */
    expect_numbers(&finding, 1, 2);
    assert_int_equal(finding.torn, 0);
}

static void a_sync_covers_all_that_was_appended_before_it(void **state)
{
    struct desk *desk = *state;
    begin_run(desk, MANY);
    (void)append(desk, 1);
    uint64_t second = append(desk, 2);
    assert_true(journal_synced(desk->journal, 0) < second);
    sync_all(desk);
    assert_int_equal(journal_synced(desk->journal, 0), second);
    struct store_journal_stats stats;
    journal_stats(desk->journal, &stats);
    assert_int_equal(stats.syncs, 1);
    assert_int_equal(stats.records, 2);
}

static void syncs_that_follow_each_other_begin_apart(void **state)
{
    struct desk *desk = *state;
    begin_run(desk, MANY);
    mono_time before_the_first = clock_mono();
    for (unsigned i = 1; i <= 5; i++) {
        (void)append(desk, i);
        sync_all(desk);
    }
    assert_true(mono_elapsed(before_the_first, clock_mono()) >= 4 * JOURNAL_SYNC_APART_MS);
}

static void a_record_that_does_not_fit_begins_the_next_segment(void **state)
{
    struct desk *desk = *state;
    begin_run(desk, MANY);
    for (unsigned i = 1; i <= LARGE_IN_SEGMENT + 1; i++) (void)append_large(desk, i);
    struct finding finding = scan(desk);
    expect_numbers(&finding, 1, LARGE_IN_SEGMENT + 1);
    uint64_t at = journal_first(desk->journal, 0);
    const uint8_t *record;
    size_t bytes;
    for (unsigned i = 1; i <= LARGE_IN_SEGMENT + 1; i++) {
        assert_true(journal_next(desk->journal, 0, &at, &record, &bytes));
        assert_int_equal(record[1], i);
    }
}

static bool has_synced_the_first(struct desk *desk)
{
    return journal_synced(desk->journal, 0) >> 32 >= 1 &&
           (uint32_t)journal_synced(desk->journal, 0) > LARGE_FRAME_BYTES;
}

static void a_segment_that_is_full_is_synced_although_nobody_waits(void **state)
{
    struct desk *desk = *state;
    begin_run(desk, MANY);
    for (unsigned i = 1; i <= LARGE_IN_SEGMENT + 1; i++) (void)append_large(desk, i);
    wait_until(has_synced_the_first, desk);
}

/* --- Room. --- */

static bool is_full(struct desk *desk)
{
    struct store_journal_stats stats;
    journal_stats(desk->journal, &stats);
    return stats.is_full;
}

static bool is_not_full(struct desk *desk)
{
    return !is_full(desk);
}

/* Two segments, and no more. */
static void fill(struct desk *desk)
{
    unsigned number = 1;
    begin_run(desk, 2);
    for (unsigned i = 0; i <= LARGE_IN_SEGMENT; i++) (void)append_large(desk, number++);
    wait_until(is_full, desk);
    while (try_append(desk, number++, LARGE_BYTES)) continue;
}

static void beyond_the_bound_nothing_is_appended(void **state)
{
    struct desk *desk = *state;
    fill(desk);
    struct store_journal_stats stats;
    journal_stats(desk->journal, &stats);
    assert_int_equal(stats.bytes, 2 * SEGMENT_BYTES);
    assert_int_equal(stats.refused, 1);
    struct finding finding = scan(desk);
    expect_numbers(&finding, 1, 2 * LARGE_IN_SEGMENT);
}

static void there_is_room_again_when_a_segment_is_not_needed(void **state)
{
    struct desk *desk = *state;
    fill(desk);
    sync_all(desk);
    journal_need_from(desk->journal, 0, journal_synced(desk->journal, 0));
    wait_until(is_not_full, desk);
    assert_true(try_append(desk, 1, LARGE_BYTES));
}

static void a_record_that_would_leave_less_than_the_reserve_is_refused(void **state)
{
    struct desk *desk = *state;
    fill(desk);
    uint8_t record[RECORD_BYTES] = {JOURNAL_SEAT};
    uint64_t left = 0;
    while (journal_has_room(desk->journal, 0, RECORD_BYTES, left + 1)) left++;
    assert_false(journal_append(desk->journal, 0, record, RECORD_BYTES, left + 1, NULL));
    assert_true(journal_append(desk->journal, 0, record, RECORD_BYTES, left, NULL));
}

static void before_the_commit_there_is_room_for_all_that_was_left(void **state)
{
    struct desk *desk = *state;
    open_journal(desk, 2);
    uint8_t record[RECORD_BYTES] = {JOURNAL_SEAT, 1};
    for (unsigned i = 1; i <= 4 * LARGE_IN_SEGMENT; i++) (void)append_large(desk, i);
    /* A reserve is for what runs. */
    assert_true(journal_append(desk->journal, 0, record, RECORD_BYTES, SEGMENT_BYTES / 2, NULL));
    commit(desk);
    wait_until(is_full, desk);
    struct finding finding = scan(desk);
    assert_int_equal(finding.count, 4 * LARGE_IN_SEGMENT + 1);
}

/* --- Memory. --- */

/* Of the journal's files, as the kernel counts it for this process. */
static unsigned resident_kb(void)
{
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    char line[512];
    unsigned sum_kb = 0, kb;
    unsigned long begin, end;
    bool is_journal = false;
    while (fgets(line, sizeof line, maps) != NULL) {
        if (sscanf(line, "%lx-%lx ", &begin, &end) == 2) is_journal = strstr(line, ".qrj") != NULL;
        if (is_journal && sscanf(line, "Rss: %u kB", &kb) == 1) sum_kb += kb;
    }
    (void)fclose(maps);
    return sum_kb;
}

static bool has_let_go(struct desk *desk)
{
    (void)desk;
    return resident_kb() <= LARGE_BYTES / 1024;
}

static void what_was_written_is_let_go_of_and_can_be_read(void **state)
{
    struct desk *desk = *state;
    begin_run(desk, MANY);
    for (unsigned i = 1; i <= LARGE_IN_SEGMENT; i++) (void)append_large(desk, i);
    wait_until(has_let_go, desk);
    uint64_t at = journal_first(desk->journal, 0);
    const uint8_t *record;
    size_t bytes;
    for (unsigned i = 1; i <= LARGE_IN_SEGMENT; i++) {
        assert_true(journal_next(desk->journal, 0, &at, &record, &bytes));
        assert_int_equal(bytes, LARGE_BYTES);
        assert_int_equal(record[1], i);
    }
    struct finding finding = scan(desk);
    expect_numbers(&finding, 1, LARGE_IN_SEGMENT);
}

/* --- What is given up. --- */

static bool has_no_first_segment(struct desk *desk)
{
    char name[PATH_BYTES];
    segment_name(1, name);
    return !has_file(desk, name);
}

static void what_is_not_needed_is_removed(void **state)
{
    struct desk *desk = *state;
    begin_run(desk, MANY);
    for (unsigned i = 1; i <= LARGE_IN_SEGMENT; i++) (void)append_large(desk, i);
    uint64_t later = append_large(desk, LARGE_IN_SEGMENT + 1);
    sync_all(desk);
    assert_false(has_no_first_segment(desk));
    journal_need_from(desk->journal, 0, later);
    wait_until(has_no_first_segment, desk);
    struct finding finding = scan(desk);
    expect_numbers(&finding, LARGE_IN_SEGMENT + 1, LARGE_IN_SEGMENT + 1);
}

static bool has_no_older_run(struct desk *desk)
{
    return !has_file(desk, "00000001") && !has_file(desk, "00000002.tmp");
}

static void older_runs_are_removed_once_this_one_counts(void **state)
{
    struct desk *desk = *state;
    begin_run(desk, MANY);
    (void)append(desk, 1);
    end_run(desk);
    open_journal(desk, MANY);
    end_run(desk); /* A start that failed. */
    assert_true(has_file(desk, "00000002.tmp"));
    open_journal(desk, MANY);
    (void)append(desk, 2);
    struct finding finding = scan(desk);
    expect_numbers(&finding, 1, 1);
    commit(desk);
    finding = scan(desk);
    expect_numbers(&finding, 2, 2);
    wait_until(has_no_older_run, desk);
}

static void a_run_that_was_not_committed_changes_nothing(void **state)
{
    struct desk *desk = *state;
    begin_run(desk, MANY);
    (void)append(desk, 1);
    end_run(desk);
    open_journal(desk, MANY);
    (void)append(desk, 2);
    end_run(desk);
    struct finding finding = scan(desk);
    expect_numbers(&finding, 1, 1);
}

/* --- Failures. --- */

static void a_directory_that_is_a_file_is_an_error(void **state)
{
    struct desk *desk = *state;
    char path[PATH_BYTES];
    path_of(desk, "file", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fclose(file);
    struct journal *journal;
    struct journal_options options = {
        .dir = path, .shards = 1, .segment_bytes = SEGMENT_BYTES, .max_bytes = SEGMENT_BYTES};
    assert_int_equal(journal_create(&options, &journal), -ENOTDIR);
}

#define JOURNAL_TEST(name) cmocka_unit_test_setup_teardown(name, desk_begin, desk_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        JOURNAL_TEST(what_is_appended_is_read_again_in_order),
        JOURNAL_TEST(what_was_appended_is_there_without_a_sync),
        JOURNAL_TEST(a_sync_covers_all_that_was_appended_before_it),
        JOURNAL_TEST(syncs_that_follow_each_other_begin_apart),
        JOURNAL_TEST(a_record_that_does_not_fit_begins_the_next_segment),
        JOURNAL_TEST(a_segment_that_is_full_is_synced_although_nobody_waits),
        JOURNAL_TEST(beyond_the_bound_nothing_is_appended),
        JOURNAL_TEST(there_is_room_again_when_a_segment_is_not_needed),
        JOURNAL_TEST(a_record_that_would_leave_less_than_the_reserve_is_refused),
        JOURNAL_TEST(before_the_commit_there_is_room_for_all_that_was_left),
        JOURNAL_TEST(what_was_written_is_let_go_of_and_can_be_read),
        JOURNAL_TEST(what_is_not_needed_is_removed),
        JOURNAL_TEST(older_runs_are_removed_once_this_one_counts),
        JOURNAL_TEST(a_run_that_was_not_committed_changes_nothing),
        JOURNAL_TEST(a_directory_that_is_a_file_is_an_error),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
