#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"

enum { CAPACITY = 3, ITEM_BYTES = 24 };

struct world {
    _Alignas(8) uint8_t items[CAPACITY * ITEM_BYTES];
    struct pool_slot slots[CAPACITY];
    struct pool pool;
};

static const struct handle none = {0, 0};

static void begin(struct world *world)
{
    /* Items are not zero at first, so that a test sees who zeroes them. */
    memset(world->items, 0xee, sizeof world->items);
    memset(world->slots, 0, sizeof world->slots);
    pool_init(&world->pool, world->items, world->slots, ITEM_BYTES, CAPACITY);
}

static struct handle acquire(struct world *world)
{
    struct handle handle = HANDLE_NONE;
    assert_non_null(pool_acquire(&world->pool, &handle));
    return handle;
}

static void assert_zeroed(const uint8_t *item)
{
    static const uint8_t zeros[ITEM_BYTES];
    assert_memory_equal(item, zeros, ITEM_BYTES);
}

static void init_requires_items_of_some_size(void **state)
{
    (void)state;
    struct world world;
    expect_assert_failure(pool_init(&world.pool, world.items, world.slots, 0, CAPACITY));
}

static void init_requires_a_capacity_below_the_end_mark(void **state)
{
    (void)state;
    struct world world;
    pool_init(&world.pool, world.items, world.slots, ITEM_BYTES, UINT32_MAX - 1);
    expect_assert_failure(pool_init(&world.pool, world.items, world.slots, ITEM_BYTES, UINT32_MAX));
}

static void acquire_finds_out_slots_that_were_not_zero_at_first(void **state)
{
    (void)state;
    struct world world;
    struct handle handle;
    begin(&world);
    world.slots[0].generation = 1;
    expect_assert_failure((void)!pool_acquire(&world.pool, &handle));
}

static void an_acquired_item_is_zero_and_resolves(void **state)
{
    (void)state;
    struct world world;
    struct handle handle;
    begin(&world);
    uint8_t *item = pool_acquire(&world.pool, &handle);
    assert_zeroed(item);
    assert_ptr_equal(pool_resolve(&world.pool, handle), item);
    assert_int_equal(handle.generation % 2, 1);
    assert_false(handle_is_none(handle));
}

static void an_item_that_is_acquired_again_is_zero_again(void **state)
{
    (void)state;
    struct world world;
    struct handle handle;
    begin(&world);
    void *item = pool_acquire(&world.pool, &handle);
    memset(item, 0xdd, ITEM_BYTES);
    pool_release(&world.pool, handle);
    assert_ptr_equal(pool_acquire(&world.pool, &handle), item);
    assert_zeroed(item);
}

static void an_item_acquired_unset_is_as_it_was(void **state)
{
    (void)state;
    struct world world;
    struct handle handle;
    begin(&world);
    uint8_t *item = pool_acquire(&world.pool, &handle);
    memset(item, 0xdd, ITEM_BYTES);
    pool_release(&world.pool, handle);
    assert_ptr_equal(pool_acquire_unset(&world.pool, &handle), item);
    assert_int_equal(item[0], 0xdd);
    assert_int_equal(item[ITEM_BYTES - 1], 0xdd);
}

static void the_last_slot_is_given_and_one_more_is_not(void **state)
{
    (void)state;
    struct world world;
    struct handle handle = HANDLE_NONE;
    begin(&world);
    acquire(&world);
    acquire(&world);
    assert_non_null(pool_acquire(&world.pool, &handle));
    struct pool before = world.pool;
    struct handle last = handle;
    assert_null(pool_acquire(&world.pool, &handle));
    assert_memory_equal(&world.pool, &before, sizeof before);
    assert_true(handle_equal(handle, last));
}

static void a_pool_of_no_capacity_gives_nothing(void **state)
{
    (void)state;
    struct pool pool;
    struct handle handle;
    pool_init(&pool, NULL, NULL, ITEM_BYTES, 0);
    assert_null(pool_acquire(&pool, &handle));
}

static void a_stale_handle_resolves_to_null(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct handle old = acquire(&world);
    pool_release(&world.pool, old);
    assert_null(pool_resolve(&world.pool, old));
    struct handle new = acquire(&world);
    assert_int_equal(new.slot, old.slot);
    assert_false(handle_equal(new, old));
    assert_null(pool_resolve(&world.pool, old));
    assert_non_null(pool_resolve(&world.pool, new));
}

static void handles_differ_by_slot_or_generation(void **state)
{
    (void)state;
    struct handle handle = {1, 3};
    assert_true(handle_equal(handle, (struct handle){1, 3}));
    assert_false(handle_equal(handle, (struct handle){2, 3}));
    assert_false(handle_equal(handle, (struct handle){1, 5}));
}

static void the_none_handle_resolves_to_null(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    assert_null(pool_resolve(&world.pool, HANDLE_NONE));
    pool_release(&world.pool, acquire(&world));
    assert_null(pool_resolve(&world.pool, HANDLE_NONE));
    assert_true(handle_is_none(HANDLE_NONE));
}

static void a_free_slots_own_generation_resolves_to_null(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct handle handle = acquire(&world);
    pool_release(&world.pool, handle);
    handle.generation = world.slots[handle.slot].generation;
    assert_null(pool_resolve(&world.pool, handle));
}

