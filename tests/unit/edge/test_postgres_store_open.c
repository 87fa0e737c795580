/* Opening a store on a server: over which way, with which password, and what is refused at start. */

#define _GNU_SOURCE

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store_backend_postgres.h"

static const char password[] = "corr3ct-horse";

/* By TCP, as a role with a password, which the server asks for by SCRAM. */
static void tcp_uri(const char *host, const char *parameters, char ret_uri[URI_BYTES])
{
    (void)snprintf(ret_uri, URI_BYTES, "postgresql://ada@%s:%u/test?%s", host,
                   backend_server()->port, parameters);
}

static void make_role(struct world *world)
{
    char sql[256];
    (void)snprintf(sql, sizeof sql, "CREATE ROLE ada LOGIN SUPERUSER PASSWORD '%s'", password);
    execute(world, "DROP ROLE IF EXISTS ada");
    execute(world, sql);
}

static void write_password(struct world *world, const char *name, const char *text,
                           char ret_path[PATH_BYTES + 32])
{
    (void)snprintf(ret_path, PATH_BYTES + 32, "%s/%s", world->directory, name);
    FILE *file = fopen(ret_path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int open_at(struct world *world, const char *uri, const char *password_file)
{
    struct postgres_store_options options = backend_options(QUEUE_SLOTS);
    options.uri = uri;
    options.password_file = password_file;
    return postgres_store_create(&options, &world->store);
}

static void expect_it_saves(struct world *world)
{
    struct match_result result = duel(1);
    expect_saved(world, &result);
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "1\n");
}

/* --- Ways. --- */

static void it_connects_by_tls_with_a_password_from_a_file(void **state)
{
    struct world *world = *state;
    char uri[URI_BYTES], path[PATH_BYTES + 32], line[64];
    make_role(world);
    (void)snprintf(line, sizeof line, "%s\n", password);
    write_password(world, "password", line, path);
    tcp_uri("127.0.0.1", "sslmode=require", uri);
    assert_int_equal(open_at(world, uri, path), 0);
    expect_it_saves(world);
    assert_string_equal(rows(world, "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity"
                                    " USING (pid) WHERE usename = 'ada'"),
                        "1\n");
}

static void a_hosts_name_is_looked_up(void **state)
{
    struct world *world = *state;
    char uri[URI_BYTES], path[PATH_BYTES + 32];
    make_role(world);
    write_password(world, "password", password, path);
    tcp_uri("localhost", "sslmode=disable", uri);
    assert_int_equal(open_at(world, uri, path), 0);
    expect_it_saves(world);
}

static void a_systemd_credential_is_the_password(void **state)
{
    struct world *world = *state;
    char uri[URI_BYTES], path[PATH_BYTES + 32];
    make_role(world);
    write_password(world, "store_password", password, path);
    tcp_uri("127.0.0.1", "sslmode=disable", uri);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", world->directory, 1), 0);
    int opened = open_at(world, uri, "");
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    assert_int_equal(opened, 0);
    expect_it_saves(world);
}

static void the_server_is_told_the_deadline(void **state)
{
    struct world *world = *state;
    open_store(world);
    execute(world, "CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                   " NEW.name := current_setting('statement_timeout'); RETURN NEW; END $$");
    execute(world, "CREATE TRIGGER told BEFORE INSERT ON players FOR EACH ROW"
                   " EXECUTE FUNCTION told()");
    expect_it_saves(world);
    assert_string_equal(rows(world, "SELECT DISTINCT name FROM players"), "5s\n");
}

/* --- What is refused. --- */

static void expect_refused(struct world *world, const char *uri, const char *password_file,
                           const char *logged)
{
    capture_log(world);
    int opened = open_at(world, uri, password_file);
    end_log(world);
    assert_true(opened < 0);
    assert_int_equal(times_logged(world, "level=error"), 1);
    assert_int_equal(times_logged(world, logged), 1);
    assert_int_equal(times_logged(world, password), 0);
}

static void a_wrong_password_is_said_without_it(void **state)
{
    struct world *world = *state;
    char uri[URI_BYTES], path[PATH_BYTES + 32];
    make_role(world);
    execute(world, "ALTER ROLE ada PASSWORD 'another'");
    write_password(world, "password", password, path);
    tcp_uri("127.0.0.1", "sslmode=require", uri);
    expect_refused(world, uri, path, "password authentication failed for user");
}

static void a_password_file_that_is_missing_or_empty_is_refused(void **state)
{
    struct world *world = *state;
    char uri[URI_BYTES], path[PATH_BYTES + 32];
    backend_uri(uri);
    expect_refused(world, uri, "/nonexistent/password", "event=store_password_failed");
    write_password(world, "password", "\n", path);
    expect_refused(world, uri, path, "event=store_password_failed");
}

static void a_server_that_is_not_there_is_refused(void **state)
{
    struct world *world = *state;
    expect_refused(world, "postgresql://ada@/test?host=/nonexistent", "",
                   "event=store_open_failed step=connect");
}

static void a_database_without_a_schema_says_what_to_run(void **state)
{
    struct world *world = *state;
    char uri[URI_BYTES];
    backend_uri(uri);
    execute(world, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    expect_refused(world, uri, "", "run quizrushd --migrate");
}

static void a_schema_of_a_newer_version_is_refused_and_not_migrated(void **state)
{
    struct world *world = *state;
    struct postgres_store_options options = backend_options(QUEUE_SLOTS);
    execute(world, "UPDATE quizrush_schema SET version = 3");
    expect_refused(world, options.uri, "", "the schema's version is 3, this program's is 2");
    capture_log(world);
    int migrated = postgres_store_migrate(&options);
    end_log(world);
    assert_int_equal(migrated, -ENOTSUP);
    assert_string_equal(rows(world, "SELECT version FROM quizrush_schema"), "3\n");
}

static void a_connection_that_finds_another_version_is_not_used(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    capture_log(world);
    open_store(world);
    execute(world, "UPDATE quizrush_schema SET version = 3");
    execute(world, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                   " WHERE datname = 'test' AND pid <> pg_backend_pid()");
    save(world, &result);
    expect_answer(world, 1, false);
    execute(world, "UPDATE quizrush_schema SET version = 2");
    wait_for_links(world, 2 * SHARDS);
    expect_saved(world, &result);
    end_log(world);
}

static void another_encoding_than_utf8_is_refused(void **state)
{
    struct world *world = *state;
    char uri[URI_BYTES];
    backend_administer("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
    server_uri(backend_server(), "latin", uri, sizeof uri);
    expect_refused(world, uri, "", "encoding is not UTF8");
}

static void migrating_again_changes_nothing(void **state)
{
    struct world *world = *state;
    struct postgres_store_options options = backend_options(QUEUE_SLOTS);
    open_store(world);
    expect_it_saves(world);
    assert_int_equal(postgres_store_migrate(&options), 0);
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "1\n");
    assert_string_equal(rows(world, "SELECT version FROM quizrush_schema"), "2\n");
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(it_connects_by_tls_with_a_password_from_a_file),
        store_test(a_hosts_name_is_looked_up),
        store_test(a_systemd_credential_is_the_password),
        store_test(the_server_is_told_the_deadline),
        store_test(a_wrong_password_is_said_without_it),
        store_test(a_password_file_that_is_missing_or_empty_is_refused),
        store_test(a_server_that_is_not_there_is_refused),
        store_test(a_database_without_a_schema_says_what_to_run),
        store_test(a_schema_of_a_newer_version_is_refused_and_not_migrated),
        store_test(a_connection_that_finds_another_version_is_not_used),
        store_test(another_encoding_than_utf8_is_refused),
        store_test(migrating_again_changes_nothing),
    };
    return cmocka_run_group_tests_name("edge/postgres_store_open", tests, backend_group_begin,
                                       backend_group_end);
}
