/* Looking players up: a connection of its own that reads only, so that no look-up waits for a
 * commit.
 *
 * In WAL a reader sees what was committed last and takes no lock that a writer waits for. One
 * thread at a time. It logs that it fails, and that it is over; not each look-up.
 */
#pragma once

#include <sqlite3.h>

#include "base/assert.h"
#include "core/player.h"
#include "shard/shard.h"
#include "store_report_priv.h"

struct sqlite_reader {
    sqlite3 *db;
    sqlite3_stmt *select;
    struct store_report report;
};

/* Opens the file, which a writer has opened before and keeps open for longer. 0, or a negative
 * errno after logging why; on failure too, sqlite_reader_fini() is to be called. */
QR_MUST_USE int sqlite_reader_init(struct sqlite_reader *reader, const char *path);
void sqlite_reader_fini(struct sqlite_reader *reader);

enum load_outcome sqlite_reader_load(struct sqlite_reader *reader, const struct id *player,
                                     struct player_record *ret_record);
