/* Boards from the embedded store's file, over a connection of its own that reads only, while the
 * daemon runs or not.
 *
 * A call sees what was committed when it began, and holds the write-ahead log back no longer than
 * it lasts.
 */
#pragma once

#include "edge/board.h"

/* 0 and the board, which the caller closes; or a negative errno and why: -ENOENT where there is no
 * file, -ENOTSUP where its schema is not this program's. */
QR_MUST_USE int sqlite_board_open(const char *path, struct board **ret_board,
                                  char reterr_problem[BOARD_PROBLEM_BYTES]);
