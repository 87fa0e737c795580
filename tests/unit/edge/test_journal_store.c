/* A journal before a database: what is on disk counts, and reaches the database once. */

#include "journal_fixture.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "edge/clock.h"
#include "edge/journal_store.h"
#include "proto/journal.h"
#include "store_double.h"

enum {
    MANY = 16,
    MATCHES_MAX = 256,
    LOADS_MAX = 4,
    RESULTS_MAX = 128,
    ANSWERS_MAX = 16,
    BEGIN_BYTES = 8192,
    SOON_MS = 500
};

struct bench {
    struct desk *desk;
    struct store_double database;
    struct store *store;
    struct store_answer answers[ANSWERS_MAX];
    unsigned count;
};

static void open_store(struct bench *bench, struct desk *desk)
{
    struct journal_store_options options = {.journal = desk->journal,
                                            .store = &bench->database.store,
                                            .shards = 1,
                                            .matches_max = MATCHES_MAX,
                                            .results_max = RESULTS_MAX,
                                            .loads_max = LOADS_MAX};
    assert_int_equal(journal_store_create(&options, &bench->store), 0);
}

/* Of a running journal with room for `segments_max`. */
static struct bench *bench_of(void **state, unsigned segments_max)
{
    static struct bench bench;
    memset(&bench, 0, sizeof(bench));
    bench.desk = *state;
    store_double_init(&bench.database);
    open_journal(bench.desk, segments_max);
    open_store(&bench, bench.desk);
    commit(bench.desk);
    return &bench;
}

static void close_store(struct bench *bench)
{
    bench->store->class->destroy(bench->store);
    bench->desk->journal = NULL; /* It was the store's. */
}

static void look(struct bench *bench)
{
    bench->count += store_take_answers(bench->store, 0, bench->answers + bench->count,
                                       ANSWERS_MAX - bench->count);
}

static struct store_answer next_answer(struct bench *bench)
{
    mono_time until = mono_after(clock_mono(), WAIT_MS);
    look(bench);
    while (bench->count == 0) {
        assert_true(mono_is_before(clock_mono(), until));
        (void)poll(NULL, 0, 1);
        look(bench);
    }
    struct store_answer answer = bench->answers[0];
    memmove(bench->answers, bench->answers + 1, --bench->count * sizeof(answer));
    return answer;
}

/* Answers that come meanwhile are kept. */
static void wait_for_database(struct bench *bench, unsigned handed)
{
    mono_time until = mono_after(clock_mono(), WAIT_MS);
    while (bench->database.handed < handed) {
        assert_true(mono_is_before(clock_mono(), until));
        look(bench);
        (void)poll(NULL, 0, 1);
    }
}

static struct handle handle_of(unsigned number)
{
    return (struct handle){number, 1};
}

static void save(struct bench *bench, unsigned number)
{
    struct match_result result = double_result(number);
    assert_int_equal(store_save(bench->store, 0, handle_of(number), &result), 0);
}

static void expect_saved(struct bench *bench, unsigned number)
{
    struct store_answer answer = next_answer(bench);
    assert_int_equal(answer.kind, STORE_SAVED);
    assert_true(handle_equal(answer.handle, handle_of(number)));
    assert_true(answer.is_saved);
}

static struct store_stats stats_of(struct bench *bench)
{
    struct store_stats stats;
    bench->store->class->stats(bench->store, &stats);
    return stats;
}

/* How many records of a kind the disk holds. */
static unsigned count_on_disk(const struct desk *desk, enum journal_kind kind)
{
    struct journal_scan *scan;
    struct journal_problem problem;
    unsigned shard, count = 0;
    const uint8_t *record;
    size_t bytes;
    assert_int_equal(journal_scan_open(desk->dir, &scan, &problem), 0);
    while (journal_scan_next(scan, &shard, &record, &bytes)) count += record[0] == kind;
    journal_scan_close(scan);
    return count;
}

/* --- Results. --- */

static void a_result_counts_when_it_is_on_disk_whatever_the_database_does(void **state)
{
    struct bench *bench = bench_of(state, MANY);
    bench->database.mode = DOUBLE_SILENT;
    save(bench, 1);
    expect_saved(bench, 1);
    assert_int_equal(count_on_disk(bench->desk, JOURNAL_RESULT), 1);
    assert_int_equal(stats_of(bench).journal.results_waiting, 1);
    bench->database.mode = DOUBLE_PROMPT;
    close_store(bench);
}

static void a_result_reaches_the_database_with_all_that_is_in_it(void **state)
{
    struct bench *bench = bench_of(state, MANY);
    save(bench, 1);
    wait_for_database(bench, 1);
    struct match_result sent = double_result(1);
    assert_true(id_equal(&bench->database.last.match, &sent.match));
    assert_int_equal(bench->database.last.players[0].score, sent.players[0].score);
    assert_int_equal(bench->database.last.tau_milli, sent.tau_milli);
    assert_string_equal(bench->database.last_question, sent.rounds[0].question->text);
    expect_saved(bench, 1);
    close_store(bench);
}

