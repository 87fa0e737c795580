/* Who speaks for a player, and where players on their way stand. */

#include "sim_audit_priv.h"
#include "sim_failed.h"

static bool is_none(const struct session_ref *session)
{
    return handle_is_none(session->handle);
}

static void a_home_is_found(const struct shard *shard, const struct presence *presence)
{
    uint32_t slot = 0;
    if (!map_find(&shard->homes, &presence->player, &slot) || slot != presence->self.slot ||
        presence_home(shard, &presence->player) != shard->settings.index)
        sim_failed("pools hold what is reachable: a home is not found by its player");
}

static void a_grant_that_is_owed_is_listed(const struct presence *presence)
{
    bool is_owing = presence->owes_grant || presence->owes_let_go;
    if (is_owing != list_is_linked(&presence->owed_node))
        sim_failed("what is owed is listed: not what a home owes");
    if (is_none(&presence->holder)) sim_failed("a player who is present has a session: none");
    bool is_claimed = presence->takeover != NULL && !is_none(&presence->takeover->claimant);
    if (presence->is_letting_go && !is_claimed)
        sim_failed("a player is let go for somebody: for nobody");
    bool is_needed = presence->has_before || is_claimed ||
                     (presence->takeover != NULL && !is_none(&presence->takeover->refused));
    if (is_needed != (presence->takeover != NULL))
        sim_failed("what a takeover needs is kept as long: %s",
                   is_needed ? "it lacks" : "nobody takes over");
}

void home_audit(const struct shard *shard)
{
    uint32_t count = 0, takeovers = 0, standings = 0;
    unsigned owing = 0;
    for (uint32_t slot = 0; slot < shard->presences.touched; slot++) {
        const struct presence *presence = pool_at(&shard->presences, slot);
        if (presence == NULL) continue;
        count++;
        owing += list_is_linked(&presence->owed_node);
        takeovers += presence->takeover != NULL;
        standings += pool_resolve(&shard->standings, presence->standing) != NULL;
        a_home_is_found(shard, presence);
        a_grant_that_is_owed_is_listed(presence);
    }
    if (count != shard->presences.used || count != shard->homes.count ||
        takeovers != shard->takeovers.used || standings != shard->standings.used ||
        owing != list_length(&shard->owed_grants))
        sim_failed("pools hold what is reachable: %u homes, %u standings of %u", count, standings,
                   shard->standings.used);
}

/* --- Nothing is under way. --- */

static const struct session *session_of(const struct world *world, const struct session_ref *ref)
{
    return pool_resolve(&world->shards[ref->shard].shard->sessions, ref->handle);
}

static void a_home_knows_its_session(const struct world *world, const struct presence *presence)
{
    const struct session *holder = session_of(world, &presence->holder);
    if (holder == NULL || holder->is_forgotten || !id_equal(&holder->player, &presence->player))
        sim_failed("a player who is present has a session: one that is gone");
    if (presence->is_letting_go && !holder->is_handing_over)
        sim_failed("a player is let go for somebody: the holder has not heard of it");
}

/* The first message of a session says that its welcome has arrived. */
static void a_secret_of_before_ends_with_the_first_message(const struct world *world,
                                                           const struct presence *presence)
{
    const struct session *holder = session_of(world, &presence->holder);
    bool is_heard =
        holder->state != SESSION_GREETING && !holder->is_over && !holder->is_unconfirmed;
    if (presence->has_before && is_heard)
        sim_failed("a secret of before ends with the first message: it is good in %s",
                   session_state_name((enum session_state)holder->state));
}

static void a_session_is_known_at_home(const struct world *world, const struct session *session)
{
    if (session->generation == 0 || session->is_forgotten) return;
    const struct shard *home = world->shards[presence_home(session->shard, &session->player)].shard;
    uint32_t slot = 0;
    if (!map_find(&home->homes, &session->player, &slot))
        sim_failed("a session is known at home: its player is not");
    const struct presence *presence = pool_at(&home->presences, slot);
    if (session_of(world, &presence->holder) != session)
        sim_failed("a session is known at home: another one is");
}

