#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mailbox.h"

enum {
    SIZE = 2 * MAILBOX_RECORD_BYTES_MAX,
    HEADER_BYTES = 8,
    FULL_RECORD = MAILBOX_RECORD_BYTES_MAX,
};

static _Alignas(8) uint8_t storage[SIZE];
static uint8_t source[FULL_RECORD];

static void begin(struct mailbox *mailbox)
{
    memset(storage, 0xee, sizeof storage);
    for (size_t i = 0; i < sizeof source; i++) source[i] = (uint8_t)(i * 7 + i / 256);
    mailbox_init(mailbox, storage, SIZE);
}

/* A record of `bytes` bytes, in two parts; the first differs with `mark`. */
static bool push(struct mailbox *mailbox, uint8_t mark, size_t bytes)
{
    return mailbox_push(mailbox, &mark, 1, source, bytes - 1);
}

static void assert_peeks(struct mailbox *mailbox, uint8_t mark, size_t bytes)
{
    size_t peeked_bytes = 0;
    const uint8_t *record = mailbox_peek(mailbox, &peeked_bytes);
    assert_non_null(record);
    assert_int_equal((uintptr_t)record % 8, 0);
    assert_int_equal(peeked_bytes, bytes);
    assert_int_equal(record[0], mark);
    assert_memory_equal(record + 1, source, bytes - 1);
}

static void assert_takes(struct mailbox *mailbox, uint8_t mark, size_t bytes)
{
    assert_peeks(mailbox, mark, bytes);
    mailbox_consume(mailbox);
}

/* Moves both indices of an empty mailbox on to `offset` in the ring. */
static void advance_to(struct mailbox *mailbox, size_t offset)
{
    /* Records of a byte move by 16; one of 9 bytes, by 24, reaches the places between. */
    if (offset % 16 != mailbox->tail % 16) {
        assert_true(push(mailbox, 0, 9));
        assert_takes(mailbox, 0, 9);
    }
    while ((mailbox->tail & (SIZE - 1)) != offset) {
        assert_true(push(mailbox, 0, 1));
        assert_takes(mailbox, 0, 1);
    }
}

static void init_requires_aligned_storage(void **state)
{
    (void)state;
    struct mailbox mailbox;
    expect_assert_failure(mailbox_init(&mailbox, storage + 4, SIZE));
}

static void init_requires_a_power_of_two_of_at_least_two_records(void **state)
{
    (void)state;
    struct mailbox mailbox;
    expect_assert_failure(mailbox_init(&mailbox, storage, SIZE / 2));
    expect_assert_failure(mailbox_init(&mailbox, storage, SIZE + 8));
    expect_assert_failure(mailbox_init(&mailbox, storage, 0));
}

static void an_empty_mailbox_has_nothing_to_peek(void **state)
{
    (void)state;
    struct mailbox mailbox;
    size_t bytes = 5;
    begin(&mailbox);
    assert_null(mailbox_peek(&mailbox, &bytes));
    assert_int_equal(bytes, 5);
    assert_int_equal(mailbox_bytes_used(&mailbox), 0);
}

static void consume_requires_a_record(void **state)
{
    (void)state;
    struct mailbox mailbox;
    begin(&mailbox);
    expect_assert_failure(mailbox_consume(&mailbox));
}

static void records_of_any_length_come_out_in_order(void **state)
{
    (void)state;
    struct mailbox mailbox;
    begin(&mailbox);
    assert_true(push(&mailbox, 1, 1));
    assert_true(push(&mailbox, 2, 7));
    assert_true(push(&mailbox, 3, 8));
    assert_true(push(&mailbox, 4, 9));
    assert_true(push(&mailbox, 5, 1000));
    assert_takes(&mailbox, 1, 1);
    assert_takes(&mailbox, 2, 7);
    assert_takes(&mailbox, 3, 8);
    assert_takes(&mailbox, 4, 9);
    assert_takes(&mailbox, 5, 1000);
    assert_int_equal(mailbox_bytes_used(&mailbox), 0);
}

