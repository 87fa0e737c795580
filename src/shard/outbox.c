#include "shard_priv.h"

static unsigned slot_at(const struct outbox *outbox, unsigned index)
{
    return (outbox->head + index) % OUTBOX_SLOTS;
}

static bool is_droppable_at(const struct outbox *outbox, unsigned index)
{
    return (outbox->droppable >> slot_at(outbox, index) & 1) != 0;
}

static void borrow_ring(struct outbox *outbox, struct outboxes *all)
{
    struct handle handle = HANDLE_NONE;
    if (outbox->frames != NULL) return;
    outbox->frames = pool_acquire_unset(&all->rings, &handle);
    QR_ASSERT(outbox->frames != NULL);
}

static void give_back_empty_ring(struct outbox *outbox, struct outboxes *all)
{
    if (outbox->count > 0 || outbox->frames == NULL) return;
    pool_release(&all->rings, pool_handle_of(&all->rings, outbox->frames));
    outbox->frames = NULL;
}

/* Takes one out of the middle; those behind it move up. */
static void remove_at(struct outbox *outbox, struct outboxes *all, unsigned index)
{
    frame_unref(all->frames, outbox->frames[slot_at(outbox, index)]);
    for (unsigned i = index; i + 1 < outbox->count; i++) {
        unsigned to = slot_at(outbox, i);
        outbox->frames[to] = outbox->frames[slot_at(outbox, i + 1)];
        outbox->droppable = (uint16_t)(outbox->droppable & ~(1u << to));
        if (is_droppable_at(outbox, i + 1)) {
            outbox->droppable = (uint16_t)(outbox->droppable | 1u << to);
        }
    }
    outbox->count--;
}

/* Droppable frames go first: a client that is behind needs the reveal, and docs/protocol.md gives `answered` and
 * `emote` no seq, so that nobody can miss them. */
static bool make_room(struct outbox *outbox, struct outboxes *all)
{
    for (unsigned i = 0; i < outbox->count; i++) {
        if (!is_droppable_at(outbox, i)) continue;
        remove_at(outbox, all, i);
        outbox->dropped++;
        return true;
    }
    return false;
}

bool outbox_push(struct outbox *outbox, struct outboxes *all, struct frame *frame,
                 bool is_droppable, unsigned slots)
{
    QR_ASSERT(slots <= OUTBOX_SLOTS);
    /* A droppable frame leaves half of the outbox to what is not. */
    if (is_droppable && outbox->count >= OUTBOX_SLOTS / 2) {
        outbox->dropped++;
        return false;
    }
    if (outbox->count >= slots && !make_room(outbox, all)) return false;
    borrow_ring(outbox, all);
    unsigned slot = slot_at(outbox, outbox->count);
    outbox->frames[slot] = frame;
    frame_ref(frame);
    outbox->droppable = (uint16_t)(outbox->droppable & ~(1u << slot));
    if (is_droppable) outbox->droppable = (uint16_t)(outbox->droppable | 1u << slot);
    outbox->count++;
    return true;
}

unsigned outbox_gather(const struct outbox *outbox, struct frame *ret_frames[OUTBOX_SLOTS])
{
    for (unsigned i = 0; i < outbox->count; i++) {
        ret_frames[i] = outbox->frames[slot_at(outbox, i)];
    }
    return outbox->count;
}

void outbox_drop_sent(struct outbox *outbox, struct outboxes *all, unsigned count)
{
    QR_ASSERT(count <= outbox->count);
    for (unsigned i = 0; i < count; i++) {
        frame_unref(all->frames, outbox->frames[slot_at(outbox, i)]);
    }
    outbox->head = (uint8_t)slot_at(outbox, count);
    outbox->count = (uint8_t)(outbox->count - count);
    give_back_empty_ring(outbox, all);
}

void outbox_clear(struct outbox *outbox, struct outboxes *all)
{
    outbox_drop_sent(outbox, all, outbox->count);
}
