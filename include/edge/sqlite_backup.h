/* A copy of the embedded store's file, made while the daemon runs.
 *
 * The copy is of one moment: it is read in steps within one transaction, which keeps nobody from
 * writing; meanwhile the write-ahead log grows by what is committed. It gets its name once all of
 * it is on disk and has passed the database's own check. Called by tools; waits. Memory: some
 * hundred pages.
 */
#pragma once

#include <stdint.h>

#include "base/assert.h"

enum { SQLITE_BACKUP_PROBLEM_BYTES = 256 };

/* 0 and the copy's size; or a negative errno and why, and nothing is left: -EEXIST where the target
 * is there already. */
QR_MUST_USE int sqlite_backup(const char *path, const char *target, int64_t *ret_bytes,
                              char reterr_problem[SQLITE_BACKUP_PROBLEM_BYTES]);
