/* One world after the other, each from its recipe: players who play and do what they like, an outside where things go
 * wrong, and in the end a quiet time in which everything must come to its end.
 *
 * The run owns its world and players; tally and trace are borrowed. One thread. A broken rule ends in sim_failed().
 */
#pragma once

#include "sim_player.h"
#include "sim_recipe.h"
#include "sim_tally.h"
#include "sim_trace.h"
#include "sim_world.h"

enum { RUN_PLAYERS_MAX = 64 };

struct sim_run {
    struct sim_recipe recipe;
    struct sim_tally *tally;
    struct trace *trace;
    struct world *world; /* NULL between two worlds. */
    struct sim_player players[RUN_PLAYERS_MAX];
    uint32_t step;
    uint32_t matches;  /* Ended in this world. */
    uint32_t faults;   /* Drawn so far. */
    uint32_t break_at; /* Matches: when a rule is broken on purpose; 0: never. */
    uint32_t speaking; /* The client of the last event; ANY_NUMBER: none. */
    struct id noted;   /* The match that a shard spoke of last; zeros: none. */
    mono_time began_at;
    mono_time starts_at; /* The lobby's, as it was last seen. */
    mono_time fault_at;
    mono_time stalled_until[SHARDS_MAX];
    mono_time saves_until, loads_until, delay_until, full_until;
    struct crash_plan plan; /* Of the next crash. */
    uint32_t crashes;
    bool is_draining; /* Nobody has begun anew since. */
};

void run_init(struct sim_run *run, struct sim_tally *tally, struct trace *trace);

/* From its beginning to its end. */
void run_world(struct sim_run *run, const struct sim_recipe *recipe);

static inline void run_count(struct sim_run *run, enum sim_counter counter)
{
    run->tally->counters[counter]++;
}

/* sim_fault.c */
/* What goes wrong now, and when something does next. */
void fault_strike(struct sim_run *run);
/* Ends what has lasted long enough. */
void fault_mend(struct sim_run *run);
/* When fault_strike() or fault_mend() is next needed. */
mono_time fault_next_due(const struct sim_run *run);
void fault_end_all(struct sim_run *run);

/* The process is dead: it comes back, and may be killed again soon. */
void fault_come_back(struct sim_run *run);

/* sim_census.c: what counts that players do not see. */
void census_on_note(struct sim_run *run, const struct shard_note *note);
void census_on_welcome(struct sim_run *run, const struct id *match);
void census_on_step(struct sim_run *run);
/* The process is about to come back, and is. */
void census_on_crash(struct sim_run *run);
void census_on_return(struct sim_run *run);
/* At the world's end, before it is closed. */
void census_at_end(struct sim_run *run);
bool census_has_live_match(const struct sim_run *run);
