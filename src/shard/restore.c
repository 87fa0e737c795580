/* Matches that come back from the journal after a crash, before anybody is connected.
 *
 * A match is played again from its beginning and its events, without saying anything to anybody; each of its players
 * gets a session without a connection, as one has who was lost a moment ago, and the home shard learns whose secret
 * speaks for the player. When all has been read each match learns that the server was gone (MATCH_EVENT_RECOVERED), and
 * from there on everything is as it always is. */

#include <string.h>

#include "shard_priv.h"

/* --- Seats. --- */

static struct digest digest_of(const struct journal_secret *secret)
{
    struct digest digest;
    memcpy(digest.bytes, secret->bytes, sizeof(digest.bytes));
    return digest;
}

/* As a session that was playing and has lost its connection. */
static struct session *ghost_of(struct shard *shard, struct live_match *live, unsigned index,
                                const struct journal_side *side)
{
    struct session *session = session_acquire(shard, SESSION_PLAYING);
    if (session == NULL) return NULL;
    shard->lingering++;
    cancel_fire(&session->token, CANCEL_DISCONNECT);
    session->is_over = true;
    session->player = live->hosted.match.players[index].player;
    profile_set(shard, session, &side->record);
    session->generation = 1;
    session->seat = (uint8_t)index;
    session->mode = live->hosted.match.settings.mode;
    session->match = (struct match_ref){live->hosted.self, (uint16_t)shard->settings.index};
    session->match_id = live->hosted.match.id;
    session->secret = digest_of(&side->secret);
    return session;
}

static bool fill_seat(struct shard *shard, struct live_match *live, unsigned index,
                      const struct journal_side *side)
{
    struct seat *seat = &live->hosted.seats[index];
    seat->is_bot = live->hosted.match.players[index].is_bot;
    seat->is_seen = seat->is_bot;
    seat->since = live->hosted.match.created_at;
    if (seat->is_bot) return true;
    struct session *session = ghost_of(shard, live, index, side);
    if (session == NULL) return false;
    seat->session = (struct session_ref){session->self, (uint16_t)shard->settings.index};
    seat->generation = session->generation;
    return true;
}

static struct session *in_seat(struct shard *shard, const struct live_match *live, unsigned index)
{
    return pool_resolve(&shard->sessions, live->hosted.seats[index].session.handle);
}

/* --- One match. --- */

static void release(struct shard *shard, struct live_match *live)
{
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        struct session *session = in_seat(shard, live, i);
        if (session != NULL) session_release(shard, session);
    }
    cancel_fire(&live->token, CANCEL_FINISHED);
    live_match_release(shard, live);
}

static void carry_out(struct shard *shard, struct live_match *live, const struct effects *effects)
{
    for (uint32_t i = 0; i < effects->count; i++) {
        apply_timer(shard, live, &effects->items[i]);
    }
    struct match *match = &live->hosted.match;
    live->hosted.announced_seq = match->seq;
    shard->counters.matches[live->counted_state]--;
    shard->counters.matches[match->state]++;
    live->counted_state = match->state;
}

struct handle shard_restore_begin(struct shard *shard, const struct journal_begin *begin)
{
    if (begin->origin.settings.rounds > match_rounds_max(&shard->settings)) return HANDLE_NONE;
    struct live_match *live = live_match_acquire(shard);
    if (live == NULL) return HANDLE_NONE;
    struct effects effects = {.count = 0};
    match_restore(&live->hosted.match, &begin->origin, &begin->bank.bank, &effects);
    shard->counters.matches[live->counted_state]++;
    carry_out(shard, live, &effects);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        if (fill_seat(shard, live, i, &begin->sides[i])) continue;
        release(shard, live);
        return HANDLE_NONE;
    }
    return live->hosted.self;
}

void shard_restore_seat(struct shard *shard, struct handle match, const struct journal_seat *seat)
{
    struct live_match *live = pool_resolve(&shard->matches, match);
    QR_ASSERT(live != NULL);
    struct session *session = in_seat(shard, live, seat->seat);
    if (session == NULL) return; /* A bot's: nobody shows its secret. */
    static const struct journal_secret none;
    bool is_by_token = memcmp(&seat->shown, &none, sizeof(none)) == 0;
    hello_borrow(shard, session)->proof = is_by_token ? session->secret : digest_of(&seat->shown);
    session->secret = digest_of(&seat->secret);
}

