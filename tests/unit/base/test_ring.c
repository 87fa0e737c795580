#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/ring.h"

enum { SLOTS = 7, RESERVE = 2, CLIENT_SLOTS = SLOTS - RESERVE, DROPPABLE_MAX = 3 };

enum { RINGS = 2, STORAGE_BYTES = SLOTS * (sizeof(uint32_t) + 1) };

struct world {
    _Alignas(8) uint8_t storage[RINGS][STORAGE_BYTES];
    struct pool_slot pool_slots[RINGS];
    struct ring_store store;
    struct ring ring;
    struct ring other;
};

static void begin_with(struct world *world, unsigned slots, unsigned reserve)
{
    memset(world, 0, sizeof *world);
    struct pool pool;
    pool_init(&pool, world->storage, world->pool_slots, STORAGE_BYTES, RINGS);
    ring_store_init(&world->store, &pool, sizeof(uint32_t), slots, reserve);
    ring_init(&world->ring, &world->store);
    ring_init(&world->other, &world->store);
}

static void begin(struct world *world)
{
    begin_with(world, SLOTS, RESERVE);
}

static bool push(struct world *world, enum ring_class class, uint32_t item)
{
    return ring_push(&world->ring, &item, class);
}

static void push_many(struct world *world, enum ring_class class, unsigned count)
{
    for (unsigned i = 0; i < count; i++) assert_true(push(world, class, i));
}

static void assert_pops(struct world *world, uint32_t expected)
{
    uint32_t item = ~expected;
    assert_true(ring_pop(&world->ring, &item));
    assert_int_equal(item, expected);
}

static void assert_push_refused(struct world *world, enum ring_class class)
{
    struct world before = *world;
    assert_false(push(world, class, 0xffffffff));
    assert_memory_equal(world, &before, sizeof before);
}

static void storage_is_an_item_and_a_class_per_slot(void **state)
{
    (void)state;
    assert_int_equal(ring_storage_bytes(sizeof(uint32_t), SLOTS), STORAGE_BYTES);
    assert_int_equal(ring_storage_bytes(UINT32_MAX, 2), 2 * (UINT64_C(1) << 32));
}

static void init_store(uint32_t item_bytes, unsigned slots, unsigned reserve)
{
    struct ring_store store;
    struct pool pool = {.item_bytes = ring_storage_bytes(sizeof(uint32_t), slots)};
    ring_store_init(&store, &pool, item_bytes, slots, reserve);
}

static void a_store_requires_items_of_some_size(void **state)
{
    (void)state;
    init_store(sizeof(uint32_t), SLOTS, RESERVE);
    expect_assert_failure(init_store(0, SLOTS, RESERVE));
}

static void a_store_requires_room_for_its_items(void **state)
{
    (void)state;
    expect_assert_failure(init_store(sizeof(uint32_t) + 1, SLOTS, RESERVE));
}

static void a_store_requires_a_reserve_smaller_than_a_ring(void **state)
{
    (void)state;
    init_store(sizeof(uint32_t), SLOTS, SLOTS - 1);
    expect_assert_failure(init_store(sizeof(uint32_t), SLOTS, SLOTS));
}

static void a_store_requires_at_most_65535_slots(void **state)
{
    (void)state;
    init_store(sizeof(uint32_t), UINT16_MAX, 0);
    expect_assert_failure(init_store(sizeof(uint32_t), UINT16_MAX + 1, 0));
}

static void a_ring_has_storage_only_while_it_holds_something(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    assert_int_equal(world.store.pool.used, 0);
    push_many(&world, RING_CLIENT, 2);
    assert_int_equal(world.store.pool.used, 1);
    assert_pops(&world, 0);
    assert_int_equal(world.store.pool.used, 1);
    assert_pops(&world, 1);
    assert_int_equal(world.store.pool.used, 0);
}

