#include "edge/sqlite_board.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sqlite_board_priv.h"
#include "sqlite_reading_priv.h"

_Static_assert((int)BOARD_PROBLEM_BYTES == (int)SQLITE_READING_PROBLEM_BYTES,
               "one is passed as the other");

/* CROSS JOIN fixes the order of the tables: the board's index decides, whatever the database
 * believes to know about sizes. */
#define ROWS_OF                                                                                    \
    "SELECT s.player, p.name, s.order_centi, s.matches, s.wins, s.answers, s.right_answers,"       \
    " s.points FROM player_stats s CROSS JOIN players p ON p.player = s.player"                    \
    " WHERE s.mode = ?1 AND s.category = ?2 AND s.listed = 1"

const char *const sqlite_board_queries[SQLITE_BOARD_QUERIES] = {
    [SQLITE_BOARD_TOP] = ROWS_OF " ORDER BY s.order_centi, s.player LIMIT ?3",
    [SQLITE_BOARD_OWN] = ROWS_OF " AND s.player = ?3",
    [SQLITE_BOARD_PLACE] = ("SELECT count(*) FROM player_stats WHERE mode = ?1 AND category = ?2"
                            " AND listed = 1 AND (order_centi, player) < (?3, ?4)"),
    [SQLITE_BOARD_BEFORE] = ROWS_OF " AND (s.order_centi, s.player) < (?3, ?4)"
                                    " ORDER BY s.order_centi DESC, s.player DESC LIMIT ?5",
    [SQLITE_BOARD_BEHIND] = ROWS_OF " AND (s.order_centi, s.player) > (?3, ?4)"
                                    " ORDER BY s.order_centi, s.player LIMIT ?5",
    /* A match has two. */
    [SQLITE_BOARD_HISTORY] =
        ("SELECT mine.match, m.mode, m.reason, m.rated, m.winner, mine.place, m.ended_at_ms,"
         " mine.score, mine.rating_before, mine.rating_after, other.player, other.name, other.score"
         " FROM match_players mine"
         " CROSS JOIN matches m ON m.match = mine.match"
         " LEFT JOIN match_players other"
         " ON other.match = mine.match AND other.place = 1 - mine.place"
         " WHERE mine.player = ?1 AND mine.match < ?2 ORDER BY mine.match DESC LIMIT ?3"),
};
#undef ROWS_OF

enum {
    COLUMN_PLAYER,
    COLUMN_NAME,
    COLUMN_ORDER,
    COLUMN_MATCHES,
    COLUMN_WINS,
    COLUMN_ANSWERS,
    COLUMN_RIGHT,
    COLUMN_POINTS,
};

enum {
    HISTORY_MATCH,
    HISTORY_MODE,
    HISTORY_REASON,
    HISTORY_RATED,
    HISTORY_WINNER,
    HISTORY_PLACE,
    HISTORY_ENDED_AT,
    HISTORY_SCORE,
    HISTORY_BEFORE,
    HISTORY_AFTER,
    HISTORY_OTHER,
    HISTORY_OTHER_NAME,
    HISTORY_OTHER_SCORE,
};

struct sqlite_board {
    struct board base;
    sqlite3 *db;
    sqlite3_stmt *statements[SQLITE_BOARD_QUERIES];
    char problem[BOARD_PROBLEM_BYTES];
};

static struct sqlite_board *sqlite_board_of(struct board *board)
{
    return (struct sqlite_board *)board; /* The first member. */
}

static int fail(struct sqlite_board *board, int code)
{
    (void)snprintf(board->problem, sizeof board->problem, "%s", sqlite3_errmsg(board->db));
    return sqlite_reading_errno(code);
}

/* --- Parameters. --- */

static int bind_id(sqlite3_stmt *statement, int parameter, const struct id *id)
{
    return sqlite3_bind_blob(statement, parameter, id->bytes, sizeof id->bytes, SQLITE_STATIC);
}