static void peeking_again_gives_the_same_record(void **state)
{
    (void)state;
    struct mailbox mailbox;
    begin(&mailbox);
    assert_true(push(&mailbox, 1, 10));
    assert_true(push(&mailbox, 2, 10));
    assert_peeks(&mailbox, 1, 10);
    assert_peeks(&mailbox, 1, 10);
}

static void a_record_may_have_a_head_only(void **state)
{
    (void)state;
    struct mailbox mailbox;
    size_t bytes = 0;
    begin(&mailbox);
    assert_true(mailbox_push(&mailbox, "head", 4, NULL, 0));
    assert_memory_equal(mailbox_peek(&mailbox, &bytes), "head", 4);
    assert_int_equal(bytes, 4);
}

static void a_record_may_have_a_body_only(void **state)
{
    (void)state;
    struct mailbox mailbox;
    size_t bytes = 0;
    begin(&mailbox);
    assert_true(mailbox_push(&mailbox, NULL, 0, "body", 4));
    assert_memory_equal(mailbox_peek(&mailbox, &bytes), "body", 4);
    assert_int_equal(bytes, 4);
}

static void the_longest_record_is_taken(void **state)
{
    (void)state;
    struct mailbox mailbox;
    begin(&mailbox);
    assert_true(push(&mailbox, 1, FULL_RECORD));
    assert_takes(&mailbox, 1, FULL_RECORD);
}

static void push_requires_at_most_the_longest_record(void **state)
{
    (void)state;
    struct mailbox mailbox;
    begin(&mailbox);
    expect_assert_failure((void)!mailbox_push(&mailbox, source, 1, source, FULL_RECORD));
    expect_assert_failure((void)!mailbox_push(&mailbox, source, FULL_RECORD + 1, NULL, 0));
    expect_assert_failure((void)!mailbox_push(&mailbox, NULL, 0, source, FULL_RECORD + 1));
    expect_assert_failure((void)!mailbox_push(&mailbox, source, SIZE_MAX, source, 2));
}

static void push_requires_a_byte(void **state)
{
    (void)state;
    struct mailbox mailbox;
    begin(&mailbox);
    expect_assert_failure((void)!mailbox_push(&mailbox, NULL, 0, NULL, 0));
}

static void a_record_that_ends_at_the_end_of_the_ring_wastes_nothing(void **state)
{
    (void)state;
    struct mailbox mailbox;
    begin(&mailbox);
    advance_to(&mailbox, SIZE - HEADER_BYTES - 64);
    assert_true(push(&mailbox, 1, 64));
    assert_int_equal(mailbox_bytes_used(&mailbox), HEADER_BYTES + 64);
    assert_takes(&mailbox, 1, 64);
}

static void a_record_that_would_cross_the_end_lies_at_the_beginning_in_one_piece(void **state)
{
    (void)state;
    struct mailbox mailbox;
    begin(&mailbox);
    advance_to(&mailbox, SIZE - HEADER_BYTES - 64);
    assert_true(push(&mailbox, 1, 65));
    assert_true(push(&mailbox, 2, 20));
    assert_int_equal(mailbox_bytes_used(&mailbox), HEADER_BYTES + 64 + 72 + HEADER_BYTES + 24);
    assert_takes(&mailbox, 1, 65);
    assert_takes(&mailbox, 2, 20);
    assert_int_equal(mailbox_bytes_used(&mailbox), 0);
}

static void a_header_fits_into_the_last_bytes_of_the_ring(void **state)
{
    (void)state;
    struct mailbox mailbox;
    begin(&mailbox);
    advance_to(&mailbox, SIZE - HEADER_BYTES);
    assert_true(push(&mailbox, 2, 30));
    assert_int_equal(mailbox_bytes_used(&mailbox), HEADER_BYTES + 32);
    assert_takes(&mailbox, 2, 30);
}