enum restored shard_restore_event(struct shard *shard, struct handle match,
                                  const struct journal_event *event)
{
    struct live_match *live = pool_resolve(&shard->matches, match);
    QR_ASSERT(live != NULL);
    struct effects effects = {.count = 0};
    match_step(&live->hosted.match, &event->event, &effects);
    if (live->hosted.match.fault != NULL || live->hosted.match.seq != event->seq) {
        return RESTORED_OTHERWISE;
    }
    carry_out(shard, live, &effects);
    if (live->hosted.match.state != MATCH_ENDED) return RESTORED_LIVE;
    release(shard, live);
    return RESTORED_ENDED;
}

enum restored shard_restore_result(struct shard *shard, struct handle match)
{
    struct live_match *live = pool_resolve(&shard->matches, match);
    QR_ASSERT(live != NULL);
    /* Only what has a result stays in this state. */
    bool is_waiting = live->hosted.match.state == MATCH_SETTLING;
    if (is_waiting && !live->is_condemned) return RESTORED_LIVE;
    /* The journal had no room for what led there: played on, it would have another result. */
    release(shard, live);
    return RESTORED_ENDED;
}

void shard_restore_cancel(struct shard *shard, struct handle match)
{
    struct live_match *live = pool_resolve(&shard->matches, match);
    QR_ASSERT(live != NULL);
    /* What was told before the step that cannot be is all that stands. */
    live->is_condemned = true;
    live->hosted.match.seq = live->hosted.match.seq_kept = live->hosted.announced_seq;
    match_fault(&live->hosted.match, "it did not come about again as it was");
}

void shard_restore_forget(struct shard *shard, struct handle match)
{
    struct live_match *live = pool_resolve(&shard->matches, match);
    QR_ASSERT(live != NULL);
    release(shard, live);
}

/* --- All of them. --- */

/* Whoever has a seat has a home that knows of it. False: the player is in another match, too. */
static bool send_home(struct shard *const shards[], struct shard *shard, struct live_match *live,
                      unsigned index)
{
    struct session *session = in_seat(shard, live, index);
    if (session == NULL) return true;
    struct session_ref ref = {session->self, (uint16_t)shard->settings.index};
    struct shard *home = shards[presence_home(shard, &session->player)];
    struct digest before = {{0}};
    if (session->hello != NULL) before = session->hello->proof;
    hello_forget(shard, session);
    return presence_restore(home, &session->player, &ref, &session->secret, &before);
}

/* Whoever plays on has heard of its end, or will not: only that it is over is missing in the journal. */
static bool is_left_behind(struct shard *const shards[], struct shard *shard,
                           struct live_match *live)
{
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct session *session = in_seat(shard, live, i);
        if (session == NULL) continue;
        struct shard *home = shards[presence_home(shard, &session->player)];
        if (presence_is_known(home, &session->player)) return true;
    }
    return false;
}

static void wake_up(struct shard *const shards[], struct shard *shard, struct live_match *live)
{
    uint16_t seq = live->hosted.match.seq;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        if (live->hosted.seats[i].is_bot) continue;
        /* Its grace begins anew, and one of before that is over by now would count for it. */
        wheel_disarm(&shard->wheel, &live->seat_timers[i]);
        struct session *session = in_seat(shard, live, i);
        if (session == NULL) continue;
        live->hosted.seats[i].handed_seq = seq;
        session->highest_seq = session->taken_seq = seq;
        session->is_settling = match_is_settling(&live->hosted.match);
        if (send_home(shards, shard, live, i)) continue;
        /* Of two matches of one player one is not whole: whoever comes second has lost. */
        session_release(shard, session);
        live->hosted.seats[i].session = (struct session_ref){HANDLE_NONE, 0};
        live->hosted.seats[i].is_seen = true;
        shard_restore_cancel(shard, live->hosted.self);
    }
    struct match_event event = {.kind = MATCH_EVENT_RECOVERED};
    live_match_push(shard, live, &event);
}

static void wake_up_all(struct shard *const shards[], struct shard *shard, bool are_settling)
{
    for (uint32_t slot = 0; slot < shard->matches.touched; slot++) {
        struct live_match *live = pool_at(&shard->matches, slot);
        if (live == NULL || (live->hosted.match.state == MATCH_SETTLING) != are_settling) continue;
        if (are_settling && is_left_behind(shards, shard, live)) {
            journaling_over(shard, live);
            release(shard, live);
        } else {
            wake_up(shards, shard, live);
        }
    }
}

void shard_restored(struct shard *const shards[], unsigned count)
{
    for (unsigned i = 0; i < count; i++) wake_up_all(shards, shards[i], false);
    /* Their results are fixed, and are handed on in any case. */
    for (unsigned i = 0; i < count; i++) wake_up_all(shards, shards[i], true);
}
