#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/map.h"
#include "base/prng.h"

enum { ENTRIES = 16, COUNT_MAX = 12, UNIVERSE = 24, STEPS = 10000 };

struct world {
    struct map_entry entries[ENTRIES];
    struct map map;
};

static const struct siphash_key hash_key = {{1, 2}};

static void begin(struct world *world)
{
    memset(world, 0, sizeof *world);
    map_init(&world->map, world->entries, ENTRIES, &hash_key);
}

static struct id id_of(uint32_t number)
{
    struct id id = {{0}};
    memcpy(id.bytes, &number, sizeof number);
    return id;
}

static bool put(struct world *world, uint32_t number, uint32_t value)
{
    struct id id = id_of(number);
    return map_put(&world->map, &id, value);
}

static bool remove_id(struct world *world, uint32_t number)
{
    struct id id = id_of(number);
    return map_remove(&world->map, &id);
}

static void assert_found(const struct world *world, uint32_t number, uint32_t value)
{
    struct id id = id_of(number);
    uint32_t found = ~value;
    assert_true(map_find(&world->map, &id, &found));
    assert_int_equal(found, value);
}

static void assert_absent(const struct world *world, uint32_t number)
{
    struct id id = id_of(number);
    uint32_t found = 77;
    assert_false(map_find(&world->map, &id, &found));
    assert_int_equal(found, 77);
}

static void fill(struct world *world)
{
    for (uint32_t i = 0; i < COUNT_MAX; i++) assert_true(put(world, i, 100 + i));
}

/* The next number from `from` on whose id belongs into entry `home`. */
static uint32_t number_at_home(uint32_t home, uint32_t from)
{
    for (uint32_t number = from;; number++) {
        struct id id = id_of(number);
        if ((siphash(&hash_key, id.bytes, sizeof id.bytes) & (ENTRIES - 1)) == home) return number;
    }
}

static void storage_is_a_power_of_two_at_most_three_quarters_full(void **state)
{
    (void)state;
    assert_int_equal(map_entries_for(0), 4);
    assert_int_equal(map_entries_for(3), 4);
    assert_int_equal(map_entries_for(4), 8);
    assert_int_equal(map_entries_for(12), 16);
    assert_int_equal(map_entries_for(13), 32);
    assert_int_equal(map_entries_for(UINT32_C(3) << 29), UINT32_C(1) << 31);
}

static void storage_has_a_bound(void **state)
{
    (void)state;
    expect_assert_failure(map_entries_for((UINT32_C(3) << 29) + 1));
}

static void init_requires_a_number_of_entries_that_entries_for_gives(void **state)
{
    (void)state;
    struct world world;
    expect_assert_failure(map_init(&world.map, world.entries, 2, &hash_key));
    expect_assert_failure(map_init(&world.map, world.entries, 12, &hash_key));
}

static void what_was_put_is_found(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    assert_true(put(&world, 1, 10));
    assert_true(put(&world, 2, 20));
    assert_found(&world, 1, 10);
    assert_found(&world, 2, 20);
    assert_int_equal(world.map.count, 2);
}

static void what_was_not_put_is_not_found_and_writes_nothing(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    assert_true(put(&world, 1, 10));
    assert_absent(&world, 2);
}

static void putting_again_replaces_the_value(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    assert_true(put(&world, 1, 10));
    assert_true(put(&world, 1, 11));
    assert_found(&world, 1, 11);
    assert_int_equal(world.map.count, 1);
}

static void a_full_map_refuses_a_new_id_and_is_unchanged(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    fill(&world);
    struct world before = world;
    assert_false(put(&world, COUNT_MAX, 1));
    assert_memory_equal(&world, &before, sizeof before);
}

static void a_full_map_takes_a_new_value_for_an_old_id(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    fill(&world);
    assert_true(put(&world, 0, 1));
    assert_found(&world, 0, 1);
}

static void a_removal_makes_room_in_a_full_map(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    fill(&world);
    assert_true(remove_id(&world, 0));
    assert_true(put(&world, COUNT_MAX, 1));
    assert_absent(&world, 0);
    assert_found(&world, COUNT_MAX, 1);
}

static void removing_what_is_not_there_changes_nothing(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    assert_true(put(&world, 1, 10));
    struct world before = world;
    assert_false(remove_id(&world, 2));
    assert_memory_equal(&world, &before, sizeof before);
}

