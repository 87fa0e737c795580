/* A matchmaker with its wheel and its clock, and the words in which its tests speak. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/matchmaker.h"

enum {
    CAPACITY = 8,
    CELLS = 2 * CAPACITY,
    TIMER_KIND = 3,
    START_MS = 1000000,
    POINT = 100, /* Ratings are in hundredths. */
    OPEN = QUESTION_CATEGORY_ANY,
    SCIENCE = 0,
    HISTORY = CATEGORIES_MAX - 1,
    LAST_STEP = MATCHMAKER_STEPS - 1,
};

enum player { ADA = 1, BEN, CLEO };

struct world {
    struct wheel wheel;
    struct matchmaker matchmaker;
    struct ticket items[CAPACITY];
    struct pool_slot slots[CAPACITY];
    struct ticket_cell cells[CELLS];
    uint8_t tags[CELLS];
    mono_time now;
    struct matchmaker_pair pair; /* The last one found. */
    unsigned pair_count;
};

/* One storage for all tests: each begins with a world of its own making. */
static inline struct world *new_world(void)
{
    static struct world world;
    world = (struct world){.now = {START_MS}};
    wheel_init(&world.wheel, world.now);
    assert_int_equal(matchmaker_cells_for(CAPACITY), CELLS);
    struct matchmaker_memory memory = {world.items, world.slots, world.cells, world.tags, CAPACITY};
    matchmaker_init(&world.matchmaker, &memory, &world.wheel, TIMER_KIND);
    return &world;
}

static inline struct ticket_request request_of(enum player player, int32_t points, uint8_t category)
{
    return (struct ticket_request){
        .player = {{(uint8_t)player}},
        .owner = {.session = {(uint32_t)player, 1}, .ticket_no = 7, .shard = 2},
        .rating_centi = points * POINT,
        .category = category,
    };
}

static inline struct handle join_request(struct world *world, const struct ticket_request *request)
{
    struct handle ticket;
    world->pair_count +=
        matchmaker_join(&world->matchmaker, request, world->now, &ticket, &world->pair);
    return ticket;
}

static inline struct handle join_for(struct world *world, enum player player, int32_t points,
                                     uint8_t category)
{
    struct ticket_request request = request_of(player, points, category);
    return join_request(world, &request);
}

static inline struct handle join(struct world *world, enum player player, int32_t points)
{
    return join_for(world, player, points, OPEN);
}

static inline void give_back(struct world *world, struct handle ticket)
{
    world->pair_count += matchmaker_return(&world->matchmaker, ticket, world->now, &world->pair);
}

static inline void leave(struct world *world, struct handle ticket)
{
    matchmaker_remove(&world->matchmaker, ticket);
}

/* False where too many are away. */
static inline bool lose(struct world *world, struct handle ticket)
{
    return matchmaker_set_away(&world->matchmaker, ticket);
}

/* On shard 5. */
static inline void come_back(struct world *world, struct handle ticket)
{
    struct ticket_owner owner = {.session = {9, 1}, .ticket_no = 8, .shard = 5};
    world->pair_count +=
        matchmaker_set_back(&world->matchmaker, ticket, &owner, world->now, &world->pair);
}

/* Millisecond by millisecond as far as the matchmaker can tell: each timer is handed on at its
 * time. */
static inline void run_ms(struct world *world, uint64_t ms)
{
    mono_time end = mono_after(world->now, ms);
    for (mono_time next; wheel_next(&world->wheel, &next) && !mono_is_before(end, next);) {
        world->now = next;
        for (struct wheel_timer *timer; (timer = wheel_expire(&world->wheel, world->now)) != NULL;)
            world->pair_count +=
                matchmaker_on_timer(&world->matchmaker, timer->owner, world->now, &world->pair);
    }
    world->now = end;
}

static inline enum ticket_state state_of(struct world *world, struct handle ticket)
{
    return (enum ticket_state)matchmaker_find(&world->matchmaker, ticket)->state;
}

static inline void assert_waits(struct world *world, struct handle ticket)
{
    assert_int_equal(state_of(world, ticket), TICKET_WAITING);
}

/* The first pair of the test, the longer wait first. */
static inline void assert_paired(struct world *world, struct handle first, struct handle second)
{
    assert_int_equal(world->pair_count, 1);
    assert_true(handle_equal(world->pair.tickets[0], first));
    assert_true(handle_equal(world->pair.tickets[1], second));
    assert_int_equal(state_of(world, first), TICKET_OFFERED);
    assert_int_equal(state_of(world, second), TICKET_OFFERED);
    assert_false(wheel_is_armed(&matchmaker_find(&world->matchmaker, first)->timer));
    assert_false(wheel_is_armed(&matchmaker_find(&world->matchmaker, second)->timer));
}

static inline void assert_timer(struct world *world, struct handle ticket, uint64_t at_ms,
                                unsigned tag)
{
    const struct wheel_timer *timer = &matchmaker_find(&world->matchmaker, ticket)->timer;
    assert_true(wheel_is_armed(timer));
    assert_int_equal(timer->at.ms, at_ms);
    assert_int_equal(timer->tag, tag);
    assert_int_equal(timer->kind, TIMER_KIND);
    assert_true(handle_equal(timer->owner, ticket));
}
