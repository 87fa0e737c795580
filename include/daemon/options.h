/* The command line, read into a struct; nothing is done here.
 *
 * What the options mean is the caller's: read `config_path`, then conf_set() each of `sets`, then
 * do the action. The strings are argv's own (borrows until main returns). Main thread.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/assert.h"
#include "daemon/conf.h"

enum options_action {
    OPTIONS_RUN,
    OPTIONS_PRINT_CONFIG,    /* conf_print, before conf_resolve. */
    OPTIONS_PRINT_KEYS,      /* conf_print_table. */
    OPTIONS_CHECK_CONFIG,    /* Everything up to conf_resolve, then stop. */
    OPTIONS_CHECK_QUESTIONS, /* Of `questions_path`. */
    OPTIONS_MIGRATE,         /* Of the configured store. */
    OPTIONS_HELP,
    OPTIONS_VERSION,
};

enum { OPTIONS_SETS_MAX = 64 };

struct options {
    enum options_action action;
    const char *config_path;    /* NULL: no file, only the defaults. */
    const char *questions_path; /* For OPTIONS_CHECK_QUESTIONS. */
    const char *sets[OPTIONS_SETS_MAX];
    unsigned set_count;
};

/* False: the command line is wrong, and the problem says where help is; the exit status is then 2.
 * Reorders argv, as getopt_long does. */
QR_MUST_USE bool options_parse(int argc, char *argv[], struct options *ret_options,
                               struct conf_problem *reterr_problem);

void options_print_help(FILE *out);

/* "quizrushd 0.1.0" */
void options_print_version(FILE *out);
