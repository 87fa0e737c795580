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
 * the table is matchmaker_steps in matchmaker.c). A ticket stands in one tree, ordered by rating,
 * per (step, category). Entering a step it looks up its nearest in every tree it is compatible
 * with, at a distance of at most the smaller window, and is offered with the nearest of all (the
 * longer wait decides between equals). So two compatible tickets never both wait once both have
 * reached the step that spans their distance: the later of the two to enter it finds the other, or
 * one nearer. O(steps * categories * log n) a step, and at most MATCHMAKER_STEPS steps and one
 * timer a ticket.
 *
 * A ticket is WAITING (in a tree, its timer armed unless it has reached the last step) or OFFERED
 * (paired: in no tree, no timer armed, until it comes back with its age or is removed).
 *
 * One owner, one thread; `now` never goes back. Memory: one ticket per player that can be
 * connected.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <bsd/sys/tree.h>

#include "base/assert.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/pool.h"
#include "base/time.h"
#include "base/wheel.h"
#include "core/question.h"

enum { MATCHMAKER_STEPS = 8, MATCHMAKER_TREES = MATCHMAKER_STEPS * (CATEGORIES_MAX + 1) };

enum ticket_state { TICKET_WAITING, TICKET_OFFERED };

/* What a ticket's owner needs back: which player's session on which shard. Opaque here. */
struct ticket_owner {
    struct handle session;
    uint32_t ticket_no; /* The session's count of joins: an old offer is recognised by it. */
    uint16_t shard;
};

struct ticket {
    RB_ENTRY(ticket) node;
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

RB_HEAD(ticket_tree, ticket);

struct matchmaker {
    struct pool tickets;
    struct ticket_tree trees[MATCHMAKER_STEPS][CATEGORIES_MAX + 1]; /* The last one: open. */
    /* Tickets in all of a category's trees: an empty category costs nothing. */
    uint32_t tree_counts[CATEGORIES_MAX + 1];
    struct wheel *wheel; /* Borrows for as long as it lives: arms the tickets' timers in it. */
    uint16_t timer_kind;
    uint64_t next_order;
    uint32_t waiting; /* Tickets WAITING or OFFERED. */
};

/* A pair that was found: both tickets are now OFFERED. The longer wait comes first. */
struct matchmaker_pair {
    struct handle tickets[2];
};

/* Requires: `items` and `slots` as for pool_init with sizeof(struct ticket). Timers are armed in
 * `wheel` with `timer_kind`, the ticket's handle as their owner and the step that begins as their
 * tag. */
void matchmaker_init(struct matchmaker *matchmaker, struct ticket *items, struct pool_slot *slots,
                     uint32_t capacity, struct wheel *wheel, uint16_t timer_kind);

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

/* The ticket's step timer expired. True and the pair where that found a partner. A stale handle and
 * a ticket that is OFFERED are ignored: the timer's event was on its way when that happened. */
bool matchmaker_on_timer(struct matchmaker *matchmaker, struct handle ticket, mono_time now,
                         struct matchmaker_pair *ret_pair);

/* An offered ticket comes back with its age, and tries again at once. A stale handle is ignored.
 * Requires: the ticket is OFFERED. */
bool matchmaker_return(struct matchmaker *matchmaker, struct handle ticket, mono_time now,
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
