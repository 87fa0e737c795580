/* Looks inside the shards of a world and fails where one of their invariants does not hold: what no player can see from
 * outside, and the referee (sim_referee.h) cannot judge.
 *
 * The world owns it and calls it: around each iteration of a shard, around each message that a shard is given, when
 * time passes, when nobody has anything to do, and at the end. Fails by sim_failed(), with the rule's name before the
 * first colon.
 *
 * One thread. Looks only, changes nothing. After every iteration it looks at what is alive on that shard; at each frame,
 * timer and token, ended match and home only every so many iterations (4 to 256, by the seed), and at the end.
 */
#pragma once

#include "base/id.h"
#include "base/time.h"

struct audit;
struct world;

struct audit *audit_create(struct world *world);
void audit_destroy(struct audit *audit);

/* Behind shard_run. */
void audit_after_run(struct world *world, unsigned shard);

/* The shard says that a match begins on it. */
void audit_on_started(struct world *world, unsigned shard, const struct id *match);

/* Around shard_on_message. */
void audit_before_message(struct world *world, unsigned client);
void audit_after_message(struct world *world, unsigned client);

/* The clock goes from world->now to `next`. */
void audit_on_time(struct world *world, mono_time next);

/* Nobody has anything to do now. */
void audit_at_rest(struct world *world);

/* Everything was shut down, and has had its time. */
void audit_at_end(struct world *world);
