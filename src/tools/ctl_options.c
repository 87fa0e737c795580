#include "ctl_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_BYTES = 64 };

enum option_code {
    OPTION_CONFIG = 256,
    OPTION_DATA_DIR,
    OPTION_STORE,
    OPTION_MODE,
    OPTION_CATEGORY,
    OPTION_COUNT,
    OPTION_BESIDE,
    OPTION_BEFORE,
    OPTION_YES,
    OPTION_VERIFY,
    OPTION_VERSION,
};

static const struct option options_known[] = {
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"data-dir", required_argument, NULL, OPTION_DATA_DIR},
    {"store", required_argument, NULL, OPTION_STORE},
    {"mode", required_argument, NULL, OPTION_MODE},
    {"category", required_argument, NULL, OPTION_CATEGORY},
    {"count", required_argument, NULL, OPTION_COUNT},
    {"beside", required_argument, NULL, OPTION_BESIDE},
    {"before", required_argument, NULL, OPTION_BEFORE},
    {"yes", no_argument, NULL, OPTION_YES},
    {"verify", no_argument, NULL, OPTION_VERIFY},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

/* For what a command may or may not take. */
static const struct {
    enum option_code code;
    const char *name;
    unsigned takes;
    const char *help;
} options_taken[] = {
    {OPTION_MODE, "--mode", CTL_TAKES_BOARD, "  --mode MODE        duel (the default) or house\n"},
    {OPTION_CATEGORY, "--category", CTL_TAKES_BOARD,
     "  --category NAME    of the question bank; without it, all\n"},
    {OPTION_COUNT, "--count", CTL_TAKES_COUNT, "  --count N          at most, 1 to 100 (10)\n"},
    {OPTION_BESIDE, "--beside", CTL_TAKES_BESIDE,
     "  --beside N         before and behind the player, 0 to 49 (5)\n"},
    {OPTION_BEFORE, "--before", CTL_TAKES_BEFORE,
     "  --before MATCH     older than this one: the last of the page before\n"},
    {OPTION_YES, "--yes", CTL_TAKES_YES,
     "  --yes              it is meant: without it nothing is done\n"},
    {OPTION_VERIFY, "--verify", CTL_TAKES_VERIFY,
     "  --verify           compare it with the rules, and with what is stored; 1 where it "
     "differs\n"},
};
enum { TAKEN_COUNT = sizeof(options_taken) / sizeof(options_taken[0]) };

/* What was given, before the command is known: the bits of enum ctl_takes. */
struct given {
    enum option_code codes[TAKEN_COUNT * 2];
    unsigned count;
};

static bool wrong(char reterr_problem[CTL_PROBLEM_BYTES], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool wrong(char reterr_problem[CTL_PROBLEM_BYTES], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reterr_problem, CTL_PROBLEM_BYTES, format, arguments); /* Cut is fine. */
    va_end(arguments);
    for (char *at = reterr_problem; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f) *at = '?'; /* It goes to a terminal. */
    }
    return false;
}

/* --- Values. --- */

static bool parse_number(const char *name, const char *text, unsigned min, unsigned max,
                         unsigned *ret_value, char reterr_problem[CTL_PROBLEM_BYTES])
{
    char *end = NULL;
    errno = 0;
    unsigned long value = text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;
    if (end == NULL || *end != '\0' || errno != 0 || value < min || value > max) {
        return wrong(reterr_problem, "%s: takes a number from %u to %u, not %.*s", name, min, max,
                     SHOWN_BYTES, text);
    }
    *ret_value = (unsigned)value;
    return true;
}

static bool parse_id(const char *name, const char *text, struct id *ret_id,
                     char reterr_problem[CTL_PROBLEM_BYTES])
{
    size_t size = strnlen(text, ID_TEXT_BYTES + 1);
    if (id_parse(text, (uint32_t)size, ret_id)) return true;
    return wrong(reterr_problem,
                 "%s: takes an id such as 0192f0c1-2a3b-7c4d-8e5f-60718293a4b5, not %.*s", name,
                 SHOWN_BYTES, text);
}

