/* What is saved is what was told, and the ratings follow from it: recomputed from the records before (core/rating.h has
 * the arithmetic, and tests of its own against the paper's example). */

#include <stdlib.h>
#include <string.h>

#include "sim_failed.h"
#include "sim_referee_priv.h"
#include "sim_text.h"

/* --- What is saved. --- */

static void what_is_saved_is_what_was_told(const struct referee_match *match,
                                           const struct match_result *result)
{
    if (!match->is_known) return; /* Nobody reads. */
    bool is_it = result->is_rated == match->is_rated && result->player_count == MATCH_PLAYERS_MAX;
    for (unsigned i = 0; i < match->revealed; i++) {
        const struct referee_round *told = &match->rounds[i];
        const struct result_round *saved = &result->rounds[i];
        is_it = is_it && saved->is_revealed && saved->weight == told->weight &&
                saved->places[told->right] == 0;
        for (unsigned seat = 0; seat < MATCH_PLAYERS_MAX; seat++) {
            const struct referee_answer *answer = &told->answers[seat];
            const struct result_answer *kept = &saved->answers[seat];
            is_it = is_it && kept->choice == answer->choice && kept->points == told->points[seat] &&
                    (answer->choice < 0 || kept->at_ms == answer->at_ms);
        }
    }
    if (!is_it)
        sim_failed("what is saved is what was told: not so in round 1 to %u", match->revealed);
}

static bool is_same_result(const struct referee_match *match, const struct match_result *result)
{
    bool is_same = match->reason == result->reason && match->winner == result->winner;
    for (unsigned seat = 0; seat < MATCH_PLAYERS_MAX; seat++) {
        const struct result_player *player = &result->players[seat];
        is_same = is_same && match->scores[seat] == player->score &&
                  rating_equal(&match->before[seat], &player->before) &&
                  rating_equal(&match->after[seat], &player->after);
    }
    return is_same;
}

static void a_result_is_fixed(const struct referee_match *match, const struct match_result *result)
{
    if (match->has_result && !is_same_result(match, result))
        sim_failed("a result is fixed: saved again, it is another one");
}

/* --- Ratings. --- */

static struct rating after_days(const struct referee_rating *known, wall_time now)
{
    int64_t days = 0;
    if (known->rated_at.ms != 0 && now.ms > known->rated_at.ms)
        days = (now.ms - known->rated_at.ms) / RATING_DAY_MS;
    return rating_after_idle(&known->rating, (uint32_t)days);
}

static bool is_from(const struct referee_rating *known, const struct match_result *result,
                    const struct rating *before)
{
    if (!known->is_known) return false;
    struct rating expected =
        result->is_rated ? after_days(known, result->created_at) : known->rating;
    return rating_equal(&expected, before);
}

/* The ratings go from match to match, or come from the store: so one that is applied twice, or not at all, is another
 * one in the next match. */
static void a_rating_is_applied_once(const struct referee_player *player,
                                     const struct match_result *result, const struct rating *before)
{
    struct rating initial = rating_initial();
    bool is_new = !player->by_result.is_known && !player->by_store.is_known;
    bool is_it = is_new ? rating_equal(before, &initial)
                        : is_from(&player->by_result, result, before) ||
                              is_from(&player->by_store, result, before);
    if (is_it || player->has_old_rating) return;
    sim_failed("a rating is applied once: %d before this match, %d after the last",
               before->rating_centi, player->by_result.rating.rating_centi);
}

static enum rating_score score_of(const struct match_result *result, int seat)
{
    if (result->winner < 0) return RATING_DRAW;
    return result->winner == seat ? RATING_WIN : RATING_LOSS;
}

static void ratings_follow_from_the_result(const struct referee *referee,
                                           const struct match_result *result)
{
    for (int seat = 0; seat < MATCH_PLAYERS_MAX; seat++) {
        const struct result_player *own = &result->players[seat];
        struct rating after = own->before;
        if (result->is_rated)
            after = rating_after_match(&own->before, &result->players[1 - seat].before,
                                       score_of(result, seat), referee->tau_milli);
        if (!rating_equal(&after, &own->after))
            sim_failed("ratings follow from the result: %d, not %d", after.rating_centi,
                       own->after.rating_centi);
    }
}

