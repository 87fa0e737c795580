/* Dossiers from the embedded store's file, over a connection of their own, while the daemon runs or
 * not. A slice that erases holds the write lock for some milliseconds.
 */
#pragma once

#include "edge/dossier.h"

/* 0 and the dossier, which the caller closes; or a negative errno and why, as sqlite_board_open().
 */
QR_MUST_USE int sqlite_dossier_open(const char *path, struct dossier **ret_dossier,
                                    char reterr_problem[DOSSIER_PROBLEM_BYTES]);