static bool parse_mode(const char *text, struct board_key *key,
                       char reterr_problem[CTL_PROBLEM_BYTES])
{
    for (uint8_t mode = 0; mode < MATCH_MODE_COUNT; mode++) {
        if (strcmp(text, match_mode_name((enum match_mode)mode)) != 0) continue;
        key->mode = mode;
        return true;
    }
    return wrong(reterr_problem, "--mode: duel or house, not %.*s", SHOWN_BYTES, text);
}

static bool parse_category(const char *text, struct board_key *key,
                           char reterr_problem[CTL_PROBLEM_BYTES])
{
    size_t size = strnlen(text, CATEGORY_BYTES_MAX + 1);
    if (size == 0 || size > CATEGORY_BYTES_MAX) {
        return wrong(reterr_problem, "--category: a name of 1 to %d bytes", CATEGORY_BYTES_MAX);
    }
    memcpy(key->category, text, size + 1);
    return true;
}

static bool take_text(const char *name, const char *text, const char **ret_text,
                      char reterr_problem[CTL_PROBLEM_BYTES])
{
    if (*ret_text != NULL) return wrong(reterr_problem, "%s: given twice", name);
    if (text[0] == '\0') return wrong(reterr_problem, "%s: is empty", name);
    *ret_text = text;
    return true;
}

/* --- One option. --- */

/* The strings are static or argv's. */
static bool take(struct ctl_options *options, struct given *given, int code,
                 char reterr_problem[CTL_PROBLEM_BYTES])
{
    if (code >= OPTION_MODE && code <= OPTION_VERIFY && given->count < TAKEN_COUNT * 2) {
        given->codes[given->count++] = (enum option_code)code;
    }
    switch (code) {
    case OPTION_CONFIG: return take_text("--config", optarg, &options->config_path, reterr_problem);
    case OPTION_DATA_DIR:
        return take_text("--data-dir", optarg, &options->data_dir, reterr_problem);
    case OPTION_STORE: return take_text("--store", optarg, &options->store, reterr_problem);
    case OPTION_MODE: return parse_mode(optarg, &options->key, reterr_problem);
    case OPTION_CATEGORY: return parse_category(optarg, &options->key, reterr_problem);
    case OPTION_COUNT:
        return parse_number("--count", optarg, 1, BOARD_ROWS_MAX, &options->count, reterr_problem);
    case OPTION_BESIDE:
        return parse_number("--beside", optarg, 0, CTL_BESIDE_MAX, &options->beside,
                            reterr_problem);
    case OPTION_BEFORE:
        options->has_before = true;
        return parse_id("--before", optarg, &options->before, reterr_problem);
    case OPTION_YES: options->is_confirmed = true; return true;
    case OPTION_VERIFY: options->is_verifying = true; return true;
    case 'h': options->action = CTL_HELP; return true;
    case OPTION_VERSION: options->action = CTL_VERSION; return true;
    default: QR_UNREACHABLE("an option of the table");
    }
}

/* --- The words. --- */

static bool find_command(const char *name, struct ctl_options *options,
                         char reterr_problem[CTL_PROBLEM_BYTES])
{
    for (const struct ctl_command *at = ctl_commands; at->name != NULL; at++) {
        if (strcmp(name, at->name) != 0) continue;
        options->command = at;
        return true;
    }
    return wrong(reterr_problem, "%.*s: not a command", SHOWN_BYTES, name);
}

static bool check_given(const struct ctl_command *command, const struct given *given,
                        char reterr_problem[CTL_PROBLEM_BYTES])
{
    for (unsigned i = 0; i < given->count; i++) {
        for (unsigned j = 0; j < TAKEN_COUNT; j++) {
            if (given->codes[i] != options_taken[j].code) continue;
            if ((command->takes & options_taken[j].takes) != 0) continue;
            return wrong(reterr_problem, "%s: %s does not take it", options_taken[j].name,
                         command->name);
        }
    }
    return true;
}

static const char *operand_name(enum ctl_operand operand)
{
    switch (operand) {
    case CTL_OPERAND_NONE: return "";
    case CTL_OPERAND_PLAYER: return " PLAYER";
    case CTL_OPERAND_MATCH: return " MATCH";
    case CTL_OPERAND_FILE: return " FILE";
    case CTL_OPERAND_URL: return " URL";
    }
    QR_UNREACHABLE("operand");
}

