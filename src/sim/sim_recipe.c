#include "sim_recipe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/score.h"
#include "sim_dice.h"

/* Room for all that can be left within the time that an ended match is kept. */
enum { SESSIONS_ENOUGH = 400, MATCHES_ENOUGH = 200, CROWD_MIN = 16, CROWD_MAX = 24 };

static const struct {
    const char *name;
    uint16_t most;
} rates[RATE_COUNT] = {
#define SIM_HABIT(name, text, most) [HABIT_##name] = {text, most},
#define SIM_FAULT(name, text, most) [FAULT_##name] = {text, most},
    SIM_HABITS(SIM_HABIT) SIM_FAULTS(SIM_FAULT)
#undef SIM_HABIT
#undef SIM_FAULT
};

const char *recipe_rate_name(enum sim_rate rate)
{
    return rates[rate].name;
}

enum sim_rate recipe_rate(const char *name)
{
    unsigned i = 0;
    while (i < RATE_COUNT && strcmp(rates[i].name, name) != 0) i++;
    return (enum sim_rate)i;
}

/* Mostly few: a match of one round meets as much as one of seven, and there are more of them. */
static uint8_t draw_rounds(struct prng *prng)
{
    static const uint8_t rounds[] = {1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 7};
    return rounds[prng_below(prng, sizeof(rounds))];
}

