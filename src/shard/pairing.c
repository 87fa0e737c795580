/* The session's side of the queue: tickets and offers. The lobby's side is lobby.c. */

#include "shard_priv.h"

static void enter_queue(struct shard *shard, struct session *session, uint32_t request_id,
                        mono_time since)
{
    session->ticket = HANDLE_NONE;
    session->ticket_no++;
    session->join_id = request_id;
    session->queued_since = since;
    session_move(shard, session, SESSION_JOINING);
    session_owe(shard, session, DEBT_JOIN);
}

void pairing_join(struct shard *shard, struct session *session, const struct request *request,
                  mono_time stamp)
{
    if (session->state == SESSION_PLAYING && session->is_settling) {
        session_refuse(shard, session, request->id, REFUSAL_UNAVAILABLE,
                       "The result of the player's match is on its way to disk.",
                       SETTLING_RETRY_MS);
        return;
    }
    if (session->state != SESSION_IDLE) {
        session_refuse(shard, session, request->id, REFUSAL_BAD_STATE,
                       session->state == SESSION_PLAYING ? "The player is in a match."
                                                         : "The player is queued already.",
                       0);
        return;
    }
    uint8_t category = QUESTION_CATEGORY_ANY;
    if (request->join.category != NULL &&
        !bank_find_category(shard->settings.bank, request->join.category,
                            shard->settings.match.rounds, &category)) {
        session_refuse(shard, session, request->id, REFUSAL_BAD_MESSAGE,
                       "`category` must be one of those in `welcome`.", 0);
        return;
    }
    if (session->has_joined && mono_elapsed(session->last_join_at, stamp) < JOIN_EVERY_MS) {
        uint32_t left_ms =
            (uint32_t)(JOIN_EVERY_MS - mono_elapsed(session->last_join_at, stamp));
        session_refuse(shard, session, request->id, REFUSAL_RATE_LIMITED,
                       "At most one join a second.", left_ms);
        return;
    }
    /* What is owed to the lobby and the last match comes first; a client can wait for that. */
    if (session->debts != 0) session_pay(shard, session);
    if (session->debts != 0) {
        session_refuse(shard, session, request->id, REFUSAL_BUSY, NULL, BUSY_RETRY_MS);
        return;
    }
    session->category = category;
    session->has_joined = true;
    session->last_join_at = stamp;
    enter_queue(shard, session, request->id, stamp);
}

void pairing_requeue(struct shard *shard, struct session *session, mono_time since)
{
    enter_queue(shard, session, 0, since);
}

void pairing_leave_queue(struct shard *shard, struct session *session)
{
    session_move(shard, session, SESSION_IDLE);
    session_owe(shard, session, DEBT_UNJOIN);
    session_rearm(shard, session);
}

/* Having a ticket: carries out what was wished while the lobby's answer was on its way. */
static void settle_in_queue(struct shard *shard, struct session *session)
{
    if (session->is_over) {
        session_part(shard, session);
        return;
    }
    if (session->leave_id != 0) {
        uint32_t leave_id = session->leave_id;
        session->leave_id = 0;
        struct wire wire = shard_wire(shard);
        encode_left(&wire, leave_id);
        pairing_leave_queue(shard, session);
        session_say(shard, session, &wire);
        return;
    }
    /* Drain's sweep may never find it waiting: a pair that was refused its match is offered anew at once. */
    if (shard->is_draining) {
        session_dismiss(shard, session, CLOSE_RESTART, "restart", RESTART_RETRY_MS);
    }
}

static void say_queued(struct shard *shard, struct session *session, uint32_t request_id,
                       uint32_t waiting)
{
    struct wire wire = shard_wire(shard);
    encode_queued(&wire, request_id, MATCH_MODE_DUEL, waiting,
                  mono_elapsed(session->queued_since, shard->now));
    session_say(shard, session, &wire);
}

void pairing_on_queued(struct shard *shard, const struct record_queued *record)
{
    struct session *session = pool_resolve(&shard->sessions, record->session);
    /* A session that has asked for a ticket stays until it has heard of it. */
    QR_ASSERT(session != NULL && session->state == SESSION_JOINING);
    QR_ASSERT(session->ticket_no == record->ticket_no);
    session->ticket = record->ticket;
    session->ticket_at = mono_after(shard->now, TICKET_EVERY_MS);
    session_move(shard, session, SESSION_QUEUED);
    session_rearm(shard, session);
    if (!session->is_over) say_queued(shard, session, record->request_id, record->waiting);
    settle_in_queue(shard, session);
}

void pairing_on_offer(struct shard *shard, const struct record_offer *record)
{
    struct session *session = pool_resolve(&shard->sessions, record->session);
    /* Gone, left, or queued anew: UNJOIN is on its way to the lobby and is the answer. */
    if (session == NULL || session->state != SESSION_QUEUED ||
        session->ticket_no != record->ticket_no) {
        return;
    }
    session->offer = record->offer;
    session->offer_side = record->side;
    session_move(shard, session, SESSION_ATTACHED);
    session_owe(shard, session, DEBT_ATTACH);
    session_rearm(shard, session);
}

void pairing_on_requeued(struct shard *shard, const struct record_requeued *record)
{
    struct session *session = pool_resolve(&shard->sessions, record->session);
    QR_ASSERT(session != NULL && session->state == SESSION_ATTACHED);
    QR_ASSERT(session->ticket_no == record->ticket_no);
    session->ticket = record->ticket;
    session_move(shard, session, SESSION_QUEUED);
    session_rearm(shard, session);
    settle_in_queue(shard, session);
}

void pairing_on_figures(struct shard *shard, const struct record_figures *record)
{
    shard->queue_waiting = record->waiting;
    shard->queue_mean_wait_ms = record->mean_wait_ms;
}

void pairing_say_ticket(struct shard *shard, struct session *session)
{
    uint64_t waited_ms = mono_elapsed(session->queued_since, shard->now);
    int64_t mean_ms = shard->queue_mean_wait_ms;
    struct wire wire = shard_wire(shard);
    encode_ticket(&wire,
                  &(struct ticket_news){
                      .waited_ms = waited_ms,
                      .waiting = shard->queue_waiting > 0 ? shard->queue_waiting : 1,
                      .window_centi = matchmaker_window(waited_ms),
                      .eta_ms = mean_ms > (int64_t)waited_ms ? mean_ms - (int64_t)waited_ms : -1,
                  });
    session_say_droppable(shard, session, &wire);
}
