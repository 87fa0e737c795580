/* The matchmaking actor, on LOBBY_SHARD alone: tickets of all shards' players, and offers to pairs of them.
 *
 * A ticket that was paired is offered to its session. Each side answers once: ATTACH, or what crossed the offer
 * (UNJOIN, AWAY, RETICKET). When both have answered: two attaches go as START to the less loaded of their shards, and
 * the lobby forgets the pair; otherwise who attached goes back into the queue with the ticket's age.
 *
 * Handlers only change tickets and offers; what is to be said stands in their owes_… flags, and lobby_pay_all says it
 * as mailboxes have room. So a handler never waits, and START can (live_match_on_start). */

#include "shard_priv.h"

void lobby_init(struct shard *shard)
{
    struct lobby *lobby = shard->lobby;
    list_init(&lobby->owed_tickets);
    list_init(&lobby->owed_offers);
    lobby->mean_wait_ms = -1;
    lobby->figures_owed_from = shard->settings.count;
    wheel_timer_init(&lobby->figures, HANDLE_NONE, TIMER_FIGURES);
    wheel_arm(&shard->wheel, &lobby->figures, mono_after(shard->now, FIGURES_EVERY_MS), 0);
}

struct lobby_ticket *lobby_beside(struct lobby *lobby, struct handle ticket)
{
    return &lobby->tickets[ticket.slot];
}

void lobby_owe_ticket(struct lobby *lobby, struct lobby_ticket *ticket)
{
    if (!list_is_linked(&ticket->owed_node)) list_append(&lobby->owed_tickets, &ticket->owed_node);
}

/* --- Pairs. --- */

static void offer_pair(struct shard *shard, const struct matchmaker_pair *pair)
{
    struct lobby *lobby = shard->lobby;
    struct handle handle = HANDLE_NONE;
    struct offer *offer = pool_acquire(&lobby->offers, &handle);
    QR_ASSERT(offer != NULL); /* One per ticket: each has at least one that stands in no other. */
    offer->self = handle;
    list_init(&offer->owed_node);
    for (uint8_t side = 0; side < 2; side++) {
        offer->tickets[side] = pair->tickets[side];
        struct lobby_ticket *ticket = lobby_beside(lobby, pair->tickets[side]);
        ticket->offer = handle;
        ticket->side = side;
        ticket->owes_offer = true;
        lobby_owe_ticket(lobby, ticket);
    }
}

static struct lobby_ticket *begin_ticket(struct lobby *lobby, struct handle handle)
{
    QR_ASSERT(!handle_is_none(handle)); /* One per session that the process has room for. */
    struct lobby_ticket *at_side = lobby_beside(lobby, handle);
    *at_side = (struct lobby_ticket){.ticket = handle, .waiting = lobby->matchmaker.waiting};
    list_init(&at_side->owed_node);
    lobby_owe_ticket(lobby, at_side);
    return at_side;
}

static void join_queue(struct shard *shard, const struct ticket_request *request,
                       uint32_t request_id, bool is_back)
{
    struct lobby *lobby = shard->lobby;
    struct handle handle = HANDLE_NONE;
    struct matchmaker_pair pair;
    bool is_paired = matchmaker_join(&lobby->matchmaker, request, shard->now, &handle, &pair);
    struct lobby_ticket *at_side = begin_ticket(lobby, handle);
    at_side->request_id = request_id;
    at_side->owes_queued = !is_back;
    at_side->owes_requeued = is_back;
    if (is_paired) offer_pair(shard, &pair);
}

/* --- The same two again: tickets that no stranger gets. --- */

static void forget_rematch(struct lobby *lobby, const struct lobby_ticket *at_side)
{
    uint32_t slot = 0;
    if (at_side->is_rematch && map_find(&lobby->rematches, &at_side->rematch, &slot) &&
        slot == at_side->ticket.slot) {
        (void)map_remove(&lobby->rematches, &at_side->rematch); /* It was found just now. */
    }
}

/* The ticket ends without a match; its session hears why. */
static void end_ticket(struct shard *shard, struct handle handle, enum unqueued_reason reason)
{
    struct lobby *lobby = shard->lobby;
    struct lobby_ticket *at_side = lobby_beside(lobby, handle);
    forget_rematch(lobby, at_side);
    wheel_disarm(&shard->wheel, &matchmaker_find(&lobby->matchmaker, handle)->timer);
    at_side->offer = HANDLE_NONE;
    at_side->owes_offer = false;
    at_side->owes_requeued = false;
    at_side->owes_unqueued = true;
    at_side->unqueued = (uint8_t)reason;
    lobby_owe_ticket(lobby, at_side);
}

static void pair_again(struct shard *shard, struct handle first, struct handle second)
{
    struct lobby *lobby = shard->lobby;
    forget_rematch(lobby, lobby_beside(lobby, first));
    wheel_disarm(&shard->wheel, &matchmaker_find(&lobby->matchmaker, first)->timer);
    struct matchmaker_pair pair = {.tickets = {first, second}};
    offer_pair(shard, &pair);
}

