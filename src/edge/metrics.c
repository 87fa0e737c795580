/* The figures as Prometheus text (exposition format 0.0.4), from what each worker published last.
 */

#include <stdio.h>
#include <stdlib.h>

#include "worker_priv.h"

struct figures {
    FILE *out;
    unsigned count;
    const struct worker_stats *stats;
};

static void describe(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A figure per shard, at a fixed place of struct worker_stats. */
struct row {
    const char *name;
    const char *type;
    const char *help;
    size_t offset;
    bool is_wide; /* uint64_t, not uint32_t. */
};

#define NARROW(name, type, member, help)                                                           \
    {                                                                                              \
        name, type, help, offsetof(struct worker_stats, member), false                             \
    }
#define WIDE(name, type, member, help)                                                             \
    {                                                                                              \
        name, type, help, offsetof(struct worker_stats, member), true                              \
    }
#define DEPTH(name, member, what)                                                                  \
    NARROW(name, "gauge", member.now, what ", in use."),                                           \
        NARROW(name "_max", "gauge", member.max, what ", the most ever in use."),                  \
        NARROW(name "_bound", "gauge", member.bound, what ", the bound.")

static const struct row rows[] = {
    NARROW("quizrush_connections", "gauge", connections, "Open WebSocket connections."),
    NARROW("quizrush_leaving", "gauge", leaving,
           "Of them: those that are being closed, whose peer has not gone yet."),
    NARROW("quizrush_leaving_max", "gauge", leaving_max, "The most of them ever."),
    WIDE("quizrush_leaving_dropped_total", "counter", leaving_dropped,
         "Those whose peer was told and did not go in time."),
    NARROW("quizrush_half_open", "gauge", half_open, "Connections without an HTTP head yet."),
    NARROW("quizrush_half_open_max", "gauge", half_open_max_seen, "The most of them ever."),
    NARROW("quizrush_half_open_bound", "gauge", half_open_bound, "Their bound."),
    WIDE("quizrush_accepted_total", "counter", accepted, "Connections accepted."),
    WIDE("quizrush_refused_full_total", "counter", refused_full,
         "Handshakes answered with 503, or 1013 right behind them."),
    WIDE("quizrush_turned_away_total", "counter", shard.turned_away,
         "Who said hello where there was room for who comes back to a match only."),
    NARROW("quizrush_returning", "gauge", shard.returning.now,
           "Connections that are there to come back to a match, and have not yet."),
    NARROW("quizrush_returning_max", "gauge", shard.returning.max, "The most of them ever."),
    NARROW("quizrush_returning_bound", "gauge", returning_bound, "Their bound."),
    NARROW("quizrush_crowded", "gauge", is_crowded,
           "1 while new players are turned away because the loop lags."),
    WIDE("quizrush_crowds_total", "counter", crowds, "How often that began."),
    NARROW("quizrush_loop_lag_us", "gauge", lag_us,
           "How long what is ready waits for the loop, the mean of half a second."),
    WIDE("quizrush_accept_failed_total", "counter", accept_failed,
         "Times that no file or memory was left for a connection."),
    WIDE("quizrush_adopt_failed_total", "counter", adopt_failed,
         "Connections that were lost between their head and the handshake."),
    WIDE("quizrush_refused_handshake_total", "counter", refused_handshake,
         "Bad handshakes refused."),
    WIDE("quizrush_handshake_timeouts_total", "counter", handshake_timeouts,
         "Heads that never came."),
    NARROW("quizrush_listen_queue", "gauge", listen_queue, "Connections that wait to be accepted."),
    NARROW("quizrush_listen_queue_max", "gauge", listen_queue_max,
           "The most of them ever, looked at once a second."),
    NARROW("quizrush_listen_queue_bound", "gauge", listen_queue_bound, "Their bound."),
    NARROW("quizrush_assemblies", "gauge", assemblies, "Messages that have come in part."),
    NARROW("quizrush_assemblies_max", "gauge", assemblies_max, "The most of them ever."),
    NARROW("quizrush_assemblies_bound", "gauge", assemblies_bound, "Their bound."),
    WIDE("quizrush_assembly_refused_total", "counter", assembly_refused,
         "Connections closed for want of room for a message in pieces."),
    WIDE("quizrush_loop_turns_total", "counter", turns, "Turns of the loop."),
    WIDE("quizrush_loop_lag_ms_max", "gauge", loop_lag_ms_max,
         "The longest turn of the loop in the last second."),
    WIDE("quizrush_timer_lateness_ms_max", "gauge", shard.timers_late_ms_max,
         "The latest timer of the last second."),
    NARROW("quizrush_timers_live", "gauge", shard.timers_live, "Armed timers."),
    NARROW("quizrush_timers_live_max", "gauge", shard.timers_max, "The most timers ever armed."),
    NARROW("quizrush_tokens_live", "gauge", shard.tokens_live, "Live cancellation tokens."),
    NARROW("quizrush_tokens_live_max", "gauge", shard.tokens_max, "The most tokens ever live."),
    NARROW("quizrush_lingering", "gauge", shard.lingering,
           "Players whose connection is gone and whose place is not given back yet."),
    DEPTH("quizrush_session_slots", shard.session_slots, "Slots for connections"),
    DEPTH("quizrush_match_slots", shard.match_slots, "Slots for matches"),
    DEPTH("quizrush_ended_slots", shard.ended_slots,
          "Ended matches kept for who has not seen them"),
    DEPTH("quizrush_standing_slots", shard.standing_slots, "Players on their way between sessions"),
    NARROW("quizrush_away_tickets", "gauge", shard.away_tickets.now, "Tickets of lost players."),
    NARROW("quizrush_away_tickets_bound", "gauge", shard.away_tickets.bound, "Their bound."),
    DEPTH("quizrush_ticket_slots", shard.ticket_slots, "Slots for tickets"),
    DEPTH("quizrush_offer_slots", shard.offer_slots, "Slots for offers"),
    DEPTH("quizrush_presence_slots", shard.presence_slots, "Slots for players' homes"),
    DEPTH("quizrush_frames_small", shard.frames[0], "Small frames"),
    DEPTH("quizrush_frames_medium", shard.frames[1], "Medium frames"),
    DEPTH("quizrush_frames_large", shard.frames[2], "Large frames"),
    NARROW("quizrush_outbox_depth_max", "gauge", shard.outbox.max, "The fullest outbox ever."),
    NARROW("quizrush_outbox_bound", "gauge", shard.outbox.bound, "An outbox's bound."),
    NARROW("quizrush_ring_depth_max", "gauge", shard.ring.max, "The fullest match ring ever."),
    NARROW("quizrush_ring_bound", "gauge", shard.ring.bound, "A match ring's bound."),
    WIDE("quizrush_messages_in_total", "counter", shard.messages_in, "Messages from players."),
    WIDE("quizrush_frames_out_total", "counter", shard.frames_out, "Messages to players."),
    WIDE("quizrush_answers_total", "counter", shard.answers, "Answers that reached their match."),
    WIDE("quizrush_matches_started_total", "counter", shard.matches_started, "Matches started."),
    WIDE("quizrush_match_faults_total", "counter", shard.match_faults, "Matches found broken."),
    WIDE("quizrush_dropped_total", "counter", shard.droppable_dropped,
         "Droppable messages dropped."),
    WIDE("quizrush_slow_readers_total", "counter", shard.slow_readers,
         "Players disconnected because they read too slowly."),
};

static void print_rows(const struct figures *figures)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        describe(figures->out, row->name, row->type, row->help);
        for (unsigned shard = 0; shard < figures->count; shard++) {
            const char *at = (const char *)&figures->stats[shard] + row->offset;
            unsigned long long value = row->is_wide ? *(const uint64_t *)(const void *)at
                                                    : *(const uint32_t *)(const void *)at;
            fprintf(figures->out, "%s{shard=\"%u\"} %llu\n", row->name, shard, value);
        }
    }
}