static void a_slot_never_acquired_resolves_to_null(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    acquire(&world);
    assert_null(pool_resolve(&world.pool, (struct handle){1, 1}));
    assert_null(pool_resolve(&world.pool, (struct handle){CAPACITY, 1}));
}

static void a_generation_that_wraps_stays_odd_while_live(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    world.slots[0].generation = UINT32_MAX - 1;
    struct handle last = acquire(&world);
    assert_int_equal(last.generation, UINT32_MAX);
    pool_release(&world.pool, last);
    assert_int_equal(acquire(&world).generation, 1);
}

static void the_slot_released_last_is_handed_out_first(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct handle a = acquire(&world);
    struct handle b = acquire(&world);
    pool_release(&world.pool, a);
    pool_release(&world.pool, b);
    assert_int_equal(acquire(&world).slot, b.slot);
    assert_int_equal(acquire(&world).slot, a.slot);
}

static void a_released_slot_goes_before_one_never_touched(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct handle a = acquire(&world);
    pool_release(&world.pool, a);
    assert_int_equal(acquire(&world).slot, a.slot);
    assert_int_equal(world.pool.touched, 1);
    assert_int_equal(world.items[ITEM_BYTES], 0xee);
    assert_int_equal(acquire(&world).slot, 1);
    assert_int_equal(world.pool.touched, 2);
}

static void used_and_its_maximum_are_counted(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct handle a = acquire(&world);
    acquire(&world);
    pool_release(&world.pool, a);
    assert_int_equal(world.pool.used, 1);
    assert_int_equal(world.pool.used_max, 2);
}

static void release_requires_a_live_handle(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct handle handle = acquire(&world);
    pool_release(&world.pool, handle);
    expect_assert_failure(pool_release(&world.pool, handle));
    expect_assert_failure(pool_release(&world.pool, none));
}

static void the_handle_of_an_item_is_the_one_it_was_acquired_with(void **state)
{
    (void)state;
    struct world world;
    struct handle handle;
    begin(&world);
    acquire(&world);
    void *item = pool_acquire(&world.pool, &handle);
    assert_true(handle_equal(pool_handle_of(&world.pool, item), handle));
}

static void handle_of_requires_an_item_of_the_pool(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    acquire(&world);
    uintptr_t first = (uintptr_t)world.items;
    expect_assert_failure(pool_handle_of(&world.pool, (void *)(first - ITEM_BYTES)));
    expect_assert_failure(pool_handle_of(&world.pool, world.items + 1));
    expect_assert_failure(pool_handle_of(&world.pool, (void *)(first + sizeof world.items)));
}

static void handle_of_requires_a_live_item(void **state)
{
    (void)state;
    struct world world;
    struct handle handle;
    begin(&world);
    void *item = pool_acquire(&world.pool, &handle);
    pool_release(&world.pool, handle);
    expect_assert_failure(pool_handle_of(&world.pool, item));
    expect_assert_failure(pool_handle_of(&world.pool, world.items + ITEM_BYTES));
}

static void a_walk_sees_live_items_only(void **state)
{
    (void)state;
    struct world world;
    struct handle handle;
    begin(&world);
    struct handle a = acquire(&world);
    void *b = pool_acquire(&world.pool, &handle);
    pool_release(&world.pool, a);
    assert_null(pool_at(&world.pool, 0));
    assert_ptr_equal(pool_at(&world.pool, 1), b);
    assert_null(pool_at(&world.pool, 2));
    assert_null(pool_at(&world.pool, CAPACITY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_requires_items_of_some_size),
        cmocka_unit_test(init_requires_a_capacity_below_the_end_mark),
        cmocka_unit_test(acquire_finds_out_slots_that_were_not_zero_at_first),
        cmocka_unit_test(an_acquired_item_is_zero_and_resolves),
        cmocka_unit_test(an_item_that_is_acquired_again_is_zero_again),
        cmocka_unit_test(an_item_acquired_unset_is_as_it_was),
        cmocka_unit_test(the_last_slot_is_given_and_one_more_is_not),
        cmocka_unit_test(a_pool_of_no_capacity_gives_nothing),
        cmocka_unit_test(a_stale_handle_resolves_to_null),
        cmocka_unit_test(handles_differ_by_slot_or_generation),
        cmocka_unit_test(the_none_handle_resolves_to_null),
        cmocka_unit_test(a_free_slots_own_generation_resolves_to_null),
        cmocka_unit_test(a_slot_never_acquired_resolves_to_null),
        cmocka_unit_test(a_generation_that_wraps_stays_odd_while_live),
        cmocka_unit_test(the_slot_released_last_is_handed_out_first),
        cmocka_unit_test(a_released_slot_goes_before_one_never_touched),
        cmocka_unit_test(used_and_its_maximum_are_counted),
        cmocka_unit_test(release_requires_a_live_handle),
        cmocka_unit_test(the_handle_of_an_item_is_the_one_it_was_acquired_with),
        cmocka_unit_test(handle_of_requires_an_item_of_the_pool),
        cmocka_unit_test(handle_of_requires_a_live_item),
        cmocka_unit_test(a_walk_sees_live_items_only),
    };
    return cmocka_run_group_tests_name("base/pool", tests, NULL, NULL);
}
