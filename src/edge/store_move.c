#include "edge/store_move.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres_reading_priv.h"
#include "sqlite_reading_priv.h"

_Static_assert((int)STORE_MOVE_PROBLEM_BYTES >= (int)SQLITE_READING_PROBLEM_BYTES,
               "one is passed as the other");

/* Rows travel as a JSON array of objects: SQLite makes it, and PostgreSQL takes it apart by its own
 * columns. `pick` takes the last key of the batch before and the last one of this. */
struct table {
    const char *pick;
    const char *put;
};

#define UUID(column)                                                                               \
    "lower(substr(hex(" column "), 1, 8) || '-' || substr(hex(" column "), 9, 4) || '-' ||"        \
    " substr(hex(" column "), 13, 4) || '-' || substr(hex(" column "), 17, 4) || '-' ||"           \
    " substr(hex(" column "), 21))"
#define PUT_NEW(table)                                                                             \
    "INSERT INTO " table " SELECT * FROM json_populate_recordset(NULL::" table ", $1::json)"

static const char players_end[] =
    "SELECT max(player), count(*) FROM"
    " (SELECT player FROM players WHERE player > ?1 ORDER BY player LIMIT 500)";
static const char matches_end[] =
    "SELECT max(match), count(*) FROM"
    " (SELECT match FROM matches WHERE match > ?1 ORDER BY match LIMIT 100)";

/* Players may have been there before, with what an earlier call has found. */
static const struct table player_tables[] = {
    {"SELECT json_group_array(json_object('player', " UUID(
         "player") ", 'version', 1, 'name', name,"
                   " 'rating_centi', rating_centi, 'deviation_centi', deviation_centi,"
                   " 'volatility_micro', volatility_micro, 'rated_at_ms', rated_at_ms,"
                   " 'recent', '\\x' || hex(recent), 'opponents', '\\x' || hex(opponents),"
                   " 'created_at_ms', created_at_ms, 'last_seen_at_ms', last_seen_at_ms,"
                   " 'matches', matches, 'wins', wins))"
                   " FROM players WHERE player > ?1 AND player <= ?2",
     PUT_NEW("players") " ON CONFLICT (player) DO UPDATE SET name = excluded.name,"
                        " rating_centi = excluded.rating_centi,"
                        " deviation_centi = excluded.deviation_centi,"
                        " volatility_micro = excluded.volatility_micro,"
                        " rated_at_ms = excluded.rated_at_ms, recent = excluded.recent,"
                        " opponents = excluded.opponents,"
                        " created_at_ms = excluded.created_at_ms,"
                        " last_seen_at_ms = excluded.last_seen_at_ms,"
                        " matches = excluded.matches, wins = excluded.wins"},
    {"SELECT json_group_array(json_object('player', " UUID(
         "player") ", 'mode', mode, 'category', category, 'order_centi', order_centi,"
                   " 'listed', listed, 'matches', matches, 'wins', wins, 'answers', answers,"
                   " 'right_answers', right_answers, 'points', points))"
                   " FROM player_stats WHERE player > ?1 AND player <= ?2",
     PUT_NEW("player_stats") " ON CONFLICT (player, mode, category) DO UPDATE SET"
                             " order_centi = excluded.order_centi, listed = excluded.listed,"
                             " matches = excluded.matches, wins = excluded.wins,"
                             " answers = excluded.answers,"
                             " right_answers = excluded.right_answers,"
                             " points = excluded.points"},
};