static bool take_operand(struct ctl_options *options, int count, char *words[],
                         char reterr_problem[CTL_PROBLEM_BYTES])
{
    const struct ctl_command *command = options->command;
    int wanted = command->operand != CTL_OPERAND_NONE;
    if (count < wanted) {
        return wrong(reterr_problem, "%s: without its%s", command->name,
                     operand_name(command->operand));
    }
    if (count > wanted) {
        return wrong(reterr_problem, "%s: %.*s is too much", command->name, SHOWN_BYTES,
                     words[wanted]);
    }
    if (wanted == 0) return true;
    if (words[0][0] == '\0') return wrong(reterr_problem, "%s: it is empty", command->name);
    options->operand = words[0];
    if (command->operand == CTL_OPERAND_MATCH) {
        return parse_id(command->name, words[0], &options->match, reterr_problem);
    }
    if (command->operand != CTL_OPERAND_PLAYER) return true;
    return parse_id(command->name, words[0], &options->player, reterr_problem);
}

bool ctl_options_parse(int argc, char *argv[], struct ctl_options *ret_options,
                       char reterr_problem[CTL_PROBLEM_BYTES])
{
    struct ctl_options options = {.count = CTL_COUNT_DEFAULT, .beside = CTL_BESIDE_DEFAULT};
    struct given given = {.count = 0};
    optind = 0; /* glibc: begin anew, also after an earlier call. */
    opterr = 0;
    for (;;) {
        int code = getopt_long(argc, argv, ":h", options_known, NULL);
        if (code == -1) break;
        const char *word = argv[optind - 1];
        if (code == ':') return wrong(reterr_problem, "%.*s: needs a value", SHOWN_BYTES, word);
        if (code == '?') return wrong(reterr_problem, "%.*s: not an option", SHOWN_BYTES, word);
        if (!take(&options, &given, code, reterr_problem)) return false;
    }
    bool has_command = optind < argc;
    if (has_command && !find_command(argv[optind], &options, reterr_problem)) return false;
    if (options.action == CTL_RUN) {
        if (!has_command) return wrong(reterr_problem, "without a command");
        if (!check_given(options.command, &given, reterr_problem)) return false;
        if (!take_operand(&options, argc - optind - 1, argv + optind + 1, reterr_problem)) {
            return false;
        }
    }
    *ret_options = options;
    return true;
}

/* --- Help. --- */

static const char store_help[] =
    "  --config FILE      the daemon's configuration: which store it is\n"
    "  --data-dir DIR     instead of the configuration's data_dir\n"
    "  --store STORE      instead of its store: sqlite, or postgresql://...\n"
    "  -h, --help         print this, and exit\n";

static void print_all(FILE *out)
{
    fputs("Usage: quizrushctl [--config FILE] COMMAND [OPTION]...\n\n"
          "Looks into quizrushd's store, and keeps it: while the daemon runs or not.\n\n",
          out);
    for (const struct ctl_command *at = ctl_commands; at->name != NULL; at++) {
        char usage[40];
        (void)snprintf(usage, sizeof usage, "%s%s", at->name, operand_name(at->operand));
        fprintf(out, "  %-24s %s\n", usage, at->summary);
    }
    fprintf(out,
            "\n%s"
            "  --version          print the version, and exit\n\n"
            "quizrushctl COMMAND --help tells more of one. Exit status: 0 when all went well, 1 "
            "when\nsomething failed or was not there, 2 when the command line or the configuration "
            "is\nwrong.\n",
            store_help);
}

void ctl_options_print_help(const struct ctl_command *command, FILE *out)
{
    if (command == NULL) {
        print_all(out);
        return;
    }
    fprintf(out, "Usage: quizrushctl %s%s [OPTION]...\n\n%s\n", command->name,
            operand_name(command->operand), command->help);
    for (unsigned i = 0; i < TAKEN_COUNT; i++) {
        if ((command->takes & options_taken[i].takes) != 0) fputs(options_taken[i].help, out);
    }
    fputs(store_help, out);
}
