/* The matchmaker against a naive model of itself: a list of tickets that is searched whole, and the
 * promises that its header makes. Arrivals, leaves, returns, absences and the passing of time are
 * random; a failure prints its seed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/prng.h"
#include "core/matchmaker.h"

enum {
    SEEDS = 60,
    DEEDS = 600,
    CAPACITY = 48,
    AWAY_BOUND = CAPACITY / 8,
    CELLS = 128,
    PLAYERS = 40, /* Fewer than tickets, so that some players have more than one. */
    CATEGORIES = 3,
    TIMER_KIND = 1,
};

/* What the model knows of a ticket. */
struct expected {
    bool is_live;
    enum ticket_state state;
    struct handle handle;
    uint8_t player;
    uint16_t shard; /* Of its owner: another one after each absence. */
    uint8_t category;
    uint8_t step;
    int32_t rating_centi;
    uint64_t since_ms;
    uint64_t order;
};

struct world {
    uint64_t seed;
    unsigned deed;
    struct prng prng;
    mono_time now;
    struct wheel wheel;
    struct matchmaker matchmaker;
    struct ticket items[CAPACITY];
    struct pool_slot slots[CAPACITY];
    struct ticket_cell cells[CELLS];
    uint8_t tags[CELLS];
    struct expected expected[CAPACITY]; /* By the handle's slot. */
    uint64_t joins;
    unsigned pairs;
    unsigned backs;
    unsigned refused_aways;
};

/* The table of core/matchmaker.h once more. */
static const struct {
    uint64_t begins_ms;
    int32_t window_centi;
} steps[] = {
    {0, 10000},     {2000, 15000},  {4000, 22500},   {7000, 34000},
    {11000, 50000}, {16000, 75000}, {22000, 110000}, {30000, INT32_MAX},
};

static void claim(const struct world *world, bool holds, const char *what)
{
    if (!holds) fail_msg("seed %u, deed %u: %s", (unsigned)world->seed, world->deed, what);
}

/* --- The model. --- */

static uint8_t model_step(const struct world *world, const struct expected *ticket)
{
    uint8_t step = 0;
    while (step + 1 < MATCHMAKER_STEPS &&
           world->now.ms - ticket->since_ms >= steps[step + 1].begins_ms)
        step++;
    return step;
}

static int32_t model_distance(const struct expected *a, const struct expected *b)
{
    return abs(a->rating_centi - b->rating_centi);
}

static bool model_is_compatible(const struct expected *a, const struct expected *b)
{
    if (a->player == b->player) return false;
    if (a->category != b->category && a->category != QUESTION_CATEGORY_ANY &&
        b->category != QUESTION_CATEGORY_ANY)
        return false;
    int32_t distance = model_distance(a, b);
    return distance <= steps[a->step].window_centi && distance <= steps[b->step].window_centi;
}

static bool model_waits_longer(const struct expected *a, const struct expected *b)
{
    return a->since_ms < b->since_ms || (a->since_ms == b->since_ms && a->order < b->order);
}

static bool model_waits(const struct expected *ticket)
{
    return ticket->is_live && ticket->state == TICKET_WAITING;
}

static struct expected *model_partner(struct world *world, const struct expected *seeker)
{
    struct expected *best = NULL;
    for (unsigned i = 0; i < CAPACITY; i++) {
        struct expected *other = &world->expected[i];
        if (other == seeker || !model_waits(other)) continue;
        if (!model_is_compatible(seeker, other)) continue;
        if (best != NULL) {
            int32_t nearer = model_distance(seeker, other) - model_distance(seeker, best);
            if (nearer > 0 || (nearer == 0 && model_waits_longer(best, other))) continue;
        }
        best = other;
    }
    return best;
}

/* The seeker entered a step: the matchmaker found the model's partner, and nobody where the model
 * finds nobody. */
static void expect_entered(struct world *world, struct expected *seeker, bool was_paired,
                           const struct matchmaker_pair *pair)
{
    seeker->step = model_step(world, seeker);
    struct expected *partner = model_partner(world, seeker);
    claim(world, was_paired == (partner != NULL),
          "a pair where the model finds one, and only there");
    seeker->state = was_paired ? TICKET_OFFERED : TICKET_WAITING;
    if (!was_paired) return;
    partner->state = TICKET_OFFERED;
    world->pairs++;
    const struct expected *first = model_waits_longer(seeker, partner) ? seeker : partner;
    const struct expected *second = first == seeker ? partner : seeker;
    claim(world, handle_equal(pair->tickets[0], first->handle), "the nearest, longer wait first");
    claim(world, handle_equal(pair->tickets[1], second->handle), "the nearest, shorter wait last");
}

/* --- The promises. --- */

