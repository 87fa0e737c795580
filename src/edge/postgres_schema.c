#include "postgres_schema_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/clock.h"
#include "edge/log.h"

enum {
    /* A step that makes a large table anew takes its time. */
    MIGRATE_MAX_MS = 3600 * 1000,
    VERSION_UNKNOWN = -1,
};

/* One daemon's --migrate at a time: the key is ours ("QRSH"). */
static const char lock_sql[] = "SELECT pg_advisory_xact_lock(1364349768)";

static int log_failure(const char *step, const char *why, int error)
{
    char value[LOG_VALUE_BYTES_MAX];
    char line[LOG_VALUE_BYTES_MAX];
    (void)snprintf(line, sizeof line, "%s", why); /* Cut is fine. */
    line[strcspn(line, "\n")] = '\0';
    log_event(LOG_LEVEL_ERROR, "store_open_failed", "step=%s error=%s", step,
              log_value(line, value));
    return error;
}

static bool wait_for(PGconn *conn, short events, mono_time by)
{
    struct pollfd file = {.fd = PQsocket(conn), .events = events};
    mono_time now = clock_mono();
    return mono_is_before(now, by) && poll(&file, 1, (int)mono_elapsed(now, by)) > 0;
}

/* --- Connecting. --- */

static int look_up(const struct target *target, uint32_t timeout_ms,
                   struct addresses *ret_addresses)
{
    memset(ret_addresses, 0, sizeof *ret_addresses);
    if (target->host[0] == '\0') return 0;
    struct lookup *lookup = lookup_begin(target);
    if (lookup == NULL) return log_failure("look_up", strerror(ENOMEM), -ENOMEM);
    lookup_wait(lookup, timeout_ms);
    int error = lookup_result(lookup, ret_addresses);
    lookup_end(lookup);
    if (error == 0) return 0;
    return log_failure("look_up", "the host's name has no address", -EHOSTUNREACH);
}

static int finish_connecting(PGconn *conn, mono_time by)
{
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    while (PQstatus(conn) != CONNECTION_BAD && status != PGRES_POLLING_OK &&
           status != PGRES_POLLING_FAILED) {
        short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (!wait_for(conn, events, by)) return log_failure("connect", "timed out", -ETIMEDOUT);
        status = PQconnectPoll(conn);
    }
    if (status == PGRES_POLLING_OK) return 0;
    return log_failure("connect", PQerrorMessage(conn), -ECONNREFUSED);
}

static void ignore_notice(void *context, const char *message)
{
    (void)context;
    (void)message; /* libpq's own way is to print it. */
}

static int connect_to(const struct target *target, uint32_t timeout_ms, PGconn **ret_conn)
{
    struct addresses addresses;
    mono_time by = mono_after(clock_mono(), timeout_ms);
    int error = look_up(target, timeout_ms, &addresses);
    if (error != 0) return error;
    PGconn *conn = target_connect(target, &addresses);
    if (conn == NULL) return log_failure("connect", strerror(ENOMEM), -ENOMEM);
    error = finish_connecting(conn, by);
    if (error != 0) {
        PQfinish(conn);
        return error;
    }
    (void)PQsetNoticeProcessor(conn, ignore_notice, NULL); /* Gives the former one. */
    *ret_conn = conn;
    return 0;
}

/* --- Statements. --- */

/* The last result, which the caller clears; NULL: none came in time. */
static PGresult *run(PGconn *conn, const char *sql, uint32_t timeout_ms)
{
    mono_time by = mono_after(clock_mono(), timeout_ms);
    PGresult *last = NULL;
    if (PQsendQuery(conn, sql) != 1) return NULL;
    for (;;) {
        while (PQisBusy(conn)) {
            if (!wait_for(conn, POLLIN, by) || PQconsumeInput(conn) != 1) {
                PQclear(last);
                return NULL;
            }
        }
        PGresult *result = PQgetResult(conn);
        if (result == NULL) return last;
        PQclear(last);
        last = result;
    }
}

static int execute(PGconn *conn, const char *step, const char *sql, uint32_t timeout_ms)
{
    PGresult *result = run(conn, sql, timeout_ms);
    ExecStatusType status = PQresultStatus(result);
    int error = 0;
    if (result == NULL) {
        const char *why = PQstatus(conn) == CONNECTION_BAD ? PQerrorMessage(conn) : "timed out";
        error = log_failure(step, why, -ETIMEDOUT);
    } else if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        error = log_failure(step, PQresultErrorMessage(result), -EPROTO);
    }
    PQclear(result);
    return error;
}

