/* Random walks: players who do what they want, are lost and come back on any shard with whatever they
 * have kept, on shards that stall, with a store that fails. The
 * rules that must hold all the time are the referee's (sim_referee.h). On failure the seed is
 * printed, and `test_shard_shard_walk SEED` walks it alone; `SEED SEED tell` with a line per event. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "shard_expect.h"

enum {
    SEEDS = 10,
    STEPS = 400,
    WALKERS = 12,
    MATCHES_ENOUGH = 24, /* Room for all that can have ended within the time that it is kept. */
    DRAINED_STEPS = 60,
    INBOX_FULL = INBOX_MAX / 2,
    MATCH_LONG_MS = START_MS + ROUNDS * (ROUND_TIME_MS + REVEAL_TIME_MS + 300) + GRACE_MS,
};

static uint64_t first_seed = 1;
static uint64_t last_seed = SEEDS;
static uint64_t walking_seed; /* 0: none. */
static bool is_told;

static int print_seed_of_failure(void **state)
{
    (void)state;
    if (walking_seed != 0) print_error("seed %llu\n", (unsigned long long)walking_seed);
    return 0;
}

/* What the seeds have met, so that a walk which never gets anywhere fails. */
struct harvest {
    uint64_t by_reason[MATCH_END_SHUTDOWN + 1];
    uint64_t refusals[REFUSAL_COUNT];
    uint64_t mailboxes_full, slow_readers, dropped, runs, ends, welcomes_back;
};

static struct harvest harvest;

static void gather(struct world *world)
{
    for (unsigned i = 0; i < world->settings.shards; i++) {
        struct shard_stats stats = stats_of(world, i);
        for (unsigned reason = 0; reason <= MATCH_END_SHUTDOWN; reason++) {
            harvest.by_reason[reason] += stats.matches_ended[reason];
        }
        for (unsigned refusal = 0; refusal < REFUSAL_COUNT; refusal++) {
            harvest.refusals[refusal] += stats.refusals[refusal];
        }
        for (unsigned to = 0; to < world->settings.shards; to++) {
            harvest.mailboxes_full += stats.mailbox_refused[to];
        }
        harvest.slow_readers += stats.slow_readers;
        harvest.dropped += stats.droppable_dropped;
    }
    harvest.runs += world->runs;
    harvest.ends += world->referee.ends;
    harvest.welcomes_back += world->referee.welcomes_back;
}

struct walk {
    struct world *world;
    struct prng chance;
    unsigned calm; /* The calmer, the more matches are played to their end. */
};

static unsigned below(struct prng *chance, unsigned bound)
{
    return prng_below(chance, bound);
}

static unsigned current_round(const struct world *world, unsigned client)
{
    return count_said(world, client, "round") > 0
               ? number_in(last_said(world, client, "round"), "round")
               : 1;
}

/* Again with the id of the last request, which may still wait for its answer. */
static void repeat_an_id(struct walk *walk, unsigned client)
{
    struct client *at = &walk->world->clients[client];
    if (at->next_id == 1) return;
    at->next_id--;
    if (below(&walk->chance, 2) > 0) {
        leaves(walk->world, client);
    } else {
        answers(walk->world, client, current_round(walk->world, client), 0);
    }
}

static void say_something_odd(struct walk *walk, unsigned client)
{
    static const char *const odd[] = {"{", "[]", "{\"type\":7}", "{\"type\":\"join\"}",
                                      "{\"type\":\"emote\",\"code\":\"?\"}"};
    switch (below(&walk->chance, 5)) {
    case 0:
        says(walk->world, client, odd[below(&walk->chance, sizeof(odd) / sizeof(odd[0]))]);
        break;
    case 1: asks(walk->world, client, "dance", ""); break;
    case 2: asks(walk->world, client, "answer", "\"round\":1"); break;
    case 3: repeat_an_id(walk, client); break;
    default: asks(walk->world, client, "hello", "\"resume\":\"x\""); break;
    }
}

static void leave_somehow(struct walk *walk, unsigned client)
{
    if (below(&walk->chance, 1 + 8 * walk->calm) > 0) return;
    if (below(&walk->chance, 3) == 0 && count_said(walk->world, client, "match") > 0) {
        leaves_this_match(walk->world, client);
        return;
    }
    leaves(walk->world, client);
}

