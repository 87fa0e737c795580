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
}

static void enter_lobby(struct shard *shard, struct session *session, uint32_t request_id,
                        mono_time since)
{
    session->mode = MATCH_MODE_DUEL;
    enter_queue(shard, session, request_id, since);
    session_owe(shard, session, DEBT_JOIN);
}

static void say_queued(struct shard *shard, struct session *session, uint32_t request_id,
                       uint32_t waiting)
{
    struct wire wire = shard_wire(shard);
    encode_queued(&wire, request_id, (enum match_mode)session->mode, waiting,
                  mono_elapsed(session->queued_since, shard->now));
    session_say(shard, session, &wire);
}

/* The house is always there: queued, and attached at once. */
static void enter_house(struct shard *shard, struct session *session, uint32_t request_id,
                        mono_time since)
{
    session->mode = MATCH_MODE_HOUSE;
    enter_queue(shard, session, request_id, since);
    session_move(shard, session, SESSION_QUEUED);
    session_move(shard, session, SESSION_ATTACHED);
    say_queued(shard, session, request_id, 1);
    session_owe(shard, session, DEBT_HOUSE);
}

/* --- join. --- */

enum { JOURNAL_RETRY_MS = 5000 };

static void refuse_state(struct shard *shard, struct session *session, uint32_t request_id)
{
    if (session->state == SESSION_PLAYING && session->is_settling) {
        session_refuse(shard, session, request_id, REFUSAL_UNAVAILABLE,
                       "The result of the player's match is on its way to disk.",
                       SETTLING_RETRY_MS);
    } else {
        session_refuse(shard, session, request_id, REFUSAL_BAD_STATE,
                       session->state == SESSION_PLAYING ? "The player is in a match."
                                                         : "The player is queued already.",
                       0);
    }
}

/* Zero, or how long to wait: at most one join a second, and a pause for who leaves again and again. */
static uint32_t wait_before_join(const struct session *session, mono_time stamp)
{
    uint64_t wait_ms = 0;
    if (session->has_joined) {
        uint64_t since_ms = mono_elapsed(session->last_join_at, stamp);
        if (since_ms < JOIN_EVERY_MS) wait_ms = JOIN_EVERY_MS - since_ms;
    }
    uint64_t penalty_ms = mono_elapsed(stamp, session->penalty_until);
    return (uint32_t)(penalty_ms > wait_ms ? penalty_ms : wait_ms);
}

/* What the request names must be there: a category, and the player's last match. */
static bool check_join(struct shard *shard, struct session *session, const struct request *request,
                       uint8_t *ret_category)
{
    *ret_category = QUESTION_CATEGORY_ANY;
    if (request->join.category != NULL &&
        !bank_find_category(shard->settings.bank, request->join.category,
                            shard->settings.match.rounds, ret_category)) {
        session_refuse(shard, session, request->id, REFUSAL_BAD_MESSAGE,
                       "`category` must be one of those in `welcome`.", 0);
        return false;
    }
    if (request->join.has_rematch && (id_is_none(&session->last_match) ||
                                      !id_equal(&request->join.rematch, &session->last_match))) {
        session_refuse(shard, session, request->id, REFUSAL_BAD_MESSAGE,
                       "`rematch` must be the id of the player's last match.", 0);
        return false;
    }
    return true;
}

void pairing_join(struct shard *shard, struct session *session, const struct request *request,
                  mono_time stamp)
{
    uint8_t category;
    if (session->state != SESSION_IDLE) {
        refuse_state(shard, session, request->id);
        return;
    }
    if (shard->is_journal_full) {
        session_refuse(shard, session, request->id, REFUSAL_UNAVAILABLE,
                       "The server's journal has no room.", JOURNAL_RETRY_MS);
        return;
    }
    if (!check_join(shard, session, request, &category)) return;
    uint32_t wait_ms = wait_before_join(session, stamp);
    if (wait_ms > 0) {
        session_refuse(shard, session, request->id, REFUSAL_RATE_LIMITED,
                       "At most one join a second, and a pause after three matches left.", wait_ms);
        return;
    }
    hello_see_end(shard, session); /* Who queues has one thing to come back to: the queue. */
    /* What is owed to the lobby and the last match comes first; a client can wait for that. */
    if (session->debts != 0) session_pay(shard, session);
    if (session->debts != 0) {
        session_refuse(shard, session, request->id, REFUSAL_BUSY, NULL, BUSY_RETRY_MS);
        return;
    }
    session->category = category;
    session->is_rematch = request->join.has_rematch;
    session->has_joined = true;
    session->last_join_at = stamp;
    bool is_house = request->join.mode == MATCH_MODE_HOUSE ||
                    (session->is_rematch && session->last_mode == MATCH_MODE_HOUSE);
    if (is_house) {
        enter_house(shard, session, request->id, stamp);
    } else {
        enter_lobby(shard, session, request->id, stamp);
    }
}

void pairing_requeue(struct shard *shard, struct session *session, mono_time since)
{
    session->is_rematch = false;
    enter_lobby(shard, session, 0, since);
}

