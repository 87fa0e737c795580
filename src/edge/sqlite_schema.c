#include "sqlite_schema_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/log.h"
#include "edge/sqlite_store.h"

static int log_failure(const char *path, const char *what, const char *why, int error)
{
    char path_buffer[LOG_VALUE_BYTES_MAX];
    char why_buffer[LOG_VALUE_BYTES_MAX];
    log_event(LOG_LEVEL_ERROR, "store_open_failed", "path=%s step=%s error=%s",
              log_value(path, path_buffer), what, log_value(why, why_buffer));
    return error;
}

static int errno_of(sqlite3 *db, int code)
{
    switch (code & 0xff) {
    case SQLITE_ERROR: /* The tables are not what the version says. */
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT: return -EBADMSG;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return -EBUSY;
    case SQLITE_PERM:
    case SQLITE_READONLY: return -EACCES;
    case SQLITE_FULL: return -ENOSPC;
    case SQLITE_NOMEM: return -ENOMEM;
    default: break;
    }
    int system_error = sqlite3_system_errno(db);
    return system_error != 0 ? -system_error : -EIO;
}

static int log_sqlite_failure(sqlite3 *db, const char *path, const char *what, int code)
{
    return log_failure(path, what, sqlite3_errmsg(db), errno_of(db, code));
}

/* SQLite would create the file with mode 0644, and gives the log beside it the file's mode. An
 * existing file is not touched: closing a second descriptor of it would drop the locks that this
 * process may hold on it (fcntl(2)). */
static int create_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0 && errno == EEXIST) return 0;
    if (fd < 0) return log_failure(path, "create", strerror(errno), -errno);
    (void)close(fd); /* Nothing was written. */
    return 0;
}

/* The one integer that the query gives. */
static int query_int(sqlite3 *db, const char *sql, int64_t *ret_value)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        *ret_value = sqlite3_column_int64(statement, 0);
        code = SQLITE_OK;
    }
    (void)sqlite3_finalize(statement); /* Repeats the code. */
    return code;
}

struct identity {
    int64_t application_id;
    int64_t version;
    int64_t objects; /* Tables and the like. */
};

static int read_identity(sqlite3 *db, struct identity *ret_identity)
{
    int code = query_int(db, "PRAGMA application_id", &ret_identity->application_id);
    if (code == SQLITE_OK) code = query_int(db, "PRAGMA user_version", &ret_identity->version);
    if (code != SQLITE_OK) return code;
    return query_int(db, "SELECT count(*) FROM sqlite_schema", &ret_identity->objects);
}

static bool is_empty(const struct identity *identity)
{
    return identity->application_id == 0 && identity->version == 0 && identity->objects == 0;
}

/* Whether the database is one we can write, or empty: looked at before anything in it is changed.
 */
static int check_identity(const char *path, const struct identity *identity)
{
    if (is_empty(identity)) return 0;
    if (identity->application_id != SQLITE_SCHEMA_APPLICATION_ID) {
        return log_failure(path, "identify", "the database is another program's", -EBADMSG);
    }
    if (identity->version >= 1 && identity->version <= SQLITE_STORE_SCHEMA_VERSION) return 0;
    char why[128];
    (void)snprintf(why, sizeof why, "the schema's version is %" PRId64 ", this program's is %d",
                   identity->version, (int)SQLITE_STORE_SCHEMA_VERSION);
    return log_failure(path, "identify", why, -ENOTSUP);
}

