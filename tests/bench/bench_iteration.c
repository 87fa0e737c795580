/* The longest call of shard_run where very much is due at one moment, and what it costs to arm a timer among many.
 *
 *     bench_iteration [matches [at once]]
 *
 * One shard without sockets, with 50,000 matches that have armed timers; 5,000 of them began in the same millisecond,
 * so that their rounds begin and end together. Time stands still while what is due in one millisecond is worked off: a
 * line says how many calls that took, how long the longest of them, and all together, in CPU time of the thread. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shard_priv.h"
#include "shard_stage.h"

enum {
    MATCHES = 50000,
    AT_ONCE = 5000,
    FEW = 1000,
    ROUNDS = 3,
    BATCH = 64,
    REPETITIONS = 2001,
    ENDED_KEEP_MS = 60000,
    STARTS_AT_MS = 5000000,
    /* The others began within the time that a round and its reveal take. */
    SPREAD_MS = STAGE_ROUND_MS + STAGE_REVEAL_MS,
};

static uint64_t cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* --- Arming. --- */

static struct stage *create_stage(uint32_t matches)
{
    struct stage_settings settings = {.shards = 1,
                                      .players_max = 2 * matches + 2,
                                      .rounds = ROUNDS,
                                      .start_ms = STAGE_START_MS,
                                      .reveal_time_ms = STAGE_REVEAL_MS,
                                      .ended_keep_ms = ENDED_KEEP_MS};
    return stage_create(&settings, (mono_time){STARTS_AT_MS});
}

/* Matches that began one after the other within SPREAD_MS. Returns when the last one did. */
static mono_time begin_matches(struct stage *stage, uint32_t matches)
{
    mono_time now = {STARTS_AT_MS};
    for (uint32_t i = 0; i < matches; i++) {
        now.ms = STARTS_AT_MS + (uint64_t)i * SPREAD_MS / matches;
        stage_settle(stage, now);
        stage_begin_match(stage, 0, 0);
    }
    return now;
}

/* Nanoseconds for arming and disarming one timer among those of the matches. */
static double measure_arming(struct stage *stage, struct prng *prng)
{
    struct wheel *wheel = &stage->shards[0].shard->wheel;
    struct wheel_timer timers[BATCH];
    mono_time times[BATCH];
    for (unsigned i = 0; i < BATCH; i++) {
        wheel_timer_init(&timers[i], HANDLE_NONE, 0);
        times[i] = mono_after(stage->shards[0].now, 1 + prng_below(prng, SPREAD_MS));
    }
    uint64_t began = cpu_ns();
    for (unsigned i = 0; i < BATCH; i++) wheel_arm(wheel, &timers[i], times[i], 0);
    for (unsigned i = 0; i < BATCH; i++) wheel_disarm(wheel, &timers[i]);
    return (double)(cpu_ns() - began) / BATCH;
}

static int compare_doubles(const void *a, const void *b)
{
    const double *first = a;
    const double *second = b;
    return (*first > *second) - (*first < *second);
}

static void report_arming(struct stage *few, struct stage *many)
{
    static double fews[REPETITIONS], manys[REPETITIONS], ratios[REPETITIONS];
    struct prng prng;
    prng_init(&prng, &(struct siphash_key){{3, 4}});
    for (unsigned i = 0; i < REPETITIONS; i++) {
        fews[i] = measure_arming(few, &prng);
        manys[i] = measure_arming(many, &prng);
        ratios[i] = manys[i] / fews[i];
    }
    qsort(fews, REPETITIONS, sizeof(*fews), compare_doubles);
    qsort(manys, REPETITIONS, sizeof(*manys), compare_doubles);
    qsort(ratios, REPETITIONS, sizeof(*ratios), compare_doubles);
    printf("arming and disarming a timer: %.0f ns among %" PRIu32 ", %.0f ns among %" PRIu32
           ", ratio %.2f (%.2f to %.2f)\n",
           fews[REPETITIONS / 2], few->shards[0].shard->wheel.count, manys[REPETITIONS / 2],
           many->shards[0].shard->wheel.count, ratios[REPETITIONS / 2], ratios[REPETITIONS / 4],
           ratios[3 * REPETITIONS / 4]);
}

/* --- Iterations. --- */

struct iterations {
    uint64_t longest_ns, all_ns;
    unsigned count;
};

static struct iterations longest; /* Of all that were measured. */

/* What is due in one millisecond, with the store's answers before each call. */
static struct iterations work_off(struct stage *stage, mono_time now)
{
    struct stage_shard *at = &stage->shards[0];
    struct iterations iterations = {.count = 0};
    do {
        stage_read(at, now, 0);
        uint64_t began = cpu_ns();
        stage_run(at, now);
        uint64_t took = cpu_ns() - began;
        iterations.count++;
        iterations.all_ns += took;
        if (took > iterations.longest_ns) iterations.longest_ns = took;
    } while (!stage_is_idle(at, now) || at->saves.count + at->closings.count > 0);
    return iterations;
}

