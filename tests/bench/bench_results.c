/* How many results a second reach the database, and how long `end` waits for its result meanwhile.
 *
 *     bench_results sqlite|URI DIRECTORY [RESULTS]
 *
 * One after the other: a result is handed to the store, which makes a transaction of it, and the next follows when that
 * is on disk. With the journal: as many as the shards take, until all are in the database. Both write the same rows and
 * rate the same players, with the same library and at the same durability; so their ratio says something on a machine
 * that does other work as well, and the figures themselves do not. Then results come at the rate that was found, and
 * the time from when each was to be saved to its answer is what players wait for `end`.
 *
 * DIRECTORY is to be on the disk that is meant, and is filled; a server's database has the schema, and keeps the results. */

#define _GNU_SOURCE

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "edge/clock.h"
#include "edge/journal_store.h"
#include "edge/log.h"
#include "edge/postgres_store.h"
#include "edge/sqlite_store.h"

enum {
    SHARDS = 2,
    PLAYERS = 20011, /* No two shards are at the same players. */
    ROUNDS = 7,
    CHOICES = 4,
    RESULTS = 20000,
    RESULTS_MAX = 10000000,
    ALONE_SHARE = 10, /* Of so many results one, when they come one after the other. */
    PACED_SECONDS = 5,
    WINDOW = 256, /* Of a shard: matches that wait for their answer. */
    QUEUE_SLOTS = 1024,
    ANSWERS_AT_ONCE = 64,
    PATH_BYTES = 256,
    WAIT_MAX_MS = 10,
};

struct bench {
    const char *uri; /* NULL: SQLite. */
    char path[PATH_BYTES];
    char journal_path[PATH_BYTES];
    struct store *store;
    int wakes[SHARDS];
};

/* What one shard has to do. */
struct lane {
    struct bench *bench;
    unsigned shard;
    uint64_t first; /* The number of its first result. */
    uint64_t count;
    uint64_t sent, answered;
    uint64_t window;
    double apart_us;    /* 0: as soon as there is room. */
    uint64_t *begun_us; /* When each was to be saved; then how long it took. */
    uint64_t began_us;
};

void qr_assert_failed(const char *file, int line, const char *claim)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, claim);
    abort();
}

static uint64_t now_us(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static void must(int error, const char *what)
{
    if (error == 0) return;
    fprintf(stderr, "bench_results: %s: %s\n", what, strerror(-error));
    exit(EXIT_FAILURE);
}

/* --- Results. --- */

static struct question questions[ROUNDS];
static const struct bank bank = {.questions = questions,
                                 .count = ROUNDS,
                                 .categories = {{.name = "science"}},
                                 .category_count = 1};
static uint64_t run_id; /* So that a database may be used again. */

static struct id id_of(uint8_t kind, uint64_t number)
{
    struct id id = {{kind}};
    for (unsigned i = 0; i < 7; i++) id.bytes[1 + i] = (uint8_t)(run_id >> 8 * i);
    for (unsigned i = 0; i < 8; i++) id.bytes[8 + i] = (uint8_t)(number >> 8 * (7 - i));
    return id;
}

static void make_bank(void)
{
    ssize_t got = getrandom(&run_id, sizeof(run_id), 0);
    QR_ASSERT(got == (ssize_t)sizeof(run_id));
    for (unsigned i = 0; i < ROUNDS; i++) {
        questions[i] = (struct question){
            .id = id_of('q', i),
            .text = "Which of the planets of the solar system has the most moons?",
            .choices = {"Saturn", "Jupiter", "Uranus", "Neptune"},
            .choice_count = CHOICES,
        };
    }
}

static struct result_player player_of(uint64_t number, uint16_t score)
{
    struct result_player player = {.player = id_of('p', number % PLAYERS), .score = score};
    (void)snprintf(player.name, sizeof(player.name), "Player %" PRIu64, number % PLAYERS);
    player.before = player.after = (struct rating){
        .rating_centi = 150000, .deviation_centi = 35000, .volatility_micro = 60000};
    return player;
}

static void make_result(uint64_t number, struct match_result *ret_result)
{
    int64_t at_ms = 1790000000000 + (int64_t)number * 10;
    *ret_result = (struct match_result){
        .match = id_of('m', number),
        .mode = MATCH_MODE_DUEL,
        .reason = MATCH_END_FINISHED,
        .is_rated = true,
        .winner = 0,
        .player_count = 2,
        .round_count = ROUNDS,
        .tau_milli = 500,
        .created_at = {at_ms - 60000},
        .ended_at = {at_ms},
        .bank = &bank,
        .players = {player_of(2 * number, 4000), player_of(2 * number + 1 + number % 7 * 2, 3000)},
    };
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct result_answer answer = {
            .choice = 1, .points = 600, .at_ms = 2000, .received_at = {at_ms}};
        ret_result->rounds[i] = (struct result_round){
            .question = &questions[i],
            .places = {1, 0, 2, 3},
            .choice_count = CHOICES,
            .weight = 1,
            .is_revealed = true,
            .time_ms = 10000,
            .began_at = {at_ms - 50000},
            .answers = {answer, answer},
        };
    }
}

