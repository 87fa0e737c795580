/* Opening the embedded store's file for a tool, and reading columns that anybody may have written.
 *
 * The daemon may have the file open too. One thread; codes are SQLite's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/assert.h"
#include "base/id.h"

enum { SQLITE_READING_PROBLEM_BYTES = 256 };

/* SQLITE_OPEN_READONLY or SQLITE_OPEN_READWRITE. 0 and the connection, which the caller closes; or
 * a negative errno and why: -ENOENT where there is no file, -EBADMSG where it is no store's,
 * -ENOTSUP where its schema is not this program's. It never creates or changes anything. */
QR_MUST_USE int sqlite_reading_open(const char *path, int flags, sqlite3 **ret_db,
                                    char reterr_problem[SQLITE_READING_PROBLEM_BYTES]);

/* A failure of the connection as a negative errno. */
int sqlite_reading_errno(int code);

/* Within bounds or cut to them: a row that no writer of ours has written does no harm. */
void sqlite_read_text(sqlite3_stmt *statement, int column, char *ret_text, size_t size);
int64_t sqlite_read_int(sqlite3_stmt *statement, int column, int64_t min, int64_t max);
/* False: it is no id, and nothing is written. */
bool sqlite_read_id(sqlite3_stmt *statement, int column, struct id *ret_id);
