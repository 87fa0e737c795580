/* A player whose connection is no use any more, and the next session that takes the player over.
 *
 * The session stays behind without a connection for as long as the player has something: a place in the queue (for
 * the grace), a seat in a match, an ended match not seen yet (ended_keep_ms). When a newer session claims the player,
 * where the player stands goes to the home shard, and from there to the newest claimant. */

#include <string.h>

#include "shard_priv.h"

static const mono_time never = {UINT64_MAX};

void ghost_forget(struct shard *shard, struct session *session)
{
    if (session->state == SESSION_QUEUED) pairing_leave_queue(shard, session);
    list_remove(&session->gone_node);
    session->has_unseen = false;
    session->is_forgotten = true;
    if (session->generation != 0) session_owe(shard, session, DEBT_RELEASE);
    session->generation = 0;
    session_retire_if_done(shard, session);
}

void ghost_make_room(struct shard *shard)
{
    /* Two for one that comes, from where half of the slots beyond the connections' are taken: who is lost in a match,
     * or connects, finds room, however many have gone from matches that are over. */
    uint32_t connections = shard->settings.sessions_max;
    uint32_t slots = shard->sessions.capacity;
    for (unsigned i = 0; i < 2 && shard->sessions.used > connections + (slots - connections) / 2;
         i++) {
        struct list *oldest = list_take_first(&shard->idle_ghosts);
        if (oldest == NULL) return;
        ghost_forget(shard, LIST_ITEM(oldest, struct session, gone_node));
    }
}

void ghost_begin(struct shard *shard, struct session *session)
{
    session->ghost_until = never;
    switch ((enum session_state)session->state) {
    case SESSION_NEW:
        session_move(shard, session, SESSION_IDLE);
        ghost_forget(shard, session);
        break;
    case SESSION_IDLE:
        if (session->has_unseen && !shard->is_shutting_down) {
            session->ghost_until = mono_after(session->ended_at, shard->settings.ended_keep_ms);
        } else if (mono_is_before(shard->now, session->penalty_until) && !shard->is_draining) {
            /* A pause that was earned is not over because the connection is. */
            session->ghost_until = session->penalty_until;
        } else {
            ghost_forget(shard, session);
            break;
        }
        if (!list_is_linked(&session->gone_node)) {
            list_append(&shard->idle_ghosts, &session->gone_node);
        }
        break;
    case SESSION_QUEUED:
        if (session->is_rematch || shard->settings.match.grace_ms == 0 || shard->is_draining) {
            ghost_forget(shard, session);
            break;
        }
        session->ghost_until = mono_after(shard->now, shard->settings.match.grace_ms);
        session_owe(shard, session, DEBT_AWAY);
        break;
    case SESSION_PLAYING:
        session->level_flags |= LEVEL_AWAY;
        session_owe(shard, session, DEBT_LEVEL);
        break;
    case SESSION_GREETING:
    case SESSION_JOINING:
    case SESSION_ATTACHED: break; /* An answer is due, and ghost_settle then. */
    }
    session_rearm(shard, session);
}

void ghost_look(struct shard *shard, struct session *session)
{
    if (!session->is_over || session->is_forgotten || session->is_handing_over ||
        mono_is_before(shard->now, session->ghost_until)) {
        return;
    }
    ghost_forget(shard, session);
}

/* --- Handing over. --- */

struct standing ghost_standing(const struct session *session)
{
    bool is_queued = session->state == SESSION_QUEUED;
    bool is_placed = session->state == SESSION_PLAYING;
    /* Not yet placed: whoever comes next asks the match in its turn. */
    bool is_coming = session->state == SESSION_GREETING && session->has_match;
    struct standing standing = {
        .record = profile_get(session),
        .is_known = true,
        .needs_load = session->is_loading,
        .is_queued = is_queued,
        .is_rematch = session->is_rematch,
        .has_match = is_placed || is_coming || session->has_unseen,
        .category = session->category,
        .seat = session->seat,
        .last_seat = session->last_seat,
        .last_mode = session->last_mode,
        .dodge_count = session->dodge_count,
        .highest_seq = session->highest_seq,
        .ticket = session->ticket,
        .ticket_no = session->ticket_no,
        .queued_since = session->queued_since,
        .match = session->match,
        .match_id = session->match_id,
        .ended_at = session->ended_at,
        .last_match = session->last_match,
        .penalty_until = session->penalty_until,
    };
    memcpy(standing.dodges, session->dodges, sizeof(standing.dodges));
    return standing;
}

void ghost_adopt(struct shard *shard, struct session *session, const struct standing *standing)
{
    profile_set(shard, session, &standing->record);
    session->category = standing->category;
    session->is_rematch = standing->is_rematch;
    session->seat = standing->seat;
    session->last_seat = standing->last_seat;
    session->last_mode = standing->last_mode;
    session->dodge_count = standing->dodge_count;
    session->highest_seq = standing->highest_seq;
    session->ticket = standing->ticket;
    session->ticket_no = standing->ticket_no;
    session->queued_since = standing->queued_since;
    session->match = standing->match;
    session->match_id = standing->match_id;
    session->has_match = standing->has_match;
    session->ended_at = standing->ended_at;
    session->last_match = standing->last_match;
    session->penalty_until = standing->penalty_until;
    memcpy(session->dodges, standing->dodges, sizeof(session->dodges));
}

static void hand_over(struct shard *shard, struct session *session)
{
    list_remove(&session->gone_node); /* Nobody forgets what is on its way. */
    session_owe(shard, session, DEBT_STANDING);
}

void ghost_settle(struct shard *shard, struct session *session)
{
    if (session->is_handing_over) {
        hand_over(shard, session);
    } else if (session->is_over) {
        ghost_begin(shard, session);
    }
}

/* The client claims to have what no connection of the player can have got. */
static bool is_ahead(const struct session *session, const struct record_let_go *record)
{
    bool has_match = session->has_match || session->has_unseen || session->state == SESSION_PLAYING;
    return has_match && id_equal(&record->last_match, &session->match_id) &&
           record->last_seq > session->highest_seq;
}

void ghost_on_let_go(struct shard *shard, const struct record_let_go *record)
{
    struct session *session = pool_resolve(&shard->sessions, record->session);
    if (session == NULL || session->generation == 0)
        return; /* RELEASE is on its way, and is the answer. */
    if (is_ahead(session, record)) {
        session_owe(shard, session, DEBT_KEEP);
        return;
    }
    session->is_handing_over = true;
    session_dismiss(shard, session, CLOSE_TAKEN_OVER, "taken_over", 0);
    if (session->state != SESSION_JOINING && session->state != SESSION_ATTACHED) {
        hand_over(shard, session);
    }
}
