/* Frames that wait for one connection: order, room, and who gives way. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shard_priv.h"

enum { FRAMES = 64, RINGS = 2, CRITICAL = false, DROPPABLE = true };

/* An outbox, and frames of one letter. */
struct box {
    struct outbox outbox;
    struct outboxes all;
    struct frame_pools frames;
    struct frame *rings[RINGS][OUTBOX_SLOTS];
    struct pool_slot ring_slots[RINGS];
    void *items[FRAME_CLASSES];
    struct pool_slot *slots[FRAME_CLASSES];
};

static void open_box(struct box *box)
{
    uint32_t capacities[FRAME_CLASSES];
    memset(box, 0, sizeof(*box));
    for (unsigned i = 0; i < FRAME_CLASSES; i++) {
        capacities[i] = i == 0 ? FRAMES : 1;
        box->items[i] = calloc(capacities[i], frame_slot_bytes(i));
        box->slots[i] = calloc(capacities[i], sizeof(struct pool_slot));
        assert_non_null(box->items[i]);
        assert_non_null(box->slots[i]);
    }
    frame_pools_init(&box->frames, box->items, box->slots, capacities);
    pool_init(&box->all.rings, box->rings, box->ring_slots, sizeof(box->rings[0]), RINGS);
    box->all.frames = &box->frames;
}

static void close_box(struct box *box)
{
    outbox_clear(&box->outbox, &box->all);
    assert_int_equal(box->frames.classes[0].used, 0);
    assert_int_equal(box->all.rings.used, 0);
    for (unsigned i = 0; i < FRAME_CLASSES; i++) {
        free(box->items[i]);
        free(box->slots[i]);
    }
}

static bool push(struct box *box, char letter, bool is_droppable, unsigned slots)
{
    struct frame *frame = frame_create(&box->frames, &letter, 1);
    assert_non_null(frame);
    bool is_pushed = outbox_push(&box->outbox, &box->all, frame, is_droppable, slots);
    frame_unref(&box->frames, frame);
    return is_pushed;
}

static void push_all(struct box *box, const char *letters, bool is_droppable)
{
    for (; *letters != '\0'; letters++) {
        assert_true(push(box, *letters, is_droppable, OUTBOX_SLOTS));
    }
}

static void expect_waiting(const struct box *box, const char *letters)
{
    struct frame *frames[OUTBOX_SLOTS];
    char waiting[OUTBOX_SLOTS + 1] = "";
    unsigned count = outbox_gather(&box->outbox, frames);
    for (unsigned i = 0; i < count; i++) waiting[i] = frames[i]->payload[0];
    assert_string_equal(waiting, letters);
}

static void frames_keep_their_order(void **state)
{
    (void)state;
    struct box box;
    open_box(&box);
    push_all(&box, "abc", CRITICAL);
    outbox_drop_sent(&box.outbox, &box.all, 2);
    push_all(&box, "de", CRITICAL);
    expect_waiting(&box, "cde");
    close_box(&box);
}

static void droppable_frames_take_half_of_it_only(void **state)
{
    (void)state;
    struct box box;
    open_box(&box);
    push_all(&box, "abcdefgh", DROPPABLE);
    assert_false(push(&box, 'i', DROPPABLE, OUTBOX_SLOTS));
    assert_int_equal(box.outbox.dropped, 1);
    expect_waiting(&box, "abcdefgh");
    close_box(&box);
}

static void a_critical_frame_pushes_out_the_oldest_droppable_one(void **state)
{
    (void)state;
    struct box box;
    open_box(&box);
    push_all(&box, "A", CRITICAL);
    push_all(&box, "bc", DROPPABLE);
    push_all(&box, "DEFGHIJKLMNOP", CRITICAL);
    assert_int_equal(box.outbox.count, OUTBOX_SLOTS);
    push_all(&box, "Q", CRITICAL);
    expect_waiting(&box, "AcDEFGHIJKLMNOPQ");
    push_all(&box, "R", CRITICAL);
    expect_waiting(&box, "ADEFGHIJKLMNOPQR");
    assert_int_equal(box.outbox.dropped, 2);
    assert_false(push(&box, 'S', CRITICAL, OUTBOX_SLOTS));
    expect_waiting(&box, "ADEFGHIJKLMNOPQR");
    close_box(&box);
}