static void what_the_database_has_is_marked_so_that_no_start_hands_it_on(void **state)
{
    struct bench *bench = bench_of(state, MANY);
    save(bench, 1);
    expect_saved(bench, 1);
    close_store(bench);
    assert_int_equal(bench->database.saved, 1);
    assert_int_equal(count_on_disk(bench->desk, JOURNAL_STORED), 1);
}

static void what_the_database_refuses_is_tried_again_later(void **state)
{
    struct bench *bench = bench_of(state, MANY);
    bench->database.mode = DOUBLE_FAILING;
    save(bench, 1);
    expect_saved(bench, 1);
    wait_for_database(bench, 1);
    look(bench);
    assert_int_equal(count_on_disk(bench->desk, JOURNAL_STORED), 0);
    mono_time due;
    assert_true(store_next_due(bench->store, 0, &due));
    assert_true(mono_is_before(clock_mono(), due));
    assert_int_equal(stats_of(bench).journal.results_retried, 1);
    bench->database.mode = DOUBLE_PROMPT;
    wait_for_database(bench, 2);
    look(bench);
    assert_int_equal(stats_of(bench).journal.results_waiting, 0);
    assert_int_equal(bench->database.saved, 1);
    close_store(bench);
}

static void results_that_find_the_databases_queue_full_wait_in_the_journal(void **state)
{
    struct bench *bench = bench_of(state, MANY);
    bench->database.mode = DOUBLE_FULL;
    for (unsigned i = 1; i <= 3; i++) save(bench, i);
    for (unsigned i = 1; i <= 3; i++) expect_saved(bench, i);
    assert_int_equal(stats_of(bench).journal.results_waiting, 3);
    bench->database.mode = DOUBLE_PROMPT;
    close_store(bench); /* Within which they are handed on. */
    assert_int_equal(bench->database.saved, 3);
}

static void many_results_are_handed_on_some_at_a_time(void **state)
{
    enum { TIMES = 3, RESULTS = TIMES * JOURNAL_STORE_HAND_AT_ONCE };
    struct bench *bench = bench_of(state, MANY);
    for (unsigned i = 1; i <= RESULTS; i++) save(bench, i);
    sync_all(bench->desk);
    struct id player = double_player(0);
    assert_int_equal(store_load(bench->store, 0, (struct handle){1, 1}, &player), 0);
    for (unsigned i = 1; i <= TIMES; i++) {
        mono_time due;
        assert_true(store_next_due(bench->store, 0, &due) && !mono_is_before(clock_mono(), due));
        look(bench);
        assert_int_equal(bench->database.handed, i * JOURNAL_STORE_HAND_AT_ONCE);
    }
    close_store(bench);
    assert_int_equal(bench->database.saved, RESULTS);
}

static void a_result_that_an_earlier_run_has_left_is_handed_on(void **state)
{
    static struct bench bench;
    static uint8_t bytes[JOURNAL_RECORD_BYTES_MAX];
    memset(&bench, 0, sizeof(bench));
    bench.desk = *state;
    store_double_init(&bench.database);
    open_journal(bench.desk, MANY);
    open_store(&bench, bench.desk);
    struct match_result result = double_result(1);
    size_t size = journal_write_result(bytes, &result);
    assert_true(store_append(bench.store, 0, bytes, size));
    assert_int_equal(stats_of(&bench).journal.results_waiting, 1);
    commit(bench.desk);
    wait_for_database(&bench, 1);
    look(&bench);
    assert_int_equal(bench.count, 0); /* Nobody waits for it here. */
    assert_int_equal(stats_of(&bench).journal.results_waiting, 0);
    close_store(&bench);
}

/* --- Look-ups. --- */

static int load(struct bench *bench, unsigned session, struct id player)
{
    return store_load(bench->store, 0, handle_of(session), &player);
}

static void a_look_up_waits_for_the_players_results(void **state)
{
    struct bench *bench = bench_of(state, MANY);
    bench->database.mode = DOUBLE_SILENT;
    save(bench, 1);
    expect_saved(bench, 1);
    wait_for_database(bench, 1);
    assert_int_equal(load(bench, 7, double_player(0)), 0);
    look(bench);
    assert_int_equal(bench->database.loads, 0);
    mono_time due;
    assert_true(store_next_due(bench->store, 0, &due));
    assert_true(mono_is_before(due, mono_after(clock_mono(), SOON_MS)));
    store_double_answer_all(&bench->database);
    struct store_answer answer = next_answer(bench);
    assert_int_equal(answer.kind, STORE_LOADED);
    assert_true(handle_equal(answer.handle, handle_of(7)));
    assert_int_equal(bench->database.loads, 1);
    bench->database.mode = DOUBLE_PROMPT;
    close_store(bench);
}