static const struct table match_tables[] = {
    {"SELECT json_group_array(json_object('match', " UUID(
         "match") ", 'mode', mode, 'reason', reason, 'rated', rated, 'winner', winner,"
                  " 'rounds', rounds, 'created_at_ms', created_at_ms, 'ended_at_ms', ended_at_ms))"
                  " FROM matches WHERE match > ?1 AND match <= ?2",
     PUT_NEW("matches")},
    {"SELECT json_group_array(json_object('match', " UUID("match") ", 'place', place, 'player', "
                                                                   "iif(player IS NULL, "
                                                                   "NULL, " UUID(
                                                                       "player") "), 'name', name, "
                                                                                 "'rating_before', "
                                                                                 "rating_before, "
                                                                                 "'rating_after', "
                                                                                 "rating_after,"
                                                                                 " 'rating_applied'"
                                                                                 ", "
                                                                                 "rating_applied, "
                                                                                 "'score', score, "
                                                                                 "'gone', gone))"
                                                                                 " FROM "
                                                                                 "match_players "
                                                                                 "WHERE match > ?1 "
                                                                                 "AND match <= ?2",
     PUT_NEW("match_players")},
    {"SELECT json_group_array(json_object('match', " UUID(
         "match") ", 'round', round,"
                  " 'question_id', " UUID(
                      "question_id") ", 'category', category, 'difficulty', difficulty, "
                                     "'question', question,"
                                     " 'choices', json(choices), 'right_place', right_place, "
                                     "'weight', weight,"
                                     " 'revealed', revealed, 'time_ms', time_ms, 'began_at_ms', "
                                     "began_at_ms))"
                                     " FROM rounds WHERE match > ?1 AND match <= ?2",
     PUT_NEW("rounds")},
    {"SELECT json_group_array(json_object('match', " UUID(
         "match") ", 'round', round, 'place', place, 'choice', choice, 'is_right', is_right,"
                  " 'at_ms', at_ms, 'credit_ms', credit_ms, 'points', points,"
                  " 'received_at_ms', received_at_ms))"
                  " FROM answers WHERE match > ?1 AND match <= ?2",
     PUT_NEW("answers")},
};

/* The same on both sides. Of times the part that differs, so that no sum overflows. */
static const char *const sums[] = {
    "SELECT 'players: ' || count(*) || ' ' || coalesce(sum(rating_centi), 0) || ' ' ||"
    " coalesce(sum(matches), 0) || ' ' || coalesce(sum(wins), 0) || ' ' ||"
    " coalesce(sum(last_seen_at_ms % 1000000), 0) FROM players",
    "SELECT 'player_stats: ' || count(*) || ' ' || coalesce(sum(order_centi), 0) || ' ' ||"
    " coalesce(sum(matches), 0) || ' ' || coalesce(sum(answers), 0) || ' ' ||"
    " coalesce(sum(points), 0) FROM player_stats",
    "SELECT 'matches: ' || count(*) || ' ' || coalesce(sum(rounds), 0) || ' ' ||"
    " coalesce(sum(ended_at_ms % 1000000), 0) FROM matches",
    "SELECT 'match_players: ' || count(*) || ' ' || count(player) || ' ' ||"
    " coalesce(sum(score), 0) || ' ' || coalesce(sum(rating_applied), 0) FROM match_players",
    "SELECT 'rounds: ' || count(*) || ' ' || coalesce(sum(right_place), 0) || ' ' ||"
    " coalesce(sum(length(question)), 0) || ' ' || coalesce(sum(began_at_ms % 1000000), 0)"
    " FROM rounds",
    "SELECT 'answers: ' || count(*) || ' ' || coalesce(sum(points), 0) || ' ' ||"
    " coalesce(sum(choice), 0) || ' ' || coalesce(sum(received_at_ms % 1000000), 0) FROM answers",
};

enum { LINE_BYTES = 192, COUNT_OF_SUMS = sizeof(sums) / sizeof(sums[0]) };

struct key {
    uint8_t bytes[16];
    int size; /* 0: before all. */
};

struct mover {
    sqlite3 *db;
    struct postgres_reading target;
    char path[PATH_MAX]; /* The file's, without links. */
    char *problem;
};

static int fail(struct mover *mover, const char *what, const char *why, int error)
{
    (void)snprintf(mover->problem, STORE_MOVE_PROBLEM_BYTES, "%s: %s", what,
                   why); /* Cut is fine. */
    return error;
}

static int fail_source(struct mover *mover, int code)
{
    return fail(mover, "the SQLite file", sqlite3_errmsg(mover->db), sqlite_reading_errno(code));
}

static int fail_target(struct mover *mover)
{
    return fail(mover, "PostgreSQL", mover->target.problem, -EIO);
}

/* --- Whose target it is. --- */

/* The first value, as text; "" for no row. */
static int ask(struct mover *mover, const char *sql, char *ret_text, size_t size)
{
    PGresult *result = postgres_query(&mover->target, sql, NULL);
    if (result == NULL) return fail_target(mover);
    ret_text[0] = '\0';
    if (PQntuples(result) > 0) postgres_get_text(result, 0, 0, ret_text, size);
    PQclear(result);
    return 0;
}

