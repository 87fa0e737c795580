/* What a connection does at a time: what goes into its pipeline, and what comes back.
 *
 * Results are saved in two steps, which are one round trip each however many results there are.
 * JOB_READ: which matches are there already, and the rows of all their players. JOB_WRITE: one
 * transaction a result, computed from these rows, or from what the results before it in the
 * pipeline make of them; none of them waits for the disk, but one more behind them does, for all:
 * they are answered when that is committed. A transaction fails where a row has another version by then; its result is
 * queued again, and is read and computed anew. */

#include <stdio.h>
#include <string.h>

#include "postgres_shard_priv.h"

/* How often the server looks, while it runs a query, whether anybody is still there. */
static const char check_interval_ms[] = "25";
enum { CHECK_INTERVAL_SINCE = 140000 };

static void begin(struct link *link, enum job_kind kind)
{
    struct job *job = &link->job;
    job->kind = (uint8_t)kind;
    job->count = job->segment = job->syncs = job->command = job->player_count = 0;
    job->sqlstate[0] = job->problem[0] = '\0';
    job->version = -1;
}

static bool end_segment(struct link *link)
{
    link->job.syncs++;
    return PQpipelineSync(link->conn) == 1;
}

/* --- Small ones. --- */

bool job_begin_prepare(struct link *link)
{
    char timeout[16];
    (void)snprintf(timeout, sizeof timeout, "%u", link->shard->timeout_ms);
    begin(link, JOB_PREPARE);
    bool is_sent = statement_send_prepare_version(link->conn) &&
                   statement_send_version(link->conn) && end_segment(link) &&
                   statement_send_prepare(link->conn) &&
                   statement_send_set(link->conn, "statement_timeout", timeout);
    if (is_sent && PQserverVersion(link->conn) >= CHECK_INTERVAL_SINCE) {
        is_sent =
            statement_send_set(link->conn, "client_connection_check_interval", check_interval_ms);
    }
    return is_sent && end_segment(link);
}

bool job_begin_probe(struct link *link)
{
    begin(link, JOB_PROBE);
    return statement_send_version(link->conn) && end_segment(link);
}

bool job_begin_cancel(struct link *link, const struct link *target)
{
    begin(link, JOB_CANCEL);
    link->job.target = target->index;
    link->job.target_serial = target->serial;
    return statement_send_cancel(link->conn, PQbackendPID(target->conn)) && end_segment(link);
}

bool job_begin_prune(struct link *link)
{
    const struct postgres_shard *shard = link->shard;
    struct id kept;
    begin(link, JOB_PRUNE);
    link->job.pruned = 0;
    if (prune_oldest_kept(shard->keep.matches_days, shard->now(), &kept) &&
        !statement_send_prune_matches(link->conn, &kept)) {
        return false;
    }
    if (prune_oldest_kept(shard->keep.answers_days, shard->now(), &kept) &&
        !statement_send_prune_answers(link->conn, &kept)) {
        return false;
    }
    return end_segment(link);
}

/* --- Look-ups: each a segment. --- */

bool job_begin_look_ups(struct link *link)
{
    struct job *job = &link->job;
    begin(link, JOB_LOOK_UPS);
    while (job->count < JOB_CALLS_MAX) {
        struct call *call = calls_take(link->shard, STORE_LOADED);
        if (call == NULL) break;
        job->calls[job->count++] = call;
        if (!statement_send_read(link->conn, &call->player) || !end_segment(link)) return false;
    }
    return true;
}

/* --- Results. --- */

static struct stored_player *find_player(struct job *job, const struct id *player)
{
    for (unsigned i = 0; i < job->player_count; i++) {
        if (id_equal(&job->players[i].player, player)) return &job->players[i];
    }
    return NULL;
}

static void add_players(struct job *job, const struct match_result *result)
{
    for (unsigned place = 0; place < result->player_count; place++) {
        const struct id *player = &result->players[place].player;
        if (result->players[place].is_bot || find_player(job, player) != NULL) continue;
        job->players[job->player_count++] = (struct stored_player){.player = *player};
    }
}

