#include <inttypes.h>
#include <stdlib.h>

#include "ctl_command.h"
#include "edge/sqlite_backup.h"

int ctl_backup(const struct ctl_options *options)
{
    struct conf conf;
    char path[CTL_PATH_BYTES];
    char problem[SQLITE_BACKUP_PROBLEM_BYTES];
    int64_t bytes = 0;
    int status = ctl_configure(options, &conf);
    if (status != 0) return status;
    if (!ctl_is_embedded(&conf, path)) {
        return ctl_fail(CTL_EXIT_USAGE, "backup: this store is PostgreSQL's: use pg_dump");
    }
    if (sqlite_backup(path, options->operand, &bytes, problem) != 0) {
        return ctl_fail(EXIT_FAILURE, problem);
    }
    char name[CTL_NAME_BYTES];
    printf("%s: %" PRId64 " bytes\n", ctl_printable(options->operand, name), bytes);
    return ctl_flush();
}
