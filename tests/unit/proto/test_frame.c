#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/frame.h"

enum { SMALL, MEDIUM, LARGE };

static struct frame_pools pools;
static void *items[FRAME_CLASSES];
static struct pool_slot *slots[FRAME_CLASSES];
static char payload[FRAME_LARGE_BYTES];

static void open_pools(uint32_t small, uint32_t medium, uint32_t large)
{
    const uint32_t capacities[FRAME_CLASSES] = {small, medium, large};
    for (unsigned i = 0; i < FRAME_CLASSES; i++) {
        items[i] = calloc(capacities[i] + 1, frame_slot_bytes(i));
        slots[i] = calloc(capacities[i] + 1, sizeof *slots[i]);
    }
    frame_pools_init(&pools, items, slots, capacities);
}

static int close_pools(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FRAME_CLASSES; i++) {
        free(items[i]);
        free(slots[i]);
        items[i] = NULL;
        slots[i] = NULL;
    }
    return 0;
}

static struct frame *create(uint32_t size)
{
    struct frame *frame = frame_create(&pools, payload, size);
    assert_non_null(frame);
    assert_int_equal(frame->size, size);
    assert_memory_equal(frame->payload, payload, size);
    return frame;
}

static void assert_class(uint32_t size, unsigned class_index)
{
    struct frame *frame = create(size);
    assert_int_equal(frame->class_index, class_index);
    frame_unref(&pools, frame);
}

static void a_frame_comes_from_the_smallest_class_that_fits(void **state)
{
    (void)state;
    open_pools(1, 1, 1);
    assert_class(1, SMALL);
    assert_class(FRAME_SMALL_BYTES, SMALL);
    assert_class(FRAME_SMALL_BYTES + 1, MEDIUM);
    assert_class(FRAME_MEDIUM_BYTES, MEDIUM);
    assert_class(FRAME_MEDIUM_BYTES + 1, LARGE);
    assert_class(FRAME_LARGE_BYTES, LARGE);
}

static void an_exhausted_class_borrows_from_the_larger_ones(void **state)
{
    (void)state;
    open_pools(1, 1, 1);
    assert_int_equal(create(10)->class_index, SMALL);
    assert_int_equal(create(10)->class_index, MEDIUM);
    assert_int_equal(create(10)->class_index, LARGE);
    assert_null(frame_create(&pools, payload, 10));
}

static void a_larger_frame_never_comes_from_a_smaller_class(void **state)
{
    (void)state;
    open_pools(1, 0, 0);
    assert_null(frame_create(&pools, payload, FRAME_SMALL_BYTES + 1));
}

static void a_frame_holds_the_bytes_it_was_created_with(void **state)
{
    (void)state;
    open_pools(1, 0, 0);
    char bytes[] = "abc";
    struct frame *frame = frame_create(&pools, bytes, 3);
    bytes[0] = 'x';
    assert_memory_equal(frame->payload, "abc", 3);
}

static void the_headroom_lies_in_front_of_the_payload(void **state)
{
    (void)state;
    open_pools(1, 0, 0);
    struct frame *frame = create(10);
    assert_ptr_equal(frame->payload, frame->headroom + FRAME_HEADROOM);
}

static void a_frame_is_released_with_its_last_reference(void **state)
{
    (void)state;
    open_pools(1, 0, 0);
    struct frame *frame = create(10);
    struct handle handle = frame->handle;
    frame_ref(frame);
    frame_unref(&pools, frame);
    assert_ptr_equal(pool_resolve(&pools.classes[SMALL], handle), frame);
    frame_unref(&pools, frame);
    assert_null(pool_resolve(&pools.classes[SMALL], handle));
    assert_int_equal(pools.classes[SMALL].used, 0);
}

static void a_released_slot_is_used_again(void **state)
{
    (void)state;
    open_pools(1, 0, 0);
    frame_unref(&pools, create(10));
    frame_unref(&pools, create(FRAME_SMALL_BYTES));
}

static void neighbours_do_not_touch(void **state)
{
    (void)state;
    open_pools(2, 0, 0);
    struct frame *first = create(FRAME_SMALL_BYTES);
    struct frame *second = create(FRAME_SMALL_BYTES);
    assert_int_equal(second->size, FRAME_SMALL_BYTES);
    assert_memory_equal(first->payload, payload, FRAME_SMALL_BYTES);
}

static void an_empty_frame_is_the_callers_mistake(void **state)
{
    (void)state;
    open_pools(1, 0, 0);
    expect_assert_failure((void)!frame_create(&pools, payload, 0));
}

static void a_frame_beyond_the_largest_is_the_callers_mistake(void **state)
{
    (void)state;
    open_pools(1, 1, 1);
    expect_assert_failure((void)!frame_create(&pools, payload, FRAME_LARGE_BYTES + 1));
}

static void a_released_frame_has_no_references_to_give(void **state)
{
    (void)state;
    open_pools(1, 0, 0);
    struct frame *frame = create(10);
    frame_unref(&pools, frame);
    expect_assert_failure(frame_ref(frame));
    expect_assert_failure(frame_unref(&pools, frame));
}

static void references_do_not_wrap(void **state)
{
    (void)state;
    open_pools(1, 0, 0);
    struct frame *frame = create(10);
    frame->references = UINT16_MAX;
    expect_assert_failure(frame_ref(frame));
}

static void there_are_three_classes(void **state)
{
    (void)state;
    assert_true(frame_slot_bytes(LARGE) >= sizeof(struct frame) + FRAME_LARGE_BYTES);
    expect_assert_failure((void)frame_slot_bytes(FRAME_CLASSES));
}

int main(void)
{
    for (size_t i = 0; i < sizeof payload; i++) payload[i] = (char)i;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_frame_comes_from_the_smallest_class_that_fits, close_pools),
        cmocka_unit_test_teardown(an_exhausted_class_borrows_from_the_larger_ones, close_pools),
        cmocka_unit_test_teardown(a_larger_frame_never_comes_from_a_smaller_class, close_pools),
        cmocka_unit_test_teardown(a_frame_holds_the_bytes_it_was_created_with, close_pools),
        cmocka_unit_test_teardown(the_headroom_lies_in_front_of_the_payload, close_pools),
        cmocka_unit_test_teardown(a_frame_is_released_with_its_last_reference, close_pools),
        cmocka_unit_test_teardown(a_released_slot_is_used_again, close_pools),
        cmocka_unit_test_teardown(neighbours_do_not_touch, close_pools),
        cmocka_unit_test_teardown(an_empty_frame_is_the_callers_mistake, close_pools),
        cmocka_unit_test_teardown(a_frame_beyond_the_largest_is_the_callers_mistake, close_pools),
        cmocka_unit_test_teardown(a_released_frame_has_no_references_to_give, close_pools),
        cmocka_unit_test_teardown(references_do_not_wrap, close_pools),
        cmocka_unit_test(there_are_three_classes),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