static void join_rematch(struct shard *shard, const struct ticket_request *request,
                         const struct record_join *record)
{
    struct lobby *lobby = shard->lobby;
    struct handle handle = matchmaker_hold(&lobby->matchmaker, request, shard->now);
    struct lobby_ticket *at_side = begin_ticket(lobby, handle);
    at_side->request_id = record->request_id;
    at_side->owes_queued = true;
    at_side->is_rematch = true;
    at_side->rematch = record->rematch;
    at_side->seat = record->seat;
    uint32_t slot = 0;
    if (map_find(&lobby->rematches, &record->rematch, &slot) &&
        lobby->tickets[slot].seat != record->seat) {
        pair_again(shard, lobby->tickets[slot].ticket, handle);
        return;
    }
    bool is_put = map_put(&lobby->rematches, &record->rematch, handle.slot);
    QR_ASSERT(is_put);
    wheel_arm(&shard->wheel, &matchmaker_find(&lobby->matchmaker, handle)->timer,
              mono_after(shard->now, shard->settings.rematch_ms), 0);
}

/* --- Tickets. --- */

void lobby_on_join(struct shard *shard, const struct record_join *record)
{
    struct ticket_request request = {
        .player = record->player,
        .owner = {record->session.handle, record->ticket_no, record->session.shard},
        .rating_centi = record->rating_centi,
        .category = record->category,
        .waited_ms = mono_elapsed(record->since, shard->now),
    };
    if (record->is_rematch) {
        join_rematch(shard, &request, record);
    } else {
        join_queue(shard, &request, record->request_id, false);
    }
}

void lobby_on_timer(struct shard *shard, struct handle ticket)
{
    struct lobby *lobby = shard->lobby;
    struct matchmaker_pair pair;
    if (matchmaker_find(&lobby->matchmaker, ticket) == NULL) return;
    if (lobby_beside(lobby, ticket)->is_rematch) {
        end_ticket(shard, ticket, UNQUEUED_TIMEOUT);
    } else if (matchmaker_on_timer(&lobby->matchmaker, ticket, shard->now, &pair)) {
        offer_pair(shard, &pair);
    }
}

void lobby_forget_ticket(struct lobby *lobby, struct handle handle)
{
    struct lobby_ticket *at_side = lobby_beside(lobby, handle);
    forget_rematch(lobby, at_side);
    if (at_side->is_rematch) { /* Its timer is the lobby's, not the matchmaker's. */
        wheel_disarm(lobby->matchmaker.wheel, &matchmaker_find(&lobby->matchmaker, handle)->timer);
    }
    list_remove(&at_side->owed_node);
    matchmaker_remove(&lobby->matchmaker, handle);
}

/* An offer has come to nothing for one who accepted it. */
static void give_back(struct shard *shard, struct handle handle)
{
    struct lobby *lobby = shard->lobby;
    struct lobby_ticket *at_side = lobby_beside(lobby, handle);
    if (at_side->is_rematch) {
        end_ticket(shard, handle, UNQUEUED_OPPONENT_LEFT);
        return;
    }
    at_side->offer = HANDLE_NONE;
    at_side->owes_requeued = true;
    lobby_owe_ticket(lobby, at_side);
    struct matchmaker_pair pair;
    if (matchmaker_return(&lobby->matchmaker, handle, shard->now, &pair)) offer_pair(shard, &pair);
}

/* --- Answers. --- */

/* Both sides have answered and at least one declined. */
static void dissolve(struct shard *shard, struct offer *offer)
{
    struct handle tickets[2] = {offer->tickets[0], offer->tickets[1]};
    uint8_t answers[2] = {offer->answers[0], offer->answers[1]};
    pool_release(&shard->lobby->offers, offer->self);
    for (unsigned side = 0; side < 2; side++) {
        if (answers[side] == OFFER_ATTACHED) give_back(shard, tickets[side]);
    }
}

static void resolve(struct shard *shard, struct offer *offer)
{
    if (offer->answers[0] == OFFER_UNANSWERED || offer->answers[1] == OFFER_UNANSWERED) return;
    if (offer->answers[0] == OFFER_DECLINED || offer->answers[1] == OFFER_DECLINED) {
        dissolve(shard, offer);
        return;
    }
    struct matchmaker *matchmaker = &shard->lobby->matchmaker;
    unsigned side = offer->matches[1] < offer->matches[0] ? 1 : 0;
    offer->owner = matchmaker_find(matchmaker, offer->tickets[side])->owner.shard;
    list_append(&shard->lobby->owed_offers, &offer->owed_node);
}

void lobby_on_attach(struct shard *shard, const struct record_attach *record)
{
    struct offer *offer = pool_resolve(&shard->lobby->offers, record->offer);
    QR_ASSERT(offer != NULL); /* It stands until both have answered. */
    QR_ASSERT(offer->answers[record->side] == OFFER_UNANSWERED);
    offer->answers[record->side] = OFFER_ATTACHED;
    offer->matches[record->side] = record->matches;
    offer->generations[record->side] = record->generation;
    offer->secrets[record->side] = record->secret;
    offer->entrants[record->side] = record->entrant;
    resolve(shard, offer);
}

