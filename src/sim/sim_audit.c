#include "sim_audit.h"

#include <stdlib.h>

#include "shard_priv.h"
#include "sim_failed.h"
#include "sim_world.h"

struct audit {
    struct world *world;
};

struct audit *audit_create(struct world *world)
{
    struct audit *audit = calloc(1, sizeof(*audit));
    SIM_EXPECT(audit != NULL);
    audit->world = world;
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

void audit_after_run(struct world *world, unsigned shard)
{
    no_outbox_is_above_its_bound(world->shards[shard].shard);
}

void audit_before_message(struct world *world, unsigned client)
{
    (void)world;
    (void)client;
}

void audit_after_message(struct world *world, unsigned client, const char *text)
{
    (void)world;
    (void)client;
    (void)text;
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
