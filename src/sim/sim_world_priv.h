/* What the world's files share: sim_world.c, and sim_crash.c, where the process goes and comes back. */
#pragma once

#include "sim_world.h"

void world_create_shard(struct world *world, unsigned index);
/* Between all shards; empty. */
void world_create_mailboxes(struct world *world);
void world_free_mailboxes(struct world *world);
wall_time world_wall(const struct world *world);
void world_wake_all(struct world *world);