void pairing_note_dodge(struct shard *shard, struct session *session)
{
    /* The last two, the older first. */
    bool is_third = session->dodge_count >= DODGES_MAX - 1 &&
                    mono_elapsed(session->dodges[0], shard->now) < DODGE_WINDOW_MS;
    if (is_third) session->penalty_until = mono_after(shard->now, DODGE_PENALTY_MS);
    session->dodges[0] = session->dodges[1];
    session->dodges[1] = shard->now;
    if (session->dodge_count < DODGES_MAX - 1) session->dodge_count++;
    if (session->dodge_count == 1) session->dodges[0] = session->dodges[1];
}

/* --- The queue. --- */

void pairing_leave_queue(struct shard *shard, struct session *session)
{
    session_move(shard, session, SESSION_IDLE);
    session->debts = (uint16_t)(session->debts & ~(unsigned)DEBT_AWAY); /* UNJOIN says more. */
    session_owe(shard, session, DEBT_UNJOIN);
    session_rearm(shard, session);
}

/* Having a ticket: carries out what was wished while the lobby's answer was on its way. */
static void settle_in_queue(struct shard *shard, struct session *session)
{
    if (session->is_over) {
        ghost_settle(shard, session);
        return;
    }
    if (session->leave_id != 0) {
        uint32_t leave_id = session->leave_id;
        session->leave_id = 0;
        pairing_leave_queue(shard, session);
        session_say_left(shard, session, leave_id);
        return;
    }
    /* Drain's sweep may never find it waiting: a pair that was refused its match is offered anew at once. */
    if (shard->is_draining) {
        session_dismiss(shard, session, CLOSE_RESTART, "restart", RESTART_RETRY_MS);
    }
}

void pairing_on_queued(struct shard *shard, const struct record_queued *record)
{
    struct session *session = pool_resolve(&shard->sessions, record->session);
    /* A session that has asked for a ticket stays until it has heard of it. */
    QR_ASSERT(session != NULL && session->state == SESSION_JOINING);
    QR_ASSERT(session->ticket_no == record->ticket_no);
    session->ticket = record->ticket;
    session->ticket_at = mono_after(shard->now, TICKET_EVERY_MS);
    session->ask_at = (mono_time){UINT64_MAX};
    session->debts =
        (uint16_t)(session->debts & ~(unsigned)DEBT_RETICKET); /* Asked again meanwhile. */
    session_move(shard, session, SESSION_QUEUED);
    session_rearm(shard, session);
    if (!session->is_over) say_queued(shard, session, record->request_id, record->waiting);
    settle_in_queue(shard, session);
}

static void say_unqueued(struct shard *shard, struct session *session, enum unqueued_reason reason)
{
    static const char *const names[] = {
        [UNQUEUED_TIMEOUT] = "timeout",
        [UNQUEUED_OPPONENT_LEFT] = "opponent_left",
        [UNQUEUED_EXPIRED] = "expired",
        [UNQUEUED_UNAVAILABLE] = "unavailable",
    };
    struct wire wire = shard_wire(shard);
    encode_unqueued(&wire, names[reason]);
    session_say(shard, session, &wire);
}

/* Out of the queue without a match: where it stands, and what was wished meanwhile. */
static void be_unqueued(struct shard *shard, struct session *session, enum unqueued_reason reason)
{
    session->ticket = HANDLE_NONE;
    session->ask_at = (mono_time){UINT64_MAX};
    session->debts = (uint16_t)(session->debts & ~(unsigned)(DEBT_RETICKET | DEBT_AWAY));
    session_move(shard, session, SESSION_IDLE);
    session_rearm(shard, session);
    if (session->is_over) {
        ghost_settle(shard, session);
        return;
    }
    say_unqueued(shard, session, reason);
    if (session->leave_id == 0) return;
    session_say_left(shard, session, session->leave_id);
    session->leave_id = 0;
}

void pairing_on_unqueued(struct shard *shard, const struct record_unqueued *record)
{
    struct session *session = pool_resolve(&shard->sessions, record->session);
    /* Left, or handed over, meanwhile: UNJOIN or RETICKET meets nobody in the lobby. */
    if (session == NULL || session->ticket_no != record->ticket_no) return;
    bool is_waiting = session->state == SESSION_JOINING || session->state == SESSION_QUEUED ||
                      session->state == SESSION_ATTACHED;
    if (!is_waiting) return;
    be_unqueued(shard, session, (enum unqueued_reason)record->reason);
}

void pairing_on_house_refused(struct shard *shard, const struct record_start *record)
{
    struct session *session = pool_resolve(&shard->sessions, record->sides[0].session.handle);
    QR_ASSERT(session != NULL && session->state == SESSION_ATTACHED);
    be_unqueued(shard, session, UNQUEUED_UNAVAILABLE);
}

void pairing_on_offer(struct shard *shard, const struct record_offer *record)
{
    struct session *session = pool_resolve(&shard->sessions, record->session);
    /* Gone, left, lost, handed over, or queued anew: UNJOIN, AWAY or RETICKET is on its way, and is the answer. */
    if (session == NULL || session->state != SESSION_QUEUED || session->is_over ||
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
