/* Opening the embedded store: what is created, and what is refused and logged. */

#define _GNU_SOURCE

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store_fixture.h"

enum { NOBODY = 65534 };

static void expect_refused(struct world *world, int error, const char *reason)
{
    capture_log(world);
    int opened = try_open(world);
    end_log(world);
    if (opened != error || times_logged(world, reason) != 1) print_error("%s", world->log);
    assert_int_equal(opened, error);
    assert_null(world->store);
    assert_int_equal(times_logged(world, "\n"), 1);
    assert_int_equal(times_logged(world, "level=error event=store_open_failed"), 1);
    assert_int_equal(times_logged(world, reason), 1);
}

/* As a user whom file modes bind: root may write anywhere. */
static void expect_refused_unprivileged(struct world *world, int error, const char *reason)
{
    uid_t user = geteuid();
    if (user == 0) assert_int_equal(seteuid(NOBODY), 0);
    capture_log(world);
    int opened = try_open(world);
    end_log(world);
    assert_int_equal(seteuid(user), 0);
    if (opened != error || times_logged(world, reason) != 1) print_error("%s", world->log);
    assert_int_equal(opened, error);
    assert_null(world->store);
    assert_int_equal(times_logged(world, reason), 1);
}

static void write_file(const struct world *world, const char *text)
{
    FILE *file = fopen(world->path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static unsigned mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

static unsigned mode_beside(const struct world *world, const char *suffix)
{
    char path[PATH_BYTES + 8];
    (void)snprintf(path, sizeof path, "%s%s", world->path, suffix);
    return mode_of(path);
}

/* --- What is created. --- */

static void a_new_store_has_the_schema(void **state)
{
    struct world *world = *state;
    open_store(world);
    assert_string_equal(rows(world, "SELECT name FROM sqlite_schema WHERE type = 'table'"
                                    " ORDER BY name"),
                        "answers\nmatch_players\nmatches\nplayer_stats\nplayers\nrounds\n");
    assert_string_equal(rows(world, "PRAGMA user_version"), "4\n");
    assert_string_equal(rows(world, "PRAGMA application_id"), "1364349768\n"); /* "QRSH" */
}

static void its_files_are_the_owners_alone_whatever_the_umask(void **state)
{
    struct world *world = *state;
    mode_t mask = umask(0);
    open_store(world);
    (void)umask(mask);
    assert_int_equal(mode_of(world->path), 0600);
    assert_int_equal(mode_beside(world, "-wal"), 0600);
    assert_int_equal(mode_beside(world, "-shm"), 0600);
}

static void a_commit_is_on_disk_before_it_is_answered(void **state)
{
    struct world *world = *state;
    watch_connection();
    open_store(world);
    world->reader = watched_connection(); /* These two are the connection's own. */
    char synchronous[8];
    (void)snprintf(synchronous, sizeof synchronous, "%s", rows(world, "PRAGMA synchronous"));
    char journal[8];
    (void)snprintf(journal, sizeof journal, "%s", rows(world, "PRAGMA journal_mode"));
    char foreign_keys[8];
    (void)snprintf(foreign_keys, sizeof foreign_keys, "%s", rows(world, "PRAGMA foreign_keys"));
    world->reader = NULL;
    assert_string_equal(journal, "wal\n");
    assert_string_equal(synchronous, "2\n"); /* FULL. */
    assert_string_equal(foreign_keys, "1\n");
}

static void what_was_saved_is_there_when_it_is_opened_again(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    expect_saved(world, &result);
    close_store(world);
    open_store(world);
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "1\n");
}

static void two_stores_may_share_a_file(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    struct store *first = world->store;
    open_store(world);
    expect_saved(world, &result);
    first->class->destroy(first);
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "1\n");
}

/* --- What is refused. --- */

static void a_schema_of_a_newer_version_is_refused(void **state)
{
    struct world *world = *state;
    open_store(world);
    execute(world, "PRAGMA user_version = 5");
    close_store(world);
    expect_refused(world, -ENOTSUP, "the schema's version is 5, this program's is 4");
}

static void a_schema_of_a_newer_version_is_left_as_it_is(void **state)
{
    struct world *world = *state;
    execute(world, "PRAGMA application_id = 1364349768; PRAGMA user_version = 5;"
                   " CREATE TABLE t (a)");
    expect_refused(world, -ENOTSUP, "the schema's version is 5");
    assert_string_equal(rows(world, "PRAGMA journal_mode"), "delete\n");
    assert_string_equal(rows(world, "SELECT count(*) FROM sqlite_schema"), "1\n");
}

