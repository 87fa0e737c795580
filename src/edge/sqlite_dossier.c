#include "edge/sqlite_dossier.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sqlite_reading_priv.h"

_Static_assert((int)DOSSIER_PROBLEM_BYTES == (int)SQLITE_READING_PROBLEM_BYTES,
               "one is passed as the other");

/* What another player did, and its id, are not told: they are that player's. */
static const char *const part_queries[DOSSIER_PARTS] = {
    [DOSSIER_PLAYER] =
        ("SELECT json_object('player', uuid(player), 'name', name, 'rating_centi', rating_centi,"
         " 'deviation_centi', deviation_centi, 'volatility_micro', volatility_micro,"
         " 'rated_at_ms', rated_at_ms, 'recent_questions', hex(recent), 'recent_opponents',"
         " hex(opponents), 'created_at_ms', created_at_ms, 'last_seen_at_ms', last_seen_at_ms,"
         " 'matches', matches, 'wins', wins) FROM players WHERE player = ?1"),
    [DOSSIER_STATISTICS] =
        ("SELECT json_object('mode', mode, 'category', nullif(category, ''), 'matches', matches,"
         " 'wins', wins, 'answers', answers, 'right_answers', right_answers, 'points', points)"
         " FROM player_stats WHERE player = ?1 ORDER BY mode, category"),
    [DOSSIER_MATCHES] =
        ("SELECT json_object('match', uuid(m.match), 'mode', m.mode, 'reason', m.reason,"
         " 'rated', json(iif(m.rated, 'true', 'false')), 'won', json(iif(m.winner IS mp.place,"
         " 'true', 'false')), 'created_at_ms', m.created_at_ms, 'ended_at_ms', m.ended_at_ms,"
         " 'name', mp.name, 'rating_before', mp.rating_before, 'rating_after', mp.rating_after,"
         " 'rating_applied', mp.rating_applied, 'score', mp.score, 'gone', json(iif(mp.gone,"
         " 'true', 'false')), 'others', (SELECT json_group_array(o.name) FROM match_players o"
         " WHERE o.match = mp.match AND o.place <> mp.place), 'rounds',"
         " (SELECT json_group_array(json_object('round', r.round, 'category', r.category,"
         " 'question', r.question, 'choices', json(r.choices), 'right_place', r.right_place,"
         " 'choice', a.choice, 'right', json(CASE a.is_right WHEN 1 THEN 'true' WHEN 0 THEN "
         "'false' END), 'at_ms', a.at_ms,"
         " 'credit_ms', a.credit_ms, 'points', a.points, 'received_at_ms', a.received_at_ms))"
         " FROM rounds r LEFT JOIN answers a"
         " ON a.match = r.match AND a.round = r.round AND a.place = mp.place"
         " WHERE r.match = mp.match))"
         " FROM match_players mp CROSS JOIN matches m ON m.match = mp.match"
         " WHERE mp.player = ?1 ORDER BY mp.match"),
};

/* A slice: the player's oldest matches, up to this one. Each is one row that changes, or, where nobody
 * is left in it, 63 at most that go. */
static const char slice_end_sql[] =
    "SELECT max(match), count(*) FROM"
    " (SELECT match FROM match_players WHERE player = ?1 ORDER BY match LIMIT 20)";
static const char erase_alone_sql[] =
    "DELETE FROM matches WHERE match IN"
    " (SELECT mp.match FROM match_players mp WHERE mp.player = ?1 AND mp.match <= ?2"
    " AND NOT EXISTS (SELECT 1 FROM match_players o WHERE o.match = mp.match"
    " AND o.player IS NOT NULL AND o.player <> ?1))";
static const char erase_name_sql[] =
    "UPDATE match_players SET player = NULL, name = '" DOSSIER_DELETED_NAME
    "' WHERE player = ?1 AND match <= ?2";
static const char erase_player_sql[] =
    "DELETE FROM players WHERE player = ?1"
    " AND NOT EXISTS (SELECT 1 FROM match_players WHERE player = ?1)";

struct sqlite_dossier {
    struct dossier base;
    sqlite3 *db;
    char problem[DOSSIER_PROBLEM_BYTES];
};

static struct sqlite_dossier *sqlite_dossier_of(struct dossier *dossier)
{
    return (struct sqlite_dossier *)dossier; /* The first member. */
}

static int fail(struct sqlite_dossier *dossier, int code)
{
    (void)snprintf(dossier->problem, sizeof dossier->problem, "%s", sqlite3_errmsg(dossier->db));
    return sqlite_reading_errno(code);
}

/* uuid(id): its text; NULL where it is no id. */
static void on_uuid(sqlite3_context *context, int count, sqlite3_value **values)
{
    char text[ID_TEXT_BYTES + 1];
    struct id id;
    const void *bytes = sqlite3_value_blob(values[0]);
    (void)count; /* It is one. */
    if (bytes == NULL || sqlite3_value_bytes(values[0]) != (int)sizeof id.bytes) return;
    memcpy(id.bytes, bytes, sizeof id.bytes);
    id_format(&id, text);
    sqlite3_result_text(context, text, ID_TEXT_BYTES, SQLITE_TRANSIENT);
}

static int prepare(struct sqlite_dossier *dossier, const char *sql, const struct id *player,
                   sqlite3_stmt **ret_statement)
{
    int code = sqlite3_prepare_v2(dossier->db, sql, -1, ret_statement, NULL);
    if (code != SQLITE_OK) return code;
    return sqlite3_bind_blob(*ret_statement, 1, player->bytes, sizeof player->bytes, SQLITE_STATIC);
}

