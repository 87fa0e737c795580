/* Frames: encoded messages, shared by all who get them.
 *
 * Immutable after frame_create, reference counted (not atomic: a frame never leaves its shard; what crosses is bytes).
 * In front of the payload lie FRAME_HEADROOM bytes for the transport's header, written anew at each send with the
 * same header. Frames come from three pools by size; a pool that is exhausted is an answer, not an allocation.
 *
 * One owner, one thread. Bounded by the three capacities.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/pool.h"
#include "proto/wire.h"

enum {
    FRAME_HEADROOM = 16, /* At least LWS_PRE; the edge asserts it. */
    FRAME_SMALL_BYTES = 192,
    FRAME_MEDIUM_BYTES = 960,
    FRAME_LARGE_BYTES = WIRE_MESSAGE_BYTES_MAX,
    FRAME_CLASSES = 3,
};

struct frame {
    struct handle handle;
    uint16_t references;
    uint16_t class_index;
    uint32_t size;
    uint8_t headroom[FRAME_HEADROOM];
    char payload[]; /* size bytes, not terminated. */
};

struct frame_pools {
    struct pool classes[FRAME_CLASSES];
};

/* Bytes of one slot of a class. */
size_t frame_slot_bytes(unsigned class_index);

/* Requires: as for pool_init, per class, with frame_slot_bytes(). */
void frame_pools_init(struct frame_pools *pools, void *const items[FRAME_CLASSES],
                      struct pool_slot *const slots[FRAME_CLASSES],
                      const uint32_t capacities[FRAME_CLASSES]);

/* Copies the bytes into a frame of the smallest class that fits, with one reference; NULL where that class (and the
 * next larger ones) are exhausted. Requires: 0 < size <= FRAME_LARGE_BYTES. */
QR_MUST_USE struct frame *frame_create(struct frame_pools *pools, const char *bytes, uint32_t size);

void frame_ref(struct frame *frame);
void frame_unref(struct frame_pools *pools, struct frame *frame);
