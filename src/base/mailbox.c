#include "base/mailbox.h"

#include <string.h>

/* In the ring a record is a header, which is its length, and the bytes, both aligned to 8. Bytes
 * that would cross the end lie at the ring's beginning instead, and what is left behind the header
 * stays unused. Both sides derive that from the header's place and the length, so nothing marks it.
 *
 * A record takes at most what is left before the end, which is less than header and bytes, and the
 * bytes again: (8 + MAX − 8) + MAX = 2 * MAX, the smallest ring. So an empty ring takes every
 * record. */
enum { ALIGNMENT = 8, HEADER_BYTES = 8 };

_Static_assert(MAILBOX_RECORD_BYTES_MAX % ALIGNMENT == 0, "the sum above counts on it");

struct place {
    uint32_t header; /* Offsets into the ring. */
    uint32_t bytes;
    uint32_t extent; /* What the record takes, with its header and what stays unused. */
};

static struct place place_at(const struct mailbox *mailbox, uint64_t index, uint32_t record_bytes)
{
    uint32_t header = (uint32_t)(index & (mailbox->size - 1));
    uint32_t padded = (record_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    uint32_t to_end = mailbox->size - header;
    if (HEADER_BYTES + padded <= to_end)
        return (struct place){header, header + HEADER_BYTES, HEADER_BYTES + padded};
    return (struct place){header, 0, to_end + padded};
}

/* The place of the oldest record. Requires: there is one. */
static struct place oldest(const struct mailbox *mailbox, uint64_t head, uint32_t *ret_bytes)
{
    memcpy(ret_bytes, mailbox->bytes + (head & (mailbox->size - 1)), sizeof *ret_bytes);
    return place_at(mailbox, head, *ret_bytes);
}

void mailbox_init(struct mailbox *mailbox, void *storage, uint32_t size)
{
    QR_ASSERT((uintptr_t)storage % ALIGNMENT == 0);
    QR_ASSERT((size & (size - 1)) == 0);
    QR_ASSERT(size >= 2 * MAILBOX_RECORD_BYTES_MAX);
    atomic_init(&mailbox->tail, 0);
    atomic_init(&mailbox->head, 0);
    mailbox->head_seen = 0;
    mailbox->refused = 0;
    mailbox->bytes_used_max = 0;
    mailbox->bytes = storage;
    mailbox->size = size;
}

bool mailbox_push(struct mailbox *mailbox, const void *head, size_t head_bytes, const void *body,
                  size_t body_bytes)
{
    /* Each alone first, so that the sum cannot overflow. */
    QR_ASSERT(head_bytes <= MAILBOX_RECORD_BYTES_MAX);
    QR_ASSERT(body_bytes <= MAILBOX_RECORD_BYTES_MAX);
    QR_ASSERT(head_bytes + body_bytes <= MAILBOX_RECORD_BYTES_MAX);
    QR_ASSERT(head_bytes + body_bytes > 0);
    uint32_t record_bytes = (uint32_t)(head_bytes + body_bytes);
    uint64_t tail = atomic_load_explicit(&mailbox->tail, memory_order_relaxed);
    struct place place = place_at(mailbox, tail, record_bytes);
    uint64_t end = tail + place.extent;
    /* An old head makes the ring seem fuller than it is: it is good enough until that would be a
     * new maximum, which comes no later than full. So the maximum is a true one, and the consumer's
     * cache line is left alone mostly. */
    if (end - mailbox->head_seen > mailbox->bytes_used_max)
        mailbox->head_seen = atomic_load_explicit(&mailbox->head, memory_order_acquire);
    uint64_t used = end - mailbox->head_seen;
    if (used > mailbox->size) {
        mailbox->refused++;
        return false;
    }
    if (used > mailbox->bytes_used_max) mailbox->bytes_used_max = (uint32_t)used;
    memcpy(mailbox->bytes + place.header, &record_bytes, sizeof record_bytes);
    if (head_bytes > 0) memcpy(mailbox->bytes + place.bytes, head, head_bytes);
    if (body_bytes > 0) memcpy(mailbox->bytes + place.bytes + head_bytes, body, body_bytes);
    atomic_store_explicit(&mailbox->tail, end, memory_order_release);
    return true;
}

const void *mailbox_peek(struct mailbox *mailbox, size_t *ret_bytes)
{
    uint64_t head = atomic_load_explicit(&mailbox->head, memory_order_relaxed);
    if (head == atomic_load_explicit(&mailbox->tail, memory_order_acquire)) return NULL;
    uint32_t record_bytes;
    struct place place = oldest(mailbox, head, &record_bytes);
    *ret_bytes = record_bytes;
    return mailbox->bytes + place.bytes;
}

void mailbox_consume(struct mailbox *mailbox)
{
    uint64_t head = atomic_load_explicit(&mailbox->head, memory_order_relaxed);
    QR_ASSERT(head != atomic_load_explicit(&mailbox->tail, memory_order_acquire));
    uint32_t record_bytes;
    struct place place = oldest(mailbox, head, &record_bytes);
    atomic_store_explicit(&mailbox->head, head + place.extent, memory_order_release);
}

uint32_t mailbox_bytes_used(const struct mailbox *mailbox)
{
    /* Head first: it is never ahead of a tail that is read later. Between the two reads both may
     * move on, hence the bound. */
    uint64_t head = atomic_load_explicit(&mailbox->head, memory_order_acquire);
    uint64_t tail = atomic_load_explicit(&mailbox->tail, memory_order_acquire);
    return tail - head < mailbox->size ? (uint32_t)(tail - head) : mailbox->size;
}
