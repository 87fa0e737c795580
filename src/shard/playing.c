/* The session's side of a match: requests go there, its messages come back. The match's side is live_match.c. */

#include "shard_priv.h"

/* --- Towards the match. --- */

static uint32_t *free_outstanding(struct session *session)
{
    for (unsigned i = 0; i < CLIENT_EVENTS_PER_PLAYER; i++) {
        if (session->outstanding[i] == 0) return &session->outstanding[i];
    }
    return NULL;
}

static void refuse_busy(struct shard *shard, struct session *session, uint32_t request_id)
{
    if (request_id == 0) {
        shard->counters.droppable_dropped++;
        return;
    }
    session_refuse(shard, session, request_id, REFUSAL_BUSY, NULL, BUSY_RETRY_MS);
}

void playing_request(struct shard *shard, struct session *session, const struct request *request,
                     mono_time stamp)
{
    uint32_t *place = free_outstanding(session);
    if (request->id != 0 && place == NULL) {
        refuse_busy(shard, session, request->id);
        return;
    }
    struct record_request record = {.kind = RECORD_REQUEST,
                                    .seat = session->seat,
                                    .request_id = request->id,
                                    .match = session->match.handle,
                                    .stamp = stamp};
    if (request->type == REQUEST_ANSWER) {
        record.event = MATCH_EVENT_ANSWER;
        record.round = request->answer.round;
        record.choice = request->answer.choice;
    } else {
        record.event = MATCH_EVENT_EMOTE;
        record.choice = request->emote.code;
    }
    if (!post(shard, session->match.shard, &record, sizeof(record))) {
        refuse_busy(shard, session, request->id);
        return;
    }
    if (request->id != 0) *place = request->id;
}

void playing_leave(struct shard *shard, struct session *session)
{
    session->level_flags |= LEVEL_LEAVE;
    if (session->leave_names_match) session->level_flags |= LEVEL_NAMES_MATCH;
    session_owe(shard, session, DEBT_LEVEL);
}

void playing_replay(struct shard *shard, struct session *session)
{
    if (session->state != SESSION_PLAYING || !session->is_behind) return;
    if (session->outbox.count >= OUTBOX_PAUSE_AT) return;
    session->is_behind = false;
    session->level_flags |= LEVEL_REPLAY;
    session_owe(shard, session, DEBT_LEVEL);
}

/* --- From the match. --- */

static void take_seat(struct shard *shard, struct session *session,
                      const struct record_deliver *record)
{
    session->match = record->match;
    session->match_id = record->match_id;
    session->seat = record->seat;
    session->taken_seq = 0;
    session->is_settling = false;
    session->is_behind = false;
    session->level_flags = 0;
    for (unsigned i = 0; i < CLIENT_EVENTS_PER_PLAYER; i++) session->outstanding[i] = 0;
    session_move(shard, session, SESSION_PLAYING);
    session_rearm(shard, session);
    if (session->is_over) {
        session_part(shard, session);
    } else if (session->leave_id != 0) {
        playing_leave(shard, session);
    }
}

static void forget_outstanding(struct session *session, uint32_t request_id)
{
    for (unsigned i = 0; i < CLIENT_EVENTS_PER_PLAYER; i++) {
        if (session->outstanding[i] == request_id) {
            session->outstanding[i] = 0;
            return;
        }
    }
}

/* `end` was taken. What was asked of the match and reached it too late is answered here: everything that the match
 * said came before its `end`. */
static void leave_seat(struct shard *shard, struct session *session,
                       const struct record_deliver *record)
{
    session_move(shard, session, SESSION_IDLE);
    session->level_flags |= LEVEL_TOOK_END;
    session_owe(shard, session, DEBT_LEVEL);
    for (unsigned i = 0; i < record->question_count; i++) {
        recent_add(&session->recent, record->questions[i]);
    }
    for (unsigned i = 0; i < CLIENT_EVENTS_PER_PLAYER; i++) {
        uint32_t request_id = session->outstanding[i];
        session->outstanding[i] = 0;
        if (request_id == 0) continue;
        session_refuse(shard, session, request_id, REFUSAL_BAD_STATE, "The match is over.", 0);
    }
    if (session->leave_id != 0) {
        struct wire wire = shard_wire(shard);
        encode_left(&wire, session->leave_id);
        session->leave_id = 0;
        session_say(shard, session, &wire);
    } else if ((record->flags & DELIVER_REQUEUE) != 0 && !shard->is_draining &&
               !session->is_over) {
        pairing_requeue(shard, session, record->since);
    }
}

/* False: the session does not want it: another match's, out of order, or there is no room. What carries a seq and was
 * not taken is asked for again (playing_replay); what comes after it meanwhile is out of order. */
static bool take_frame(struct shard *shard, struct session *session,
                       const struct record_deliver *record, struct frame *frame)
{
    bool is_droppable = (record->flags & DELIVER_DROPPABLE) != 0;
    bool is_reply = (record->flags & DELIVER_REPLY) != 0;
    if (record->seq != 0 && record->seq != session->taken_seq + 1) return false;
    if (frame != NULL && session_push(shard, session, frame, is_droppable,
                                      is_reply ? OUTBOX_SLOTS : OUTBOX_MATCH_SLOTS)) {
        if (record->seq != 0) session->taken_seq = record->seq;
        return true;
    }
    if (is_droppable) {
        if (frame == NULL) session->outbox.dropped++; /* A full outbox has counted it itself. */
        shard->counters.droppable_dropped++;
    } else if (record->seq != 0) {
        session->is_behind = true;
        session_mark_flush(shard, session); /* Where it was a frame that lacked, no send is due that would ask. */
    } else {
        session_overload(shard, session); /* A reply that cannot be given. */
    }
    return false;
}

void playing_on_frame(struct shard *shard, const struct record_deliver *record, struct frame *frame)
{
    struct session *session = pool_resolve(&shard->sessions, record->session);
    if (session == NULL) return;
    if (session->state == SESSION_ATTACHED) take_seat(shard, session, record);
    bool is_mine = session->state == SESSION_PLAYING &&
                   handle_equal(session->match.handle, record->match.handle) &&
                   session->match.shard == record->match.shard;
    if (!is_mine || session->is_over) return;
    session->outbox.dropped += record->dropped;
    if ((record->flags & DELIVER_SETTLING) != 0) session->is_settling = true;
    if ((record->flags & DELIVER_LEFT) != 0) {
        session->leave_id = 0; /* And no other request, even if the client gave it the same id. */
    } else if ((record->flags & DELIVER_REPLY) != 0) {
        forget_outstanding(session, record->request_id);
    }
    bool is_taken = take_frame(shard, session, record, frame);
    if (is_taken && (record->flags & DELIVER_END) != 0) leave_seat(shard, session, record);
}

void playing_on_deliver(struct shard *shard, const struct record_deliver *record, const char *text,
                        uint32_t bytes)
{
    struct frame *frame = frame_create(&shard->frames, text, bytes);
    playing_on_frame(shard, record, frame);
    if (frame != NULL) frame_unref(&shard->frames, frame);
}
