#include "sqlite_reader_priv.h"

#include <errno.h>
#include <string.h>

#include "edge/log.h"
#include "sqlite_player_priv.h"
#include "sqlite_schema_priv.h"

int sqlite_reader_init(struct sqlite_reader *reader, const char *path)
{
    memset(reader, 0, sizeof *reader);
    int code = sqlite3_open_v2(path, &reader->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) code = sqlite3_busy_timeout(reader->db, SQLITE_SCHEMA_BUSY_MS);
    if (code == SQLITE_OK)
        code = sqlite3_exec(reader->db, "PRAGMA trusted_schema = OFF", NULL, NULL, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_prepare_v3(reader->db, sqlite_player_select, -1, SQLITE_PREPARE_PERSISTENT,
                                  &reader->select, NULL);
    }
    if (code == SQLITE_OK) return 0;
    char why[LOG_VALUE_BYTES_MAX];
    log_event(LOG_LEVEL_ERROR, "store_start_failed", "step=reader error=%s",
              log_value(sqlite3_errmsg(reader->db), why));
    return -EIO;
}

void sqlite_reader_fini(struct sqlite_reader *reader)
{
    (void)sqlite3_finalize(reader->select); /* Repeats the last code. */
    int code = sqlite3_close(reader->db);
    QR_ASSERT(code == SQLITE_OK); /* No statement is left. */
    memset(reader, 0, sizeof *reader);
}

enum load_outcome sqlite_reader_load(struct sqlite_reader *reader, const struct id *player,
                                     struct player_record *ret_record)
{
    struct store_report *report = &reader->report;
    int code = sqlite_player_read(reader->select, player, ret_record);
    switch (code) {
    case SQLITE_ROW: store_report_reading_recovered(report); return LOAD_FOUND;
    case SQLITE_DONE: store_report_reading_recovered(report); return LOAD_UNKNOWN;
    case SQLITE_MISMATCH: store_report_malformed(report, player); return LOAD_FAILED;
    default: store_report_reading_failing(report, sqlite3_errmsg(reader->db)); return LOAD_FAILED;
    }
}
