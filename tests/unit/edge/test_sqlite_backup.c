/* Copies of the embedded store's file. */

#define _GNU_SOURCE

#include <dirent.h>
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

#include "edge/sqlite_backup.h"
#include "store_backend.h"

struct target {
    char path[PATH_BYTES + 16];
    char problem[SQLITE_BACKUP_PROBLEM_BYTES];
    int64_t bytes;
};

static struct target target_of(const struct world *world)
{
    struct target target = {.problem = ""};
    (void)snprintf(target.path, sizeof target.path, "%s/copy.db", world->directory);
    return target;
}

static int back_up(const struct world *world, struct target *target)
{
    return sqlite_backup(world->path, target->path, &target->bytes, target->problem);
}

/* Of copies, whole or not: reading the database may leave its log beside it. */
static unsigned copies_in(const struct world *world)
{
    unsigned count = 0;
    DIR *directory = opendir(world->directory);
    assert_non_null(directory);
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (strncmp(entry->d_name, "copy", 4) == 0) count++;
    }
    (void)closedir(directory);
    return count;
}

/* Of the copy, by a connection of its own. */
static const char *value_of(const struct target *target, const char *sql)
{
    static char text[64];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open_v2(target->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    (void)snprintf(text, sizeof text, "%s", (const char *)sqlite3_column_text(statement, 0));
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return text;
}

static void a_copy_has_what_was_saved_and_needs_no_other_file(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    struct target target = target_of(world);
    open_store(world);
    expect_saved(world, &result); /* Into the log beside the file. */
    assert_int_equal(back_up(world, &target), 0);
    assert_string_equal(value_of(&target, "SELECT count(*) FROM answers"), "3");
    assert_string_equal(value_of(&target, "PRAGMA integrity_check"), "ok");
    assert_string_equal(value_of(&target, "PRAGMA journal_mode"), "delete");
}

static void a_copy_is_its_owners_alone_and_as_long_as_it_says(void **state)
{
    struct world *world = *state;
    struct target target = target_of(world);
    struct stat status;
    open_store(world);
    assert_int_equal(back_up(world, &target), 0);
    assert_int_equal(stat(target.path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(status.st_size, target.bytes);
}

static void the_store_opens_a_copy(void **state)
{
    struct world *world = *state;
    struct match_result first = duel(1);
    struct match_result second = duel_after(&first, 2);
    struct target target = target_of(world);
    open_store(world);
    expect_saved(world, &first);
    assert_int_equal(back_up(world, &target), 0);
    close_store(world);
    assert_int_equal(rename(target.path, world->path), 0);
    open_store(world);
    expect_saved(world, &second);
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "2\n");
}

static void results_are_saved_while_it_is_copied(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    struct target target = target_of(world);
    open_store(world);
    hold_writes(world); /* Nor does it wait for who writes. */
    assert_int_equal(back_up(world, &target), 0);
    release_writes(world);
    expect_saved(world, &result);
    assert_string_equal(value_of(&target, "SELECT count(*) FROM matches"), "0");
}

static void a_file_that_is_there_is_not_replaced(void **state)
{
    struct world *world = *state;
    struct target target = target_of(world);
    open_store(world);
    assert_int_equal(symlink("/nonexistent", target.path), 0);
    assert_int_equal(back_up(world, &target), -EEXIST);
    assert_int_equal(unlink(target.path), 0);
    assert_int_equal(back_up(world, &target), 0);
    assert_int_equal(back_up(world, &target), -EEXIST);
    assert_non_null(strstr(target.problem, "File exists"));
}

static void a_directory_that_is_not_there_is_not_made(void **state)
{
    struct world *world = *state;
    struct target target = target_of(world);
    open_store(world);
    (void)strcpy(target.path, "/nonexistent/copy.db");
    assert_int_equal(back_up(world, &target), -ENOENT);
}

static void of_a_broken_database_nothing_is_left(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    struct target target = target_of(world);
    open_store(world);
    expect_saved(world, &result);
    /* An index that says something else than its table. */
    execute(world, "PRAGMA writable_schema = ON;"
                   "UPDATE sqlite_schema SET sql = replace(sql, 'order_centi, player',"
                   " 'matches, player') WHERE name = 'player_stats_board'");
    close_store(world);
    int error = back_up(world, &target);
    assert_int_equal(error, -EBADMSG);
    assert_non_null(strstr(target.problem, "integrity_check"));
    assert_int_equal(copies_in(world), 0);
}

static void what_is_no_database_is_not_copied(void **state)
{
    struct world *world = *state;
    struct target target = target_of(world);
    assert_int_equal(back_up(world, &target), -ENOENT);
    execute(world, "CREATE TABLE t (a)");
    close_store(world);
    assert_int_equal(back_up(world, &target), -EBADMSG);
    assert_int_equal(copies_in(world), 0);
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(a_copy_has_what_was_saved_and_needs_no_other_file),
        store_test(a_copy_is_its_owners_alone_and_as_long_as_it_says),
        store_test(the_store_opens_a_copy),
        store_test(results_are_saved_while_it_is_copied),
        store_test(a_file_that_is_there_is_not_replaced),
        store_test(a_directory_that_is_not_there_is_not_made),
        store_test(of_a_broken_database_nothing_is_left),
        store_test(what_is_no_database_is_not_copied),
    };
    return cmocka_run_group_tests_name("edge/sqlite_backup", tests, NULL, NULL);
}