/* --- A shard's loop. --- */

static void send_what_is_due(struct lane *lane)
{
    struct match_result result;
    while (lane->sent < lane->count && lane->sent - lane->answered < lane->window) {
        uint64_t now = now_us();
        uint64_t due = lane->began_us + (uint64_t)((double)lane->sent * lane->apart_us);
        if (due > now) return;
        make_result(lane->first + lane->sent, &result);
        struct handle match = {(uint32_t)lane->sent, 1};
        if (store_save(lane->bench->store, lane->shard, match, &result) != 0) return;
        lane->begun_us[lane->sent++] = lane->apart_us > 0 ? due : now;
    }
}

static void take_answers(struct lane *lane)
{
    struct store_answer answers[ANSWERS_AT_ONCE];
    unsigned count;
    do {
        count = store_take_answers(lane->bench->store, lane->shard, answers, ANSWERS_AT_ONCE);
        for (unsigned i = 0; i < count; i++) {
            QR_ASSERT(answers[i].is_saved);
            uint64_t *begun = &lane->begun_us[answers[i].handle.slot];
            *begun = now_us() - *begun;
        }
        lane->answered += count;
    } while (count == ANSWERS_AT_ONCE);
}

static int wait_ms(const struct lane *lane)
{
    mono_time due, now = clock_mono();
    if (lane->apart_us > 0 && lane->sent < lane->count) return 1;
    if (!store_next_due(lane->bench->store, lane->shard, &due)) return WAIT_MAX_MS;
    if (!mono_is_before(now, due)) return 0;
    uint64_t wait = mono_elapsed(now, due);
    return wait < WAIT_MAX_MS ? (int)wait : WAIT_MAX_MS;
}

static void turn(struct lane *lane)
{
    struct bench *bench = lane->bench;
    struct pollfd files[] = {{.fd = bench->wakes[lane->shard], .events = POLLIN},
                             {.fd = store_fd(bench->store, lane->shard), .events = POLLIN}};
    eventfd_t wakes;
    (void)poll(files, 2, wait_ms(lane)); /* Whatever it says, there may be something to do. */
    if (files[0].revents != 0) (void)eventfd_read(files[0].fd, &wakes); /* It was readable. */
    store_run(bench->store, lane->shard);
    take_answers(lane);
    send_what_is_due(lane);
}

static bool is_all_stored(const struct bench *bench)
{
    struct store_stats stats;
    bench->store->class->stats(bench->store, &stats);
    return stats.queued == 0 && stats.journal.results_waiting == 0;
}

static void *run_lane(void *context)
{
    struct lane *lane = context;
    lane->began_us = now_us();
    send_what_is_due(lane);
    while (lane->answered < lane->count) turn(lane);
    return NULL;
}

static void *run_lane_until_stored(void *context)
{
    struct lane *lane = context;
    (void)run_lane(lane); /* It has nothing to say. */
    while (!is_all_stored(lane->bench)) turn(lane);
    return NULL;
}

/* --- Stores. --- */

static void on_wake(void *context, unsigned shard)
{
    struct bench *bench = context;
    (void)eventfd_write(bench->wakes[shard], 1); /* Full: it is awake. */
}

static void open_database(struct bench *bench)
{
    if (bench->uri == NULL) {
        struct sqlite_store_options options = {.path = bench->path,
                                               .shards = SHARDS,
                                               .queue_slots = QUEUE_SLOTS,
                                               .wake = on_wake,
                                               .wake_context = bench};
        must(sqlite_store_create(&options, &bench->store), bench->path);
        return;
    }
    struct postgres_store_options options = {.uri = bench->uri,
                                             .password_file = "",
                                             .shards = SHARDS,
                                             .queue_slots = QUEUE_SLOTS,
                                             .connections = 2,
                                             .timeout_ms = 10000};
    must(postgres_store_create(&options, &bench->store), bench->uri);
}

static void put_journal_before(struct bench *bench)
{
    if (mkdir(bench->journal_path, S_IRWXU) < 0 && errno != EEXIST) must(-errno, "mkdir");
    struct journal_options options = {.dir = bench->journal_path,
                                      .shards = SHARDS,
                                      .segment_bytes = 16 << 20,
                                      .max_bytes = UINT64_C(4096) << 20,
                                      .wake = on_wake,
                                      .wake_context = bench};
    struct journal_store_options store = {.store = bench->store,
                                          .shards = SHARDS,
                                          .matches_max = WINDOW,
                                          .loads_max = QUEUE_SLOTS,
                                          .results_max = QUEUE_SLOTS / SHARDS};
    must(journal_create(&options, &store.journal), bench->journal_path);
    must(journal_commit(store.journal), bench->journal_path);
    must(journal_store_create(&store, &bench->store), "journal");
}