static void an_empty_mailbox_takes_the_longest_record_wherever_it_stands(void **state)
{
    (void)state;
    struct mailbox mailbox;
    begin(&mailbox);
    /* The worst place: a byte less than header and bytes is left before the end, as alignment goes.
     */
    advance_to(&mailbox, SIZE - FULL_RECORD);
    assert_true(push(&mailbox, 1, FULL_RECORD));
    assert_int_equal(mailbox_bytes_used(&mailbox), SIZE);
    assert_takes(&mailbox, 1, FULL_RECORD);
}

static void fill_with_sixteens(struct mailbox *mailbox)
{
    for (unsigned i = 0; i < SIZE / 16; i++) assert_true(push(mailbox, (uint8_t)i, 8));
}

static void a_full_mailbox_refuses_and_nothing_changes_but_the_count_of_refusals(void **state)
{
    (void)state;
    struct mailbox mailbox;
    static uint8_t before[SIZE];
    begin(&mailbox);
    fill_with_sixteens(&mailbox);
    memcpy(before, storage, SIZE);
    uint64_t tail = mailbox.tail;
    assert_false(push(&mailbox, 1, 1));
    assert_memory_equal(storage, before, SIZE);
    assert_int_equal(mailbox.tail, tail);
    assert_int_equal(mailbox.head, 0);
    assert_int_equal(mailbox.refused, 1);
    assert_int_equal(mailbox_bytes_used(&mailbox), SIZE);
    assert_peeks(&mailbox, 0, 8);
}

static void a_full_mailbox_takes_a_record_as_long_as_the_one_consumed(void **state)
{
    (void)state;
    struct mailbox mailbox;
    begin(&mailbox);
    fill_with_sixteens(&mailbox);
    assert_takes(&mailbox, 0, 8);
    assert_false(push(&mailbox, 9, 9));
    assert_true(push(&mailbox, 9, 8));
    assert_false(push(&mailbox, 9, 1));
    assert_int_equal(mailbox.refused, 2);
}

static void the_high_water_mark_is_what_was_in_use_at_once(void **state)
{
    (void)state;
    struct mailbox mailbox;
    begin(&mailbox);
    advance_to(&mailbox, SIZE / 2);
    assert_int_equal(mailbox.bytes_used_max, 16);
    assert_true(push(&mailbox, 1, 8));
    assert_true(push(&mailbox, 2, 8));
    assert_int_equal(mailbox.bytes_used_max, 32);
    assert_takes(&mailbox, 1, 8);
    assert_takes(&mailbox, 2, 8);
    assert_true(push(&mailbox, 3, 8));
    assert_int_equal(mailbox.bytes_used_max, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_requires_aligned_storage),
        cmocka_unit_test(init_requires_a_power_of_two_of_at_least_two_records),
        cmocka_unit_test(an_empty_mailbox_has_nothing_to_peek),
        cmocka_unit_test(consume_requires_a_record),
        cmocka_unit_test(records_of_any_length_come_out_in_order),
        cmocka_unit_test(peeking_again_gives_the_same_record),
        cmocka_unit_test(a_record_may_have_a_head_only),
        cmocka_unit_test(a_record_may_have_a_body_only),
        cmocka_unit_test(the_longest_record_is_taken),
        cmocka_unit_test(push_requires_at_most_the_longest_record),
        cmocka_unit_test(push_requires_a_byte),
        cmocka_unit_test(a_record_that_ends_at_the_end_of_the_ring_wastes_nothing),
        cmocka_unit_test(a_record_that_would_cross_the_end_lies_at_the_beginning_in_one_piece),
        cmocka_unit_test(a_header_fits_into_the_last_bytes_of_the_ring),
        cmocka_unit_test(an_empty_mailbox_takes_the_longest_record_wherever_it_stands),
        cmocka_unit_test(a_full_mailbox_refuses_and_nothing_changes_but_the_count_of_refusals),
        cmocka_unit_test(a_full_mailbox_takes_a_record_as_long_as_the_one_consumed),
        cmocka_unit_test(the_high_water_mark_is_what_was_in_use_at_once),
    };
    return cmocka_run_group_tests_name("base/mailbox", tests, NULL, NULL);
}
