#include "sim_audit.h"

#include <stdlib.h>

#include "shard_priv.h"
#include "sim_failed.h"
#include "sim_world.h"

struct audit {
    struct world *world;
    uint64_t refused_before; /* By the mailboxes of the shard that is given a message. */
};

struct audit *audit_create(struct world *world)
{
    struct audit *audit = calloc(1, sizeof(*audit));
    SIM_EXPECT(audit != NULL);
    audit->world = world;
    const struct shard_settings *settings = &world->shards[0].shard->settings;
    world->referee.credit_max_ms = settings->rtt_credit_max_ms;
    world->referee.tau_milli = settings->match.tau_milli;
    return audit;
}

void audit_destroy(struct audit *audit)
{
    free(audit);
}

void audit_before_run(struct world *world, unsigned shard)
{
    (void)world;
    (void)shard;
}

static void no_outbox_is_above_its_bound(const struct shard *shard)
{
    for (uint32_t slot = 0; slot < shard->sessions.touched; slot++) {
        const struct session *session = pool_at(&shard->sessions, slot);
        if (session == NULL || session->outbox.count <= OUTBOX_SLOTS) continue;
        sim_failed("no outbox is above its bound: %u frames", session->outbox.count);
    }
}

static bool has_read_all(const struct world *world, unsigned to)
{
    for (unsigned from = 0; from < world->settings.shards; from++) {
        if (mailbox_bytes_used(&world->mailboxes[from][to]) > 0) return false;
        /* What is under way is in the sender's, where mailboxes deliver late. */
        if (mailbox_bytes_used(world->shards[from].shard->settings.to[to]) > 0) return false;
    }
    return true;
}

void audit_after_run(struct world *world, unsigned shard)
{
    no_outbox_is_above_its_bound(world->shards[shard].shard);
    if (has_read_all(world, shard)) referee_on_emptied(&world->referee, shard, world->now);
}

void audit_on_started(struct world *world, unsigned shard, const struct id *match)
{
    referee_on_started(&world->referee, match, shard, world->shards[shard].shard->wall_offset_ms);
}

static const struct shard *shard_of(const struct world *world, unsigned client)
{
    return world->shards[world->clients[client].shard].shard;
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
    audit->refused_before = refused_by_mailboxes(shard_of(world, client));
}

void audit_after_message(struct world *world, unsigned client)
{
    uint64_t refused = refused_by_mailboxes(shard_of(world, client));
    if (refused > world->audit->refused_before) referee_on_crowded(&world->referee, client);
}

void audit_on_time(struct world *world, mono_time next)
{
    (void)world;
    (void)next;
}

/* Nobody runs now, so nothing may wait for it. */
static void no_shard_sleeps_on_a_record(const struct world *world, unsigned to)
{
    if (world->shards[to].is_stalled) return;
    for (unsigned from = 0; from < world->settings.shards; from++) {
        if (mailbox_bytes_used(&world->mailboxes[from][to]) == 0) continue;
        sim_failed("no shard sleeps on a record: shard %u on what shard %u has sent", to, from);
    }
}

void audit_at_rest(struct world *world)
{
    for (unsigned to = 0; to < world->settings.shards; to++) no_shard_sleeps_on_a_record(world, to);
}

void audit_at_end(struct world *world)
{
    (void)world;
}