static void a_look_up_of_somebody_else_does_not_wait(void **state)
{
    struct bench *bench = bench_of(state, MANY);
    bench->database.mode = DOUBLE_SILENT;
    save(bench, 1);
    expect_saved(bench, 1);
    assert_int_equal(load(bench, 7, double_player(9)), 0);
    assert_int_equal(bench->database.loads, 1);
    bench->database.mode = DOUBLE_PROMPT;
    store_double_answer_all(&bench->database);
    close_store(bench);
}

static void a_look_up_that_nobody_waits_for_is_answered_as_failed(void **state)
{
    struct bench *bench = bench_of(state, MANY);
    bench->database.mode = DOUBLE_SILENT;
    save(bench, 1);
    expect_saved(bench, 1);
    assert_int_equal(load(bench, 7, double_player(0)), 0);
    store_cancel_load(bench->store, 0, handle_of(7));
    struct store_answer answer = next_answer(bench);
    assert_int_equal(answer.loaded.outcome, LOAD_FAILED);
    assert_int_equal(bench->database.loads, 0);
    bench->database.mode = DOUBLE_PROMPT;
    store_double_answer_all(&bench->database);
    close_store(bench);
}

static void more_look_ups_than_may_wait_are_refused(void **state)
{
    struct bench *bench = bench_of(state, MANY);
    bench->database.mode = DOUBLE_SILENT;
    save(bench, 1);
    expect_saved(bench, 1);
    for (unsigned i = 0; i < LOADS_MAX; i++) {
        assert_int_equal(load(bench, i, double_player(0)), 0);
    }
    assert_int_equal(load(bench, LOADS_MAX, double_player(0)), -EAGAIN);
    bench->database.mode = DOUBLE_PROMPT;
    store_double_answer_all(&bench->database);
    close_store(bench);
}

/* --- Room. --- */

static bool append_mark(struct bench *bench, enum journal_kind kind, unsigned number)
{
    uint8_t bytes[JOURNAL_EVENT_BYTES_MAX];
    struct match_result result = double_result(number);
    return store_append(bench->store, 0, bytes, journal_write_mark(bytes, kind, &result.match));
}

/* As the beginning of a match: nobody reads what is in it. */
static bool append_begin(struct bench *bench, unsigned number)
{
    static uint8_t bytes[BEGIN_BYTES];
    struct match_result result = double_result(number);
    bytes[0] = JOURNAL_BEGIN;
    memcpy(bytes + 1, &result.match, sizeof(result.match));
    return store_append(bench->store, 0, bytes, sizeof(bytes));
}

/* With small records, until none fits. */
static void fill_up(struct bench *bench)
{
    uint8_t bytes[JOURNAL_EVENT_BYTES_MAX];
    struct match_result result = double_result(1);
    struct journal_seat seat = {.seat = 0};
    size_t size = journal_write_seat(bytes, &result.match, &seat);
    mono_time until = mono_after(clock_mono(), WAIT_MS);
    while (!stats_of(bench).journal.is_full || store_append(bench->store, 0, bytes, size)) {
        assert_true(mono_is_before(clock_mono(), until));
        if (!store_append(bench->store, 0, bytes, size)) (void)poll(NULL, 0, 1);
    }
}

static void a_match_begins_only_where_room_for_the_rest_of_it_is_left(void **state)
{
    struct bench *bench = bench_of(state, 2);
    unsigned number = 0;
    assert_true(store_has_room(bench->store, 0));
    mono_time until = mono_after(clock_mono(), WAIT_MS);
    while (!stats_of(bench).journal.is_full || append_begin(bench, number + 1)) {
        assert_true(mono_is_before(clock_mono(), until));
        if (append_begin(bench, ++number)) continue;
        (void)poll(NULL, 0, 1);
        number--;
    }
    assert_false(store_has_room(bench->store, 0));
    save(bench, number + 1);
    expect_saved(bench, number + 1);
    assert_int_equal(count_on_disk(bench->desk, JOURNAL_RESULT), 1);
    close_store(bench);
}

static void without_room_a_result_goes_straight_to_the_database(void **state)
{
    struct bench *bench = bench_of(state, 2);
    assert_true(append_begin(bench, 1));
    fill_up(bench);
    save(bench, 1);
    assert_int_equal(bench->database.handed, 1);
    expect_saved(bench, 1);
    assert_int_equal(bench->database.saved, 1);
    assert_int_equal(count_on_disk(bench->desk, JOURNAL_RESULT), 0);
    close_store(bench);
}

