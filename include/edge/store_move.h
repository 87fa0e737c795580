/* Moving all that an embedded store has into a PostgreSQL store.
 *
 * For a tool, while no daemon uses either: the file is locked against writers throughout. Rows go
 * in batches, a transaction each, in the order of their keys. Interrupted, the next call goes on
 * where the last one had come; until it is done the target says, in a table quizrush_move, which
 * file it is from. A target that has anything else in it is refused. At the end counts and sums of
 * all tables must be the same on both sides. Memory: a batch, some megabytes at most.
 */
#pragma once

#include "base/assert.h"
#include "edge/postgres_store.h"

enum { STORE_MOVE_PROBLEM_BYTES = 512 };

struct store_moved {
    unsigned long long players;
    unsigned long long matches; /* By this call. */
};

/* 0, or a negative errno and why: -EEXIST where the target has other data, -EBADMSG where the two
 * differ at the end. Of the options it takes uri, password_file and timeout_ms, which is that of
 * each statement. The target's schema must be there (quizrushd --migrate). */
QR_MUST_USE int store_move(const char *path, const struct postgres_store_options *options,
                           struct store_moved *ret_moved,
                           char reterr_problem[STORE_MOVE_PROBLEM_BYTES]);
