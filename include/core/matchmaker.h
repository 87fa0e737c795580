/* The matchmaker: who waits, and who is paired with whom.
 *
 * It knows players by their tickets only: id, rating, mode, category, since when, and a reference
 * that means something to its owner. It sends nothing and reads no clock; its owner (the
 * matchmaking actor on one shard) calls it with `now`, carries out the pairs and arms one timer a
 * ticket.
 *
 * Compatible are two tickets of one mode whose categories are equal or one of them open, and whose
 * ratings differ by at most the smaller of both windows. The window depends on the time waited
 * alone, in steps:
 *
 *     waited     0 s   2 s   4 s   7 s   11 s   16 s   22 s   30 s
 *     window     100   150   225   340    500    750   1100   any
 *
 * (each about one and a half times the one before: an equal at once, anybody within half a minute;
 * the table is matchmaker_steps in matchmaker.c). Entering a step a ticket looks up everybody it is
 * compatible with, at a distance of at most the smaller window, and is offered with the nearest of
 * all (the longer wait decides between equals). So two compatible tickets never both wait once both
 * have reached the step that spans their distance: the later of the two to enter it finds the
 * other, or one nearer.
 *
 * Where it looks: the ratings of each (step, category) are cut into stretches as wide as the step's
 * window, and all stretches that hold a ticket are in one hash table. Whoever is within the window
 * is in the own stretch or a neighbour of it. Two players in one stretch would be compatible: it
 * holds one player's tickets. So a try looks at up to three stretches per (step, category) that
 * is not empty, however many wait: expected O(steps * categories), and the tickets of one player
 * (its owner sees to it that they are few). At most MATCHMAKER_STEPS tries and one timer a ticket.
 *
 * A ticket is in one of three states until it is removed, from whichever of them:
 *
 *     WAITING   in the table; its timer armed, unless it has reached the last step
 *     OFFERED   paired: not in the table, no timer armed
 *     AWAY      its player is lost: not in the table, no timer armed, never in a pair
 *
 *     join -> WAITING <-> OFFERED     a pair is found; the ticket returns
 *             WAITING, OFFERED -> AWAY
 *             AWAY -> WAITING or OFFERED     its player is back
 *
 * It keeps its age in all of them. How long a player may be away its owner decides, who removes the
 * ticket; how many may be, the matchmaker: an eighth of its capacity, so that connections that are
 * opened, queued and dropped in turn cannot fill the queue with absent players.
 *
 * One owner, one thread; `now` never goes back. Memory: one ticket per player that can be
 * connected, and two to four cells of the table for each.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/pool.h"
#include "base/time.h"
#include "base/wheel.h"
#include "core/question.h"

enum {
    MATCHMAKER_STEPS = 8,
    MATCHMAKER_GROUPS = MATCHMAKER_STEPS * (CATEGORIES_MAX + 1), /* The last category: open. */
    MATCHMAKER_CAPACITY_MAX = (1 << 23) - 1,
};

enum ticket_state { TICKET_WAITING, TICKET_OFFERED, TICKET_AWAY };

/* What a ticket's owner needs back: which player's session on which shard. Opaque here. */
struct ticket_owner {
    struct handle session;
    uint32_t ticket_no; /* The session's count of joins: an old offer is recognised by it. */
    uint16_t shard;
};

struct ticket {
    struct id player;
    struct ticket_owner owner;
    mono_time since; /* When its wait began: kept when it comes back. */
    uint64_t order;  /* Counts the joins: of one millisecond the earlier has the longer wait. */
    int32_t rating_centi;
    uint8_t category; /* Or QUESTION_CATEGORY_ANY. */
    uint8_t step;
    uint8_t state;            /* enum ticket_state. */
    struct wheel_timer timer; /* For the next step; the owner's wheel. */
};

/* Of the hash table of those who wait: what a search asks of most of those it meets, so that it
 * need not look at their tickets. */
struct ticket_cell {
    int32_t rating_centi;
    uint32_t group : 9; /* Its category and step. */
    uint32_t ticket : 23;
};

/* All of it zero, and outliving the matchmaker. */
struct matchmaker_memory {
    struct ticket *items;
    struct pool_slot *slots;
    struct ticket_cell *cells; /* matchmaker_cells_for(capacity) many, */
    uint8_t *tags;             /* and of these too. */
    uint32_t capacity;         /* Tickets: of items and slots. */
};

