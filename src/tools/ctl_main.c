/* quizrushctl: looks into quizrushd's store, and keeps it. Exit status: 0 where all went well, 1
 * where something failed, 2 for a wrong command line or configuration. */

#include <stdlib.h>

#include "ctl_command.h"

void qr_assert_failed(const char *file, int line, const char *claim)
{
    fprintf(stderr, "quizrushctl: %s:%d: %s\n", file, line, claim);
    abort();
}

int main(int argc, char *argv[])
{
    struct ctl_options options;
    char problem[CTL_PROBLEM_BYTES];
    if (!ctl_options_parse(argc, argv, &options, problem)) {
        fprintf(stderr, "quizrushctl: %s; see quizrushctl --help\n", problem);
        return CTL_EXIT_USAGE;
    }
    switch (options.action) {
    case CTL_RUN: return options.command->run(&options);
    case CTL_HELP: ctl_options_print_help(options.command, stdout); return ctl_flush();
    case CTL_VERSION: puts("quizrushctl " QUIZRUSH_VERSION); return ctl_flush();
    }
    QR_UNREACHABLE("action");
}
