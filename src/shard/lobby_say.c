/* What the lobby owes to sessions and match owners, said as mailboxes have room; lobby.c decides it. */

#include "shard_priv.h"

static void note_wait(struct lobby *lobby, uint64_t waited_ms)
{
    /* A moving mean over about the last eight: enough for an estimate, and it forgets last night. */
    int64_t waited = (int64_t)waited_ms;
    lobby->mean_wait_ms = lobby->mean_wait_ms < 0 ? waited : (7 * lobby->mean_wait_ms + waited) / 8;
}

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

static bool say_unqueued(struct shard *shard, const struct lobby_ticket *at_side,
                         const struct ticket *ticket)
{
    struct record_unqueued record = {.kind = RECORD_UNQUEUED,
                                     .reason = at_side->unqueued,
                                     .session = ticket->owner.session,
                                     .ticket_no = ticket->owner.ticket_no};
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
    if (at_side->owes_unqueued) {
        if (!say_unqueued(shard, at_side, ticket)) return false;
        lobby_forget_ticket(shard->lobby, at_side->ticket);
        return true;
    }
    if (at_side->owes_offer && !say_offer(shard, at_side, ticket)) return false;
    at_side->owes_offer = false;
    return true;
}

static bool pay_offer(struct shard *shard, struct offer *offer)
{
    struct lobby *lobby = shard->lobby;
    if (mono_is_before(shard->now, lobby->starts_at)) return false;
    struct record_start record = {.kind = RECORD_START, .mode = MATCH_MODE_DUEL};
    for (unsigned side = 0; side < 2; side++) {
        const struct ticket *ticket = matchmaker_find(&lobby->matchmaker, offer->tickets[side]);
        QR_ASSERT(ticket != NULL); /* Attached: it stands until START. */
        record.sides[side] = (struct start_side){
            .session = {ticket->owner.session, ticket->owner.shard},
            .generation = offer->generations[side],
            .is_rematch = lobby_beside(lobby, offer->tickets[side])->is_rematch,
            .ticket_no = ticket->owner.ticket_no,
            .category = ticket->category,
            .since = ticket->since,
            .secret = offer->secrets[side],
            .entrant = offer->entrants[side],
        };
    }
    if (!post(shard, offer->owner, &record, sizeof(record))) return false;
    for (unsigned side = 0; side < 2; side++) {
        note_wait(lobby, mono_elapsed(record.sides[side].since, shard->now));
        lobby_forget_ticket(lobby, offer->tickets[side]);
    }
    pool_release(&lobby->offers, offer->self);
    return true;
}

static void pay_offers(struct shard *shard)
{
    struct lobby *lobby = shard->lobby;
    struct list waiting;
    struct list *node;
    bool is_moving = false;
    list_move_all(&lobby->owed_offers, &waiting);
    for (unsigned i = 0; i < PAYMENTS_PER_RUN; i++) {
        if ((node = list_take_first(&waiting)) == NULL) break;
        struct offer *offer = LIST_ITEM(node, struct offer, owed_node);
        if (pay_offer(shard, offer)) {
            is_moving = true;
        } else {
            list_append(&lobby->owed_offers, &offer->owed_node);
        }
    }
    shard_put_off(shard, &waiting, &lobby->owed_offers, is_moving);
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

void lobby_pay_all(struct shard *shard)
{
    struct lobby *lobby = shard->lobby;
    struct list waiting;
    struct list *node;
    bool is_moving = false;
    list_move_all(&lobby->owed_tickets, &waiting);
    for (unsigned i = 0; i < PAYMENTS_PER_RUN; i++) {
        if ((node = list_take_first(&waiting)) == NULL) break;
        struct lobby_ticket *ticket = LIST_ITEM(node, struct lobby_ticket, owed_node);
        if (pay_ticket(shard, ticket)) {
            is_moving = true;
        } else {
            lobby_owe_ticket(lobby, ticket);
        }
    }
    shard_put_off(shard, &waiting, &lobby->owed_tickets, is_moving);
    pay_offers(shard);
    pay_figures(shard);
}
