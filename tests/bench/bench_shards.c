/* How many answers a second two shards on two threads take, against one shard on one thread.
 *
 *     bench_shards [milliseconds [repetitions]]
 *
 * Without sockets, through the real mailboxes; each thread has a core of its own, reads messages, runs its shard, and
 * does not sleep; a second is one of its CPU time, so that what else the machine does counts little. Players answer
 * each round as soon as they see it, and ask for a rematch after each match, so that the
 * same two play on. Three stages: one shard; two whose matches have both players on one of them; two whose matches have
 * a player on each. A line shows the medians over the repetitions and, of the ratios to one shard in the same
 * repetition, the median with the least and the greatest. */

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "shard_stage.h"

enum {
    MATCHES =
        8000, /* A shard: their rounds take longer than the pause before a rematch may be asked for. */
    ROUNDS = MATCH_ROUNDS_MAX,
    READ_AT_ONCE = 64, /* Fewer than the matches run in an iteration: what is read is worked off. */
    MEASURE_MS = 1500,
    WARM_UP_MS = 1500,
    REPETITIONS = 5,
    REPETITIONS_MAX = 100,
    LAYOUTS = 3,
};

static const struct layout {
    const char *name;
    unsigned shards;
    bool is_split;
} layouts[LAYOUTS] = {
    {"one shard", 1, false},
    {"two shards, each match on one", 2, false},
    {"two shards, each match on both", 2, true},
};

struct thread {
    pthread_t thread;
    struct stage_shard *at;
    unsigned core;
    mono_time from, to; /* What lies between counts. */
    uint64_t receipts;
    uint64_t errors;
    double seconds;
};

static mono_time clock_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (mono_time){(uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000};
}

/* The thread's. It does not sleep: on a machine that does nothing else that is the time that passes. */
static uint64_t cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void play_until(struct stage_shard *at, mono_time until)
{
    for (mono_time now = clock_now(); mono_is_before(now, until); now = clock_now()) {
        stage_read(at, now, READ_AT_ONCE);
        stage_run(at, now);
    }
}

static void *play(void *context)
{
    struct thread *thread = context;
    struct stage_shard *at = thread->at;
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(thread->core, &cores);
    (void)sched_setaffinity(0, sizeof(cores), &cores); /* Where it cannot be, it is measured so. */
    play_until(at, thread->from);
    uint64_t receipts = at->receipts, errors = at->errors, began = cpu_ns();
    play_until(at, thread->to);
    thread->receipts = at->receipts - receipts;
    thread->errors = at->errors - errors;
    thread->seconds = (double)(cpu_ns() - began) / 1e9;
    return NULL;
}

static struct stage *create_stage(const struct layout *layout)
{
    struct stage_settings settings = {.shards = layout->shards,
                                      .players_max = 2 * MATCHES * layout->shards,
                                      .rounds = ROUNDS,
                                      .start_ms = 1,
                                      .reveal_time_ms = 1,
                                      .ended_keep_ms = 60000,
                                      .plays = true};
    struct stage *stage = stage_create(&settings, clock_now());
    for (unsigned i = 0; i < MATCHES * layout->shards; i++) {
        unsigned first = i % layout->shards;
        stage_begin_match(stage, first, layout->is_split ? 1 - first : first);
    }
    return stage;
}

/* Answers a second. */
static double measure(struct stage *stage, const struct layout *layout, uint32_t ms)
{
    struct thread threads[STAGE_SHARDS_MAX];
    mono_time from = mono_after(clock_now(), WARM_UP_MS);
    double rate = 0;
    for (unsigned i = 0; i < layout->shards; i++) {
        threads[i] = (struct thread){
            .at = &stage->shards[i], .core = i, .from = from, .to = mono_after(from, ms)};
        if (pthread_create(&threads[i].thread, NULL, play, &threads[i]) != 0) exit(EXIT_FAILURE);
    }
    for (unsigned i = 0; i < layout->shards; i++) {
        pthread_join(threads[i].thread, NULL);
        rate += (double)threads[i].receipts / threads[i].seconds;
        if (100 * threads[i].errors > threads[i].receipts)
            printf("  %" PRIu64 " of %" PRIu64 " answers were refused\n", threads[i].errors,
                   threads[i].receipts);
    }
    return rate;
}

static int compare_doubles(const void *a, const void *b)
{
    const double *first = a;
    const double *second = b;
    return (*first > *second) - (*first < *second);
}

static void report(const struct layout *layout, double *rates, double *ratios, unsigned count)
{
    qsort(rates, count, sizeof(*rates), compare_doubles);
    qsort(ratios, count, sizeof(*ratios), compare_doubles);
    printf("%-32s %9.0f answers a second   %.2f (%.2f to %.2f)\n", layout->name, rates[count / 2],
           ratios[count / 2], ratios[0], ratios[count - 1]);
}

int main(int argc, char **argv)
{
    static double rates[LAYOUTS][REPETITIONS_MAX], ratios[LAYOUTS][REPETITIONS_MAX];
    struct stage *stages[LAYOUTS];
    unsigned long ms = argc > 1 ? strtoul(argv[1], NULL, 10) : MEASURE_MS;
    unsigned long repetitions = argc > 2 ? strtoul(argv[2], NULL, 10) : REPETITIONS;
    if (ms < 1 || ms > 600000 || repetitions < 1 || repetitions > REPETITIONS_MAX) {
        fprintf(stderr, "usage: %s [milliseconds [repetitions]]\n", argv[0]);
        return EXIT_FAILURE;
    }
    for (unsigned i = 0; i < LAYOUTS; i++) stages[i] = create_stage(&layouts[i]);
    for (unsigned repetition = 0; repetition < repetitions; repetition++) {
        for (unsigned i = 0; i < LAYOUTS; i++) {
            rates[i][repetition] = measure(stages[i], &layouts[i], (uint32_t)ms);
            ratios[i][repetition] = rates[i][repetition] / rates[0][repetition];
        }
    }
    for (unsigned i = 0; i < LAYOUTS; i++)
        report(&layouts[i], rates[i], ratios[i], (unsigned)repetitions);
    return EXIT_SUCCESS;
}
