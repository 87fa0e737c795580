/* The queries of the embedded store's boards, apart, so that a test can ask the database how it
 * answers them. Constant.
 */
#pragma once

enum sqlite_board_query {
    SQLITE_BOARD_TOP,     /* Mode, category, how many. */
    SQLITE_BOARD_OWN,     /* Mode, category, the player. */
    SQLITE_BOARD_PLACE,   /* Mode, category, the player's order and id: how many stand before. */
    SQLITE_BOARD_BEFORE,  /* The same and how many, the nearest first. */
    SQLITE_BOARD_BEHIND,  /* Likewise. */
    SQLITE_BOARD_HISTORY, /* The player, the match before the page, how many. */
};
enum { SQLITE_BOARD_QUERIES = SQLITE_BOARD_HISTORY + 1 };

extern const char *const sqlite_board_queries[SQLITE_BOARD_QUERIES];
