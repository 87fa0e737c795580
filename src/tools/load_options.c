#include "load_options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Under the descriptions in the help. */
#define OPTIONS_INDENT "                       "

enum option_code {
    OPTION_HOST = 1,
    OPTION_JSON,
    OPTION_TOLD,
    OPTION_MAY_DIE,
    OPTION_LENIENT,
    OPTION_ECHO,
    OPTION_VERBOSE,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_NUMBERS, /* From here on: an index into `numbers`. */
};

struct number {
    const char *name;
    uint64_t min;
    uint64_t max;
    const char *help;
};

enum number_index {
    NUMBER_PORT,
    NUMBER_PLAYERS,
    NUMBER_IDLE,
    NUMBER_PING_RATE,
    NUMBER_SECONDS,
    NUMBER_WARMUP,
    NUMBER_MATCHES,
    NUMBER_THINK_MIN_MS,
    NUMBER_THINK_MAX_MS,
    NUMBER_RATE,
    NUMBER_SOURCES,
    NUMBER_GRACE_MS,
    NUMBER_EMOTES,
    NUMBER_HOUSE,
    NUMBER_SLOW,
    NUMBER_SLOW_BYTES,
    NUMBER_GARBAGE,
    NUMBER_DROP_EVERY_MS,
    NUMBER_DROP_ALL_EVERY_MS,
    NUMBER_DROP_REVEAL,
    NUMBER_BACK_WITHIN_MS,
    NUMBER_SEED,
    NUMBER_COUNT,
};

static const struct number numbers[NUMBER_COUNT] = {
    [NUMBER_PORT] = {"port", 1, 65535, "the server's port (required)"},
    [NUMBER_PLAYERS] = {"players", 0, OPTIONS_PLAYERS_MAX, "how many play (100)"},
    [NUMBER_IDLE] = {"idle", 0, OPTIONS_PLAYERS_MAX,
                     "how many more say hello and then only answer pings (0)"},
    [NUMBER_PING_RATE] = {"ping-rate", 0, 1000,
                          "pings that each of these sends a second, come what may (0)"},
    [NUMBER_SECONDS] = {"seconds", 0, 86400, "no new match after this time; 0: no limit (10)"},
    [NUMBER_WARMUP] = {"warmup", 0, 86400,
                       "what happens in the first seconds is in no latency (0)"},
    [NUMBER_MATCHES] = {"matches", 0, 1000000, "matches per player; 0: no limit (0)"},
    [NUMBER_THINK_MIN_MS] = {"think-min-ms", 0, 3600000, "the least thinking time (200)"},
    [NUMBER_THINK_MAX_MS] = {"think-max-ms", 0, 3600000, "the longest thinking time (2000)"},
    [NUMBER_RATE] = {"rate", 1, 100000, "connections opened per second (500)"},
    [NUMBER_SOURCES] =
        {"sources", 0, 250,
         "connect from so many addresses, 127.0.0.2 and on; only to a server\n" OPTIONS_INDENT
         "on 127.0.0.0/8. One has about 28,000 ports; 0: as usual (0)"},
    [NUMBER_GRACE_MS] = {"grace-ms", 0, 3600000,
                         "how long running matches may take to end (60000)"},
    [NUMBER_EMOTES] = {"emotes", 0, 100, "percent of the answers that an emote follows (4)"},
    [NUMBER_HOUSE] = {"house", 0, 100, "percent of the joins that go to the house (0)"},
    [NUMBER_SLOW] = {"slow", 0, 100,
                     "percent of the players that hardly read what they are told (0)"},
    [NUMBER_SLOW_BYTES] = {"slow-bytes", 1, 1000000, "and so many bytes a second (1)"},
    [NUMBER_GARBAGE] =
        {"garbage", 0, 100,
         "percent of the players that send 4,096 bytes of garbage, and again,\n" OPTIONS_INDENT
         "as fast as the server takes them (0)"},
    [NUMBER_DROP_EVERY_MS] =
        {"drop-every-ms", 0, 3600000,
         "each player loses its connection at random, on average\n" OPTIONS_INDENT
         "every so often; 0: never (0)"},
    [NUMBER_DROP_ALL_EVERY_MS] = {"drop-all-every-ms", 0, 3600000,
                                  "all players lose theirs at once, every so often; 0: never (0)"},
    [NUMBER_DROP_REVEAL] = {"drop-reveal", 0, 100,
                            "percent of the reveals at which a player loses its own (0)"},
    [NUMBER_BACK_WITHIN_MS] = {"back-within-ms", 0, 3600000,
                               "and comes back after a random time up to this (3000)"},
    [NUMBER_SEED] = {"seed", 0, UINT64_MAX, "what the players' behaviour is drawn from (1)"},
};

static const struct option other_options[] = {
    {"host", required_argument, NULL, OPTION_HOST},
    {"json", no_argument, NULL, OPTION_JSON},
    {"told", required_argument, NULL, OPTION_TOLD},
    {"server-may-die", no_argument, NULL, OPTION_MAY_DIE},
    {"lenient", no_argument, NULL, OPTION_LENIENT},
    {"echo", no_argument, NULL, OPTION_ECHO},
    {"verbose", no_argument, NULL, OPTION_VERBOSE},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
};
enum { OTHER_COUNT = sizeof(other_options) / sizeof(other_options[0]) };

