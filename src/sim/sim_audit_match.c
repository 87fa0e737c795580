/* Matches that run, and those that have ended and are kept. After an iteration of their shard. */

#include "sim_audit_priv.h"
#include "sim_failed.h"

enum {
    /* A save that failed is tried again after a second, and a record takes some turns. */
    END_SLACK_MS = 2 * MATCH_SAVE_RETRY_MS,
};

static const char *state_of(const struct live_match *live)
{
    return match_state_name((enum match_state)live->hosted.match.state);
}

static bool is_in_play(const struct match *match)
{
    return !match_is_settling(match);
}

/* --- One that runs. --- */

static void a_match_with_events_is_runnable(const struct live_match *live)
{
    if (ring_count(&live->events) > 0 && !list_is_linked(&live->run_node))
        sim_failed("a match with events is runnable: %u events, %s", ring_count(&live->events),
                   state_of(live));
}

static void a_ring_holds_what_its_seats_count(const struct live_match *live)
{
    const struct ring *ring = &live->events;
    unsigned queued = 0;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct seat *seat = &live->hosted.seats[i];
        queued += seat->events_queued;
        if (seat->events_queued > CLIENT_EVENTS_PER_PLAYER ||
            seat->stale_events > seat->events_queued)
            sim_failed("no player has more events in a ring than its share: %u",
                       seat->events_queued);
    }
    const struct ring_store *store = ring->store;
    if (ring->client_count != queued || ring->client_count > store->slots - store->reserve ||
        ring->reserved_count > store->reserve)
        sim_failed("a ring holds what its seats count: %u of clients, %u of the server's own",
                   ring->client_count, ring->reserved_count);
}

/* Or the event that comes of it is queued. */
static void a_match_waits_for_something(const struct live_match *live)
{
    const struct match *match = &live->hosted.match;
    bool has_event = ring_count(&live->events) > 0 || list_is_linked(&live->run_node);
    bool is_waiting = wheel_is_armed(&live->phase) || (match->is_saving && !is_in_play(match));
    if (!has_event && !is_waiting)
        sim_failed("a match waits for something: not in %s", state_of(live));
}

static void a_grace_is_armed_while_its_player_is_away(const struct live_match *live)
{
    const struct match *match = &live->hosted.match;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        if (match->players[i].is_bot) continue;
        bool is_due = is_in_play(match) && match->players[i].presence == PRESENCE_AWAY;
        bool is_armed = wheel_is_armed(&live->seat_timers[i]);
        if (is_armed && !is_due)
            sim_failed("a timer belongs to what lives: a grace of one who is not away");
        if (is_due && !is_armed && ring_count(&live->events) == 0)
            sim_failed("a grace is armed while its player is away: not that of player %u", i);
    }
}

static void a_bot_answers_in_its_round_alone(const struct live_match *live)
{
    const struct match *match = &live->hosted.match;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        bool is_armed = match->players[i].is_bot && wheel_is_armed(&live->seat_timers[i]);
        if (is_armed && !is_in_play(match))
            sim_failed("a timer belongs to what lives: a bot's in %s", state_of(live));
    }
}

/* What is owed is on a list, where the next iteration finds it. */
static void what_is_owed_is_listed(const struct hosted *hosted)
{
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct seat *seat = &hosted->seats[i];
        if (seat->reply_count > REPLIES_PER_SEAT || seat->handed_seq > hosted->announced_seq)
            sim_failed("no queue is above its bound: %u replies", seat->reply_count);
        if (seat_is_owed(hosted, i) && !list_is_linked(&hosted->owed_node))
            sim_failed("what is owed is listed: not what seat %u is owed", i);
    }
}

static void every_message_is_announced(const struct live_match *live)
{
    if (live->hosted.announced_seq == live->hosted.match.seq) return;
    sim_failed("every message is announced: %u of %u", live->hosted.announced_seq,
               live->hosted.match.seq);
}

static void what_has_ended_lets_go(const struct live_match *live)
{
    const struct hosted *hosted = &live->hosted;
    bool has_timer = wheel_is_armed(&live->phase);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++)
        has_timer = has_timer || wheel_is_armed(&live->seat_timers[i]);
    /* Where there is no room to keep it, it stays for a while, and is run again. */
    if (has_timer || live->is_retired || !list_is_linked(&live->run_node) ||
        hosted->match.state != MATCH_ENDED)
        sim_failed("what has ended lets go: a match that is over holds its slot");
}

/* --- Its time. --- */

static struct match_watch *watch_of(struct shard_watch *watch, const struct audit *audit,
                                    const struct live_match *live)
{
    struct match_watch *at = &watch->matches[live->hosted.self.slot];
    if (!handle_equal(at->match, live->hosted.self))
        *at = (struct match_watch){live->hosted.self, watch->stalled_ms, audit->outage_ms,
                                   audit->outages};
    return at;
}