static void the_storage_that_one_ring_gave_back_serves_the_next(void **state)
{
    (void)state;
    struct world world;
    uint32_t item = 7;
    begin(&world);
    push_many(&world, RING_CLIENT, 1);
    assert_pops(&world, 0);
    assert_true(ring_push(&world.other, &item, RING_CLIENT));
    assert_int_equal(world.store.pool.touched, 1);
    push_many(&world, RING_CLIENT, 1);
    assert_int_equal(world.store.pool.touched, 2);
    assert_pops(&world, 0);
    assert_true(ring_pop(&world.other, &item));
    assert_int_equal(item, 7);
}

static void a_ring_that_is_done_with_gives_its_storage_back(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    push_many(&world, RING_RESERVED, RESERVE);
    ring_fini(&world.ring);
    ring_fini(&world.other);
    assert_int_equal(world.store.pool.used, 0);
    assert_int_equal(ring_count(&world.ring), 0);
}

static void the_class_of_the_last_item_is_known(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    assert_true(push(&world, RING_CLIENT, 1));
    assert_true(push(&world, RING_DROPPABLE, 2));
    assert_int_equal(ring_last_class(&world.ring), RING_DROPPABLE);
    assert_true(push(&world, RING_RESERVED, 3));
    assert_int_equal(ring_last_class(&world.ring), RING_RESERVED);
}

static void an_empty_ring_gives_nothing_and_writes_nothing(void **state)
{
    (void)state;
    struct world world;
    uint32_t item = 5;
    begin(&world);
    assert_false(ring_pop(&world.ring, &item));
    assert_int_equal(item, 5);
}

static void items_of_all_classes_come_out_in_the_order_they_went_in(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    assert_true(push(&world, RING_CLIENT, 1));
    assert_true(push(&world, RING_RESERVED, 2));
    assert_true(push(&world, RING_DROPPABLE, 3));
    assert_true(push(&world, RING_CLIENT, 4));
    assert_pops(&world, 1);
    assert_pops(&world, 2);
    assert_pops(&world, 3);
    assert_pops(&world, 4);
    assert_int_equal(ring_count(&world.ring), 0);
}

static void clients_fill_all_but_the_reserve(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    push_many(&world, RING_CLIENT, CLIENT_SLOTS);
    assert_push_refused(&world, RING_CLIENT);
    assert_push_refused(&world, RING_DROPPABLE);
    push_many(&world, RING_RESERVED, RESERVE);
    assert_int_equal(ring_count(&world.ring), SLOTS);
}

static void the_servers_own_fill_the_reserve_and_no_more(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    push_many(&world, RING_RESERVED, RESERVE);
    assert_push_refused(&world, RING_RESERVED);
    push_many(&world, RING_CLIENT, CLIENT_SLOTS);
    assert_int_equal(ring_count(&world.ring), SLOTS);
}

static void a_droppable_item_is_refused_once_half_of_the_clients_slots_are_taken(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    push_many(&world, RING_DROPPABLE, DROPPABLE_MAX);
    assert_push_refused(&world, RING_DROPPABLE);
    push_many(&world, RING_CLIENT, CLIENT_SLOTS - DROPPABLE_MAX);
    assert_push_refused(&world, RING_CLIENT);
}

static void an_even_number_of_client_slots_is_halved_exactly(void **state)
{
    (void)state;
    struct world world;
    begin_with(&world, 6, 2);
    push_many(&world, RING_DROPPABLE, 2);
    assert_push_refused(&world, RING_DROPPABLE);
}

static void the_reserve_does_not_count_against_droppable_items(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    push_many(&world, RING_RESERVED, RESERVE);
    push_many(&world, RING_DROPPABLE, DROPPABLE_MAX);
}

static void without_a_reserve_the_servers_own_have_no_room(void **state)
{
    (void)state;
    struct world world;
    begin_with(&world, SLOTS, 0);
    assert_push_refused(&world, RING_RESERVED);
    push_many(&world, RING_CLIENT, SLOTS);
    assert_push_refused(&world, RING_CLIENT);
}

