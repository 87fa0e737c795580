#include "edge/postgres_board.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres_board_priv.h"
#include "postgres_reading_priv.h"

const char postgres_board_session[] =
    "SELECT set_config('enable_seqscan', 'off', false), set_config('enable_sort', 'off', false),"
    " set_config('enable_bitmapscan', 'off', false)";

#define ROWS_OF                                                                                    \
    "SELECT s.player, p.name, s.order_centi, s.matches, s.wins, s.answers, s.right_answers,"       \
    " s.points FROM player_stats s JOIN players p ON p.player = s.player"                          \
    " WHERE s.mode = $1::text AND s.category = $2::text AND s.listed = 1"

const char *const postgres_board_queries[POSTGRES_BOARD_QUERIES] = {
    [POSTGRES_BOARD_TOP] = ROWS_OF " ORDER BY s.order_centi, s.player LIMIT $3::integer",
    [POSTGRES_BOARD_OWN] = ROWS_OF " AND s.player = $3::uuid",
    [POSTGRES_BOARD_PLACE] =
        ("SELECT count(*) FROM player_stats WHERE mode = $1::text AND category = $2::text"
         " AND listed = 1 AND (order_centi, player) < ($3::integer, $4::uuid)"),
    [POSTGRES_BOARD_BEFORE] = ROWS_OF " AND (s.order_centi, s.player) < ($3::integer, $4::uuid)"
                                      " ORDER BY s.order_centi DESC, s.player DESC"
                                      " LIMIT $5::integer",
    [POSTGRES_BOARD_BEHIND] = ROWS_OF " AND (s.order_centi, s.player) > ($3::integer, $4::uuid)"
                                      " ORDER BY s.order_centi, s.player LIMIT $5::integer",
    /* A match has two. */
    [POSTGRES_BOARD_HISTORY] =
        ("SELECT mine.match, m.mode, m.reason, m.rated, m.winner, mine.place, m.ended_at_ms,"
         " mine.score, mine.rating_before, mine.rating_after, other.player, other.name, other.score"
         " FROM match_players mine"
         " JOIN matches m ON m.match = mine.match"
         " LEFT JOIN match_players other"
         " ON other.match = mine.match AND other.place = 1 - mine.place"
         " WHERE mine.player = $1::uuid AND mine.match < $2::uuid"
         " ORDER BY mine.match DESC LIMIT $3::integer"),
};
#undef ROWS_OF

struct postgres_board {
    struct board base;
    struct postgres_reading reading;
};

static struct postgres_board *postgres_board_of(struct board *board)
{
    return (struct postgres_board *)board; /* The first member. */
}

/* --- Rows. --- */

static void get_row(const PGresult *result, int row, struct board_row *ret_row)
{
    memset(ret_row, 0, sizeof *ret_row);
    (void)postgres_get_id(result, row, 0, &ret_row->player); /* The column's type. */
    postgres_get_text(result, row, 1, ret_row->name, sizeof ret_row->name);
    ret_row->rating_centi = (int32_t)-postgres_get_int(result, row, 2, -INT32_MAX, INT32_MAX);
    ret_row->matches = (uint64_t)postgres_get_int(result, row, 3, 0, INT64_MAX);
    ret_row->wins = (uint64_t)postgres_get_int(result, row, 4, 0, INT64_MAX);
    ret_row->answers = (uint64_t)postgres_get_int(result, row, 5, 0, INT64_MAX);
    ret_row->right_answers = (uint64_t)postgres_get_int(result, row, 6, 0, INT64_MAX);
    ret_row->points = (uint64_t)postgres_get_int(result, row, 7, 0, INT64_MAX);
}

