/* The matchmaking actor, on LOBBY_SHARD alone: tickets of all shards' players, and offers to pairs of them.
 *
 * A ticket that was paired is offered to its session. Each side answers once: ATTACH, or the UNJOIN that crossed the
 * offer. When both have answered: two attaches go as START to the less loaded of their shards, and the lobby forgets
 * the pair; otherwise who attached goes back into the queue with the ticket's age.
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

static struct lobby_ticket *beside(struct lobby *lobby, struct handle ticket)
{
    return &lobby->tickets[ticket.slot];
}

static void owe_ticket(struct lobby *lobby, struct lobby_ticket *ticket)
{
    if (!list_is_linked(&ticket->owed_node)) list_append(&lobby->owed_tickets, &ticket->owed_node);
}

/* --- Pairs. --- */

static void note_wait(struct lobby *lobby, uint64_t waited_ms)
{
    /* A moving mean over about the last eight: enough for an estimate, and it forgets last night. */
    int64_t waited = (int64_t)waited_ms;
    lobby->mean_wait_ms =
        lobby->mean_wait_ms < 0 ? waited : (7 * lobby->mean_wait_ms + waited) / 8;
}

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
        struct lobby_ticket *ticket = beside(lobby, pair->tickets[side]);
        ticket->offer = handle;
        ticket->side = side;
        ticket->owes_offer = true;
        owe_ticket(lobby, ticket);
    }
}

static void join(struct shard *shard, const struct ticket_request *request, uint32_t request_id,
                 bool is_back)
{
    struct lobby *lobby = shard->lobby;
    struct handle handle = HANDLE_NONE;
    struct matchmaker_pair pair;
    bool is_paired = matchmaker_join(&lobby->matchmaker, request, shard->now, &handle, &pair);
    QR_ASSERT(!handle_is_none(handle)); /* One per session that the process has room for. */
    struct lobby_ticket *ticket = beside(lobby, handle);
    *ticket = (struct lobby_ticket){.ticket = handle,
                                    .request_id = request_id,
                                    .owes_queued = !is_back,
                                    .owes_requeued = is_back,
                                    .waiting = lobby->matchmaker.waiting};
    list_init(&ticket->owed_node);
    owe_ticket(lobby, ticket);
    if (is_paired) offer_pair(shard, &pair);
}

void lobby_on_join(struct shard *shard, const struct record_join *record)
{
    struct ticket_request request = {
        .player = record->player,
        .owner = {record->session.handle, record->ticket_no, record->session.shard},
        .rating_centi = record->rating_centi,
        .category = record->category,
        .waited_ms = mono_elapsed(record->since, shard->now),
    };
    join(shard, &request, record->request_id, false);
}

void lobby_on_timer(struct shard *shard, struct handle ticket)
{
    struct matchmaker_pair pair;
    if (matchmaker_on_timer(&shard->lobby->matchmaker, ticket, shard->now, &pair)) {
        offer_pair(shard, &pair);
    }
}

static void forget_ticket(struct lobby *lobby, struct handle handle)
{
    list_remove(&beside(lobby, handle)->owed_node);
    matchmaker_remove(&lobby->matchmaker, handle);
}

static void give_back(struct shard *shard, struct handle handle)
{
    struct lobby *lobby = shard->lobby;
    struct lobby_ticket *ticket = beside(lobby, handle);
    ticket->offer = HANDLE_NONE;
    ticket->owes_requeued = true;
    owe_ticket(lobby, ticket);
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
    offer->entrants[record->side] = record->entrant;
    resolve(shard, offer);
}

void lobby_on_unjoin(struct shard *shard, const struct record_unjoin *record)
{
    struct lobby *lobby = shard->lobby;
    struct ticket *ticket = matchmaker_find(&lobby->matchmaker, record->ticket);
    QR_ASSERT(ticket != NULL); /* A session that has attached asks no more for this. */
    struct lobby_ticket *at_side = beside(lobby, record->ticket);
    struct offer *offer = pool_resolve(&lobby->offers, at_side->offer);
    uint8_t side = at_side->side;
    forget_ticket(lobby, record->ticket);
    if (offer == NULL) return;
    QR_ASSERT(offer->answers[side] == OFFER_UNANSWERED);
    offer->answers[side] = OFFER_DECLINED;
    resolve(shard, offer);
}

void lobby_on_start_refused(struct shard *shard, const struct record_start *record)
{
    for (unsigned side = 0; side < 2; side++) {
        const struct start_side *from = &record->sides[side];
        struct ticket_request request = {
            .player = from->entrant.player,
            .owner = {from->session.handle, from->ticket_no, from->session.shard},
            .rating_centi = from->entrant.rating_centi,
            .category = from->category,
            .waited_ms = mono_elapsed(from->since, shard->now),
        };
        join(shard, &request, 0, true);
    }
    /* The two find each other again at once; a shard that is full is not asked in a circle. */
    shard->lobby->starts_at = mono_after(shard->now, START_RETRY_MS);
}

