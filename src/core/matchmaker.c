#include "core/matchmaker.h"

#include <string.h>

/* The table of the header: the window grows about one and a half times a step. */
static const struct {
    uint64_t begins_ms;
    int32_t window_centi;
} matchmaker_steps[MATCHMAKER_STEPS] = {
    {0, 100 * 100},     {2000, 150 * 100},  {4000, 225 * 100},   {7000, 340 * 100},
    {11000, 500 * 100}, {16000, 750 * 100}, {22000, 1100 * 100}, {30000, INT32_MAX},
};

enum {
    GROUP_MASK = (1 << 9) - 1,   /* The bits of ticket_cell.group, */
    TICKET_MASK = (1 << 23) - 1, /* and of ticket_cell.ticket. */
    ROW_CELLS = 8,
    CELLS_MIN = ROW_CELLS,
    TAG_SHIFT = 24,
    CATEGORY_OPEN = CATEGORIES_MAX,
    CAPACITY_PER_AWAY = 8,
    LAST_STEP = MATCHMAKER_STEPS - 1,
};

_Static_assert(MATCHMAKER_GROUPS - 1 <= GROUP_MASK, "a cell's group has 9 bits");
_Static_assert(MATCHMAKER_CAPACITY_MAX - 1 <= TICKET_MASK, "a cell's ticket has 23 bits");
_Static_assert(2 * MATCHMAKER_CAPACITY_MAX / ROW_CELLS <= 1 << TAG_SHIFT,
               "a home has the bits below a tag's");

static const uint32_t cell_none = UINT32_MAX;

