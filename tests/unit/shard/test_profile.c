/* What a session knows of its player: packed, and unpacked the same. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shard_priv.h"

enum { SLOTS = 2 };

/* A shard that has room for profiles only, and a session. */
struct bench {
    struct shard *shard;
    struct session *session;
    void *items[PROFILE_CLASSES];
    struct pool_slot *slots[PROFILE_CLASSES];
};

static struct bench open_bench(void)
{
    struct bench bench = {.shard = calloc(1, sizeof(struct shard)),
                          .session = calloc(1, sizeof(struct session))};
    assert_non_null(bench.shard);
    assert_non_null(bench.session);
    for (unsigned i = 0; i < PROFILE_CLASSES; i++) {
        bench.items[i] = calloc(SLOTS, profile_class_bytes(i));
        bench.slots[i] = calloc(SLOTS, sizeof(struct pool_slot));
        assert_non_null(bench.items[i]);
        assert_non_null(bench.slots[i]);
        pool_init(&bench.shard->profiles[i], bench.items[i], bench.slots[i], profile_class_bytes(i),
                  SLOTS);
    }
    return bench;
}

static uint32_t slots_in_use(const struct bench *bench)
{
    uint32_t used = 0;
    for (unsigned i = 0; i < PROFILE_CLASSES; i++) used += bench->shard->profiles[i].used;
    return used;
}

static void close_bench(struct bench *bench)
{
    profile_forget(bench->shard, bench->session);
    assert_int_equal(slots_in_use(bench), 0);
    for (unsigned i = 0; i < PROFILE_CLASSES; i++) {
        free(bench->items[i]);
        free(bench->slots[i]);
    }
    free(bench->session);
    free(bench->shard);
}

static struct player_record player_of(unsigned name_bytes, unsigned opponents, unsigned questions)
{
    char name[NAME_BYTES_MAX + 1] = "";
    struct player_record record;
    memset(name, 'a', name_bytes);
    player_record_init(&record, name);
    record.rated_at.ms = opponents;
    for (unsigned i = 0; i < opponents; i++) {
        opponents_add(&record.opponents, UINT64_MAX - i, (wall_time){1780000000000 + i});
    }
    for (unsigned i = 0; i < questions; i++) recent_add(&record.recent, (uint16_t)(60000 + i));
    return record;
}

static void expect_kept(struct bench *bench, const struct player_record *record)
{
    profile_set(bench->shard, bench->session, record);
    struct player_record kept = profile_get(bench->session);
    assert_string_equal(kept.name, record->name);
    assert_memory_equal(&kept.rating, &record->rating, sizeof(kept.rating));
    assert_int_equal(kept.rated_at.ms, record->rated_at.ms);
    assert_int_equal(kept.opponents.count, record->opponents.count);
    assert_memory_equal(kept.opponents.items, record->opponents.items,
                        sizeof(kept.opponents.items));
    assert_int_equal(kept.recent.count, record->recent.count);
    assert_memory_equal(kept.recent.fingerprints, record->recent.fingerprints,
                        sizeof(kept.recent.fingerprints));
    assert_int_equal(slots_in_use(bench), 1);
}

static void what_is_known_is_kept_as_it_is(void **state)
{
    (void)state;
    struct bench bench = open_bench();
    const struct player_record guest = player_of(1, 0, 0);
    const struct player_record usual = player_of(10, 1, 7);
    const struct player_record most =
        player_of(NAME_BYTES_MAX, RECENT_OPPONENTS_MAX, RECENT_QUESTIONS_MAX);
    expect_kept(&bench, &guest);
    expect_kept(&bench, &usual);
    expect_kept(&bench, &most);
    expect_kept(&bench, &guest);
    close_bench(&bench);
}

static void of_nobody_nothing_is_known(void **state)
{
    (void)state;
    struct bench bench = open_bench();
    struct player_record record = profile_get(bench.session);
    assert_string_equal(record.name, "");
    assert_int_equal(record.opponents.count, 0);
    assert_int_equal(record.recent.count, 0);
    assert_int_equal(slots_in_use(&bench), 0);
    close_bench(&bench);
}

static void a_guest_takes_a_slot_of_the_first_class(void **state)
{
    (void)state;
    struct bench bench = open_bench();
    const struct player_record guest = player_of(24, 0, 0);
    profile_set(bench.shard, bench.session, &guest);
    assert_int_equal(bench.shard->profiles[0].used, 1);
    const struct player_record longer = player_of(25, 0, 0);
    profile_set(bench.shard, bench.session, &longer);
    assert_int_equal(bench.shard->profiles[0].used, 0);
    assert_int_equal(bench.shard->profiles[1].used, 1);
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_is_kept_as_it_is),
        cmocka_unit_test(of_nobody_nothing_is_known),
        cmocka_unit_test(a_guest_takes_a_slot_of_the_first_class),
    };
    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
