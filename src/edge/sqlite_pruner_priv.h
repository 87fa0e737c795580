/* Deleting what the embedded store has kept for long enough, a slice at a time.
 *
 * A match is as old as its id, which begins with a time: what is too old is one range of the
 * primary key, and its oldest end is deleted first. Players and what they have done stay. A slice
 * is one transaction of at most SQLITE_PRUNER_ROWS_MAX rows; it never waits for a lock.
 *
 * The pruner borrows the connection; one thread. Codes are SQLite's.
 */
#pragma once

#include <sqlite3.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/time.h"
#include "edge/store.h"

enum {
    SQLITE_PRUNER_ROWS_MAX = 500,
    /* What goes with a match: itself, its players, its rounds, their answers. */
    SQLITE_PRUNER_MATCH_ROWS_MAX =
        1 + MATCH_PLAYERS_MAX + MATCH_ROUNDS_MAX * (1 + MATCH_PLAYERS_MAX),
};

struct sqlite_pruner {
    sqlite3 *db;
    struct store_retention keep;
    sqlite3_stmt *delete_match;
    sqlite3_stmt *delete_rounds;
};

/* On failure too, sqlite_pruner_fini() is to be called. */
QR_MUST_USE int sqlite_pruner_init(struct sqlite_pruner *pruner, sqlite3 *db,
                                   const struct store_retention *keep);
void sqlite_pruner_fini(struct sqlite_pruner *pruner);

/* Deletes the oldest rows that are too old by `now`; their number, 0 where there are none.
 * SQLITE_BUSY: another process writes; it may be tried again. Requires: no transaction. */
QR_MUST_USE int sqlite_pruner_slice(struct sqlite_pruner *pruner, wall_time now,
                                    unsigned *ret_rows);