/* A histogram per shard, likewise. */
struct spread {
    const char *name;
    const char *help;
    size_t offset;
};

static const struct spread spreads[] = {
    {"quizrush_loop_turn_seconds", "Turns of the loop, from the return of the wait to their end.",
     offsetof(struct worker_stats, turns_took)},
    {"quizrush_arrival_to_write_seconds",
     "From the return of the wait that brought a player's message to the write of what it caused.",
     offsetof(struct worker_stats, arrival_to_write)},
    {"quizrush_hello_to_write_seconds",
     "The same of a connection's first message, whose answer waits for the database.",
     offsetof(struct worker_stats, hello_to_write)},
};

static void print_spread(FILE *out, const char *name, unsigned shard,
                         const struct histogram *histogram)
{
    unsigned long long count = 0;
    for (unsigned i = 0; i < HISTOGRAM_BOUNDS; i++) {
        count += histogram->counts[i];
        fprintf(out, "%s_bucket{shard=\"%u\",le=\"%g\"} %llu\n", name, shard,
                (double)histogram_bounds_us[i] / 1e6, count);
    }
    count += histogram->counts[HISTOGRAM_BUCKETS - 1];
    fprintf(out, "%s_bucket{shard=\"%u\",le=\"+Inf\"} %llu\n", name, shard, count);
    fprintf(out, "%s_sum{shard=\"%u\"} %.6f\n", name, shard, (double)histogram->sum_us / 1e6);
    fprintf(out, "%s_count{shard=\"%u\"} %llu\n", name, shard, count);
}

