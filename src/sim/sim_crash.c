/* The process is killed, and comes back from its journals. What may be lost by that, and what may not. */

#include <stdlib.h>

#include "shard_priv.h"
#include "sim_answers.h"
#include "sim_audit.h"
#include "sim_failed.h"
#include "sim_world.h"
#include "sim_world_priv.h"

void kill_after(struct world *world, uint32_t calls)
{
    world->calls_left = calls;
}

bool world_is_dead(struct world *world)
{
    if (world->calls_left > 0 && --world->calls_left == 0) world->is_dead = true;
    return world->is_dead;
}

/* --- What goes with the process. --- */

static void lose_connection(struct world *world, unsigned number)
{
    struct client *client = &world->clients[number];
    if (!client->is_connected) return;
    for (uint32_t i = 0; i < client->inbox_count; i++) free(client->inbox[i]);
    client->inbox_count = 0;
    client->is_connected = client->is_lost = false;
    tell(world, number, "gone", "");
    referee_on_disconnect(&world->referee, number);
    if (world->watch.on_gone != NULL) world->watch.on_gone(world->watch.context, number);
}

static void lose_shards(struct world *world)
{
    for (unsigned i = 0; i < world->settings.shards; i++) {
        free(world->shards[i].memory);
        world->shards[i].memory = NULL;
        world->shards[i].has_due = world->shards[i].is_stalled = false;
    }
}

/* --- Coming back. --- */

struct old_journals {
    struct sim_journal journals[SHARDS_MAX];
    unsigned count;
};

static struct old_journals take_journals(struct world *world, bool is_power_cut)
{
    struct old_journals old = {.count = world->settings.shards};
    for (unsigned i = 0; i < old.count; i++) {
        old.journals[i] = world->shards[i].journal;
        world->shards[i].journal = (struct sim_journal){.bytes = NULL};
        if (is_power_cut) sim_journal_cut(&old.journals[i]);
    }
    return old;
}

/* False: it is killed meanwhile. */
static bool start(struct world *world, const struct old_journals *old,
                  const struct sim_replay_faults *faults)
{
    struct shard *shards[SHARDS_MAX];
    struct sim_journal journals[SHARDS_MAX] = {{.bytes = NULL}};
    unsigned count = world->settings.shards;
    for (unsigned i = 0; i < count; i++) {
        world_create_shard(world, i);
        shards[i] = world->shards[i].shard;
    }
    sim_recovery_free(&world->recovery);
    if (!sim_recovery_replay(&world->recovery, old->journals, old->count, shards, count, faults)) {
        lose_shards(world);
        return false;
    }
    sim_recovery_copy(&world->recovery, old->journals, old->count, journals, count);
    for (unsigned i = 0; i < count; i++) world->shards[i].journal = journals[i];
    shard_restored(shards, count);
    return true;
}

/* --- What is lost, and what may be. --- */

static const struct live_match *live_of(const struct world *world, const struct sim_found *found)
{
    if (found->state != FOUND_LIVE && found->state != FOUND_CONDEMNED) return NULL;
    return pool_resolve(&world->shards[found->shard].shard->matches, found->handle);
}

/* What was told is not all there. */
static bool may_be_taken_back(const struct crash_plan *plan, const struct referee_match *match,
                              const struct sim_found *found)
{
    return plan->is_power_cut || match->is_unjournaled || found->state == FOUND_CONDEMNED;
}

static bool is_of_both(const struct match *a, const struct match *b)
{
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        for (unsigned j = 0; j < MATCH_PLAYERS_MAX; j++) {
            if (id_equal(&a->players[i].player, &b->players[j].player)) return true;
        }
    }
    return false;
}

/* Where one comes back that is over by now, the next one of its players' is in its way. */
static bool is_in_two(const struct world *world, const struct live_match *live)
{
    unsigned count = 0;
    for (unsigned i = 0; i < world->recovery.count; i++) {
        const struct live_match *other = live_of(world, &world->recovery.found[i]);
        count += other != NULL && is_of_both(&other->hosted.match, &live->hosted.match);
    }
    return count > 1;
}

static void a_match_that_was_journaled_goes_on(const struct world *world,
                                               const struct sim_found *found,
                                               const struct live_match *live)
{
    if (found->state == FOUND_CONDEMNED || !live->is_condemned || is_in_two(world, live)) return;
    sim_failed("a match that was journaled goes on: it is to be cancelled");
}

