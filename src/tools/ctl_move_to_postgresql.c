#include <stdlib.h>
#include <string.h>

#include "ctl_command.h"
#include "edge/postgres_uri.h"
#include "edge/store_move.h"

int ctl_move_to_postgresql(const struct ctl_options *options)
{
    struct conf conf;
    char path[CTL_PATH_BYTES];
    char problem[STORE_MOVE_PROBLEM_BYTES];
    struct store_moved moved;
    int status = ctl_configure(options, &conf);
    if (status != 0) return status;
    if (!ctl_is_embedded(&conf, path)) {
        return ctl_fail(CTL_EXIT_USAGE, "move-to-postgresql: the store is PostgreSQL's already");
    }
    if (!postgres_uri_check(options->operand, problem, sizeof problem)) {
        return ctl_fail(CTL_EXIT_USAGE, problem);
    }
    struct postgres_store_options target = ctl_postgres_options(&conf);
    target.uri = options->operand;
    if (store_move(path, &target, &moved, problem) != 0) return ctl_fail(EXIT_FAILURE, problem);
    printf("moved %llu players and %llu matches; now set store to that URL\n", moved.players,
           moved.matches);
    return ctl_flush();
}