/* Negative where `a` waits longer. */
static int compare_wait(const struct ticket *a, const struct ticket *b)
{
    if (a->since.ms != b->since.ms) return a->since.ms < b->since.ms ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

uint8_t matchmaker_step_at(uint64_t waited_ms)
{
    uint8_t step = LAST_STEP;
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

/* --- The table. --- */

/* Rows of eight cells; a ticket is in the first row, from its stretch's home on, that has room, and
 * a search ends with the first row that has any. */

static unsigned group_of(uint8_t category, unsigned step)
{
    unsigned index = category == QUESTION_CATEGORY_ANY ? CATEGORY_OPEN : category;
    return index * MATCHMAKER_STEPS + step;
}

/* The stretch of a step's ratings that a rating lies in, counted from the lowest rating there is.
 */
static uint32_t stretch_of(unsigned step, int32_t rating_centi)
{
    if (step == LAST_STEP) return 0; /* Its window holds every distance. */
    uint32_t above_lowest = (uint32_t)rating_centi - (uint32_t)INT32_MIN;
    return above_lowest / (uint32_t)matchmaker_steps[step].window_centi;
}

/* By multiplication with an odd constant (Fibonacci hashing), of which the upper bits are good. No
 * key: nobody chooses a rating, and only a player's own tickets can crowd a stretch. */
static uint32_t hash_stretch(unsigned group, uint32_t stretch)
{
    uint64_t name = (uint64_t)group << 32 | stretch;
    name *= UINT64_C(0x9e3779b97f4a7c15);
    name = (name ^ name >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(name >> 32);
}

static uint32_t hash_cell(struct ticket_cell cell)
{
    return hash_stretch(cell.group, stretch_of(cell.group % MATCHMAKER_STEPS, cell.rating_centi));
}

/* Of bits that no home is made of, and never 0. */
static uint8_t tag_of(uint32_t hash)
{
    uint32_t tag = hash >> TAG_SHIFT;
    return (uint8_t)(tag + (tag == 0));
}

/* Of the row: that of its first cell. */
static uint32_t home_of(const struct matchmaker *matchmaker, uint32_t hash)
{
    return hash * ROW_CELLS & matchmaker->cell_mask;
}

static uint32_t next_row(const struct matchmaker *matchmaker, uint32_t row)
{
    return (row + ROW_CELLS) & matchmaker->cell_mask;
}

/* All eight tags of a row are compared at once: a loop that ends at the first free cell would be
 * mispredicted about once a row, and that costs more than all the rest of a search. */
static bool row_has(const struct matchmaker *matchmaker, uint32_t row, uint8_t tag)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t tags;
    memcpy(&tags, &matchmaker->tags[row], sizeof tags);
    tags ^= ones * tag;
    return ((tags - ones) & ~tags & ones << 7) != 0; /* A byte of it is zero. */
}

/* Requires: the row has one. */
static uint32_t free_cell(const struct matchmaker *matchmaker, uint32_t row)
{
    while (matchmaker->tags[row] != 0) row++;
    return row;
}

static struct ticket_cell cell_of(const struct matchmaker *matchmaker, const struct ticket *ticket)
{
    uint32_t slot = pool_handle_of(&matchmaker->tickets, ticket).slot;
    return (struct ticket_cell){
        .rating_centi = ticket->rating_centi,
        .group = group_of(ticket->category, ticket->step) & GROUP_MASK,
        .ticket = slot & TICKET_MASK,
    };
}

/* Of what a search may look at, and of the seeker's own row first: to write there to a line that is
 * not in the cache holds up all that is written after it, a third of what a join costs. */
static void prefetch_cells(const struct matchmaker *matchmaker, uint32_t row)
{
    __builtin_prefetch(&matchmaker->cells[row]);
}

static void insert_cell(struct matchmaker *matchmaker, struct ticket_cell cell)
{
    uint32_t hash = hash_cell(cell);
    uint32_t row = home_of(matchmaker, hash);
    while (!row_has(matchmaker, row, 0)) row = next_row(matchmaker, row);
    uint32_t at = free_cell(matchmaker, row);
    matchmaker->cells[at] = cell;
    matchmaker->tags[at] = tag_of(hash);
    matchmaker->group_counts[cell.group]++;
}

static uint32_t find_cell(const struct matchmaker *matchmaker, struct ticket_cell cell)
{
    uint32_t at = home_of(matchmaker, hash_cell(cell));
    /* What is left of a ticket that was here has no tag. */
    while (matchmaker->tags[at] == 0 || matchmaker->cells[at].ticket != cell.ticket)
        at = (at + 1) & matchmaker->cell_mask;
    return at;
}

/* A ticket of a later row that would be in this one, had it had room; cell_none: there is none. */
static uint32_t find_overflow(const struct matchmaker *matchmaker, uint32_t row)
{
    uint32_t mask = matchmaker->cell_mask;
    for (uint32_t later = next_row(matchmaker, row);; later = next_row(matchmaker, later)) {
        for (uint32_t at = later; at < later + ROW_CELLS; at++) {
            if (matchmaker->tags[at] == 0) continue;
            uint32_t home = home_of(matchmaker, hash_cell(matchmaker->cells[at]));
            if (((later - home) & mask) >= ((later - row) & mask)) return at;
        }
        if (row_has(matchmaker, later, 0)) return cell_none;
    }
}

/* No mark is left where a ticket was, so a table that is used for months stays as fast as a new
 * one: what went on to a later row for want of room comes up. */
static void remove_cell(struct matchmaker *matchmaker, struct ticket_cell cell)
{
    QR_ASSERT(matchmaker->group_counts[cell.group] > 0);
    matchmaker->group_counts[cell.group]--;
    uint32_t hole = find_cell(matchmaker, cell);
    uint32_t row = hole / ROW_CELLS * ROW_CELLS;
    while (!row_has(matchmaker, row, 0)) {
        uint32_t from = find_overflow(matchmaker, row);
        if (from == cell_none) break;
        matchmaker->cells[hole] = matchmaker->cells[from];
        matchmaker->tags[hole] = matchmaker->tags[from];
        hole = from;
        row = hole / ROW_CELLS * ROW_CELLS;
    }
    matchmaker->tags[hole] = 0;
}

static void insert_ticket(struct matchmaker *matchmaker, struct ticket *ticket)
{
    insert_cell(matchmaker, cell_of(matchmaker, ticket));
    ticket->state = TICKET_WAITING;
    if (ticket->step == LAST_STEP) return;
    uint8_t next = (uint8_t)(ticket->step + 1);
    mono_time at = mono_after(ticket->since, matchmaker_steps[next].begins_ms);
    wheel_arm(matchmaker->wheel, &ticket->timer, at, next);
}

static void take_out_ticket(struct matchmaker *matchmaker, struct ticket *ticket)
{
    remove_cell(matchmaker, cell_of(matchmaker, ticket));
    wheel_disarm(matchmaker->wheel, &ticket->timer);
}

/* Out of wherever its state has it. The caller gives it the next one, or releases it. */
static void leave_state(struct matchmaker *matchmaker, struct ticket *ticket)
{
    if (ticket->state == TICKET_WAITING) take_out_ticket(matchmaker, ticket);
    if (ticket->state != TICKET_AWAY) return;
    QR_ASSERT(matchmaker->away > 0);
    matchmaker->away--;
}

/* --- The search. --- */

struct partner {
    struct ticket *ticket; /* NULL: none yet. */
    int32_t distance;
};

/* Saturates, so that the window of the last step holds every distance there is. */
static int32_t distance_between(int32_t a, int32_t b)
{
    int64_t distance = (int64_t)a - b;
    if (distance < 0) distance = -distance;
    return distance > INT32_MAX ? INT32_MAX : (int32_t)distance;
}

static void consider(struct partner *best, const struct ticket *seeker, struct ticket *ticket,
                     int32_t distance)
{
    if (id_equal(&ticket->player, &seeker->player)) return;
    if (best->ticket != NULL) {
        if (distance > best->distance) return;
        if (distance == best->distance && compare_wait(ticket, best->ticket) > 0) return;
    }
    *best = (struct partner){ticket, distance};
}

static int32_t clamp_rating(int64_t rating_centi)
{
    if (rating_centi < INT32_MIN) return INT32_MIN;
    return rating_centi > INT32_MAX ? INT32_MAX : (int32_t)rating_centi;
}

/* What a seeker looks for. */
struct search {
    const struct ticket *seeker;
    unsigned group;
    int32_t window_centi;
    struct partner best;
};

static void consider_row(const struct matchmaker *matchmaker, struct search *search, uint32_t row,
                         uint8_t tag)
{
    for (uint32_t at = row; at < row + ROW_CELLS; at++) {
        if (matchmaker->tags[at] != tag) continue;
        struct ticket_cell cell = matchmaker->cells[at];
        if (cell.group != search->group) continue;
        int32_t distance = distance_between(cell.rating_centi, search->seeker->rating_centi);
        if (distance > search->window_centi) continue;
        consider(&search->best, search->seeker, pool_at(&matchmaker->tickets, cell.ticket),
                 distance);
    }
}

static void consider_stretch(struct matchmaker *matchmaker, struct search *search, uint32_t stretch)
{
    uint32_t hash = hash_stretch(search->group, stretch);
    uint8_t tag = tag_of(hash);
    uint32_t row = home_of(matchmaker, hash);
    prefetch_cells(matchmaker, row);
    for (;; row = next_row(matchmaker, row)) {
        matchmaker->rows_seen++;
        if (row_has(matchmaker, row, tag)) consider_row(matchmaker, search, row, tag);
        if (row_has(matchmaker, row, 0)) return;
    }
}

static void consider_step(struct matchmaker *matchmaker, struct search *search, unsigned step)
{
    const struct ticket *seeker = search->seeker;
    /* The smaller window is that of the lower step. */
    int32_t window = matchmaker_steps[step < seeker->step ? step : seeker->step].window_centi;
    search->window_centi = window;
    uint32_t first = stretch_of(step, clamp_rating((int64_t)seeker->rating_centi - window));
    uint32_t last = stretch_of(step, clamp_rating((int64_t)seeker->rating_centi + window));
    for (uint32_t stretch = first; stretch <= last; stretch++)
        consider_stretch(matchmaker, search, stretch);
}

static void consider_category(struct matchmaker *matchmaker, struct search *search,
                              uint8_t category)
{
    for (unsigned step = 0; step < MATCHMAKER_STEPS; step++) {
        search->group = group_of(category, step);
        if (matchmaker->group_counts[search->group] > 0) consider_step(matchmaker, search, step);
    }
}

static struct ticket *find_partner(struct matchmaker *matchmaker, const struct ticket *seeker)
{
    struct search search = {.seeker = seeker};
    prefetch_cells(matchmaker, home_of(matchmaker, hash_cell(cell_of(matchmaker, seeker))));
    consider_category(matchmaker, &search, QUESTION_CATEGORY_ANY);
    if (seeker->category != QUESTION_CATEGORY_ANY) {
        consider_category(matchmaker, &search, seeker->category);
        return search.best.ticket;
    }
    for (uint8_t category = 0; category < CATEGORIES_MAX; category++)
        consider_category(matchmaker, &search, category);
    return search.best.ticket;
}

/* Lets a ticket that has left its state enter the step of its age: with a partner it is offered,
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
    partner->state = TICKET_OFFERED;
    ticket->state = TICKET_OFFERED;
    bool is_longer = compare_wait(ticket, partner) < 0;
    ret_pair->tickets[0] = pool_handle_of(&matchmaker->tickets, is_longer ? ticket : partner);
    ret_pair->tickets[1] = pool_handle_of(&matchmaker->tickets, is_longer ? partner : ticket);
    return true;
}

/* --- Life. --- */

uint32_t matchmaker_cells_for(uint32_t capacity)
{
    QR_ASSERT(capacity <= MATCHMAKER_CAPACITY_MAX);
    uint32_t cells = CELLS_MIN;
    while (cells / 2 < capacity) cells *= 2;
    return cells;
}

void matchmaker_init(struct matchmaker *matchmaker, const struct matchmaker_memory *memory,
                     struct wheel *wheel, uint16_t timer_kind)
{
    uint32_t away_bound = memory->capacity / CAPACITY_PER_AWAY;
    *matchmaker = (struct matchmaker){
        .cells = memory->cells,
        .tags = memory->tags,
        .cell_mask = matchmaker_cells_for(memory->capacity) - 1,
        .wheel = wheel,
        .timer_kind = timer_kind,
        .away_bound = away_bound > 0 ? away_bound : 1,
    };
    pool_init(&matchmaker->tickets, memory->items, memory->slots, sizeof *memory->items,
              memory->capacity);
}

/* A ticket that is in no tree yet; NULL where the pool is full. */
static struct ticket *new_ticket(struct matchmaker *matchmaker,
                                 const struct ticket_request *request, mono_time now,
                                 struct handle *ret_ticket)
{
    QR_ASSERT(request->category == QUESTION_CATEGORY_ANY || request->category < CATEGORIES_MAX);
    *ret_ticket = HANDLE_NONE;
    struct ticket *ticket = pool_acquire(&matchmaker->tickets, ret_ticket);
    if (ticket == NULL) return NULL;
    ticket->player = request->player;
    ticket->owner = request->owner;
    ticket->since.ms = now.ms > request->waited_ms ? now.ms - request->waited_ms : 0;
    ticket->order = matchmaker->next_order++;
    ticket->rating_centi = request->rating_centi;
    ticket->category = request->category;
    wheel_timer_init(&ticket->timer, *ret_ticket, matchmaker->timer_kind);
    matchmaker->waiting++;
    return ticket;
}

bool matchmaker_join(struct matchmaker *matchmaker, const struct ticket_request *request,
                     mono_time now, struct handle *ret_ticket, struct matchmaker_pair *ret_pair)
{
    struct ticket *ticket = new_ticket(matchmaker, request, now, ret_ticket);
    return ticket != NULL && enter_step(matchmaker, ticket, now, ret_pair);
}

struct handle matchmaker_hold(struct matchmaker *matchmaker, const struct ticket_request *request,
                              mono_time now)
{
    struct handle handle;
    struct ticket *ticket = new_ticket(matchmaker, request, now, &handle);
    if (ticket != NULL) ticket->state = TICKET_OFFERED;
    return handle;
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

bool matchmaker_set_away(struct matchmaker *matchmaker, struct handle handle)
{
    struct ticket *ticket = matchmaker_find(matchmaker, handle);
    if (ticket == NULL) return false;
    if (ticket->state == TICKET_AWAY) return true;
    if (matchmaker->away >= matchmaker->away_bound) return false;
    leave_state(matchmaker, ticket);
    ticket->state = TICKET_AWAY;
    matchmaker->away++;
    return true;
}

bool matchmaker_set_back(struct matchmaker *matchmaker, struct handle handle,
                         const struct ticket_owner *owner, mono_time now,
                         struct matchmaker_pair *ret_pair)
{
    struct ticket *ticket = matchmaker_find(matchmaker, handle);
    if (ticket == NULL) return false;
    leave_state(matchmaker, ticket);
    ticket->owner = *owner;
    return enter_step(matchmaker, ticket, now, ret_pair);
}

void matchmaker_remove(struct matchmaker *matchmaker, struct handle handle)
{
    struct ticket *ticket = matchmaker_find(matchmaker, handle);
    if (ticket == NULL) return;
    leave_state(matchmaker, ticket);
    pool_release(&matchmaker->tickets, handle);
    matchmaker->waiting--;
}

struct ticket *matchmaker_find(struct matchmaker *matchmaker, struct handle handle)
{
    return pool_resolve(&matchmaker->tickets, handle);
}