static int begin_move(struct mover *mover)
{
    char answer[LINE_BYTES];
    int error = ask(mover, "SELECT EXISTS (SELECT FROM players) OR EXISTS (SELECT FROM matches)",
                    answer, sizeof answer);
    if (error != 0) return error;
    if (answer[0] == 't') {
        return fail(mover, "PostgreSQL", "the database has other data; nothing was changed",
                    -EEXIST);
    }
    struct postgres_parameters parameters = {.count = 0};
    parameters_put_text(&parameters, mover->path);
    bool is_begun = postgres_run(&mover->target, "BEGIN", NULL) == 0 &&
                    postgres_run(&mover->target,
                                 "CREATE TABLE quizrush_move (source text NOT NULL)", NULL) == 0 &&
                    postgres_run(&mover->target, "INSERT INTO quizrush_move VALUES ($1::text)",
                                 &parameters) == 0 &&
                    postgres_run(&mover->target, "COMMIT", NULL) == 0;
    return is_begun ? 0 : fail_target(mover);
}

static int claim_target(struct mover *mover)
{
    char answer[PATH_MAX];
    int error = ask(mover, "SELECT pg_try_advisory_lock(1364349769)", answer, sizeof answer);
    if (error != 0) return error;
    if (answer[0] != 't') return fail(mover, "PostgreSQL", "another move is under way", -EBUSY);
    error = ask(mover, "SELECT to_regclass('quizrush_move') IS NOT NULL", answer, sizeof answer);
    if (error != 0) return error;
    if (answer[0] != 't') return begin_move(mover);
    error = ask(mover, "SELECT source FROM quizrush_move", answer, sizeof answer);
    if (error == 0 && strcmp(answer, mover->path) != 0) {
        return fail(mover, "PostgreSQL", "the database has a move from another file in it",
                    -EEXIST);
    }
    return error;
}

/* --- Batches. --- */

static int bind_key(sqlite3_stmt *statement, int parameter, const struct key *key)
{
    /* Not NULL where it is empty: that is a blob too, and less than all others. */
    return sqlite3_bind_blob(statement, parameter, key->bytes, key->size, SQLITE_STATIC);
}

/* `ret_count` 0: nothing is left. */
static int find_end(struct mover *mover, const char *sql, const struct key *from,
                    struct key *ret_end, unsigned *ret_count)
{
    sqlite3_stmt *statement = NULL;
    struct id end;
    int code = sqlite3_prepare_v2(mover->db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) code = bind_key(statement, 1, from);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    unsigned count = 0;
    if (code == SQLITE_ROW && sqlite_read_id(statement, 0, &end)) {
        memcpy(ret_end->bytes, end.bytes, sizeof ret_end->bytes);
        ret_end->size = sizeof ret_end->bytes;
        count = (unsigned)sqlite_read_int(statement, 1, 0, UINT32_MAX);
    }
    (void)sqlite3_finalize(statement); /* Repeats the code. */
    if (code != SQLITE_ROW) return fail_source(mover, code);
    *ret_count = count;
    return 0;
}

static int move_table(struct mover *mover, const struct table *table, const struct key *from,
                      const struct key *end)
{
    sqlite3_stmt *statement = NULL;
    int error = 0;
    int code = sqlite3_prepare_v2(mover->db, table->pick, -1, &statement, NULL);
    if (code == SQLITE_OK) code = bind_key(statement, 1, from);
    if (code == SQLITE_OK) code = bind_key(statement, 2, end);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        struct postgres_parameters parameters = {.count = 0};
        parameters_put_text(&parameters, (const char *)sqlite3_column_text(statement, 0));
        if (postgres_run(&mover->target, table->put, &parameters) != 0) error = fail_target(mover);
    } else {
        error = fail_source(mover, code);
    }
    (void)sqlite3_finalize(statement); /* Repeats the code. */
    return error;
}

static int move_batch(struct mover *mover, const struct table *tables, unsigned count,
                      const struct key *from, const struct key *end)
{
    if (postgres_run(&mover->target, "BEGIN", NULL) != 0) return fail_target(mover);
    for (unsigned i = 0; i < count; i++) {
        int error = move_table(mover, &tables[i], from, end);
        if (error != 0) return error; /* The connection is closed, and with it the transaction. */
    }
    return postgres_run(&mover->target, "COMMIT", NULL) == 0 ? 0 : fail_target(mover);
}

