/* What a match tells all its players: points, scores, streaks, weights, the right choice, the winner, recomputed from
 * choices and times. Judged once, when a message is told for the first time. */

#include <stdlib.h>
#include <string.h>

#include "sim_failed.h"
#include "sim_referee_priv.h"
#include "sim_text.h"

enum { FULL_MS = 500, LEAST_POINTS = 500, MORE_POINTS = 500 };

uint32_t match_rules_points(uint32_t at_ms, uint32_t time_ms, uint32_t weight)
{
    if (at_ms < FULL_MS) at_ms = FULL_MS;
    uint64_t more = (uint64_t)MORE_POINTS * (time_ms - at_ms) / (time_ms - FULL_MS);
    return (LEAST_POINTS + (uint32_t)more) * weight;
}

/* --- match. --- */

/* docs/protocol.md, Ratings. */
static void a_duel_is_unrated_only_after_two(const struct referee *referee,
                                             const struct referee_match *match, const char *text)
{
    if (match->is_rated || strstr(text, "\"mode\":\"duel\"") == NULL) return;
    unsigned rated = 0;
    for (uint32_t i = 0; i < referee->match_count; i++) {
        const struct referee_match *before = &referee->matches[i];
        if (!before->has_result || !before->is_rated_result) continue;
        bool is_same = id_equal(&before->players[0], &match->players[0]) &&
                       id_equal(&before->players[1], &match->players[1]);
        bool is_turned = id_equal(&before->players[0], &match->players[1]) &&
                         id_equal(&before->players[1], &match->players[0]);
        rated += is_same || is_turned;
    }
    if (rated < MATCH_RATED_PER_DAY)
        sim_failed("a duel is unrated only after two: after %u, %s", rated, text);
}

static void learn_match(const struct referee *referee, struct referee_match *match,
                        const char *text)
{
    match->is_known = true;
    match->is_rated = strstr(text, "\"rated\":true") != NULL;
    match->round_count = (uint8_t)text_number(text, "\"rounds\":");
    SIM_EXPECT(match->round_count >= 1 && match->round_count <= MATCH_ROUNDS_MAX);
    const char *at = text_behind(text, "\"players\":[");
    for (unsigned seat = 0; seat < MATCH_PLAYERS_MAX; seat++) {
        SIM_EXPECT(text_id(at, "\"player\":\"", &match->players[seat]));
        at = text_behind(at, "\"rating\":");
        at += strspn(at, "-0123456789");
        match->is_bot[seat] = strncmp(at, ",\"bot\":true", 11) == 0;
    }
    a_duel_is_unrated_only_after_two(referee, match, text);
}

/* --- round. --- */

static void the_last_round_counts_double(const struct referee_match *match,
                                         const struct referee_round *round, uint32_t number,
                                         const char *text)
{
    uint8_t weight = number == match->round_count ? 2 : 1;
    if (round->weight != weight) sim_failed("the last round counts double: %s", text);
}

static void rounds_come_in_order(const struct referee_match *match, uint32_t number,
                                 const char *text)
{
    bool is_next = number == match->revealed + 1u && number <= match->round_count;
    if (!is_next) sim_failed("rounds come in order: after %u, %s", match->revealed, text);
}

/* Where the right choice is shown; each choice once. */
static void learn_choices(struct referee *referee, struct referee_round *round, const char *text)
{
    const char *at = text_behind(text, "\"choices\":[");
    size_t length = strlen(referee->right_text);
    round->right = -1;
    for (uint8_t place = 0; *at == '"'; place++) {
        SIM_EXPECT(place < QUESTION_CHOICES_MAX);
        if (strncmp(at + 1, referee->right_text, length) == 0 && at[1 + length] == '"')
            round->right = (int8_t)place;
        at = text_behind(at + 1, "\"");
        at += *at == ',';
        round->choice_count = (uint8_t)(place + 1);
    }
    if (round->right < 0) sim_failed("a round shows its right choice: %s", text);
    referee->right_places[round->right]++;
}

static void learn_round(struct referee *referee, struct referee_match *match, const char *text,
                        uint16_t seq)
{
    uint32_t number = text_number(text, "\"round\":");
    rounds_come_in_order(match, number, text);
    struct referee_round *round = &match->rounds[number - 1];
    round->seq = seq;
    round->time_ms = text_number(text, "\"time_ms\":");
    round->weight = (uint8_t)text_number(text, "\"weight\":");
    const char *at = text;
    int64_t deadline_ms = text_take_number(&at, "\"deadline_ms\":");
    SIM_EXPECT(match->is_started);
    round->began_at.ms = (uint64_t)(deadline_ms - round->time_ms - referee_wall_offset(match, seq));
    the_last_round_counts_double(match, round, number, text);
    learn_choices(referee, round, text);
}

/* --- reveal. --- */

struct result_seen {
    int64_t choice, at_ms, points, score, streak;
};

static void a_reveal_names_the_right_choice(const struct referee_round *round, const char *text)
{
    const char *at = text;
    if (text_take_number(&at, "\"correct\":") == round->right) return;
    sim_failed("a reveal names the right choice: place %d, %s", round->right, text);
}

static void a_reveal_shows_what_was_accepted(struct referee_answer *known,
                                             const struct result_seen *result, const char *text)
{
    bool is_it = known->choice == result->choice && (int64_t)known->at_ms == result->at_ms;
    if (known->is_known && !is_it)
        sim_failed("a reveal shows what was accepted: choice %d at %u ms, %s", known->choice,
                   known->at_ms, text);
    known->is_known = true;
    known->choice = (int8_t)result->choice;
    known->at_ms = (uint32_t)result->at_ms;
}