static void print_spreads(const struct figures *figures)
{
    for (size_t i = 0; i < sizeof(spreads) / sizeof(spreads[0]); i++) {
        describe(figures->out, spreads[i].name, "histogram", spreads[i].help);
        for (unsigned shard = 0; shard < figures->count; shard++) {
            const char *at = (const char *)&figures->stats[shard] + spreads[i].offset;
            print_spread(figures->out, spreads[i].name, shard,
                         (const struct histogram *)(const void *)at);
        }
    }
}

static void print_states(const struct figures *figures)
{
    describe(figures->out, "quizrush_players", "gauge", "Players by state.");
    for (unsigned shard = 0; shard < figures->count; shard++) {
        for (unsigned state = 0; state < SESSION_STATE_COUNT; state++) {
            fprintf(figures->out, "quizrush_players{shard=\"%u\",state=\"%s\"} %u\n", shard,
                    session_state_name((enum session_state)state),
                    figures->stats[shard].shard.sessions[state]);
        }
    }
    describe(figures->out, "quizrush_matches", "gauge", "Matches by state.");
    for (unsigned shard = 0; shard < figures->count; shard++) {
        for (unsigned state = 0; state < MATCH_STATE_COUNT; state++) {
            fprintf(figures->out, "quizrush_matches{shard=\"%u\",state=\"%s\"} %llu\n", shard,
                    match_state_name((enum match_state)state),
                    (unsigned long long)figures->stats[shard].shard.matches[state]);
        }
    }
}

static void print_refusals(const struct figures *figures)
{
    describe(figures->out, "quizrush_refusals_total", "counter", "Requests refused.");
    for (unsigned shard = 0; shard < figures->count; shard++) {
        for (unsigned refusal = REFUSAL_NONE + 1; refusal < REFUSAL_COUNT; refusal++) {
            fprintf(figures->out, "quizrush_refusals_total{shard=\"%u\",code=\"%s\"} %llu\n", shard,
                    refusal_code((enum refusal)refusal),
                    (unsigned long long)figures->stats[shard].shard.refusals[refusal]);
        }
    }
}

static void print_ends(const struct figures *figures)
{
    describe(figures->out, "quizrush_matches_ended_total", "counter", "Matches ended.");
    for (unsigned shard = 0; shard < figures->count; shard++) {
        for (unsigned reason = MATCH_END_FINISHED; reason <= MATCH_END_SHUTDOWN; reason++) {
            fprintf(figures->out, "quizrush_matches_ended_total{shard=\"%u\",reason=\"%s\"} %llu\n",
                    shard, match_end_reason_name((enum match_end_reason)reason),
                    (unsigned long long)figures->stats[shard].shard.matches_ended[reason]);
        }
    }
}