static void a_match_ends_in_time(const struct shard *shard, struct shard_watch *watch,
                                 const struct audit *audit, const struct live_match *live)
{
    const struct match_watch *since = watch_of(watch, audit, live);
    uint64_t most_ms = shard_longest_match_ms(&shard->settings) + END_SLACK_MS +
                       audit->world->settings.sync_ms + (watch->stalled_ms - since->stalled_ms) +
                       (audit->outage_ms - since->outage_ms) +
                       (audit->outages - since->outages) * END_SLACK_MS;
    /* Where the process was gone meanwhile, all that is given anew is no more than a match's length. */
    mono_time since_at = live->hosted.match.created_at;
    if (mono_is_before(since_at, audit->began_at)) since_at = audit->began_at;
    uint64_t took_ms = mono_elapsed(since_at, shard->now);
    if (took_ms > most_ms)
        sim_failed("a match ends in time: after %u ms it is %s, at most were %u", (unsigned)took_ms,
                   state_of(live), (unsigned)most_ms);
}

/* --- All of them. --- */

static void counters_equal_a_recount(const struct shard *shard,
                                     const uint32_t states[MATCH_STATE_COUNT], uint32_t live_count,
                                     unsigned runnable)
{
    for (unsigned i = 0; i < MATCH_STATE_COUNT; i++) {
        if (shard->counters.matches[i] != states[i])
            sim_failed("counters equal a recount: %u matches are %s, counted are %u", states[i],
                       match_state_name((enum match_state)i), shard->counters.matches[i]);
    }
    if (live_count != shard->matches.used)
        sim_failed("counters equal a recount: %u matches", live_count);
    if (list_length(&shard->runnable) != runnable)
        sim_failed("no match is in a list twice: %u are runnable", runnable);
}

void match_audit(const struct shard *shard, struct shard_watch *watch, const struct audit *audit)
{
    uint32_t states[MATCH_STATE_COUNT] = {0};
    uint32_t count = 0, storages = 0;
    unsigned runnable = 0;
    for (uint32_t slot = 0; slot < shard->matches.touched; slot++) {
        const struct live_match *live = pool_at(&shard->matches, slot);
        if (live == NULL) continue;
        count++;
        states[live->hosted.match.state]++;
        runnable += list_is_linked(&live->run_node);
        storages += ring_count(&live->events) > 0;
        a_ring_holds_what_its_seats_count(live);
        a_match_with_events_is_runnable(live);
        every_message_is_announced(live);
        if (live->hosted.is_ended) {
            what_has_ended_lets_go(live);
            continue;
        }
        what_is_owed_is_listed(&live->hosted);
        a_match_waits_for_something(live);
        a_grace_is_armed_while_its_player_is_away(live);
        a_bot_answers_in_its_round_alone(live);
        a_match_ends_in_time(shard, watch, audit, live);
    }
    counters_equal_a_recount(shard, states, count, runnable);
    if (shard->rings.pool.used != storages)
        sim_failed("a ring has storage only while it holds something: %u do, lent are %u", storages,
                   shard->rings.pool.used);
    if (!list_is_empty(&shard->retired_matches))
        sim_failed("what has ended lets go: a retired match was not released");
}

static void an_ended_match_is_found_and_awaited(const struct shard *shard,
                                                const struct ended_match *ended)
{
    const struct hosted *hosted = &ended->hosted;
    uint32_t slot = 0;
    bool is_found = map_find(&shard->ended_ids, &hosted->match.id, &slot) &&
                    slot == hosted->self.slot && hosted->is_kept && hosted->is_ended;
    if (!is_found)
        sim_failed("pools hold what is reachable: an ended match is not found by its id");
    bool is_awaited = false;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++)
        is_awaited = is_awaited || !hosted->seats[i].is_seen;
    if (!is_awaited) sim_failed("what everybody has seen is forgotten: an ended match is kept");
}

void ended_audit(const struct shard *shard)
{
    uint32_t count = 0;
    mono_time last = {0};
    for (const struct list *node = shard->ended_by_age.next; node != &shard->ended_by_age;
         node = node->next) {
        const struct ended_match *ended = LIST_ITEM(node, struct ended_match, age_node);
        count++;
        if (mono_is_before(ended->ended_at, last))
            sim_failed("the oldest comes first: an ended match stands behind a newer one");
        last = ended->ended_at;
        an_ended_match_is_found_and_awaited(shard, ended);
        what_is_owed_is_listed(&ended->hosted);
    }
    if (count != shard->ended.used || count != shard->ended_ids.count)
        sim_failed("pools hold what is reachable: %u ended matches of %u", count,
                   shard->ended.used);
    if (wheel_is_armed(&shard->ended_timer) != (count > 0))
        sim_failed("a timer belongs to what lives: that of ended matches");
}