static void a_frame_may_fill_as_many_slots_as_it_is_told(void **state)
{
    (void)state;
    struct box box;
    open_box(&box);
    push_all(&box, "ABCDEFGHIJKL", CRITICAL);
    assert_false(push(&box, 'M', CRITICAL, OUTBOX_MATCH_SLOTS));
    assert_true(push(&box, 'N', CRITICAL, OUTBOX_SLOTS));
    expect_waiting(&box, "ABCDEFGHIJKLN");
    close_box(&box);
}

static void a_droppable_frame_is_one_after_the_slots_have_turned_round(void **state)
{
    (void)state;
    struct box box;
    open_box(&box);
    push_all(&box, "ABCDEFGHIJKLMN", CRITICAL);
    outbox_drop_sent(&box.outbox, &box.all, 14);
    push_all(&box, "abcd", DROPPABLE);
    push_all(&box, "EFGHIJKLMNOP", CRITICAL);
    push_all(&box, "QRST", CRITICAL);
    expect_waiting(&box, "EFGHIJKLMNOPQRST");
    assert_false(push(&box, 'U', CRITICAL, OUTBOX_SLOTS));
    close_box(&box);
}

static void a_frame_waits_in_many_outboxes_and_is_freed_once(void **state)
{
    (void)state;
    struct box box;
    open_box(&box);
    struct frame *frame = frame_create(&box.frames, "x", 1);
    assert_non_null(frame);
    struct outbox other = {.count = 0};
    assert_true(outbox_push(&box.outbox, &box.all, frame, CRITICAL, OUTBOX_SLOTS));
    assert_true(outbox_push(&other, &box.all, frame, CRITICAL, OUTBOX_SLOTS));
    frame_unref(&box.frames, frame);
    outbox_clear(&other, &box.all);
    assert_int_equal(box.frames.classes[0].used, 1);
    expect_waiting(&box, "x");
    close_box(&box);
}

static void a_ring_is_borrowed_while_something_waits(void **state)
{
    (void)state;
    struct box box;
    open_box(&box);
    assert_int_equal(box.all.rings.used, 0);
    push_all(&box, "ab", CRITICAL);
    assert_int_equal(box.all.rings.used, 1);
    outbox_drop_sent(&box.outbox, &box.all, 1);
    assert_int_equal(box.all.rings.used, 1);
    outbox_drop_sent(&box.outbox, &box.all, 1);
    assert_int_equal(box.all.rings.used, 0);
    push_all(&box, "c", CRITICAL);
    expect_waiting(&box, "c");
    close_box(&box);
}

static void no_more_is_sent_than_waits(void **state)
{
    (void)state;
    struct box box;
    open_box(&box);
    push_all(&box, "A", CRITICAL);
    expect_assert_failure(outbox_drop_sent(&box.outbox, &box.all, 2));
    close_box(&box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_keep_their_order),
        cmocka_unit_test(droppable_frames_take_half_of_it_only),
        cmocka_unit_test(a_critical_frame_pushes_out_the_oldest_droppable_one),
        cmocka_unit_test(a_frame_may_fill_as_many_slots_as_it_is_told),
        cmocka_unit_test(a_droppable_frame_is_one_after_the_slots_have_turned_round),
        cmocka_unit_test(a_frame_waits_in_many_outboxes_and_is_freed_once),
        cmocka_unit_test(a_ring_is_borrowed_while_something_waits),
        cmocka_unit_test(no_more_is_sent_than_waits),
    };
    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