static void no_two_compatible_tickets_wait(const struct world *world)
{
    for (unsigned a = 0; a < CAPACITY; a++)
        for (unsigned b = a + 1; b < CAPACITY; b++) {
            const struct expected *first = &world->expected[a];
            const struct expected *second = &world->expected[b];
            if (!model_waits(first) || !model_waits(second)) continue;
            claim(world, !model_is_compatible(first, second), "no two compatible tickets wait");
        }
}

static void every_ticket_is_what_the_model_knows(struct world *world)
{
    for (unsigned i = 0; i < CAPACITY; i++) {
        const struct expected *expected = &world->expected[i];
        const struct ticket *ticket = matchmaker_find(&world->matchmaker, expected->handle);
        claim(world, (ticket != NULL) == expected->is_live, "a ticket lives until it is removed");
        if (ticket == NULL) continue;
        bool is_waiting = expected->state == TICKET_WAITING;
        claim(world, ticket->state == expected->state, "the state is the model's");
        claim(world, ticket->owner.shard == expected->shard, "the owner is the last to be back");
        claim(world, ticket->since.ms == expected->since_ms, "the age is kept");
        claim(world, !is_waiting || ticket->step == expected->step, "the step is the model's");
        bool is_armed = is_waiting && expected->step < MATCHMAKER_STEPS - 1;
        claim(world, wheel_is_armed(&ticket->timer) == is_armed,
              "a timer until the last step, and while waiting only");
        if (!is_armed) continue;
        claim(world, ticket->timer.tag == expected->step + 1, "the timer names the next step");
        claim(world,
              ticket->timer.at.ms == expected->since_ms + steps[expected->step + 1].begins_ms,
              "the timer is for the next step's begin");
    }
}

static void the_counts_are_right(const struct world *world)
{
    uint32_t live = 0;
    uint32_t armed = 0;
    uint32_t away = 0;
    uint32_t counts[MATCHMAKER_GROUPS] = {0};
    for (unsigned i = 0; i < CAPACITY; i++) {
        const struct expected *expected = &world->expected[i];
        live += expected->is_live;
        away += expected->is_live && expected->state == TICKET_AWAY;
        if (!model_waits(expected)) continue;
        armed += expected->step < MATCHMAKER_STEPS - 1;
        bool is_open = expected->category == QUESTION_CATEGORY_ANY;
        unsigned category = is_open ? CATEGORIES_MAX : expected->category;
        counts[category * MATCHMAKER_STEPS + expected->step]++;
    }
    claim(world, world->matchmaker.waiting == live, "waiting counts those in the queue");
    claim(world, world->matchmaker.away == away, "away counts those who are away");
    claim(world, away <= AWAY_BOUND, "no more are away than may be");
    claim(world, world->matchmaker.tickets.used == live, "a slot per ticket");
    claim(world, world->wheel.count == armed, "no timer but the tickets'");
    assert_memory_equal(world->matchmaker.group_counts, counts, sizeof counts);
}

static void check_promises(struct world *world)
{
    no_two_compatible_tickets_wait(world);
    every_ticket_is_what_the_model_knows(world);
    the_counts_are_right(world);
}

/* --- What happens. --- */

static uint32_t roll(struct world *world, uint32_t bound)
{
    return prng_below(&world->prng, bound);
}

/* Few different ratings, near and far, so that equals, equal distances and every window occur. */
static int32_t roll_rating(struct world *world)
{
    static const int32_t spreads[] = {3, 20, 300};
    int32_t spread = spreads[roll(world, 3)];
    return 150000 + 1000 * ((int32_t)roll(world, (uint32_t)(2 * spread + 1)) - spread);
}

static void deed_join(struct world *world)
{
    struct expected joining = {
        .is_live = true,
        .player = (uint8_t)(1 + roll(world, PLAYERS)),
        .category = (uint8_t)roll(world, CATEGORIES),
        .rating_centi = roll_rating(world),
        .order = world->joins,
    };
    if (roll(world, 3) == 0) joining.category = QUESTION_CATEGORY_ANY;
    struct ticket_request request = {
        .player = {{joining.player}},
        .rating_centi = joining.rating_centi,
        .category = joining.category,
        .waited_ms = roll(world, 8) == 0 ? roll(world, 40000) : 0,
    };
    joining.since_ms = world->now.ms - request.waited_ms;
    bool is_full = world->matchmaker.tickets.used == CAPACITY;
    struct matchmaker_pair pair;
    bool was_paired =
        matchmaker_join(&world->matchmaker, &request, world->now, &joining.handle, &pair);
    claim(world, handle_is_none(joining.handle) == is_full, "a ticket while there is room");
    if (is_full) {
        claim(world, !was_paired, "no pair without a ticket");
        return;
    }
    world->joins++;
    world->expected[joining.handle.slot] = joining;
    expect_entered(world, &world->expected[joining.handle.slot], was_paired, &pair);
}