static bool parse_number(const struct number *number, const char *text, uint64_t *ret_value)
{
    if (text[0] < '0' || text[0] > '9') return false;
    errno = 0;
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < number->min || value > number->max) return false;
    *ret_value = value;
    return true;
}

static void fill_long_options(struct option ret_options[OTHER_COUNT + NUMBER_COUNT + 1])
{
    memcpy(ret_options, other_options, sizeof(other_options));
    for (int index = 0; index < NUMBER_COUNT; index++)
        ret_options[OTHER_COUNT + index] =
            (struct option){numbers[index].name, required_argument, NULL, OPTION_NUMBERS + index};
    ret_options[OTHER_COUNT + NUMBER_COUNT] = (struct option){0};
}

static void take_numbers(const uint64_t values[NUMBER_COUNT], struct options *options)
{
    options->port = (uint16_t)values[NUMBER_PORT];
    options->players = (uint32_t)values[NUMBER_PLAYERS];
    options->seconds = (uint32_t)values[NUMBER_SECONDS];
    options->ping_rate = (uint32_t)values[NUMBER_PING_RATE];
    options->warmup = (uint32_t)values[NUMBER_WARMUP];
    options->matches = (uint32_t)values[NUMBER_MATCHES];
    options->think_min_ms = (uint32_t)values[NUMBER_THINK_MIN_MS];
    options->think_max_ms = (uint32_t)values[NUMBER_THINK_MAX_MS];
    options->rate = (uint32_t)values[NUMBER_RATE];
    options->sources = (uint32_t)values[NUMBER_SOURCES];
    options->grace_ms = (uint32_t)values[NUMBER_GRACE_MS];
    options->idle = (uint32_t)values[NUMBER_IDLE];
    options->emotes_percent = (uint32_t)values[NUMBER_EMOTES];
    options->house_percent = (uint32_t)values[NUMBER_HOUSE];
    options->slow_percent = (uint32_t)values[NUMBER_SLOW];
    options->slow_bytes = (uint32_t)values[NUMBER_SLOW_BYTES];
    options->garbage_percent = (uint32_t)values[NUMBER_GARBAGE];
    options->drop_every_ms = (uint32_t)values[NUMBER_DROP_EVERY_MS];
    options->drop_all_every_ms = (uint32_t)values[NUMBER_DROP_ALL_EVERY_MS];
    options->drop_reveal_percent = (uint32_t)values[NUMBER_DROP_REVEAL];
    options->back_within_ms = (uint32_t)values[NUMBER_BACK_WITHIN_MS];
    options->seed = values[NUMBER_SEED];
}

static const char *find_rough_contradiction(const struct options *options)
{
    uint32_t rough_percent = options->slow_percent + options->garbage_percent;
    if (rough_percent > 100) return "--slow and --garbage are more than 100 percent together";
    if (rough_percent == 100 && options->seconds == 0)
        return "--slow and --garbage are everybody, and need --seconds: nobody has matches";
    return NULL;
}

static const char *find_echo_contradiction(const struct options *options)
{
    if (options->ping_rate > 0 && options->idle == 0)
        return "--ping-rate needs --idle: it is they who ping";
    if (options->is_echo && options->players > 0)
        return "--echo needs --players 0: who only hears itself plays no duel";
    if (options->is_echo && options->ping_rate == 0)
        return "--echo needs --ping-rate: nothing else is said";
    if (options->is_lenient && options_drop(options))
        return "--lenient and --drop-... do not go together: nothing would be proven";
    if (options->is_lenient && options->server_may_die)
        return "--lenient and --server-may-die do not go together: nothing would be proven";
    return NULL;
}

/* What one option cannot see. */
static const char *find_contradiction(const struct options *options)
{
    if (options->port == 0) return "--port is required";
    if (options->think_min_ms > options->think_max_ms)
        return "--think-min-ms is more than --think-max-ms";
    if (options->seconds == 0 && options->matches == 0)
        return "--seconds 0 needs --matches: nothing else would end the run";
    if (options->seconds > 0 && options->warmup >= options->seconds)
        return "--warmup is not less than --seconds: nothing would be measured";
    if (options->players + options->idle == 0) return "--players 0 needs --idle: nobody is left";
    if (options->players + options->idle > OPTIONS_PLAYERS_MAX)
        return "--players and --idle are more than 60000 together";
    if (options->players == 0 && options->seconds == 0)
        return "--players 0 needs --seconds: nothing else would end the run";
    const char *contradiction = find_rough_contradiction(options);
    return contradiction != NULL ? contradiction : find_echo_contradiction(options);
}

static enum options_result wrong(char problem[OPTIONS_PROBLEM_BYTES], const char *text)
{
    (void)snprintf(problem, OPTIONS_PROBLEM_BYTES, "%s", text); /* A longer one is cut. */
    return OPTIONS_WRONG;
}

