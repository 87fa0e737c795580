/* What the store knows of players, looked up: boards, places, past matches.
 *
 * For tools, and for who serves such questions beside the game: calls wait for the database, so
 * that no loop of the game makes them. A board is a mode's and a category's: it lists who has
 * finished a match there (a duel must have been rated), by rating and then by id, so that no two
 * have one place. Places begin with 1.
 *
 * One thread at a time. Each call gives at most BOARD_ROWS_MAX rows and reads by an index; only a
 * place is counted, and reads an index entry for each player before it. Errors are negative
 * errnos; board_problem() has the words. Which database it is the opener decides:
 * sqlite_board_open().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/time.h"
#include "core/match.h"

enum { BOARD_ROWS_MAX = 100, BOARD_PROBLEM_BYTES = 256 };

struct board;

/* Which board. */
struct board_key {
    uint8_t mode;                          /* enum match_mode. */
    char category[CATEGORY_BYTES_MAX + 1]; /* "": all. */
};

struct board_row {
    uint32_t place;
    struct id player;
    char name[NAME_BYTES_MAX + 1];
    int32_t rating_centi;
    /* In this mode and category. */
    uint64_t matches;
    uint64_t wins;
    uint64_t answers;
    uint64_t right_answers;
    uint64_t points;
};

enum board_outcome { BOARD_WON, BOARD_LOST, BOARD_DRAWN };

/* A player's match. */
struct board_match {
    struct id match;
    char mode[16];
    char reason[16];
    bool is_rated;
    uint8_t outcome; /* enum board_outcome. */
    wall_time ended_at;
    uint32_t score;
    int32_t rating_before_centi;
    int32_t rating_after_centi; /* As it was told. */
    /* The other's; where `has_other` is not set, a bot's or that of a player who was deleted. */
    bool has_other;
    struct id other;
    char other_name[NAME_BYTES_MAX + 1];
    uint32_t other_score;
};

struct board_class {
    int (*top)(struct board *board, const struct board_key *key, unsigned max,
               struct board_row ret_rows[], unsigned *ret_count);
    int (*around)(struct board *board, const struct board_key *key, const struct id *player,
                  unsigned beside, struct board_row ret_rows[], unsigned *ret_count);
    int (*history)(struct board *board, const struct id *player, const struct id *before,
                   unsigned max, struct board_match ret_matches[], unsigned *ret_count);
    const char *(*problem)(const struct board *board);
    void (*close)(struct board *board);
};

/* The first member of every implementation. */
struct board {
    const struct board_class *class;
};

/* The first `max` places. Requires: max <= BOARD_ROWS_MAX, which is the room in `ret_rows`. */
QR_MUST_USE static inline int board_top(struct board *board, const struct board_key *key,
                                        unsigned max, struct board_row ret_rows[],
                                        unsigned *ret_count)
{
    QR_ASSERT(max <= BOARD_ROWS_MAX);
    return board->class->top(board, key, max, ret_rows, ret_count);
}

/* The player's place, and up to `beside` before and behind it, in the board's order. -ENOENT: the
 * player is not on this board. Requires: 2 * beside + 1 <= BOARD_ROWS_MAX; room for as many. */
QR_MUST_USE static inline int board_around(struct board *board, const struct board_key *key,
                                           const struct id *player, unsigned beside,
                                           struct board_row ret_rows[], unsigned *ret_count)
{
    QR_ASSERT(2 * beside + 1 <= BOARD_ROWS_MAX);
    return board->class->around(board, key, player, beside, ret_rows, ret_count);
}

/* The player's last `max` matches, the newest first; `before`: those older than this match, the
 * last one of the page before; NULL: from the newest. A player that is not known has none.
 * Requires: max <= BOARD_ROWS_MAX, which is the room in `ret_matches`. */
QR_MUST_USE static inline int board_history(struct board *board, const struct id *player,
                                            const struct id *before, unsigned max,
                                            struct board_match ret_matches[], unsigned *ret_count)
{
    QR_ASSERT(max <= BOARD_ROWS_MAX);
    return board->class->history(board, player, before, max, ret_matches, ret_count);
}

/* What the last failure was, until the next call. */
static inline const char *board_problem(const struct board *board)
{
    return board->class->problem(board);
}

static inline void board_close(struct board *board) /* NULL is fine. */
{
    if (board != NULL) board->class->close(board);
}
