#include <stdlib.h>

#include "ctl_command.h"

/* Where the next row goes. */
struct listing {
    unsigned long long rows;
};

static void print_one(void *context, const char *json)
{
    struct listing *listing = context;
    listing->rows++;
    printf("{\"player\": %s", json);
}

static void print_item(void *context, const char *json)
{
    struct listing *listing = context;
    printf("%s\n  %s", listing->rows++ > 0 ? "," : "", json);
}

static int print_list(struct dossier *dossier, enum dossier_part part, const struct id *player,
                      const char *name)
{
    struct listing listing = {0};
    printf(",\n\"%s\": [", name);
    int error = dossier_tell(dossier, part, player, print_item, &listing);
    printf("]");
    return error;
}

static int export(struct dossier *dossier, const struct id *player)
{
    struct listing listing = {0};
    int error = dossier_tell(dossier, DOSSIER_PLAYER, player, print_one, &listing);
    if (error == 0 && listing.rows == 0) return ctl_fail(EXIT_FAILURE, "there is no such player");
    if (error == 0) error = print_list(dossier, DOSSIER_STATISTICS, player, "statistics");
    if (error == 0) error = print_list(dossier, DOSSIER_MATCHES, player, "matches");
    if (error != 0) return ctl_fail(EXIT_FAILURE, dossier_problem(dossier));
    printf("}\n");
    return ctl_flush();
}

int ctl_export_player(const struct ctl_options *options)
{
    struct dossier *dossier = NULL;
    int status = ctl_open_dossier(options, &dossier);
    if (status != 0) return status;
    status = export(dossier, &options->player);
    dossier_close(dossier);
    return status;
}
