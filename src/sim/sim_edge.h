/* What stands for the edge in the simulated world: what a shard asks of the outside, and what comes in from there. Of
 * sim_world.c alone.
 */
#pragma once

#include "sim_world.h"

struct shard_io edge_io(struct world_shard *at);
/* Messages, pongs and losses of the clients whose shard does not stand still. */
void edge_bring_in(struct world *world);
/* When the store answers or a pong comes, where that is before `until`. */
mono_time edge_next_due(const struct world *world, mono_time until);
