/* The shard's figures, as a snapshot for the metrics. */

#include <string.h>

#include "shard_priv.h"

static struct shard_depth depth_of(const struct pool *pool)
{
    return (struct shard_depth){pool->used, pool->used_max, pool->capacity};
}

void shard_stats(struct shard *shard, struct shard_stats *ret_stats)
{
    *ret_stats = shard->counters;
    memcpy(ret_stats->sessions, shard->states, sizeof(ret_stats->sessions));
    ret_stats->session_slots = depth_of(&shard->sessions);
    ret_stats->match_slots = depth_of(&shard->matches);
    ret_stats->ended_slots = depth_of(&shard->ended);
    ret_stats->standing_slots = depth_of(&shard->standings);
    ret_stats->presence_slots = depth_of(&shard->presences);
    if (shard->lobby != NULL) {
        ret_stats->ticket_slots = depth_of(&shard->lobby->matchmaker.tickets);
        ret_stats->away_tickets = (struct shard_depth){shard->lobby->matchmaker.away, 0,
                                                       shard->lobby->matchmaker.away_bound};
        ret_stats->offer_slots = depth_of(&shard->lobby->offers);
    }
    for (unsigned i = 0; i < FRAME_CLASSES; i++) {
        ret_stats->frames[i] = depth_of(&shard->frames.classes[i]);
    }
    ret_stats->outbox.bound = OUTBOX_SLOTS;
    ret_stats->ring.bound = shard->settings.match_queue_slots;
    ret_stats->timers_live = shard->wheel.count;
    ret_stats->timers_max = shard->wheel.count_max;
    ret_stats->tokens_live = shard->token_stats.live;
    ret_stats->tokens_max = shard->token_stats.live_max;
    ret_stats->lingering = shard->lingering;
    ret_stats->returning = (struct shard_depth){shard->returning, shard->returning_max, 0};
    for (unsigned to = 0; to < shard->settings.count; to++) {
        const struct mailbox *mailbox = shard->settings.to[to];
        ret_stats->mailbox_bound = mailbox->size;
        ret_stats->mailbox_refused[to] = mailbox->refused;
        ret_stats->mailbox_used[to] = mailbox_bytes_used(mailbox);
        ret_stats->mailbox_used_max[to] = mailbox->bytes_used_max;
    }
    shard->counters.timers_late_ms_max = 0;
}
