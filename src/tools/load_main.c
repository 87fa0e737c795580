/* quizrush-load: plays duels with thousands of players and checks every message. Exit status: 0
 * where nothing was wrong, 1 where something was, 2 for a wrong command line. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "load_options.h"
#include "load_run.h"

enum { EXIT_WRONG_USAGE = 2 };

void qr_assert_failed(const char *file, int line, const char *claim)
{
    fprintf(stderr, "quizrush-load: %s:%d: %s\n", file, line, claim);
    abort();
}

static int run_with(const struct options *options)
{
    struct run *run = calloc(1, sizeof(*run));
    QR_ASSERT(run != NULL);
    int result = run_all(run, options);
    if (result != 0) fprintf(stderr, "quizrush-load: cannot begin: %s\n", strerror(-result));
    bool is_clean = result == 0 && run_is_clean(run);
    free(run);
    return is_clean ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
    struct options options;
    char problem[OPTIONS_PROBLEM_BYTES];
    switch (options_parse(argc, argv, &options, problem)) {
    case OPTIONS_RUN: return run_with(&options);
    case OPTIONS_HELP: options_print_help(stdout); return EXIT_SUCCESS;
    case OPTIONS_VERSION: puts("quizrush-load " QUIZRUSH_VERSION); return EXIT_SUCCESS;
    case OPTIONS_WRONG: break;
    }
    fprintf(stderr, "quizrush-load: %s; --help tells more\n", problem);
    return EXIT_WRONG_USAGE;
}
