#include "edge/postgres_dossier.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres_reading_priv.h"

/* Rows of a part that are asked for at a time: the connection holds as many, a match of 20 rounds
 * with 20 KB or so. */
enum { PAGE_ROWS = 100 };

/* The row as JSON, and the key it is paged by: greater than the last of the page before. As in
 * sqlite_dossier.c. */
static const char *const part_queries[DOSSIER_PARTS] = {
    [DOSSIER_PLAYER] =
        ("SELECT json_build_object('player', player, 'name', name, 'rating_centi', rating_centi,"
         " 'deviation_centi', deviation_centi, 'volatility_micro', volatility_micro,"
         " 'rated_at_ms', rated_at_ms, 'recent_questions', upper(encode(recent, 'hex')),"
         " 'recent_opponents', upper(encode(opponents, 'hex')), 'created_at_ms', created_at_ms,"
         " 'last_seen_at_ms', last_seen_at_ms, 'matches', matches, 'wins', wins)::text,"
         " 'only' FROM players WHERE player = $1::uuid AND $2::text < 'only' LIMIT $3::integer"),
    [DOSSIER_STATISTICS] =
        ("SELECT json_build_object('mode', mode, 'category', nullif(category, ''), 'matches',"
         " matches, 'wins', wins, 'answers', answers, 'right_answers', right_answers, 'points',"
         " points)::text, mode || '/' || category AS key FROM player_stats"
         " WHERE player = $1::uuid AND (mode || '/' || category) COLLATE \"C\" > $2::text"
         " ORDER BY (mode || '/' || category) COLLATE \"C\" LIMIT $3::integer"),
    [DOSSIER_MATCHES] =
        ("SELECT json_build_object('match', m.match, 'mode', m.mode, 'reason', m.reason, 'rated',"
         " m.rated, 'won', coalesce(m.winner = mp.place, false), 'created_at_ms',"
         " m.created_at_ms, 'ended_at_ms', m.ended_at_ms, 'name', mp.name, 'rating_before',"
         " mp.rating_before, 'rating_after', mp.rating_after, 'rating_applied',"
         " mp.rating_applied, 'score', mp.score, 'gone', mp.gone, 'others',"
         " (SELECT coalesce(json_agg(o.name ORDER BY o.place), '[]') FROM match_players o"
         " WHERE o.match = mp.match AND o.place <> mp.place), 'rounds',"
         " (SELECT coalesce(json_agg(json_build_object('round', r.round, 'category', r.category,"
         " 'question', r.question, 'choices', r.choices, 'right_place', r.right_place,"
         " 'choice', a.choice, 'right', a.is_right, 'at_ms', a.at_ms, 'credit_ms', a.credit_ms,"
         " 'points', a.points, 'received_at_ms', a.received_at_ms) ORDER BY r.round), '[]')"
         " FROM rounds r LEFT JOIN answers a"
         " ON a.match = r.match AND a.round = r.round AND a.place = mp.place"
         " WHERE r.match = mp.match))::text, mp.match::text"
         " FROM match_players mp JOIN matches m ON m.match = mp.match"
         " WHERE mp.player = $1::uuid AND mp.match >"
         " coalesce(nullif($2::text, ''), '00000000-0000-0000-0000-000000000000')::uuid"
         " ORDER BY mp.match LIMIT $3::integer"),
};

/* As in sqlite_dossier.c. */
static const char slice_end_sql[] =
    "SELECT max(match::text), count(*) FROM"
    " (SELECT match FROM match_players WHERE player = $1::uuid ORDER BY match LIMIT 20) slice";
static const char erase_alone_sql[] =
    "DELETE FROM matches WHERE match IN"
    " (SELECT mp.match FROM match_players mp WHERE mp.player = $1::uuid AND mp.match <= $2::uuid"
    " AND NOT EXISTS (SELECT FROM match_players o WHERE o.match = mp.match"
    " AND o.player IS NOT NULL AND o.player <> $1::uuid))";
static const char erase_name_sql[] =
    "UPDATE match_players SET player = NULL, name = '" DOSSIER_DELETED_NAME
    "' WHERE player = $1::uuid AND match <= $2::uuid";
static const char erase_player_sql[] =
    "DELETE FROM players WHERE player = $1::uuid"
    " AND NOT EXISTS (SELECT FROM match_players WHERE player = $1::uuid)";

enum { KEY_BYTES = 160 };

struct postgres_dossier {
    struct dossier base;
    struct postgres_reading reading;
};

static struct postgres_dossier *postgres_dossier_of(struct dossier *dossier)
{
    return (struct postgres_dossier *)dossier; /* The first member. */
}

/* --- Telling. --- */

