/* What is the embedded store's alone: what shares a commit, and who reads meanwhile, and what its writer leaves
 * to others. */

#define _GNU_SOURCE

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "store_fixture.h"

enum { WRITER_NICE = 10 };

/* --- What the kernel refuses the writer's thread. --- */

enum kernel { KERNEL_WILLING, KERNEL_WITHOUT_POLICY, KERNEL_UNWILLING };

static enum kernel kernel; /* Changed only while no store is open. */

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
int __real_setpriority(int which, id_t who, int nice);
int __wrap_setpriority(int which, id_t who, int nice);

long __wrap_syscall(long number, ...)
{
    va_list list;
    long arguments[3]; /* As many as that call has, which is the only one. */
    va_start(list, number);
    for (unsigned i = 0; i < 3; i++) arguments[i] = va_arg(list, long);
    va_end(list);
    if (number != SYS_sched_setattr || kernel == KERNEL_WILLING) {
        return __real_syscall(number, arguments[0], arguments[1], arguments[2]);
    }
    errno = EPERM;
    return -1;
}

int __wrap_setpriority(int which, id_t who, int nice)
{
    if (kernel != KERNEL_UNWILLING) return __real_setpriority(which, who, nice);
    errno = EPERM;
    return -1;
}

static bool has_name(const char *task, const char *name)
{
    char path[PATH_MAX], text[NAME_MAX] = "";
    (void)snprintf(path, sizeof(path), "/proc/self/task/%s/comm", task); /* It fits. */
    FILE *file = fopen(path, "re");
    if (file == NULL) return false; /* The thread has ended. */
    (void)!fgets(text, sizeof(text), file);
    (void)fclose(file); /* It was only read. */
    text[strcspn(text, "\n")] = '\0';
    return strcmp(text, name) == 0;
}

static pid_t thread_called(const char *name)
{
    pid_t found = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (struct dirent *task = readdir(tasks); task != NULL; task = readdir(tasks)) {
        if (has_name(task->d_name, name)) found = (pid_t)strtol(task->d_name, NULL, 10);
    }
    (void)closedir(tasks); /* It was only read. */
    assert_true(found > 0);
    return found;
}

/* A writer that has done something has asked the kernel for what it wants. */
static pid_t writer_that_has_saved(struct world *world)
{
    struct match_result result = duel(1);
    open_store(world);
    expect_saved(world, &result);
    return thread_called("store");
}

static int nice_of(pid_t thread)
{
    return getpriority(PRIO_PROCESS, (id_t)thread);
}

static int kernel_is_willing_again(void **state)
{
    kernel = KERNEL_WILLING;
    return world_end(state);
}

/* --- The writer and the rest. --- */

static void the_writer_gives_way_to_who_plays(void **state)
{
    pid_t writer = writer_that_has_saved(*state);
    assert_int_equal(sched_getscheduler(writer), SCHED_BATCH);
    assert_int_equal(nice_of(writer), WRITER_NICE);
    assert_int_equal(sched_getscheduler(thread_called("store-reader")), sched_getscheduler(0));
    assert_int_equal(nice_of(thread_called("store-reader")), nice_of(0));
}

static void where_its_policy_stays_the_writer_has_its_priority(void **state)
{
    kernel = KERNEL_WITHOUT_POLICY;
    pid_t writer = writer_that_has_saved(*state);
    assert_int_equal(sched_getscheduler(writer), sched_getscheduler(0));
    assert_int_equal(nice_of(writer), WRITER_NICE);
}

static void a_writer_that_may_not_give_way_writes(void **state)
{
    kernel = KERNEL_UNWILLING;
    pid_t writer = writer_that_has_saved(*state);
    assert_int_equal(sched_getscheduler(writer), sched_getscheduler(0));
    assert_int_equal(nice_of(writer), nice_of(0));
}

/* --- What shares a commit. --- */

static void what_waits_while_the_file_is_locked_shares_one_commit(void **state)
{
    struct world *world = *state;
    struct match_result results[] = {duel(1), duel(2), duel(3)};
    open_store(world);
    execute(world, "BEGIN IMMEDIATE");
    for (unsigned i = 0; i < 3; i++) save(world, &results[i]);
    execute(world, "COMMIT");
    for (unsigned i = 0; i < 3; i++) assert_true(next_answer(world, 0).is_saved);
    assert_int_equal(stats(world).commits, 1);
    assert_int_equal(stats(world).saved, 3);
}

static void a_reader_does_not_hold_up_the_writer(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    execute(world, "BEGIN");
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "0\n");
    expect_saved(world, &result);
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "0\n");
    execute(world, "COMMIT");
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "1\n");
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, kernel_is_willing_again)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(the_writer_gives_way_to_who_plays),
        store_test(where_its_policy_stays_the_writer_has_its_priority),
        store_test(a_writer_that_may_not_give_way_writes),
        store_test(what_waits_while_the_file_is_locked_shares_one_commit),
        store_test(a_reader_does_not_hold_up_the_writer),
    };
    return cmocka_run_group_tests_name("edge/sqlite_store", tests, NULL, NULL);
}
