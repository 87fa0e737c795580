/* A player's row, as the reader and the writer of the embedded store read it. Codes are SQLite's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/assert.h"
#include "core/player.h"

/* Takes the id, gives what sqlite_player_read() reads. */
extern const char sqlite_player_select[];

/* Runs the statement and leaves it ready for the next run. SQLITE_ROW and the record; SQLITE_DONE:
 * there is no such player; SQLITE_MISMATCH: a row that no writer of ours has written; others as the
 * database failed. */
QR_MUST_USE int sqlite_player_read(sqlite3_stmt *select, const struct id *player,
                                   struct player_record *ret_record);