static void close_store(struct bench *bench)
{
    bench->store->class->destroy(bench->store);
    bench->store = NULL;
}

/* --- Measuring. --- */

static int compare_numbers(const void *a, const void *b)
{
    const uint64_t *first = a, *second = b;
    return (*first > *second) - (*first < *second);
}

/* Seconds until all shards have done it. `took_us` has a place for each result. */
static double run(struct bench *bench, uint64_t first, uint64_t count, double rate,
                  void *(*until)(void *), uint64_t *took_us)
{
    struct lane lanes[SHARDS];
    pthread_t threads[SHARDS];
    uint64_t began_us = now_us();
    for (unsigned i = 0; i < SHARDS; i++) {
        lanes[i] = (struct lane){.bench = bench,
                                 .shard = i,
                                 .first = first + i * (count / SHARDS),
                                 .count = count / SHARDS,
                                 .window = WINDOW,
                                 .apart_us = rate > 0 ? SHARDS * 1e6 / rate : 0,
                                 .begun_us = took_us + i * (count / SHARDS)};
        must(-pthread_create(&threads[i], NULL, until, &lanes[i]), "thread");
    }
    for (unsigned i = 0; i < SHARDS; i++) must(-pthread_join(threads[i], NULL), "thread");
    return (double)(now_us() - began_us) / 1e6;
}

/* Results a second, one after the other. */
static double measure_alone(struct bench *bench, uint64_t first, uint64_t count, uint64_t *took_us)
{
    struct lane lane = {
        .bench = bench, .first = first, .count = count, .window = 1, .begun_us = took_us};
    open_database(bench);
    uint64_t began_us = now_us();
    (void)run_lane(&lane); /* It has nothing to say. */
    double seconds = (double)(now_us() - began_us) / 1e6;
    close_store(bench);
    return (double)count / seconds;
}

static void measure(struct bench *bench, uint64_t count)
{
    uint64_t alone_count = count / ALONE_SHARE + 1;
    uint64_t *took_us = calloc(count + SHARDS, sizeof(*took_us));
    if (took_us == NULL) must(-ENOMEM, "memory");
    double alone = measure_alone(bench, 0, alone_count, took_us);
    open_database(bench);
    put_journal_before(bench);
    double answered = (double)count / run(bench, alone_count, count, 0, run_lane, took_us);
    (void)run(bench, 0, 0, 0, run_lane_until_stored, took_us);
    uint64_t next = alone_count + count;
    double stored = (double)count / run(bench, next, count, 0, run_lane_until_stored, took_us);
    uint64_t paced = (uint64_t)stored * PACED_SECONDS;
    if (paced > count) paced = count;
    (void)run(bench, next + count, paced, stored, run_lane, took_us);
    paced = paced / SHARDS * SHARDS;
    qsort(took_us, paced, sizeof(*took_us), compare_numbers);
    close_store(bench);
    printf("%-12s%14.0f%14.0f%8.1f%16.0f%8.1f%10.2f ms%10.2f ms\n",
           bench->uri == NULL ? "sqlite" : "postgresql", alone, stored, stored / alone, answered,
           answered / alone, (double)took_us[paced / 2] / 1e3,
           (double)took_us[paced * 99 / 100] / 1e3);
    free(took_us);
}

int main(int argc, char **argv)
{
    uint64_t count = RESULTS;
    struct bench bench = {0};
    if (argc == 4) count = strtoull(argv[3], NULL, 10);
    if (argc < 3 || argc > 4 || count < 100 || count > RESULTS_MAX ||
        strlen(argv[2]) > PATH_BYTES - 32) {
        fprintf(stderr, "usage: %s sqlite|URI DIRECTORY [RESULTS, 100 to %d]\n", argv[0],
                RESULTS_MAX);
        return EXIT_FAILURE;
    }
    if (strcmp(argv[1], "sqlite") != 0) bench.uri = argv[1];
    (void)snprintf(bench.path, PATH_BYTES, "%s/results.db", argv[2]); /* Both fit. */
    (void)snprintf(bench.journal_path, PATH_BYTES, "%s/journal", argv[2]);
    for (unsigned i = 0; i < SHARDS; i++) bench.wakes[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    log_set_level(LOG_LEVEL_WARNING);
    make_bank();
    printf("%-12s%14s%14s%8s%16s%8s%13s%13s\n", "results/s", "one by one", "stored", "ratio",
           "answered", "ratio", "end, p50", "p99");
    measure(&bench, count / SHARDS * SHARDS);
    return EXIT_SUCCESS;
}