/* With whatever a client may have kept, or claim to have. */
static void say_hello_somehow(struct walk *walk, unsigned client)
{
    struct world *world = walk->world;
    const struct client *at = &world->clients[client];
    if (at->session_text[0] == '\0' || below(&walk->chance, 12) == 0) {
        greets(world, client);
        return;
    }
    switch (below(&walk->chance, 8)) {
    case 0: shows_its_token(world, client); break;
    case 1: resumes_or_shows_its_token(world, client); break;
    case 2: resumes_after(world, client, 0); break;
    case 3: resumes_after(world, client, below(&walk->chance, at->last_seq + 1)); break;
    case 4: resumes_after(world, client, at->last_seq + below(&walk->chance, 3)); break;
    default: resumes(world, client); break;
    }
}

static void ask_something(struct walk *walk, unsigned client)
{
    static const char *const categories[] = {"art", "film"};
    struct world *world = walk->world;
    struct prng *chance = &walk->chance;
    if (world->clients[client].inbox_count > INBOX_FULL) return;
    switch (below(chance, 19)) {
    case 0: say_hello_somehow(walk, client); break;
    case 1:
    case 2: joins(world, client); break;
    case 3: joins_in(world, client, categories[below(chance, 2)]); break;
    case 4:
    case 5: leave_somehow(walk, client); break;
    case 6: pings(world, client); break;
    case 7: emotes(world, client); break;
    case 8: emotes_without_id(world, client); break;
    case 9: say_something_odd(walk, client); break;
    case 10: answers(world, client, 1 + below(chance, ROUNDS + 1), below(chance, 6)); break;
    case 11:
        if (world->clients[client].last_match[0] != '\0') asks_for_a_rematch(world, client);
        break;
    case 12: joins_the_house(world, client); break;
    default: answers(world, client, current_round(world, client), below(chance, 4)); break;
    }
}

static void come_and_join(struct walk *walk, unsigned client)
{
    struct client *at = &walk->world->clients[client];
    if (below(&walk->chance, 6) == 0) {
        knows_what(walk->world, client, below(&walk->chance, WALKERS)); /* A second tab. */
    }
    at->pong_delay_ms = below(&walk->chance, 300);
    at->rtt_us = below(&walk->chance, 300000);
    comes(walk->world, client, below(&walk->chance, walk->world->settings.shards));
    if (!at->is_connected || below(&walk->chance, 16) == 0) return;
    say_hello_somehow(walk, client);
    if (below(&walk->chance, 2) > 0) joins(walk->world, client);
}

static void do_something(struct walk *walk)
{
    struct world *world = walk->world;
    unsigned client = below(&walk->chance, WALKERS);
    if (!world->clients[client].is_connected) {
        come_and_join(walk, client);
        return;
    }
    switch (below(&walk->chance, 40 + 100 * walk->calm)) {
    case 0:
    case 4: is_lost(world, client); break;
    case 5: falls_silent(world, client); break;
    case 6: is_heard_again(world, client); break;
    case 1: takes_only(world, client, below(&walk->chance, 4)); break;
    case 2:
    case 3: takes_everything(world, client); break;
    case 7:
        for (unsigned i = 0; i < 12; i++) ask_something(walk, client);
        break;
    default: ask_something(walk, client); break;
    }
}

static void break_something(struct walk *walk)
{
    struct world *world = walk->world;
    unsigned shard = below(&walk->chance, world->settings.shards);
    switch (below(&walk->chance, 7)) {
    case 0: stall(world, shard); break;
    case 1:
        stall(world, shard);
        jam(world, below(&walk->chance, world->settings.shards), shard);
        break;
    case 2:
        world->saves.mode = (enum store_mode)below(&walk->chance, STORE_DEAD + 1);
        world->saves.delay_ms = below(&walk->chance, 2500);
        break;
    case 3:
        world->loads.mode = (enum store_mode)below(&walk->chance, STORE_DEAD + 1);
        world->loads.delay_ms = below(&walk->chance, 2500);
        break;
    default:
        world->saves.mode = world->loads.mode = STORE_PROMPT;
        for (unsigned i = 0; i < world->settings.shards; i++) go_on(world, i);
        break;
    }
}

static bool is_empty(const struct world *world)
{
    for (unsigned i = 0; i < world->settings.shards; i++) {
        if (!shard_is_empty(world->shards[i].shard)) return false;
    }
    return true;
}

