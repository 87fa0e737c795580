/* The invariants of a match, one function each, looked at after every move. */
#include "match_priv.h"

static bool is_in_play(const struct match *match)
{
    return match->state < MATCH_SETTLING;
}

static bool no_more_rounds_than_there_are(const struct match *match)
{
    return match->settings.rounds <= MATCH_ROUNDS_MAX && match->round <= match->settings.rounds;
}

static bool the_log_holds_what_was_told(const struct match *match)
{
    return match->seq >= 1 && match->seq <= MATCH_LOG_MAX;
}

static bool a_score_is_the_sum_of_its_points(const struct match *match)
{
    for (unsigned player = 0; player < MATCH_PLAYERS_MAX; player++) {
        uint32_t sum = 0;
        for (unsigned i = 0; i < match->round; i++) sum += match->rounds[i].answers[player].points;
        if (sum != match->players[player].score) return false;
    }
    return true;
}

static bool presence_fits_the_absences(const struct match *match)
{
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct match_player *player = &match->players[i];
        if (player->absences > ABSENCES_MAX) return false;
        if (player->presence == PRESENCE_AWAY && player->absences == 0) return false;
    }
    return true;
}

static bool in_play_who_is_gone_leaves_one_who_is_away(const struct match *match)
{
    if (!is_in_play(match)) return true;
    for (uint8_t i = 0; i < MATCH_PLAYERS_MAX; i++) {
        if (match->players[i].presence != PRESENCE_GONE) continue;
        if (match->players[match_other(i)].presence != PRESENCE_AWAY) return false;
    }
    return true;
}

static bool there_is_a_reason_once_it_is_over(const struct match *match)
{
    return (match->reason != MATCH_END_NONE) == !is_in_play(match);
}

static bool only_a_result_has_a_winner(const struct match *match)
{
    if (match->winner == MATCH_WINNER_NONE) return match->reason != MATCH_END_FORFEIT;
    return match->winner >= 0 && match->winner < MATCH_PLAYERS_MAX && match_has_result(match);
}

static bool only_the_gone_forfeit(const struct match *match)
{
    if (match->reason != MATCH_END_FORFEIT) return true;
    return match->players[match_other((uint8_t)match->winner)].presence == PRESENCE_GONE;
}

static bool a_result_is_saved_before_it_counts(const struct match *match)
{
    if (match->state == MATCH_ENDED) return match->is_saved == match_has_result(match);
    return !match->is_saved;
}

static bool only_a_rated_result_changes_ratings(const struct match *match)
{
    if (match_shows_ratings(match)) return true;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct match_player *player = &match->players[i];
        if (!rating_equal(&player->rating, &player->rating_after)) return false;
    }
    return true;
}

static bool a_bot_is_always_here(const struct match *match)
{
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct match_player *player = &match->players[i];
        if (player->is_bot && player->presence != PRESENCE_HERE) return false;
    }
    return true;
}

static const struct {
    const char *claim;
    bool (*holds)(const struct match *match);
} invariants[] = {
    {"no more rounds than there are", no_more_rounds_than_there_are},
    {"the log holds what was told", the_log_holds_what_was_told},
    {"a score is the sum of its points", a_score_is_the_sum_of_its_points},
    {"presence fits the absences", presence_fits_the_absences},
    {"in play who is gone leaves one who is away", in_play_who_is_gone_leaves_one_who_is_away},
    {"there is a reason once it is over", there_is_a_reason_once_it_is_over},
    {"only a result has a winner", only_a_result_has_a_winner},
    {"only the gone forfeit", only_the_gone_forfeit},
    {"a result is saved before it counts", a_result_is_saved_before_it_counts},
    {"only a rated result changes ratings", only_a_rated_result_changes_ratings},
    {"a bot is always here", a_bot_is_always_here},
};

const char *match_find_broken(const struct match *match)
{
    for (unsigned i = 0; i < sizeof(invariants) / sizeof(*invariants); i++) {
        /* In order: a later one may read what an earlier one bounds. */
        if (!invariants[i].holds(match)) return invariants[i].claim;
    }
    return NULL;
}
