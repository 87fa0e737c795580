/* What counts that no player sees: looked up inside the shards, and in the world's own figures. */

#include "shard_priv.h"
#include "sim_run.h"

static const struct match *find_match(const struct sim_run *run, const struct id *id)
{
    for (unsigned i = 0; i < run->recipe.shards; i++) {
        struct shard *shard = run->world->shards[i].shard;
        for (uint32_t slot = 0; slot < shard->matches.touched; slot++) {
            const struct live_match *live = pool_at(&shard->matches, slot);
            if (live != NULL && id_equal(&live->hosted.match.id, id)) return &live->hosted.match;
        }
    }
    return NULL;
}

bool census_has_live_match(const struct sim_run *run)
{
    return matches_live(run->world) > 0;
}

/* --- An ended match, by its log. --- */

static bool were_both_away(const struct match *match)
{
    bool is_away[MATCH_PLAYERS_MAX] = {false};
    for (uint16_t seq = 1; seq <= match->seq; seq++) {
        struct match_log_entry entry = match_log_at(match, seq);
        if (entry.kind == MATCH_LOG_AWAY) is_away[entry.player] = true;
        if (entry.kind == MATCH_LOG_BACK || entry.kind == MATCH_LOG_GONE)
            is_away[entry.player] = false;
        if (is_away[0] && is_away[1]) return true;
    }
    return false;
}

static void count_reason(struct sim_run *run, const struct match *match)
{
    bool both_away = were_both_away(match);
    switch ((enum match_end_reason)match->reason) {
    case MATCH_END_FINISHED:
        run_count(run, COUNTER_FINISHED);
        if (both_away) run_count(run, COUNTER_BOTH_AWAY_FINISHED);
        if (match->settings.mode == MATCH_MODE_HOUSE) {
            run_count(run, COUNTER_HOUSE);
        } else {
            run_count(run, match->is_rated ? COUNTER_RATED : COUNTER_UNRATED);
        }
        break;
    case MATCH_END_FORFEIT:
        run_count(run, COUNTER_FORFEIT);
        if (both_away) run_count(run, COUNTER_BOTH_AWAY_FORFEIT);
        break;
    case MATCH_END_CANCELLED:
        run_count(run, COUNTER_CANCELLED);
        if (both_away) run_count(run, COUNTER_BOTH_AWAY_CANCELLED);
        break;
    case MATCH_END_SHUTDOWN: run_count(run, COUNTER_SHUTDOWN); break;
    case MATCH_END_NONE: break;
    }
}

static void count_restored(struct sim_run *run, const struct match *match)
{
    if (match->recovery_count == 0) return;
    if (match->reason == MATCH_END_FINISHED) run_count(run, COUNTER_RESTORED_FINISHED);
    if (match->reason == MATCH_END_CANCELLED) run_count(run, COUNTER_RESTORED_CANCELLED);
}

void census_on_note(struct sim_run *run, const struct shard_note *note)
{
    if (note->kind == NOTE_UNJOURNALED) run_count(run, COUNTER_UNJOURNALED);
    if (note->kind != NOTE_MATCH_ENDED) return;
    run->matches++;
    run->tally->matches++;
    const struct match *match = find_match(run, &note->match);
    if (match == NULL) return;
    count_reason(run, match);
    count_restored(run, match);
    for (unsigned i = 0; i < match->player_count; i++) {
        if (match->players[i].absences == ABSENCES_MAX) run_count(run, COUNTER_AWAY_64);
    }
}

void census_on_welcome(struct sim_run *run, const struct id *id)
{
    static const enum sim_counter of_state[MATCH_STATE_COUNT] = {
        [MATCH_STARTING] = COUNTER_RESUME_STARTING,   [MATCH_ASKING] = COUNTER_RESUME_ASKING,
        [MATCH_REVEALING] = COUNTER_RESUME_REVEALING, [MATCH_SETTLING] = COUNTER_RESUME_SETTLING,
        [MATCH_ENDED] = COUNTER_RESUME_ENDED,
    };
    const struct match *match = find_match(run, id);
    run_count(run, match == NULL ? COUNTER_RESUME_ENDED : of_state[match->state]);
    if (match != NULL && match->recovery_count > 0) run_count(run, COUNTER_RESUME_RESTORED);
}

/* --- A crash. --- */

static void add_figures_of_shards(struct sim_run *run);

void census_on_crash(struct sim_run *run)
{
    const struct crash_plan *plan = &run->plan;
    add_figures_of_shards(run);
    run_count(run, plan->is_power_cut ? COUNTER_POWER_CUT : COUNTER_CRASH);
    if (run->is_draining) run_count(run, COUNTER_CRASH_DRAINING);
    if (plan->replay.killed_at > 0) run_count(run, COUNTER_REPLAY_KILLED);
    if (plan->shards != 0) run_count(run, COUNTER_OTHER_SHARDS);
}

void census_on_return(struct sim_run *run)
{
    const struct world *world = run->world;
    if (census_has_live_match(run)) run_count(run, COUNTER_CRASH_LIVE);
    for (unsigned i = 0; i < world->settings.shards; i++) {
        const struct shard *shard = world->shards[i].shard;
        for (uint32_t slot = 0; slot < shard->matches.touched; slot++) {
            const struct live_match *live = pool_at(&shard->matches, slot);
            bool is_last = live != NULL && !match_is_settling(&live->hosted.match) &&
                           live->hosted.match.recovery_count == MATCH_RECOVERIES_MAX;
            if (is_last) run_count(run, COUNTER_FIFTH_CRASH);
        }
    }
    run->starts_at = world->shards[LOBBY_SHARD].shard->lobby->starts_at;
}

/* --- A world. --- */

void census_on_step(struct sim_run *run)
{
    const struct lobby *lobby = run->world->shards[LOBBY_SHARD].shard->lobby;
    if (lobby->starts_at.ms == run->starts_at.ms) return;
    run->starts_at = lobby->starts_at; /* A match was refused for want of a slot. */
    run_count(run, COUNTER_MATCHES_FULL);
}

static void add(struct sim_run *run, enum sim_counter counter, uint64_t count)
{
    run->tally->counters[counter] += count;
}

static void add_figures_of_shards(struct sim_run *run)
{
    struct world *world = run->world;
    for (unsigned i = 0; i < run->recipe.shards; i++) {
        struct shard_stats stats = stats_of(world, i);
        for (unsigned to = 0; to < run->recipe.shards; to++)
            add(run, COUNTER_MAILBOX_FULL, stats.mailbox_refused[to]);
    }
}

void census_at_end(struct sim_run *run)
{
    const struct world *world = run->world;
    add_figures_of_shards(run);
    add(run, COUNTER_REWOUND, world->rewound);
    add(run, COUNTER_NOT_RESTORED, world->not_restored);
    add(run, COUNTER_RESULT_RESTORED, world->carried_over);
    add(run, COUNTER_SAVE_FAILED, world->saves.failed);
    add(run, COUNTER_SAVE_REFUSED, world->saves.refused);
    add(run, COUNTER_SAVE_LOST, world->saves.lost);
    add(run, COUNTER_LOAD_FAILED, world->loads.failed);
    add(run, COUNTER_LOAD_REFUSED, world->loads.refused);
    add(run, COUNTER_LATE_TIMER, world->late_timers);
    add(run, COUNTER_LATE_MAILBOX, world->late_records);
}
