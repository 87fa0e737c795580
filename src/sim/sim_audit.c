#include "sim_audit.h"

#include <stdlib.h>
#include <string.h>

#include "sim_answers.h"
#include "sim_audit_priv.h"
#include "sim_failed.h"

enum {
    WHOLE_EVERY_LEAST = 2, /* Powers of two. */
    WHOLE_EVERY_RANGE = 7,
};

static const struct shard *shard_of(const struct world *world, unsigned client)
{
    return world->shards[world->clients[client].shard].shard;
}

/* --- Life. --- */

struct audit *audit_create(struct world *world)
{
    struct audit *audit = calloc(1, sizeof(*audit));
    SIM_EXPECT(audit != NULL);
    audit->world = world;
    audit->began_at = world->now;
    audit->whole_every = 1u << (WHOLE_EVERY_LEAST + world->settings.seed % WHOLE_EVERY_RANGE);
    for (unsigned i = 0; i < world->settings.shards; i++) {
        uint32_t slots = world->shards[i].shard->matches.capacity;
        audit->shards[i].matches = calloc(slots, sizeof(struct match_watch));
        SIM_EXPECT(audit->shards[i].matches != NULL);
    }
    const struct shard_settings *settings = &world->shards[0].shard->settings;
    world->referee.credit_max_ms = settings->rtt_credit_max_ms;
    world->referee.tau_milli = settings->match.tau_milli;
    step_audit_init();
    inside_audit_init();
    return audit;
}

void audit_destroy(struct audit *audit)
{
    for (unsigned i = 0; i < SHARDS_MAX; i++) free(audit->shards[i].matches);
    free(audit);
}

/* --- Iterations. --- */

static bool has_read_all(const struct world *world, unsigned to)
{
    for (unsigned from = 0; from < world->settings.shards; from++) {
        if (mailbox_bytes_used(&world->mailboxes[from][to]) > 0) return false;
        /* What is under way is in the sender's, where mailboxes deliver late. */
        if (mailbox_bytes_used(world->shards[from].shard->settings.to[to]) > 0) return false;
    }
    return true;
}

static void look_at_all_of(const struct world *world, unsigned index)
{
    const struct shard *shard = world->shards[index].shard;
    whole_audit(shard);
    ended_audit(shard);
    home_audit(shard);
    session_audit_connections(world, index);
}

void audit_after_run(struct world *world, unsigned index)
{
    struct audit *audit = world->audit;
    struct shard_watch *watch = &audit->shards[index];
    const struct shard *shard = world->shards[index].shard;
    match_audit(shard, watch, audit);
    session_audit(shard);
    lobby_audit(shard);
    whole_audit_counts(shard);
    if (++watch->runs % audit->whole_every == 0) look_at_all_of(world, index);
    if (has_read_all(world, index)) referee_on_emptied(&world->referee, index, world->now);
}

/* --- Messages. --- */

void audit_on_started(struct world *world, unsigned shard, const struct id *match)
{
    if (world->shards[shard].shard->is_draining)
        sim_failed("no match starts on a shard that drains: one does on shard %u", shard);
    referee_on_started(&world->referee, match, shard, world->shards[shard].shard->wall_offset_ms);
}

/* Pushes of a shard that found no room. */
static uint64_t refused_by_mailboxes(const struct shard *shard)
{
    uint64_t refused = 0;
    for (unsigned to = 0; to < shard->settings.count; to++)
        refused += shard->settings.to[to]->refused;
    return refused;
}

void audit_before_message(struct world *world, unsigned client)
{
    struct audit *audit = world->audit;
    const struct shard *shard = shard_of(world, client);
    const struct session *session = pool_resolve(&shard->sessions, world->clients[client].session);
    SIM_EXPECT(session != NULL);
    audit->refused_before = refused_by_mailboxes(shard);
    memcpy(&audit->before, session, sizeof(audit->before)); /* With what lies between members. */
    audit->frames_before = session->outbox.count;
}

void audit_after_message(struct world *world, unsigned client)
{
    struct audit *audit = world->audit;
    const struct shard *shard = shard_of(world, client);
    const struct session *session = pool_resolve(&shard->sessions, world->clients[client].session);
    SIM_EXPECT(session != NULL);
    if (refused_by_mailboxes(shard) > audit->refused_before)
        referee_on_crowded(&world->referee, client);
    session_audit_refusal(&audit->before, session, audit->frames_before);
}

/* --- Time. --- */

static bool is_any_journal_full(const struct world *world)
{
    for (unsigned i = 0; i < world->settings.shards; i++) {
        if (world->shards[i].journal.is_full) return true;
    }
    return false;
}

void audit_on_time(struct world *world, mono_time next)
{
    struct audit *audit = world->audit;
    uint64_t passed_ms = mono_elapsed(world->now, next);
    for (unsigned i = 0; i < world->settings.shards; i++) {
        if (world->shards[i].is_stalled) audit->shards[i].stalled_ms += passed_ms;
    }
    bool is_outage =
        world->saves.mode != STORE_PROMPT || answers_is_saving(world) || is_any_journal_full(world);
    if (is_outage) audit->outage_ms += passed_ms;
    if (is_outage && !audit->is_outage) audit->outages++;
    audit->is_outage = is_outage;
}

/* --- Rest. --- */

/* Nobody runs now, so nothing may wait for it. */
static void no_shard_sleeps_on_a_record(const struct world *world, unsigned to)
{
    if (world->shards[to].is_stalled) return;
    for (unsigned from = 0; from < world->settings.shards; from++) {
        if (mailbox_bytes_used(&world->mailboxes[from][to]) == 0) continue;
        sim_failed("no shard sleeps on a record: shard %u on what shard %u has sent", to, from);
    }
}

/* Nothing is under way, and nobody owes anything. */
static bool is_at_rest(const struct world *world)
{
    for (unsigned i = 0; i < world->settings.shards; i++) {
        const struct shard *shard = world->shards[i].shard;
        bool is_owing = !list_is_empty(&shard->debts) || !list_is_empty(&shard->owed) ||
                        !list_is_empty(&shard->owed_grants) || !list_is_empty(&shard->runnable);
        const struct lobby *lobby = shard->lobby;
        if (lobby != NULL)
            is_owing = is_owing || !list_is_empty(&lobby->owed_tickets) ||
                       !list_is_empty(&lobby->owed_offers);
        if (world->shards[i].is_stalled || is_owing || !has_read_all(world, i)) return false;
    }
    return world->loads.count == 0;
}

void audit_at_rest(struct world *world)
{
    for (unsigned to = 0; to < world->settings.shards; to++) no_shard_sleeps_on_a_record(world, to);
    if (world->audit->rests++ % world->audit->whole_every != 0 || !is_at_rest(world)) return;
    for (unsigned i = 0; i < world->settings.shards; i++) look_at_all_of(world, i);
    home_audit_at_rest(world);
}

void audit_at_end(struct world *world)
{
    for (unsigned i = 0; i < world->settings.shards; i++) {
        look_at_all_of(world, i);
        if (!has_read_all(world, i)) sim_failed("in the end nothing is left: a record");
    }
}