static int bind_key(sqlite3_stmt *statement, const struct board_key *key)
{
    const char *mode = match_mode_name((enum match_mode)key->mode);
    int code = sqlite3_bind_text(statement, 1, mode, -1, SQLITE_STATIC);
    if (code != SQLITE_OK) return code;
    return sqlite3_bind_text(statement, 2, key->category, -1, SQLITE_STATIC);
}

/* What stands before or behind this row. */
static int bind_from(sqlite3_stmt *statement, const struct board_key *key,
                     const struct board_row *own)
{
    int code = bind_key(statement, key);
    if (code == SQLITE_OK) code = sqlite3_bind_int64(statement, 3, -own->rating_centi);
    return code == SQLITE_OK ? bind_id(statement, 4, &own->player) : code;
}

/* --- Rows. --- */

static void read_row(sqlite3_stmt *statement, struct board_row *ret_row)
{
    memset(ret_row, 0, sizeof *ret_row);
    (void)sqlite_read_id(statement, COLUMN_PLAYER, &ret_row->player); /* The table's CHECK. */
    sqlite_read_text(statement, COLUMN_NAME, ret_row->name, sizeof ret_row->name);
    ret_row->rating_centi =
        (int32_t)-sqlite_read_int(statement, COLUMN_ORDER, -INT32_MAX, INT32_MAX);
    ret_row->matches = (uint64_t)sqlite_read_int(statement, COLUMN_MATCHES, 0, INT64_MAX);
    ret_row->wins = (uint64_t)sqlite_read_int(statement, COLUMN_WINS, 0, INT64_MAX);
    ret_row->answers = (uint64_t)sqlite_read_int(statement, COLUMN_ANSWERS, 0, INT64_MAX);
    ret_row->right_answers = (uint64_t)sqlite_read_int(statement, COLUMN_RIGHT, 0, INT64_MAX);
    ret_row->points = (uint64_t)sqlite_read_int(statement, COLUMN_POINTS, 0, INT64_MAX);
}

/* Runs what is bound, unless that failed; leaves it ready for the next run. */
static int read_rows(struct sqlite_board *board, enum sqlite_board_query query, int code,
                     struct board_row ret_rows[], unsigned max, unsigned *ret_count)
{
    sqlite3_stmt *statement = board->statements[query];
    unsigned count = 0;
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    while (code == SQLITE_ROW && count < max) {
        read_row(statement, &ret_rows[count++]);
        code = sqlite3_step(statement);
    }
    int error = code == SQLITE_DONE || code == SQLITE_ROW ? 0 : fail(board, code);
    (void)sqlite3_reset(statement);          /* Repeats the code. */
    (void)sqlite3_clear_bindings(statement); /* Cannot fail. */
    if (error == 0) *ret_count = count;
    return error;
}

static int top(struct board *base, const struct board_key *key, unsigned max,
               struct board_row ret_rows[], unsigned *ret_count)
{
    struct sqlite_board *board = sqlite_board_of(base);
    sqlite3_stmt *statement = board->statements[SQLITE_BOARD_TOP];
    int code = bind_key(statement, key);
    if (code == SQLITE_OK) code = sqlite3_bind_int64(statement, 3, max);
    int error = read_rows(board, SQLITE_BOARD_TOP, code, ret_rows, max, ret_count);
    for (unsigned i = 0; error == 0 && i < *ret_count; i++) ret_rows[i].place = i + 1;
    return error;
}

/* --- Around a player. --- */

static int find_own(struct sqlite_board *board, const struct board_key *key,
                    const struct id *player, struct board_row *ret_own)
{
    sqlite3_stmt *statement = board->statements[SQLITE_BOARD_OWN];
    unsigned count = 0;
    int code = bind_key(statement, key);
    if (code == SQLITE_OK) code = bind_id(statement, 3, player);
    int error = read_rows(board, SQLITE_BOARD_OWN, code, ret_own, 1, &count);
    if (error != 0) return error;
    if (count == 1) return 0;
    (void)snprintf(board->problem, sizeof board->problem, "the player is not on this board");
    return -ENOENT;
}

