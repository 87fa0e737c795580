/* Sessions and their outboxes, after an iteration of their shard; and what a message that was refused leaves as it was. */

#include <string.h>

#include "sim_audit_priv.h"
#include "sim_failed.h"

static const char *state_of(const struct session *session)
{
    return session_state_name((enum session_state)session->state);
}

static void no_outbox_is_above_its_bound(const struct session *session)
{
    if (session->outbox.count > OUTBOX_SLOTS)
        sim_failed("no queue is above its bound: %u frames in an outbox", session->outbox.count);
    if (session->conn == NULL && session->outbox.count > 0)
        sim_failed("what is gone gets nothing: %u frames wait", session->outbox.count);
}

static bool is_of_a_droppable_type(const struct frame *frame)
{
    static const char *const types[] = {"answered", "emote", "saving", "ticket"};
    static const char head[] = "{\"type\":\"";
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        size_t bytes = strlen(types[i]);
        if (frame->size > sizeof(head) + bytes &&
            memcmp(frame->payload + sizeof(head) - 1, types[i], bytes) == 0)
            return true;
    }
    return false;
}

static void only_what_is_droppable_may_be_dropped(const struct session *session)
{
    const struct outbox *outbox = &session->outbox;
    for (unsigned i = 0; i < outbox->count; i++) {
        unsigned slot = (outbox->head + i) % OUTBOX_SLOTS;
        const struct frame *frame = outbox->frames[slot];
        bool may_be_dropped = (outbox->droppable >> slot & 1) != 0;
        if (may_be_dropped != is_of_a_droppable_type(frame))
            sim_failed("only what is droppable may be dropped: not %.24s", frame->payload);
    }
}

static void a_debt_is_listed(const struct session *session)
{
    if (session->debts != 0 && !list_is_linked(&session->debt_node))
        sim_failed("a debt is listed: not so of %s, %x", state_of(session), session->debts);
}

/* Frames that can go do not wait. */
static void what_can_be_sent_is_sent(const struct session *session)
{
    bool is_stuck = session->is_choked || session->is_close_asked || session->conn == NULL;
    if (session->outbox.count > 0 && !is_stuck)
        sim_failed("what can be sent is sent: %u frames wait", session->outbox.count);
}

/* docs/protocol.md, Answer time: among what a credit is the least of. */
static void a_credit_is_no_more_than_a_pong_has_shown(const struct session *session)
{
    if (session->conn == NULL || session->credit_ms <= session->pong_ms) return;
    sim_failed("a credit is no more than a pong has shown: %u ms, not %u", session->credit_ms,
               session->pong_ms);
}

static void what_is_done_is_released(const struct session *session)
{
    bool is_done = session->conn == NULL && session->debts == 0 && session->is_forgotten;
    if (is_done || session->is_retired)
        sim_failed("what is done is released: a session holds its slot");
}

/* Who is gone is kept for a time, or until an answer has come. */
static void a_session_waits_for_something(const struct session *session)
{
    bool is_kept = session->conn == NULL && !session->is_forgotten && session->debts == 0 &&
                   !session->is_handing_over;
    bool is_resting = session->state == SESSION_IDLE || session->state == SESSION_QUEUED;
    if (is_kept && is_resting && !wheel_is_armed(&session->timer))
        sim_failed("a session waits for something: not a ghost that is %s", state_of(session));
    bool is_asking = session->state == SESSION_GREETING || session->state == SESSION_JOINING;
    if (is_asking && session->ask_at.ms != UINT64_MAX && !wheel_is_armed(&session->timer))
        sim_failed("a session waits for something: not one that is %s", state_of(session));
    if (session->state == SESSION_NEW && session->conn != NULL && !session->is_over &&
        !wheel_is_armed(&session->timer))
        sim_failed("a session waits for something: not one that is %s", state_of(session));
}

static void what_hello_says_is_kept_until_it_is_answered(const struct session *session)
{
    bool may_be_kept = session->state == SESSION_GREETING || session->is_forgotten;
    if (session->state == SESSION_GREETING && session->hello == NULL)
        sim_failed("what hello says is kept until it is answered: not in a greeting");
    if (session->hello != NULL && !may_be_kept)
        sim_failed("what hello says is kept until it is answered: it is while %s",
                   state_of(session));
}

static void nobody_asks_for_what_is_not_awaited(const struct session *session)
{
    bool is_awaiting = session->state == SESSION_GREETING || session->state == SESSION_JOINING ||
                       session->state == SESSION_PLAYING;
    if (session->ask_at.ms != UINT64_MAX && !is_awaiting)
        sim_failed("nobody asks for what is not awaited: it does while %s", state_of(session));
}

static void a_pause_has_its_reason(const struct shard *shard, const struct session *session)
{
    if (session->conn == NULL) return;
    bool is_due = session->state == SESSION_GREETING || session->is_over ||
                  session->outbox.count >= OUTBOX_PAUSE_AT ||
                  mono_is_before(shard->now, session->resume_at);
    /* One that is over is read no more, whatever becomes of it. */
    if (session->is_paused && !is_due && !wheel_is_armed(&session->timer))
        sim_failed("a pause has its reason: none in %s", state_of(session));
    if (session->state == SESSION_GREETING && !session->is_paused)
        sim_failed("until hello is answered nothing is read: but in a greeting");
}

