#include "edge/sheet.h"

#include <stdio.h>
#include <string.h>

#include "core/score.h"

static void copy_text(char *ret_text, size_t size, const char *text)
{
    (void)snprintf(ret_text, size, "%s", text); /* Cut is fine. */
}

/* --- From a match. --- */

static void copy_question(const struct match *match, const struct match_round *round,
                          struct sheet_round *ret_round)
{
    const struct question *question = &match->bank->questions[round->question];
    copy_text(ret_round->question, sizeof ret_round->question, question->text);
    for (unsigned i = 0; i < round->choice_count; i++) {
        copy_text(ret_round->choices[i], sizeof ret_round->choices[i],
                  question->choices[round->places[i]]);
    }
    ret_round->choice_count = round->choice_count;
}

static void copy_answer(const struct match_round *round, unsigned player,
                        struct sheet_answer *ret_answer)
{
    const struct match_answer *answer = &round->answers[player];
    if (answer->choice == MATCH_CHOICE_NONE) return;
    *ret_answer = (struct sheet_answer){.is_given = true,
                                        .choice = (uint8_t)answer->choice,
                                        .at_ms = match_answer_time(round, player),
                                        .credit_ms = round->credits_ms[player],
                                        .points = answer->points};
}

void sheet_of_match(const struct match *match, struct sheet *ret_sheet)
{
    memset(ret_sheet, 0, sizeof *ret_sheet);
    ret_sheet->match = match->id;
    copy_text(ret_sheet->mode, sizeof ret_sheet->mode,
              match_mode_name((enum match_mode)match->settings.mode));
    copy_text(ret_sheet->reason, sizeof ret_sheet->reason,
              match_end_reason_name((enum match_end_reason)match->reason));
    ret_sheet->is_rated = match->is_rated;
    ret_sheet->winner = match->winner;
    ret_sheet->round_count = match->round;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct match_player *player = &match->players[i];
        struct sheet_player *ret_player = &ret_sheet->players[i];
        copy_text(ret_player->name, sizeof ret_player->name, player->name);
        ret_player->score = player->score;
        ret_player->before_centi = player->rating.rating_centi;
        ret_player->after_centi = player->rating_after.rating_centi;
        ret_player->is_gone = player->presence == PRESENCE_GONE;
    }
    for (uint8_t i = 0; i < match->round; i++) {
        const struct match_round *round = &match->rounds[i];
        struct sheet_round *ret_round = &ret_sheet->rounds[i];
        copy_question(match, round, ret_round);
        ret_round->right_place = match_right_place(match, (uint8_t)(i + 1));
        ret_round->weight = round->weight;
        ret_round->is_revealed = round->is_revealed;
        ret_round->time_ms = match->settings.round_time_ms;
        for (unsigned player = 0; player < MATCH_PLAYERS_MAX; player++) {
            copy_answer(round, player, &ret_round->answers[player]);
        }
    }
}

/* --- The rules. --- */

/* docs/protocol.md, Points. */
static uint32_t points_of(const struct sheet_round *round, const struct sheet_answer *answer)
{
    bool is_right = round->is_revealed && answer->is_given && answer->choice == round->right_place;
    if (!is_right || round->time_ms < ROUND_TIME_MIN_MS || answer->at_ms > round->time_ms) return 0;
    return score_points(answer->at_ms, round->time_ms, round->weight);
}

void sheet_recompute(const struct sheet *sheet, struct sheet *ret_sheet)
{
    *ret_sheet = *sheet;
    for (unsigned player = 0; player < MATCH_PLAYERS_MAX; player++) {
        ret_sheet->players[player].score = 0;
        for (unsigned i = 0; i < sheet->round_count; i++) {
            struct sheet_answer *answer = &ret_sheet->rounds[i].answers[player];
            answer->points = points_of(&sheet->rounds[i], answer);
            ret_sheet->players[player].score += answer->points;
        }
    }
    if (strcmp(sheet->reason, match_end_reason_name(MATCH_END_FINISHED)) != 0) return;
    uint32_t first = ret_sheet->players[0].score, second = ret_sheet->players[1].score;
    ret_sheet->winner = MATCH_WINNER_NONE;
    if (first != second) ret_sheet->winner = first > second ? 0 : 1;
}

/* --- Two sheets. --- */

static const char *say(char ret_text[SHEET_PROBLEM_BYTES], const char *what, unsigned round,
                       unsigned player)
{
    if (round == 0) {
        (void)snprintf(ret_text, SHEET_PROBLEM_BYTES, "%s of player %u", what, player);
    } else {
        (void)snprintf(ret_text, SHEET_PROBLEM_BYTES, "%s of player %u in round %u", what, player,
                       round);
    }
    return ret_text;
}

static const char *difference_in_round(const struct sheet_round *a, const struct sheet_round *b,
                                       unsigned number, char ret_text[SHEET_PROBLEM_BYTES])
{
    for (unsigned player = 0; player < MATCH_PLAYERS_MAX; player++) {
        const struct sheet_answer *first = &a->answers[player], *second = &b->answers[player];
        if (first->is_given != second->is_given || first->choice != second->choice) {
            return say(ret_text, "the choice", number, player);
        }
        if (first->at_ms != second->at_ms) {
            return say(ret_text, "the answer's time", number, player);
        }
        if (first->points != second->points) return say(ret_text, "the points", number, player);
    }
    if (a->right_place != b->right_place || strcmp(a->question, b->question) != 0) {
        (void)snprintf(ret_text, SHEET_PROBLEM_BYTES, "the question of round %u", number);
        return ret_text;
    }
    return NULL;
}

const char *sheet_difference(const struct sheet *a, const struct sheet *b,
                             char ret_text[SHEET_PROBLEM_BYTES])
{
    if (strcmp(a->reason, b->reason) != 0) return "the reason of its end";
    if (a->round_count != b->round_count) return "the number of rounds";
    for (unsigned i = 0; i < a->round_count; i++) {
        const char *text = difference_in_round(&a->rounds[i], &b->rounds[i], i + 1, ret_text);
        if (text != NULL) return text;
    }
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct sheet_player *first = &a->players[i], *second = &b->players[i];
        if (first->score != second->score) return say(ret_text, "the score", 0, i);
        if (first->before_centi != second->before_centi ||
            first->after_centi != second->after_centi) {
            return say(ret_text, "the rating", 0, i);
        }
    }
    return a->winner != b->winner ? "the winner" : NULL;
}
