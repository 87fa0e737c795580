#include "daemon/options.h"

#include <getopt.h>
#include <string.h>

#include "conf_priv.h"

/* The long options that have no letter. */
enum {
    OPT_CONFIG = 256,
    OPT_SET,
    OPT_PRINT_CONFIG,
    OPT_PRINT_KEYS,
    OPT_CHECK_CONFIG,
    OPT_CHECK_QUESTIONS,
    OPT_MIGRATE,
    OPT_VERSION,
};

static const struct option options_known[] = {
    {"config", required_argument, NULL, OPT_CONFIG},
    {"set", required_argument, NULL, OPT_SET},
    {"print-config", no_argument, NULL, OPT_PRINT_CONFIG},
    {"print-keys", no_argument, NULL, OPT_PRINT_KEYS},
    {"check-config", no_argument, NULL, OPT_CHECK_CONFIG},
    {"check-questions", required_argument, NULL, OPT_CHECK_QUESTIONS},
    {"migrate", no_argument, NULL, OPT_MIGRATE},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static const char hint[] = "see quizrushd --help";

/* Help and version win over anything; two other actions contradict each other. */
static bool choose(struct options *options, enum options_action action,
                   struct conf_problem *reterr_problem)
{
    bool is_settled = options->action == OPTIONS_HELP || options->action == OPTIONS_VERSION;
    bool is_asked_first = action == OPTIONS_HELP || action == OPTIONS_VERSION;
    if (is_settled) return true;
    if (options->action != OPTIONS_RUN && options->action != action && !is_asked_first) {
        conf_complain(reterr_problem, "only one of the options that print, check or migrate; %s",
                      hint);
        return false;
    }
    options->action = action;
    return true;
}

static bool take_set(struct options *options, const char *assignment,
                     struct conf_problem *reterr_problem)
{
    if (options->set_count == OPTIONS_SETS_MAX) {
        conf_complain(reterr_problem, "--set: more than %d times; use a file and --config",
                      OPTIONS_SETS_MAX);
        return false;
    }
    options->sets[options->set_count++] = assignment;
    return true;
}

static bool take_config(struct options *options, const char *path,
                        struct conf_problem *reterr_problem)
{
    if (options->config_path != NULL) {
        conf_complain(reterr_problem, "--config: given twice; %s", hint);
        return false;
    }
    options->config_path = path;
    return true;
}

/* `option` is what getopt_long returned, `word` the argument it was looking at. */
static bool take(struct options *options, int option, const char *word,
                 struct conf_problem *reterr_problem)
{
    switch (option) {
    case OPT_CONFIG: return take_config(options, optarg, reterr_problem);
    case OPT_SET: return take_set(options, optarg, reterr_problem);
    case OPT_PRINT_CONFIG: return choose(options, OPTIONS_PRINT_CONFIG, reterr_problem);
    case OPT_PRINT_KEYS: return choose(options, OPTIONS_PRINT_KEYS, reterr_problem);
    case OPT_CHECK_CONFIG: return choose(options, OPTIONS_CHECK_CONFIG, reterr_problem);
    case OPT_CHECK_QUESTIONS:
        options->questions_path = optarg;
        return choose(options, OPTIONS_CHECK_QUESTIONS, reterr_problem);
    case OPT_MIGRATE: return choose(options, OPTIONS_MIGRATE, reterr_problem);
    case 'h': return choose(options, OPTIONS_HELP, reterr_problem);
    case OPT_VERSION: return choose(options, OPTIONS_VERSION, reterr_problem);
    case ':':
        conf_complain(reterr_problem, "%.*s: needs an argument; %s", CONF_SHOWN_BYTES, word, hint);
        return false;
    default:
        conf_complain(reterr_problem, "%.*s: %s; %s", CONF_SHOWN_BYTES, word,
                      optopt >= OPT_CONFIG || optopt == 'h' ? "takes no argument" : "not an option",
                      hint);
        return false;
    }
}

bool options_parse(int argc, char *argv[], struct options *ret_options,
                   struct conf_problem *reterr_problem)
{
    struct options options = {.action = OPTIONS_RUN};
    optind = 0; /* glibc: begin anew, also after an earlier call. */
    opterr = 0;
    for (;;) {
        int option = getopt_long(argc, argv, ":h", options_known, NULL);
        if (option == -1) break;
        if (!take(&options, option, argv[optind - 1], reterr_problem)) return false;
    }
    if (optind < argc) {
        conf_complain(reterr_problem, "%.*s: not an option; %s", CONF_SHOWN_BYTES, argv[optind],
                      hint);
        return false;
    }
    *ret_options = options;
    return true;
}

void options_print_help(FILE *out)
{
    fputs("Usage: quizrushd [--config FILE] [--set KEY=VALUE]...\n"
          "\n"
          "A quiz game server for players on WebSockets. Runs in the foreground; SIGTERM lets the\n"
          "running matches finish, a second one ends at once.\n"
          "\n"
          "  --config FILE           read this configuration; without it, the defaults\n"
          "  --set KEY=VALUE         set one key, after the file; may be given again\n"
          "  --print-config          print every key with its value, and exit\n"
          "  --print-keys            print every key as a row of a Markdown table, and exit\n"
          "  --check-config          check the configuration, and exit\n"
          "  --check-questions FILE  check a question bank, and exit\n"
          "  --migrate               bring the database's schema up to date, and exit\n"
          "  -h, --help              print this, and exit\n"
          "  --version               print the version, and exit\n"
          "\n"
          "Exit status: 0 when all went well, 1 when something failed, 2 when the command line or\n"
          "the configuration is wrong.\n",
          out);
}

void options_print_version(FILE *out)
{
    fputs("quizrushd " QUIZRUSH_VERSION "\n", out);
}