static void report(const char *what, const struct iterations *iterations)
{
    printf("%-52s %6.2f ms the longest of %4u, %7.2f ms in all\n", what,
           (double)iterations->longest_ns / 1e6, iterations->count,
           (double)iterations->all_ns / 1e6);
    if (iterations->longest_ns > longest.longest_ns) longest = *iterations;
}

/* All milliseconds up to, and without, `until`. */
static mono_time go_to(struct stage *stage, mono_time now, mono_time until)
{
    struct iterations between = {.count = 0};
    for (; mono_is_before(now, until); now = mono_after(now, 1)) {
        struct iterations iterations = work_off(stage, now);
        between.count += iterations.count;
        between.all_ns += iterations.all_ns;
        if (iterations.longest_ns > between.longest_ns) between.longest_ns = iterations.longest_ns;
    }
    report("  the milliseconds before", &between);
    return now;
}

/* What is due at `now`, and what is owed for the milliseconds after it by then. */
static mono_time measure_from(struct stage *stage, mono_time now, const char *what)
{
    struct iterations iterations = work_off(stage, now);
    mono_time due;
    while (shard_next_due(stage->shards[0].shard, &due) && due.ms <= now.ms + 1) {
        now = mono_after(now, 1);
        struct iterations more = work_off(stage, now);
        iterations.count += more.count;
        iterations.all_ns += more.all_ns;
        if (more.longest_ns > iterations.longest_ns) iterations.longest_ns = more.longest_ns;
    }
    report(what, &iterations);
    return mono_after(now, 1);
}

static mono_time measure_at(struct stage *stage, mono_time now, mono_time at, const char *what)
{
    now = go_to(stage, now, at);
    struct iterations iterations = work_off(stage, now);
    report(what, &iterations);
    return mono_after(now, 1);
}

static void measure(struct stage *stage, mono_time now, uint32_t at_once)
{
    enum { OPEN_MS = STAGE_ROUND_MS + 20 }; /* And the slack. */
    char what[64];
    stage_settle(stage, now);
    mono_time begins = mono_after(now, STAGE_START_MS);
    for (uint32_t i = 0; i < at_once; i++) stage_begin_match(stage, 0, 0);
    (void)snprintf(what, sizeof(what), "%" PRIu32 " rounds begin", at_once);
    now = measure_at(stage, now, begins, what);
    (void)snprintf(what, sizeof(what), "%" PRIu32 " rounds end", at_once);
    now = measure_at(stage, now, mono_after(begins, OPEN_MS), what);
    mono_time last = mono_after(begins, (ROUNDS - 1) * (OPEN_MS + STAGE_REVEAL_MS) + OPEN_MS);
    (void)snprintf(what, sizeof(what), "%" PRIu32 " matches end", at_once);
    now = measure_at(stage, now, last, what);
    (void)snprintf(what, sizeof(what), "%" PRIu32 " ended matches are forgotten", at_once);
    now = measure_from(stage, go_to(stage, now, mono_after(last, ENDED_KEEP_MS)), what);
    struct stage_player *first = &stage->players[stage->player_count - 3 * at_once];
    for (uint32_t i = 0; i < 3 * at_once; i++) stage_leave(&first[i]);
    (void)snprintf(what, sizeof(what), "%" PRIu32 " connections are lost", 3 * at_once);
    now = measure_from(stage, now, what);
    shard_drain(stage->shards[0].shard);
    (void)measure_from(stage, now, "drain");
}

static uint32_t number_of(const char *text, uint32_t most)
{
    unsigned long number = strtoul(text, NULL, 10);
    if (number < 1 || number > most) {
        fprintf(stderr, "%s: 1 to %" PRIu32 "\n", text, most);
        exit(EXIT_FAILURE);
    }
    return (uint32_t)number;
}

int main(int argc, char **argv)
{
    uint32_t matches = argc > 1 ? number_of(argv[1], 10 * MATCHES) : MATCHES;
    uint32_t at_once = argc > 2 ? number_of(argv[2], matches / 2) : AT_ONCE;
    struct stage *few = create_stage(FEW);
    struct stage *many = create_stage(matches);
    (void)begin_matches(few, FEW);
    mono_time now = begin_matches(many, matches - at_once);
    report_arming(few, many);
    measure(many, mono_after(now, 1), at_once);
    printf("longest call of shard_run: %.2f ms\n", (double)longest.longest_ns / 1e6);
    return EXIT_SUCCESS;
}
