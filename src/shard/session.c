/* A connection's life: its deadlines, being sent away, the end. What it says is dispatch.c's, whom it speaks for
 * hello.c's, and what stays of the player when it is gone ghost.c's. */

#include <string.h>

#include "shard_priv.h"

static const mono_time never = {UINT64_MAX};

const char *session_state_name(enum session_state state)
{
    static const char *const names[SESSION_STATE_COUNT] = {
        [SESSION_NEW] = "new",         [SESSION_GREETING] = "greeting",
        [SESSION_IDLE] = "idle",       [SESSION_JOINING] = "joining",
        [SESSION_QUEUED] = "queued",   [SESSION_ATTACHED] = "attached",
        [SESSION_PLAYING] = "playing",
    };
    return names[state];
}

void session_move(struct shard *shard, struct session *session, enum session_state next)
{
#define TO(state) (1u << SESSION_##state)
    static const unsigned may_follow[SESSION_STATE_COUNT] = {
        [SESSION_NEW] = TO(GREETING) | TO(IDLE),
        [SESSION_GREETING] = TO(NEW) | TO(IDLE) | TO(JOINING) | TO(PLAYING),
        [SESSION_IDLE] = TO(JOINING),
        [SESSION_JOINING] = TO(QUEUED) | TO(IDLE),
        [SESSION_QUEUED] = TO(IDLE) | TO(ATTACHED),
        [SESSION_ATTACHED] = TO(QUEUED) | TO(PLAYING) | TO(IDLE),
        [SESSION_PLAYING] = TO(IDLE),
    };
#undef TO
    QR_ASSERT((may_follow[session->state] >> next & 1) != 0);
    shard->states[session->state]--;
    shard->states[next]++;
    session->state = (uint8_t)next;
}

/* --- Deadlines: one timer for the earliest. --- */

static void keep_earlier(mono_time *earliest, mono_time at)
{
    if (mono_is_before(at, *earliest)) *earliest = at;
}

/* When a client that is behind counts as too slow: it has taken nothing for the send timeout, or it has taken something
 * now and then, and never caught up. */
static mono_time slow_at(const struct shard *shard, const struct session *session)
{
    uint64_t timeout_ms = shard->settings.send_timeout_ms;
    mono_time at = mono_after(session->stuck_since, timeout_ms);
    keep_earlier(&at, mono_after(session->behind_since, BEHIND_TIMEOUTS * timeout_ms));
    return at;
}

/* Only deadlines that look_at_connection, hello_ask_again or ghost_look will deal with: one that is over and stays would
 * be handed out again and again, and keep every other timer waiting. */
void session_rearm(struct shard *shard, struct session *session)
{
    /* A pause whose time is over has no deadline any more that would end it. */
    session_update_pause(shard, session);
    mono_time at = session->ask_at;
    if (session->state == SESSION_NEW && !session->is_over) keep_earlier(&at, session->hello_by);
    if (session->is_choked && !session->is_close_asked) keep_earlier(&at, slow_at(shard, session));
    if (mono_is_before(shard->now, session->resume_at)) keep_earlier(&at, session->resume_at);
    if (session->state == SESSION_QUEUED && !session->is_over) {
        keep_earlier(&at, session->ticket_at);
    }
    if (session->is_over && !session->is_forgotten && !session->is_handing_over) {
        keep_earlier(&at, session->ghost_until);
    }
    keep_earlier(&at, liveness_due(shard, session));
    if (at.ms == never.ms) {
        wheel_disarm(&shard->wheel, &session->timer);
    } else {
        wheel_arm(&shard->wheel, &session->timer, at, 0);
    }
}

static void look_at_connection(struct shard *shard, struct session *session)
{
    if (session->is_choked && !mono_is_before(shard->now, slow_at(shard, session))) {
        /* Not even bye would get through. */
        shard->counters.slow_readers++;
        session_abandon(shard, session, CLOSE_SLOW, "slow_reader");
        return;
    }
    if (!session->is_over && session->state == SESSION_NEW &&
        !mono_is_before(shard->now, session->hello_by)) {
        session_dismiss(shard, session, CLOSE_NO_HELLO, "no_hello", 0);
    }
    if (!session->is_over && session->state == SESSION_QUEUED &&
        !mono_is_before(shard->now, session->ticket_at)) {
        session->ticket_at = mono_after(shard->now, TICKET_EVERY_MS);
        pairing_say_ticket(shard, session);
    }
    session_update_pause(shard, session);
    liveness_look(shard, session);
}

void session_on_timer(struct shard *shard, struct handle handle)
{
    struct session *session = pool_resolve(&shard->sessions, handle);
    if (session == NULL) return;
    if (session->conn != NULL && !session->is_close_asked) look_at_connection(shard, session);
    if (!mono_is_before(shard->now, session->ask_at)) hello_ask_again(shard, session);
    ghost_look(shard, session);
    session_rearm(shard, session);
}

/* --- Coming. --- */

/* What hangs on a session's token is its timer; the rest of the game learns of the end by records. */
static void on_token_fired(struct cancel_hook *hook, enum cancel_reason reason)
{
    (void)reason; /* A session ends in one way, whatever ended it. */
    struct session *session = LIST_ITEM(hook, struct session, hook);
    wheel_disarm(&session->shard->wheel, &session->timer);
}