static int query_rows(struct postgres_board *board, enum postgres_board_query query,
                      const struct postgres_parameters *parameters, struct board_row ret_rows[],
                      unsigned max, unsigned *ret_count)
{
    PGresult *result = postgres_query(&board->reading, postgres_board_queries[query], parameters);
    if (result == NULL) return -EIO;
    unsigned count = (unsigned)PQntuples(result);
    if (count > max) count = max;
    for (unsigned i = 0; i < count; i++) get_row(result, (int)i, &ret_rows[i]);
    PQclear(result);
    *ret_count = count;
    return 0;
}

static void put_key(struct postgres_parameters *parameters, const struct board_key *key)
{
    parameters_put_text(parameters, match_mode_name((enum match_mode)key->mode));
    parameters_put_text(parameters, key->category);
}

static int top(struct board *base, const struct board_key *key, unsigned max,
               struct board_row ret_rows[], unsigned *ret_count)
{
    struct postgres_parameters parameters = {.count = 0};
    put_key(&parameters, key);
    parameters_put_int(&parameters, max);
    int error = query_rows(postgres_board_of(base), POSTGRES_BOARD_TOP, &parameters, ret_rows, max,
                           ret_count);
    for (unsigned i = 0; error == 0 && i < *ret_count; i++) ret_rows[i].place = i + 1;
    return error;
}

/* --- Around a player. --- */

static int find_own(struct postgres_board *board, const struct board_key *key,
                    const struct id *player, struct board_row *ret_own)
{
    struct postgres_parameters parameters = {.count = 0};
    unsigned count = 0;
    put_key(&parameters, key);
    parameters_put_id(&parameters, player);
    int error = query_rows(board, POSTGRES_BOARD_OWN, &parameters, ret_own, 1, &count);
    if (error != 0) return error;
    if (count == 1) return 0;
    (void)snprintf(board->reading.problem, sizeof board->reading.problem,
                   "the player is not on this board");
    return -ENOENT;
}

static void put_from(struct postgres_parameters *parameters, const struct board_key *key,
                     const struct board_row *own)
{
    put_key(parameters, key);
    parameters_put_int(parameters, -own->rating_centi);
    parameters_put_id(parameters, &own->player);
}

static int count_before(struct postgres_board *board, const struct board_key *key,
                        struct board_row *own)
{
    struct postgres_parameters parameters = {.count = 0};
    put_from(&parameters, key, own);
    PGresult *result =
        postgres_query(&board->reading, postgres_board_queries[POSTGRES_BOARD_PLACE], &parameters);
    if (result == NULL) return -EIO;
    own->place = (uint32_t)postgres_get_int(result, 0, 0, 0, UINT32_MAX - 1) + 1;
    PQclear(result);
    return 0;
}

static int query_beside(struct postgres_board *board, enum postgres_board_query query,
                        const struct board_key *key, const struct board_row *own, unsigned beside,
                        struct board_row ret_rows[], unsigned *ret_count)
{
    struct postgres_parameters parameters = {.count = 0};
    put_from(&parameters, key, own);
    parameters_put_int(&parameters, beside);
    return query_rows(board, query, &parameters, ret_rows, beside, ret_count);
}

static int query_around(struct postgres_board *board, const struct board_key *key,
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
        error = query_beside(board, POSTGRES_BOARD_BEFORE, key, &own, beside, nearest, &before);
    }
    if (error == 0) {
        error = query_beside(board, POSTGRES_BOARD_BEHIND, key, &own, beside, &ret_rows[before + 1],
                             &behind);
    }
    if (error != 0) return error;
    for (unsigned i = 0; i < before; i++) ret_rows[before - 1 - i] = nearest[i];
    ret_rows[before] = own;
    for (unsigned i = 0; i < before + 1 + behind; i++) ret_rows[i].place = own.place - before + i;
    *ret_count = before + 1 + behind;
    return 0;
}