void session_audit(const struct shard *shard)
{
    uint32_t states[SESSION_STATE_COUNT] = {0};
    uint32_t count = 0, lingering = 0;
    unsigned owing = 0, hellos = 0, profiles = 0;
    for (uint32_t slot = 0; slot < shard->sessions.touched; slot++) {
        const struct session *session = pool_at(&shard->sessions, slot);
        if (session == NULL) continue;
        count++;
        hellos += session->hello != NULL;
        profiles += session->profile != NULL;
        states[session->state]++;
        lingering += session->conn == NULL;
        owing += list_is_linked(&session->debt_node);
        no_outbox_is_above_its_bound(session);
        only_what_is_droppable_may_be_dropped(session);
        a_debt_is_listed(session);
        what_can_be_sent_is_sent(session);
        a_credit_is_no_more_than_a_pong_has_shown(session);
        what_is_done_is_released(session);
        a_session_waits_for_something(session);
        what_hello_says_is_kept_until_it_is_answered(session);
        nobody_asks_for_what_is_not_awaited(session);
        a_pause_has_its_reason(shard, session);
    }
    if (memcmp(states, shard->states, sizeof(states)) != 0 || lingering != shard->lingering ||
        count != shard->sessions.used)
        sim_failed("counters equal a recount: %u sessions, %u without a connection", count,
                   lingering);
    for (unsigned i = 0; i < PROFILE_CLASSES; i++) profiles -= shard->profiles[i].used;
    if (hellos != shard->hellos.used || profiles != 0)
        sim_failed("pools hold what is reachable: %u of %u hellos, %d profiles too many", hellos,
                   shard->hellos.used, -(int)profiles);
    if (list_length(&shard->debts) != owing)
        sim_failed("no session is in a list twice: %u owe something", owing);
    if (!list_is_empty(&shard->flush) || !list_is_empty(&shard->retired_sessions))
        sim_failed("an iteration finishes what it has begun: a list is left");
}

/* Each connection has a session, and each session that has a connection has one that lives. */
void session_audit_connections(const struct world *world, unsigned index)
{
    const struct shard *shard = world->shards[index].shard;
    uint32_t connected = 0;
    for (uint32_t i = 0; i < world->settings.clients; i++) {
        const struct client *client = &world->clients[i];
        if (!client->is_connected || client->shard != index) continue;
        const struct session *session = pool_resolve(&shard->sessions, client->session);
        if (session == NULL || session->conn != client)
            sim_failed("a connection has its session: client %u has none", i);
        connected++;
    }
    if (shard->sessions.used - shard->lingering != connected)
        sim_failed("a session's connection lives: %u of %u", connected,
                   shard->sessions.used - shard->lingering);
}

/* --- A refusal changes nothing. --- */

/* What being heard changes, whatever was said; and what an answer in the outbox changes. */
static void forget_what_may_change(struct session *session)
{
    memset(&session->throttle, 0, sizeof(session->throttle));
    memset(&session->outbox, 0, sizeof(session->outbox));
    memset(&session->timer, 0, sizeof(session->timer));
    memset(&session->flush_node, 0, sizeof(session->flush_node));
    memset(&session->debt_node, 0, sizeof(session->debt_node));
    memset(&session->hook, 0, sizeof(session->hook));
    memset(&session->token, 0, sizeof(session->token));
    session->resume_at = session->heard_at = (mono_time){0};
    session->is_paused = session->is_unconfirmed = false;
    session->debts = (uint16_t)(session->debts & ~(unsigned)DEBT_CONFIRM);
    /* An end that was seen. */
    session->has_unseen = false;
    session->level_flags = (uint8_t)(session->level_flags & ~(unsigned)LEVEL_SEEN);
    session->debts = (uint16_t)(session->debts & ~(unsigned)DEBT_LEVEL);
}

static bool ends_in_an_error(const struct session *session, unsigned frames_before)
{
    static const char head[] = "{\"type\":\"error\"";
    const struct outbox *outbox = &session->outbox;
    if (outbox->count <= frames_before) return false;
    const struct frame *last = outbox->frames[(outbox->head + outbox->count - 1u) % OUTBOX_SLOTS];
    return last->size > sizeof(head) && memcmp(last->payload, head, sizeof(head) - 1) == 0;
}

void session_audit_refusal(const struct session *before, const struct session *after,
                           unsigned frames_before)
{
    /* One that is sent away with it, or is refused only when a debt is not paid, has changed for another reason. */
    if (!ends_in_an_error(after, frames_before) || after->is_over || before->debts != after->debts)
        return;
    struct session was, is;
    memcpy(&was, before, sizeof(was));
    memcpy(&is, after, sizeof(is));
    forget_what_may_change(&was);
    forget_what_may_change(&is);
    if (before->state == SESSION_NEW && after->state == SESSION_NEW) {
        /* What a hello has said that was refused is forgotten with the next one. */
        was.player = is.player = (struct id){{0}};
        was.profile = is.profile = NULL;
    }
    if (memcmp(&was, &is, sizeof(was)) != 0)
        sim_failed("a refusal changes nothing: not so in a session that is %s", state_of(after));
}
