/* What one player of a match is owed, in order: the match's messages by seq, and replies between them, each behind the
 * messages that came before it.
 *
 * A seat keeps no frames: only how far the messages were handed on, and up to REPLIES_PER_SEAT replies. What a mailbox
 * cannot take now is encoded again from the match's log in a later iteration, to the same bytes. */

#include <string.h>

#include "shard_priv.h"

static void fill_end(const struct hosted *hosted, unsigned seat, struct record_deliver *record)
{
    const struct match *match = &hosted->match;
    const struct match_player *player = &match->players[seat];
    record->flags |= DELIVER_END;
    record->mode = match->settings.mode;
    if (match_shows_ratings(match)) {
        record->flags |= DELIVER_RATED;
        record->rating = player->rating_after;
        record->opponent = player_fingerprint(&match->players[1 - seat].player);
    }
    for (unsigned i = 0; i < match->round && i < match->settings.rounds; i++) {
        const struct question *question = &match->bank->questions[match->rounds[i].question];
        record->questions[record->question_count++] = question_fingerprint(question);
    }
    /* One has left before it began: the other waits on, with the age it had. */
    bool is_dodged = match->reason == MATCH_END_CANCELLED && match->round == 0 &&
                     match->fault == NULL && match->settings.mode == MATCH_MODE_DUEL;
    if (!is_dodged) return;
    if (player->presence == PRESENCE_HERE) record->flags |= DELIVER_REQUEUE;
    if (player->presence == PRESENCE_GONE) record->flags |= DELIVER_DODGED;
}

/* While a step's effects are carried out the match is ahead of what was told of it. */
static bool is_all_told(const struct hosted *hosted)
{
    return hosted->announced_seq == hosted->match.seq;
}

/* False: no room towards the player's shard. */
static bool hand_on(struct shard *shard, struct hosted *hosted, unsigned index,
                    struct record_deliver *record, struct frame *frame)
{
    struct seat *seat = &hosted->seats[index];
    record->kind = RECORD_DELIVER;
    record->seat = (uint8_t)index;
    record->dropped = seat->dropped;
    record->session = seat->session.handle;
    record->match = (struct match_ref){hosted->self, (uint16_t)shard->settings.index};
    record->match_id = hosted->match.id;
    record->since = seat->since;
    bool is_settling = match_is_settling(&hosted->match) && is_all_told(hosted);
    if (is_settling) record->flags |= DELIVER_SETTLING;
    if (seat->session.shard == shard->settings.index) {
        playing_on_frame(shard, record, frame);
    } else if (!post_with_body(shard, seat->session.shard, record, sizeof(*record),
                               frame != NULL ? frame->payload : NULL,
                               frame != NULL ? frame->size : 0)) {
        return false;
    }
    seat->dropped = 0;
    return true;
}

static bool hand_wire(struct shard *shard, struct hosted *hosted, unsigned index,
                      struct record_deliver *record, const struct wire *wire)
{
    QR_ASSERT(!wire->is_overflown && wire->size > 0);
    struct frame *frame = frame_create(&shard->frames, wire->bytes, wire->size);
    if (frame == NULL) return false;
    bool is_handed = hand_on(shard, hosted, index, record, frame);
    frame_unref(&shard->frames, frame);
    return is_handed;
}

static bool hand_message(struct shard *shard, struct hosted *hosted, unsigned index, uint16_t seq,
                         struct frame *frame)
{
    struct record_deliver record = {.seq = seq};
    if (match_log_at(&hosted->match, seq).kind == MATCH_LOG_END) fill_end(hosted, index, &record);
    if (frame != NULL) return hand_on(shard, hosted, index, &record, frame);
    struct wire wire = shard_wire(shard);
    encode_match_entry(&wire, &hosted->match, seq);
    return hand_wire(shard, hosted, index, &record, &wire);
}

static void write_receipt(const struct hosted *hosted, unsigned index,
                          const struct seat_reply *reply, struct wire *wire)
{
    const struct match_round *round = &hosted->match.rounds[reply->round - 1];
    encode_accepted(wire, &(struct receipt){.request_id = reply->request_id,
                                            .round = reply->round,
                                            .choice = (uint8_t)round->answers[index].choice,
                                            .at_ms = match_answer_time(round, index),
                                            .rtt_ms = round->credits_ms[index],
                                            .is_dup = reply->is_dup});
}

static bool hand_reply(struct shard *shard, struct hosted *hosted, unsigned index)
{
    const struct seat_reply *reply = &hosted->seats[index].replies[0];
    struct record_deliver record = {.flags = DELIVER_REPLY, .request_id = reply->request_id};
    struct wire wire = shard_wire(shard);
    switch ((enum reply_kind)reply->kind) {
    case REPLY_RECEIPT: write_receipt(hosted, index, reply, &wire); break;
    case REPLY_REFUSE:
        encode_error(&wire, reply->request_id, (enum refusal)reply->refusal, NULL, BUSY_RETRY_MS);
        break;
    case REPLY_LEFT:
        record.flags |= DELIVER_LEFT;
        encode_left(&wire, reply->request_id);
        break;
    case REPLY_OK: encode_ok(&wire, reply->request_id); break;
    }
    return hand_wire(shard, hosted, index, &record, &wire);
}

