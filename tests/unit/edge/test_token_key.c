/* The key that tokens are signed with: how its file is made, and which files are refused. */

#define _GNU_SOURCE

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "edge/token.h"
#include "temp.h"

enum { NOBODY = 65534 };

static const struct token_key key = {"0123456789abcdef0123456789abcde"};
static const struct token_key other_key = {"0123456789abcdef0123456789abcdf"};

/* A directory of the test's own. */
struct place {
    char directory[96];
    char path[128];
};

static int place_begin(void **state)
{
    static struct place place;
    temp_template(place.directory, sizeof place.directory, "token");
    if (mkdtemp(place.directory) == NULL) return -1;
    (void)snprintf(place.path, sizeof place.path, "%s/token.key", place.directory);
    *state = &place;
    return 0;
}

static unsigned files_in(const struct place *place, bool is_removing)
{
    unsigned count = 0;
    DIR *directory = opendir(place->directory);
    if (directory == NULL) return 0;
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (entry->d_name[0] == '.') continue;
        count++;
        if (is_removing && unlinkat(dirfd(directory), entry->d_name, 0) != 0) {
            (void)unlinkat(dirfd(directory), entry->d_name, AT_REMOVEDIR);
        }
    }
    (void)closedir(directory);
    return count;
}

static int place_end(void **state)
{
    const struct place *place = *state;
    (void)chmod(place->directory, S_IRWXU);
    (void)files_in(place, true);
    return rmdir(place->directory);
}

static void write_file(const char *path, const void *bytes, size_t size, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static void expect_load_refused(const char *path, int error)
{
    struct token_key loaded = other_key;
    assert_int_equal(token_key_load(path, &loaded), error);
    assert_memory_equal(&loaded, &other_key, sizeof loaded);
}

static void a_missing_key_is_made_once(void **state)
{
    const struct place *place = *state;
    struct token_key first, second;
    mode_t mask = umask(0);
    assert_int_equal(token_key_load(place->path, &first), 0);
    (void)umask(mask);
    assert_int_equal(token_key_load(place->path, &second), 0);
    assert_memory_equal(&first, &second, sizeof first);
    struct stat status;
    assert_int_equal(stat(place->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(status.st_size, TOKEN_KEY_BYTES);
    assert_int_equal(files_in(place, false), 1);
}

static void two_keys_differ(void **state)
{
    const struct place *place = *state;
    struct token_key first, second;
    assert_int_equal(token_key_load(place->path, &first), 0);
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(token_key_load(place->path, &second), 0);
    assert_memory_not_equal(&first, &second, sizeof first);
}

static void a_key_that_is_there_is_read(void **state)
{
    const struct place *place = *state;
    struct token_key loaded;
    write_file(place->path, key.bytes, TOKEN_KEY_BYTES, 0400);
    assert_int_equal(token_key_load(place->path, &loaded), 0);
    assert_memory_equal(&loaded, &key, sizeof loaded);
}

static void a_key_that_others_have_rights_to_is_refused(void **state)
{
    const struct place *place = *state;
    write_file(place->path, key.bytes, TOKEN_KEY_BYTES, 0640);
    expect_load_refused(place->path, -EACCES);
    assert_int_equal(chmod(place->path, 0604), 0);
    expect_load_refused(place->path, -EACCES);
    assert_int_equal(chmod(place->path, 0620), 0);
    expect_load_refused(place->path, -EACCES);
}

static void a_key_of_another_length_is_refused(void **state)
{
    const struct place *place = *state;
    char bytes[TOKEN_KEY_BYTES + 1] = {0};
    write_file(place->path, bytes, TOKEN_KEY_BYTES - 1, 0600);
    expect_load_refused(place->path, -EINVAL);
    assert_int_equal(unlink(place->path), 0);
    write_file(place->path, bytes, TOKEN_KEY_BYTES + 1, 0600);
    expect_load_refused(place->path, -EINVAL);
    assert_int_equal(unlink(place->path), 0);
    write_file(place->path, bytes, 0, 0600);
    expect_load_refused(place->path, -EINVAL);
}

static void a_symbolic_link_is_refused(void **state)
{
    const struct place *place = *state;
    char target[160];
    (void)snprintf(target, sizeof target, "%s/elsewhere", place->directory);
    assert_int_equal(symlink(target, place->path), 0);
    expect_load_refused(place->path, -ELOOP); /* To nothing. */
    write_file(target, key.bytes, TOKEN_KEY_BYTES, 0600);
    expect_load_refused(place->path, -ELOOP);
}

static void what_is_no_file_is_refused(void **state)
{
    const struct place *place = *state;
    assert_int_equal(mkdir(place->path, 0700), 0);
    expect_load_refused(place->path, -EINVAL);
    assert_int_equal(rmdir(place->path), 0);
    assert_int_equal(mkfifo(place->path, 0600), 0);
    expect_load_refused(place->path, -EINVAL);
}

static void a_missing_directory_is_refused(void **state)
{
    (void)state;
    expect_load_refused("/tmp/there/is/no/such/token.key", -ENOENT);
}

/* As a user whom file modes bind: root may write anywhere. */
static void an_unwritable_directory_is_refused(void **state)
{
    const struct place *place = *state;
    assert_int_equal(chmod(place->directory, 0555), 0);
    uid_t user = geteuid();
    if (user == 0) assert_int_equal(seteuid(NOBODY), 0);
    struct token_key loaded;
    int error = token_key_load(place->path, &loaded);
    assert_int_equal(seteuid(user), 0);
    assert_int_equal(error, -EACCES);
    assert_int_equal(files_in(place, false), 0);
}

static void no_line_of_the_log_has_a_key(void **state)
{
    const struct place *place = *state;
    char log_path[160];
    (void)snprintf(log_path, sizeof log_path, "%s/log", place->directory);
    write_file(place->path, key.bytes, TOKEN_KEY_BYTES - 1, 0600);
    (void)fflush(stderr);
    int saved = dup(STDERR_FILENO);
    int file = open(log_path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
    struct token_key loaded;
    int error = token_key_load(place->path, &loaded);
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    (void)close(saved);
    char log[1024] = "";
    ssize_t size = pread(file, log, sizeof log - 1, 0);
    (void)close(file);
    assert_int_equal(error, -EINVAL);
    assert_true(size > 0);
    assert_non_null(strstr(log, "level=error event=token_key_failed"));
    assert_non_null(strstr(log, "error=\"not 32 bytes long\""));
    assert_null(strstr(log, "0123456789abcdef"));
}

#define key_test(name) cmocka_unit_test_setup_teardown(name, place_begin, place_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        key_test(a_missing_key_is_made_once),
        key_test(two_keys_differ),
        key_test(a_key_that_is_there_is_read),
        key_test(a_key_that_others_have_rights_to_is_refused),
        key_test(a_key_of_another_length_is_refused),
        key_test(a_symbolic_link_is_refused),
        key_test(what_is_no_file_is_refused),
        key_test(a_missing_directory_is_refused),
        key_test(an_unwritable_directory_is_refused),
        key_test(no_line_of_the_log_has_a_key),
    };
    return cmocka_run_group_tests_name("edge/token_key", tests, NULL, NULL);
}