/* Within one transaction: the same board throughout. */
static int around(struct board *base, const struct board_key *key, const struct id *player,
                  unsigned beside, struct board_row ret_rows[], unsigned *ret_count)
{
    struct postgres_board *board = postgres_board_of(base);
    int error =
        postgres_run(&board->reading, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL);
    if (error != 0) return error;
    error = query_around(board, key, player, beside, ret_rows, ret_count);
    postgres_rollback(&board->reading); /* It has written nothing. */
    return error;
}

/* --- Past matches. --- */

static void get_match(const PGresult *result, int row, struct board_match *ret_match)
{
    memset(ret_match, 0, sizeof *ret_match);
    (void)postgres_get_id(result, row, 0, &ret_match->match); /* The column's type. */
    postgres_get_text(result, row, 1, ret_match->mode, sizeof ret_match->mode);
    postgres_get_text(result, row, 2, ret_match->reason, sizeof ret_match->reason);
    ret_match->is_rated = postgres_get_bool(result, row, 3);
    int64_t winner = postgres_get_int(result, row, 4, INT64_MIN, INT64_MAX);
    bool is_won = winner == postgres_get_int(result, row, 5, INT64_MIN, INT64_MAX);
    ret_match->outcome = is_won ? BOARD_WON : BOARD_LOST;
    if (PQgetisnull(result, row, 4)) ret_match->outcome = BOARD_DRAWN;
    ret_match->ended_at.ms = postgres_get_int(result, row, 6, INT64_MIN, INT64_MAX);
    ret_match->score = (uint32_t)postgres_get_int(result, row, 7, 0, UINT32_MAX);
    ret_match->rating_before_centi = (int32_t)postgres_get_int(result, row, 8, 0, INT32_MAX);
    ret_match->rating_after_centi = (int32_t)postgres_get_int(result, row, 9, 0, INT32_MAX);
    ret_match->has_other = postgres_get_id(result, row, 10, &ret_match->other);
    postgres_get_text(result, row, 11, ret_match->other_name, sizeof ret_match->other_name);
    ret_match->other_score = (uint32_t)postgres_get_int(result, row, 12, 0, UINT32_MAX);
}

static int history(struct board *base, const struct id *player, const struct id *before,
                   unsigned max, struct board_match ret_matches[], unsigned *ret_count)
{
    struct postgres_board *board = postgres_board_of(base);
    struct postgres_parameters parameters = {.count = 0};
    struct id newest; /* No UUID of a version that we make. */
    memset(newest.bytes, 0xff, sizeof newest.bytes);
    parameters_put_id(&parameters, player);
    parameters_put_id(&parameters, before != NULL ? before : &newest);
    parameters_put_int(&parameters, max);
    PGresult *result = postgres_query(&board->reading,
                                      postgres_board_queries[POSTGRES_BOARD_HISTORY], &parameters);
    if (result == NULL) return -EIO;
    unsigned count = (unsigned)PQntuples(result);
    if (count > max) count = max;
    for (unsigned i = 0; i < count; i++) get_match(result, (int)i, &ret_matches[i]);
    PQclear(result);
    *ret_count = count;
    return 0;
}

/* --- The interface. --- */

static const char *problem_of(const struct board *base)
{
    return ((const struct postgres_board *)base)->reading.problem;
}

static void close_board(struct board *base)
{
    struct postgres_board *board = postgres_board_of(base);
    postgres_reading_close(&board->reading);
    free(board);
}

static const struct board_class postgres_board_class = {
    .top = top,
    .around = around,
    .history = history,
    .problem = problem_of,
    .close = close_board,
};

int postgres_board_open(const struct postgres_store_options *options, struct board **ret_board)
{
    struct postgres_board *board = calloc(1, sizeof *board);
    if (board == NULL) return -ENOMEM;
    board->base.class = &postgres_board_class;
    int error = postgres_reading_open(&board->reading, options);
    if (error == 0) error = postgres_run(&board->reading, postgres_board_session, NULL);
    if (error != 0) {
        close_board(&board->base);
        return error;
    }
    *ret_board = &board->base;
    return 0;
}