/* The text of the one value that the query gives. */
static int query_text(PGconn *conn, const char *step, const char *sql, uint32_t timeout_ms,
                      char *ret_text, size_t size)
{
    PGresult *result = run(conn, sql, timeout_ms);
    int error = 0;
    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1) {
        const char *why = result != NULL ? PQresultErrorMessage(result) : "timed out";
        error = log_failure(step, why, result != NULL ? -EPROTO : -ETIMEDOUT);
    } else {
        (void)snprintf(ret_text, size, "%s", PQgetvalue(result, 0, 0));
    }
    PQclear(result);
    return error;
}

/* 0: there is no schema. */
static int read_version(PGconn *conn, uint32_t timeout_ms, int *ret_version)
{
    char text[32];
    int error = query_text(conn, "read", "SELECT to_regclass('quizrush_schema') IS NOT NULL",
                           timeout_ms, text, sizeof text);
    if (error != 0) return error;
    *ret_version = 0;
    if (text[0] != 't') return 0;
    error = query_text(conn, "read", "SELECT version FROM quizrush_schema", timeout_ms, text,
                       sizeof text);
    if (error == 0) *ret_version = atoi(text);
    return error;
}

/* Names are UTF-8, and a database of another encoding refuses some. */
static int check_encoding(PGconn *conn)
{
    const char *encoding = PQparameterStatus(conn, "server_encoding");
    if (encoding != NULL && strcmp(encoding, "UTF8") == 0) return 0;
    return log_failure("identify",
                       "the database's encoding is not UTF8: create it with"
                       " ENCODING 'UTF8' TEMPLATE template0",
                       -ENOTSUP);
}

static int complain_of_version(int version)
{
    char why[160];
    if (version > POSTGRES_STORE_SCHEMA_VERSION) {
        (void)snprintf(why, sizeof why,
                       "the schema's version is %d, this program's is %d: a newer "
                       "quizrushd has brought it there",
                       version, (int)POSTGRES_STORE_SCHEMA_VERSION);
    } else if (version == 0) {
        (void)snprintf(why, sizeof why, "the database has no schema yet: run quizrushd --migrate");
    } else {
        (void)snprintf(why, sizeof why,
                       "the schema's version is %d, this program's is %d: run "
                       "quizrushd --migrate",
                       version, (int)POSTGRES_STORE_SCHEMA_VERSION);
    }
    return log_failure("identify", why, -ENOTSUP);
}

int postgres_schema_open(const struct target *target, uint32_t timeout_ms, PGconn **ret_conn)
{
    PGconn *conn = NULL;
    int version = VERSION_UNKNOWN;
    int error = connect_to(target, timeout_ms, &conn);
    if (error != 0) return error;
    error = check_encoding(conn);
    if (error == 0) error = read_version(conn, timeout_ms, &version);
    if (error == 0 && version != POSTGRES_STORE_SCHEMA_VERSION)
        error = complain_of_version(version);
    if (error == 0) *ret_conn = conn;
    if (error != 0) PQfinish(conn);
    return error;
}

int postgres_schema_check(const struct target *target, uint32_t timeout_ms)
{
    PGconn *conn = NULL;
    int error = postgres_schema_open(target, timeout_ms, &conn);
    if (error == 0) PQfinish(conn);
    return error;
}

/* --- Migrating. --- */

/* One step in one transaction, under a lock, since another process may have made it since the last
 * look. */
static int step(PGconn *conn, int *ret_version)
{
    int version = 0;
    int reached = 0;
    int error = execute(conn, "lock", "BEGIN", MIGRATE_MAX_MS);
    if (error == 0) error = execute(conn, "lock", lock_sql, MIGRATE_MAX_MS);
    if (error == 0) error = read_version(conn, MIGRATE_MAX_MS, &version);
    if (error != 0) return error;
    if (version > POSTGRES_STORE_SCHEMA_VERSION || version < 0) return complain_of_version(version);
    if (version < POSTGRES_STORE_SCHEMA_VERSION) {
        const struct embedded_file *file = &postgres_schema_files.files[version];
        error = execute(conn, file->name, (const char *)file->bytes, MIGRATE_MAX_MS);
        if (error == 0) error = read_version(conn, MIGRATE_MAX_MS, &reached);
        if (error != 0) return error;
        QR_ASSERT(reached == version + 1); /* Each step says which it is. */
        version = reached;
    }
    error = execute(conn, "commit", "COMMIT", MIGRATE_MAX_MS);
    if (error == 0) *ret_version = version;
    return error;
}

int postgres_schema_migrate(const struct target *target, uint32_t timeout_ms)
{
    QR_ASSERT(postgres_schema_files.count == POSTGRES_STORE_SCHEMA_VERSION);
    PGconn *conn = NULL;
    int version = 0;
    int error = connect_to(target, timeout_ms, &conn);
    if (error != 0) return error;
    error = check_encoding(conn);
    while (error == 0 && version < POSTGRES_STORE_SCHEMA_VERSION) error = step(conn, &version);
    PQfinish(conn); /* What is not committed is rolled back. */
    return error;
}
