/* Opening the embedded store's file: its mode, its pragmas, its schema.
 *
 * What is opened belongs to one thread at a time. Called at start only.
 */
#pragma once

#include <sqlite3.h>

#include "base/assert.h"
#include "core/match.h"
#include "edge/embedded.h"

enum {
    /* "QRSH", as config/sql/sqlite/0001.sql writes it. */
    SQLITE_SCHEMA_APPLICATION_ID = 0x51525348,
    /* How long a statement waits for another process's lock: as long as a match waits before it
     * tries again, so that no more than one batch waits at a time. */
    SQLITE_SCHEMA_BUSY_MS = MATCH_SAVE_RETRY_MS,
    /* A log that grew while a reader held it back is cut to this when it is over. */
    SQLITE_SCHEMA_WAL_BYTES_MAX = 64 * 1024 * 1024,
    /* Every batch writes the pages of players and boards again: moved into the file after several batches, each is
     * moved once. 16 MB of log. */
    SQLITE_SCHEMA_CHECKPOINT_PAGES = 4000,
    /* At most, where so much is in use. A batch changes some pages of each table and many of those of boards and
     * players: what finds no room is written before the commit, and read and written again. */
    SQLITE_SCHEMA_CACHE_KIB = 8192,
};

/* config/sql/sqlite: the statements that lead from one version to the next, the first from nothing.
 */
extern const struct embedded_files sqlite_schema_files;

/* 0 and the connection, which the caller closes; or a negative errno, after logging why. -EBADMSG:
 * no database, or another program's. -ENOTSUP: a schema of a newer version. */
QR_MUST_USE int sqlite_schema_open(const char *path, sqlite3 **ret_db);