static struct world *world_of_seed(struct prng *chance, uint64_t seed)
{
    /* In half of them there is no room for what has ended. */
    bool is_narrow = below(chance, 2) == 0;
    struct world *world = world_create(
        (struct world_settings){.shards = 1 + below(chance, 3),
                                .clients = WALKERS,
                                .sessions_max = 4 + below(chance, 4),
                                .matches_max = is_narrow ? 1 + below(chance, 3) : MATCHES_ENOUGH,
                                .mailbox_bytes = 2 * MAILBOX_RECORD_BYTES_MAX,
                                .grace_ms = 1 + below(chance, GRACE_MS),
                                .is_without_grace = below(chance, 12) == 0,
                                .seed = seed});
    if (is_narrow) world->referee.kept_ms = 0;
    return world;
}

/* How long the world goes on by itself now. */
static uint32_t pause_ms(struct walk *walk)
{
    unsigned kind = below(&walk->chance, 64);
    if (kind == 0) return below(&walk->chance, ENDED_KEEP_MS + CALM_MS);
    return below(&walk->chance, kind < 16 ? 1500 : 30);
}

static void walk_on(struct walk *walk, unsigned steps)
{
    for (unsigned step = 0; step < steps; step++) {
        if (below(&walk->chance, 16) == 0) break_something(walk);
        do_something(walk);
        run_ms(walk->world, pause_ms(walk));
    }
}

static void walk_through(uint64_t seed)
{
    struct siphash_key key = {{0x3a1c, seed}};
    struct walk walk;
    prng_init(&walk.chance, &key);
    walk.world = world_of_seed(&walk.chance, seed);
    walk.calm = below(&walk.chance, 3);
    walk.world->is_told = is_told;
    walk_on(&walk, STEPS);
    calm_down(walk.world);
    if (below(&walk.chance, 2) == 0) {
        drain(walk.world);
        walk_on(&walk, below(&walk.chance, DRAINED_STEPS));
        calm_down(walk.world);
        run_ms(walk.world, MATCH_LONG_MS);
        assert_true(is_empty(walk.world));
    }
    gather(walk.world);
    world_close(walk.world);
}

static void the_rules_hold_whatever_happens(void **state)
{
    (void)state;
    for (uint64_t seed = first_seed; seed <= last_seed; seed++) {
        walking_seed = seed;
        walk_through(seed);
    }
    walking_seed = 0;
    print_message("iterations %llu, ends told %llu, back in a match %llu, finished %llu, forfeit "
                  "%llu, cancelled %llu, mailboxes full "
                  "%llu, slow readers %llu, dropped %llu, busy %llu\n",
                  (unsigned long long)harvest.runs, (unsigned long long)harvest.ends,
                  (unsigned long long)harvest.welcomes_back,
                  (unsigned long long)harvest.by_reason[MATCH_END_FINISHED],
                  (unsigned long long)harvest.by_reason[MATCH_END_FORFEIT],
                  (unsigned long long)harvest.by_reason[MATCH_END_CANCELLED],
                  (unsigned long long)harvest.mailboxes_full,
                  (unsigned long long)harvest.slow_readers, (unsigned long long)harvest.dropped,
                  (unsigned long long)harvest.refusals[REFUSAL_BUSY]);
    if (first_seed == last_seed) return;
    assert_true(harvest.by_reason[MATCH_END_FINISHED] > 0);
    assert_true(harvest.by_reason[MATCH_END_FORFEIT] > 0);
    assert_true(harvest.by_reason[MATCH_END_CANCELLED] > 0);
    assert_true(harvest.mailboxes_full > 0);
    assert_true(harvest.slow_readers > 0);
    assert_true(harvest.ends > 0);
    assert_true(harvest.welcomes_back > 0);
    assert_true(harvest.dropped > 0);
    assert_true(harvest.refusals[REFUSAL_BUSY] > 0);
}

int main(int argc, char **argv)
{
    if (argc > 1) first_seed = last_seed = strtoull(argv[1], NULL, 10);
    if (argc > 2) last_seed = strtoull(argv[2], NULL, 10);
    is_told = argc > 3;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_rules_hold_whatever_happens, print_seed_of_failure),
    };
    return cmocka_run_group_tests_name("shard_walk", tests, NULL, NULL);
}
