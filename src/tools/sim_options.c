#include "sim_options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim_run.h"

enum option_code {
    OPTION_TRACE = 1,
    OPTION_SHRINK,
    OPTION_STANDARD,
    OPTION_WITHOUT,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_NUMBERS, /* From here on: an index into `numbers`. */
};

enum number_index {
    NUMBER_SEED,
    NUMBER_COUNT_,
    NUMBER_MATCHES,
    NUMBER_PLAYERS,
    NUMBER_SHARDS,
    NUMBER_STEPS,
    NUMBER_REPEAT,
    NUMBER_BREAK_AT,
    NUMBERS,
};

static const struct {
    const char *name;
    uint64_t min, max;
    const char *help; /* NULL: for tests. */
} numbers[NUMBERS] = {
    [NUMBER_SEED] = {"seed", 0, UINT64_MAX, "the first world's seed (1)"},
    [NUMBER_COUNT_] = {"count", 1, UINT32_MAX, "how many worlds, each with the next seed (1)"},
    [NUMBER_MATCHES] = {"matches", 1, UINT64_MAX,
                        "stop behind the world in which so many matches have ended"},
    [NUMBER_PLAYERS] = {"players", 1, RUN_PLAYERS_MAX, "in each world, instead of what is drawn"},
    [NUMBER_SHARDS] = {"shards", 1, SHARDS_MAX, "the same"},
    [NUMBER_STEPS] = {"steps", 1, UINT32_MAX, "the same"},
    [NUMBER_REPEAT] = {"repeat", 1, 100, "all of it so often, and compare the hashes (1)"},
    [NUMBER_BREAK_AT] = {"break-at", 1, UINT32_MAX, NULL},
};

static const struct option other_options[] = {
    {"trace", no_argument, NULL, OPTION_TRACE},
    {"shrink", no_argument, NULL, OPTION_SHRINK},
    {"standard", no_argument, NULL, OPTION_STANDARD},
    {"without", required_argument, NULL, OPTION_WITHOUT},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
};
enum { OTHERS = sizeof(other_options) / sizeof(other_options[0]) };

void sim_options_print_help(FILE *file)
{
    (void)fputs("quizrush-sim: the game under a virtual clock, in worlds drawn from seeds.\n\n",
                file);
    for (unsigned i = 0; i < NUMBERS; i++) {
        if (numbers[i].help != NULL)
            (void)fprintf(file, "  --%-7s N          %s\n", numbers[i].name, numbers[i].help);
    }
    (void)fputs("  --without NAMES      leave out habits and faults, with commas between: one of\n"
                "                      ",
                file);
    for (unsigned i = 0; i < RATE_COUNT; i++) {
        (void)fprintf(file, " %s%s", recipe_rate_name((enum sim_rate)i),
                      i % 8 == 7 ? "\n                      " : "");
    }
    (void)fputs("\n                       or all habits, faults; or drain\n"
                "  --trace              a line per event (docs/simulator.md)\n"
                "  --shrink             where a rule is broken, look for a smaller world\n"
                "  --standard           the run that ctest does: what must happen sometimes is\n"
                "                       looked for as well\n"
                "  --help, --version\n\n"
                "Exit status: 0; 1 where a rule was broken; 2 for a wrong command line; 3 where\n"
                "something that must happen sometimes did not happen often enough.\n",
                file);
}

static bool parse_number(unsigned index, const char *text, uint64_t *ret_value, char *ret_problem)
{
    char *end = NULL;
    errno = 0;
    uint64_t value = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &end, 10) : 0;
    bool is_number = end != NULL && *end == '\0' && errno == 0;
    if (is_number && value >= numbers[index].min && value <= numbers[index].max) {
        *ret_value = value;
        return true;
    }
    (void)snprintf(ret_problem, SIM_PROBLEM_BYTES,
                   "--%s is \"%.40s\", and not a number from %" PRIu64 " to %" PRIu64,
                   numbers[index].name, text, numbers[index].min,
                   numbers[index].max); /* It fits. */
    return false;
}

static void leave_out_range(struct sim_overrides *overrides, unsigned first, unsigned end)
{
    for (unsigned i = first; i < end; i++) overrides->is_left_out[i] = true;
}

static bool leave_out_one(struct sim_overrides *overrides, const char *name)
{
    enum sim_rate rate = recipe_rate(name);
    if (strcmp(name, "drain") == 0) {
        overrides->is_never_drained = true;
    } else if (strcmp(name, "habits") == 0) {
        leave_out_range(overrides, 0, HABIT_COUNT);
    } else if (strcmp(name, "faults") == 0) {
        leave_out_range(overrides, HABIT_COUNT, RATE_COUNT);
    } else if (rate != RATE_COUNT) {
        overrides->is_left_out[rate] = true;
    } else {
        return false;
    }
    return true;
}

static bool leave_out(struct sim_overrides *overrides, char *names, char *ret_problem)
{
    for (char *rest = names, *name = strtok_r(names, ",", &rest); name != NULL;
         name = strtok_r(NULL, ",", &rest)) {
        if (leave_out_one(overrides, name)) continue;
        (void)snprintf(ret_problem, SIM_PROBLEM_BYTES,
                       "--without: there is no habit or fault \"%.40s\"", name); /* It fits. */
        return false;
    }
    return true;
}

