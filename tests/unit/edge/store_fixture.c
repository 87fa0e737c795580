#define _GNU_SOURCE

#include "store_backend.h"
#include "temp.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "edge/clock.h"

enum { BRIEF_MS = 2 };

static const struct question bank_questions[] = {
    {
        .id = {{0xa1, 1}},
        .text = "What is H2O?",
        .choices = {"Water", "Say \"salt\"", "Back\\slash", "Caf\xc3\xa9"},
        .choice_count = 4,
        .category = 1,
        .difficulty = DIFFICULTY_EASY,
    },
    {
        .id = {{0xa2, 2}},
        .text = "Is the sky blue?",
        .choices = {"True", "False"},
        .choice_count = 2,
        .category = 0,
        .difficulty = DIFFICULTY_HARD,
    },
};
static const struct bank test_bank = {
    .questions = bank_questions,
    .count = 2,
    .categories = {{.name = "nature"}, {.name = "science"}},
    .category_count = 2,
};

/* --- Setup and teardown. --- */

int world_begin(void **state)
{
    static struct world world;
    memset(&world, 0, sizeof world);
    world.saved_stderr = -1;
    temp_template(world.directory, sizeof world.directory, "store");
    if (mkdtemp(world.directory) == NULL) return -1;
    for (unsigned i = 0; i < SHARDS; i++) {
        world.wakes[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (world.wakes[i] < 0) return -1;
    }
    *state = &world;
    return backend_begin(&world);
}

static void remove_directory(const char *path)
{
    (void)chmod(path, S_IRWXU);
    DIR *directory = opendir(path);
    if (directory == NULL) return;
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        (void)unlinkat(dirfd(directory), entry->d_name, 0); /* Not . and .. */
    }
    (void)closedir(directory);
    (void)rmdir(path);
}

int world_end(void **state)
{
    struct world *world = *state;
    if (world->saved_stderr >= 0) {
        end_log(world);
        (void)fputs(world->log, stderr);
    }
    close_store(world);
    backend_end(world);
    for (unsigned i = 0; i < SHARDS; i++) (void)close(world->wakes[i]);
    remove_directory(world->directory);
    return 0;
}

/* --- Opening. --- */

void world_on_wake(void *context, unsigned shard)
{
    struct world *world = context;
    (void)eventfd_write(world->wakes[shard], 1);
}

int try_open(struct world *world)
{
    return backend_open(world, QUEUE_SLOTS);
}

void open_store(struct world *world)
{
    open_store_with(world, QUEUE_SLOTS);
}

void open_store_with(struct world *world, unsigned queue_slots)
{
    assert_int_equal(backend_open(world, queue_slots), 0);
}

void close_store(struct world *world)
{
    backend_close(world);
    if (world->store != NULL) world->store->class->destroy(world->store);
    world->store = NULL;
}

/* --- Results. --- */

static struct result_answer answer(int8_t choice, bool is_right, uint16_t points, int64_t at_ms)
{
    return (struct result_answer){
        .choice = choice,
        .is_right = is_right,
        .credit_ms = 20,
        .points = points,
        .at_ms = 1500,
        .received_at = {at_ms},
    };
}

struct match_result duel(uint8_t number)
{
    int64_t began_ms = 1790000000000 + number * 100000;
    struct result_answer none = {.choice = MATCH_CHOICE_NONE};
    struct match_result result = {
        .match = {{0x01, number}},
        .mode = MATCH_MODE_DUEL,
        .reason = MATCH_END_FINISHED,
        .is_rated = true,
        .winner = ADA,
        .player_count = 2,
        .round_count = ROUNDS,
        .tau_milli = TAU_MILLI,
        .created_at = {began_ms},
        .ended_at = {began_ms + 30000},
        .bank = &test_bank,
        .players =
            {
                {{{0xad}},
                 "Ada",
                 {150000, 35000, 60000},
                 {151000, 29000, 60000},
                 904,
                 false,
                 false},
                {{{0xbe}}, "Ben", {150000, 35000, 60000}, {149000, 29000, 60000}, 0, true, false},
            },
        .rounds =
            {
                {
                    .question = &bank_questions[0],
                    .places = {2, 0, 3, 1},
                    .choice_count = 4,
                    .weight = 1,
                    .is_revealed = true,
                    .time_ms = 10000,
                    .began_at = {began_ms + 3000},
                    .answers = {answer(1, true, 904, began_ms + 4520),
                                answer(0, false, 0, began_ms + 4520)},
                },
                {
                    .question = &bank_questions[1],
                    .places = {0, 1},
                    .choice_count = 2,
                    .weight = 2,
                    .time_ms = 10000,
                    .began_at = {began_ms + 20000},
                    .answers = {none, answer(1, false, 0, began_ms + 21520)},
                },
            },
    };
    return result;
}

struct match_result duel_after(const struct match_result *last, uint8_t number)
{
    struct match_result result = duel(number);
    result.players[ADA].before = last->players[ADA].after;
    result.players[BEN].before = last->players[BEN].after;
    return result;
}

struct handle handle_of(uint8_t number)
{
    return (struct handle){.slot = number, .generation = 1};
}