static void deed_remove(struct world *world)
{
    struct expected *expected = &world->expected[roll(world, CAPACITY)];
    matchmaker_remove(&world->matchmaker, expected->handle); /* It may be stale. */
    expected->is_live = false;
}

static void deed_return(struct world *world)
{
    struct expected *expected = &world->expected[roll(world, CAPACITY)];
    if (!expected->is_live || expected->state != TICKET_OFFERED) return;
    struct matchmaker_pair pair;
    bool was_paired = matchmaker_return(&world->matchmaker, expected->handle, world->now, &pair);
    expect_entered(world, expected, was_paired, &pair);
}

static void deed_lose(struct world *world)
{
    struct expected *expected = &world->expected[roll(world, CAPACITY)];
    bool has_room = world->matchmaker.away < AWAY_BOUND;
    bool may = expected->is_live && (has_room || expected->state == TICKET_AWAY);
    claim(world, matchmaker_set_away(&world->matchmaker, expected->handle) == may,
          "away while there is room, and only who is there");
    if (may) expected->state = TICKET_AWAY;
    world->refused_aways += expected->is_live && !may;
}

static void deed_come_back(struct world *world)
{
    struct expected *expected = &world->expected[roll(world, CAPACITY)];
    struct ticket_owner owner = {.shard = (uint16_t)(expected->shard + 1)};
    struct matchmaker_pair pair;
    bool was_paired =
        matchmaker_set_back(&world->matchmaker, expected->handle, &owner, world->now, &pair);
    if (!expected->is_live) {
        claim(world, !was_paired, "no pair without a ticket");
        return;
    }
    world->backs += expected->state == TICKET_AWAY;
    expected->shard++;
    expect_entered(world, expected, was_paired, &pair);
}

static void deed_wait(struct world *world, uint64_t ms)
{
    world->now = mono_after(world->now, ms);
    for (struct wheel_timer *timer; (timer = wheel_expire(&world->wheel, world->now)) != NULL;) {
        struct expected *expected = &world->expected[timer->owner.slot];
        claim(world, handle_equal(timer->owner, expected->handle), "a timer of a live ticket");
        struct matchmaker_pair pair;
        bool was_paired =
            matchmaker_on_timer(&world->matchmaker, expected->handle, world->now, &pair);
        expect_entered(world, expected, was_paired, &pair);
    }
}

static void do_deed(struct world *world)
{
    uint32_t deed = roll(world, 100);
    if (deed < 40)
        deed_join(world);
    else if (deed < 50)
        deed_remove(world);
    else if (deed < 70)
        deed_return(world);
    else if (deed < 76)
        deed_lose(world);
    else if (deed < 82)
        deed_come_back(world);
    else if (deed < 99)
        deed_wait(world, roll(world, 900));
    else
        deed_wait(world, roll(world, 30000)); /* A loop that was held up: steps are jumped. */
}

static void remove_all(struct world *world)
{
    for (unsigned i = 0; i < CAPACITY; i++) {
        matchmaker_remove(&world->matchmaker, world->expected[i].handle);
        world->expected[i].is_live = false;
    }
    check_promises(world);
    assert_int_equal(world->wheel.count, 0);
    assert_int_equal(world->matchmaker.tickets.used, 0);
    assert_int_equal(world->matchmaker.waiting, 0);
    for (unsigned i = 0; i < CELLS; i++) assert_int_equal(world->tags[i], 0);
}

/* How often what is tested happened. */
struct tally {
    unsigned pairs;
    unsigned backs;
    unsigned refused_aways;
};

static void run_seed(uint64_t seed, struct tally *tally)
{
    static struct world world;
    world = (struct world){.seed = seed, .now = {1000000}};
    prng_init(&world.prng, &(struct siphash_key){{seed, 0x3a7c}});
    wheel_init(&world.wheel, world.now);
    assert_int_equal(matchmaker_cells_for(CAPACITY), CELLS);
    struct matchmaker_memory memory = {world.items, world.slots, world.cells, world.tags, CAPACITY};
    matchmaker_init(&world.matchmaker, &memory, &world.wheel, TIMER_KIND);
    for (world.deed = 0; world.deed < DEEDS; world.deed++) {
        do_deed(&world);
        check_promises(&world);
    }
    remove_all(&world);
    tally->pairs += world.pairs;
    tally->backs += world.backs;
    tally->refused_aways += world.refused_aways;
}

static void whatever_happens_the_promises_hold_and_the_nearest_is_found(void **state)
{
    (void)state;
    struct tally tally = {0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) run_seed(seed, &tally);
    /* Otherwise nothing was tested. */
    assert_true(tally.pairs > SEEDS * DEEDS / 10);
    assert_true(tally.backs > SEEDS);
    assert_true(tally.refused_aways > SEEDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_the_promises_hold_and_the_nearest_is_found),
    };
    return cmocka_run_group_tests_name("matchmaker_model", tests, NULL, NULL);
}
