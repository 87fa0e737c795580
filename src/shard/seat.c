/* What one player of a match is owed, in order: the match's messages by seq, and replies between them, each behind the
 * messages that came before it.
 *
 * A seat keeps no frames: only how far the messages were handed on, and up to REPLIES_PER_SEAT replies. What a mailbox
 * cannot take now is encoded again from the match's log in a later iteration, to the same bytes. */

#include <string.h>

#include "shard_priv.h"

static void fill_end(const struct live_match *live, unsigned seat, struct record_deliver *record)
{
    const struct match *match = &live->match;
    record->flags |= DELIVER_END;
    for (unsigned i = 0; i < match->round && i < MATCH_ROUNDS_MAX; i++) {
        const struct question *question = &match->bank->questions[match->rounds[i].question];
        record->questions[record->question_count++] = question_fingerprint(question);
    }
    /* The other one has left before it began: this one waits on, with the age it had. */
    if (match->reason == MATCH_END_CANCELLED && match->round == 0 && match->fault == NULL &&
        match->players[seat].presence == PRESENCE_HERE) {
        record->flags |= DELIVER_REQUEUE;
    }
}

/* False: no room towards the player's shard. */
static bool hand_on(struct shard *shard, struct live_match *live, unsigned index,
                    struct record_deliver *record, struct frame *frame)
{
    struct seat *seat = &live->seats[index];
    record->kind = RECORD_DELIVER;
    record->seat = (uint8_t)index;
    record->dropped = seat->dropped;
    record->session = seat->session.handle;
    record->match = (struct match_ref){live->self, (uint16_t)shard->settings.index};
    record->match_id = live->match.id;
    record->since = seat->since;
    if (match_is_settling(&live->match)) record->flags |= DELIVER_SETTLING;
    if (seat->session.shard == shard->settings.index) {
        playing_on_frame(shard, record, frame);
    } else if (!post_with_body(shard, seat->session.shard, record, sizeof(*record),
                               frame->payload, frame->size)) {
        return false;
    }
    seat->dropped = 0;
    return true;
}

static bool hand_wire(struct shard *shard, struct live_match *live, unsigned index,
                      struct record_deliver *record, const struct wire *wire)
{
    QR_ASSERT(!wire->is_overflown && wire->size > 0);
    struct frame *frame = frame_create(&shard->frames, wire->bytes, wire->size);
    if (frame == NULL) return false;
    bool is_handed = hand_on(shard, live, index, record, frame);
    frame_unref(&shard->frames, frame);
    return is_handed;
}

static bool hand_message(struct shard *shard, struct live_match *live, unsigned index, uint16_t seq,
                         struct frame *frame)
{
    struct record_deliver record = {.seq = seq};
    if (match_log_at(&live->match, seq).kind == MATCH_LOG_END) fill_end(live, index, &record);
    if (frame != NULL) return hand_on(shard, live, index, &record, frame);
    struct wire wire = shard_wire(shard);
    encode_match_entry(&wire, &live->match, seq);
    return hand_wire(shard, live, index, &record, &wire);
}

static bool hand_reply(struct shard *shard, struct live_match *live, unsigned index)
{
    const struct seat_reply *reply = &live->seats[index].replies[0];
    struct record_deliver record = {.flags = DELIVER_REPLY, .request_id = reply->request_id};
    struct wire wire = shard_wire(shard);
    switch ((enum reply_kind)reply->kind) {
    case REPLY_RECEIPT:
        encode_accepted(&wire, &(struct receipt){.request_id = reply->request_id,
                                                 .round = reply->round,
                                                 .choice = reply->choice,
                                                 .at_ms = reply->at_ms,
                                                 .rtt_ms = reply->rtt_ms,
                                                 .is_dup = reply->is_dup});
        break;
    case REPLY_REFUSE:
        encode_error(&wire, reply->request_id, (enum refusal)reply->refusal, NULL, BUSY_RETRY_MS);
        break;
    case REPLY_LEFT:
        record.flags |= DELIVER_LEFT;
        encode_left(&wire, reply->request_id);
        break;
    case REPLY_OK: encode_ok(&wire, reply->request_id); break;
    }
    return hand_wire(shard, live, index, &record, &wire);
}

/* One step further; false: nothing is due, or there is no room. */
static bool advance(struct shard *shard, struct live_match *live, unsigned index,
                    struct frame *frame)
{
    struct seat *seat = &live->seats[index];
    if (seat->reply_count > 0 && seat->replies[0].after_seq <= seat->handed_seq) {
        if (!hand_reply(shard, live, index)) return false;
        seat->reply_count--;
        memmove(&seat->replies[0], &seat->replies[1],
                seat->reply_count * sizeof(seat->replies[0]));
        return true;
    }
    if (seat->handed_seq == live->announced_seq) return false;
    uint16_t seq = (uint16_t)(seat->handed_seq + 1);
    if (!hand_message(shard, live, index, seq, seq == live->announced_seq ? frame : NULL)) {
        return false;
    }
    seat->handed_seq = seq;
    return true;
}

static bool is_owed(const struct live_match *live, unsigned index)
{
    const struct seat *seat = &live->seats[index];
    return seat->is_connected && !seat->has_end &&
           (seat->reply_count > 0 || seat->handed_seq < live->announced_seq);
}

void seat_flush(struct shard *shard, struct live_match *live, unsigned index, struct frame *frame)
{
    if (!live->seats[index].is_connected) return;
    while (advance(shard, live, index, frame)) continue;
    if (is_owed(live, index) && !list_is_linked(&live->owed_node)) {
        list_append(&shard->owed, &live->owed_node);
    }
}

void seat_reply(struct shard *shard, struct live_match *live, unsigned index,
                const struct seat_reply *reply)
{
    struct seat *seat = &live->seats[index];
    if (!seat->is_connected) return; /* Nobody is there to hear it. */
    QR_ASSERT(seat->reply_count < REPLIES_PER_SEAT); /* The session has no more requests open. */
    struct seat_reply *place = &seat->replies[seat->reply_count++];
    *place = *reply;
    place->after_seq = live->announced_seq;
    seat_flush(shard, live, index, NULL);
}

void seats_say_droppable(struct shard *shard, struct live_match *live, const struct wire *wire)
{
    struct frame *frame = frame_create(&shard->frames, wire->bytes, wire->size);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        struct seat *seat = &live->seats[i];
        if (!seat->is_connected || live->announced_seq == 0) continue;
        struct record_deliver record = {.flags = DELIVER_DROPPABLE};
        /* Behind what is due it would come out of order. */
        if (frame == NULL || is_owed(live, i) || !hand_on(shard, live, i, &record, frame)) {
            shard->counters.droppable_dropped++;
            if (seat->dropped < UINT16_MAX) seat->dropped++;
        }
    }
    if (frame != NULL) frame_unref(&shard->frames, frame);
}
