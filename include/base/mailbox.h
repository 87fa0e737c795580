/* A single-producer, single-consumer ring of records of variable length, lock-free: how two shards
 * speak.
 *
 * The producer's thread pushes, the consumer's thread peeks and consumes; nothing else may be
 * called from either side while the other runs. Full is an answer: the push is refused, and the
 * sender keeps what it wanted to say as state. Waking the consumer is the caller's part (one
 * eventfd write per batch).
 *
 * The two indices are the only atomics below the edge. Each has one writer, who reads its own
 * relaxed; the other side loads with acquire what was stored with release:
 *
 *     tail, stored by push, loaded by peek     the record's bytes, written before it, can be read
 *     head, stored by consume, loaded by push  the bytes were read, so they may be overwritten
 *
 * A value behind the truth is harmless: the consumer sees fewer records than there are, the
 * producer less room. More than acquire and release is not needed, since nobody decides to sleep by
 * these two alone. A producer that finds no room tries again by its own clock. A consumer that
 * finds nothing may miss a store that has been made, but sleeps on something that is signalled
 * behind the store and stays signalled until it is read, before the next look; with an eventfd the
 * kernel's lock makes that read see what was stored before the write.
 *
 * tests/models/mailbox.pml and wake.pml try every order of these steps, where all threads see them
 * in one order. tests/unit/base/test_mailbox_threads.c runs them on two threads, for
 * ThreadSanitizer to look whether the two pairs order all bytes.
 *
 * A record lies in one piece: the bytes of one that would cross the end of the ring are put at its
 * beginning, and what is left before the end stays unused. An empty ring has room for every record.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"

enum { MAILBOX_RECORD_BYTES_MAX = 16384 };

struct mailbox {
    /* Written by the producer. */
    _Alignas(64) _Atomic uint64_t tail;
    uint64_t
        head_seen; /* The producer's copy of head: it looks again only when the ring seems full. */
    uint64_t refused;        /* Pushes that found no room; read by the producer's thread. */
    uint32_t bytes_used_max; /* High-water mark; read by the producer's thread. */
    /* Written by the consumer. */
    _Alignas(64) _Atomic uint64_t head;
    /* Constant. */
    _Alignas(64) uint8_t *bytes;
    uint32_t size;
};

/* Requires: `storage` has `size` bytes, aligned to 8; size is a power of two, at least 2 *
 * MAILBOX_RECORD_BYTES_MAX; both outlive the mailbox. */
void mailbox_init(struct mailbox *mailbox, void *storage, uint32_t size);

/* Producer. Pushes one record made of two parts (each may be NULL with 0 bytes). False, and nothing
 * changed but the count of refusals, where there is no room. Requires: 0 < head_bytes + body_bytes
 * <= MAILBOX_RECORD_BYTES_MAX. */
QR_MUST_USE bool mailbox_push(struct mailbox *mailbox, const void *head, size_t head_bytes,
                              const void *body, size_t body_bytes);

/* Consumer. The oldest record, aligned to 8, valid until mailbox_consume; NULL where there is none.
 */
const void *mailbox_peek(struct mailbox *mailbox, size_t *ret_bytes);

/* Consumer. Gives back the record of the last mailbox_peek. Requires: there is one. */
void mailbox_consume(struct mailbox *mailbox);

/* Either side, as a figure: the bytes in use. */
uint32_t mailbox_bytes_used(const struct mailbox *mailbox);
