/* What goes wrong outside of the players' wills, and for how long. */

#include "sim_dice.h"
#include "sim_run.h"

static const mono_time NEVER = {UINT64_MAX};

enum {
    SHORT_MS = 60,
    LONG_MS = 3000,
    WALL_JUMP_MS = 3600000,
    FEW_CALLS = 12, /* Mostly within the iteration that comes next. */
    MANY_CALLS = 300,
    LAST_EVENTS = 12,
    FIRST_RECORDS = 60,
};

/* Mostly short, so that what waits for it meets its end and its beginning. */
static uint32_t draw_ms(struct prng *prng)
{
    return 1 + prng_below(prng, one_in(prng, 4) ? LONG_MS : SHORT_MS);
}

static void choose_store(struct store *store, enum store_mode mode, struct prng *prng)
{
    store->mode = mode;
    store->delay_ms = draw_ms(prng);
}

static void stall_some(struct sim_run *run, struct prng *prng, bool is_jammed)
{
    unsigned shard = prng_below(prng, run->recipe.shards);
    if (run->world->shards[shard].is_stalled) return;
    stall(run->world, shard);
    run->stalled_until[shard] = mono_after(run->world->now, draw_ms(prng));
    if (is_jammed) jam(run->world, prng_below(prng, run->recipe.shards), shard);
}

static void strike_client(struct sim_run *run, enum sim_rate fault, struct prng *prng)
{
    unsigned client = prng_below(prng, run->recipe.players);
    struct sim_player *player = &run->players[client];
    mono_time until = mono_after(run->world->now, 1 + prng_below(prng, 2 * LONG_MS));
    if (!run->world->clients[client].is_connected) return;
    if (fault == FAULT_DROP) is_lost(run->world, client);
    if (fault == FAULT_CHOKE) {
        takes_only(run->world, client, prng_below(prng, 4));
        player->choked_until = until;
    }
    if (fault == FAULT_SILENCE) {
        falls_silent(run->world, client);
        player->silent_until = until;
    }
}

static void fail_shard_s_network(struct sim_run *run, struct prng *prng)
{
    unsigned shard = prng_below(prng, run->recipe.shards);
    for (unsigned i = 0; i < run->recipe.players; i++) {
        const struct client *client = &run->world->clients[i];
        if (client->is_connected && client->shard == shard) is_lost(run->world, i);
    }
}

static void set_clock(struct sim_run *run, struct prng *prng)
{
    int64_t by_ms = (int64_t)prng_below(prng, 2 * WALL_JUMP_MS) - WALL_JUMP_MS;
    set_wall_clock(run->world, by_ms);
    run_count(run, COUNTER_WALL_JUMP);
}

/* --- Crashes. --- */

static void plan_crash(struct sim_run *run, bool is_power_cut, struct prng *prng)
{
    bool has_journal = run->recipe.keeps != KEEPS_NO_JOURNAL;
    run->plan = (struct crash_plan){.gone_ms = draw_ms(prng), .is_power_cut = is_power_cut};
    if (one_in(prng, 6)) run->plan.shards = between(prng, 1, SHARDS_MAX);
    if (!has_journal) return;
    if (one_in(prng, 6)) run->plan.replay.killed_at = between(prng, 1, FIRST_RECORDS);
    if (one_in(prng, 8)) run->plan.replay.spoiled_event = between(prng, 1, LAST_EVENTS);
    if (one_in(prng, 16)) run->plan.replay.foreign_begins = between(prng, 1, 2);
}

static void begin_crash(struct sim_run *run, bool is_power_cut, struct prng *prng)
{
    plan_crash(run, is_power_cut, prng);
    kill_after(run->world, 1 + prng_below(prng, one_in(prng, 4) ? MANY_CALLS : FEW_CALLS));
}

void fault_come_back(struct sim_run *run)
{
    struct world *world = run->world;
    struct prng prng = dice(run->recipe.seed, DICE_FAULT, 1, run->crashes++);
    tell(world, ANY_NUMBER, "crash", run->plan.is_power_cut ? "power cut" : "kill");
    census_on_crash(run);
    /* What stood still is gone; the new journals have room. */
    for (unsigned i = 0; i < SHARDS_MAX; i++) run->stalled_until[i] = NEVER;
    for (unsigned i = 0; i < run->recipe.players; i++)
        run->players[i].silent_until = run->players[i].choked_until = NEVER;
    run->full_until = NEVER;
    crash_as(world, &run->plan);
    run->recipe.shards = world->settings.shards;
    run->is_draining = false;
    census_on_return(run);
    if (one_in(&prng, 3)) return; /* Often: only the fifth one of a match cancels it. */
    run_count(run, COUNTER_CRASH_AGAIN);
    begin_crash(run, run->plan.is_power_cut, &prng);
}

/* What a shard is told of it comes later, or the journal has room again before. */
static void fill_journals(struct sim_run *run, bool is_full, bool is_told)
{
    if (run->recipe.keeps == KEEPS_NO_JOURNAL) return;
    for (unsigned i = 0; i < run->recipe.shards; i++) {
        run->world->shards[i].journal.is_full = is_full;
        if (is_told) shard_set_journal_room(run->world->shards[i].shard, !is_full);
    }
}

/* --- What strikes. --- */

