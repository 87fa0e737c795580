/* Frames to one connection: into its outbox, out to the edge, and when reading from it stops meanwhile. */

#include "shard_priv.h"

wall_time shard_wall(const struct shard *shard)
{
    return (wall_time){(int64_t)shard->now.ms + shard->wall_offset_ms};
}

struct wire shard_wire(struct shard *shard)
{
    struct wire wire;
    wire_init(&wire, shard->wire_bytes, sizeof(shard->wire_bytes));
    return wire;
}

static void ask_close(struct shard *shard, struct session *session)
{
    if (session->is_close_asked) return;
    session->is_close_asked = true;
    shard->io.close(shard->io.context, session->conn, (enum close_code)session->close_code,
                    session->close_reason);
}

void session_mark_flush(struct shard *shard, struct session *session)
{
    if (!list_is_linked(&session->flush_node)) list_append(&shard->flush, &session->flush_node);
}

/* Where droppable messages were lost and there is room again, `gap` tells before the next message does. */
static void say_gap(struct shard *shard, struct session *session)
{
    struct outbox *outbox = &session->outbox;
    if (outbox->dropped == 0 || outbox->count >= OUTBOX_PAUSE_AT) return;
    char bytes[64];
    struct wire wire;
    wire_init(&wire, bytes, sizeof(bytes));
    encode_gap(&wire, outbox->dropped);
    struct frame *frame = frame_create(&shard->frames, wire.bytes, wire.size);
    if (frame == NULL) return; /* With the next message, then. */
    if (outbox_push(outbox, &shard->outboxes, frame, false, OUTBOX_SLOTS)) outbox->dropped = 0;
    frame_unref(&shard->frames, frame);
}

bool session_push(struct shard *shard, struct session *session, struct frame *frame,
                  bool is_droppable, unsigned slots)
{
    say_gap(shard, session);
    if (!outbox_push(&session->outbox, &shard->outboxes, frame, is_droppable, slots)) return false;
    if (session->outbox.count > shard->counters.outbox.max) {
        shard->counters.outbox.max = session->outbox.count;
    }
    session_mark_flush(shard, session);
    session_update_pause(shard, session);
    return true;
}

static bool say(struct shard *shard, struct session *session, const struct wire *wire,
                bool is_droppable)
{
    QR_ASSERT(!wire->is_overflown && wire->size > 0);
    struct frame *frame = frame_create(&shard->frames, wire->bytes, wire->size);
    if (frame == NULL) return false;
    bool is_pushed = session_push(shard, session, frame, is_droppable, OUTBOX_SLOTS);
    frame_unref(&shard->frames, frame);
    return is_pushed;
}

/* No frame, or no slot though reading stops long before: a reply that cannot be given would leave the client waiting
 * for ever, a closed connection does not. */
void session_overload(struct shard *shard, struct session *session)
{
    session_abandon(shard, session, CLOSE_FULL, "overload");
}

bool session_try_say(struct shard *shard, struct session *session, const struct wire *wire)
{
    bool is_heard = session->conn != NULL && !session->is_close_asked;
    return !is_heard || say(shard, session, wire, false);
}

void session_say(struct shard *shard, struct session *session, const struct wire *wire)
{
    if (!session_try_say(shard, session, wire)) session_overload(shard, session);
}

void session_say_left(struct shard *shard, struct session *session, uint32_t request_id)
{
    struct wire wire = shard_wire(shard);
    encode_left(&wire, request_id);
    session_say(shard, session, &wire);
}

void session_say_droppable(struct shard *shard, struct session *session, const struct wire *wire)
{
    if (session->conn == NULL || session->is_over) return;
    if (!say(shard, session, wire, true)) shard->counters.droppable_dropped++;
}

void session_refuse(struct shard *shard, struct session *session, uint32_t request_id,
                    enum refusal refusal, const char *message, uint32_t retry_ms)
{
    shard->counters.refusals[refusal]++;
    struct wire wire = shard_wire(shard);
    encode_error(&wire, request_id, refusal, message, retry_ms);
    session_say(shard, session, &wire);
}

void session_update_pause(struct shard *shard, struct session *session)
{
    if (session->conn == NULL) return;
    bool is_paused = session->state == SESSION_GREETING || session->is_over ||
                     session->outbox.count >= OUTBOX_PAUSE_AT ||
                     mono_is_before(shard->now, session->resume_at);
    if (is_paused == session->is_paused) return;
    session->is_paused = is_paused;
    if (!is_paused) session->heard_at = shard->now; /* What was not read could not be heard. */
    shard->io.pause(shard->io.context, session->conn, is_paused);
}

/* --- The flush: what is due to one player goes out together. --- */

static void flush_session(struct shard *shard, struct session *session)
{
    if (session->conn == NULL || session->is_close_asked || session->is_choked) return;
    struct frame *frames[OUTBOX_SLOTS];
    unsigned count = outbox_gather(&session->outbox, frames);
    bool with_ping = liveness_wants_ping(session);
    unsigned sent = shard->io.send(shard->io.context, session->conn, frames, count, with_ping);
    QR_ASSERT(sent <= count);
    outbox_drop_sent(&session->outbox, &shard->outboxes, sent);
    shard->counters.frames_out += sent;
    if (sent < count) {
        session->is_choked = true;
        session->stuck_since = shard->now;
        if (mono_is_before(shard->now, session->behind_since)) session->behind_since = shard->now;
        session_rearm(shard, session);
        return;
    }
    session->behind_since = (mono_time){UINT64_MAX};
    if (with_ping) liveness_on_pinged(shard, session);
    if (session->is_over) {
        ask_close(shard, session);
        return;
    }
    playing_replay(shard, session);
    session_update_pause(shard, session);
}

void session_flush_all(struct shard *shard)
{
    for (unsigned i = 0; i < FLUSHES_PER_RUN; i++) {
        struct list *node = list_take_first(&shard->flush);
        if (node == NULL) return;
        flush_session(shard, LIST_ITEM(node, struct session, flush_node));
    }
}

void shard_on_writable(struct shard *shard, struct handle handle)
{
    struct session *session = pool_resolve(&shard->sessions, handle);
    if (session == NULL) return;
    if (session->is_choked) session->heard_at = shard->now; /* No ping has reached it meanwhile. */
    session->is_choked = false;
    session_mark_flush(shard, session);
    session_rearm(shard, session);
}
