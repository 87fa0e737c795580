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
                                    .generation = session->generation,
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
    if (session->is_clock_missed) session->level_flags |= LEVEL_CLOCK;
    session->is_clock_missed = false;
    session_owe(shard, session, DEBT_LEVEL);
}

void playing_ask_again(struct shard *shard, struct session *session)
{
    session->ask_at = mono_after(shard->now, shard->settings.ended_keep_ms);
    session->level_flags |= session->is_over ? LEVEL_AWAY : LEVEL_REPLAY;
    session_owe(shard, session, DEBT_LEVEL);
}

/* The match was forgotten before this session could be told of its end: its mailbox or its client was held up for
 * longer than ended matches are kept. */
void playing_on_place(struct shard *shard, struct session *session,
                      const struct record_place *record)
{
    bool is_gone = !record->is_known && !session->is_handing_over &&
                   id_equal(&session->match_id, &record->match_id);
    if (!is_gone) return; /* Asked twice. */
    session->leave_id = 0;
    session->ask_at = (mono_time){UINT64_MAX};
    session_move(shard, session, SESSION_IDLE);
    if (session->is_over) {
        ghost_begin(shard, session);
    } else {
        session_overload(shard, session);
    }
}

/* --- From the match. --- */

static void take_seat(struct shard *shard, struct session *session,
                      const struct record_deliver *record)
{
    session->match = record->match;
    session->match_id = record->match_id;
    session->seat = record->seat;
    session->taken_seq = 0;
    session->highest_seq = 0;
    session->is_settling = false;
    session->is_behind = false;
    session->is_clock_missed = session->awaits_clock = false;
    session->level_flags = 0;
    for (unsigned i = 0; i < CLIENT_EVENTS_PER_PLAYER; i++) session->outstanding[i] = 0;
    session->has_unseen = false;
    session_move(shard, session, SESSION_PLAYING);
    session->ask_at = mono_after(shard->now, shard->settings.ended_keep_ms);
    liveness_begin_match(shard, session);
    session_rearm(shard, session);
    if (session->is_over) {
        ghost_settle(shard, session);
        return;
    }
    liveness_tell_credit(shard, session);
    if (session->leave_id != 0) playing_leave(shard, session);
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

/* What the match has changed about the player. */
static void learn_of_end(struct shard *shard, struct session *session,
                         const struct record_deliver *record)
{
    session->ended_at = shard->now;
    session->has_unseen = true;
    session->is_end_pinged = session->has_got_end = false;
    session->ask_at = (mono_time){UINT64_MAX};
    session_move(shard, session, SESSION_IDLE);
    /* Told again to one who takes the player over, it counts once. */
    if (id_equal(&session->last_match, &record->match_id)) return;
    struct player_record player = profile_get(session);
    for (unsigned i = 0; i < record->question_count; i++) {
        recent_add(&player.recent, record->questions[i]);
    }
    if ((record->flags & DELIVER_RATED) != 0) {
        player.rating = record->rating;
        player.rated_at = shard_wall(shard);
        opponents_add(&player.opponents, record->opponent, shard_wall(shard));
    }
    profile_set(shard, session, &player);
    if ((record->flags & DELIVER_DODGED) != 0) pairing_note_dodge(shard, session);
    session->last_match = record->match_id;
    session->last_seat = record->seat;
    session->last_mode = record->mode;
}

/* `end` was taken. What was asked of the match and reached it too late is answered here: everything that the match
 * said came before its `end`. */
static void leave_seat(struct shard *shard, struct session *session,
                       const struct record_deliver *record)
{
    learn_of_end(shard, session, record);
    for (unsigned i = 0; i < CLIENT_EVENTS_PER_PLAYER; i++) {
        uint32_t request_id = session->outstanding[i];
        session->outstanding[i] = 0;
        if (request_id == 0) continue;
        session_refuse(shard, session, request_id, REFUSAL_BAD_STATE, "The match is over.", 0);
    }
    if (session->leave_id != 0) {
        session_say_left(shard, session, session->leave_id);
        session->leave_id = 0;
    } else if ((record->flags & DELIVER_REQUEUE) != 0 && !shard->is_draining && !session->is_over) {
        /* It goes on; there is nothing to come back to. */
        session->has_unseen = false;
        session->level_flags |= LEVEL_SEEN;
        session_owe(shard, session, DEBT_LEVEL);
        pairing_requeue(shard, session, record->since);
    }
    session_rearm(shard, session);
}

/* What was missed comes first, also where it has been asked for already and this was on its way. What is droppable tells
 * of now, and so comes behind the `clock` as well. */
static bool is_early(const struct session *session, const struct record_deliver *record)
{
    bool is_droppable = (record->flags & DELIVER_DROPPABLE) != 0;
    if (!is_droppable && (record->flags & DELIVER_CLOCK) == 0) return false;
    return session->is_behind || session->taken_seq < record->after_seq ||
           (is_droppable && session->awaits_clock);
}

/* False: the session does not want it: another match's, out of order, or there is no room. What carries a seq and was
 * not taken is asked for again (playing_replay); what comes after it meanwhile is out of order. */
static bool take_frame(struct shard *shard, struct session *session,
                       const struct record_deliver *record, struct frame *frame)
{
    bool is_droppable = (record->flags & DELIVER_DROPPABLE) != 0;
    bool is_reply = (record->flags & DELIVER_REPLY) != 0;
    bool is_clock = (record->flags & DELIVER_CLOCK) != 0;
    if (record->seq != 0 && record->seq != session->taken_seq + 1) return false;
    bool comes_too_early = is_early(session, record);
    if (frame != NULL && !comes_too_early &&
        session_push(shard, session, frame, is_droppable,
                     is_reply ? OUTBOX_SLOTS : OUTBOX_MATCH_SLOTS)) {
        if (is_clock) session->awaits_clock = false;
        if (record->seq != 0) session->taken_seq = record->seq;
        if (session->taken_seq > session->highest_seq) session->highest_seq = session->taken_seq;
        return true;
    }
    if (is_droppable) {
        /* A full outbox has counted it itself. */
        if (frame == NULL || comes_too_early) session->outbox.dropped++;
        shard->counters.droppable_dropped++;
    } else if (record->seq != 0 || is_clock) {
        session->is_behind = true;
        session->is_clock_missed = session->is_clock_missed || is_clock;
        session->awaits_clock = session->awaits_clock || is_clock;
        session_mark_flush(
            shard, session); /* Where it was a frame that lacked, no send is due that would ask. */
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
    bool is_mine = session->state == SESSION_PLAYING && !session->is_handing_over &&
                   id_equal(&session->match_id, &record->match_id);
    if (!is_mine) return;
    if (session->is_over) {
        /* Nobody is there to take it; that the match has ended changes what is kept of the player. */
        if ((record->flags & DELIVER_END) == 0) return;
        learn_of_end(shard, session, record);
        ghost_begin(shard, session);
        return;
    }
    session->outbox.dropped += record->dropped;
    if ((record->flags & DELIVER_SETTLING) != 0) {
        session->is_settling = true;
        session->awaits_clock = false; /* The last round is over: none comes any more. */
    }
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
    /* Without a text: the end, for one who is away. */
    struct frame *frame = bytes > 0 ? frame_create(&shard->frames, text, bytes) : NULL;
    playing_on_frame(shard, record, frame);
    if (frame != NULL) frame_unref(&shard->frames, frame);
}