/* A page behind `key`, which becomes that of the page's last row. */
static int tell_page(struct postgres_dossier *dossier, enum dossier_part part,
                     const struct id *player, char key[KEY_BYTES], dossier_row *row, void *context,
                     int *ret_rows)
{
    struct postgres_parameters parameters = {.count = 0};
    parameters_put_id(&parameters, player);
    parameters_put_text(&parameters, key);
    parameters_put_int(&parameters, PAGE_ROWS);
    PGresult *result = postgres_query(&dossier->reading, part_queries[part], &parameters);
    if (result == NULL) return -EIO;
    int rows = PQntuples(result);
    for (int i = 0; i < rows; i++) row(context, PQgetvalue(result, i, 0));
    if (rows > 0) postgres_get_text(result, rows - 1, 1, key, KEY_BYTES);
    PQclear(result);
    *ret_rows = rows;
    return 0;
}

static int tell(struct dossier *base, enum dossier_part part, const struct id *player,
                dossier_row *row, void *context)
{
    char key[KEY_BYTES] = "";
    int rows = 0;
    do {
        int error = tell_page(postgres_dossier_of(base), part, player, key, row, context, &rows);
        if (error != 0) return error;
    } while (rows == PAGE_ROWS);
    return 0;
}

/* --- Erasing. --- */

static int find_slice(struct postgres_dossier *dossier, const struct postgres_parameters *player,
                      struct id *ret_end, unsigned *ret_count)
{
    PGresult *result = postgres_query(&dossier->reading, slice_end_sql, player);
    if (result == NULL) return -EIO;
    *ret_count = 0;
    if (PQntuples(result) == 1 && postgres_get_id(result, 0, 0, ret_end)) {
        *ret_count = (unsigned)postgres_get_int(result, 0, 1, 0, UINT32_MAX);
    }
    PQclear(result);
    return 0;
}

static int erase_player(struct postgres_dossier *dossier, const struct postgres_parameters *player,
                        bool *ret_is_erased)
{
    PGresult *result = postgres_query(&dossier->reading, erase_player_sql, player);
    if (result == NULL) return -EIO;
    *ret_is_erased = strcmp(PQcmdTuples(result), "1") == 0;
    PQclear(result);
    return 0;
}

static int erase_rows(struct postgres_dossier *dossier, const struct id *player,
                      unsigned *ret_count, bool *ret_is_erased)
{
    struct postgres_parameters alone = {.count = 0};
    struct id end;
    parameters_put_id(&alone, player);
    int error = find_slice(dossier, &alone, &end, ret_count);
    if (error != 0) return error;
    if (*ret_count == 0) return erase_player(dossier, &alone, ret_is_erased);
    struct postgres_parameters both = {.count = 0};
    parameters_put_id(&both, player);
    parameters_put_id(&both, &end);
    error = postgres_run(&dossier->reading, erase_alone_sql, &both);
    return error == 0 ? postgres_run(&dossier->reading, erase_name_sql, &both) : error;
}

static int erase_slice(struct postgres_dossier *dossier, const struct id *player,
                       unsigned *ret_count, bool *ret_is_erased)
{
    int error = postgres_run(&dossier->reading, "BEGIN", NULL);
    if (error == 0) error = erase_rows(dossier, player, ret_count, ret_is_erased);
    if (error == 0) return postgres_run(&dossier->reading, "COMMIT", NULL);
    postgres_rollback(&dossier->reading);
    return error;
}

static int erase(struct dossier *base, const struct id *player, unsigned long long *ret_matches)
{
    struct postgres_dossier *dossier = postgres_dossier_of(base);
    unsigned long long matches = 0;
    unsigned count = 0;
    bool is_erased = false;
    do {
        int error = erase_slice(dossier, player, &count, &is_erased);
        if (error != 0) return error;
        matches += count;
    } while (count > 0);
    if (!is_erased) {
        (void)snprintf(dossier->reading.problem, sizeof dossier->reading.problem,
                       "there is no such player");
        return -ENOENT;
    }
    *ret_matches = matches;
    return 0;
}

/* --- The interface. --- */

static const char *problem_of(const struct dossier *base)
{
    return ((const struct postgres_dossier *)base)->reading.problem;
}

static void close_dossier(struct dossier *base)
{
    struct postgres_dossier *dossier = postgres_dossier_of(base);
    postgres_reading_close(&dossier->reading);
    free(dossier);
}

static const struct dossier_class postgres_dossier_class = {
    .tell = tell,
    .erase = erase,
    .problem = problem_of,
    .close = close_dossier,
};

int postgres_dossier_open(const struct postgres_store_options *options,
                          struct dossier **ret_dossier)
{
    struct postgres_dossier *dossier = calloc(1, sizeof *dossier);
    if (dossier == NULL) return -ENOMEM;
    dossier->base.class = &postgres_dossier_class;
    int error = postgres_reading_open(&dossier->reading, options);
    if (error != 0) {
        close_dossier(&dossier->base);
        return error;
    }
    *ret_dossier = &dossier->base;
    return 0;
}