static uint32_t draw_of(struct prng *prng, const uint32_t *values, uint32_t count)
{
    return values[prng_below(prng, count)];
}
#define DRAW_OF(prng, ...)                                                                         \
    draw_of(prng, (const uint32_t[]){__VA_ARGS__},                                                 \
            sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static struct match_settings draw_match(struct prng *prng)
{
    return (struct match_settings){
        .mode = MATCH_MODE_DUEL,
        .rounds = draw_rounds(prng),
        .start_ms = DRAW_OF(prng, 1, 50, 500, 3000),
        .round_time_ms = DRAW_OF(prng, ROUND_TIME_MIN_MS, 2000, 5000, 10000),
        .reveal_time_ms = DRAW_OF(prng, 1, 20, 500, 4000),
        .grace_ms = DRAW_OF(prng, 0, 1, 200, 1000, 3000, 10000),
        .close_slack_ms = DRAW_OF(prng, 0, 1, 20, 100),
        .tau_milli = 500,
    };
}

static struct shard_settings draw_shard(struct prng *prng)
{
    return (struct shard_settings){
        .sessions_max = SESSIONS_ENOUGH,
        .matches_max = one_in(prng, 4) ? between(prng, 1, 3) : MATCHES_ENOUGH,
        .match_queue_slots = one_in(prng, 4) ? 64 : MATCH_QUEUE_SLOTS_MIN,
        .match = draw_match(prng),
        .hello_timeout_ms = DRAW_OF(prng, 1000, HELLO_TIMEOUT_MS),
        .send_timeout_ms = DRAW_OF(prng, 500, 2000, SEND_TIMEOUT_MS),
        .ping_ms = DRAW_OF(prng, 5000, PING_MS),
        .match_ping_ms = DRAW_OF(prng, 1000, MATCH_PING_MS),
        .rtt_credit_max_ms = DRAW_OF(prng, 0, 1, 50, CREDIT_MAX_MS),
        .ended_keep_ms = ENDED_KEEP_MS,
        .rematch_ms = DRAW_OF(prng, 1000, 5000, REMATCH_MS),
        .message_rate = MESSAGE_RATE,
        .message_burst = MESSAGE_BURST,
    };
}

/* Habits and faults are mild or harsh apart from each other; of each kind the world has about half. */
static void draw_rates(struct prng *prng, struct sim_recipe *recipe)
{
    uint32_t habits = DRAW_OF(prng, 0, 100, 300, 1000);
    uint32_t faults = DRAW_OF(prng, 0, 100, 300, 1000);
    for (unsigned i = 0; i < RATE_COUNT; i++) {
        uint32_t harshness = i < HABIT_COUNT ? habits : faults;
        uint32_t most = rates[i].most * harshness / 1000;
        uint32_t drawn = prng_below(prng, most + 1);
        recipe->rates[i] = (uint16_t)(one_in(prng, 2) ? drawn : 0);
    }
    uint32_t every_ms = DRAW_OF(prng, 30, 100, 300, 1000);
    recipe->fault_every_ms = faults == 0 ? 0 : every_ms;
}

void recipe_draw(struct sim_recipe *ret_recipe, uint64_t seed)
{
    struct prng prng = dice(seed, DICE_RECIPE, 0, 0);
    struct sim_recipe recipe = {.seed = seed};
    recipe.players = one_in(&prng, 3) ? between(&prng, 2, 24) : between(&prng, 2, 10);
    recipe.shards = between(&prng, 1, SHARDS_MAX);
    recipe.steps = between(&prng, 200, 3000);
    recipe.matches = between(&prng, 10, 150);
    recipe.mailbox_room = DRAW_OF(&prng, 0, 0, 2048, 4096);
    recipe.has_late_mailboxes = one_in(&prng, 3);
    recipe.delay_ms = DRAW_OF(&prng, 0, 2, 20, 100);
    recipe.shard = draw_shard(&prng);
    draw_rates(&prng, &recipe);
    recipe.pause_ms = DRAW_OF(&prng, 200, 1000, 4000);
    recipe.away_ms = DRAW_OF(&prng, 5, 200, 2000);
    recipe.think_ms = DRAW_OF(&prng, 50, 1000, 8000);
    recipe.drain_at = one_in(&prng, 3) ? between(&prng, 1, recipe.steps) : 0;
    recipe.is_cut_off = one_in(&prng, 3);
    recipe.keeps = one_in(&prng, 4) ? KEEPS_NO_JOURNAL : KEEPS_ALL;
    recipe.sync_ms = DRAW_OF(&prng, 0, 2, 20, 1500);
    if (one_in(&prng, 8)) { /* More players than the shards take, or nearly so. */
        recipe.players = between(&prng, CROWD_MIN, CROWD_MAX);
        recipe.shards = between(&prng, 1, 2);
        recipe.shard.sessions_max = between(&prng, 1, 4);
    }
    recipe.is_narrow =
        recipe.shard.matches_max < MATCHES_ENOUGH || recipe.shard.sessions_max < SESSIONS_ENOUGH;
    *ret_recipe = recipe;
}

void recipe_describe(const struct sim_recipe *recipe, char ret_text[RECIPE_TEXT_BYTES])
{
    const struct shard_settings *shard = &recipe->shard;
    const struct match_settings *match = &shard->match;
    (void)snprintf(ret_text, RECIPE_TEXT_BYTES,
                   "seed %" PRIu64 " players %" PRIu32 " shards %" PRIu32 " steps %" PRIu32
                   " matches %" PRIu32 " mailbox %" PRIu32 " late %" PRIu32 " sessions %" PRIu32
                   " slots %" PRIu32 " rounds %u start %" PRIu32 " round %" PRIu32
                   " reveal %" PRIu32 " grace %" PRIu32 " slack %" PRIu32 " credit %" PRIu32
                   " journal %s sync %" PRIu32,
                   recipe->seed, recipe->players, recipe->shards, recipe->steps, recipe->matches,
                   recipe->mailbox_room, recipe->has_late_mailboxes ? recipe->delay_ms : 0,
                   shard->sessions_max, shard->matches_max, match->rounds, match->start_ms,
                   match->round_time_ms, match->reveal_time_ms, match->grace_ms,
                   match->close_slack_ms, shard->rtt_credit_max_ms,
                   recipe->keeps == KEEPS_ALL ? "yes" : "no", recipe->sync_ms); /* It fits. */
}