static void points_follow_from_choice_and_time(const struct referee_round *round,
                                               const struct result_seen *result, const char *text)
{
    if (result->choice >= 0 && (result->at_ms < 0 || result->at_ms > round->time_ms))
        sim_failed("no answer counts after its deadline: %s", text);
    bool is_right = result->choice == round->right;
    uint32_t points =
        is_right ? match_rules_points((uint32_t)result->at_ms, round->time_ms, round->weight) : 0;
    if (result->points != points)
        sim_failed("points follow from choice and time: %u, not %s", points, text);
}

static void scores_and_streaks_add_up(const struct referee_match *match, uint32_t number,
                                      unsigned seat, const struct result_seen *result,
                                      const char *text)
{
    const struct referee_round *round = &match->rounds[number - 1];
    uint32_t score = number > 1 ? match->rounds[number - 2].scores[seat] : 0;
    uint32_t streak = number > 1 ? match->rounds[number - 2].streaks[seat] : 0;
    bool is_right = result->choice == round->right;
    bool is_score = result->score == (int64_t)score + result->points;
    bool is_streak = result->streak == (is_right ? (int64_t)streak + 1 : 0);
    if (!is_score || !is_streak) sim_failed("scores and streaks add up: %s", text);
}

static void learn_reveal(struct referee_match *match, const char *text, uint16_t seq)
{
    uint32_t number = text_number(text, "\"round\":");
    bool is_asked = number == match->revealed + 1u && number <= match->round_count &&
                    match->rounds[number - 1].seq != 0;
    if (!is_asked) sim_failed("rounds come in order: no such reveal is due, %s", text);
    struct referee_round *round = &match->rounds[number - 1];
    round->reveal_seq = seq;
    a_reveal_names_the_right_choice(round, text);
    const char *at = text_behind(text, "\"results\":[");
    for (unsigned seat = 0; seat < MATCH_PLAYERS_MAX; seat++) {
        struct result_seen result;
        result.choice = text_take_number(&at, "\"choice\":");
        result.at_ms = text_take_number(&at, "\"at_ms\":");
        result.points = text_take_number(&at, "\"points\":");
        result.score = text_take_number(&at, "\"score\":");
        result.streak = text_take_number(&at, "\"streak\":");
        a_reveal_shows_what_was_accepted(&round->answers[seat], &result, text);
        points_follow_from_choice_and_time(round, &result, text);
        scores_and_streaks_add_up(match, number, seat, &result, text);
        round->points[seat] = (uint16_t)result.points;
        round->scores[seat] = (uint32_t)result.score;
        round->streaks[seat] = (uint32_t)result.streak;
    }
    match->revealed = (uint8_t)number;
}

/* --- peer, end. --- */

static void learn_peer(struct referee_match *match, const char *text, uint16_t seq)
{
    uint32_t seat = text_number(text, "\"player\":");
    SIM_EXPECT(seat < MATCH_PLAYERS_MAX);
    if (match->gone_seq[seat] != 0) sim_failed("who is gone stays gone: %s", text);
    if (strstr(text, "\"state\":\"gone\"") != NULL) match->gone_seq[seat] = seq;
}

static void scores_are_those_of_the_last_reveal(const struct referee_match *match, const char *text)
{
    const char *at = text_behind(text, "\"scores\":");
    for (unsigned seat = 0; seat < MATCH_PLAYERS_MAX; seat++) {
        uint32_t score = match->revealed > 0 ? match->rounds[match->revealed - 1].scores[seat] : 0;
        at++;
        char *end;
        if (strtoul(at, &end, 10) != score)
            sim_failed("scores are those of the last reveal: %u, not %s", score, text);
        at = end;
    }
}

static int64_t winner_by_score(const struct referee_match *match)
{
    const uint32_t *scores = match->rounds[match->round_count - 1].scores;
    if (scores[0] == scores[1]) return -1;
    return scores[0] > scores[1] ? 0 : 1;
}

static bool is_gone(const struct referee_match *match, unsigned seat)
{
    return match->gone_seq[seat] != 0;
}

static void the_winner_follows(const struct referee_match *match, const char *text)
{
    const char *at = text;
    int64_t winner = text_take_number(&at, "\"winner\":");
    int64_t expected = -1;
    if (strstr(text, "\"reason\":\"finished\"") != NULL) {
        if (match->revealed != match->round_count)
            sim_failed("the reason follows: a round is missing, %s", text);
        expected = winner_by_score(match);
    } else if (strstr(text, "\"reason\":\"forfeit\"") != NULL) {
        if (is_gone(match, 0) == is_gone(match, 1))
            sim_failed("gone comes before a forfeit's end: %s", text);
        expected = is_gone(match, 0) ? 1 : 0;
    }
    if (winner != expected) sim_failed("the winner follows: %d, not %s", (int)expected, text);
}

static void learn_end(struct referee_match *match, const char *text)
{
    match->is_over = true;
    scores_are_those_of_the_last_reveal(match, text);
    the_winner_follows(match, text);
    result_rules_on_end(match, text);
}

void match_rules_on_news(struct referee *referee, struct referee_match *match, const char *text,
                         uint16_t seq)
{
    if (match->is_over) sim_failed("end comes last: %s", text);
    if (text_is_of(text, "match")) {
        learn_match(referee, match, text);
    } else if (text_is_of(text, "round")) {
        learn_round(referee, match, text, seq);
    } else if (text_is_of(text, "reveal")) {
        learn_reveal(match, text, seq);
    } else if (text_is_of(text, "peer")) {
        learn_peer(match, text, seq);
    } else if (text_is_of(text, "end")) {
        learn_end(match, text);
    } else {
        sim_failed("only what a match has logged is numbered: %s", text);
    }
}
