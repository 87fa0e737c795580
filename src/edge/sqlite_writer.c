#include "sqlite_writer_priv.h"

#include <stdio.h>
#include <string.h>

#include "sqlite_player_priv.h"
#include "store_codec_priv.h"

static const char *const statement_texts[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",
    [STATEMENT_SAVEPOINT] = "SAVEPOINT result",
    [STATEMENT_RELEASE] = "RELEASE result",
    [STATEMENT_ROLLBACK_TO] = "ROLLBACK TO result",
    [STATEMENT_MATCH] = ("INSERT INTO matches"
                         " (match, mode, reason, rated, winner, rounds, created_at_ms, ended_at_ms)"
                         " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (match) DO NOTHING"),
    [STATEMENT_READ_PLAYER] = sqlite_player_select,
    /* A result that is tried again may come after that of the player's next match: the name is the
     * later one's. All else is what match_result_apply() made of the row. */
    [STATEMENT_PLAYER] =
        ("INSERT INTO players"
         " (player, name, rating_centi, deviation_centi, volatility_micro, rated_at_ms, recent,"
         " opponents, created_at_ms, last_seen_at_ms, matches, wins)"
         " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)"
         " ON CONFLICT (player) DO UPDATE SET"
         " name = iif(excluded.last_seen_at_ms >= last_seen_at_ms, excluded.name, name),"
         " rating_centi = excluded.rating_centi, deviation_centi = excluded.deviation_centi,"
         " volatility_micro = excluded.volatility_micro, rated_at_ms = excluded.rated_at_ms,"
         " recent = excluded.recent, opponents = excluded.opponents,"
         " created_at_ms = min(created_at_ms, excluded.created_at_ms),"
         " last_seen_at_ms = max(last_seen_at_ms, excluded.last_seen_at_ms),"
         " matches = matches + 1, wins = wins + excluded.wins"),
    [STATEMENT_MATCH_PLAYER] =
        ("INSERT INTO match_players"
         " (match, place, player, name, rating_before, rating_after, rating_applied, score, gone)"
         " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    [STATEMENT_ROUND] =
        ("INSERT INTO rounds (match, round, question_id, category, difficulty, question, choices,"
         " right_place, weight, revealed, time_ms, began_at_ms)"
         " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    [STATEMENT_ANSWER] =
        ("INSERT INTO answers (match, round, place, choice, is_right, at_ms, credit_ms, points,"
         " received_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    [STATEMENT_ORDER] =
        "UPDATE player_stats SET order_centi = ? WHERE player = ? AND order_centi <> ?1",
    [STATEMENT_STATS] =
        ("INSERT INTO player_stats (player, mode, category, order_centi, listed, matches, wins,"
         " answers, right_answers, points) VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?)"
         " ON CONFLICT (player, mode, category) DO UPDATE SET"
         " order_centi = excluded.order_centi, listed = max(listed, excluded.listed),"
         " matches = matches + 1, wins = wins + excluded.wins,"
         " answers = answers + excluded.answers,"
         " right_answers = right_answers + excluded.right_answers,"
         " points = points + excluded.points"),
};

/* --- Running statements. --- */

/* One run of a statement: its parameters are bound in order, and the first failure is kept. What is
 * bound outlives the run. */
struct run {
    sqlite3_stmt *statement;
    int next;
    int code;
};

static struct run run_of(const struct sqlite_writer *writer, enum sqlite_statement which)
{
    return (struct run){.statement = writer->statements[which], .next = 1, .code = SQLITE_OK};
}

static void run_note(struct run *run, int code)
{
    if (run->code == SQLITE_OK) run->code = code;
}

static void run_bind_id(struct run *run, const struct id *id)
{
    run_note(run, sqlite3_bind_blob(run->statement, run->next++, id->bytes, sizeof id->bytes,
                                    SQLITE_STATIC));
}

static void run_bind_bytes(struct run *run, const uint8_t *bytes, size_t size)
{
    run_note(run, sqlite3_bind_blob(run->statement, run->next++, bytes, (int)size, SQLITE_STATIC));
}

static void run_bind_text(struct run *run, const char *text)
{
    run_note(run, sqlite3_bind_text(run->statement, run->next++, text, -1, SQLITE_STATIC));
}

static void run_bind_int(struct run *run, int64_t value)
{
    run_note(run, sqlite3_bind_int64(run->statement, run->next++, value));
}

static void run_bind_null(struct run *run)
{
    run_note(run, sqlite3_bind_null(run->statement, run->next++));
}

static int run_finish(struct sqlite_writer *writer, struct run *run)
{
    int code = run->code;
    if (code == SQLITE_OK) {
        code = sqlite3_step(run->statement);
        if (code == SQLITE_DONE) code = SQLITE_OK;
    }
    if (code != SQLITE_OK) {
        (void)snprintf(writer->problem, sizeof writer->problem, "%s", sqlite3_errmsg(writer->db));
    }
    (void)sqlite3_reset(run->statement);          /* Repeats the code. */
    (void)sqlite3_clear_bindings(run->statement); /* Cannot fail. */
    return code;
}

static int run_plain(struct sqlite_writer *writer, enum sqlite_statement which)
{
    struct run run = run_of(writer, which);
    return run_finish(writer, &run);
}

/* --- Rows. --- */

static int save_match(struct sqlite_writer *writer, const struct match_result *result)
{
    struct run run = run_of(writer, STATEMENT_MATCH);
    run_bind_id(&run, &result->match);
    run_bind_text(&run, match_mode_name((enum match_mode)result->mode));
    run_bind_text(&run, match_end_reason_name((enum match_end_reason)result->reason));
    run_bind_int(&run, result->is_rated);
    if (result->winner == MATCH_WINNER_NONE) run_bind_null(&run);
    if (result->winner != MATCH_WINNER_NONE) run_bind_int(&run, result->winner);
    run_bind_int(&run, result->round_count);
    run_bind_int(&run, result->created_at.ms);
    run_bind_int(&run, result->ended_at.ms);
    return run_finish(writer, &run);
}

/* What is there; nothing, as a guest's; or none of ours, which is replaced as the match found it. */
static int read_player(struct sqlite_writer *writer, const struct result_player *player,
                       struct player_record *ret_record)
{
    player_record_init(ret_record, player->name);
    int code =
        sqlite_player_read(writer->statements[STATEMENT_READ_PLAYER], &player->player, ret_record);
    if (code == SQLITE_MISMATCH) ret_record->rating = player->before;
    if (code == SQLITE_ROW || code == SQLITE_DONE || code == SQLITE_MISMATCH) return SQLITE_OK;
    (void)snprintf(writer->problem, sizeof writer->problem, "%s", sqlite3_errmsg(writer->db));
    return code;
}

static int save_player(struct sqlite_writer *writer, const struct match_result *result,
                       unsigned place, struct rating *ret_applied)
{
    const struct result_player *player = &result->players[place];
    struct player_record record;
    uint8_t recent[RECENT_BYTES_MAX];
    uint8_t opponents[OPPONENTS_BYTES_MAX];
    int code = read_player(writer, player, &record);
    if (code != SQLITE_OK) return code;
    (void)match_result_apply(result, place, &record); /* The row has both ratings. */
    struct run run = run_of(writer, STATEMENT_PLAYER);
    run_bind_id(&run, &player->player);
    run_bind_text(&run, player->name);
    run_bind_int(&run, record.rating.rating_centi);
    run_bind_int(&run, record.rating.deviation_centi);
    run_bind_int(&run, record.rating.volatility_micro);
    run_bind_int(&run, record.rated_at.ms);
    run_bind_bytes(&run, recent, recent_encode(&record.recent, recent));
    run_bind_bytes(&run, opponents, opponents_encode(&record.opponents, opponents));
    run_bind_int(&run, result->created_at.ms);
    run_bind_int(&run, result->ended_at.ms);
    run_bind_int(&run, result->winner == (int)place);
    *ret_applied = record.rating;
    return run_finish(writer, &run);
}

/* The player's places on all other boards: there is one rating. */
static int save_order(struct sqlite_writer *writer, const struct id *player,
                      const struct rating *rating)
{
    struct run run = run_of(writer, STATEMENT_ORDER);
    run_bind_int(&run, -rating->rating_centi);
    run_bind_id(&run, player);
    return run_finish(writer, &run);
}

static int save_category(struct sqlite_writer *writer, const struct match_result *result,
                         unsigned place, uint8_t category, const struct rating *rating)
{
    bool is_any = category == QUESTION_CATEGORY_ANY;
    struct match_tally tally = match_result_tally(result, place, category);
    if (!is_any && tally.rounds == 0) return SQLITE_OK;
    struct run run = run_of(writer, STATEMENT_STATS);
    run_bind_id(&run, &result->players[place].player);
    run_bind_text(&run, match_mode_name((enum match_mode)result->mode));
    run_bind_text(&run, is_any ? "" : result->bank->categories[category].name);
    run_bind_int(&run, -rating->rating_centi);
    run_bind_int(&run, match_result_is_listed(result));
    run_bind_int(&run, result->winner == (int)place);
    run_bind_int(&run, tally.answers);
    run_bind_int(&run, tally.right_answers);
    run_bind_int(&run, tally.points);
    return run_finish(writer, &run);
}

static int save_stats(struct sqlite_writer *writer, const struct match_result *result,
                      unsigned place, const struct rating *rating)
{
    int code = save_category(writer, result, place, QUESTION_CATEGORY_ANY, rating);
    for (uint8_t i = 0; i < result->bank->category_count && code == SQLITE_OK; i++) {
        code = save_category(writer, result, place, i, rating);
    }
    /* Last: what was played in has its order by now, and no entry of the index is moved twice. */
    if (result->is_rated && code == SQLITE_OK) {
        code = save_order(writer, &result->players[place].player, rating);
    }
    return code;
}

static int save_match_player(struct sqlite_writer *writer, const struct match_result *result,
                             unsigned place, const struct rating *applied)
{
    const struct result_player *player = &result->players[place];
    struct run run = run_of(writer, STATEMENT_MATCH_PLAYER);
    run_bind_id(&run, &result->match);
    run_bind_int(&run, place);
    if (player->is_bot) run_bind_null(&run);
    if (!player->is_bot) run_bind_id(&run, &player->player);
    run_bind_text(&run, player->name);
    run_bind_int(&run, player->before.rating_centi);
    run_bind_int(&run, player->after.rating_centi);
    run_bind_int(&run, applied->rating_centi);
    run_bind_int(&run, player->score);
    run_bind_int(&run, player->is_gone);
    return run_finish(writer, &run);
}

static int save_round(struct sqlite_writer *writer, const struct match_result *result,
                      unsigned number)
{
    const struct result_round *round = &result->rounds[number - 1];
    const struct question *question = round->question;
    char choices[CHOICES_JSON_BYTES_MAX];
    choices_encode(round, choices);
    struct run run = run_of(writer, STATEMENT_ROUND);
    run_bind_id(&run, &result->match);
    run_bind_int(&run, number);
    run_bind_id(&run, &question->id);
    run_bind_text(&run, result->bank->categories[question->category].name);
    run_bind_text(&run, difficulty_name((enum difficulty)question->difficulty));
    run_bind_text(&run, question->text);
    run_bind_text(&run, choices);
    run_bind_int(&run, round_right_place(round));
    run_bind_int(&run, round->weight);
    run_bind_int(&run, round->is_revealed);
    run_bind_int(&run, round->time_ms);
    run_bind_int(&run, round->began_at.ms);
    return run_finish(writer, &run);
}

static int save_answer(struct sqlite_writer *writer, const struct match_result *result,
                       unsigned number, unsigned place)
{
    const struct result_answer *answer = &result->rounds[number - 1].answers[place];
    if (answer->choice == MATCH_CHOICE_NONE) return SQLITE_OK;
    struct run run = run_of(writer, STATEMENT_ANSWER);
    run_bind_id(&run, &result->match);
    run_bind_int(&run, number);
    run_bind_int(&run, place);
    run_bind_int(&run, answer->choice);
    run_bind_int(&run, answer->is_right);
    run_bind_int(&run, answer->at_ms);
    run_bind_int(&run, answer->credit_ms);
    run_bind_int(&run, answer->points);
    run_bind_int(&run, answer->received_at.ms);
    return run_finish(writer, &run);
}

/* In the order in which rows refer to each other. */
static int save_rows(struct sqlite_writer *writer, const struct match_result *result)
{
    int code = save_match(writer, result);
    if (code != SQLITE_OK) return code;
    if (sqlite3_changes(writer->db) == 0) return SQLITE_OK; /* Saved before. */
    for (unsigned place = 0; place < result->player_count && code == SQLITE_OK; place++) {
        struct rating applied = result->players[place].after;
        if (!result->players[place].is_bot) code = save_player(writer, result, place, &applied);
        if (code == SQLITE_OK) code = save_match_player(writer, result, place, &applied);
        if (code == SQLITE_OK && !result->players[place].is_bot) {
            code = save_stats(writer, result, place, &applied);
        }
    }
    for (unsigned number = 1; number <= result->round_count && code == SQLITE_OK; number++) {
        code = save_round(writer, result, number);
        for (unsigned place = 0; place < result->player_count && code == SQLITE_OK; place++) {
            code = save_answer(writer, result, number, place);
        }
    }
    return code;
}

/* --- The interface. --- */

int sqlite_writer_init(struct sqlite_writer *writer, sqlite3 *db)
{
    memset(writer, 0, sizeof *writer);
    writer->db = db;
    for (unsigned i = 0; i < STATEMENT_COUNT; i++) {
        int code = sqlite3_prepare_v3(db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                      &writer->statements[i], NULL);
        if (code == SQLITE_OK) continue;
        (void)snprintf(writer->problem, sizeof writer->problem, "%s", sqlite3_errmsg(db));
        return code;
    }
    return SQLITE_OK;
}

void sqlite_writer_fini(struct sqlite_writer *writer)
{
    for (unsigned i = 0; i < STATEMENT_COUNT; i++) {
        (void)sqlite3_finalize(writer->statements[i]); /* Repeats the last code. */
        writer->statements[i] = NULL;
    }
}

int sqlite_writer_begin(struct sqlite_writer *writer)
{
    return run_plain(writer, STATEMENT_BEGIN);
}

int sqlite_writer_save(struct sqlite_writer *writer, const struct match_result *result)
{
    return save_rows(writer, result);
}

int sqlite_writer_save_apart(struct sqlite_writer *writer, const struct match_result *result)
{
    int code = run_plain(writer, STATEMENT_SAVEPOINT);
    if (code != SQLITE_OK) return code;
    int saved = save_rows(writer, result);
    if (saved != SQLITE_OK && !sqlite_writer_is_alone(saved))
        return saved; /* All is rolled back. */
    if (saved != SQLITE_OK) {
        char problem[SQLITE_WRITER_PROBLEM_BYTES];
        memcpy(problem, writer->problem, sizeof problem);
        code = run_plain(writer, STATEMENT_ROLLBACK_TO);
        if (code != SQLITE_OK) return code;
        memcpy(writer->problem, problem, sizeof problem);
    }
    code = run_plain(writer, STATEMENT_RELEASE);
    return code != SQLITE_OK ? code : saved;
}

bool sqlite_writer_is_alone(int code)
{
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG: return true;
    default: return false;
    }
}

int sqlite_writer_commit(struct sqlite_writer *writer)
{
    return run_plain(writer, STATEMENT_COMMIT);
}

void sqlite_writer_rollback(struct sqlite_writer *writer)
{
    /* After some failures (a full disk) SQLite has rolled back by itself. */
    if (sqlite3_get_autocommit(writer->db)) return;
    char problem[SQLITE_WRITER_PROBLEM_BYTES];
    memcpy(problem, writer->problem, sizeof problem);
    (void)run_plain(writer, STATEMENT_ROLLBACK); /* Ends the transaction even where it fails. */
    memcpy(writer->problem, problem, sizeof problem);
}