static int set_pragmas(sqlite3 *db, const char *path)
{
    char sql[256];
    (void)snprintf(
        sql, sizeof sql,
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; "
        "PRAGMA trusted_schema = OFF; PRAGMA journal_size_limit = %d; "
        "PRAGMA wal_autocheckpoint = %d; PRAGMA cache_size = -%d",
        (int)SQLITE_SCHEMA_WAL_BYTES_MAX, (int)SQLITE_SCHEMA_CHECKPOINT_PAGES,
        (int)SQLITE_SCHEMA_CACHE_KIB);
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (code != SQLITE_OK) return log_sqlite_failure(db, path, "configure", code);
    /* Where SQLite cannot have a log (a network file system), it keeps the old mode and says OK. */
    int64_t is_wal = 0;
    code = query_int(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", &is_wal);
    if (code != SQLITE_OK) return log_sqlite_failure(db, path, "configure", code);
    if (!is_wal) return log_failure(path, "configure", "no write-ahead log here", -ENOTSUP);
    return 0;
}

/* Within a transaction. SQLITE_MISMATCH: rows refer to what is not there. */
static int run_step(sqlite3 *db, int64_t version)
{
    const struct embedded_file *step = &sqlite_schema_files.files[version];
    int64_t orphans = 0;
    int64_t reached = 0;
    int code = sqlite3_exec(db, (const char *)step->bytes, NULL, NULL, NULL);
    if (code == SQLITE_OK) {
        code = query_int(db, "SELECT count(*) FROM pragma_foreign_key_check", &orphans);
    }
    if (code == SQLITE_OK && orphans > 0) code = SQLITE_MISMATCH;
    if (code == SQLITE_OK) code = query_int(db, "PRAGMA user_version", &reached);
    QR_ASSERT(code != SQLITE_OK || reached == version + 1); /* Each step says which it is. */
    return code;
}

/* One step in one transaction, under the write lock, since another process may have made it since
 * the last look. */
static int step_schema(sqlite3 *db, const char *path, int64_t *ret_version)
{
    int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code != SQLITE_OK) return log_sqlite_failure(db, path, "lock", code);
    struct identity identity = {0};
    code = read_identity(db, &identity);
    if (code != SQLITE_OK) return log_sqlite_failure(db, path, "read", code);
    int error = check_identity(path, &identity);
    if (error != 0) return error;
    int64_t version = identity.version;
    if (version < SQLITE_STORE_SCHEMA_VERSION) code = run_step(db, version++);
    if (code == SQLITE_MISMATCH) {
        return log_failure(path, "create_schema", "rows refer to what is not there", -EBADMSG);
    }
    if (code == SQLITE_OK) code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    if (code != SQLITE_OK) return log_sqlite_failure(db, path, "create_schema", code);
    *ret_version = version;
    return 0;
}

/* Foreign keys are off meanwhile: with them, dropping a table to make it anew would delete what
 * refers to it. */
static int ensure_schema(sqlite3 *db, const char *path)
{
    QR_ASSERT(sqlite_schema_files.count == SQLITE_STORE_SCHEMA_VERSION);
    int64_t version = 0;
    while (version < SQLITE_STORE_SCHEMA_VERSION) {
        int error = step_schema(db, path, &version);
        if (error != 0) return error;
    }
    /* A savepoint around a result keeps the pages that it changes, some dozens: without a file.
     * Steps may sort whole tables, and so come before. */
    int code =
        sqlite3_exec(db, "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : log_sqlite_failure(db, path, "configure", code);
}

static int open_checked(const char *path, sqlite3 *db)
{
    struct identity identity = {0};
    int code = sqlite3_busy_timeout(db, SQLITE_SCHEMA_BUSY_MS);
    if (code == SQLITE_OK) code = sqlite3_extended_result_codes(db, 1);
    if (code == SQLITE_OK) code = read_identity(db, &identity);
    if (code != SQLITE_OK) return log_sqlite_failure(db, path, "read", code);
    int error = check_identity(path, &identity);
    if (error != 0) return error;
    /* A file that may not be written is opened all the same, for reading. */
    if (sqlite3_db_readonly(db, "main") != 0) {
        return log_failure(path, "open", "the file is read-only", -EACCES);
    }
    error = set_pragmas(db, path);
    if (error != 0) return error;
    return ensure_schema(db, path);
}

int sqlite_schema_open(const char *path, sqlite3 **ret_db)
{
    int error = create_file(path);
    if (error != 0) return error;
    /* No mutex of SQLite's own: the connection is used by one thread at a time. */
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    error = code == SQLITE_OK ? open_checked(path, db) : log_sqlite_failure(db, path, "open", code);
    if (error != 0) {
        (void)sqlite3_close(db); /* It has no statements; a transaction is rolled back. */
        return error;
    }
    *ret_db = db;
    return 0;
}
