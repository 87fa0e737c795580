/* Tickets and offers, after an iteration of the lobby's shard. */

#include "sim_audit_priv.h"
#include "sim_failed.h"

enum { LAST_STEP = MATCHMAKER_STEPS - 1, WINDOW_ANY = INT32_MAX };

/* docs and core/matchmaker.h, in milliseconds and hundredths. */
static const struct {
    uint64_t from_ms;
    int32_t window_centi;
} windows[MATCHMAKER_STEPS] = {
    {0, 10000},     {2000, 15000},  {4000, 22500},   {7000, 34000},
    {11000, 50000}, {16000, 75000}, {22000, 110000}, {30000, WINDOW_ANY},
};

static int32_t window_of(const struct ticket *ticket, mono_time now)
{
    uint64_t waited_ms = mono_elapsed(ticket->since, now);
    unsigned step = LAST_STEP;
    while (waited_ms < windows[step].from_ms) step--;
    return windows[step].window_centi;
}

static bool are_compatible(const struct ticket *a, const struct ticket *b, mono_time now)
{
    if (id_equal(&a->player, &b->player)) return false;
    bool is_open = a->category == QUESTION_CATEGORY_ANY || b->category == QUESTION_CATEGORY_ANY;
    if (!is_open && a->category != b->category) return false;
    int32_t window = window_of(a, now), other = window_of(b, now);
    if (other < window) window = other;
    int64_t distance = (int64_t)a->rating_centi - b->rating_centi;
    return window == WINDOW_ANY || (distance <= window && -distance <= window);
}

static void two_who_are_compatible_never_both_wait(const struct shard *shard, uint32_t slot,
                                                   const struct ticket *ticket)
{
    const struct pool *tickets = &shard->lobby->matchmaker.tickets;
    for (uint32_t other = 0; other < slot; other++) {
        const struct ticket *with = pool_at(tickets, other);
        if (with == NULL || with->state != TICKET_WAITING) continue;
        if (are_compatible(ticket, with, shard->now))
            sim_failed("two who are compatible never both wait: %d and %d", ticket->rating_centi,
                       with->rating_centi);
    }
}

static bool is_expecting_a_rematch(const struct lobby *lobby, const struct lobby_ticket *beside)
{
    uint32_t slot = 0;
    return beside->is_rematch && handle_is_none(beside->offer) && !beside->owes_unqueued &&
           map_find(&lobby->rematches, &beside->rematch, &slot) && slot == beside->ticket.slot;
}

static void a_ticket_has_the_timer_of_its_state(const struct shard *shard,
                                                const struct ticket *ticket,
                                                const struct lobby_ticket *beside)
{
    bool is_armed = wheel_is_armed(&ticket->timer);
    /* One that waits for a rematch is held, and its timer the lobby's. */
    bool is_expecting = is_expecting_a_rematch(shard->lobby, beside);
    bool is_stepping = ticket->state == TICKET_WAITING && ticket->step < LAST_STEP;
    if (is_armed && !is_expecting && !is_stepping)
        sim_failed("a timer belongs to what lives: that of a ticket in state %u", ticket->state);
    if (!is_armed && (is_expecting || is_stepping) && ticket->state != TICKET_AWAY)
        sim_failed("a ticket waits for something: not one in state %u", ticket->state);
}

static void a_ticket_in_an_offer_is_offered(const struct shard *shard, const struct ticket *ticket,
                                            const struct lobby_ticket *beside)
{
    const struct offer *offer = pool_resolve(&shard->lobby->offers, beside->offer);
    bool is_in_it = offer != NULL && beside->side < 2 &&
                    handle_equal(offer->tickets[beside->side], beside->ticket);
    if (ticket->state == TICKET_WAITING && offer != NULL)
        sim_failed("a ticket in an offer is offered: one waits");
    /* One for a rematch is held so, and one that ends. */
    bool needs_offer =
        ticket->state == TICKET_OFFERED && !beside->is_rematch && !beside->owes_unqueued;
    if (needs_offer && !is_in_it) sim_failed("a ticket that is offered stands in an offer: none");
    if (!handle_is_none(beside->offer) && !is_in_it)
        sim_failed("a ticket that is offered stands in an offer: another's");
}

