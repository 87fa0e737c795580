/* The queries of PostgreSQL's boards, apart, so that a test can ask the server how it answers them.
 * Parameters are those of sqlite_board_priv.h. Constant.
 */
#pragma once

enum postgres_board_query {
    POSTGRES_BOARD_TOP,
    POSTGRES_BOARD_OWN,
    POSTGRES_BOARD_PLACE,
    POSTGRES_BOARD_BEFORE,
    POSTGRES_BOARD_BEHIND,
    POSTGRES_BOARD_HISTORY,
};
enum { POSTGRES_BOARD_QUERIES = POSTGRES_BOARD_HISTORY + 1 };

extern const char *const postgres_board_queries[POSTGRES_BOARD_QUERIES];

/* What the session begins with. */
extern const char postgres_board_session[];