/* --- What is owed. --- */

static bool say_queued(struct shard *shard, const struct lobby_ticket *at_side,
                       const struct ticket *ticket)
{
    struct record_queued record = {.kind = RECORD_QUEUED,
                                   .session = ticket->owner.session,
                                   .ticket_no = ticket->owner.ticket_no,
                                   .request_id = at_side->request_id,
                                   .waiting = at_side->waiting,
                                   .ticket = at_side->ticket};
    return post(shard, ticket->owner.shard, &record, sizeof(record));
}

static bool say_requeued(struct shard *shard, const struct lobby_ticket *at_side,
                         const struct ticket *ticket)
{
    struct record_requeued record = {.kind = RECORD_REQUEUED,
                                     .session = ticket->owner.session,
                                     .ticket_no = ticket->owner.ticket_no,
                                     .ticket = at_side->ticket};
    return post(shard, ticket->owner.shard, &record, sizeof(record));
}

static bool say_offer(struct shard *shard, const struct lobby_ticket *at_side,
                      const struct ticket *ticket)
{
    struct record_offer record = {.kind = RECORD_OFFER,
                                  .side = at_side->side,
                                  .session = ticket->owner.session,
                                  .ticket_no = ticket->owner.ticket_no,
                                  .offer = at_side->offer};
    return post(shard, ticket->owner.shard, &record, sizeof(record));
}

/* False: no room; the rest is said in the next iteration, in the same order. */
static bool pay_ticket(struct shard *shard, struct lobby_ticket *at_side)
{
    const struct ticket *ticket = matchmaker_find(&shard->lobby->matchmaker, at_side->ticket);
    QR_ASSERT(ticket != NULL); /* A forgotten ticket is in no list. */
    if (at_side->owes_queued && !say_queued(shard, at_side, ticket)) return false;
    at_side->owes_queued = false;
    if (at_side->owes_requeued && !say_requeued(shard, at_side, ticket)) return false;
    at_side->owes_requeued = false;
    if (at_side->owes_offer && !say_offer(shard, at_side, ticket)) return false;
    at_side->owes_offer = false;
    return true;
}

static bool pay_offer(struct shard *shard, struct offer *offer)
{
    struct lobby *lobby = shard->lobby;
    if (mono_is_before(shard->now, lobby->starts_at)) return false;
    struct record_start record = {.kind = RECORD_START};
    for (unsigned side = 0; side < 2; side++) {
        const struct ticket *ticket = matchmaker_find(&lobby->matchmaker, offer->tickets[side]);
        QR_ASSERT(ticket != NULL); /* Attached: it stands until START. */
        record.sides[side] = (struct start_side){
            .session = {ticket->owner.session, ticket->owner.shard},
            .ticket_no = ticket->owner.ticket_no,
            .category = ticket->category,
            .since = ticket->since,
            .entrant = offer->entrants[side],
        };
    }
    if (!post(shard, offer->owner, &record, sizeof(record))) return false;
    for (unsigned side = 0; side < 2; side++) {
        note_wait(lobby, mono_elapsed(record.sides[side].since, shard->now));
        forget_ticket(lobby, offer->tickets[side]);
    }
    pool_release(&lobby->offers, offer->self);
    return true;
}

static void pay_figures(struct shard *shard)
{
    struct lobby *lobby = shard->lobby;
    struct record_figures record = {.kind = RECORD_FIGURES,
                                    .waiting = lobby->matchmaker.waiting,
                                    .mean_wait_ms = lobby->mean_wait_ms};
    while (lobby->figures_owed_from < shard->settings.count) {
        if (!post(shard, lobby->figures_owed_from, &record, sizeof(record))) return;
        lobby->figures_owed_from++;
    }
}

void lobby_on_figures_timer(struct shard *shard)
{
    struct lobby *lobby = shard->lobby;
    lobby->figures_owed_from = 0;
    wheel_arm(&shard->wheel, &lobby->figures, mono_after(shard->now, FIGURES_EVERY_MS), 0);
}

void lobby_pay_all(struct shard *shard)
{
    struct lobby *lobby = shard->lobby;
    struct list waiting;
    struct list *node;
    list_move_all(&lobby->owed_tickets, &waiting);
    while ((node = list_take_first(&waiting)) != NULL) {
        struct lobby_ticket *ticket = LIST_ITEM(node, struct lobby_ticket, owed_node);
        if (!pay_ticket(shard, ticket)) owe_ticket(lobby, ticket);
    }
    list_move_all(&lobby->owed_offers, &waiting);
    while ((node = list_take_first(&waiting)) != NULL) {
        struct offer *offer = LIST_ITEM(node, struct offer, owed_node);
        if (!pay_offer(shard, offer)) list_append(&lobby->owed_offers, &offer->owed_node);
    }
    pay_figures(shard);
}
