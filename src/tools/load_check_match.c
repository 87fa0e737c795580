#include <stdio.h>
#include <string.h>

#include "load_check_priv.h"
#include "load_json.h"

enum {
    SEQ_MAX = 65535,
    CHOICES_MIN = 2,
    CHOICES_MAX = 6,
    QUESTION_CHARACTERS_MAX = 300,
    CHOICE_CHARACTERS_MAX = 120,
    ROUND_TIME_MIN_MS = 501, /* The points' formula divides by what is above 500. */
    ROUND_TIME_MAX_MS = 3600000,
    CREDIT_MAX_MS = 250, /* protocol.md, "Answer time". */
    SCORE_MAX = 1000000,
    /* Clocks are read in whole milliseconds, and a message may be stamped at the start of the
     * loop's iteration that reads it. */
    AT_SLACK_MS = 25,
};

uint32_t check_points(uint32_t at_ms, uint32_t time_ms, uint32_t weight)
{
    uint32_t late_ms = at_ms > 500 ? at_ms : 500;
    return (500 + 500 * (time_ms - late_ms) / (time_ms - 500)) * weight;
}

/* The player is in a match, and this message is of it. */
static bool is_of_match(struct reading *reading)
{
    const struct check *check = reading->check;
    const char *match;
    if (!need_string(reading, reading->object, "match", CHECK_ID_BYTES - 1, &match)) return false;
    if (check->phase == CHECK_PLAYING && strcmp(match, check->match.text) == 0) return true;
    fail(reading, "%s: of a match that the player is not in", reading->type);
    return false;
}

/* The next message in the match's order, with the bytes that the other player gets. */
static void take_seq(struct reading *reading)
{
    struct check_match *match = &reading->check->match;
    int64_t seq;
    if (!need_int(reading, reading->object, "seq", 1, SEQ_MAX, &seq)) return;
    if (seq != match->seq + 1)
        fail(reading, "%s: `seq` is %lld after %u", reading->type, (long long)seq, match->seq);
    match->seq = (uint32_t)seq;
    if (!twins_see(reading->check->twins, &match->id, match->seq, reading->text, reading->bytes))
        fail(reading, "%s: the other player got other bytes for this `seq`", reading->type);
}

static bool need_index(struct reading *reading, const char *field, uint32_t *ret_index)
{
    int64_t index;
    const struct check_match *match = &reading->check->match;
    if (!need_int(reading, reading->object, field, 0, match->player_count - 1, &index))
        return false;
    *ret_index = (uint32_t)index;
    return true;
}

/* --- match. --- */

static void read_entrants(struct reading *reading, const cJSON *players)
{
    struct check *check = reading->check;
    bool is_there = false;
    uint8_t index = 0;
    const cJSON *entrant;
    cJSON_ArrayForEach(entrant, players)
    {
        const char *player, *name;
        int64_t rating;
        (void)need_int(reading, entrant, "rating", 0, SCORE_MAX, &rating); /* Noted by fail(). */
        if (need_string(reading, entrant, "name", 24, &name) &&
            need_string(reading, entrant, "player", CHECK_ID_BYTES - 1, &player) &&
            strcmp(player, check->player) == 0) {
            if (strcmp(name, check->name) != 0)
                fail(reading, "match: the player's name is another");
            if (is_there) fail(reading, "match: the player is in it twice");
            is_there = true;
            check->match.own = index;
        }
        index++;
    }
    if (!is_there) fail(reading, "match: the player is not among `players`");
}

void read_match(struct reading *reading)
{
    struct check *check = reading->check;
    const char *text, *mode;
    struct id id;
    if (check->phase != CHECK_QUEUED) fail(reading, "match: the player was not queued");
    if (!need_string(reading, reading->object, "match", CHECK_ID_BYTES - 1, &text)) return;
    if (!id_parse(text, (uint32_t)strlen(text), &id)) {
        fail(reading, "match: `match` is no id");
        return;
    }
    if (check->phase == CHECK_PLAYING) twins_leave(check->twins, &check->match.id);
    check->match = (struct check_match){.id = id, .player_count = 2};
    (void)snprintf(check->match.text, sizeof(check->match.text), "%s", text); /* It fits. */
    check->phase = CHECK_PLAYING;
    twins_join(check->twins, &id);
    take_seq(reading);
    if (need_string(reading, reading->object, "mode", 16, &mode) && strcmp(mode, "duel") != 0)
        fail(reading, "match: another mode than the one joined");
    (void)need_bool(reading, reading->object, "rated",
                    &check->match.is_rated); /* Noted by fail(). */
    int64_t rounds = 1;
    (void)need_int(reading, reading->object, "rounds", 1, CHECK_ROUNDS_MAX, &rounds);
    check->match.rounds = (uint32_t)rounds;
    (void)need_wall(reading, reading->object, "starts_at_ms", &check->match.starts_at_ms);
    const cJSON *players;
    if (need_array(reading, reading->object, "players", 2, 2, &players))
        read_entrants(reading, players);
    reading->news->kind = NEWS_MATCH;
}

