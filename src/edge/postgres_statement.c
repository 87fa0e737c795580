#include "postgres_statement_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "postgres_columns_priv.h"
#include "store_codec_priv.h"

static const struct {
    const char *name;
    const char *text;
} statements[STATEMENT_COUNT] = {
    [STATEMENT_SCHEMA_VERSION] = {"schema_version", "SELECT version::bigint FROM quizrush_schema"},
    [STATEMENT_SET] = {"set", "SELECT set_config($1, $2, false)"},
    [STATEMENT_CANCEL] = {"cancel", "SELECT pg_cancel_backend($1)"},
    [STATEMENT_MATCH_EXISTS] = {"match_exists", "SELECT FROM matches WHERE match = $1"},
    [STATEMENT_READ_PLAYER] =
        {"read_player", "SELECT version, name, rating_centi::bigint, deviation_centi::bigint,"
                        " volatility_micro::bigint, rated_at_ms, recent, opponents FROM players"
                        " WHERE player = $1"},
    [STATEMENT_MATCH] = {"match",
                         "INSERT INTO matches"
                         " (match, mode, reason, rated, winner, rounds, created_at_ms, ended_at_ms)"
                         " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"},
    /* The name is the later match's (sqlite_writer.c). */
    [STATEMENT_PLAYER] =
        {"player",
         "INSERT INTO players"
         " (player, name, rating_centi, deviation_centi, volatility_micro, rated_at_ms, recent,"
         " opponents, created_at_ms, last_seen_at_ms, matches, wins, version)"
         " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, 1)"
         " ON CONFLICT (player) DO UPDATE SET"
         " version = quizrush_next_version(players.version, $12),"
         " name = CASE WHEN excluded.last_seen_at_ms >= players.last_seen_at_ms"
         " THEN excluded.name ELSE players.name END,"
         " rating_centi = excluded.rating_centi, deviation_centi = excluded.deviation_centi,"
         " volatility_micro = excluded.volatility_micro, rated_at_ms = excluded.rated_at_ms,"
         " recent = excluded.recent, opponents = excluded.opponents,"
         " created_at_ms = least(players.created_at_ms, excluded.created_at_ms),"
         " last_seen_at_ms = greatest(players.last_seen_at_ms, excluded.last_seen_at_ms),"
         " matches = players.matches + 1, wins = players.wins + excluded.wins"},
    [STATEMENT_MATCH_PLAYER] =
        {"match_player",
         "INSERT INTO match_players"
         " (match, place, player, name, rating_before, rating_after, rating_applied, score, gone)"
         " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"},
    [STATEMENT_ROUND] =
        {"round", "INSERT INTO rounds (match, round, question_id, category, difficulty, question,"
                  " choices, right_place, weight, revealed, time_ms, began_at_ms)"
                  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"},
    [STATEMENT_ORDER] = {"order_of", "UPDATE player_stats SET order_centi = $1"
                                     " WHERE player = $2 AND order_centi <> $1"},
    [STATEMENT_STATS] =
        {"stats", "INSERT INTO player_stats (player, mode, category, order_centi, listed, matches,"
                  " wins, answers, right_answers, points)"
                  " VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9)"
                  " ON CONFLICT (player, mode, category) DO UPDATE SET"
                  " order_centi = excluded.order_centi,"
                  " listed = greatest(player_stats.listed, excluded.listed),"
                  " matches = player_stats.matches + 1,"
                  " wins = player_stats.wins + excluded.wins,"
                  " answers = player_stats.answers + excluded.answers,"
                  " right_answers = player_stats.right_answers + excluded.right_answers,"
                  " points = player_stats.points + excluded.points"},
    /* The parts of one statement see the same rows: what they delete is counted once, and nothing
     * is left for the cascade. 7 matches of 63 rows at most. */
    [STATEMENT_PRUNE_MATCHES] =
        {"prune_matches",
         "WITH old AS (SELECT match FROM matches WHERE match < $1 ORDER BY match LIMIT 7),"
         " a AS (DELETE FROM answers x USING old WHERE x.match = old.match RETURNING 1),"
         " r AS (DELETE FROM rounds x USING old WHERE x.match = old.match RETURNING 1),"
         " p AS (DELETE FROM match_players x USING old WHERE x.match = old.match RETURNING 1),"
         " m AS (DELETE FROM matches x USING old WHERE x.match = old.match RETURNING 1)"
         " SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM r) +"
         " (SELECT count(*) FROM p) + (SELECT count(*) FROM m)"},
    [STATEMENT_PRUNE_ANSWERS] =
        {"prune_answers",
         "WITH old AS (SELECT DISTINCT match FROM (SELECT match FROM rounds WHERE match < $1"
         " ORDER BY match, round LIMIT 140) first),"
         " a AS (DELETE FROM answers x USING old WHERE x.match = old.match RETURNING 1),"
         " r AS (DELETE FROM rounds x USING old WHERE x.match = old.match RETURNING 1)"
         " SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM r)"},
    /* All of a result: a row each would be half of its statements. */
    [STATEMENT_ANSWERS] =
        {"answers",
         "INSERT INTO answers (match, round, place, choice, is_right, at_ms, credit_ms,"
         " points, received_at_ms) SELECT $1, * FROM unnest($2::integer[], $3::integer[],"
         " $4::integer[], $5::boolean[], $6::integer[], $7::integer[], $8::integer[],"
         " $9::bigint[])"},
    [STATEMENT_UNSYNCED] = {"unsynced", "SELECT set_config('synchronous_commit', 'off', true)"},
    /* A commit waits for the disk only where it has written something: this is the least there is. */
    [STATEMENT_SYNC] = {"sync", "SELECT pg_logical_emit_message(true, 'quizrush', '')"},
};

/* --- Parameters. --- */

enum { VALUES_MAX = 12, NUMBER_BYTES = 24, FORMAT_TEXT = 0, FORMAT_BINARY = 1 };

/* Of one run of a statement, in order. What is bound outlives it. */
struct values {
    const char *values[VALUES_MAX];
    int sizes[VALUES_MAX];
    int formats[VALUES_MAX];
    char numbers[VALUES_MAX][NUMBER_BYTES];
    int count;
};

static void put(struct values *values, const void *bytes, size_t size, int format)
{
    QR_ASSERT(values->count < VALUES_MAX);
    values->values[values->count] = bytes;
    values->sizes[values->count] = (int)size;
    values->formats[values->count++] = format;
}

static void put_id(struct values *values, const struct id *id)
{
    put(values, id->bytes, sizeof id->bytes, FORMAT_BINARY);
}

static void put_bytes(struct values *values, const uint8_t *bytes, size_t size)
{
    put(values, bytes, size, FORMAT_BINARY);
}

static void put_text(struct values *values, const char *text)
{
    put(values, text, 0, FORMAT_TEXT);
}

static void put_null(struct values *values)
{
    put(values, NULL, 0, FORMAT_TEXT);
}

/* Also a boolean: PostgreSQL reads 0 and 1 as one. */
static void put_int(struct values *values, int64_t value)
{
    char *text = values->numbers[values->count];
    (void)snprintf(text, NUMBER_BYTES, "%" PRId64, value);
    put_text(values, text);
}

static bool send_values(PGconn *conn, enum statement which, const struct values *values)
{
    return PQsendQueryPrepared(conn, statements[which].name, values->count, values->values,
                               values->sizes, values->formats, FORMAT_BINARY) == 1;
}

/* --- What a connection begins with, and its little ones. --- */

static bool send_prepare(PGconn *conn, enum statement which)
{
    return PQsendPrepare(conn, statements[which].name, statements[which].text, 0, NULL) == 1;
}

bool statement_send_prepare_version(PGconn *conn)
{
    return send_prepare(conn, STATEMENT_SCHEMA_VERSION);
}

bool statement_send_prepare(PGconn *conn)
{
    for (unsigned i = STATEMENT_SCHEMA_VERSION + 1; i < STATEMENT_COUNT; i++) {
        if (!send_prepare(conn, (enum statement)i)) return false;
    }
    return true;
}

bool statement_send_version(PGconn *conn)
{
    return send_values(conn, STATEMENT_SCHEMA_VERSION, &(struct values){.count = 0});
}

bool statement_send_set(PGconn *conn, const char *name, const char *value)
{
    struct values values = {.count = 0};
    put_text(&values, name);
    put_text(&values, value);
    return send_values(conn, STATEMENT_SET, &values);
}

bool statement_send_cancel(PGconn *conn, int pid)
{
    struct values values = {.count = 0};
    put_int(&values, pid);
    return send_values(conn, STATEMENT_CANCEL, &values);
}

bool statement_send_unsynced(PGconn *conn)
{
    return send_values(conn, STATEMENT_UNSYNCED, &(struct values){.count = 0});
}

bool statement_send_sync(PGconn *conn)
{
    return send_values(conn, STATEMENT_SYNC, &(struct values){.count = 0});
}

static bool send_with_id(PGconn *conn, enum statement which, const struct id *id)
{
    struct values values = {.count = 0};
    put_id(&values, id);
    return send_values(conn, which, &values);
}

bool statement_send_exists(PGconn *conn, const struct id *match)
{
    return send_with_id(conn, STATEMENT_MATCH_EXISTS, match);
}

bool statement_send_read(PGconn *conn, const struct id *player)
{
    return send_with_id(conn, STATEMENT_READ_PLAYER, player);
}

bool statement_send_prune_matches(PGconn *conn, const struct id *kept)
{
    return send_with_id(conn, STATEMENT_PRUNE_MATCHES, kept);
}

bool statement_send_prune_answers(PGconn *conn, const struct id *kept)
{
    return send_with_id(conn, STATEMENT_PRUNE_ANSWERS, kept);
}

/* --- A result. --- */

static bool send_match(PGconn *conn, const struct match_result *result)
{
    struct values values = {.count = 0};
    put_id(&values, &result->match);
    put_text(&values, match_mode_name((enum match_mode)result->mode));
    put_text(&values, match_end_reason_name((enum match_end_reason)result->reason));
    put_int(&values, result->is_rated);
    if (result->winner == MATCH_WINNER_NONE) put_null(&values);
    if (result->winner != MATCH_WINNER_NONE) put_int(&values, result->winner);
    put_int(&values, result->round_count);
    put_int(&values, result->created_at.ms);
    put_int(&values, result->ended_at.ms);
    return send_values(conn, STATEMENT_MATCH, &values);
}

static bool send_player(PGconn *conn, const struct match_result *result, unsigned place,
                        struct stored_player *stored)
{
    const struct result_player *player = &result->players[place];
    struct player_record *record = &stored->record;
    uint8_t recent[RECENT_BYTES_MAX];
    uint8_t opponents[OPPONENTS_BYTES_MAX];
    if (!stored->is_there || stored->is_malformed) player_record_init(record, player->name);
    if (stored->is_malformed) record->rating = player->before;
    (void)match_result_apply(result, place, record); /* The row has both ratings. */
    struct values values = {.count = 0};
    put_id(&values, &player->player);
    put_text(&values, player->name);
    put_int(&values, record->rating.rating_centi);
    put_int(&values, record->rating.deviation_centi);
    put_int(&values, record->rating.volatility_micro);
    put_int(&values, record->rated_at.ms);
    put_bytes(&values, recent, recent_encode(&record->recent, recent));
    put_bytes(&values, opponents, opponents_encode(&record->opponents, opponents));
    put_int(&values, result->created_at.ms);
    put_int(&values, result->ended_at.ms);
    put_int(&values, result->winner == (int)place);
    put_int(&values, stored->version);
    stored->is_there = true;
    stored->is_malformed = false;
    stored->version++;
    return send_values(conn, STATEMENT_PLAYER, &values);
}

static bool send_match_player(PGconn *conn, const struct match_result *result, unsigned place,
                              const struct rating *applied)
{
    const struct result_player *player = &result->players[place];
    struct values values = {.count = 0};
    put_id(&values, &result->match);
    put_int(&values, place);
    if (player->is_bot) put_null(&values);
    if (!player->is_bot) put_id(&values, &player->player);
    put_text(&values, player->name);
    put_int(&values, player->before.rating_centi);
    put_int(&values, player->after.rating_centi);
    put_int(&values, applied->rating_centi);
    put_int(&values, player->score);
    put_int(&values, player->is_gone);
    return send_values(conn, STATEMENT_MATCH_PLAYER, &values);
}

static bool send_round(PGconn *conn, const struct match_result *result, unsigned number)
{
    const struct result_round *round = &result->rounds[number - 1];
    const struct question *question = round->question;
    char choices[CHOICES_JSON_BYTES_MAX];
    choices_encode(round, choices);
    struct values values = {.count = 0};
    put_id(&values, &result->match);
    put_int(&values, number);
    put_id(&values, &question->id);
    put_text(&values, result->bank->categories[question->category].name);
    put_text(&values, difficulty_name((enum difficulty)question->difficulty));
    put_text(&values, question->text);
    put_text(&values, choices);
    put_int(&values, round_right_place(round));
    put_int(&values, round->weight);
    put_int(&values, round->is_revealed);
    put_int(&values, round->time_ms);
    put_int(&values, round->began_at.ms);
    return send_values(conn, STATEMENT_ROUND, &values);
}

static bool send_answers(PGconn *conn, const struct match_result *result)
{
    struct answer_columns columns;
    struct values values = {.count = 0};
    if (!answer_columns_of(result, &columns)) return true;
    put_id(&values, &result->match);
    for (unsigned i = 0; i < ANSWER_COLUMNS; i++) put_text(&values, columns.texts[i]);
    return send_values(conn, STATEMENT_ANSWERS, &values);
}

static bool send_category(PGconn *conn, const struct match_result *result, unsigned place,
                          uint8_t category, const struct rating *rating)
{
    bool is_any = category == QUESTION_CATEGORY_ANY;
    struct match_tally tally = match_result_tally(result, place, category);
    if (!is_any && tally.rounds == 0) return true;
    struct values values = {.count = 0};
    put_id(&values, &result->players[place].player);
    put_text(&values, match_mode_name((enum match_mode)result->mode));
    put_text(&values, is_any ? "" : result->bank->categories[category].name);
    put_int(&values, -rating->rating_centi);
    put_int(&values, match_result_is_listed(result));
    put_int(&values, result->winner == (int)place);
    put_int(&values, tally.answers);
    put_int(&values, tally.right_answers);
    put_int(&values, tally.points);
    return send_values(conn, STATEMENT_STATS, &values);
}

/* The player's places on all boards: there is one rating. The player's row is locked by now, so
 * that these are too. */
static bool send_stats(PGconn *conn, const struct match_result *result, unsigned place,
                       const struct rating *rating)
{
    bool is_sent = true;
    if (result->is_rated) {
        struct values values = {.count = 0};
        put_int(&values, -rating->rating_centi);
        put_id(&values, &result->players[place].player);
        is_sent = send_values(conn, STATEMENT_ORDER, &values);
    }
    if (is_sent) is_sent = send_category(conn, result, place, QUESTION_CATEGORY_ANY, rating);
    for (uint8_t i = 0; i < result->bank->category_count && is_sent; i++) {
        is_sent = send_category(conn, result, place, i, rating);
    }
    return is_sent;
}

/* Players' rows in the order of their ids: two transactions of the same two players wait for each
 * other, and never in a circle. */
static bool send_players(PGconn *conn, const struct match_result *result,
                         struct stored_player *players[MATCH_PLAYERS_MAX])
{
    _Static_assert(MATCH_PLAYERS_MAX == 2, "two are in order, or turned round");
    bool is_turned = result->player_count == 2 &&
                     memcmp(result->players[0].player.bytes, result->players[1].player.bytes,
                            sizeof result->players[0].player.bytes) > 0;
    for (unsigned i = 0; i < result->player_count; i++) {
        unsigned place = is_turned ? 1 - i : i;
        if (result->players[place].is_bot) continue;
        if (!send_player(conn, result, place, players[place])) return false;
    }
    return true;
}

bool statement_send_result(PGconn *conn, const struct match_result *result,
                           struct stored_player *players[MATCH_PLAYERS_MAX])
{
    bool is_sent = send_match(conn, result) && send_players(conn, result, players);
    for (unsigned place = 0; place < result->player_count && is_sent; place++) {
        const struct result_player *player = &result->players[place];
        is_sent = send_match_player(
            conn, result, place, player->is_bot ? &player->after : &players[place]->record.rating);
        if (is_sent && !player->is_bot) {
            is_sent = send_stats(conn, result, place, &players[place]->record.rating);
        }
    }
    for (unsigned number = 1; number <= result->round_count && is_sent; number++) {
        is_sent = send_round(conn, result, number);
    }
    return is_sent && send_answers(conn, result);
}

/* --- Rows. --- */

enum {
    COLUMN_VERSION,
    COLUMN_NAME,
    COLUMN_RATING,
    COLUMN_DEVIATION,
    COLUMN_VOLATILITY,
    COLUMN_RATED_AT,
    COLUMN_RECENT,
    COLUMN_OPPONENTS,
    COLUMN_COUNT,
};

/* A bigint, big-endian; -1, which is beyond all bounds, where it is none. */
static int64_t read_int(const PGresult *result, int column)
{
    if (PQgetisnull(result, 0, column) || PQgetlength(result, 0, column) != 8) return -1;
    const char *bytes = PQgetvalue(result, 0, column);
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++) value = value << 8 | (uint8_t)bytes[i];
    return (int64_t)value;
}

