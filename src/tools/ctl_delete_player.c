#include <stdlib.h>

#include "ctl_command.h"

int ctl_delete_player(const struct ctl_options *options)
{
    struct dossier *dossier = NULL;
    unsigned long long matches = 0;
    if (!options->is_confirmed) {
        return ctl_fail(CTL_EXIT_USAGE,
                        "delete-player: cannot be undone; say --yes if it is meant");
    }
    int status = ctl_open_dossier(options, &dossier);
    if (status != 0) return status;
    if (dossier_erase(dossier, &options->player, &matches) != 0) {
        status = ctl_fail(EXIT_FAILURE, dossier_problem(dossier));
    } else {
        printf("deleted; %llu matches\n", matches);
        status = ctl_flush();
    }
    dossier_close(dossier);
    return status;
}