/* One step further; false: nothing is due, or there is no room. */
static bool advance(struct shard *shard, struct hosted *hosted, unsigned index, struct frame *frame)
{
    struct seat *seat = &hosted->seats[index];
    if (seat->reply_count > 0 && seat->replies[0].after_seq <= seat->handed_seq) {
        if (!hand_reply(shard, hosted, index)) return false;
        seat->reply_count--;
        memmove(&seat->replies[0], &seat->replies[1], seat->reply_count * sizeof(seat->replies[0]));
        return true;
    }
    if (seat->handed_seq == hosted->announced_seq) return false;
    uint16_t seq = (uint16_t)(seat->handed_seq + 1);
    if (!hand_message(shard, hosted, index, seq, seq == hosted->announced_seq ? frame : NULL)) {
        return false;
    }
    seat->handed_seq = seq;
    if (match_log_at(&hosted->match, seq).kind == MATCH_LOG_END) seat->has_end = true;
    return true;
}

bool seat_is_owed(const struct hosted *hosted, unsigned index)
{
    const struct seat *seat = &hosted->seats[index];
    if (!seat->is_connected) return hosted->is_ended && !seat->has_end && !seat->is_bot;
    return seat->reply_count > 0 || seat->handed_seq < hosted->announced_seq || seat->owes_clock;
}

/* To one who is back and up to date: where the phase stands; not once the last round is over. */
static void hand_clock(struct shard *shard, struct hosted *hosted, unsigned index)
{
    struct seat *seat = &hosted->seats[index];
    const struct match *match = &hosted->match;
    if (match_is_settling(match)) {
        seat->owes_clock = false;
        return;
    }
    struct record_deliver record = {.flags = DELIVER_CLOCK, .after_seq = seat->handed_seq};
    struct wire wire = shard_wire(shard);
    encode_clock(&wire, &match->id, match->round, match_left_ms(match, shard->now),
                 shard_wall(shard));
    seat->owes_clock = !hand_wire(shard, hosted, index, &record, &wire);
}

/* One whose connection is gone learns of the end alone: what else there is can be asked for. */
static void hand_end(struct shard *shard, struct hosted *hosted, unsigned index)
{
    struct record_deliver record = {.flags = 0};
    fill_end(hosted, index, &record);
    hosted->seats[index].has_end = hand_on(shard, hosted, index, &record, NULL);
}

void seat_flush(struct shard *shard, struct hosted *hosted, unsigned index, struct frame *frame)
{
    struct seat *seat = &hosted->seats[index];
    if (seat->is_connected) {
        while (advance(shard, hosted, index, frame)) continue;
        /* Not before all of a step is told: the clock is that of the match behind it. */
        bool is_level = seat->reply_count == 0 && seat->handed_seq == hosted->match.seq;
        if (seat->owes_clock && is_level) hand_clock(shard, hosted, index);
    } else if (seat_is_owed(hosted, index)) {
        hand_end(shard, hosted, index);
    }
    if (seat_is_owed(hosted, index) && !list_is_linked(&hosted->owed_node)) {
        list_append(&shard->owed, &hosted->owed_node);
    }
}

void seat_reply(struct shard *shard, struct hosted *hosted, unsigned index,
                const struct seat_reply *reply)
{
    struct seat *seat = &hosted->seats[index];
    /* Nobody is there to hear it, or it was asked on an earlier connection. */
    if (!seat->is_connected || reply->request_id == 0) return;
    QR_ASSERT(seat->reply_count < REPLIES_PER_SEAT); /* The session has no more requests open. */
    struct seat_reply *place = &seat->replies[seat->reply_count++];
    *place = *reply;
    place->after_seq = hosted->announced_seq;
    seat_flush(shard, hosted, index, NULL);
}

void seats_say_droppable(struct shard *shard, struct hosted *hosted, const struct wire *wire)
{
    struct frame *frame = frame_create(&shard->frames, wire->bytes, wire->size);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        struct seat *seat = &hosted->seats[i];
        if (!seat->is_connected || hosted->announced_seq == 0) continue;
        struct record_deliver record = {.flags = DELIVER_DROPPABLE, .after_seq = seat->handed_seq};
        /* Behind what is due it would come out of order. */
        if (frame == NULL || seat_is_owed(hosted, i) ||
            !hand_on(shard, hosted, i, &record, frame)) {
            shard->counters.droppable_dropped++;
            if (seat->dropped < UINT16_MAX) seat->dropped++;
        }
    }
    if (frame != NULL) frame_unref(&shard->frames, frame);
}