static int32_t read_int32(const PGresult *result, int column)
{
    int64_t value = read_int(result, column);
    return value >= 0 && value <= INT32_MAX ? (int32_t)value : -1;
}

static const uint8_t *read_bytes(const PGresult *result, int column, size_t *ret_size)
{
    *ret_size = (size_t)PQgetlength(result, 0, column);
    return (const uint8_t *)PQgetvalue(result, 0, column);
}

int64_t statement_version_of(const PGresult *result)
{
    bool is_right = PQntuples(result) == 1 && PQnfields(result) == 1;
    return is_right ? read_int(result, 0) : -1;
}

int64_t statement_count_of(const PGresult *result)
{
    return statement_version_of(result);
}

static bool read_record(const PGresult *result, struct player_record *ret_record)
{
    size_t name_size, recent_size, opponents_size;
    const uint8_t *name = read_bytes(result, COLUMN_NAME, &name_size);
    const uint8_t *recent = read_bytes(result, COLUMN_RECENT, &recent_size);
    const uint8_t *opponents = read_bytes(result, COLUMN_OPPONENTS, &opponents_size);
    ret_record->rating = (struct rating){
        .rating_centi = read_int32(result, COLUMN_RATING),
        .deviation_centi = read_int32(result, COLUMN_DEVIATION),
        .volatility_micro = read_int32(result, COLUMN_VOLATILITY),
    };
    ret_record->rated_at.ms = read_int(result, COLUMN_RATED_AT);
    if (name_size > NAME_BYTES_MAX) return false;
    memcpy(ret_record->name, name, name_size);
    return rating_is_valid(&ret_record->rating) &&
           recent_decode(recent, recent_size, &ret_record->recent) &&
           opponents_decode(opponents, opponents_size, &ret_record->opponents);
}

void statement_player_of(const PGresult *result, struct stored_player *ret_player)
{
    struct id player = ret_player->player;
    memset(ret_player, 0, sizeof *ret_player);
    ret_player->player = player;
    if (PQntuples(result) != 1 || PQnfields(result) != COLUMN_COUNT) return;
    ret_player->is_there = true;
    ret_player->version = read_int(result, COLUMN_VERSION);
    ret_player->is_malformed = !read_record(result, &ret_player->record);
}