static int move_rows(struct mover *mover, const char *end_sql, const struct table *tables,
                     unsigned table_count, struct key from, unsigned long long *moved)
{
    for (;;) {
        struct key end;
        unsigned count = 0;
        int error = find_end(mover, end_sql, &from, &end, &count);
        if (error != 0 || count == 0) return error;
        error = move_batch(mover, tables, table_count, &from, &end);
        if (error != 0) return error;
        *moved += count;
        from = end;
    }
}

/* A batch is committed whole, and in order: what is up to the last match is there. */
static int last_match(struct mover *mover, struct key *ret_key)
{
    char text[LINE_BYTES];
    struct id id;
    int error =
        ask(mover, "SELECT match FROM matches ORDER BY match DESC LIMIT 1", text, sizeof text);
    if (error != 0) return error;
    *ret_key = (struct key){.size = 0};
    if (!id_parse(text, (uint32_t)strlen(text), &id)) return 0; /* There is none. */
    memcpy(ret_key->bytes, id.bytes, sizeof ret_key->bytes);
    ret_key->size = sizeof ret_key->bytes;
    return 0;
}

/* --- The end. --- */

static int sum_of_source(struct mover *mover, const char *sql, char ret_line[LINE_BYTES])
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(mover->db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) sqlite_read_text(statement, 0, ret_line, LINE_BYTES);
    int error = code == SQLITE_ROW ? 0 : fail_source(mover, code);
    (void)sqlite3_finalize(statement); /* Repeats the code. */
    return error;
}

static int verify(struct mover *mover)
{
    for (unsigned i = 0; i < COUNT_OF_SUMS; i++) {
        char source[LINE_BYTES];
        char target[LINE_BYTES];
        int error = sum_of_source(mover, sums[i], source);
        if (error == 0) error = ask(mover, sums[i], target, sizeof target);
        if (error != 0) return error;
        if (strcmp(source, target) == 0) continue;
        (void)snprintf(mover->problem, STORE_MOVE_PROBLEM_BYTES,
                       "the two differ: SQLite has %s, PostgreSQL has %s; begin with an empty "
                       "database",
                       source, target);
        return -EBADMSG;
    }
    return 0;
}

static int move_all(struct mover *mover, struct store_moved *moved)
{
    struct key from = {.size = 0};
    int error = claim_target(mover);
    if (error == 0) {
        error = move_rows(mover, players_end, player_tables,
                          sizeof(player_tables) / sizeof(player_tables[0]), from, &moved->players);
    }
    if (error == 0) error = last_match(mover, &from);
    if (error == 0) {
        error = move_rows(mover, matches_end, match_tables,
                          sizeof(match_tables) / sizeof(match_tables[0]), from, &moved->matches);
    }
    if (error == 0) error = verify(mover);
    if (error != 0) return error;
    return postgres_run(&mover->target, "DROP TABLE quizrush_move", NULL) == 0 ? 0
                                                                               : fail_target(mover);
}

/* Nobody writes to the file meanwhile; a transaction that has written nothing is only let go. */
static int move_locked(struct mover *mover, struct store_moved *moved)
{
    int code = sqlite3_exec(mover->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code != SQLITE_OK) return fail_source(mover, code);
    int error = move_all(mover, moved);
    (void)sqlite3_exec(mover->db, "ROLLBACK", NULL, NULL, NULL);
    return error;
}

int store_move(const char *path, const struct postgres_store_options *options,
               struct store_moved *ret_moved, char reterr_problem[STORE_MOVE_PROBLEM_BYTES])
{
    struct mover mover = {.problem = reterr_problem};
    struct store_moved moved = {0};
    int error = sqlite_reading_open(path, SQLITE_OPEN_READWRITE, &mover.db, reterr_problem);
    if (error != 0) return error;
    if (realpath(path, mover.path) == NULL) error = fail(&mover, path, strerror(errno), -errno);
    if (error == 0) {
        error = postgres_reading_open(&mover.target, options);
        if (error != 0) error = fail(&mover, "PostgreSQL", "it cannot be used", error);
    }
    if (error == 0) error = move_locked(&mover, &moved);
    postgres_reading_close(&mover.target);
    (void)sqlite3_close(mover.db); /* No statement is left. */
    if (error == 0) *ret_moved = moved;
    return error;
}
