#include "proto/frame.h"

#include <stdalign.h>
#include <stddef.h>
#include <string.h>

static const uint32_t class_bytes[FRAME_CLASSES] = {FRAME_SMALL_BYTES, FRAME_MEDIUM_BYTES,
                                                    FRAME_LARGE_BYTES};

size_t frame_slot_bytes(unsigned class_index)
{
    QR_ASSERT(class_index < FRAME_CLASSES);
    size_t bytes = offsetof(struct frame, payload) + class_bytes[class_index];
    size_t alignment = alignof(struct frame); /* So that the next slot is aligned too. */
    return (bytes + alignment - 1) / alignment * alignment;
}

void frame_pools_init(struct frame_pools *pools, void *const items[FRAME_CLASSES],
                      struct pool_slot *const slots[FRAME_CLASSES],
                      const uint32_t capacities[FRAME_CLASSES])
{
    for (unsigned i = 0; i < FRAME_CLASSES; i++) {
        pool_init(&pools->classes[i], items[i], slots[i], frame_slot_bytes(i), capacities[i]);
    }
}

struct frame *frame_create(struct frame_pools *pools, const char *bytes, uint32_t size)
{
    QR_ASSERT(size > 0);
    QR_ASSERT(size <= FRAME_LARGE_BYTES);
    for (unsigned i = 0; i < FRAME_CLASSES; i++) {
        if (size > class_bytes[i]) continue;
        struct handle handle;
        struct frame *frame = pool_acquire_unset(&pools->classes[i], &handle);
        if (frame == NULL) continue;
        frame->handle = handle;
        frame->references = 1;
        frame->class_index = (uint16_t)i;
        frame->size = size;
        memcpy(frame->payload, bytes, size);
        return frame;
    }
    return NULL;
}

void frame_ref(struct frame *frame)
{
    QR_ASSERT(frame->references > 0);
    QR_ASSERT(frame->references < UINT16_MAX);
    frame->references++;
}

void frame_unref(struct frame_pools *pools, struct frame *frame)
{
    QR_ASSERT(frame->references > 0);
    frame->references--;
    if (frame->references == 0) pool_release(&pools->classes[frame->class_index], frame->handle);
}