static void print_mailboxes(const struct figures *figures)
{
    static const struct {
        const char *name, *type, *help;
    } kinds[] = {
        {"quizrush_mailbox_bytes", "gauge", "Bytes waiting from one shard for another."},
        {"quizrush_mailbox_bytes_max", "gauge", "The most bytes that ever waited."},
        {"quizrush_mailbox_bytes_bound", "gauge", "Their bound."},
        {"quizrush_mailbox_refused_total", "counter", "Records that found no room, and were kept."},
    };
    for (unsigned kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
        describe(figures->out, kinds[kind].name, kinds[kind].type, kinds[kind].help);
        for (unsigned from = 0; from < figures->count; from++) {
            const struct shard_stats *stats = &figures->stats[from].shard;
            for (unsigned to = 0; to < figures->count; to++) {
                unsigned long long values[] = {stats->mailbox_used[to], stats->mailbox_used_max[to],
                                               stats->mailbox_bound, stats->mailbox_refused[to]};
                fprintf(figures->out, "%s{from=\"%u\",to=\"%u\"} %llu\n", kinds[kind].name, from,
                        to, values[kind]);
            }
        }
    }
}

static void print_one(FILE *out, const char *name, const char *type, const char *help,
                      unsigned long long value)
{
    describe(out, name, type, help);
    fprintf(out, "%s %llu\n", name, value);
}

static void print_links(FILE *out, const struct store_server_stats *server)
{
    static const char *const links[STORE_LINK_STATES] = {"down",  "connecting", "preparing",
                                                         "ready", "busy",       "cancelling"};
    static const char *const breakers[BREAKER_STATES] = {"closed", "open", "half_open"};
    describe(out, "quizrush_store_connections", "gauge",
             "Connections to the database's server, by state.");
    for (unsigned i = 0; i < STORE_LINK_STATES; i++) {
        fprintf(out, "quizrush_store_connections{state=\"%s\"} %u\n", links[i],
                server->links_in[i]);
    }
    describe(out, "quizrush_store_breakers", "gauge", "Shards by the state of their breaker.");
    for (unsigned i = 0; i < BREAKER_STATES; i++) {
        fprintf(out, "quizrush_store_breakers{state=\"%s\"} %u\n", breakers[i],
                server->breakers_in[i]);
    }
}

static void print_took(FILE *out, const struct store_server_stats *server)
{
    static const char *const most_s[STORE_TOOK_BUCKETS] = {"0.001", "0.005", "0.025", "0.1",
                                                           "0.5",   "2.5",   "+Inf"};
    unsigned long long count = 0;
    describe(out, "quizrush_store_call_seconds", "histogram",
             "How long look-ups and results took, from the call to the answer.");
    for (unsigned i = 0; i < STORE_TOOK_BUCKETS; i++) {
        count += server->took[i];
        fprintf(out, "quizrush_store_call_seconds_bucket{le=\"%s\"} %llu\n", most_s[i], count);
    }
    fprintf(out, "quizrush_store_call_seconds_sum %.3f\nquizrush_store_call_seconds_count %llu\n",
            (double)server->took_ms / 1000.0, count);
}

/* Of a store that asks a server. */
static void print_server(FILE *out, const struct store_server_stats *server)
{
    print_links(out, server);
    print_took(out, server);
    print_one(out, "quizrush_store_connected_total", "counter", "Connections made.",
              server->connected);
    print_one(out, "quizrush_store_connections_lost_total", "counter",
              "Connections lost, and tries to connect that failed.", server->lost);
    print_one(out, "quizrush_store_breakers_opened_total", "counter",
              "How often a server was left alone because it failed.", server->breakers_opened);
    print_one(out, "quizrush_store_timed_out_total", "counter",
              "Look-ups and results that found their deadline.", server->timed_out);
    print_one(out, "quizrush_store_cancelled_total", "counter",
              "Queries that were ended at the server.", server->cancelled);
    print_one(out, "quizrush_store_conflicts_total", "counter",
              "Results that found a row changed and were computed anew.", server->conflicts);
}

