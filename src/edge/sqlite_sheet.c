/* A match's score sheet out of the embedded store's file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "edge/sheet.h"
#include "sqlite_reading_priv.h"

_Static_assert((int)SHEET_PROBLEM_BYTES == (int)SQLITE_READING_PROBLEM_BYTES,
               "one is passed as the other");

/* A query with the match as its one parameter, and what becomes of each row. */
struct part {
    const char *query;
    void (*on_row)(sqlite3_stmt *row, struct sheet *sheet);
};

static void read_match(sqlite3_stmt *row, struct sheet *sheet)
{
    sqlite_read_text(row, 0, sheet->mode, sizeof sheet->mode);
    sqlite_read_text(row, 1, sheet->reason, sizeof sheet->reason);
    sheet->is_rated = sqlite_read_int(row, 2, 0, 1) == 1;
    sheet->winner = sqlite3_column_type(row, 3) == SQLITE_NULL
                        ? MATCH_WINNER_NONE
                        : (int8_t)sqlite_read_int(row, 3, 0, MATCH_PLAYERS_MAX - 1);
    sheet->round_count = (uint8_t)sqlite_read_int(row, 4, 0, MATCH_ROUNDS_MAX);
}

static void read_player(sqlite3_stmt *row, struct sheet *sheet)
{
    struct sheet_player *player =
        &sheet->players[sqlite_read_int(row, 0, 0, MATCH_PLAYERS_MAX - 1)];
    sqlite_read_text(row, 1, player->name, sizeof player->name);
    player->score = (uint32_t)sqlite_read_int(row, 2, 0, UINT32_MAX);
    player->before_centi = (int32_t)sqlite_read_int(row, 3, INT32_MIN, INT32_MAX);
    player->after_centi = (int32_t)sqlite_read_int(row, 4, INT32_MIN, INT32_MAX);
    player->is_gone = sqlite_read_int(row, 5, 0, 1) == 1;
}

static void read_round(sqlite3_stmt *row, struct sheet *sheet)
{
    enum { FIRST_CHOICE = 6 };
    struct sheet_round *round = &sheet->rounds[sqlite_read_int(row, 0, 1, MATCH_ROUNDS_MAX) - 1];
    sqlite_read_text(row, 1, round->question, sizeof round->question);
    round->right_place = (uint8_t)sqlite_read_int(row, 2, 0, QUESTION_CHOICES_MAX - 1);
    round->weight = (uint8_t)sqlite_read_int(row, 3, 0, UINT8_MAX);
    round->is_revealed = sqlite_read_int(row, 4, 0, 1) == 1;
    round->time_ms = (uint32_t)sqlite_read_int(row, 5, 0, UINT32_MAX);
    for (int i = 0; i < QUESTION_CHOICES_MAX; i++) {
        if (sqlite3_column_type(row, FIRST_CHOICE + i) == SQLITE_NULL) break;
        sqlite_read_text(row, FIRST_CHOICE + i, round->choices[i], sizeof round->choices[i]);
        round->choice_count++;
    }
}

static void read_answer(sqlite3_stmt *row, struct sheet *sheet)
{
    struct sheet_round *round = &sheet->rounds[sqlite_read_int(row, 0, 1, MATCH_ROUNDS_MAX) - 1];
    struct sheet_answer *answer =
        &round->answers[sqlite_read_int(row, 1, 0, MATCH_PLAYERS_MAX - 1)];
    answer->is_given = true;
    answer->choice = (uint8_t)sqlite_read_int(row, 2, 0, QUESTION_CHOICES_MAX - 1);
    answer->at_ms = (uint32_t)sqlite_read_int(row, 3, 0, UINT32_MAX);
    answer->credit_ms = (uint32_t)sqlite_read_int(row, 4, 0, UINT32_MAX);
    answer->points = (uint32_t)sqlite_read_int(row, 5, 0, UINT32_MAX);
}

static const struct part parts[] = {
    {"SELECT mode, reason, rated, winner, rounds FROM matches WHERE match = ?", read_match},
    {"SELECT place, name, score, rating_before, rating_after, gone FROM match_players"
     " WHERE match = ?",
     read_player},
    {"SELECT round, question, right_place, weight, revealed, time_ms,"
     " json_extract(choices, '$[0]'), json_extract(choices, '$[1]'), json_extract(choices, '$[2]'),"
     " json_extract(choices, '$[3]'), json_extract(choices, '$[4]'), json_extract(choices, '$[5]')"
     " FROM rounds WHERE match = ?",
     read_round},
    {"SELECT round, place, choice, at_ms, credit_ms, points FROM answers WHERE match = ?",
     read_answer},
};

/* How many rows there were, or a negative errno. */
static int read_part(sqlite3 *db, const struct part *part, struct sheet *sheet)
{
    sqlite3_stmt *statement = NULL;
    int rows = 0;
    int code = sqlite3_prepare_v2(db, part->query, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_bind_blob(statement, 1, sheet->match.bytes, sizeof sheet->match.bytes,
                                 SQLITE_STATIC);
    }
    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        part->on_row(statement, sheet);
        rows++;
        code = SQLITE_OK;
    }
    (void)sqlite3_finalize(statement); /* Repeats the step's code. */
    return code == SQLITE_DONE ? rows : sqlite_reading_errno(code);
}

/* All of it as of one moment. */
static int read_all(sqlite3 *db, struct sheet *sheet)
{
    int code = sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    if (code != SQLITE_OK) return sqlite_reading_errno(code);
    int rows = read_part(db, &parts[0], sheet);
    if (rows == 0) return 1;
    for (unsigned i = 1; i < sizeof parts / sizeof parts[0] && rows >= 0; i++) {
        rows = read_part(db, &parts[i], sheet);
    }
    return rows < 0 ? rows : 0;
}

int sheet_read_sqlite(const char *path, const struct id *match, struct sheet *ret_sheet,
                      char reterr_problem[SHEET_PROBLEM_BYTES])
{
    sqlite3 *db = NULL;
    int error = sqlite_reading_open(path, SQLITE_OPEN_READONLY, &db, reterr_problem);
    if (error != 0) return error;
    memset(ret_sheet, 0, sizeof *ret_sheet);
    ret_sheet->match = *match;
    error = read_all(db, ret_sheet);
    if (error < 0) (void)snprintf(reterr_problem, SHEET_PROBLEM_BYTES, "%s", sqlite3_errmsg(db));
    (void)sqlite3_close(db); /* It was only read. */
    return error;
}