/* The ticket's session has said something that crosses its offer, if there is one: that is its answer, a no. */
static void decline_offer(struct shard *shard, struct handle ticket)
{
    struct lobby *lobby = shard->lobby;
    struct lobby_ticket *at_side = lobby_beside(lobby, ticket);
    struct offer *offer = pool_resolve(&lobby->offers, at_side->offer);
    uint8_t side = at_side->side;
    at_side->offer = HANDLE_NONE;
    at_side->owes_offer = false;
    if (offer == NULL) return;
    QR_ASSERT(offer->answers[side] == OFFER_UNANSWERED);
    offer->answers[side] = OFFER_DECLINED;
    resolve(shard, offer);
}

void lobby_on_unjoin(struct shard *shard, const struct record_unjoin *record)
{
    struct lobby *lobby = shard->lobby;
    if (matchmaker_find(&lobby->matchmaker, record->ticket) == NULL)
        return; /* Ended, and said so. */
    /* An offered ticket is in no table: the other side, given back, cannot be paired with it again. */
    decline_offer(shard, record->ticket);
    lobby_forget_ticket(lobby, record->ticket);
}

static bool is_owner(const struct ticket *ticket, const struct session_ref *session)
{
    return handle_equal(ticket->owner.session, session->handle) &&
           ticket->owner.shard == session->shard;
}

void lobby_on_away(struct shard *shard, const struct record_away *record)
{
    struct lobby *lobby = shard->lobby;
    const struct ticket *ticket = matchmaker_find(&lobby->matchmaker, record->ticket);
    if (ticket == NULL) return; /* Ended, and said so. */
    /* RETICKET comes from another shard, and may have come first. */
    if (!is_owner(ticket, &record->session)) return;
    /* More than may be away: the place is lost, and a return finds it so. */
    bool is_away = matchmaker_set_away(&lobby->matchmaker, record->ticket);
    decline_offer(shard, record->ticket);
    if (!is_away) lobby_forget_ticket(lobby, record->ticket);
}

/* Lost where there is no room: who waits for it asks again. */
static void say_expired(struct shard *shard, const struct record_reticket *record)
{
    struct record_unqueued answer = {.kind = RECORD_UNQUEUED,
                                     .reason = UNQUEUED_EXPIRED,
                                     .session = record->session.handle,
                                     .ticket_no = record->ticket_no};
    (void)!post(shard, record->session.shard, &answer, sizeof(answer));
}

void lobby_on_reticket(struct shard *shard, const struct record_reticket *record)
{
    struct lobby *lobby = shard->lobby;
    struct ticket *ticket = matchmaker_find(&lobby->matchmaker, record->ticket);
    if (ticket == NULL) {
        say_expired(shard, record);
        return;
    }
    struct ticket_owner owner = {record->session.handle, record->ticket_no, record->session.shard};
    if (is_owner(ticket, &record->session)) return; /* Asked twice: the answer is owed. */
    struct lobby_ticket *at_side = lobby_beside(lobby, record->ticket);
    /* Asked twice, heard of the first answer, and handed over: a newer session has the ticket. */
    if (record->generation <= at_side->generation) return;
    at_side->generation = record->generation;
    bool is_offered = !handle_is_none(at_side->offer);
    ticket->owner = owner;
    at_side->owes_queued = true;
    at_side->owes_requeued = false;
    at_side->request_id = 0;
    at_side->waiting = lobby->matchmaker.waiting;
    lobby_owe_ticket(lobby, at_side);
    decline_offer(shard, record->ticket);
    if (at_side->is_rematch) {
        if (is_offered) end_ticket(shard, record->ticket, UNQUEUED_OPPONENT_LEFT);
        return;
    }
    struct matchmaker_pair pair;
    if (matchmaker_set_back(&lobby->matchmaker, record->ticket, &owner, shard->now, &pair)) {
        offer_pair(shard, &pair);
    }
}

static void take_back(struct shard *shard, const struct start_side *from)
{
    struct ticket_request request = {
        .player = from->entrant.player,
        .owner = {from->session.handle, from->ticket_no, from->session.shard},
        .rating_centi = from->entrant.record.rating.rating_centi,
        .category = from->category,
        .waited_ms = mono_elapsed(from->since, shard->now),
    };
    if (!from->is_rematch) {
        join_queue(shard, &request, 0, true);
        return;
    }
    struct handle handle = matchmaker_hold(&shard->lobby->matchmaker, &request, shard->now);
    (void)begin_ticket(shard->lobby, handle);
    end_ticket(shard, handle, UNQUEUED_UNAVAILABLE);
}

void lobby_on_start_refused(struct shard *shard, const struct record_start *record)
{
    for (unsigned side = 0; side < 2; side++) take_back(shard, &record->sides[side]);
    /* The two find each other again at once; a shard that is full is not asked in a circle. */
    shard->lobby->starts_at = mono_after(shard->now, START_RETRY_MS);
}

void lobby_on_figures_timer(struct shard *shard)
{
    struct lobby *lobby = shard->lobby;
    lobby->figures_owed_from = 0;
    wheel_arm(&shard->wheel, &lobby->figures, mono_after(shard->now, FIGURES_EVERY_MS), 0);
}
