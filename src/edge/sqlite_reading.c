#include "sqlite_reading_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "edge/sqlite_store.h"
#include "sqlite_schema_priv.h"

int sqlite_reading_errno(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK: return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return -EBUSY;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_ERROR: return -EBADMSG;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY: return -EACCES;
    case SQLITE_FULL: return -ENOSPC;
    case SQLITE_NOMEM: return -ENOMEM;
    default: return -EIO;
    }
}

static int fail(char reterr_problem[SQLITE_READING_PROBLEM_BYTES], const char *path,
                const char *why, int error)
{
    (void)snprintf(reterr_problem, SQLITE_READING_PROBLEM_BYTES, "%.120s: %s", path, why);
    return error;
}

static int query_int(sqlite3 *db, const char *sql, int64_t *ret_value)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) *ret_value = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement); /* Repeats the code. */
    return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int check(sqlite3 *db, const char *path, char reterr_problem[SQLITE_READING_PROBLEM_BYTES])
{
    int64_t application_id = 0;
    int64_t version = 0;
    int code = sqlite3_busy_timeout(db, SQLITE_SCHEMA_BUSY_MS);
    if (code == SQLITE_OK) code = sqlite3_extended_result_codes(db, 1);
    if (code == SQLITE_OK) {
        code = sqlite3_exec(db, "PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON", NULL, NULL,
                            NULL);
    }
    if (code == SQLITE_OK) code = query_int(db, "PRAGMA application_id", &application_id);
    if (code == SQLITE_OK) code = query_int(db, "PRAGMA user_version", &version);
    if (code != SQLITE_OK) {
        return fail(reterr_problem, path, sqlite3_errmsg(db), sqlite_reading_errno(code));
    }
    if (application_id != SQLITE_SCHEMA_APPLICATION_ID) {
        return fail(reterr_problem, path, "this is no database of quizrushd's", -EBADMSG);
    }
    if (version == SQLITE_STORE_SCHEMA_VERSION) return 0;
    char why[128];
    (void)snprintf(why, sizeof why, "the schema's version is %lld, this program's is %d%s",
                   (long long)version, (int)SQLITE_STORE_SCHEMA_VERSION,
                   version < SQLITE_STORE_SCHEMA_VERSION ? "; quizrushd of this version updates it"
                                                         : "");
    return fail(reterr_problem, path, why, -ENOTSUP);
}

int sqlite_reading_open(const char *path, int flags, sqlite3 **ret_db,
                        char reterr_problem[SQLITE_READING_PROBLEM_BYTES])
{
    struct stat status;
    if (stat(path, &status) < 0) return fail(reterr_problem, path, strerror(errno), -errno);
    if (!S_ISREG(status.st_mode)) return fail(reterr_problem, path, "is no file", -EBADMSG);
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    int error = code == SQLITE_OK
                    ? check(db, path, reterr_problem)
                    : fail(reterr_problem, path, sqlite3_errmsg(db), sqlite_reading_errno(code));
    if (error != 0) {
        (void)sqlite3_close(db); /* It has no statements. */
        return error;
    }
    *ret_db = db;
    return 0;
}

void sqlite_read_text(sqlite3_stmt *statement, int column, char *ret_text, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    (void)snprintf(ret_text, size, "%s", text != NULL ? text : "");
}

int64_t sqlite_read_int(sqlite3_stmt *statement, int column, int64_t min, int64_t max)
{
    int64_t value = sqlite3_column_int64(statement, column);
    if (value < min) return min;
    return value > max ? max : value;
}

bool sqlite_read_id(sqlite3_stmt *statement, int column, struct id *ret_id)
{
    const void *bytes = sqlite3_column_blob(statement, column);
    if (bytes == NULL || sqlite3_column_bytes(statement, column) != (int)sizeof ret_id->bytes) {
        return false;
    }
    memcpy(ret_id->bytes, bytes, sizeof ret_id->bytes);
    return true;
}
