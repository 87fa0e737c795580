/* A player's row: how it is read, and its lists as bytes. The reader and the writer of the embedded
 * store share it.
 *
 * Lists are little-endian, the oldest entry first (config/sql/sqlite/0002.sql). Pure but for the
 * statement; codes are SQLite's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/assert.h"
#include "core/player.h"

enum {
    SQLITE_RECENT_BYTES_MAX = 2 * RECENT_QUESTIONS_MAX,
    SQLITE_OPPONENTS_BYTES_MAX = 16 * RECENT_OPPONENTS_MAX,
};

/* Takes the id, gives what sqlite_player_read() reads. */
extern const char sqlite_player_select[];

/* Runs the statement and leaves it ready for the next run. SQLITE_ROW and the record; SQLITE_DONE:
 * there is no such player; SQLITE_MISMATCH: a row that no writer of ours has written; others as the
 * database failed. */
QR_MUST_USE int sqlite_player_read(sqlite3_stmt *select, const struct id *player,
                                   struct player_record *ret_record);

/* Both return how many bytes they have written. */
size_t sqlite_recent_encode(const struct recent_questions *recent,
                            uint8_t ret_bytes[SQLITE_RECENT_BYTES_MAX]);
size_t sqlite_opponents_encode(const struct recent_opponents *opponents,
                               uint8_t ret_bytes[SQLITE_OPPONENTS_BYTES_MAX]);