static void without_room_and_without_a_database_the_match_hears_so(void **state)
{
    struct bench *bench = bench_of(state, 2);
    assert_true(append_begin(bench, 1));
    fill_up(bench);
    bench->database.mode = DOUBLE_FULL;
    struct match_result result = double_result(1);
    assert_int_equal(store_save(bench->store, 0, handle_of(1), &result), -EAGAIN);
    bench->database.mode = DOUBLE_FAILING;
    assert_int_equal(store_save(bench->store, 0, handle_of(1), &result), 0);
    assert_false(next_answer(bench).is_saved);
    close_store(bench);
}

static bool has_no_first_segment(struct desk *desk)
{
    char name[PATH_BYTES];
    segment_name(1, name);
    return !has_file(desk, name);
}

static void look_until(struct bench *bench, bool (*is_so)(struct desk *desk))
{
    mono_time until = mono_after(clock_mono(), WAIT_MS);
    while (!is_so(bench->desk)) {
        assert_true(mono_is_before(clock_mono(), until));
        look(bench);
        (void)poll(NULL, 0, 1);
    }
}

static void a_match_that_is_over_finds_room_to_say_so_and_frees_what_it_held(void **state)
{
    struct bench *bench = bench_of(state, 2);
    assert_true(append_begin(bench, 1));
    fill_up(bench);
    look(bench);
    assert_false(has_no_first_segment(bench->desk));
    assert_true(append_mark(bench, JOURNAL_OVER, 1));
    journal_sync_all(bench->desk->journal, 0);
    look_until(bench, has_no_first_segment);
    close_store(bench);
}

static void a_result_that_the_database_has_not_is_not_given_up(void **state)
{
    struct bench *bench = bench_of(state, 2);
    bench->database.mode = DOUBLE_SILENT;
    save(bench, 1);
    expect_saved(bench, 1);
    fill_up(bench);
    sync_all(bench->desk);
    look(bench);
    assert_false(has_no_first_segment(bench->desk));
    store_double_answer_all(&bench->database);
    look_until(bench, has_no_first_segment);
    close_store(bench);
}

/* --- The end. --- */

static void what_is_under_way_at_the_end_is_handed_on(void **state)
{
    struct bench *bench = bench_of(state, MANY);
    save(bench, 1);
    close_store(bench);
    assert_int_equal(bench->database.saved, 1);
    assert_true(bench->database.is_destroyed);
}

static void a_journal_that_was_never_committed_does_not_hold_up_the_end(void **state)
{
    static struct bench bench;
    static uint8_t bytes[JOURNAL_RECORD_BYTES_MAX];
    memset(&bench, 0, sizeof(bench));
    bench.desk = *state;
    store_double_init(&bench.database);
    open_journal(bench.desk, MANY);
    open_store(&bench, bench.desk);
    struct match_result result = double_result(1);
    assert_true(store_append(bench.store, 0, bytes, journal_write_result(bytes, &result)));
    mono_time began = clock_mono();
    close_store(&bench);
    assert_in_range(mono_elapsed(began, clock_mono()), 0, 2000);
    assert_int_equal(bench.database.handed, 0);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, desk_begin, desk_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_result_counts_when_it_is_on_disk_whatever_the_database_does),
        STORE_TEST(a_result_reaches_the_database_with_all_that_is_in_it),
        STORE_TEST(what_the_database_has_is_marked_so_that_no_start_hands_it_on),
        STORE_TEST(what_the_database_refuses_is_tried_again_later),
        STORE_TEST(results_that_find_the_databases_queue_full_wait_in_the_journal),
        STORE_TEST(many_results_are_handed_on_some_at_a_time),
        STORE_TEST(a_result_that_an_earlier_run_has_left_is_handed_on),
        STORE_TEST(a_look_up_waits_for_the_players_results),
        STORE_TEST(a_look_up_of_somebody_else_does_not_wait),
        STORE_TEST(a_look_up_that_nobody_waits_for_is_answered_as_failed),
        STORE_TEST(more_look_ups_than_may_wait_are_refused),
        STORE_TEST(a_match_begins_only_where_room_for_the_rest_of_it_is_left),
        STORE_TEST(without_room_a_result_goes_straight_to_the_database),
        STORE_TEST(without_room_and_without_a_database_the_match_hears_so),
        STORE_TEST(a_match_that_is_over_finds_room_to_say_so_and_frees_what_it_held),
        STORE_TEST(a_result_that_the_database_has_not_is_not_given_up),
        STORE_TEST(what_is_under_way_at_the_end_is_handed_on),
        STORE_TEST(a_journal_that_was_never_committed_does_not_hold_up_the_end),
    };
    return cmocka_run_group_tests_name("journal store", tests, NULL, NULL);
}
