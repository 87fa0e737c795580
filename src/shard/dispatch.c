/* One request of a client: may it be said now, can it be read, does the player's state allow it? */

#include "proto/decode.h"
#include "shard_priv.h"

static void on_unreadable(struct shard *shard, struct session *session,
                          const struct problem *problem, mono_time stamp)
{
    /* What has an id can be read as a request, if a bad one. */
    if (problem->request_id == 0 && throttle_unreadable(&session->throttle, stamp)) {
        session_dismiss(shard, session, CLOSE_ABUSE, "unreadable_messages", 0);
        return;
    }
    if (problem->is_silent) return;
    session_refuse(shard, session, problem->request_id, (enum refusal)problem->refusal,
                   problem->message, 0);
}

static void on_leave(struct shard *shard, struct session *session, const struct request *request)
{
    bool is_playing = session->state == SESSION_PLAYING;
    bool is_named = request->leave.has_match;
    bool is_other =
        is_named && !(is_playing && id_equal(&request->leave.match, &session->match_id));
    bool is_somewhere = session->state != SESSION_IDLE;
    if (is_other || !is_somewhere) {
        session_say_left(shard, session, request->id);
        return;
    }
    if (session->leave_id != 0) {
        session_refuse(shard, session, request->id, REFUSAL_BUSY, "An earlier leave is on its way.",
                       BUSY_RETRY_MS);
        return;
    }
    if (session->state == SESSION_QUEUED) {
        pairing_leave_queue(shard, session);
        session_say_left(shard, session, request->id);
        return;
    }
    /* Joining or attached: what is on its way finds the wish. */
    session->leave_id = request->id;
    session->leave_names_match = is_named;
    if (is_playing) playing_leave(shard, session);
}

static void on_match_request(struct shard *shard, struct session *session,
                             const struct request *request, mono_time stamp)
{
    bool is_other = request->type == REQUEST_ANSWER && request->answer.has_match &&
                    !id_equal(&request->answer.match, &session->match_id);
    if (session->state == SESSION_PLAYING && !is_other) {
        playing_request(shard, session, request, stamp);
        return;
    }
    if (request->id == 0) return; /* An emote that wants no answer. */
    session_refuse(shard, session, request->id, REFUSAL_BAD_STATE,
                   is_other ? "This is not the player's match." : "The player is in no match.", 0);
}

static void on_ping(struct shard *shard, struct session *session, const struct request *request)
{
    struct wire wire = shard_wire(shard);
    encode_pong(&wire, request->id, request->ping.text, request->ping.number, shard_wall(shard));
    session_say(shard, session, &wire);
}

static void on_request(struct shard *shard, struct session *session, const struct request *request,
                       mono_time stamp)
{
    if (session->state == SESSION_NEW && request->type != REQUEST_HELLO) {
        if (request->id == 0) return; /* An emote that wants no answer. */
        session_refuse(shard, session, request->id, REFUSAL_NOT_AUTHENTICATED, NULL, 0);
        return;
    }
    switch ((enum request_type)request->type) {
    case REQUEST_HELLO: hello_on_request(shard, session, request); break;
    case REQUEST_JOIN: pairing_join(shard, session, request, stamp); break;
    case REQUEST_LEAVE: on_leave(shard, session, request); break;
    case REQUEST_ANSWER:
    case REQUEST_EMOTE: on_match_request(shard, session, request, stamp); break;
    case REQUEST_PING: on_ping(shard, session, request); break;
    }
}

void dispatch(struct shard *shard, struct session *session, const char *text, size_t bytes,
              mono_time stamp)
{
    /* Until hello is answered the edge holds messages back (shard_io.pause). */
    QR_ASSERT(session->state != SESSION_GREETING);
    uint32_t wait_ms = 0;
    enum throttle_verdict verdict =
        throttle_message(&session->throttle, shard->settings.message_rate,
                         shard->settings.message_burst, stamp, &wait_ms);
    throttle_size(&session->throttle, bytes);
    if (verdict == THROTTLE_CLOSE) {
        session_dismiss(shard, session, CLOSE_ABUSE, "rate_limited", 0);
        return;
    }
    if (verdict == THROTTLE_STOP) {
        session->resume_at = mono_after(stamp, wait_ms);
        session_update_pause(shard, session);
        session_rearm(shard, session);
    }
    struct request request;
    struct problem problem;
    if (!decode_request(text, bytes, &request, &problem)) {
        on_unreadable(shard, session, &problem, stamp);
        return;
    }
    if (verdict == THROTTLE_PASS) {
        on_request(shard, session, &request, stamp);
    } else if (request.id != 0) {
        session_refuse(shard, session, request.id, REFUSAL_RATE_LIMITED, NULL, wait_ms);
    }
}