bool job_begin_results(struct link *link)
{
    struct job *job = &link->job;
    begin(link, JOB_READ);
    while (job->count < JOB_RESULTS_MAX) {
        struct call *call = calls_take(link->shard, STORE_SAVED);
        if (call == NULL) break;
        job->calls[job->count++] = call;
        add_players(job, call->result);
    }
    for (unsigned i = 0; i < job->count; i++) {
        if (!statement_send_exists(link->conn, &job->calls[i]->result->match)) return false;
    }
    for (unsigned i = 0; i < job->player_count; i++) {
        if (!statement_send_read(link->conn, &job->players[i].player)) return false;
    }
    return end_segment(link);
}

static bool send_result(struct link *link, const struct match_result *result)
{
    struct stored_player *players[MATCH_PLAYERS_MAX] = {NULL};
    for (unsigned place = 0; place < result->player_count; place++) {
        players[place] = find_player(&link->job, &result->players[place].player);
    }
    return statement_send_result(link->conn, result, players) &&
           statement_send_unsynced(link->conn) && end_segment(link);
}

/* Also what was found there: whoever committed it may not have waited for the disk either. */
static bool begin_write(struct link *link)
{
    struct job *job = &link->job;
    job->kind = JOB_WRITE;
    job->segment = job->segment_count = 0;
    for (unsigned i = 0; i < job->count; i++) {
        if (job->is_saved[i]) continue;
        job->segment_calls[job->segment_count++] = i;
        if (!send_result(link, job->calls[i]->result)) return false;
    }
    return statement_send_sync(link->conn) && end_segment(link);
}

/* --- What a segment came to. --- */

enum outcome {
    OUTCOME_DONE,
    OUTCOME_AGAIN,   /* Somebody else was first, or it was cancelled for another's sake. */
    OUTCOME_REFUSED, /* For what is in it. */
    OUTCOME_FAILED,
    OUTCOME_LOST, /* The connection is none that can be used. */
};

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static enum outcome outcome_of(const struct job *job)
{
    static const struct {
        const char *sqlstate; /* Its beginning: PostgreSQL's documentation, appendix A. */
        enum outcome outcome;
    } outcomes[] = {
        {"08", OUTCOME_LOST},     /* Connection exception. */
        {"57P", OUTCOME_LOST},    /* The server stops, or starts. */
        {"25006", OUTCOME_LOST},  /* It has become a standby that only reads. */
        {"26", OUTCOME_LOST},     /* Our statements are gone: a pooler gave us another session. */
        {"0A000", OUTCOME_LOST},  /* They are for tables that have changed. */
        {"40", OUTCOME_AGAIN},    /* A conflict, or a deadlock. */
        {"57014", OUTCOME_AGAIN}, /* Cancelled; a call's deadline is looked at elsewhere. */
        {"22", OUTCOME_REFUSED},  /* Data exception. */
        {"23", OUTCOME_REFUSED},  /* Integrity constraint. */
        {"P0", OUTCOME_REFUSED},  /* Raised by a trigger. */
    };
    if (job->sqlstate[0] == '\0') return OUTCOME_DONE;
    /* The match itself: saved since it was asked for. */
    if (job->kind == JOB_WRITE && job->failed_command == 0 && strcmp(job->sqlstate, "23505") == 0) {
        return OUTCOME_AGAIN;
    }
    for (unsigned i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        if (begins_with(job->sqlstate, outcomes[i].sqlstate)) return outcomes[i].outcome;
    }
    return OUTCOME_FAILED;
}

static void note_error(struct job *job, const PGresult *result)
{
    if (job->sqlstate[0] != '\0') return;
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (message == NULL) message = PQresultErrorMessage(result);
    /* Without one it is libpq's own: the connection is gone. */
    (void)snprintf(job->sqlstate, sizeof job->sqlstate, "%s",
                   sqlstate != NULL ? sqlstate : "08006");
    (void)snprintf(job->problem, sizeof job->problem, "%s", message);
    job->failed_command = job->command;
}