static void keep_result(struct referee_match *match, const struct match_result *result)
{
    match->has_result = true;
    match->reason = result->reason;
    match->winner = result->winner;
    match->is_rated_result = result->is_rated;
    match->decided_at = result->ended_at;
    for (unsigned seat = 0; seat < MATCH_PLAYERS_MAX; seat++) {
        match->players[seat] = result->players[seat].player;
        match->before[seat] = result->players[seat].before;
        match->after[seat] = result->players[seat].after;
        match->scores[seat] = result->players[seat].score;
    }
}

void referee_on_save(struct referee *referee, const struct match_result *result)
{
    struct referee_match *match = &referee->matches[referee_find_match(referee, &result->match)];
    a_result_is_fixed(match, result);
    what_is_saved_is_what_was_told(match, result);
    ratings_follow_from_the_result(referee, result);
    if (!match->has_result) {
        for (unsigned seat = 0; seat < MATCH_PLAYERS_MAX; seat++) {
            const struct result_player *player = &result->players[seat];
            if (player->is_bot) continue;
            int known = referee_find_player(referee, &player->player);
            a_rating_is_applied_once(&referee->players[known], result, &player->before);
        }
    }
    keep_result(match, result);
}

void referee_on_loaded(struct referee *referee, const struct id *player,
                       const struct player_record *record)
{
    struct referee_rating *known = &referee->players[referee_find_player(referee, player)].by_store;
    *known = (struct referee_rating){.is_known = true, .rating = rating_initial()};
    referee->players[referee_find_player(referee, player)].has_old_rating = false;
    if (record == NULL) return;
    known->rating = record->rating;
    known->rated_at = record->rated_at;
}

/* --- end. --- */

static int64_t shown(int32_t centi)
{
    return (centi + 50) / 100; /* A rating is positive. */
}

static void end_shows_the_saved_ratings(const struct referee_match *match, const char *text)
{
    const char *at = text_behind(text, "\"ratings\":");
    bool is_rated = match->is_rated && (strstr(text, "\"reason\":\"finished\"") != NULL ||
                                        strstr(text, "\"reason\":\"forfeit\"") != NULL);
    if (!is_rated) {
        if (strncmp(at, "null", 4) != 0)
            sim_failed("only a rated result changes ratings: %s", text);
        return;
    }
    for (unsigned seat = 0; seat < MATCH_PLAYERS_MAX; seat++) {
        bool is_it =
            text_take_number(&at, "\"before\":") == shown(match->before[seat].rating_centi);
        is_it =
            text_take_number(&at, "\"after\":") == shown(match->after[seat].rating_centi) && is_it;
        if (!is_it) sim_failed("end shows the saved ratings: %s", text);
    }
}

static void end_tells_what_was_saved(const struct referee_match *match, const char *text)
{
    const char *at = text;
    if (text_take_number(&at, "\"winner\":") != match->winner)
        sim_failed("end tells what was saved: another winner, %s", text);
    at = text_behind(text, "\"scores\":");
    for (unsigned seat = 0; seat < MATCH_PLAYERS_MAX; seat++) {
        char *end;
        if (strtoul(at + 1, &end, 10) != match->scores[seat])
            sim_failed("end tells what was saved: another score, %s", text);
        at = end;
    }
}

void result_rules_on_end(const struct referee_match *match, const char *text)
{
    bool is_result = strstr(text, "\"reason\":\"finished\"") != NULL ||
                     strstr(text, "\"reason\":\"forfeit\"") != NULL;
    if (is_result && !match->has_result) sim_failed("end comes after the store's yes: %s", text);
    end_shows_the_saved_ratings(match, text);
    if (is_result) end_tells_what_was_saved(match, text);
}

void result_rules_on_saved(struct referee *referee, const struct referee_match *match)
{
    if (!match->has_result || !match->is_rated_result) return;
    for (unsigned seat = 0; seat < MATCH_PLAYERS_MAX; seat++) {
        int player = referee_find_player(referee, &match->players[seat]);
        referee->players[player].has_old_rating = false;
        referee->players[player].by_result = (struct referee_rating){
            .is_known = true, .rating = match->after[seat], .rated_at = match->decided_at};
    }
}
