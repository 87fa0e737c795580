/* Results on their way from the journal to the database: when, and how many in one turn. */

#include "journal_fixture.h"

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
    SEGMENTS = 16,
    SHARES = 3,
    RESULTS = SHARES * JOURNAL_STORE_HAND_AT_ONCE,
    ANSWERS_MAX = 2 * RESULTS,
    HERE = 0,  /* The shard of who says hello, */
    THERE = 1, /* and the one that has the result. */
};

/* --- Memory, of which a test's own thread may find none. --- */

static _Thread_local bool is_out_of_memory;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    return is_out_of_memory ? NULL : __real_malloc(size);
}

/* --- A store with two shards. --- */

struct bench {
    struct desk *desk;
    struct store_double database;
    struct store *store;
};

static struct bench *bench_of(void **state)
{
    static struct bench bench;
    memset(&bench, 0, sizeof(bench));
    bench.desk = *state;
    bench.desk->shards = 2;
    store_double_init(&bench.database);
    open_journal(bench.desk, SEGMENTS);
    struct journal_store_options options = {.journal = bench.desk->journal,
                                            .store = &bench.database.store,
                                            .shards = 2,
                                            .matches_max = 2 * RESULTS,
                                            .results_max = 2 * RESULTS,
                                            .loads_max = 1};
    assert_int_equal(journal_store_create(&options, &bench.store), 0);
    commit(bench.desk);
    return &bench;
}

/* Within which all that waits is handed on. */
static void close_store(struct bench *bench)
{
    bench->database.mode = DOUBLE_PROMPT;
    bench->store->class->destroy(bench->store);
    bench->desk->journal = NULL; /* It was the store's. */
}

/* One turn of a shard's loop: how many results the database was handed. Nobody waits for the answers. */
static unsigned turn(struct bench *bench, unsigned shard)
{
    struct store_answer answers[ANSWERS_MAX];
    unsigned before = bench->database.handed;
    (void)store_take_answers(bench->store, shard, answers, ANSWERS_MAX);
    return bench->database.handed - before;
}

static bool is_due(struct bench *bench, unsigned shard)
{
    mono_time due;
    return store_next_due(bench->store, shard, &due) && !mono_is_before(clock_mono(), due);
}

static void save_on(struct bench *bench, unsigned shard, unsigned number)
{
    struct match_result result = double_result(number);
    assert_int_equal(store_save(bench->store, shard, (struct handle){number, 1}, &result), 0);
}

/* Of somebody whom all results are about. */
static void says_hello(struct bench *bench)
{
    struct id player = double_player(0);
    assert_int_equal(store_load(bench->store, HERE, (struct handle){1, 1}, &player), 0);
}

static bool append_result(struct bench *bench, unsigned shard)
{
    static uint8_t bytes[JOURNAL_RECORD_BYTES_MAX];
    struct match_result result = double_result(1);
    return store_append(bench->store, shard, bytes, journal_write_result(bytes, &result));
}

static uint64_t results_waiting(struct bench *bench)
{
    struct store_stats stats;
    bench->store->class->stats(bench->store, &stats);
    return stats.journal.results_waiting;
}

/* --- Who is in a hurry. --- */

static void a_hello_hurries_the_results_of_another_shard(void **state)
{
    struct bench *bench = bench_of(state);
    save_on(bench, THERE, 1);
    sync_shard(bench->desk, THERE);
    says_hello(bench);
    assert_true(is_due(bench, THERE));
    assert_int_equal(turn(bench, THERE), 1);
    close_store(bench);
}

static void a_result_that_was_not_synced_when_it_was_hurried_is_hurried_when_it_is(void **state)
{
    struct bench *bench = bench_of(state);
    assert_true(append_result(bench, THERE)); /* Which syncs nothing. */
    says_hello(bench);
    assert_int_equal(turn(bench, THERE), 0);
    sync_shard(bench->desk, THERE);
    assert_int_equal(turn(bench, HERE), 0);
    assert_true(is_due(bench, THERE));
    assert_int_equal(turn(bench, THERE), 1);
    close_store(bench);
}

/* --- How many at a time. --- */

/* The database has refused RESULTS, and is back: it has taken the next one, and not yet said so. */
static struct bench *bench_of_refused(void **state)
{
    struct bench *bench = bench_of(state);
    bench->database.mode = DOUBLE_DOWN;
    for (unsigned i = 1; i <= RESULTS; i++) save_on(bench, HERE, i);
    sync_shard(bench->desk, HERE);
    says_hello(bench);
    for (unsigned i = 0; i < SHARES; i++) (void)turn(bench, HERE);
    (void)turn(bench, HERE); /* The last one's answers. */
    bench->database.mode = DOUBLE_PROMPT;
    save_on(bench, HERE, RESULTS + 1);
    sync_shard(bench->desk, HERE);
    bench->database.handed = 0;
    while (bench->database.handed == 0) (void)turn(bench, HERE);
    return bench;
}

static void what_a_database_has_refused_is_handed_on_some_at_a_time_when_it_is_back(void **state)
{
    struct bench *bench = bench_of_refused(state);
    assert_in_range(turn(bench, HERE), 1, JOURNAL_STORE_HAND_AT_ONCE);
    while (bench->database.handed < RESULTS + 1) {
        assert_true(is_due(bench, HERE));
        assert_in_range(turn(bench, HERE), 1, JOURNAL_STORE_HAND_AT_ONCE);
    }
    (void)turn(bench, HERE);
    assert_int_equal(bench->database.saved, RESULTS + 1);
    assert_int_equal(results_waiting(bench), 0);
    close_store(bench);
}

static void what_is_tried_again_and_what_is_new_share_a_turn(void **state)
{
    struct bench *bench = bench_of_refused(state);
    for (unsigned i = 2; i <= RESULTS; i++) save_on(bench, HERE, RESULTS + i);
    sync_shard(bench->desk, HERE);
    while (bench->database.handed < 2 * RESULTS) {
        assert_in_range(turn(bench, HERE), 0, JOURNAL_STORE_HAND_AT_ONCE);
    }
    close_store(bench);
    assert_int_equal(bench->database.saved, 2 * RESULTS);
}

/* --- Memory. --- */

static void a_result_that_finds_no_memory_is_not_taken_on(void **state)
{
    struct bench *bench = bench_of(state);
    is_out_of_memory = true;
    bool is_taken = append_result(bench, HERE);
    is_out_of_memory = false;
    assert_false(is_taken);
    assert_int_equal(results_waiting(bench), 0);
    assert_true(append_result(bench, HERE));
    close_store(bench);
    assert_int_equal(bench->database.handed, 1);
}

#define CARRY_TEST(name) cmocka_unit_test_setup_teardown(name, desk_begin, desk_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARRY_TEST(a_hello_hurries_the_results_of_another_shard),
        CARRY_TEST(a_result_that_was_not_synced_when_it_was_hurried_is_hurried_when_it_is),
        CARRY_TEST(what_a_database_has_refused_is_handed_on_some_at_a_time_when_it_is_back),
        CARRY_TEST(what_is_tried_again_and_what_is_new_share_a_turn),
        CARRY_TEST(a_result_that_finds_no_memory_is_not_taken_on),
    };
    return cmocka_run_group_tests_name("edge/journal_carry", tests, NULL, NULL);
}