static void on_rows(struct link *link, const PGresult *result)
{
    struct job *job = &link->job;
    switch ((enum job_kind)job->kind) {
    case JOB_PREPARE:
        if (job->segment == 0) job->version = statement_version_of(result);
        return;
    case JOB_PROBE: job->version = statement_version_of(result); return;
    case JOB_LOOK_UPS: statement_player_of(result, &job->players[0]); return;
    case JOB_READ:
        if (job->command < job->count) {
            job->is_saved[job->command] = PQntuples(result) > 0;
        } else if (job->command - job->count < job->player_count) {
            statement_player_of(result, &job->players[job->command - job->count]);
        }
        return;
    case JOB_PRUNE: job->pruned += statement_count_of(result); return;
    case JOB_NONE:
    case JOB_WRITE:
    case JOB_CANCEL: return;
    }
}

bool job_on_result(struct link *link, const PGresult *result)
{
    struct job *job = &link->job;
    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK: break;
    case PGRES_TUPLES_OK: on_rows(link, result); break;
    case PGRES_PIPELINE_ABORTED: break; /* The segment's error came before. */
    case PGRES_FATAL_ERROR: note_error(job, result); break;
    case PGRES_EMPTY_QUERY:
    case PGRES_COPY_OUT:
    case PGRES_COPY_IN:
    case PGRES_COPY_BOTH:
    case PGRES_BAD_RESPONSE:
    case PGRES_NONFATAL_ERROR:
    case PGRES_SINGLE_TUPLE:
    case PGRES_PIPELINE_SYNC:
        (void)snprintf(job->problem, sizeof job->problem, "unexpected: %s",
                       PQresStatus(PQresultStatus(result)));
        return false;
    }
    job->command++;
    return true;
}

/* --- At a segment's end. --- */

static bool end_prepare(struct job *job)
{
    if (strcmp(job->sqlstate, "42P01") == 0 && job->segment == 0) job->version = 0;
    if (job->sqlstate[0] != '\0' && job->version != 0) return false;
    if (job->segment > 0 || job->version == POSTGRES_STORE_SCHEMA_VERSION) return true;
    (void)snprintf(job->problem, sizeof job->problem,
                   "the schema's version is %lld, this program's is %d: quizrushd --migrate brings "
                   "an older one up to date",
                   (long long)job->version, (int)POSTGRES_STORE_SCHEMA_VERSION);
    return false;
}

static void answer_look_up(struct postgres_shard *shard, struct job *job, struct call *call)
{
    const struct stored_player *found = &job->players[0];
    if (found->is_malformed) {
        store_report_malformed(&shard->report, &call->player);
        calls_answer_failed(shard, call);
        return;
    }
    store_report_reading_recovered(&shard->report);
    calls_answer_loaded(shard, call, found->is_there ? LOAD_FOUND : LOAD_UNKNOWN, &found->record);
}

static bool end_look_up(struct link *link)
{
    struct postgres_shard *shard = link->shard;
    struct job *job = &link->job;
    struct call *call = job->calls[job->segment];
    enum outcome outcome = outcome_of(job);
    if (outcome == OUTCOME_LOST) return false;
    if (call == NULL) return true; /* Cancelled meanwhile. */
    job->calls[job->segment] = NULL;
    switch (outcome) {
    case OUTCOME_DONE: answer_look_up(shard, job, call); break;
    case OUTCOME_AGAIN: calls_requeue(shard, call); break;
    case OUTCOME_REFUSED:
    case OUTCOME_FAILED:
        store_report_reading_failing(&shard->report, job->problem);
        calls_answer_failed(shard, call);
        break;
    case OUTCOME_LOST: break;
    }
    return true;
}

static void fail_results(struct link *link, unsigned first, unsigned count)
{
    struct job *job = &link->job;
    link->shard->is_failing = true;
    store_report_failing(&link->shard->report, count, job->problem);
    for (unsigned i = first; i < first + count; i++) {
        calls_answer_failed(link->shard, job->calls[i]);
        job->calls[i] = NULL;
    }
}

static bool end_read(struct link *link)
{
    struct job *job = &link->job;
    switch (outcome_of(job)) {
    case OUTCOME_DONE: return begin_write(link);
    case OUTCOME_LOST: return false;
    case OUTCOME_AGAIN:
        for (unsigned i = job->count; i > 0; i--) calls_requeue(link->shard, job->calls[i - 1]);
        job->count = 0;
        return true;
    case OUTCOME_REFUSED:
    case OUTCOME_FAILED: fail_results(link, 0, job->count); return true;
    }
    QR_UNREACHABLE("a segment's outcome");
}