struct matchmaker {
    struct pool tickets;
    struct ticket_cell *cells;
    /* Beside each cell eight bits of its hash, or 0: free. A hundred thousand of them stay in a
     * core's cache, which is what keeps a try in a long queue from waiting for memory. */
    uint8_t *tags;
    uint32_t cell_mask;
    /* Tickets in the table, so that a group that is empty costs nothing. */
    uint32_t group_counts[MATCHMAKER_GROUPS];
    uint64_t rows_seen;  /* Of the table, by all searches so far: what a try costs, but for the
                            machine. */
    struct wheel *wheel; /* Borrows for as long as it lives: arms the tickets' timers in it. */
    uint16_t timer_kind;
    uint64_t next_order;
    uint32_t waiting;    /* Tickets, in whatever state. */
    uint32_t away;       /* Those of them that are AWAY, */
    uint32_t away_bound; /* and how many may be: an eighth of the capacity, but at least one. */
};

/* A pair that was found: both tickets are now OFFERED. The longer wait comes first. */
struct matchmaker_pair {
    struct handle tickets[2];
};

/* The number of cells for a capacity: a power of two, so many that at most half are ever used.
 * Requires: capacity <= MATCHMAKER_CAPACITY_MAX. */
uint32_t matchmaker_cells_for(uint32_t capacity);

/* Timers are armed in `wheel` with `timer_kind`, the ticket's handle as their owner and the step
 * that begins as their tag. */
void matchmaker_init(struct matchmaker *matchmaker, const struct matchmaker_memory *memory,
                     struct wheel *wheel, uint16_t timer_kind);

struct ticket_request {
    struct id player;
    struct ticket_owner owner;
    int32_t rating_centi;
    uint8_t category; /* Or QUESTION_CATEGORY_ANY. */
    /* What a cancelled match gives back (docs/protocol.md, Coming and going); otherwise 0. */
    uint64_t waited_ms;
};

/* A new ticket, and the first try at once: true and the pair where a partner waited. HANDLE_NONE
 * where the pool is full. Two tickets of one player are never paired. */
bool matchmaker_join(struct matchmaker *matchmaker, const struct ticket_request *request,
                     mono_time now, struct handle *ret_ticket, struct matchmaker_pair *ret_pair);

/* A ticket that is in no tree and is never paired here: its owner pairs it (a rematch). It counts as OFFERED.
 * HANDLE_NONE where the pool is full. */
struct handle matchmaker_hold(struct matchmaker *matchmaker, const struct ticket_request *request,
                              mono_time now);

/* The ticket's step timer expired. True and the pair where that found a partner. A stale handle and
 * a ticket that does not wait are ignored: the timer's event was on its way when that happened. */
bool matchmaker_on_timer(struct matchmaker *matchmaker, struct handle ticket, mono_time now,
                         struct matchmaker_pair *ret_pair);

/* An offered ticket comes back with its age, and tries again at once. A stale handle is ignored.
 * Requires: the ticket is OFFERED. */
bool matchmaker_return(struct matchmaker *matchmaker, struct handle ticket, mono_time now,
                       struct matchmaker_pair *ret_pair);

/* The ticket's player is lost: it keeps its age, and is in no pair until it is back. An offer that
 * it stands in is its owner's to call off. True as well where it is AWAY already. False where as
 * many are away as may be, which changes nothing: its owner removes it; and for a stale handle. */
QR_MUST_USE bool matchmaker_set_away(struct matchmaker *matchmaker, struct handle ticket);

/* The ticket's player is there, on another connection maybe: `owner` is where from now on. Whatever
 * state it was in, it tries at once, with all of its age: true and the pair where that found a
 * partner. (So one that was OFFERED returns.) A stale handle is ignored. */
bool matchmaker_set_back(struct matchmaker *matchmaker, struct handle ticket,
                         const struct ticket_owner *owner, mono_time now,
                         struct matchmaker_pair *ret_pair);

/* Out of the queue, in whatever state: left, gone, or seated. A stale handle is ignored. */
void matchmaker_remove(struct matchmaker *matchmaker, struct handle ticket);

/* NULL where the ticket is gone. */
struct ticket *matchmaker_find(struct matchmaker *matchmaker, struct handle ticket);

/* The rating distance, in hundredths, accepted after so long a wait; INT32_MAX: any. */
int32_t matchmaker_window(uint64_t waited_ms);

/* The step reached after so long a wait, and the wait at which a step begins. */
uint8_t matchmaker_step_at(uint64_t waited_ms);
uint64_t matchmaker_step_begins_ms(uint8_t step);
