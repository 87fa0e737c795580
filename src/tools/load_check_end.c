#include <string.h>

#include "load_check_priv.h"
#include "load_json.h"

/* The index with the most points, or none where there are several. */
static int64_t best_of(const struct check_match *match)
{
    int64_t best = 0;
    bool is_shared = false;
    for (unsigned index = 1; index < match->player_count; index++) {
        if (match->players[index].score == match->players[best].score) is_shared = true;
        if (match->players[index].score <= match->players[best].score) continue;
        best = index;
        is_shared = false;
    }
    return is_shared ? CHECK_NO_WINNER : best;
}

/* The one who is not gone, or none. */
static int64_t left_over(const struct check_match *match)
{
    for (unsigned index = 0; index < match->player_count; index++)
        if (!match->players[index].is_gone) return index;
    return CHECK_NO_WINNER;
}

static void check_outcome(struct reading *reading, enum check_end_reason reason, int64_t winner)
{
    const struct check_match *match = &reading->check->match;
    int64_t right = CHECK_NO_WINNER;
    if (reason == CHECK_END_FINISHED) right = best_of(match);
    if (reason == CHECK_END_FORFEIT) right = left_over(match);
    if (winner != right)
        fail(reading, "end: `winner` is %lld, not %lld", (long long)winner, (long long)right);
    if (reason == CHECK_END_FINISHED && (match->round != match->rounds || match->is_open))
        fail(reading, "end: finished before the last round was revealed");
    if (reason == CHECK_END_FORFEIT && !any_gone(match))
        fail(reading, "end: forfeit, and nobody is gone");
}

static void check_scores(struct reading *reading)
{
    const struct check_match *match = &reading->check->match;
    const cJSON *scores, *item;
    int count = match->player_count;
    unsigned index = 0;
    int64_t number;
    if (!need_array(reading, reading->object, "scores", count, count, &scores)) return;
    cJSON_ArrayForEach(item, scores)
    {
        if (!json_int(item, 0, SCORE_MAX, &number) || number != match->players[index].score)
            fail(reading, "end: the score of player %u is not the sum of its points", index);
        index++;
    }
}

static void check_rating(struct reading *reading, const cJSON *item, unsigned index, int64_t winner)
{
    const struct check_match *match = &reading->check->match;
    int64_t before, after;
    if (!need_int(reading, item, "before", 0, SCORE_MAX, &before) ||
        !need_int(reading, item, "after", 0, SCORE_MAX, &after))
        return;
    if (before != match->players[index].rating)
        fail(reading, "end: player %u was rated %lld before, and `match` showed %lld", index,
             (long long)before, (long long)match->players[index].rating);
    if (winner == (int64_t)index && after < before) fail(reading, "end: the winner's rating fell");
    if (winner != CHECK_NO_WINNER && winner != (int64_t)index && after > before)
        fail(reading, "end: the loser's rating rose");
}

static void check_ratings(struct reading *reading, enum check_end_reason reason, int64_t winner)
{
    const struct check_match *match = &reading->check->match;
    const cJSON *ratings = json_find(reading->object, "ratings"), *item;
    int count = match->player_count;
    unsigned index = 0;
    bool is_rated =
        match->is_rated && (reason == CHECK_END_FINISHED || reason == CHECK_END_FORFEIT);
    if (cJSON_IsNull(ratings) != !is_rated)
        fail(reading, "end: `ratings` is null, or not, wrongly");
    if (!is_rated || !need_array(reading, reading->object, "ratings", count, count, &ratings))
        return;
    cJSON_ArrayForEach(item, ratings) check_rating(reading, item, index++, winner);
}

void read_end(struct reading *reading)
{
    if (!is_of_match(reading)) return;
    struct check *check = reading->check;
    take_seq(reading);
    const char *text = "";
    (void)need_string(reading, reading->object, "reason", 16, &text); /* Noted by fail(). */
    unsigned reason = 0;
    while (reason < CHECK_END_REASONS && strcmp(text, check_end_name(reason)) != 0) reason++;
    if (reason == CHECK_END_REASONS) {
        fail(reading, "end: `reason` is none of the four");
        reason = CHECK_END_CANCELLED;
    }
    int64_t winner = CHECK_NO_WINNER;
    bool is_nobody;
    if (need_int_or_null(reading, reading->object, "winner", 0, check->match.player_count - 1,
                         &winner, &is_nobody))
        check_outcome(reading, reason, winner);
    check_scores(reading);
    check_ratings(reading, reason, winner);
    let_go(check);
    check->back.awaits_clock = false;
    check->phase = CHECK_IDLE;
    reading->news->kind = NEWS_END;
    reading->news->round = check->match.round;
    reading->news->end_reason = (uint8_t)reason;
}
