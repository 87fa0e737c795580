#define _GNU_SOURCE

#include "store_backend_postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "edge/log.h"
#include "edge/postgres_board.h"
#include "edge/postgres_dossier.h"

enum { ROWS_BYTES = 16384, TIMEOUT_MS = 5000, BOOLEAN_OID = 16 };

const char backend_name[] = "postgres";
const unsigned backend_queues = SHARDS;
const unsigned backend_many = 500;
const char backend_choices_sql[] =
    "SELECT json_array_elements_text(choices) FROM rounds WHERE round = 1";

static struct postgres_server server;

struct postgres_server *backend_server(void)
{
    return &server;
}

/* --- Databases. --- */

static PGconn *connect_to(const char *database)
{
    char uri[URI_BYTES];
    server_uri(&server, database, uri, sizeof uri);
    PGconn *conn = PQconnectdb(uri);
    if (PQstatus(conn) == CONNECTION_OK) return conn;
    (void)fprintf(stderr, "%s", PQerrorMessage(conn));
    PQfinish(conn);
    return NULL;
}

static void ignore_notice(void *context, const char *message)
{
    (void)context;
    (void)message;
}

/* Statements one by one: CREATE DATABASE is to stand alone. */
static bool run(const char *database, const char *const statements[], unsigned count)
{
    PGconn *conn = connect_to(database);
    bool is_done = conn != NULL;
    if (is_done) (void)PQsetNoticeProcessor(conn, ignore_notice, NULL);
    for (unsigned i = 0; i < count && is_done; i++) {
        PGresult *result = PQexec(conn, statements[i]);
        ExecStatusType status = PQresultStatus(result);
        is_done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
        if (!is_done) (void)fprintf(stderr, "%s", PQerrorMessage(conn));
        PQclear(result);
    }
    PQfinish(conn);
    return is_done;
}

/* As SQLite's, so that the tests' queries are for both. */
static const char *const functions[] = {
    "CREATE FUNCTION hex(bytea) RETURNS text LANGUAGE sql AS"
    " $$ SELECT coalesce(upper(encode($1, 'hex')), '') $$",
    "CREATE FUNCTION hex(uuid) RETURNS text LANGUAGE sql AS"
    " $$ SELECT coalesce(upper(replace($1::text, '-', '')), '') $$",
};

void backend_uri(char ret_uri[URI_BYTES])
{
    server_uri(&server, "test", ret_uri, URI_BYTES);
}

struct postgres_store_options backend_options(unsigned queue_slots)
{
    static char uri[URI_BYTES];
    backend_uri(uri);
    return (struct postgres_store_options){
        .uri = uri,
        .password_file = "",
        .shards = SHARDS,
        .queue_slots = queue_slots,
        .connections = 2,
        .timeout_ms = TIMEOUT_MS,
    };
}

int backend_group_begin(void **state)
{
    static const char *const create[] = {"CREATE DATABASE test"};
    (void)state;
    return server_begin(&server) && run("postgres", create, 1) ? 0 : -1;
}

int backend_group_end(void **state)
{
    (void)state;
    server_end(&server);
    return 0;
}

void backend_administer(const char *sql)
{
    const char *const statements[] = {sql};
    assert_true(run("postgres", statements, 1));
}

int backend_begin(struct world *world)
{
    static const char *const empty[] = {
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = 'test' AND pid <> pg_backend_pid()",
        "DROP SCHEMA public CASCADE",
        "CREATE SCHEMA public",
    };
    struct postgres_store_options options = backend_options(0);
    (void)world;
    log_set_level(LOG_LEVEL_WARNING);
    bool is_made =
        run("test", empty, 3) && postgres_store_migrate(&options) == 0 && run("test", functions, 2);
    log_set_level(LOG_LEVEL_INFO);
    return is_made ? 0 : -1;
}

void backend_end(struct world *world)
{
    (void)world; /* The next test empties it. */
}

/* --- Opening. --- */

void wait_for_links(struct world *world, uint32_t count)
{
    while (stats(world).server.links_in[STORE_LINK_READY] < count) world_turn(world);
}

int backend_open(struct world *world, unsigned queue_slots)
{
    struct postgres_store_options options = backend_options(queue_slots);
    int error = postgres_store_create(&options, &world->store);
    if (error == 0) wait_for_links(world, SHARDS * options.connections);
    return error;
}

void backend_close(struct world *world)
{
    PQfinish(world->looker);
    world->looker = NULL;
}

struct board *backend_open_board(struct world *world)
{
    struct postgres_store_options options = backend_options(0);
    struct board *board = NULL;
    (void)world;
    assert_int_equal(postgres_board_open(&options, &board), 0);
    return board;
}

struct dossier *backend_open_dossier(struct world *world)
{
    struct postgres_store_options options = backend_options(0);
    struct dossier *dossier = NULL;
    (void)world;
    assert_int_equal(postgres_dossier_open(&options, &dossier), 0);
    return dossier;
}

void backend_look_anew(struct world *world)
{
    backend_close(world);
    world->looker = connect_to("test");
    assert_non_null(world->looker);
}

/* --- The second connection. --- */

static PGconn *looker(struct world *world)
{
    if (world->looker == NULL) backend_look_anew(world);
    return world->looker;
}

void execute(struct world *world, const char *sql)
{
    PGresult *result = PQexec(looker(world), sql);
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(world->looker));
    }
}

static const char *text_of(const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column)) return "NULL";
    const char *text = PQgetvalue(result, row, column);
    if (PQftype(result, column) != BOOLEAN_OID) return text;
    return text[0] == 't' ? "1" : "0";
}

const char *rows(struct world *world, const char *sql)
{
    static char text[ROWS_BYTES];
    size_t used = 0;
    text[0] = '\0';
    PGresult *result = PQexec(looker(world), sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        fail_msg("%s: %s", sql, PQresultErrorMessage(result));
    }
    for (int row = 0; row < PQntuples(result); row++) {
        for (int column = 0; column < PQnfields(result); column++) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", column > 0 ? "|" : "",
                                     text_of(result, row, column));
        }
        used += (size_t)snprintf(text + used, sizeof text - used, "\n");
        assert_true(used < sizeof text);
    }
    PQclear(result);
    return text;
}

/* --- Injected faults. --- */

void hold_writes(struct world *world)
{
    execute(world, "BEGIN");
    execute(world, "LOCK TABLE matches IN EXCLUSIVE MODE");
}

void release_writes(struct world *world)
{
    execute(world, "COMMIT");
}

void refuse_match(struct world *world, uint8_t number)
{
    char sql[256];
    execute(world, "CREATE FUNCTION inject() RETURNS trigger LANGUAGE plpgsql AS"
                   " $$ BEGIN RAISE EXCEPTION 'injected fault'; END $$");
    (void)snprintf(sql, sizeof sql,
                   "CREATE TRIGGER injected BEFORE INSERT ON answers FOR EACH ROW"
                   " WHEN (hex(NEW.match) LIKE '01%02X%%') EXECUTE FUNCTION inject()",
                   number);
    execute(world, sql);
}

void refuse_none(struct world *world)
{
    execute(world, "DROP TRIGGER injected ON answers; DROP FUNCTION inject()");
}
