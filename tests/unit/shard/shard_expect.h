/* How the tests of the shard read: they build a situation in the simulated world (sim_world.h), let somebody do
 * something, and expect what the players are told. Fails by cmocka.
 */
#pragma once

#include "sim_world.h"

/* --- Builders. --- */

void is_idle(struct world *world, unsigned client, unsigned shard); /* Comes, and has said hello. */
void is_queued(struct world *world, unsigned client, unsigned shard); /* And joined. */
/* Comes, and has been welcomed back. */
void is_back(struct world *world, unsigned client, unsigned shard);
/* The store knows the client's player, with this rating. */
void is_known_to_the_store(struct world *world, unsigned client, int32_t rating_centi);
/* Two in a match that has just been told to both. */
void duel_begins(struct world *world, unsigned first_shard, unsigned second_shard);
/* And in its round. */
void duel_asks(struct world *world, unsigned first_shard, unsigned second_shard);
void goes_to_round(struct world *world, unsigned round);
/* Up to the last reveal. */
void plays_to_the_end(struct world *world);

/* --- Expectations. --- */

/* What was said since the last look, as words: "queued, match, round". With an error its code, with
 * `peer` its state, with `end`, `bye` and `unqueued` the reason: "error busy". */
void expect_said(struct world *world, unsigned client, const char *words);
void expect_nothing_said(struct world *world, unsigned client);
/* Among what was said since the last look; looks at it all. Returns the last one of that type. */
const char *expect_among(struct world *world, unsigned client, const char *word);
void look_away(struct world *world, unsigned client);
/* The last message of that type answers this request. */
void expect_reply(const struct world *world, unsigned client, const char *type, uint32_t id);
void expect_closed(const struct world *world, unsigned client, unsigned code);
void expect_open(const struct world *world, unsigned client);
void expect_same_bytes(const struct world *world, unsigned first, unsigned second,
                       const char *type);