static int count_before(struct sqlite_board *board, const struct board_key *key,
                        struct board_row *own)
{
    sqlite3_stmt *statement = board->statements[SQLITE_BOARD_PLACE];
    int code = bind_from(statement, key, own);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    int error = code == SQLITE_ROW ? 0 : fail(board, code);
    if (error == 0) own->place = (uint32_t)sqlite_read_int(statement, 0, 0, UINT32_MAX - 1) + 1;
    (void)sqlite3_reset(statement);          /* Repeats the code. */
    (void)sqlite3_clear_bindings(statement); /* Cannot fail. */
    return error;
}

static int read_beside(struct sqlite_board *board, enum sqlite_board_query query,
                       const struct board_key *key, const struct board_row *own, unsigned beside,
                       struct board_row ret_rows[], unsigned *ret_count)
{
    sqlite3_stmt *statement = board->statements[query];
    int code = bind_from(statement, key, own);
    if (code == SQLITE_OK) code = sqlite3_bind_int64(statement, 5, beside);
    return read_rows(board, query, code, ret_rows, beside, ret_count);
}

/* Within one transaction: the same board throughout. */
static int read_around(struct sqlite_board *board, const struct board_key *key,
                       const struct id *player, unsigned beside, struct board_row ret_rows[],
                       unsigned *ret_count)
{
    struct board_row own;
    struct board_row nearest[BOARD_ROWS_MAX / 2];
    unsigned before = 0;
    unsigned behind = 0;
    int error = find_own(board, key, player, &own);
    if (error == 0) error = count_before(board, key, &own);
    if (error == 0) {
        error = read_beside(board, SQLITE_BOARD_BEFORE, key, &own, beside, nearest, &before);
    }
    if (error == 0) {
        error = read_beside(board, SQLITE_BOARD_BEHIND, key, &own, beside, &ret_rows[before + 1],
                            &behind);
    }
    if (error != 0) return error;
    for (unsigned i = 0; i < before; i++) ret_rows[before - 1 - i] = nearest[i];
    ret_rows[before] = own;
    for (unsigned i = 0; i < before + 1 + behind; i++) {
        ret_rows[i].place = own.place - before + i;
    }
    *ret_count = before + 1 + behind;
    return 0;
}

static int around(struct board *base, const struct board_key *key, const struct id *player,
                  unsigned beside, struct board_row ret_rows[], unsigned *ret_count)
{
    struct sqlite_board *board = sqlite_board_of(base);
    int code = sqlite3_exec(board->db, "BEGIN", NULL, NULL, NULL);
    if (code != SQLITE_OK) return fail(board, code);
    int error = read_around(board, key, player, beside, ret_rows, ret_count);
    /* It has written nothing: either way of ending is the same, and one that fails has ended. */
    (void)sqlite3_exec(board->db, "ROLLBACK", NULL, NULL, NULL);
    return error;
}

/* --- Past matches. --- */

static uint8_t outcome_of(sqlite3_stmt *statement)
{
    if (sqlite3_column_type(statement, HISTORY_WINNER) == SQLITE_NULL) return BOARD_DRAWN;
    int64_t winner = sqlite3_column_int64(statement, HISTORY_WINNER);
    return winner == sqlite3_column_int64(statement, HISTORY_PLACE) ? BOARD_WON : BOARD_LOST;
}

