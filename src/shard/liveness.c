/* Whether a connection lives, and how far away it is: WebSocket pings where nothing was heard, by the shard's wheel.
 * Only inbound bytes count as life (docs/protocol.md, Coming and going); what a pong says of the delay counts only
 * together with what the kernel says (Answer time). */

#include "shard_priv.h"

static uint32_t interval_ms(const struct shard *shard, const struct session *session)
{
    return session->state == SESSION_PLAYING ? shard->settings.match_ping_ms
                                             : shard->settings.ping_ms;
}

static mono_time latest(mono_time a, mono_time b)
{
    return mono_is_before(a, b) ? b : a;
}

static mono_time lost_at(const struct shard *shard, const struct session *session)
{
    return mono_after(session->heard_at,
                      (uint64_t)interval_ms(shard, session) * LIVENESS_LOST_HALVES / 2);
}

static mono_time ping_at(const struct shard *shard, const struct session *session)
{
    return mono_after(latest(session->heard_at, session->pinged_at), interval_ms(shard, session));
}

static bool is_watched(const struct session *session)
{
    /* Before hello there is another deadline, and for one that does not take what it is sent, where a ping would lie
     * behind it; a connection that is not read cannot be heard. */
    return session->state != SESSION_NEW && !session->is_over && !session->is_paused &&
           !session->is_choked;
}

mono_time liveness_due(const struct shard *shard, const struct session *session)
{
    if (!is_watched(session)) return (mono_time){UINT64_MAX};
    mono_time ping = ping_at(shard, session), lost = lost_at(shard, session);
    if (session->is_ping_due) return lost;
    return mono_is_before(ping, lost) ? ping : lost;
}

void liveness_ping(struct shard *shard, struct session *session)
{
    if (session->conn == NULL || session->is_over) return;
    session->is_ping_due = true;
    session_mark_flush(shard, session);
}

bool liveness_wants_ping(const struct session *session)
{
    if (session->is_over) return false;
    return session->is_ping_due || (session->has_unseen && !session->is_end_pinged);
}

void liveness_on_pinged(struct shard *shard, struct session *session)
{
    session->is_ping_due = false;
    session->pinged_at = shard->now;
    session->is_ping_open = true;
    if (session->has_unseen) session->is_end_pinged = true;
    session_rearm(shard, session);
}

void liveness_begin_match(struct shard *shard, struct session *session)
{
    /* Silence that was in order until now is no sign of loss. */
    session->heard_at = shard->now;
    liveness_ping(shard, session);
}

void liveness_look(struct shard *shard, struct session *session)
{
    if (!is_watched(session)) return;
    if (!mono_is_before(shard->now, lost_at(shard, session))) {
        session_abandon(shard, session, CLOSE_LOST, "lost");
    } else if (!mono_is_before(shard->now, ping_at(shard, session))) {
        liveness_ping(shard, session);
    }
}

void liveness_tell_credit(struct shard *shard, struct session *session)
{
    bool is_news = session->state == SESSION_PLAYING && !session->is_over &&
                   session->credit_ms != session->told_credit_ms;
    if (!is_news) return;
    session->level_flags |= LEVEL_CREDIT;
    session_owe(shard, session, DEBT_LEVEL);
}

/* The least of what the kernel has seen, of the fastest pong, and of the most that is granted. */
static void update_credit(struct shard *shard, struct session *session)
{
    uint32_t credit_ms = shard->io.rtt_us(shard->io.context, session->conn) / 1000;
    if (session->pong_ms < credit_ms) credit_ms = session->pong_ms;
    if (shard->settings.rtt_credit_max_ms < credit_ms) {
        credit_ms = shard->settings.rtt_credit_max_ms;
    }
    if (credit_ms == session->credit_ms) return;
    session->credit_ms = (uint16_t)credit_ms;
    liveness_tell_credit(shard, session);
}

void shard_on_heard(struct shard *shard, struct handle handle, bool is_pong, mono_time stamp)
{
    struct session *session = pool_resolve(&shard->sessions, handle);
    if (session == NULL || session->conn == NULL) return;
    session->heard_at = latest(session->heard_at, stamp);
    if (!is_pong || session->is_over || !session->is_ping_open) return;
    session->is_ping_open = false;
    /* That ping followed `end` on the wire: what the client says behind its pong it says knowing `end`. */
    session->has_got_end = session->is_end_pinged;
    uint64_t took_ms = mono_elapsed(session->pinged_at, stamp);
    if (took_ms < session->pong_ms) session->pong_ms = (uint32_t)took_ms;
    update_credit(shard, session);
}