static void what_a_ticket_is_owed_is_listed(const struct lobby_ticket *beside)
{
    bool is_owed =
        beside->owes_queued || beside->owes_requeued || beside->owes_offer || beside->owes_unqueued;
    if (is_owed && !list_is_linked(&beside->owed_node))
        sim_failed("what is owed is listed: not what a ticket is owed");
}

static void audit_tickets(const struct shard *shard)
{
    const struct lobby *lobby = shard->lobby;
    const struct matchmaker *matchmaker = &lobby->matchmaker;
    uint32_t count = 0, away = 0, waiting = 0, in_table = 0;
    unsigned owed = 0, expecting = 0;
    for (uint32_t slot = 0; slot < matchmaker->tickets.touched; slot++) {
        const struct ticket *ticket = pool_at(&matchmaker->tickets, slot);
        if (ticket == NULL) continue;
        const struct lobby_ticket *beside = &lobby->tickets[slot];
        if (beside->ticket.slot != slot ||
            pool_resolve(&matchmaker->tickets, beside->ticket) != ticket)
            sim_failed("pools hold what is reachable: a ticket has another's beside it");
        count++;
        away += ticket->state == TICKET_AWAY;
        owed += list_is_linked(&beside->owed_node);
        expecting += is_expecting_a_rematch(lobby, beside);
        a_ticket_has_the_timer_of_its_state(shard, ticket, beside);
        a_ticket_in_an_offer_is_offered(shard, ticket, beside);
        what_a_ticket_is_owed_is_listed(beside);
        if (ticket->state != TICKET_WAITING) continue;
        waiting++;
        two_who_are_compatible_never_both_wait(shard, slot, ticket);
    }
    for (unsigned i = 0; i < MATCHMAKER_GROUPS && waiting != in_table; i++)
        in_table += matchmaker->group_counts[i];
    if (count != matchmaker->tickets.used || count != matchmaker->waiting ||
        away != matchmaker->away || waiting != in_table)
        sim_failed("counters equal a recount: %u tickets, %u away, %u in the table", count, away,
                   waiting);
    if (expecting != lobby->rematches.count)
        sim_failed("who waits for a rematch is found, and nobody else: %u wait, %u are found",
                   expecting, lobby->rematches.count);
    if (owed != list_length(&lobby->owed_tickets))
        sim_failed("no ticket is in a list twice: %u are owed something", owed);
}

static void an_offer_stands_between_two_tickets(const struct shard *shard,
                                                const struct offer *offer)
{
    const struct matchmaker *matchmaker = &shard->lobby->matchmaker;
    bool is_settled = true;
    for (unsigned side = 0; side < 2; side++) {
        is_settled = is_settled && offer->answers[side] == OFFER_ATTACHED;
        if (offer->answers[side] == OFFER_DECLINED) continue;
        const struct ticket *ticket = pool_resolve(&matchmaker->tickets, offer->tickets[side]);
        const struct lobby_ticket *beside = &shard->lobby->tickets[offer->tickets[side].slot];
        if (ticket == NULL || ticket->state != TICKET_OFFERED ||
            !handle_equal(beside->offer, offer->self))
            sim_failed("an offer stands between two tickets: one is gone");
    }
    if (is_settled != list_is_linked(&offer->owed_node))
        sim_failed("what is owed is listed: not the start of a match");
    if (offer->answers[0] != OFFER_UNANSWERED && offer->answers[1] != OFFER_UNANSWERED &&
        !is_settled)
        sim_failed("an offer stands until both have answered: one that was declined");
}

void lobby_audit(const struct shard *shard)
{
    if (shard->lobby == NULL) return;
    audit_tickets(shard);
    const struct pool *offers = &shard->lobby->offers;
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < offers->touched; slot++) {
        const struct offer *offer = pool_at(offers, slot);
        if (offer == NULL) continue;
        count++;
        an_offer_stands_between_two_tickets(shard, offer);
    }
    if (count != offers->used) sim_failed("counters equal a recount: %u offers", count);
}