static void read_match(sqlite3_stmt *statement, struct board_match *ret_match)
{
    memset(ret_match, 0, sizeof *ret_match);
    (void)sqlite_read_id(statement, HISTORY_MATCH, &ret_match->match); /* The table's CHECK. */
    sqlite_read_text(statement, HISTORY_MODE, ret_match->mode, sizeof ret_match->mode);
    sqlite_read_text(statement, HISTORY_REASON, ret_match->reason, sizeof ret_match->reason);
    ret_match->is_rated = sqlite3_column_int(statement, HISTORY_RATED) != 0;
    ret_match->outcome = outcome_of(statement);
    ret_match->ended_at.ms = sqlite3_column_int64(statement, HISTORY_ENDED_AT);
    ret_match->score = (uint32_t)sqlite_read_int(statement, HISTORY_SCORE, 0, UINT32_MAX);
    ret_match->rating_before_centi =
        (int32_t)sqlite_read_int(statement, HISTORY_BEFORE, 0, INT32_MAX);
    ret_match->rating_after_centi =
        (int32_t)sqlite_read_int(statement, HISTORY_AFTER, 0, INT32_MAX);
    ret_match->has_other = sqlite_read_id(statement, HISTORY_OTHER, &ret_match->other);
    sqlite_read_text(statement, HISTORY_OTHER_NAME, ret_match->other_name,
                     sizeof ret_match->other_name);
    ret_match->other_score =
        (uint32_t)sqlite_read_int(statement, HISTORY_OTHER_SCORE, 0, UINT32_MAX);
}

static int history(struct board *base, const struct id *player, const struct id *before,
                   unsigned max, struct board_match ret_matches[], unsigned *ret_count)
{
    /* A blob that is longer than every id, and none is greater. */
    static const uint8_t newest[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct sqlite_board *board = sqlite_board_of(base);
    sqlite3_stmt *statement = board->statements[SQLITE_BOARD_HISTORY];
    unsigned count = 0;
    int code = bind_id(statement, 1, player);
    if (code == SQLITE_OK) {
        code = before != NULL
                   ? bind_id(statement, 2, before)
                   : sqlite3_bind_blob(statement, 2, newest, sizeof newest, SQLITE_STATIC);
    }
    if (code == SQLITE_OK) code = sqlite3_bind_int64(statement, 3, max);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    while (code == SQLITE_ROW && count < max) {
        read_match(statement, &ret_matches[count++]);
        code = sqlite3_step(statement);
    }
    int error = code == SQLITE_DONE || code == SQLITE_ROW ? 0 : fail(board, code);
    (void)sqlite3_reset(statement);          /* Repeats the code. */
    (void)sqlite3_clear_bindings(statement); /* Cannot fail. */
    if (error == 0) *ret_count = count;
    return error;
}

/* --- The interface. --- */

static const char *problem(const struct board *base)
{
    return ((const struct sqlite_board *)base)->problem;
}

static void close_board(struct board *base)
{
    struct sqlite_board *board = sqlite_board_of(base);
    for (unsigned i = 0; i < SQLITE_BOARD_QUERIES; i++) {
        (void)sqlite3_finalize(board->statements[i]); /* Repeats the last code. */
    }
    int code = sqlite3_close(board->db);
    QR_ASSERT(code == SQLITE_OK); /* No statement is left. */
    free(board);
}

static const struct board_class sqlite_board_class = {
    .top = top,
    .around = around,
    .history = history,
    .problem = problem,
    .close = close_board,
};

int sqlite_board_open(const char *path, struct board **ret_board,
                      char reterr_problem[BOARD_PROBLEM_BYTES])
{
    struct sqlite_board *board = calloc(1, sizeof *board);
    if (board == NULL) {
        (void)snprintf(reterr_problem, BOARD_PROBLEM_BYTES, "%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    board->base.class = &sqlite_board_class;
    int error = sqlite_reading_open(path, SQLITE_OPEN_READONLY, &board->db, reterr_problem);
    for (unsigned i = 0; i < SQLITE_BOARD_QUERIES && error == 0; i++) {
        int code =
            sqlite3_prepare_v2(board->db, sqlite_board_queries[i], -1, &board->statements[i], NULL);
        if (code == SQLITE_OK) continue;
        error = fail(board, code);
        (void)snprintf(reterr_problem, BOARD_PROBLEM_BYTES, "%s", board->problem);
    }
    if (error != 0) {
        close_board(&board->base);
        return error;
    }
    *ret_board = &board->base;
    return 0;
}
