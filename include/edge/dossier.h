/* All that the store has of one player: to be handed over, or to be erased.
 *
 * For tools; calls wait for the database, and the daemon may run meanwhile. One thread at a time.
 * Memory does not grow with what is stored: it is handed over row by row, and erased in slices, a
 * transaction each. Errors are negative errnos; dossier_problem() has the words. Which database it
 * is the opener decides: sqlite_dossier_open().
 */
#pragma once

#include <stddef.h>

#include "base/assert.h"
#include "base/id.h"

enum { DOSSIER_PROBLEM_BYTES = 256 };

/* What stands in the place of the name of a player who was deleted. */
#define DOSSIER_DELETED_NAME "(deleted)"

struct dossier;

enum dossier_part {
    DOSSIER_PLAYER,     /* One row, or none: there is no such player. */
    DOSSIER_STATISTICS, /* A row for each mode and category. */
    DOSSIER_MATCHES,    /* A row for each match, the oldest first, with what was answered. */
};
enum { DOSSIER_PARTS = DOSSIER_MATCHES + 1 };

/* A row, as one JSON object; borrowed until it returns. */
typedef void dossier_row(void *context, const char *json);

struct dossier_class {
    int (*tell)(struct dossier *dossier, enum dossier_part part, const struct id *player,
                dossier_row *row, void *context);
    int (*erase)(struct dossier *dossier, const struct id *player, unsigned long long *ret_matches);
    const char *(*problem)(const struct dossier *dossier);
    void (*close)(struct dossier *dossier);
};

/* The first member of every implementation. */
struct dossier {
    const struct dossier_class *class;
};

QR_MUST_USE static inline int dossier_tell(struct dossier *dossier, enum dossier_part part,
                                           const struct id *player, dossier_row *row, void *context)
{
    return dossier->class->tell(dossier, part, player, row, context);
}

/* The player's row and statistics go. In matches with others the player becomes nobody of the name
 * DOSSIER_DELETED_NAME, and all else in them stays; matches in which nobody is left go whole.
 * -ENOENT: there is no such player. Interrupted, it is done by another call. */
QR_MUST_USE static inline int dossier_erase(struct dossier *dossier, const struct id *player,
                                            unsigned long long *ret_matches)
{
    return dossier->class->erase(dossier, player, ret_matches);
}

static inline const char *dossier_problem(const struct dossier *dossier)
{
    return dossier->class->problem(dossier);
}

static inline void dossier_close(struct dossier *dossier) /* NULL is fine. */
{
    if (dossier != NULL) dossier->class->close(dossier);
}
