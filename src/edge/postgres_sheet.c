/* A match's score sheet out of PostgreSQL. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "edge/sheet.h"
#include "postgres_reading_priv.h"

_Static_assert((int)SHEET_PROBLEM_BYTES == (int)POSTGRES_READING_PROBLEM_BYTES,
               "one is passed as the other");

/* A query with the match as its one parameter, and what becomes of each row. */
struct part {
    const char *query;
    void (*on_row)(const PGresult *result, int row, struct sheet *sheet);
};

static void get_match(const PGresult *result, int row, struct sheet *sheet)
{
    postgres_get_text(result, row, 0, sheet->mode, sizeof sheet->mode);
    postgres_get_text(result, row, 1, sheet->reason, sizeof sheet->reason);
    sheet->is_rated = postgres_get_bool(result, row, 2);
    sheet->winner = PQgetisnull(result, row, 3)
                        ? MATCH_WINNER_NONE
                        : (int8_t)postgres_get_int(result, row, 3, 0, MATCH_PLAYERS_MAX - 1);
    sheet->round_count = (uint8_t)postgres_get_int(result, row, 4, 0, MATCH_ROUNDS_MAX);
}

static void get_player(const PGresult *result, int row, struct sheet *sheet)
{
    struct sheet_player *player =
        &sheet->players[postgres_get_int(result, row, 0, 0, MATCH_PLAYERS_MAX - 1)];
    postgres_get_text(result, row, 1, player->name, sizeof player->name);
    player->score = (uint32_t)postgres_get_int(result, row, 2, 0, UINT32_MAX);
    player->before_centi = (int32_t)postgres_get_int(result, row, 3, INT32_MIN, INT32_MAX);
    player->after_centi = (int32_t)postgres_get_int(result, row, 4, INT32_MIN, INT32_MAX);
    player->is_gone = postgres_get_bool(result, row, 5);
}

static void get_round(const PGresult *result, int row, struct sheet *sheet)
{
    enum { FIRST_CHOICE = 6 };
    struct sheet_round *round =
        &sheet->rounds[postgres_get_int(result, row, 0, 1, MATCH_ROUNDS_MAX) - 1];
    postgres_get_text(result, row, 1, round->question, sizeof round->question);
    round->right_place = (uint8_t)postgres_get_int(result, row, 2, 0, QUESTION_CHOICES_MAX - 1);
    round->weight = (uint8_t)postgres_get_int(result, row, 3, 0, UINT8_MAX);
    round->is_revealed = postgres_get_bool(result, row, 4);
    round->time_ms = (uint32_t)postgres_get_int(result, row, 5, 0, UINT32_MAX);
    for (int i = 0; i < QUESTION_CHOICES_MAX; i++) {
        if (PQgetisnull(result, row, FIRST_CHOICE + i)) break;
        postgres_get_text(result, row, FIRST_CHOICE + i, round->choices[i],
                          sizeof round->choices[i]);
        round->choice_count++;
    }
}

static void get_answer(const PGresult *result, int row, struct sheet *sheet)
{
    struct sheet_round *round =
        &sheet->rounds[postgres_get_int(result, row, 0, 1, MATCH_ROUNDS_MAX) - 1];
    struct sheet_answer *answer =
        &round->answers[postgres_get_int(result, row, 1, 0, MATCH_PLAYERS_MAX - 1)];
    answer->is_given = true;
    answer->choice = (uint8_t)postgres_get_int(result, row, 2, 0, QUESTION_CHOICES_MAX - 1);
    answer->at_ms = (uint32_t)postgres_get_int(result, row, 3, 0, UINT32_MAX);
    answer->credit_ms = (uint32_t)postgres_get_int(result, row, 4, 0, UINT32_MAX);
    answer->points = (uint32_t)postgres_get_int(result, row, 5, 0, UINT32_MAX);
}

static const struct part parts[] = {
    {"SELECT mode, reason, rated, winner, rounds FROM matches WHERE match = $1::uuid", get_match},
    {"SELECT place, name, score, rating_before, rating_after, gone FROM match_players"
     " WHERE match = $1::uuid",
     get_player},
    {"SELECT round, question, right_place, weight, revealed, time_ms, choices->>0, choices->>1,"
     " choices->>2, choices->>3, choices->>4, choices->>5 FROM rounds WHERE match = $1::uuid",
     get_round},
    {"SELECT round, place, choice, at_ms, credit_ms, points FROM answers WHERE match = $1::uuid",
     get_answer},
};

/* How many rows there were, or a negative errno. */
static int get_part(struct postgres_reading *reading, const struct part *part, struct sheet *sheet)
{
    struct postgres_parameters parameters = {.count = 0};
    parameters_put_id(&parameters, &sheet->match);
    PGresult *result = postgres_query(reading, part->query, &parameters);
    if (result == NULL) return -EIO;
    int rows = PQntuples(result);
    for (int row = 0; row < rows; row++) part->on_row(result, row, sheet);
    PQclear(result);
    return rows;
}

/* All of it as of one moment. */
static int get_all(struct postgres_reading *reading, struct sheet *sheet)
{
    int error = postgres_run(reading, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL);
    if (error != 0) return error;
    int rows = get_part(reading, &parts[0], sheet);
    if (rows == 0) return 1;
    for (unsigned i = 1; i < sizeof parts / sizeof parts[0] && rows >= 0; i++) {
        rows = get_part(reading, &parts[i], sheet);
    }
    return rows < 0 ? rows : 0;
}

int sheet_read_postgres(const struct postgres_store_options *options, const struct id *match,
                        struct sheet *ret_sheet, char reterr_problem[SHEET_PROBLEM_BYTES])
{
    struct postgres_reading reading;
    int error = postgres_reading_open(&reading, options);
    memset(ret_sheet, 0, sizeof *ret_sheet);
    ret_sheet->match = *match;
    if (error == 0) error = get_all(&reading, ret_sheet);
    if (error < 0) (void)snprintf(reterr_problem, SHEET_PROBLEM_BYTES, "%s", reading.problem);
    postgres_reading_close(&reading); /* And with it the transaction. */
    return error;
}
