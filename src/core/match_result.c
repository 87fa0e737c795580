#include "core/match_result.h"

#include <string.h>

#include "base/assert.h"
#include "match_priv.h"

static void copy_player(const struct match_player *player, struct result_player *ret_player)
{
    ret_player->player = player->player;
    memcpy(ret_player->name, player->name, sizeof ret_player->name);
    ret_player->before = player->rating;
    ret_player->after = player->rating_after;
    ret_player->score = player->score;
    ret_player->is_gone = player->presence == PRESENCE_GONE;
    ret_player->is_bot = player->is_bot;
}

static void copy_round(const struct match *match, const struct match_round *round,
                       struct result_round *ret_round)
{
    ret_round->question = &match->bank->questions[round->question];
    memcpy(ret_round->places, round->places, sizeof ret_round->places);
    ret_round->choice_count = round->choice_count;
    ret_round->weight = round->weight;
    ret_round->is_revealed = round->is_revealed;
    ret_round->time_ms = match->settings.round_time_ms;
    ret_round->began_at = match_wall(match, match_began_at(match, round));
    for (unsigned i = 0; i < match->player_count; i++) {
        const struct match_answer *answer = &round->answers[i];
        ret_round->answers[i] = (struct result_answer){.choice = answer->choice};
        if (answer->choice == MATCH_CHOICE_NONE) continue;
        ret_round->answers[i] = (struct result_answer){
            .choice = answer->choice,
            .is_right = answer->is_right,
            .credit_ms = round->credits_ms[i],
            .points = answer->points,
            .at_ms = match_answer_time(round, i),
            .received_at = match_wall(match, match_answered_at(match, round, i)),
        };
    }
}

void match_result_of(const struct match *match, struct match_result *ret_result)
{
    QR_ASSERT(match->state == MATCH_SETTLING);
    QR_ASSERT(match->reason == MATCH_END_FINISHED || match->reason == MATCH_END_FORFEIT);
    memset(ret_result, 0, sizeof *ret_result);
    ret_result->match = match->id;
    ret_result->mode = match->settings.mode;
    ret_result->reason = match->reason;
    ret_result->is_rated = match->is_rated;
    ret_result->winner = match->winner;
    ret_result->player_count = match->player_count;
    ret_result->round_count = match->round;
    ret_result->tau_milli = (uint16_t)match->settings.tau_milli;
    ret_result->created_at = match_wall(match, match->created_at);
    ret_result->ended_at = match_wall(match, match->settled_at);
    ret_result->bank = match->bank;
    for (unsigned i = 0; i < match->player_count; i++) {
        copy_player(&match->players[i], &ret_result->players[i]);
    }
    for (unsigned i = 0; i < match->round; i++) {
        copy_round(match, &match->rounds[i], &ret_result->rounds[i]);
    }
}

static enum rating_score score_of(const struct match_result *result, unsigned place)
{
    if (result->winner == MATCH_WINNER_NONE) return RATING_DRAW;
    return result->winner == (int)place ? RATING_WIN : RATING_LOSS;
}

static bool apply_rating(const struct match_result *result, unsigned place,
                         struct player_record *record)
{
    const struct result_player *player = &result->players[place];
    const struct result_player *other = &result->players[match_other((uint8_t)place)];
    struct rating standing =
        rating_after_idle(&record->rating, player_idle_days(record, result->created_at));
    bool is_as_computed = rating_equal(&standing, &player->before);
    record->rating = is_as_computed
                         ? player->after
                         : rating_after_match(&standing, &other->before, score_of(result, place),
                                              result->tau_milli);
    if (record->rated_at.ms < result->ended_at.ms) record->rated_at = result->ended_at;
    opponents_add(&record->opponents, player_fingerprint(&other->player), result->ended_at);
    return !is_as_computed;
}

bool match_result_apply(const struct match_result *result, unsigned place,
                        struct player_record *record)
{
    QR_ASSERT(place < result->player_count);
    for (unsigned i = 0; i < result->round_count; i++) {
        recent_add(&record->recent, question_fingerprint(result->rounds[i].question));
    }
    return result->is_rated && apply_rating(result, place, record);
}

struct match_tally match_result_tally(const struct match_result *result, unsigned place,
                                      uint8_t category)
{
    QR_ASSERT(place < result->player_count);
    struct match_tally tally = {0};
    for (unsigned i = 0; i < result->round_count; i++) {
        const struct result_round *round = &result->rounds[i];
        const struct result_answer *answer = &round->answers[place];
        if (!round->is_revealed) continue;
        if (category != QUESTION_CATEGORY_ANY && round->question->category != category) continue;
        tally.rounds++;
        if (answer->choice == MATCH_CHOICE_NONE) continue;
        tally.answers++;
        if (answer->is_right) tally.right_answers++;
        tally.points += answer->points;
    }
    return tally;
}

bool match_result_is_listed(const struct match_result *result)
{
    return result->is_rated || result->mode != MATCH_MODE_DUEL;
}