static void take_numbers(const uint64_t values[NUMBERS], struct sim_options *options)
{
    options->seed = values[NUMBER_SEED];
    options->count = values[NUMBER_COUNT_];
    options->matches = values[NUMBER_MATCHES];
    options->repeat = (uint32_t)values[NUMBER_REPEAT];
    options->break_at = (uint32_t)values[NUMBER_BREAK_AT];
    options->overrides.players = (uint32_t)values[NUMBER_PLAYERS];
    options->overrides.shards = (uint32_t)values[NUMBER_SHARDS];
    options->overrides.steps = (uint32_t)values[NUMBER_STEPS];
}

static void lay_out(struct option all[NUMBERS + OTHERS + 1])
{
    for (unsigned i = 0; i < NUMBERS; i++) {
        all[i] = (struct option){numbers[i].name, required_argument, NULL, OPTION_NUMBERS + (int)i};
    }
    memcpy(&all[NUMBERS], other_options, sizeof(other_options));
    all[NUMBERS + OTHERS] = (struct option){0};
}

enum sim_options_verdict sim_options_parse(int argc, char *argv[], struct sim_options *ret_options,
                                           char ret_problem[SIM_PROBLEM_BYTES])
{
    struct option all[NUMBERS + OTHERS + 1];
    struct sim_options options = {0};
    uint64_t values[NUMBERS] = {[NUMBER_SEED] = 1, [NUMBER_COUNT_] = 1, [NUMBER_REPEAT] = 1};
    lay_out(all);
    opterr = 0;
    int code;
    while ((code = getopt_long(argc, argv, ":", all, NULL)) != -1) {
        switch (code) {
        case OPTION_TRACE: options.is_traced = true; break;
        case OPTION_SHRINK: options.is_shrunk = true; break;
        case OPTION_STANDARD: options.is_standard = true; break;
        case OPTION_WITHOUT:
            if (!leave_out(&options.overrides, optarg, ret_problem)) return SIM_OPTIONS_WRONG;
            break;
        case OPTION_HELP: return SIM_OPTIONS_HELP;
        case OPTION_VERSION: return SIM_OPTIONS_VERSION;
        case ':':
        case '?':
            (void)snprintf(ret_problem, SIM_PROBLEM_BYTES, "%s \"%.60s\"",
                           code == ':' ? "a value is missing behind" : "there is no option",
                           argv[optind - 1]); /* It fits. */
            return SIM_OPTIONS_WRONG;
        default: {
            unsigned index = (unsigned)(code - OPTION_NUMBERS);
            if (!parse_number(index, optarg, &values[index], ret_problem)) return SIM_OPTIONS_WRONG;
        }
        }
    }
    if (optind < argc) {
        (void)snprintf(ret_problem, SIM_PROBLEM_BYTES, "\"%.60s\" is no option",
                       argv[optind]); /* It fits. */
        return SIM_OPTIONS_WRONG;
    }
    take_numbers(values, &options);
    *ret_options = options;
    return SIM_OPTIONS_RUN;
}

/* --- Overrides. --- */

void sim_overrides_apply(const struct sim_overrides *overrides, struct sim_recipe *recipe)
{
    if (overrides->players != 0) recipe->players = overrides->players;
    if (overrides->shards != 0) recipe->shards = overrides->shards;
    if (overrides->steps != 0) recipe->steps = overrides->steps;
    if (overrides->is_never_drained) recipe->drain_at = 0;
    for (unsigned i = 0; i < RATE_COUNT; i++) {
        if (overrides->is_left_out[i]) recipe->rates[i] = 0;
    }
}

/* All of a range under its name, or each under its own. */
static const char *print_left_out(const struct sim_overrides *overrides, unsigned first,
                                  unsigned end, const char *name, const char *before, FILE *file)
{
    unsigned count = 0;
    for (unsigned i = first; i < end; i++) count += overrides->is_left_out[i];
    if (count == end - first) {
        (void)fprintf(file, "%s%s", before, name);
        return ",";
    }
    for (unsigned i = first; i < end; i++) {
        if (!overrides->is_left_out[i]) continue;
        (void)fprintf(file, "%s%s", before, recipe_rate_name((enum sim_rate)i));
        before = ",";
    }
    return before;
}

void sim_overrides_print(const struct sim_overrides *overrides, uint64_t seed, FILE *file)
{
    (void)fprintf(file, "quizrush-sim --seed %" PRIu64, seed);
    if (overrides->players != 0) (void)fprintf(file, " --players %" PRIu32, overrides->players);
    if (overrides->shards != 0) (void)fprintf(file, " --shards %" PRIu32, overrides->shards);
    if (overrides->steps != 0) (void)fprintf(file, " --steps %" PRIu32, overrides->steps);
    const char *before = print_left_out(overrides, 0, HABIT_COUNT, "habits", " --without ", file);
    before = print_left_out(overrides, HABIT_COUNT, RATE_COUNT, "faults", before, file);
    if (overrides->is_never_drained) (void)fprintf(file, "%sdrain", before);
}
