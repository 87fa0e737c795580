/* quizrush-sim: plays worlds drawn from seeds under a virtual clock, and looks for a rule that does not hold. Exit status:
 * sim_options.c, help. */

#include <inttypes.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "sim_failed.h"
#include "sim_options.h"
#include "sim_run.h"
#include "sim_shrink.h"

enum {
    EXIT_WRONG_USAGE = 2,
    EXIT_TOO_FEW = 3,
    STANDARD_SEED = 1,
    STANDARD_WORLDS = 2600,
    FAILURE_BYTES = 8192,
    ATTEMPT_SECONDS = 600,
    LARGE_BYTES = 256 * 1024,
};

/* What a broken rule is reported from: sim_failed() and qr_assert_failed() are told nothing else. */
static struct {
    struct sim_options options;
    struct sim_run run;
    struct sim_tally tally;
    struct trace trace;
    int failure_fd; /* Where a child says how it ended; 0: it is no child. */
    bool is_silent; /* It says nothing else. */
} sim;

/* --- A broken rule. --- */

static void print_failure(const char *what)
{
    static const struct id none;
    const struct sim_run *run = &sim.run;
    bool has_client = run->speaking < run->recipe.players;
    const struct id *match = has_client ? &run->players[run->speaking].match : &run->noted;
    if (id_equal(match, &none)) match = NULL;
    (void)fflush(stdout); /* In its order, where both go to one place. */
    trace_print_last(&sim.trace, match, stderr);
    (void)fprintf(stderr, "\nseed %" PRIu64 ", step %" PRIu32 ": %s\nagain: ", run->recipe.seed,
                  run->step, what);
    sim_overrides_print(&sim.options.overrides, run->recipe.seed, stderr);
    (void)fprintf(stderr, " --trace\n");
}

static _Noreturn void report_failure(const char *what)
{
    if (!sim.is_silent) print_failure(what);
    if (sim.failure_fd == 0) exit(EXIT_FAILURE);
    struct sim_failure failure = {.seed = sim.run.recipe.seed, .step = sim.run.step};
    failure_name_rule(what, failure.rule);
    bool is_told = write(sim.failure_fd, &failure, sizeof(failure)) == (ssize_t)sizeof(failure);
    _exit(is_told ? EXIT_FAILURE : EXIT_WRONG_USAGE);
}

void sim_failed(const char *format, ...)
{
    char what[FAILURE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof(what), format, arguments); /* Cut, it still tells. */
    va_end(arguments);
    report_failure(what);
}

void qr_assert_failed(const char *file, int line, const char *claim)
{
    sim_failed("assertion %s, %s:%d", claim, file, line);
}

/* --- Running. --- */

static double seconds(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now); /* These two clocks are always there. */
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run_worlds(void)
{
    const struct sim_options *options = &sim.options;
    memset(&sim.tally, 0, sizeof(sim.tally));
    trace_init(&sim.trace, options->is_traced);
    run_init(&sim.run, &sim.tally, &sim.trace);
    for (uint64_t i = 0; i < options->count; i++) {
        struct sim_recipe recipe;
        recipe_draw(&recipe, options->seed + i);
        sim_overrides_apply(&options->overrides, &recipe);
        sim.run.break_at = options->break_at;
        run_world(&sim.run, &recipe);
        if (options->matches != 0 && sim.tally.matches >= options->matches) return;
    }
}

static void print_tally(double wall_s, double cpu_s)
{
    const struct sim_tally *tally = &sim.tally;
    (void)printf("worlds %" PRIu64 "  steps %" PRIu64 "  matches %" PRIu64 "\n", tally->worlds,
                 tally->steps, tally->matches);
    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        (void)printf("  %-20s %10" PRIu64 "%s", tally_name((enum sim_counter)i), tally->counters[i],
                     i % 3 == 2 || i + 1 == COUNTER_COUNT ? "\n" : "");
    }
    (void)printf("seconds %.2f (cpu %.2f)  matches per second %.0f (cpu %.0f)\n", wall_s, cpu_s,
                 (double)tally->matches / wall_s, (double)tally->matches / cpu_s);
    (void)printf("hash=%016" PRIx64 "\n", sim.trace.hash);
}