static void strike(struct sim_run *run, unsigned fault, struct prng *prng)
{
    struct world *world = run->world;
    mono_time until = mono_after(world->now, 1 + prng_below(prng, LONG_MS));
    if (fault >= FAULT_SAVE_LATE && fault <= FAULT_SAVE_LOST) run->saves_until = until;
    if (fault >= FAULT_LOAD_LATE && fault <= FAULT_LOAD_DEAD) run->loads_until = until;
    switch (fault) {
    case FAULT_DROP:
    case FAULT_CHOKE:
    case FAULT_SILENCE: strike_client(run, (enum sim_rate)fault, prng); break;
    case FAULT_OUTAGE: fail_shard_s_network(run, prng); break;
    case FAULT_STALL: stall_some(run, prng, false); break;
    case FAULT_JAM: stall_some(run, prng, true); break;
    case FAULT_DELAY:
        world->mailbox_delay_ms = run->recipe.delay_ms + draw_ms(prng);
        run->delay_until = until;
        break;
    case FAULT_SAVE_LATE: choose_store(&world->saves, STORE_LATE, prng); break;
    case FAULT_SAVE_FAIL: choose_store(&world->saves, STORE_FAILING, prng); break;
    case FAULT_SAVE_REFUSE: choose_store(&world->saves, STORE_REFUSING, prng); break;
    case FAULT_SAVE_DEAD: choose_store(&world->saves, STORE_DEAD, prng); break;
    case FAULT_SAVE_LOST: choose_store(&world->saves, STORE_LOSING, prng); break;
    case FAULT_LOAD_LATE: choose_store(&world->loads, STORE_LATE, prng); break;
    case FAULT_LOAD_FAIL: choose_store(&world->loads, STORE_FAILING, prng); break;
    case FAULT_LOAD_REFUSE: choose_store(&world->loads, STORE_REFUSING, prng); break;
    case FAULT_LOAD_DEAD: choose_store(&world->loads, STORE_DEAD, prng); break;
    case FAULT_WALL: set_clock(run, prng); break;
    case FAULT_JOURNAL_FULL:
        fill_journals(run, true, one_in(prng, 2));
        run->full_until = until;
        break;
    case FAULT_CRASH: begin_crash(run, false, prng); break;
    case FAULT_POWER_CUT: begin_crash(run, true, prng); break;
    default: break;
    }
}

void fault_strike(struct sim_run *run)
{
    const struct sim_recipe *recipe = &run->recipe;
    struct prng prng = dice(recipe->seed, DICE_FAULT, 0, run->faults++);
    run->fault_at = mono_after(run->world->now, 1 + prng_below(&prng, 2 * recipe->fault_every_ms));
    uint32_t drawn = prng_below(&prng, 1000);
    unsigned fault = HABIT_COUNT;
    while (fault < RATE_COUNT && drawn >= recipe->rates[fault]) drawn -= recipe->rates[fault++];
    if (fault == RATE_COUNT) return;
    tell(run->world, ANY_NUMBER, "fault", recipe_rate_name((enum sim_rate)fault));
    strike(run, fault, &prng);
}

/* --- The end of it. --- */

static bool is_over(const struct sim_run *run, mono_time *until)
{
    if (mono_is_before(run->world->now, *until)) return false;
    *until = NEVER;
    return true;
}

void fault_mend(struct sim_run *run)
{
    struct world *world = run->world;
    for (unsigned i = 0; i < run->recipe.shards; i++) {
        if (is_over(run, &run->stalled_until[i])) go_on(world, i);
    }
    for (unsigned i = 0; i < run->recipe.players; i++) {
        if (is_over(run, &run->players[i].silent_until)) is_heard_again(world, i);
        if (is_over(run, &run->players[i].choked_until)) takes_everything(world, i);
    }
    if (is_over(run, &run->saves_until)) world->saves.mode = STORE_PROMPT;
    if (is_over(run, &run->loads_until)) world->loads.mode = STORE_PROMPT;
    if (is_over(run, &run->delay_until)) world->mailbox_delay_ms = run->recipe.delay_ms;
    if (is_over(run, &run->full_until)) fill_journals(run, false, true);
}

static mono_time earlier(mono_time a, mono_time b)
{
    return mono_is_before(a, b) ? a : b;
}

mono_time fault_next_due(const struct sim_run *run)
{
    mono_time next = earlier(run->fault_at, earlier(run->saves_until, run->loads_until));
    next = earlier(next, earlier(run->delay_until, run->full_until));
    for (unsigned i = 0; i < run->recipe.shards; i++) next = earlier(next, run->stalled_until[i]);
    for (unsigned i = 0; i < run->recipe.players; i++) {
        next = earlier(next, run->players[i].silent_until);
        next = earlier(next, run->players[i].choked_until);
    }
    return next;
}

void fault_end_all(struct sim_run *run)
{
    mono_time now = run->world->now;
    for (unsigned i = 0; i < run->recipe.shards; i++) run->stalled_until[i] = now;
    for (unsigned i = 0; i < run->recipe.players; i++) {
        run->players[i].silent_until = run->players[i].choked_until = now;
    }
    run->saves_until = run->loads_until = run->delay_until = run->full_until = now;
    fault_mend(run);
    run->world->mailbox_delay_ms = 0;
    run->fault_at = NEVER;
}