static void judge_restored(struct world *world, const struct crash_plan *plan,
                           const struct sim_found *found, const struct live_match *live)
{
    struct referee *referee = &world->referee;
    struct referee_match *match = &referee->matches[referee_find_match(referee, &found->id)];
    bool may_be = may_be_taken_back(plan, match, found);
    const struct shard *shard = world->shards[found->shard].shard;
    uint32_t seq = live->hosted.match.seq;
    a_match_that_was_journaled_goes_on(world, found, live);
    if (match->is_ended && !may_be) sim_failed("what has ended does not come back: a match does");
    if (seq < match->seq_max && !may_be)
        sim_failed("no crash takes back what was told: %u messages of %u", seq, match->seq_max);
    world->restored++;
    world->rewound += seq < match->seq_max;
    world->not_restored += live->is_condemned;
    referee_on_restored(referee, match,
                        &(struct referee_restored){
                            .shard = found->shard,
                            .seq = seq,
                            .is_taken_back = may_be,
                            .began_offset_ms = live->hosted.match.wall_offset_ms,
                            .wall_offset_ms = shard->wall_offset_ms,
                            .has_result = found->has_result || store_has(world, &found->id)});
}

static void judge_lost(struct world *world, const struct crash_plan *plan,
                       struct referee_match *match)
{
    const struct sim_found *found = sim_recovery_find(&world->recovery, &match->id);
    if (!match->is_started || match->is_ended) return;
    if (found != NULL && live_of(world, found) != NULL) return;
    bool may_be = plan->is_power_cut || world->settings.keeps == KEEPS_NO_JOURNAL;
    if (found == NULL && !may_be) sim_failed("a match that was journaled goes on: it is gone");
    world->not_restored += found != NULL && found->state != FOUND_OVER;
    referee_on_lost(match, world->now);
}

static void no_result_is_lost(const struct world *world, const struct referee_match *match)
{
    if (!match->is_saved || !world->settings.remembers_results || store_has(world, &match->id))
        return;
    for (uint32_t i = 0; i < world->parcel_count; i++) {
        if (id_equal(&world->parcels[i].result.match, &match->id)) return;
    }
    sim_failed("no result is lost: one was promised, and is neither in the journal nor stored");
}

static void judge(struct world *world, const struct crash_plan *plan)
{
    struct referee *referee = &world->referee;
    for (uint32_t i = 0; i < referee->match_count; i++)
        no_result_is_lost(world, &referee->matches[i]);
    for (unsigned i = 0; i < world->recovery.count; i++) {
        const struct sim_found *found = &world->recovery.found[i];
        const struct live_match *live = live_of(world, found);
        if (live != NULL) judge_restored(world, plan, found, live);
    }
    for (uint32_t i = 0; i < referee->match_count; i++) {
        judge_lost(world, plan, &referee->matches[i]);
    }
    referee_on_crash(referee, plan->is_power_cut);
}

/* --- Entries. --- */

void crash_as(struct world *world, const struct crash_plan *plan)
{
    struct sim_replay_faults faults = plan->replay;
    world->is_dead = false;
    world->calls_left = 0;
    for (unsigned i = 0; i < world->settings.clients; i++) lose_connection(world, i);
    answers_on_crash(world);
    struct old_journals old = take_journals(world, plan->is_power_cut);
    lose_shards(world);
    world_free_mailboxes(world);
    world->now.ms++; /* The game's clock goes on from where the journal ends. */
    world->wall_offset_ms += plan->gone_ms;
    if (plan->shards != 0) world->settings.shards = plan->shards;
    world_create_mailboxes(world);
    if (!start(world, &old, &faults)) {
        faults.killed_at = 0;
        bool is_back = start(world, &old, &faults);
        SIM_EXPECT(is_back);
    }
    for (unsigned i = 0; i < old.count; i++) sim_journal_free(&old.journals[i]);
    answers_go_on(world);
    judge(world, plan);
    audit_destroy(world->audit);
    world->audit = audit_create(world);
    world->pong_at = (mono_time){UINT64_MAX};
    world->referee.is_draining = false;
    world_wake_all(world);
}

void crash(struct world *world, uint32_t gone_ms)
{
    crash_as(world, &(struct crash_plan){.gone_ms = gone_ms});
}
