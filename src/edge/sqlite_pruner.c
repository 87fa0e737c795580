#include "sqlite_pruner_priv.h"

#include <string.h>

#include "sqlite_schema_priv.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

/* The oldest of them; what refers to it goes with it. */
static const char delete_match_sql[] =
    "DELETE FROM matches WHERE match ="
    " (SELECT match FROM matches WHERE match < ? ORDER BY match LIMIT 1)";
static const char delete_rounds_sql[] =
    "DELETE FROM rounds WHERE match ="
    " (SELECT match FROM rounds WHERE match < ? ORDER BY match LIMIT 1)";

/* The least id of a match that is to be kept; false: all are. */
static bool oldest_kept(uint32_t keep_days, wall_time now, struct id *ret_id)
{
    static const uint8_t any[ID_RANDOM_BYTES];
    int64_t since_ms = now.ms - (int64_t)keep_days * DAY_MS;
    if (keep_days == 0 || since_ms <= 0) return false;
    *ret_id = id_make((wall_time){since_ms}, any);
    /* Not greater than any of that millisecond. */
    memset(ret_id->bytes + sizeof ret_id->bytes - ID_RANDOM_BYTES, 0, ID_RANDOM_BYTES);
    return true;
}

int sqlite_pruner_init(struct sqlite_pruner *pruner, sqlite3 *db,
                       const struct store_retention *keep)
{
    *pruner = (struct sqlite_pruner){.db = db, .keep = *keep};
    int code = sqlite3_prepare_v3(db, delete_match_sql, -1, SQLITE_PREPARE_PERSISTENT,
                                  &pruner->delete_match, NULL);
    if (code != SQLITE_OK) return code;
    return sqlite3_prepare_v3(db, delete_rounds_sql, -1, SQLITE_PREPARE_PERSISTENT,
                              &pruner->delete_rounds, NULL);
}

void sqlite_pruner_fini(struct sqlite_pruner *pruner)
{
    (void)sqlite3_finalize(pruner->delete_match); /* Both repeat the last code. */
    (void)sqlite3_finalize(pruner->delete_rounds);
    memset(pruner, 0, sizeof *pruner);
}

/* Into the transaction: until nothing is left or the slice is full. Cascades count too. */
static int delete_before(struct sqlite_pruner *pruner, sqlite3_stmt *statement,
                         const struct id *kept, unsigned *rows)
{
    int code = sqlite3_bind_blob(statement, 1, kept->bytes, sizeof kept->bytes, SQLITE_STATIC);
    while (code == SQLITE_OK && *rows + SQLITE_PRUNER_MATCH_ROWS_MAX <= SQLITE_PRUNER_ROWS_MAX) {
        int before = sqlite3_total_changes(pruner->db);
        code = sqlite3_step(statement);
        if (code == SQLITE_DONE) code = sqlite3_reset(statement);
        unsigned deleted = (unsigned)(sqlite3_total_changes(pruner->db) - before);
        if (code != SQLITE_OK || deleted == 0) break;
        *rows += deleted;
    }
    (void)sqlite3_reset(statement);          /* Repeats the code. */
    (void)sqlite3_clear_bindings(statement); /* Cannot fail. */
    return code;
}

static int delete_rows(struct sqlite_pruner *pruner, wall_time now, unsigned *rows)
{
    struct id kept;
    int code = SQLITE_OK;
    if (oldest_kept(pruner->keep.matches_days, now, &kept)) {
        code = delete_before(pruner, pruner->delete_match, &kept, rows);
    }
    if (code == SQLITE_OK && oldest_kept(pruner->keep.answers_days, now, &kept)) {
        code = delete_before(pruner, pruner->delete_rounds, &kept, rows);
    }
    return code;
}

/* A result that came meanwhile shall not wait for another process behind a slice. */
static int begin(sqlite3 *db)
{
    int code = sqlite3_busy_timeout(db, 0);
    if (code == SQLITE_OK) code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    int restored = sqlite3_busy_timeout(db, SQLITE_SCHEMA_BUSY_MS);
    return code != SQLITE_OK ? code : restored;
}

int sqlite_pruner_slice(struct sqlite_pruner *pruner, wall_time now, unsigned *ret_rows)
{
    unsigned rows = 0;
    int code = begin(pruner->db);
    if (code == SQLITE_OK) code = delete_rows(pruner, now, &rows);
    if (code == SQLITE_OK) code = sqlite3_exec(pruner->db, "COMMIT", NULL, NULL, NULL);
    if (code == SQLITE_OK) {
        *ret_rows = rows;
    } else if (!sqlite3_get_autocommit(pruner->db)) {
        /* Ends the transaction even where it fails. */
        (void)sqlite3_exec(pruner->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return code;
}