static void a_queued_session_has_its_ticket(const struct world *world,
                                            const struct session *session)
{
    const struct matchmaker *matchmaker = &world->shards[LOBBY_SHARD].shard->lobby->matchmaker;
    const struct ticket *ticket = pool_resolve(&matchmaker->tickets, session->ticket);
    if (ticket == NULL && session->is_over && world->audit->are_many_away) return;
    bool is_its_own = ticket != NULL && handle_equal(ticket->owner.session, session->self) &&
                      ticket->owner.shard == session->shard->settings.index;
    if (!is_its_own)
        sim_failed("a queued session has its ticket: not one that is %s",
                   session_state_name((enum session_state)session->state));
    if (ticket->since.ms != session->queued_since.ms)
        sim_failed("a ticket is as old as its player's wait: by %lld ms not",
                   (long long)ticket->since.ms - (long long)session->queued_since.ms);
    bool is_away = ticket->state == TICKET_AWAY;
    if (is_away != session->is_over)
        sim_failed("a ticket is away while its player is: state %u", ticket->state);
}

/* docs/protocol.md, Coming and going: what was missed, then `clock`. */
static void who_is_back_hears_the_clock(const struct world *world, const struct session *session,
                                        const struct hosted *hosted)
{
    bool is_reading = session->conn != NULL && !session->is_over && !session->is_choked;
    if (!is_reading || match_is_settling(&hosted->match)) return;
    const struct client *client = session->conn;
    if (world->referee.clients[client - world->clients].may_hear_clock)
        sim_failed("who is back hears the clock: not in round %u", hosted->match.round);
}

static void a_playing_session_has_its_seat(const struct world *world, const struct session *session)
{
    struct shard *owner = world->shards[session->match.shard].shard;
    const struct hosted *hosted = hosted_find(owner, session->match.handle, &session->match_id);
    if (hosted == NULL) return; /* Kept for too short a time: it asks, and hears that. */
    const struct seat *seat = &hosted->seats[session->seat];
    if (seat->generation != session->generation ||
        !handle_equal(seat->session.handle, session->self))
        sim_failed("a playing session has its seat: it is another's");
    if (seat->is_connected == session->is_over)
        sim_failed("a match knows who is there: seat %u is %s", session->seat,
                   seat->is_connected ? "away" : "there");
    who_is_back_hears_the_clock(world, session, hosted);
}

/* Nothing is on its way that it could wait for, but what the store or the lobby are asked again. */
static void a_session_stands_where_it_is(const struct world *world, const struct session *session)
{
    if (session->is_forgotten || session->is_handing_over) return;
    switch ((enum session_state)session->state) {
    case SESSION_QUEUED: a_queued_session_has_its_ticket(world, session); return;
    case SESSION_ATTACHED:
        if (session->mode == MATCH_MODE_DUEL) a_queued_session_has_its_ticket(world, session);
        return;
    case SESSION_PLAYING: a_playing_session_has_its_seat(world, session); return;
    case SESSION_GREETING:
    case SESSION_JOINING:
        if (session->ask_at.ms == UINT64_MAX)
            sim_failed("a session waits for something: not one that is %s",
                       session_state_name((enum session_state)session->state));
        return;
    case SESSION_NEW:
    case SESSION_IDLE: return;
    }
}

static void a_ticket_belongs_to_a_session(const struct world *world, const struct ticket *ticket)
{
    const struct shard *shard = world->shards[ticket->owner.shard].shard;
    const struct session *session = pool_resolve(&shard->sessions, ticket->owner.session);
    bool is_waiting = session != NULL && !session->is_forgotten &&
                      session->ticket_no == ticket->owner.ticket_no &&
                      (session->state == SESSION_JOINING || session->state == SESSION_QUEUED ||
                       session->state == SESSION_ATTACHED);
    if (!is_waiting)
        sim_failed("a ticket belongs to a session: to none, in state %u", ticket->state);
}

static void tickets_belong_to_sessions(const struct world *world)
{
    const struct pool *tickets = &world->shards[LOBBY_SHARD].shard->lobby->matchmaker.tickets;
    for (uint32_t slot = 0; slot < tickets->touched; slot++) {
        const struct ticket *ticket = pool_at(tickets, slot);
        if (ticket != NULL) a_ticket_belongs_to_a_session(world, ticket);
    }
}

void home_audit_at_rest(const struct world *world)
{
    tickets_belong_to_sessions(world);
    for (unsigned i = 0; i < world->settings.shards; i++) {
        const struct shard *shard = world->shards[i].shard;
        for (uint32_t slot = 0; slot < shard->presences.touched; slot++) {
            const struct presence *presence = pool_at(&shard->presences, slot);
            if (presence == NULL) continue;
            a_home_knows_its_session(world, presence);
            a_secret_of_before_ends_with_the_first_message(world, presence);
        }
        for (uint32_t slot = 0; slot < shard->sessions.touched; slot++) {
            const struct session *session = pool_at(&shard->sessions, slot);
            if (session == NULL) continue;
            a_session_is_known_at_home(world, session);
            a_session_stands_where_it_is(world, session);
        }
    }
}
