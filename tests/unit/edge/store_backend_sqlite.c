#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "edge/sqlite_board.h"
#include "edge/sqlite_dossier.h"
#include "edge/sqlite_store.h"
#include "store_backend.h"

enum { ROWS_BYTES = 16384 };

const char backend_name[] = "sqlite";
const unsigned backend_queues = 1;
const unsigned backend_many = 2000;
const char backend_choices_sql[] = "SELECT value FROM rounds, json_each(choices) WHERE round = 1";

int backend_group_begin(void **state)
{
    (void)state;
    return 0;
}

int backend_group_end(void **state)
{
    (void)state;
    return 0;
}

int backend_begin(struct world *world)
{
    (void)strcat(strcpy(world->path, world->directory), "/quizrush.db");
    return 0;
}

void backend_end(struct world *world)
{
    (void)world; /* The file goes with its directory. */
}

int backend_open(struct world *world, unsigned queue_slots)
{
    struct sqlite_store_options options = {
        .path = world->path,
        .shards = SHARDS,
        .queue_slots = queue_slots,
        .wake = world_on_wake,
        .wake_context = world,
    };
    return sqlite_store_create(&options, &world->store);
}

void backend_close(struct world *world)
{
    (void)sqlite3_close(world->reader);
    world->reader = NULL;
}

struct board *backend_open_board(struct world *world)
{
    struct board *board = NULL;
    char problem[BOARD_PROBLEM_BYTES];
    if (sqlite_board_open(world->path, &board, problem) != 0) fail_msg("%s", problem);
    return board;
}

struct dossier *backend_open_dossier(struct world *world)
{
    struct dossier *dossier = NULL;
    char problem[DOSSIER_PROBLEM_BYTES];
    if (sqlite_dossier_open(world->path, &dossier, problem) != 0) fail_msg("%s", problem);
    return dossier;
}

static sqlite3 *watched;

static int on_connection(sqlite3 *db, char **reterr_message, const sqlite3_api_routines *api)
{
    (void)reterr_message;
    (void)api;
    if (watched == NULL) watched = db; /* The writer's comes first. */
    return SQLITE_OK;
}

void watch_connection(void)
{
    watched = NULL;
    assert_int_equal(sqlite3_auto_extension((void (*)(void))on_connection), SQLITE_OK);
}

sqlite3 *watched_connection(void)
{
    (void)sqlite3_cancel_auto_extension((void (*)(void))on_connection);
    assert_non_null(watched);
    return watched;
}

/* --- The second connection. --- */

static sqlite3 *reader(struct world *world)
{
    if (world->reader == NULL) {
        assert_int_equal(sqlite3_open(world->path, &world->reader), SQLITE_OK);
        assert_int_equal(sqlite3_busy_timeout(world->reader, WAIT_MS), SQLITE_OK);
    }
    return world->reader;
}

void execute(struct world *world, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(reader(world), sql, NULL, NULL, &message) != SQLITE_OK) {
        fail_msg("%s: %s", sql, message);
    }
}

const char *rows(struct world *world, const char *sql)
{
    static char text[ROWS_BYTES];
    size_t used = 0;
    text[0] = '\0';
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(reader(world), sql, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const unsigned char *column = sqlite3_column_text(statement, i);
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? "|" : "",
                                     column != NULL ? (const char *)column : "NULL");
        }
        used += (size_t)snprintf(text + used, sizeof text - used, "\n");
        assert_true(used < sizeof text);
    }
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    return text;
}

/* --- Injected faults. --- */

void hold_writes(struct world *world)
{
    execute(world, "BEGIN IMMEDIATE");
}

void release_writes(struct world *world)
{
    execute(world, "COMMIT");
}

void refuse_match(struct world *world, uint8_t number)
{
    char sql[256];
    (void)snprintf(sql, sizeof sql,
                   "CREATE TRIGGER injected BEFORE INSERT ON answers WHEN hex(NEW.match) LIKE"
                   " '01%02X%%' BEGIN SELECT RAISE(ABORT, 'injected fault'); END",
                   number);
    execute(world, sql);
}

void refuse_none(struct world *world)
{
    execute(world, "DROP TRIGGER injected");
}