struct session *session_acquire(struct shard *shard, enum session_state state)
{
    struct handle handle = HANDLE_NONE;
    struct session *session = pool_acquire(&shard->sessions, &handle);
    if (session == NULL) return NULL;
    session->self = handle;
    session->shard = shard;
    session->state = (uint8_t)state;
    shard->states[state]++;
    cancel_init(&session->token, &shard->root);
    cancel_hook_init(&session->hook, on_token_fired);
    bool is_watching = cancel_watch(&session->token, &session->hook);
    QR_ASSERT(is_watching); /* The root fires only when the process ends. */
    wheel_timer_init(&session->timer, handle, TIMER_SESSION);
    list_init(&session->flush_node);
    list_init(&session->debt_node);
    list_init(&session->gone_node);
    session->ask_at = session->ghost_until = session->behind_since = never;
    session->pong_ms = UINT32_MAX;
    return session;
}

struct handle shard_on_connect(struct shard *shard, shard_conn conn, mono_time now)
{
    ghost_make_room(shard);
    struct session *session = session_acquire(shard, SESSION_NEW);
    if (session == NULL) return HANDLE_NONE;
    session->conn = conn;
    throttle_init(&session->throttle, shard->settings.message_burst, now);
    session->heard_at = now;
    session->connected_at = now;
    session->hello_by = mono_after(now, shard->settings.hello_timeout_ms);
    session_rearm(shard, session);
    return session->self;
}

void shard_only_for_return(struct shard *shard, struct handle handle)
{
    struct session *session = pool_resolve(&shard->sessions, handle);
    QR_ASSERT(session != NULL && session->state == SESSION_NEW && !session->is_for_return);
    session->is_for_return = true;
    shard->returning++;
    if (shard->returning > shard->returning_max) shard->returning_max = shard->returning;
    mono_time soon = mono_after(session->connected_at, RETURN_HELLO_MS);
    if (mono_is_before(soon, session->hello_by)) session->hello_by = soon;
    session_rearm(shard, session);
}

uint32_t shard_returning(const struct shard *shard)
{
    return shard->returning;
}

void session_end_return(struct shard *shard, struct session *session)
{
    if (!session->is_for_return) return;
    session->is_for_return = false;
    QR_ASSERT(shard->returning > 0);
    shard->returning--;
}

void shard_on_message(struct shard *shard, struct handle handle, const char *text, size_t bytes,
                      mono_time stamp)
{
    struct session *session = pool_resolve(&shard->sessions, handle);
    if (session == NULL || session->is_over)
        return; /* On its way out: nothing is taken any more. */
    QR_ASSERT(bytes <= MESSAGE_BYTES_MAX);
    shard->counters.messages_in++;
    hello_on_message(shard, session);
    if (session->has_got_end) hello_see_end(shard, session);
    dispatch(shard, session, text, bytes, stamp);
}

/* --- Going. --- */

static void be_over(struct shard *shard, struct session *session, enum close_code code,
                    const char *reason)
{
    session->is_over = true;
    session_end_return(shard, session);
    session->close_code = (uint16_t)code;
    session->close_reason = reason;
    shard->io.log(shard->io.context, &(struct shard_note){.kind = NOTE_CLOSING,
                                                          .player = session->player,
                                                          .text = reason,
                                                          .number = code});
    hello_cancel(shard, session);
    if (!session->is_handing_over) ghost_begin(shard, session);
    session_update_pause(shard, session);
}

void session_dismiss(struct shard *shard, struct session *session, enum close_code code,
                     const char *reason, uint32_t retry_ms)
{
    if (session->is_over) return;
    struct wire wire = shard_wire(shard);
    encode_bye(&wire, reason, retry_ms);
    if (session_try_say(shard, session, &wire)) {
        be_over(shard, session, code, reason);
    } else { /* There is no room even for bye. */
        session_abandon(shard, session, code, reason);
    }
}

void session_abandon(struct shard *shard, struct session *session, enum close_code code,
                     const char *reason)
{
    if (session->conn == NULL || session->is_close_asked) return;
    if (!session->is_over) be_over(shard, session, code, reason);
    session->is_close_asked = true;
    shard->io.close(shard->io.context, session->conn, code, reason);
}

void session_retire_if_done(struct shard *shard, struct session *session)
{
    if (session->conn != NULL || session->debts != 0 || !session->is_forgotten ||
        session->is_retired) {
        return;
    }
    session->is_retired = true;
    QR_ASSERT(!list_is_linked(&session->gone_node)); /* What is forgotten is no ghost. */
    list_append(&shard->retired_sessions, &session->gone_node);
}

void shard_on_disconnect(struct shard *shard, struct handle handle)
{
    struct session *session = pool_resolve(&shard->sessions, handle);
    QR_ASSERT(session != NULL && session->conn != NULL); /* The edge says it once. */
    session->conn = NULL;
    shard->lingering++;
    cancel_fire(&session->token, CANCEL_DISCONNECT);
    outbox_clear(&session->outbox, &shard->outboxes);
    session->is_choked = false;
    if (!session->is_over) {
        session->is_over = true;
        session_end_return(shard, session);
        hello_cancel(shard, session);
        ghost_begin(shard, session);
    }
    session_rearm(shard, session);
    session_retire_if_done(shard, session);
}
