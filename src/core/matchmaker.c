#include "core/matchmaker.h"

/* The table of the header: the window grows about one and a half times a step. */
static const struct {
    uint64_t begins_ms;
    int32_t window_centi;
} matchmaker_steps[MATCHMAKER_STEPS] = {
    {0, 100 * 100},     {2000, 150 * 100},  {4000, 225 * 100},   {7000, 340 * 100},
    {11000, 500 * 100}, {16000, 750 * 100}, {22000, 1100 * 100}, {30000, INT32_MAX},
};

enum { TREE_OPEN = CATEGORIES_MAX };

/* Negative where `a` waits longer. */
static int compare_wait(const struct ticket *a, const struct ticket *b)
{
    if (a->since.ms != b->since.ms) return a->since.ms < b->since.ms ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

/* By rating, and within one rating the longer wait first. */
static int compare_tickets(const struct ticket *a, const struct ticket *b)
{
    if (a->rating_centi != b->rating_centi) return a->rating_centi < b->rating_centi ? -1 : 1;
    return compare_wait(a, b);
}

/* RB_GENERATE_STATIC, but for `__unused`, which libbsd does not define where glibc's headers use
 * the name. */
RB_GENERATE_INTERNAL(ticket_tree, ticket, node, compare_tickets, __attribute__((unused)) static)

uint8_t matchmaker_step_at(uint64_t waited_ms)
{
    uint8_t step = MATCHMAKER_STEPS - 1;
    while (waited_ms < matchmaker_steps[step].begins_ms) step--;
    return step;
}

uint64_t matchmaker_step_begins_ms(uint8_t step)
{
    QR_ASSERT(step < MATCHMAKER_STEPS);
    return matchmaker_steps[step].begins_ms;
}

int32_t matchmaker_window(uint64_t waited_ms)
{
    return matchmaker_steps[matchmaker_step_at(waited_ms)].window_centi;
}

/* --- The trees. --- */

static unsigned tree_of(uint8_t category)
{
    return category == QUESTION_CATEGORY_ANY ? TREE_OPEN : category;
}

static void insert_ticket(struct matchmaker *matchmaker, struct ticket *ticket)
{
    unsigned tree = tree_of(ticket->category);
    struct ticket *twin = RB_INSERT(ticket_tree, &matchmaker->trees[ticket->step][tree], ticket);
    QR_ASSERT(twin == NULL);
    matchmaker->tree_counts[tree]++;
    ticket->state = TICKET_WAITING;
    if (ticket->step == MATCHMAKER_STEPS - 1) return;
    uint8_t next = (uint8_t)(ticket->step + 1);
    mono_time at = mono_after(ticket->since, matchmaker_steps[next].begins_ms);
    wheel_arm(matchmaker->wheel, &ticket->timer, at, next);
}

static void take_out_ticket(struct matchmaker *matchmaker, struct ticket *ticket)
{
    unsigned tree = tree_of(ticket->category);
    (void)RB_REMOVE(ticket_tree, &matchmaker->trees[ticket->step][tree], ticket);
    QR_ASSERT(matchmaker->tree_counts[tree] > 0);
    matchmaker->tree_counts[tree]--;
    ticket->state = TICKET_OFFERED;
    wheel_disarm(matchmaker->wheel, &ticket->timer);
}

/* --- The search. --- */

struct partner {
    struct ticket *ticket; /* NULL: none yet. */
    int32_t distance;
};

/* Saturates, so that the window of the last step holds every distance there is. */
static int32_t distance_between(const struct ticket *a, const struct ticket *b)
{
    int64_t distance = (int64_t)a->rating_centi - b->rating_centi;
    if (distance < 0) distance = -distance;
    return distance > INT32_MAX ? INT32_MAX : (int32_t)distance;
}

static void consider(struct partner *best, const struct ticket *seeker, struct ticket *ticket)
{
    if (ticket == NULL || id_equal(&ticket->player, &seeker->player)) return;
    /* The smaller window is that of the lower step. */
    uint8_t step = ticket->step < seeker->step ? ticket->step : seeker->step;
    int32_t distance = distance_between(seeker, ticket);
    if (distance > matchmaker_steps[step].window_centi) return;
    if (best->ticket != NULL) {
        if (distance > best->distance) return;
        if (distance == best->distance && compare_wait(ticket, best->ticket) > 0) return;
    }
    *best = (struct partner){ticket, distance};
}

/* The lowest rating that is not below `rating_centi`, and of its tickets the longest wait. */
static struct ticket *first_from(struct ticket_tree *tree, int32_t rating_centi)
{
    struct ticket before_all = {.rating_centi = rating_centi};
    return RB_NFIND(ticket_tree, tree, &before_all);
}

/* The neighbours on both sides are enough. Two players of one tree who are within its window of
 * each other would have been paired: so only one player's tickets share a rating, and where the
 * neighbour is the seeker's own, whoever stands behind it is out of reach. */
static void consider_neighbours(struct partner *best, const struct ticket *seeker,
                                struct ticket_tree *tree)
{
    struct ticket *above = first_from(tree, seeker->rating_centi);
    consider(best, seeker, above);
    struct ticket *below =
        above != NULL ? RB_PREV(ticket_tree, tree, above) : RB_MAX(ticket_tree, tree);
    if (below == NULL) return;
    consider(best, seeker, first_from(tree, below->rating_centi));
}

static struct ticket *find_partner(struct matchmaker *matchmaker, const struct ticket *seeker)
{
    struct partner best = {0};
    unsigned own = tree_of(seeker->category);
    for (unsigned category = 0; category <= CATEGORIES_MAX; category++) {
        bool is_compatible = own == TREE_OPEN || category == TREE_OPEN || category == own;
        if (!is_compatible || matchmaker->tree_counts[category] == 0) continue;
        for (unsigned step = 0; step < MATCHMAKER_STEPS; step++)
            consider_neighbours(&best, seeker, &matchmaker->trees[step][category]);
    }
    return best.ticket;
}

/* Lets a ticket that stands in no tree enter the step of its age: with a partner it is offered,
 * without one it waits. */
static bool enter_step(struct matchmaker *matchmaker, struct ticket *ticket, mono_time now,
                       struct matchmaker_pair *ret_pair)
{
    ticket->step = matchmaker_step_at(mono_elapsed(ticket->since, now));
    struct ticket *partner = find_partner(matchmaker, ticket);
    if (partner == NULL) {
        insert_ticket(matchmaker, ticket);
        return false;
    }
    take_out_ticket(matchmaker, partner);
    bool is_longer = compare_wait(ticket, partner) < 0;
    ret_pair->tickets[0] = pool_handle_of(&matchmaker->tickets, is_longer ? ticket : partner);
    ret_pair->tickets[1] = pool_handle_of(&matchmaker->tickets, is_longer ? partner : ticket);
    return true;
}

/* --- Life. --- */

void matchmaker_init(struct matchmaker *matchmaker, struct ticket *items, struct pool_slot *slots,
                     uint32_t capacity, struct wheel *wheel, uint16_t timer_kind)
{
    *matchmaker = (struct matchmaker){.wheel = wheel, .timer_kind = timer_kind};
    pool_init(&matchmaker->tickets, items, slots, sizeof *items, capacity);
}

bool matchmaker_join(struct matchmaker *matchmaker, const struct ticket_request *request,
                     mono_time now, struct handle *ret_ticket, struct matchmaker_pair *ret_pair)
{
    QR_ASSERT(request->category == QUESTION_CATEGORY_ANY || request->category < CATEGORIES_MAX);
    *ret_ticket = HANDLE_NONE;
    struct ticket *ticket = pool_acquire(&matchmaker->tickets, ret_ticket);
    if (ticket == NULL) return false;
    ticket->player = request->player;
    ticket->owner = request->owner;
    ticket->since.ms = now.ms > request->waited_ms ? now.ms - request->waited_ms : 0;
    ticket->order = matchmaker->next_order++;
    ticket->rating_centi = request->rating_centi;
    ticket->category = request->category;
    ticket->state = TICKET_OFFERED; /* In no tree, until it has entered its step. */
    wheel_timer_init(&ticket->timer, *ret_ticket, matchmaker->timer_kind);
    matchmaker->waiting++;
    return enter_step(matchmaker, ticket, now, ret_pair);
}

bool matchmaker_on_timer(struct matchmaker *matchmaker, struct handle handle, mono_time now,
                         struct matchmaker_pair *ret_pair)
{
    struct ticket *ticket = matchmaker_find(matchmaker, handle);
    if (ticket == NULL || ticket->state != TICKET_WAITING) return false;
    take_out_ticket(matchmaker, ticket);
    return enter_step(matchmaker, ticket, now, ret_pair);
}

bool matchmaker_return(struct matchmaker *matchmaker, struct handle handle, mono_time now,
                       struct matchmaker_pair *ret_pair)
{
    struct ticket *ticket = matchmaker_find(matchmaker, handle);
    if (ticket == NULL) return false;
    QR_ASSERT(ticket->state == TICKET_OFFERED);
    return enter_step(matchmaker, ticket, now, ret_pair);
}

void matchmaker_remove(struct matchmaker *matchmaker, struct handle handle)
{
    struct ticket *ticket = matchmaker_find(matchmaker, handle);
    if (ticket == NULL) return;
    if (ticket->state == TICKET_WAITING) take_out_ticket(matchmaker, ticket);
    pool_release(&matchmaker->tickets, handle);
    matchmaker->waiting--;
}

struct ticket *matchmaker_find(struct matchmaker *matchmaker, struct handle handle)
{
    return pool_resolve(&matchmaker->tickets, handle);
}