static int tell(struct dossier *base, enum dossier_part part, const struct id *player,
                dossier_row *row, void *context)
{
    struct sqlite_dossier *dossier = sqlite_dossier_of(base);
    sqlite3_stmt *statement = NULL;
    int code = prepare(dossier, part_queries[part], player, &statement);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    while (code == SQLITE_ROW) {
        const char *json = (const char *)sqlite3_column_text(statement, 0);
        if (json != NULL) row(context, json);
        code = sqlite3_step(statement);
    }
    int error = code == SQLITE_DONE ? 0 : fail(dossier, code);
    (void)sqlite3_finalize(statement); /* Repeats the code. */
    return error;
}

/* --- Erasing. --- */

/* SQLITE_DONE where it has no row. */
static int find_slice(struct sqlite_dossier *dossier, const struct id *player, struct id *ret_end,
                      unsigned *ret_count)
{
    sqlite3_stmt *statement = NULL;
    int code = prepare(dossier, slice_end_sql, player, &statement);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        *ret_count = (unsigned)sqlite_read_int(statement, 1, 0, UINT32_MAX);
        if (!sqlite_read_id(statement, 0, ret_end)) *ret_count = 0;
        code = SQLITE_OK;
    }
    (void)sqlite3_finalize(statement); /* Repeats the code. */
    return code;
}

/* `end` is NULL in a statement that takes the player alone. */
static int run(struct sqlite_dossier *dossier, const char *sql, const struct id *player,
               const struct id *end)
{
    sqlite3_stmt *statement = NULL;
    int code = prepare(dossier, sql, player, &statement);
    if (code == SQLITE_OK && end != NULL) {
        code = sqlite3_bind_blob(statement, 2, end->bytes, sizeof end->bytes, SQLITE_STATIC);
    }
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    (void)sqlite3_finalize(statement); /* Repeats the code. */
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Into the transaction. No matches left: the player's own row. */
static int erase_rows(struct sqlite_dossier *dossier, const struct id *player, unsigned *ret_count,
                      int *ret_players)
{
    struct id end;
    unsigned count = 0;
    int code = find_slice(dossier, player, &end, &count);
    if (code == SQLITE_OK && count > 0) {
        code = run(dossier, erase_alone_sql, player, &end);
        if (code == SQLITE_OK) code = run(dossier, erase_name_sql, player, &end);
    } else if (code == SQLITE_OK) {
        code = run(dossier, erase_player_sql, player, NULL);
        if (code == SQLITE_OK) *ret_players = sqlite3_changes(dossier->db);
    }
    if (code == SQLITE_OK) *ret_count = count;
    return code;
}

static int erase_slice(struct sqlite_dossier *dossier, const struct id *player, unsigned *ret_count,
                       int *ret_players)
{
    int code = sqlite3_exec(dossier->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code != SQLITE_OK) return fail(dossier, code);
    code = erase_rows(dossier, player, ret_count, ret_players);
    if (code == SQLITE_OK) code = sqlite3_exec(dossier->db, "COMMIT", NULL, NULL, NULL);
    if (code == SQLITE_OK) return 0;
    int error = fail(dossier, code);
    /* Ends the transaction even where it fails. */
    (void)sqlite3_exec(dossier->db, "ROLLBACK", NULL, NULL, NULL);
    return error;
}

static int erase(struct dossier *base, const struct id *player, unsigned long long *ret_matches)
{
    struct sqlite_dossier *dossier = sqlite_dossier_of(base);
    unsigned long long matches = 0;
    unsigned count = 0;
    int players = 0;
    do {
        int error = erase_slice(dossier, player, &count, &players);
        if (error != 0) return error;
        matches += count;
    } while (count > 0);
    if (players == 0) {
        (void)snprintf(dossier->problem, sizeof dossier->problem, "there is no such player");
        return -ENOENT;
    }
    *ret_matches = matches;
    return 0;
}

/* --- The interface. --- */

static const char *problem(const struct dossier *base)
{
    return ((const struct sqlite_dossier *)base)->problem;
}

static void close_dossier(struct dossier *base)
{
    struct sqlite_dossier *dossier = sqlite_dossier_of(base);
    int code = sqlite3_close(dossier->db);
    QR_ASSERT(code == SQLITE_OK); /* No statement is left. */
    free(dossier);
}

static const struct dossier_class sqlite_dossier_class = {
    .tell = tell,
    .erase = erase,
    .problem = problem,
    .close = close_dossier,
};

int sqlite_dossier_open(const char *path, struct dossier **ret_dossier,
                        char reterr_problem[DOSSIER_PROBLEM_BYTES])
{
    sqlite3 *db = NULL;
    int error = sqlite_reading_open(path, SQLITE_OPEN_READWRITE, &db, reterr_problem);
    if (error != 0) return error;
    struct sqlite_dossier *dossier = calloc(1, sizeof *dossier);
    int code = sqlite3_create_function(db, "uuid", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                       on_uuid, NULL, NULL);
    if (dossier == NULL || code != SQLITE_OK) {
        (void)snprintf(reterr_problem, DOSSIER_PROBLEM_BYTES, "%s", strerror(ENOMEM));
        (void)sqlite3_close(db); /* It has no statements. */
        free(dossier);
        return -ENOMEM;
    }
    dossier->base.class = &sqlite_dossier_class;
    dossier->db = db;
    *ret_dossier = &dossier->base;
    return 0;
}