static void a_popped_item_gives_its_room_back_to_its_class(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    push_many(&world, RING_CLIENT, 1);
    push_many(&world, RING_RESERVED, RESERVE);
    push_many(&world, RING_CLIENT, CLIENT_SLOTS - 1);
    assert_pops(&world, 0);
    assert_push_refused(&world, RING_RESERVED);
    assert_true(push(&world, RING_CLIENT, 9));
    assert_pops(&world, 0);
    assert_push_refused(&world, RING_CLIENT);
    assert_true(push(&world, RING_RESERVED, 9));
}

static void a_droppable_item_gives_its_room_back_to_clients(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    assert_true(push(&world, RING_DROPPABLE, 1));
    assert_pops(&world, 1);
    push_many(&world, RING_CLIENT, CLIENT_SLOTS);
}

static void pass_through(struct world *world, unsigned count)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_true(push(world, i % 2 == 0 ? RING_CLIENT : RING_RESERVED, i));
        assert_true(push(world, RING_CLIENT, i + 1000));
        assert_pops(world, i);
        assert_pops(world, i + 1000);
    }
}

/* One that stays, so that the ring keeps its storage. */
static void the_ring_goes_around_its_end_many_times(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    assert_true(push(&world, RING_CLIENT, 0));
    for (uint32_t i = 1; i < 5 * SLOTS; i++) {
        assert_true(push(&world, i % 2 == 0 ? RING_CLIENT : RING_RESERVED, i));
        assert_pops(&world, i - 1);
    }
    assert_int_equal(world.store.pool.used, 1);
}

static void a_ring_is_filled_and_emptied_many_times(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    pass_through(&world, 5 * SLOTS);
    assert_int_equal(world.ring.count_max, 2);
}

static void the_high_water_mark_stays(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    push_many(&world, RING_CLIENT, 3);
    assert_pops(&world, 0);
    assert_pops(&world, 1);
    assert_true(push(&world, RING_CLIENT, 9));
    assert_int_equal(world.ring.count_max, 3);
}

static void push_requires_a_class_that_exists(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    expect_assert_failure((void)!push(&world, (enum ring_class)3, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(storage_is_an_item_and_a_class_per_slot),
        cmocka_unit_test(a_store_requires_items_of_some_size),
        cmocka_unit_test(a_store_requires_room_for_its_items),
        cmocka_unit_test(a_store_requires_a_reserve_smaller_than_a_ring),
        cmocka_unit_test(a_store_requires_at_most_65535_slots),
        cmocka_unit_test(a_ring_has_storage_only_while_it_holds_something),
        cmocka_unit_test(the_storage_that_one_ring_gave_back_serves_the_next),
        cmocka_unit_test(a_ring_that_is_done_with_gives_its_storage_back),
        cmocka_unit_test(the_class_of_the_last_item_is_known),
        cmocka_unit_test(an_empty_ring_gives_nothing_and_writes_nothing),
        cmocka_unit_test(items_of_all_classes_come_out_in_the_order_they_went_in),
        cmocka_unit_test(clients_fill_all_but_the_reserve),
        cmocka_unit_test(the_servers_own_fill_the_reserve_and_no_more),
        cmocka_unit_test(a_droppable_item_is_refused_once_half_of_the_clients_slots_are_taken),
        cmocka_unit_test(an_even_number_of_client_slots_is_halved_exactly),
        cmocka_unit_test(the_reserve_does_not_count_against_droppable_items),
        cmocka_unit_test(without_a_reserve_the_servers_own_have_no_room),
        cmocka_unit_test(a_popped_item_gives_its_room_back_to_its_class),
        cmocka_unit_test(a_droppable_item_gives_its_room_back_to_clients),
        cmocka_unit_test(the_ring_goes_around_its_end_many_times),
        cmocka_unit_test(a_ring_is_filled_and_emptied_many_times),
        cmocka_unit_test(the_high_water_mark_stays),
        cmocka_unit_test(push_requires_a_class_that_exists),
    };
    return cmocka_run_group_tests_name("base/ring", tests, NULL, NULL);
}
