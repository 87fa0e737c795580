/* The store, as shards see it: they ask, and it answers in its time. Where the world keeps a journal before the store, a
 * result is saved once the journal is synced, and goes to the store from there (src/edge/journal_store.c).
 *
 * Of sim_edge.c, sim_world.c and sim_crash.c alone.
 */
#pragma once

#include "sim_world.h"

/* Of shard_io. */
int answers_save(void *context, struct handle match, const struct match_result *result);
int answers_load(void *context, struct handle session, const struct id *player);
void answers_cancel_load(void *context, struct handle session);

/* What is answered by now. */
void answers_bring(struct world *world);
/* When something is, where that is before *next. */
void answers_next_due(const struct world *world, mono_time *next);
/* A result waits: for the store, or for the journal before it. */
bool answers_is_saving(const struct world *world);

/* What is to be tried again is, at once. */
void answers_calm(struct world *world);

/* The process is gone: nobody waits any more, and what was under way may have got there. */
void answers_on_crash(struct world *world);
/* The results that the journals hold and the store does not. */
void answers_go_on(struct world *world);

/* sim_store.c: what the store keeps. */
void store_take(const struct match_result *result, struct kept_result *ret_kept);
/* Once more, it changes nothing, and must be the same. */
void store_keep(struct world *world, const struct kept_result *result);
bool store_has(const struct world *world, const struct id *match);