static int check_counters(void)
{
    int status = EXIT_SUCCESS;
    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        if (sim.tally.counters[i] >= TALLY_LEAST) continue;
        (void)fprintf(stderr, "quizrush-sim: %s happened %" PRIu64 " times, less than %d\n",
                      tally_name((enum sim_counter)i), sim.tally.counters[i], TALLY_LEAST);
        status = EXIT_TOO_FEW;
    }
    return status;
}

static int run_all(void)
{
    struct sim_options *options = &sim.options;
    if (options->is_standard) {
        options->seed = STANDARD_SEED;
        options->count = STANDARD_WORLDS;
    }
    double wall_s = seconds(CLOCK_MONOTONIC), cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID);
    run_worlds();
    print_tally(seconds(CLOCK_MONOTONIC) - wall_s, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_s);
    uint64_t hash = sim.trace.hash;
    for (uint32_t i = 1; i < options->repeat; i++) {
        run_worlds();
        if (sim.trace.hash == hash) continue;
        (void)fprintf(stderr, "quizrush-sim: the same seeds, and another hash: %016" PRIx64 "\n",
                      sim.trace.hash);
        return EXIT_FAILURE;
    }
    return options->is_standard ? check_counters() : EXIT_SUCCESS;
}

/* --- Shrinking. --- */

static _Noreturn void run_as_child(int failure_fd)
{
    sim.failure_fd = failure_fd;
    (void)alarm(
        ATTEMPT_SECONDS); /* A smaller world that does not end is none that is looked for. */
    run_worlds();
    _exit(EXIT_SUCCESS);
}

static bool attempt(const struct sim_overrides *overrides, uint64_t seed, uint64_t count,
                    struct sim_failure *ret_failure)
{
    int ends[2];
    if (pipe(ends) != 0) return false;
    pid_t child = fork();
    if (child == 0) {
        sim.options.overrides = *overrides;
        sim.options.seed = seed;
        sim.options.count = count;
        run_as_child(ends[1]);
    }
    (void)close(ends[1]); /* Or the read below would not end. */
    bool is_broken = child > 0 && read(ends[0], ret_failure, sizeof(*ret_failure)) ==
                                      (ssize_t)sizeof(*ret_failure);
    (void)close(ends[0]);                         /* Nothing was written. */
    if (child > 0) (void)waitpid(child, NULL, 0); /* How it ended was read. */
    return is_broken;
}

static int find_and_shrink(void)
{
    struct sim_options *options = &sim.options;
    struct sim_failure failure;
    (void)fflush(stdout); /* The child would print it once more. */
    if (!attempt(&options->overrides, options->seed, options->count, &failure)) {
        (void)fprintf(stderr, "quizrush-sim: no rule was broken\n");
        return EXIT_SUCCESS;
    }
    sim.is_silent = true;
    options->is_traced = false;
    unsigned attempts = shrink(attempt, &failure, &options->overrides);
    (void)printf("the smallest of %u: ", attempts);
    sim_overrides_print(&options->overrides, failure.seed, stdout);
    (void)printf(" --trace\n");
    return EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
    char problem[SIM_PROBLEM_BYTES];
    /* A shard's memory is large and hardly touched: it comes from the kernel anew, zeroed where it is touched. */
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES); /* Refused, it is slower. */
    switch (sim_options_parse(argc, argv, &sim.options, problem)) {
    case SIM_OPTIONS_RUN: return sim.options.is_shrunk ? find_and_shrink() : run_all();
    case SIM_OPTIONS_HELP: sim_options_print_help(stdout); return EXIT_SUCCESS;
    case SIM_OPTIONS_VERSION: (void)puts("quizrush-sim " QUIZRUSH_VERSION); return EXIT_SUCCESS;
    case SIM_OPTIONS_WRONG: break;
    }
    (void)fprintf(stderr, "quizrush-sim: %s; --help tells more\n", problem);
    return EXIT_WRONG_USAGE;
}
