/* Match results as rows: the prepared statements of the embedded store, and what one result writes.
 *
 * The writer borrows the connection; one thread. Codes are SQLite's. It logs nothing: `problem`
 * holds the words for the last code that was not SQLITE_OK.
 */
#pragma once

#include <sqlite3.h>

#include "base/assert.h"
#include "core/match_result.h"

enum sqlite_statement {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_SAVEPOINT,
    STATEMENT_RELEASE,
    STATEMENT_ROLLBACK_TO,
    STATEMENT_MATCH,
    STATEMENT_READ_PLAYER,
    STATEMENT_PLAYER,
    STATEMENT_MATCH_PLAYER,
    STATEMENT_ROUND,
    STATEMENT_ANSWER,
    STATEMENT_ORDER,
    STATEMENT_STATS,
};
enum { STATEMENT_COUNT = STATEMENT_STATS + 1, SQLITE_WRITER_PROBLEM_BYTES = 160 };

struct sqlite_writer {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    char problem[SQLITE_WRITER_PROBLEM_BYTES];
};

/* Prepares everything. On failure too, sqlite_writer_fini() is to be called. */
QR_MUST_USE int sqlite_writer_init(struct sqlite_writer *writer, sqlite3 *db);
void sqlite_writer_fini(struct sqlite_writer *writer);

/* Takes the write lock, waiting for it as long as the busy timeout says. */
QR_MUST_USE int sqlite_writer_begin(struct sqlite_writer *writer);

/* Writes one result into the transaction. One whose match is there already changes nothing: the
 * first result of a match stands, whatever the second says. On failure the transaction is to be
 * rolled back. */
QR_MUST_USE int sqlite_writer_save(struct sqlite_writer *writer, const struct match_result *result);

/* The same, whole or not at all: where the failure is that result's alone, the transaction goes on.
 * The savepoint keeps a copy of every page that the result changes, which costs more than a tenth
 * of all. */
QR_MUST_USE int sqlite_writer_save_apart(struct sqlite_writer *writer,
                                         const struct match_result *result);

/* Whether such a failure is that result's alone. */
bool sqlite_writer_is_alone(int code);

/* What is committed is on disk. On failure the transaction is still to be rolled back. */
QR_MUST_USE int sqlite_writer_commit(struct sqlite_writer *writer);

/* Fine where there is no transaction; keeps `problem`. */
void sqlite_writer_rollback(struct sqlite_writer *writer);