int try_save(struct world *world, unsigned shard, const struct match_result *result)
{
    return store_save(world->store, shard, handle_of(result->match.bytes[1]), result);
}

void save_on(struct world *world, unsigned shard, const struct match_result *result)
{
    assert_int_equal(try_save(world, shard, result), 0);
}

void save(struct world *world, const struct match_result *result)
{
    save_on(world, 0, result);
}

/* --- The loops. --- */

static uint64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* A turn of a shard's loop, without the wait. */
static void run_shard(struct world *world, unsigned shard)
{
    uint64_t began_us = now_us();
    store_run(world->store, shard);
    uint64_t took_us = now_us() - began_us;
    if (took_us > world->longest_run_us) world->longest_run_us = took_us;
}

static int wait_ms(struct world *world)
{
    mono_time now = clock_mono();
    int64_t wait = WAIT_MS;
    for (unsigned i = 0; i < SHARDS; i++) {
        mono_time due;
        if (!store_next_due(world->store, i, &due)) continue;
        int64_t until = (int64_t)mono_elapsed(now, due);
        if (until < wait) wait = until;
    }
    return (int)wait;
}

static void turn(struct world *world, int at_most_ms)
{
    struct pollfd files[2 * SHARDS];
    for (unsigned i = 0; i < SHARDS; i++) {
        files[i] = (struct pollfd){.fd = world->wakes[i], .events = POLLIN};
        files[SHARDS + i] =
            (struct pollfd){.fd = store_fd(world->store, i), .events = POLLIN}; /* -1 is skipped. */
    }
    int timeout_ms = wait_ms(world);
    if (timeout_ms > at_most_ms) timeout_ms = at_most_ms;
    int ready = poll(files, 2 * SHARDS, timeout_ms);
    assert_true(ready > 0 || timeout_ms < WAIT_MS); /* Otherwise nothing has come for as long. */
    for (unsigned i = 0; i < SHARDS; i++) {
        eventfd_t wakes;
        if (files[i].revents != 0) assert_int_equal(eventfd_read(world->wakes[i], &wakes), 0);
        run_shard(world, i);
    }
}

void world_turn(struct world *world)
{
    turn(world, WAIT_MS);
}

void world_turn_briefly(struct world *world)
{
    turn(world, BRIEF_MS);
}

bool world_turn_until(struct world *world, mono_time by)
{
    world_turn(world);
    return mono_is_before(clock_mono(), by);
}

struct store_answer next_answer(struct world *world, unsigned shard)
{
    struct store_answer answer;
    mono_time by = mono_after(clock_mono(), WAIT_MS);
    while (store_take_answers(world->store, shard, &answer, 1) == 0) {
        assert_true(world_turn_until(world, by));
    }
    return answer;
}

struct store_answer load(struct world *world, const struct id *player)
{
    struct handle session = {.slot = 77, .generation = 7};
    assert_int_equal(store_load(world->store, 0, session, player), 0);
    struct store_answer answer = next_answer(world, 0);
    assert_int_equal(answer.kind, STORE_LOADED);
    assert_int_equal(answer.handle.slot, session.slot);
    assert_int_equal(answer.handle.generation, session.generation);
    return answer;
}

struct player_record load_found(struct world *world, const struct id *player)
{
    struct store_answer answer = load(world, player);
    assert_int_equal(answer.loaded.outcome, LOAD_FOUND);
    return answer.loaded.record;
}

void expect_answer(struct world *world, uint8_t number, bool is_saved)
{
    struct store_answer answer = next_answer(world, 0);
    assert_int_equal(answer.kind, STORE_SAVED);
    assert_int_equal(answer.handle.slot, number);
    assert_int_equal(answer.handle.generation, 1);
    assert_int_equal(answer.is_saved, is_saved);
}

void expect_saved(struct world *world, const struct match_result *result)
{
    save(world, result);
    expect_answer(world, result->match.bytes[1], true);
}

struct store_stats stats(struct world *world)
{
    struct store_stats all;
    world->store->class->stats(world->store, &all);
    return all;
}

void wait_until_answered(struct world *world, uint64_t count)
{
    while (stats(world).saved + stats(world).failed < count) world_turn(world);
}

void wait_until_looked_up(struct world *world, uint64_t count)
{
    while (stats(world).loaded + stats(world).loads_failed < count) world_turn(world);
}

/* --- The log. --- */

void capture_log(struct world *world)
{
    (void)fflush(stderr);
    int file = memfd_create("log", MFD_CLOEXEC);
    assert_true(file >= 0);
    world->saved_stderr = dup(STDERR_FILENO);
    assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
    (void)close(file);
}

void end_log(struct world *world)
{
    ssize_t size = pread(STDERR_FILENO, world->log, sizeof world->log - 1, 0);
    world->log[size > 0 ? size : 0] = '\0';
    (void)dup2(world->saved_stderr, STDERR_FILENO);
    (void)close(world->saved_stderr);
    world->saved_stderr = -1;
}

unsigned times_logged(const struct world *world, const char *text)
{
    unsigned times = 0;
    for (const char *at = strstr(world->log, text); at != NULL; at = strstr(at + 1, text)) times++;
    return times;
}