/* --- round. --- */

static void read_choices(struct reading *reading)
{
    const cJSON *choices, *choice;
    if (!need_array(reading, reading->object, "choices", CHOICES_MIN, CHOICES_MAX, &choices))
        return;
    reading->check->match.choice_count = (uint32_t)cJSON_GetArraySize(choices);
    cJSON_ArrayForEach(choice, choices)
    {
        const char *text = json_string(choice);
        if (text == NULL || text[0] == '\0' || json_characters(text) > CHOICE_CHARACTERS_MAX) {
            fail(reading, "round: a choice is not a string of 1 to 120 characters");
            continue;
        }
        for (const cJSON *other = choice->next; other != NULL; other = other->next)
            if (cJSON_IsString(other) && strcmp(text, other->valuestring) == 0)
                fail(reading, "round: two choices are the same");
    }
}

static void read_question(struct reading *reading)
{
    const char *text;
    (void)need_string(reading, reading->object, "question_id", CHECK_ID_BYTES,
                      &text); /* By fail(). */
    (void)need_string(reading, reading->object, "category", 64, &text);
    (void)need_string(reading, reading->object, "question", QUESTION_CHARACTERS_MAX, &text);
    if (need_string(reading, reading->object, "difficulty", 16, &text) &&
        strcmp(text, "easy") != 0 && strcmp(text, "medium") != 0 && strcmp(text, "hard") != 0)
        fail(reading, "round: `difficulty` is none of easy, medium, hard");
    read_choices(reading);
}

void read_round(struct reading *reading)
{
    if (!is_of_match(reading)) return;
    struct check_match *match = &reading->check->match;
    if (match->is_open) fail(reading, "round: round %u was not revealed", match->round);
    take_seq(reading);
    int64_t round = match->round + 1, rounds, time_ms = ROUND_TIME_MIN_MS, weight = 1, deadline_ms;
    if (need_int(reading, reading->object, "round", 1, match->rounds, &round) &&
        round != match->round + 1)
        fail(reading, "round: %lld after %u", (long long)round, match->round);
    (void)need_int(reading, reading->object, "rounds", match->rounds, match->rounds, &rounds);
    (void)need_int(reading, reading->object, "time_ms", ROUND_TIME_MIN_MS, ROUND_TIME_MAX_MS,
                   &time_ms);
    int64_t right_weight = round == match->rounds ? 2 : 1;
    (void)need_int(reading, reading->object, "weight", right_weight, right_weight, &weight);
    if (need_wall(reading, reading->object, "deadline_ms", &deadline_ms) &&
        deadline_ms < match->starts_at_ms + time_ms)
        fail(reading, "round: `deadline_ms` lies before the match's start and the round's time");
    match->round = (uint32_t)round;
    match->time_ms = (uint32_t)time_ms;
    match->weight = (uint32_t)weight;
    match->choice_count = CHOICES_MIN;
    match->is_open = true;
    match->round_came_us = reading->now_us;
    for (unsigned index = 0; index < match->player_count; index++)
        match->players[index].has_answered = false;
    read_question(reading);
    reading->news->kind = NEWS_ROUND;
    reading->news->round = match->round;
    reading->news->choice_count = match->choice_count;
}

/* --- accepted, answered. --- */

/* The first receipt of a round. */
static void take_receipt(struct reading *reading, const struct check_request *request,
                         const struct check_answer *answer, int64_t rtt_ms)
{
    struct check_match *match = &reading->check->match;
    if (!match->is_open || request->round != match->round)
        fail(reading, "accepted: the round is not open");
    if (answer->choice != request->choice)
        fail(reading, "accepted: another `choice` than the answer's");
    if (answer->at_ms > match->time_ms) fail(reading, "accepted: `at_ms` is behind the deadline");
    /* The server's clock for the round began before its message came here, and stopped after the
     * answer left. */
    int64_t thought_ms = ((int64_t)request->sent_us - (int64_t)match->round_came_us) / 1000;
    if (request->round == match->round && answer->at_ms + rtt_ms + AT_SLACK_MS < thought_ms)
        fail(reading, "accepted: `at_ms` is %u, the player thought for %lld", answer->at_ms,
             (long long)thought_ms);
    match->own_answers[request->round] = *answer;
}

