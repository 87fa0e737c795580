/* What stands for the edge in the simulated world: what a shard asks of the outside, and what comes in from there. Of
 * sim_world.c alone.
 */
#pragma once

#include "sim_world.h"

struct shard_io edge_io(struct world_shard *at);
/* Messages, pongs and losses of the clients whose shard does not stand still. */
void edge_bring_in(struct world *world);
/* What the store answers by now. */
void edge_bring_answers(struct world *world);
/* When that or a pong comes next, where that is before `until`. */
mono_time edge_next_due(const struct world *world, mono_time until);

/* sim_store.c: what the store keeps. */
void store_take(const struct match_result *result, struct kept_result *ret_kept);
/* Once more, it changes nothing, and must be the same. */
void store_keep(struct world *world, const struct kept_result *result);