static void print_process(FILE *out, const struct worker_shared *shared)
{
    struct store_stats store;
    shared->store->class->stats(shared->store, &store);
    print_one(out, "quizrush_max_connections", "gauge", "The bound of players connected.",
              shared->connections_max);
    print_one(out, "quizrush_draining", "gauge", "1 while the server takes no new matches.",
              atomic_load(&shared->is_draining) ? 1 : 0);
    print_one(out, "quizrush_store_queued", "gauge", "Results that wait for the store.",
              store.queued);
    print_one(out, "quizrush_store_queued_max", "gauge", "The most that ever waited.",
              store.queued_max);
    print_one(out, "quizrush_store_queue_bound", "gauge", "The bound of both.", store.queue_slots);
    print_one(out, "quizrush_store_loads_queued", "gauge", "Look-ups that wait for the store.",
              store.loads_queued);
    print_one(out, "quizrush_store_loads_queued_max", "gauge", "The most that ever waited.",
              store.loads_queued_max);
    print_one(out, "quizrush_store_loaded_total", "counter", "Look-ups answered.", store.loaded);
    print_one(out, "quizrush_store_loads_failed_total", "counter", "Look-ups that failed.",
              store.loads_failed);
    print_one(out, "quizrush_store_loads_refused_total", "counter",
              "Look-ups that found their queue full.", store.loads_refused);
    print_one(out, "quizrush_store_saved_total", "counter", "Results saved.", store.saved);
    print_one(out, "quizrush_store_failed_total", "counter", "Results that failed to be saved.",
              store.failed);
    print_one(out, "quizrush_store_refused_total", "counter", "Results that found the queue full.",
              store.refused);
    print_one(out, "quizrush_store_commits_total", "counter", "Transactions.", store.commits);
    print_one(out, "quizrush_store_pruned_total", "counter", "Rows deleted for their age.",
              store.pruned);
    print_one(out, "quizrush_store_prunes_failed_total", "counter",
              "Deletions of old rows that failed, and are tried again.", store.prunes_failed);
    if (store.server.links > 0) print_server(out, &store.server);
}

static void print_journal(FILE *out, const struct worker_shared *shared)
{
    struct store_stats store;
    shared->store->class->stats(shared->store, &store);
    const struct store_journal_stats *journal = &store.journal;
    print_one(out, "quizrush_journal_bytes", "gauge", "Of all files of the journal.",
              journal->bytes);
    print_one(out, "quizrush_journal_bytes_bound", "gauge", "The most there may be.",
              journal->bytes_max);
    print_one(out, "quizrush_journal_full", "gauge", "1 while its next file cannot be allocated.",
              journal->is_full ? 1 : 0);
    print_one(out, "quizrush_journal_records_total", "counter", "Records written.",
              journal->records);
    print_one(out, "quizrush_journal_refused_total", "counter", "Records that found no room.",
              journal->refused);
    print_one(out, "quizrush_journal_syncs_total", "counter", "Times it was synced.",
              journal->syncs);
    print_one(out, "quizrush_journal_sync_us_max", "gauge",
              "The longest sync since the last look, in microseconds.", journal->sync_us_max);
    print_one(out, "quizrush_journal_results_waiting", "gauge",
              "Results in the journal that the database has not yet.", journal->results_waiting);
    print_one(out, "quizrush_journal_results_retried_total", "counter",
              "Results that the database refused, to be tried again.", journal->results_retried);
    print_one(out, "quizrush_journal_loads_waiting", "gauge",
              "Look-ups of players whose results are on their way.", journal->loads_waiting);
}

char *metrics_render(const struct worker_shared *shared)
{
    char *text = NULL;
    size_t size = 0;
    struct worker_stats *stats = calloc(shared->count, sizeof(*stats));
    FILE *out = open_memstream(&text, &size);
    if (stats == NULL || out == NULL) {
        if (out != NULL) (void)fclose(out); /* Nothing was written. */
        free(text);
        free(stats);
        return NULL;
    }
    for (unsigned i = 0; i < shared->count; i++) worker_stats(shared->workers[i], &stats[i]);
    struct figures figures = {out, shared->count, stats};
    print_rows(&figures);
    print_spreads(&figures);
    print_states(&figures);
    print_refusals(&figures);
    print_ends(&figures);
    print_mailboxes(&figures);
    print_process(out, shared);
    print_journal(out, shared);
    free(stats);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
