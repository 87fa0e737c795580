#include "sim_run.h"

#include <string.h>

#include "sim_dice.h"
#include "sim_failed.h"

enum {
    MATCHES_MOST = 192, /* In one world; what runs ends as well, and the referee keeps them all. */
    END_MS = 5000,      /* Beyond the longest match: records on their way, a save tried again. */
};
_Static_assert(MATCHES_MOST + RUN_PLAYERS_MAX <= REFEREE_MATCHES_MAX, "the referee knows all");

/* --- What the world shows. --- */

static void note_match(struct sim_player *player, const char *text)
{
    if (strstr(text, ",\"seq\":") == NULL) return;
    const char *match = strstr(text, "\"match\":\"");
    if (match != NULL)
        (void)id_parse(match + strlen("\"match\":\""), ID_TEXT_BYTES,
                       &player->match); /* What is none leaves the one before. */
}

static void on_event(void *context, unsigned shard, unsigned client, const char *what,
                     const char *text)
{
    struct sim_run *run = context;
    struct trace_head head = {.ms = run->world->now.ms - run->began_at.ms,
                              .step = run->step,
                              .shard = shard,
                              .client = client,
                              .what = what};
    run->speaking = client;
    if (client != ANY_NUMBER) {
        if (strcmp(what, "told") == 0) note_match(&run->players[client], text);
        head.match = run->players[client].match;
    }
    trace_add(run->trace, &head, text);
}

static void on_told(void *context, unsigned client, const char *text)
{
    player_on_told(context, client, text);
}

static void on_closed(void *context, unsigned client, unsigned code)
{
    player_on_closed(context, client, code);
}

static void on_gone(void *context, unsigned client)
{
    player_on_gone(context, client);
}

static void on_note(void *context, unsigned shard, const struct shard_note *note)
{
    (void)shard;
    struct sim_run *run = context;
    run->speaking = ANY_NUMBER;
    run->noted = note->match;
    census_on_note(run, note);
    if (note->kind == NOTE_MATCH_ENDED && run->matches == run->break_at)
        sim_failed("broken on purpose: match %u has ended", run->matches);
}

/* --- One world. --- */

void run_init(struct sim_run *run, struct sim_tally *tally, struct trace *trace)
{
    memset(run, 0, sizeof(*run));
    run->tally = tally;
    run->trace = trace;
}

static void begin(struct sim_run *run, const struct sim_recipe *recipe)
{
    uint32_t break_at = run->break_at;
    run_init(run, run->tally, run->trace);
    run->break_at = break_at;
    run->recipe = *recipe;
    run->world = world_create((struct world_settings){
        .shards = recipe->shards,
        .clients = recipe->players,
        .mailbox_bytes = 2 * MAILBOX_RECORD_BYTES_MAX,
        .mailbox_room = recipe->mailbox_room,
        .has_late_mailboxes = recipe->has_late_mailboxes,
        .is_patient = true,
        .remembers_results = true,
        .forgets_its_messages = true,
        .keeps = recipe->keeps,
        .sync_ms = recipe->sync_ms,
        .seed = recipe->seed,
        .shard = &run->recipe.shard,
    });
    struct world *world = run->world;
    world->watch = (struct world_watch){.context = run,
                                        .on_event = on_event,
                                        .on_told = on_told,
                                        .on_closed = on_closed,
                                        .on_gone = on_gone,
                                        .on_note = on_note};
    world->referee.kept_ms = recipe->is_narrow ? 0 : recipe->shard.ended_keep_ms;
    run->began_at = world->now;
    char text[RECIPE_TEXT_BYTES];
    recipe_describe(recipe, text);
    tell(world, ANY_NUMBER, "world", text);
    for (unsigned i = 0; i < recipe->players; i++) player_init(run, i);
    fault_end_all(run);
    world->mailbox_delay_ms = recipe->delay_ms;
    if (recipe->fault_every_ms > 0) run->fault_at = mono_after(world->now, recipe->fault_every_ms);
}

static unsigned next_player(const struct sim_run *run)
{
    unsigned first = 0;
    for (unsigned i = 1; i < run->recipe.players; i++) {
        mono_time at = player_next(&run->players[i]);
        if (mono_is_before(at, player_next(&run->players[first]))) first = i;
    }
    return first;
}

static void begin_to_drain(struct sim_run *run)
{
    if (census_has_live_match(run)) run_count(run, COUNTER_DRAINED_LIVE);
    tell(run->world, ANY_NUMBER, "drain", "");
    run->is_draining = true;
    drain(run->world);
}

static void take_step(struct sim_run *run)
{
    run->step++;
    if (run->world->is_dead) fault_come_back(run);
    if (run->step == run->recipe.drain_at) begin_to_drain(run);
    unsigned player = next_player(run);
    mono_time at = player_next(&run->players[player]), fault_at = fault_next_due(run);
    bool is_fault = mono_is_before(fault_at, at);
    run_before(run->world, is_fault ? fault_at : at);
    if (run->world->is_dead) return;
    census_on_step(run);
    if (!is_fault) {
        /* What happened meanwhile may have changed its mind. */
        if (!mono_is_before(run->world->now, player_next(&run->players[player])))
            player_act(run, player);
        return;
    }
    fault_mend(run);
    if (!mono_is_before(run->world->now, run->fault_at)) fault_strike(run);
}

static bool is_empty(const struct world *world)
{
    for (unsigned i = 0; i < world->settings.shards; i++) {
        if (!shard_is_empty(world->shards[i].shard)) return false;
    }
    return true;
}

/* Nothing goes wrong any more, and nobody does anything. */
static void come_to_the_end(struct sim_run *run)
{
    struct world *world = run->world;
    if (world->is_dead) fault_come_back(run);
    kill_after(world, 0);
    fault_end_all(run);
    tell(world, ANY_NUMBER, "quiet", "");
    calm_down(world);
    if (run->recipe.is_cut_off) {
        if (census_has_live_match(run)) run_count(run, COUNTER_SHUTDOWN_LIVE);
        return;
    }
    run_ms(world, shard_longest_match_ms(&run->recipe.shard) + END_MS);
    store_expect_all_told(world);
    if (!run->is_draining) return;
    if (!is_empty(world)) sim_failed("a drained server is not empty");
}

void run_world(struct sim_run *run, const struct sim_recipe *recipe)
{
    begin(run, recipe);
    uint32_t most = recipe->matches < MATCHES_MOST ? recipe->matches : MATCHES_MOST;
    while (run->step < recipe->steps && run->matches < most) take_step(run);
    come_to_the_end(run);
    census_at_end(run);
    world_close(run->world);
    run->tally->worlds++;
    run->tally->steps += run->step;
    run->world = NULL;
}