void read_accepted(struct reading *reading, const struct check_request *request)
{
    const struct check *check = reading->check;
    int64_t number, choice = 0, at_ms = 0, rtt_ms = 0;
    bool is_dup = false;
    reading->news->kind = NEWS_ACCEPTED;
    (void)need_int(reading, reading->object, "round", request->round, request->round, &number);
    if (!need_int(reading, reading->object, "choice", 0, CHOICES_MAX - 1, &choice)) return;
    if (!need_int(reading, reading->object, "at_ms", 0, ROUND_TIME_MAX_MS, &at_ms)) return;
    (void)need_int(reading, reading->object, "rtt_ms", 0, CREDIT_MAX_MS, &rtt_ms); /* By fail(). */
    if (!need_bool(reading, reading->object, "dup", &is_dup)) return;
    reading->news->is_dup = is_dup;
    if (check->phase != CHECK_PLAYING) {
        fail(reading, "accepted: the player is in no match");
        return;
    }
    const struct check_answer *first = &check->match.own_answers[request->round];
    struct check_answer answer = {true, (int8_t)choice, (uint32_t)at_ms};
    if (is_dup != first->is_there)
        fail(reading, "accepted: `dup` is %s",
             is_dup ? "true for a first answer" : "false for a second");
    else if (!is_dup)
        take_receipt(reading, request, &answer, rtt_ms);
    else if (answer.choice != first->choice || answer.at_ms != first->at_ms)
        fail(reading, "accepted: the repetition's receipt is not the first one");
}

void read_answered(struct reading *reading)
{
    if (!is_of_match(reading)) return;
    struct check_match *match = &reading->check->match;
    int64_t round;
    uint32_t index;
    if (!need_int(reading, reading->object, "round", 1, match->rounds, &round)) return;
    if (!need_index(reading, "player", &index)) return;
    if (!match->is_open || round != match->round) fail(reading, "answered: the round is not open");
    if (match->players[index].has_answered) fail(reading, "answered: told twice for one player");
    if (index == match->own && !match->own_answers[round].is_there)
        fail(reading, "answered: before the accepted it belongs to");
    match->players[index].has_answered = true;
}

/* --- reveal. --- */

static void check_own_result(struct reading *reading, const struct check_answer *told)
{
    const struct check_match *match = &reading->check->match;
    const struct check_answer *own = &match->own_answers[match->round];
    if (told->is_there != own->is_there)
        fail(reading, "reveal: %s",
             told->is_there ? "an answer that was not accepted" : "the accepted answer is missing");
    else if (told->is_there && (told->choice != own->choice || told->at_ms != own->at_ms))
        fail(reading, "reveal: the accepted answer is another");
}

static void read_result(struct reading *reading, const cJSON *result, uint32_t index,
                        int64_t correct)
{
    struct check_match *match = &reading->check->match;
    struct check_player *player = &match->players[index];
    int64_t choice = CHECK_NO_CHOICE, at_ms = 0, points = 0, score = 0, streak = 0;
    bool has_no_choice = false, has_no_time = false;
    (void)need_int_or_null(reading, result, "choice", 0, match->choice_count - 1, &choice,
                           &has_no_choice);
    (void)need_int_or_null(reading, result, "at_ms", 0, match->time_ms, &at_ms, &has_no_time);
    if (has_no_choice != has_no_time)
        fail(reading, "reveal: `choice` without `at_ms`, or the reverse");
    struct check_answer answer = {!has_no_choice, (int8_t)choice, (uint32_t)at_ms};
    if (player->has_answered && !answer.is_there) fail(reading, "reveal: answered, and no answer");
    if (index == match->own) check_own_result(reading, &answer);

    bool is_right = answer.is_there && choice == correct;
    uint32_t worth = is_right ? check_points(answer.at_ms, match->time_ms, match->weight) : 0;
    player->score += worth;
    player->streak = is_right ? player->streak + 1 : 0;
    if (need_int(reading, result, "points", 0, SCORE_MAX, &points) && points != worth)
        fail(reading, "reveal: `points` of player %u is %lld, not %u", index, (long long)points,
             worth);
    if (need_int(reading, result, "score", 0, SCORE_MAX, &score) && score != player->score)
        fail(reading, "reveal: `score` of player %u is %lld, not %u", index, (long long)score,
             player->score);
    if (need_int(reading, result, "streak", 0, CHECK_ROUNDS_MAX, &streak) &&
        streak != player->streak)
        fail(reading, "reveal: `streak` of player %u is %lld, not %u", index, (long long)streak,
             player->streak);
}