static void the_database_of_another_program_is_refused(void **state)
{
    struct world *world = *state;
    execute(world, "PRAGMA application_id = 7; CREATE TABLE t (a)");
    expect_refused(world, -EBADMSG, "another program's");
}

static void a_database_that_nobody_signed_is_refused(void **state)
{
    struct world *world = *state;
    execute(world, "CREATE TABLE t (a)");
    expect_refused(world, -EBADMSG, "another program's");
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    struct world *world = *state;
    write_file(world, "This is not a database, and it is long enough to have the header of one: "
                      "a hundred bytes at the least.");
    expect_refused(world, -EBADMSG, "file is not a database");
}

static void a_schema_without_a_version_is_refused(void **state)
{
    struct world *world = *state;
    execute(world, "PRAGMA application_id = 1364349768; CREATE TABLE t (a)");
    expect_refused(world, -ENOTSUP, "the schema's version is 0");
}

static void old_tables_that_are_not_ours_are_refused_and_left(void **state)
{
    struct world *world = *state;
    execute(world, "PRAGMA application_id = 1364349768; PRAGMA user_version = 1;"
                   " CREATE TABLE players (a)");
    expect_refused(world, -EBADMSG, "step=create_schema");
    assert_string_equal(rows(world, "PRAGMA user_version"), "1\n");
    assert_string_equal(rows(world, "SELECT name FROM pragma_table_info('players')"), "a\n");
}

static void tables_that_are_not_ours_are_refused(void **state)
{
    struct world *world = *state;
    execute(world, "PRAGMA application_id = 1364349768; PRAGMA user_version = 4;"
                   " CREATE TABLE matches (a)");
    capture_log(world);
    int opened = try_open(world);
    end_log(world);
    assert_int_equal(opened, -EBADMSG);
    assert_int_equal(times_logged(world, "level=error event=store_start_failed"), 1);
}

static void a_missing_directory_is_refused(void **state)
{
    struct world *world = *state;
    (void)strcpy(world->path, "/tmp/there/is/no/such/quizrush.db");
    expect_refused(world, -ENOENT, "No such file or directory");
}

static void a_directory_in_the_files_place_is_refused(void **state)
{
    struct world *world = *state;
    (void)strcpy(world->path, world->directory);
    expect_refused(world, -EISDIR, "unable to open database file");
}

static void a_read_only_directory_is_refused(void **state)
{
    struct world *world = *state;
    assert_int_equal(chmod(world->directory, 0555), 0);
    expect_refused_unprivileged(world, -EACCES, "Permission denied");
}

static void a_read_only_file_is_refused(void **state)
{
    struct world *world = *state;
    assert_int_equal(chmod(world->directory, 0777), 0);
    execute(world, "PRAGMA user_version = 0"); /* Creates it, empty. */
    close_store(world);
    assert_int_equal(chmod(world->path, 0444), 0);
    expect_refused_unprivileged(world, -EACCES, "the file is read-only");
}

static void a_file_that_stays_locked_is_refused(void **state)
{
    struct world *world = *state;
    execute(world, "BEGIN EXCLUSIVE");
    expect_refused(world, -EBUSY, "database is locked");
    execute(world, "ROLLBACK");
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(a_new_store_has_the_schema),
        store_test(its_files_are_the_owners_alone_whatever_the_umask),
        store_test(a_commit_is_on_disk_before_it_is_answered),
        store_test(what_was_saved_is_there_when_it_is_opened_again),
        store_test(two_stores_may_share_a_file),
        store_test(a_schema_of_a_newer_version_is_refused),
        store_test(a_schema_of_a_newer_version_is_left_as_it_is),
        store_test(the_database_of_another_program_is_refused),
        store_test(a_database_that_nobody_signed_is_refused),
        store_test(a_file_that_is_no_database_is_refused),
        store_test(a_schema_without_a_version_is_refused),
        store_test(old_tables_that_are_not_ours_are_refused_and_left),
        store_test(tables_that_are_not_ours_are_refused),
        store_test(a_missing_directory_is_refused),
        store_test(a_directory_in_the_files_place_is_refused),
        store_test(a_read_only_directory_is_refused),
        store_test(a_read_only_file_is_refused),
        store_test(a_file_that_stays_locked_is_refused),
    };
    return cmocka_run_group_tests_name("edge/sqlite_store_open", tests, NULL, NULL);
}