static void a_removal_leaves_no_trace(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct world before = world;
    assert_true(put(&world, 1, 10));
    assert_true(remove_id(&world, 1));
    assert_int_equal(world.map.count, 0);
    assert_memory_equal(world.entries, before.entries, sizeof before.entries);
}

static void entries_behind_a_removed_one_move_up_across_the_end(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    uint32_t a = number_at_home(ENTRIES - 1, 0);
    uint32_t b = number_at_home(ENTRIES - 1, a + 1);
    uint32_t c = number_at_home(ENTRIES - 1, b + 1);
    assert_true(put(&world, a, 1));
    assert_true(put(&world, b, 2));
    assert_true(put(&world, c, 3));
    assert_true(world.entries[1].is_used);
    assert_true(remove_id(&world, a));
    assert_found(&world, b, 2);
    assert_found(&world, c, 3);
    assert_int_equal(world.entries[ENTRIES - 1].value, 2);
    assert_int_equal(world.entries[0].value, 3);
    assert_false(world.entries[1].is_used);
}

static void an_entry_at_its_home_stays_when_one_before_it_is_removed(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    uint32_t last = number_at_home(ENTRIES - 1, 0);
    uint32_t first = number_at_home(0, 0);
    uint32_t wrapped = number_at_home(ENTRIES - 1, last + 1);
    assert_true(put(&world, last, 1));
    assert_true(put(&world, first, 2));
    assert_true(put(&world, wrapped, 3));
    assert_int_equal(world.entries[1].value, 3);
    assert_true(remove_id(&world, last));
    assert_int_equal(world.entries[0].value, 2);
    assert_int_equal(world.entries[ENTRIES - 1].value, 3);
    assert_found(&world, first, 2);
    assert_found(&world, wrapped, 3);
}

/* The model: a value per number, 0 where the map does not hold it. */
static void assert_like_model(const struct world *world, const uint32_t model[UNIVERSE])
{
    for (uint32_t number = 0; number < UNIVERSE; number++) {
        if (model[number] == 0)
            assert_absent(world, number);
        else
            assert_found(world, number, model[number]);
    }
}

static void run_against_model(uint64_t seed)
{
    struct world world;
    struct prng prng;
    uint32_t model[UNIVERSE] = {0};
    begin(&world);
    prng_init(&prng, &(struct siphash_key){{seed, 0}});
    uint32_t count = 0;
    for (uint32_t step = 1; step <= STEPS; step++) {
        uint32_t number = prng_below(&prng, UNIVERSE);
        bool is_in = model[number] != 0;
        if (prng_below(&prng, 100) < 60) {
            bool has_room = is_in || count < COUNT_MAX;
            assert_int_equal(put(&world, number, step), has_room);
            if (has_room) model[number] = step;
            count += has_room && !is_in;
        } else {
            assert_int_equal(remove_id(&world, number), is_in);
            model[number] = 0;
            count -= is_in;
        }
        assert_int_equal(world.map.count, count);
        assert_like_model(&world, model);
    }
}

static void random_puts_and_removals_agree_with_an_array(void **state)
{
    (void)state;
    run_against_model(1);
    run_against_model(2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(storage_is_a_power_of_two_at_most_three_quarters_full),
        cmocka_unit_test(storage_has_a_bound),
        cmocka_unit_test(init_requires_a_number_of_entries_that_entries_for_gives),
        cmocka_unit_test(what_was_put_is_found),
        cmocka_unit_test(what_was_not_put_is_not_found_and_writes_nothing),
        cmocka_unit_test(putting_again_replaces_the_value),
        cmocka_unit_test(a_full_map_refuses_a_new_id_and_is_unchanged),
        cmocka_unit_test(a_full_map_takes_a_new_value_for_an_old_id),
        cmocka_unit_test(a_removal_makes_room_in_a_full_map),
        cmocka_unit_test(removing_what_is_not_there_changes_nothing),
        cmocka_unit_test(a_removal_leaves_no_trace),
        cmocka_unit_test(entries_behind_a_removed_one_move_up_across_the_end),
        cmocka_unit_test(an_entry_at_its_home_stays_when_one_before_it_is_removed),
        cmocka_unit_test(random_puts_and_removals_agree_with_an_array),
    };
    return cmocka_run_group_tests_name("base/map", tests, NULL, NULL);
}