void read_reveal(struct reading *reading)
{
    if (!is_of_match(reading)) return;
    struct check_match *match = &reading->check->match;
    take_seq(reading);
    int64_t round, correct = CHECK_NO_CHOICE, next_at_ms;
    bool has_no_next = false;
    (void)need_int(reading, reading->object, "round", match->round, match->round,
                   &round); /* By fail(). */
    if (!match->is_open) {
        fail(reading, "reveal: no round is open");
        return;
    }
    match->is_open = false;
    if (need_int_or_null(reading, reading->object, "next_at_ms", 0,
                         INT64_C(1) << JSON_EXACT_MAX_BITS, &next_at_ms, &has_no_next) &&
        has_no_next != (match->round == match->rounds))
        fail(reading, "reveal: `next_at_ms` is null, or not, in the wrong round");
    (void)need_int(reading, reading->object, "correct", 0, match->choice_count - 1, &correct);
    const cJSON *results, *result;
    reading->news->kind = NEWS_REVEAL;
    if (!need_array(reading, reading->object, "results", match->player_count, match->player_count,
                    &results))
        return;
    uint32_t index = 0;
    cJSON_ArrayForEach(result, results) read_result(reading, result, index++, correct);
}

/* --- peer, saving, emote. --- */

void read_peer(struct reading *reading)
{
    if (!is_of_match(reading)) return;
    take_seq(reading);
    uint32_t index;
    const char *state;
    if (!need_index(reading, "player", &index)) return;
    if (!need_string(reading, reading->object, "state", 8, &state)) return;
    struct check_player *player = &reading->check->match.players[index];
    int64_t grace_ms;
    if (strcmp(state, "away") == 0) {
        (void)need_int(reading, reading->object, "grace_ms", 0, ROUND_TIME_MAX_MS, &grace_ms);
        if (player->is_away || player->is_gone) fail(reading, "peer: away, and was not there");
        player->is_away = true;
    } else if (strcmp(state, "back") == 0) {
        if (!player->is_away || player->is_gone) fail(reading, "peer: back, and was not away");
        player->is_away = false;
    } else if (strcmp(state, "gone") == 0) {
        if (player->is_gone) fail(reading, "peer: gone twice");
        player->is_gone = true;
    } else {
        fail(reading, "peer: `state` is none of away, back, gone");
    }
}

static bool any_gone(const struct check_match *match)
{
    for (unsigned index = 0; index < match->player_count; index++)
        if (match->players[index].is_gone) return true;
    return false;
}

void read_saving(struct reading *reading)
{
    if (!is_of_match(reading)) return;
    const struct check_match *match = &reading->check->match;
    bool is_played = match->round == match->rounds && !match->is_open;
    if (!is_played && !any_gone(match)) fail(reading, "saving: the match is not over");
}

void read_emote(struct reading *reading)
{
    const struct check *check = reading->check;
    uint32_t index;
    const char *code;
    if (!is_of_match(reading)) return;
    (void)need_index(reading, "player", &index); /* Noted by fail(). */
    if (!need_string(reading, reading->object, "code", CHECK_CODE_BYTES - 1, &code)) return;
    for (uint32_t known = 0; known < check->emote_count; known++)
        if (strcmp(code, check->emotes[known]) == 0) return;
    fail(reading, "emote: welcome did not list it");
}

/* --- end. --- */

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

static void check_lists(struct reading *reading, enum check_end_reason reason)
{
    const struct check_match *match = &reading->check->match;
    const cJSON *scores, *ratings = json_find(reading->object, "ratings"), *item;
    int count = match->player_count;
    unsigned index = 0;
    int64_t number;
    if (need_array(reading, reading->object, "scores", count, count, &scores)) {
        cJSON_ArrayForEach(item, scores)
        {
            if (!json_int(item, 0, SCORE_MAX, &number) || number != match->players[index].score)
                fail(reading, "end: the score of player %u is not the sum of its points", index);
            index++;
        }
    }
    bool is_rated =
        match->is_rated && (reason == CHECK_END_FINISHED || reason == CHECK_END_FORFEIT);
    if (cJSON_IsNull(ratings) != !is_rated)
        fail(reading, "end: `ratings` is null, or not, wrongly");
    if (!is_rated || !need_array(reading, reading->object, "ratings", count, count, &ratings))
        return;
    cJSON_ArrayForEach(item, ratings)
    {
        (void)need_int(reading, item, "before", 0, SCORE_MAX, &number); /* Noted by fail(). */
        (void)need_int(reading, item, "after", 0, SCORE_MAX, &number);
    }
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
    check_lists(reading, reason);
    twins_leave(check->twins, &check->match.id);
    check->phase = CHECK_IDLE;
    reading->news->kind = NEWS_END;
    reading->news->end_reason = (uint8_t)reason;
}
