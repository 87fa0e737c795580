/* The store that keeps nothing: every call is answered once, as if all had gone well. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edge/null_store.h"

enum { SLOTS = 4, SHARDS = 2, SHARD = 1, ANSWERS_MAX = 16 };

static const struct handle ada = {7, 1};

static void count_wake(void *context, unsigned shard)
{
    unsigned *wakes = context;
    assert_int_equal(shard, SHARD);
    (*wakes)++;
}

static struct store *open_with(unsigned *wakes)
{
    struct null_store_options options = {
        .shards = SHARDS, .queue_slots = SLOTS, .wake = count_wake, .wake_context = wakes};
    struct store *store = NULL;
    assert_int_equal(null_store_create(&options, &store), 0);
    return store;
}

static int save(struct store *store)
{
    static const struct match_result result;
    return store_save(store, SHARD, ada, &result);
}

static int load(struct store *store)
{
    static const struct id player;
    return store_load(store, SHARD, ada, &player);
}

static void a_result_is_saved_at_the_next_look(void **state)
{
    (void)state;
    unsigned wakes = 0;
    struct store *store = open_with(&wakes);
    struct store_answer answers[ANSWERS_MAX];

    assert_int_equal(save(store), 0);

    assert_int_equal(wakes, 1);
    assert_int_equal(store_take_answers(store, 0, answers, ANSWERS_MAX), 0);
    assert_int_equal(store_take_answers(store, SHARD, answers, ANSWERS_MAX), 1);
    assert_int_equal(answers[0].kind, STORE_SAVED);
    assert_int_equal(answers[0].handle.slot, ada.slot);
    assert_true(answers[0].is_saved);
    assert_int_equal(store_take_answers(store, SHARD, answers, ANSWERS_MAX), 0);
    store->class->destroy(store);
}

static void nobody_is_known(void **state)
{
    (void)state;
    unsigned wakes = 0;
    struct store *store = open_with(&wakes);
    struct store_answer answers[ANSWERS_MAX];

    assert_int_equal(load(store), 0);

    assert_int_equal(store_take_answers(store, SHARD, answers, ANSWERS_MAX), 1);
    assert_int_equal(answers[0].kind, STORE_LOADED);
    assert_int_equal(answers[0].loaded.outcome, LOAD_UNKNOWN);
    store->class->destroy(store);
}

static void look_ups_take_no_results_place(void **state)
{
    (void)state;
    unsigned wakes = 0;
    struct store *store = open_with(&wakes);
    struct store_answer answers[ANSWERS_MAX];
    struct store_stats stats;

    for (unsigned i = 0; i < SLOTS; i++) assert_int_equal(load(store), 0);
    assert_int_equal(load(store), -EAGAIN);
    for (unsigned i = 0; i < SLOTS; i++) assert_int_equal(save(store), 0);
    assert_int_equal(save(store), -EAGAIN);

    assert_int_equal(store_take_answers(store, SHARD, answers, 3), 3);
    assert_int_equal(store_take_answers(store, SHARD, answers, ANSWERS_MAX), 2 * SLOTS - 3);
    assert_int_equal(save(store), 0);
    store->class->stats(store, &stats);
    assert_int_equal(stats.saved, SLOTS);
    assert_int_equal(stats.loaded, SLOTS);
    store->class->destroy(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_is_saved_at_the_next_look),
        cmocka_unit_test(nobody_is_known),
        cmocka_unit_test(look_ups_take_no_results_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
