/* quizrushctl's command line: which command, on which store, with what.
 *
 * A command is a row of the table in ctl_command.c and a function in a file of its own. All options
 * are known here, each with its check; a row says which of them it takes. The strings are argv's
 * own (borrows until main returns). Main thread.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/assert.h"
#include "edge/board.h"

enum {
    CTL_COUNT_DEFAULT = 10,
    CTL_BESIDE_DEFAULT = 5,
    CTL_BESIDE_MAX = (BOARD_ROWS_MAX - 1) / 2,
    CTL_PROBLEM_BYTES = 512,
};

/* Which options a command takes beside those that say which store. */
enum ctl_takes {
    CTL_TAKES_BOARD = 1 << 0, /* --mode, --category. */
    CTL_TAKES_COUNT = 1 << 1,
    CTL_TAKES_BESIDE = 1 << 2,
    CTL_TAKES_BEFORE = 1 << 3,
    CTL_TAKES_YES = 1 << 4,
    CTL_TAKES_VERIFY = 1 << 5,
};

enum ctl_operand {
    CTL_OPERAND_NONE,
    CTL_OPERAND_PLAYER,
    CTL_OPERAND_MATCH,
    CTL_OPERAND_FILE,
    CTL_OPERAND_URL,
};

enum ctl_action { CTL_RUN, CTL_HELP, CTL_VERSION };

struct ctl_command;

struct ctl_options {
    enum ctl_action action;
    const struct ctl_command *command; /* NULL: none, with CTL_HELP or CTL_VERSION. */
    const char *config_path;           /* NULL: none of these three was given. */
    const char *data_dir;
    const char *store;
    const char *operand; /* A file or URL. */
    struct id player;    /* The operand, where it is one, */
    struct id match;     /* or where it is a match. */
    struct board_key key;
    unsigned count;
    unsigned beside;
    bool has_before;
    struct id before;
    bool is_confirmed;
    bool is_verifying;
};

struct ctl_command {
    const char *name;
    enum ctl_operand operand;
    unsigned takes; /* enum ctl_takes, or-ed. */
    const char *summary;
    const char *help; /* What --help says beside the options. */
    /* 0, or what main() returns, after saying on standard error what is wrong. */
    int (*run)(const struct ctl_options *options);
};

/* Ends with one without a name. */
extern const struct ctl_command ctl_commands[];

/* False: it is wrong, and the problem says where help is; the exit status is then 2. Reorders argv,
 * as getopt_long does. */
QR_MUST_USE bool ctl_options_parse(int argc, char *argv[], struct ctl_options *ret_options,
                                   char reterr_problem[CTL_PROBLEM_BYTES]);

/* Of the command, or of all where there is none. */
void ctl_options_print_help(const struct ctl_command *command, FILE *out);