static enum options_result wrong_option(char problem[OPTIONS_PROBLEM_BYTES], const char *text)
{
    (void)snprintf(problem, OPTIONS_PROBLEM_BYTES, "unknown option, or its value is missing: %s",
                   text); /* A longer one is cut. */
    return OPTIONS_WRONG;
}

static enum options_result wrong_number(char problem[OPTIONS_PROBLEM_BYTES],
                                        const struct number *number)
{
    (void)snprintf(problem, OPTIONS_PROBLEM_BYTES, "--%s takes a number from %llu to %llu",
                   number->name, (unsigned long long)number->min, (unsigned long long)number->max);
    return OPTIONS_WRONG;
}

enum options_result options_parse(int argc, char *argv[], struct options *ret_options,
                                  char reterr_problem[OPTIONS_PROBLEM_BYTES])
{
    struct options options = {.host = "127.0.0.1"};
    uint64_t values[NUMBER_COUNT] = {
        [NUMBER_PLAYERS] = 100,      [NUMBER_SECONDS] = 10,
        [NUMBER_THINK_MIN_MS] = 200, [NUMBER_THINK_MAX_MS] = 2000,
        [NUMBER_RATE] = 500,         [NUMBER_GRACE_MS] = 60000,
        [NUMBER_EMOTES] = 4,         [NUMBER_BACK_WITHIN_MS] = 3000,
        [NUMBER_SEED] = 1,           [NUMBER_SLOW_BYTES] = 1,
    };
    struct option long_options[OTHER_COUNT + NUMBER_COUNT + 1];
    fill_long_options(long_options);
    optind = 0; /* Starts getopt afresh, so that a test may parse more than once. */
    opterr = 0;
    int code;
    while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (code == OPTION_HELP) return OPTIONS_HELP;
        if (code == OPTION_VERSION) return OPTIONS_VERSION;
        if (code == OPTION_HOST) options.host = optarg;
        if (code == OPTION_JSON) options.wants_json = true;
        if (code == OPTION_TOLD) options.told = optarg;
        if (code == OPTION_MAY_DIE) options.server_may_die = true;
        if (code == OPTION_LENIENT) options.is_lenient = true;
        if (code == OPTION_ECHO) options.is_echo = options.is_lenient = true;
        if (code == OPTION_VERBOSE) options.is_verbose = true;
        if (code == '?') return wrong_option(reterr_problem, argv[optind - 1]);
        if (code < OPTION_NUMBERS) continue;
        const struct number *number = &numbers[code - OPTION_NUMBERS];
        if (!parse_number(number, optarg, &values[code - OPTION_NUMBERS]))
            return wrong_number(reterr_problem, number);
    }
    if (optind < argc) return wrong(reterr_problem, "it takes options only");
    take_numbers(values, &options);
    const char *contradiction = find_contradiction(&options);
    if (contradiction != NULL) return wrong(reterr_problem, contradiction);
    *ret_options = options;
    return OPTIONS_RUN;
}

void options_print_help(FILE *out)
{
    fputs(
        "Usage: quizrush-load --port N [OPTION]...\n\n"
        "Plays duels with many players from one thread, and holds every message against the\n"
        "protocol: its fields, its order, points and ratings, the same bytes for both players.\n"
        "With --drop-... players lose their connections without a word (by chance by FIN, by\n"
        "RST, or by connecting again while the old connection is still there) and come back with\n"
        "`resume`; what they missed must follow without a gap, then the clock. What the slow ones\n"
        "and those with garbage get is counted, and not held against anything.\n\n"
        "It prints a table at the end, and on a terminal a line a second while it runs. It ends\n"
        "with 0 where all was well, 1 where a message did not fit or a player did not finish,\n"
        "2 for a wrong command line.\n\n",
        out);
    fprintf(out, "  --%-18s %s\n", "host NAME", "the server (127.0.0.1)");
    for (int index = 0; index < NUMBER_COUNT; index++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "%s N", numbers[index].name); /* All names fit. */
        fprintf(out, "  --%-18s %s\n", name, numbers[index].help);
    }
    fprintf(out, "  --%-18s %s\n", "told FILE",
            "writes each `end` that a player sees to a file, and each match lost");
    fprintf(out, "  --%-18s %s\n", "server-may-die",
            "a server that is gone comes back on the same port, with its matches");
    fprintf(out, "  --%-18s %s\n", "lenient",
            "for a server that lacks parts of the protocol: what is missing or\n" OPTIONS_INDENT
            "wrong is counted as a deviation, and no error");
    fprintf(out, "  --%-18s %s\n", "echo",
            "for a server that returns each message: those who idle say no\n" OPTIONS_INDENT
            "hello, and what comes back is the pong");
    fprintf(out, "  --%-18s %s\n", "json", "the figures as one JSON object instead of the table");
    fprintf(out, "  --%-18s %s\n", "verbose", "a line a second while it runs, to standard error");
    fprintf(out, "  --%-18s %s\n", "help", "this text");
    fprintf(out, "  --%-18s %s\n", "version", "the version");
}