/* What was committed is on disk. In the order in which they were asked for, also those that were refused. */
static bool end_sync(struct link *link)
{
    struct postgres_shard *shard = link->shard;
    struct job *job = &link->job;
    enum outcome outcome = outcome_of(job);
    if (outcome == OUTCOME_LOST) return false;
    for (unsigned i = 0; i < job->count; i++) {
        struct call *call = job->calls[i];
        if (call == NULL) continue;
        if (outcome != OUTCOME_DONE) {
            fail_results(link, i, 1);
            continue;
        }
        job->calls[i] = NULL;
        if (!job->is_saved[i]) {
            calls_answer_failed(shard, call);
            continue;
        }
        shard->is_failing = false;
        store_report_recovered(&shard->report);
        calls_answer_saved(shard, call, true);
    }
    return true;
}

static bool end_write(struct link *link)
{
    struct postgres_shard *shard = link->shard;
    struct job *job = &link->job;
    if (job->segment == job->segment_count) return end_sync(link);
    unsigned number = job->segment_calls[job->segment];
    struct call *call = job->calls[number];
    switch (outcome_of(job)) {
    case OUTCOME_LOST: return false;
    case OUTCOME_FAILED: fail_results(link, number, 1); return true;
    case OUTCOME_DONE:
        shard->stats.commits++;
        job->is_saved[number] = true;
        return true;
    case OUTCOME_AGAIN:
        shard->stats.server.conflicts++;
        calls_requeue(shard, call);
        job->calls[number] = NULL;
        return true;
    case OUTCOME_REFUSED:
        store_report_refused(&shard->report, &call->result->match, job->problem);
        return true;
    }
    QR_UNREACHABLE("a segment's outcome");
}

static bool end_cancel(struct link *link)
{
    struct job *job = &link->job;
    struct link *target = &link->shard->links[job->target];
    /* It may have been lost, and be another connection by now. */
    if (target->serial == job->target_serial) target->awaits_cancel = false;
    return outcome_of(job) != OUTCOME_LOST;
}

static bool end_prune(struct link *link)
{
    struct job *job = &link->job;
    enum outcome outcome = outcome_of(job);
    if (outcome == OUTCOME_LOST) return false;
    prune_on_done(link->shard, job->pruned, outcome == OUTCOME_DONE ? NULL : job->problem);
    return true;
}

static bool end_by_kind(struct link *link)
{
    switch ((enum job_kind)link->job.kind) {
    case JOB_NONE: return true; /* Given up. */
    case JOB_PREPARE: return end_prepare(&link->job);
    case JOB_PROBE: return link->job.sqlstate[0] == '\0';
    case JOB_LOOK_UPS: return end_look_up(link);
    case JOB_READ: return end_read(link);
    case JOB_WRITE: return end_write(link);
    case JOB_CANCEL: return end_cancel(link);
    case JOB_PRUNE: return end_prune(link);
    }
    QR_UNREACHABLE("a job's kind");
}

bool job_on_sync(struct link *link)
{
    struct job *job = &link->job;
    job->syncs--;
    enum job_kind kind = (enum job_kind)job->kind;
    if (!end_by_kind(link)) return false;
    if (job->kind == kind) job->segment++; /* JOB_WRITE begins with its first. */
    job->command = 0;
    job->sqlstate[0] = '\0';
    return true;
}

void job_give_up(struct link *link, mono_time now)
{
    struct job *job = &link->job;
    struct postgres_shard *shard = link->shard;
    bool has_calls = job->kind == JOB_LOOK_UPS || job->kind == JOB_READ || job->kind == JOB_WRITE;
    for (unsigned i = has_calls ? job->count : 0; i > 0; i--) {
        struct call *call = job->calls[i - 1];
        if (call == NULL || calls_answer_expired(shard, call, now)) continue;
        calls_requeue(shard, call);
    }
    if (job->kind == JOB_CANCEL)
        (void)end_cancel(link); /* Its target waits for its own deadline. */
    job->kind = JOB_NONE;
    job->count = 0;
}
