/* Boards from a PostgreSQL store, over a connection of their own.
 *
 * Each query has the options' timeout. Sorting and scanning are switched off for its session: a
 * plan that needs neither is there for each query, and no statistics are to talk the server out of
 * it.
 */
#pragma once

#include "edge/board.h"
#include "edge/postgres_store.h"

/* 0 and the board, which the caller closes; or a negative errno after logging why. Of the options it
 * takes uri, password_file and timeout_ms. */
QR_MUST_USE int postgres_board_open(const struct postgres_store_options *options,
                                    struct board **ret_board);
