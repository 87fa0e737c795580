#include "edge/sqlite_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sqlite_reading_priv.h"

_Static_assert((int)SQLITE_BACKUP_PROBLEM_BYTES == (int)SQLITE_READING_PROBLEM_BYTES,
               "one is passed as the other");

enum { STEP_PAGES = 256 };

struct copy {
    const char *target;
    char part[PATH_MAX]; /* Its name until it is whole; "": there is none. */
    char *problem;
};

static int fail(const struct copy *copy, const char *what, const char *why, int error)
{
    (void)snprintf(copy->problem, SQLITE_BACKUP_PROBLEM_BYTES, "%s: %s", what, why);
    return error;
}

static int fail_at(const struct copy *copy, const char *what)
{
    int error = errno;
    return fail(copy, what, strerror(error), -error);
}

/* Beside the target, so that a new name is all it needs; readable by its owner alone. */
static int create_part(struct copy *copy)
{
    struct stat status;
    if (lstat(copy->target, &status) == 0) {
        return fail(copy, copy->target, strerror(EEXIST), -EEXIST);
    }
    int size = snprintf(copy->part, sizeof copy->part, "%s.XXXXXX", copy->target);
    if (size < 0 || (size_t)size >= sizeof copy->part) {
        copy->part[0] = '\0';
        return fail(copy, "the target", strerror(ENAMETOOLONG), -ENAMETOOLONG);
    }
    int fd = mkostemp(copy->part, O_CLOEXEC);
    if (fd < 0) {
        copy->part[0] = '\0';
        return fail_at(copy, copy->target);
    }
    (void)close(fd); /* Nothing was written. */
    return 0;
}

/* One snapshot throughout: a copy that follows the writer may never end. */
static int copy_pages(sqlite3 *from, sqlite3 *to)
{
    int code = sqlite3_exec(from, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
    if (code != SQLITE_OK) return code;
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (backup == NULL) return sqlite3_errcode(to);
    do code = sqlite3_backup_step(backup, STEP_PAGES);
    while (code == SQLITE_OK);
    int finished = sqlite3_backup_finish(backup);
    /* It has only read. */
    (void)sqlite3_exec(from, "COMMIT", NULL, NULL, NULL);
    return code == SQLITE_DONE ? finished : code;
}

/* SQLITE_CORRUPT where the database says anything but "ok". */
static int check(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    bool is_sound = false;
    int code = sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &statement, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        is_sound = text != NULL && strcmp(text, "ok") == 0;
        code = SQLITE_OK;
    }
    (void)sqlite3_finalize(statement); /* Repeats the code. */
    return code == SQLITE_OK && !is_sound ? SQLITE_CORRUPT : code;
}

/* Nothing of it is synced before all is there. The copy needs no log beside it: quizrushd gives it
 * one. */
static int fill(const struct copy *copy, sqlite3 *from, sqlite3 *to)
{
    int code =
        sqlite3_exec(to, "PRAGMA synchronous = OFF; PRAGMA trusted_schema = OFF", NULL, NULL, NULL);
    if (code == SQLITE_OK) code = copy_pages(from, to);
    if (code == SQLITE_OK)
        code = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return fail(copy, "copy", sqlite3_errstr(code), sqlite_reading_errno(code));
    code = check(to);
    if (code == SQLITE_OK) return 0;
    return fail(copy, "integrity_check of the copy", sqlite3_errstr(code),
                sqlite_reading_errno(code));
}

static int fill_part(const struct copy *copy, const char *path)
{
    sqlite3 *from = NULL;
    sqlite3 *to = NULL;
    int error = sqlite_reading_open(path, SQLITE_OPEN_READONLY, &from, copy->problem);
    if (error != 0) return error;
    int code = sqlite3_open_v2(copy->part, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    error = code == SQLITE_OK
                ? fill(copy, from, to)
                : fail(copy, copy->part, sqlite3_errmsg(to), sqlite_reading_errno(code));
    /* No statement is left in either. */
    (void)sqlite3_close(to);
    (void)sqlite3_close(from);
    return error;
}

static int sync_file(const struct copy *copy, const char *path, int flags, int64_t *ret_bytes)
{
    struct stat status;
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) return fail_at(copy, path);
    int error = fsync(fd) < 0 || fstat(fd, &status) < 0 ? fail_at(copy, path) : 0;
    (void)close(fd); /* It is synced. */
    if (error == 0 && ret_bytes != NULL) *ret_bytes = status.st_size;
    return error;
}

static int sync_directory(const struct copy *copy)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s", copy->target); /* It was shorter with a suffix. */
    return sync_file(copy, dirname(path), O_RDONLY | O_DIRECTORY, NULL);
}

/* What has come under this name meanwhile is not replaced. */
static int give_name(struct copy *copy)
{
    if (renameat2(AT_FDCWD, copy->part, AT_FDCWD, copy->target, RENAME_NOREPLACE) < 0) {
        return fail_at(copy, copy->target);
    }
    copy->part[0] = '\0';
    return sync_directory(copy);
}

int sqlite_backup(const char *path, const char *target, int64_t *ret_bytes,
                  char reterr_problem[SQLITE_BACKUP_PROBLEM_BYTES])
{
    struct copy copy = {.target = target, .problem = reterr_problem};
    int64_t bytes = 0;
    int error = create_part(&copy);
    if (error == 0) error = fill_part(&copy, path);
    if (error == 0) error = sync_file(&copy, copy.part, O_RDWR, &bytes);
    if (error == 0) error = give_name(&copy);
    if (copy.part[0] != '\0') (void)unlink(copy.part); /* Best effort: it is incomplete. */
    if (error == 0) *ret_bytes = bytes;
    return error;
}
