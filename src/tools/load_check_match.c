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
    /* Clocks are read in whole milliseconds, and a message may be stamped at the start of the
     * loop's iteration that reads it. */
    AT_SLACK_MS = 25,
    /* A welcome passes through other threads of the server before what was missed follows it. */
    LIVE_SLACK_MS = 500,
};

uint32_t check_points(uint32_t at_ms, uint32_t time_ms, uint32_t weight)
{
    uint32_t late_ms = at_ms > 500 ? at_ms : 500;
    return (500 + 500 * (time_ms - late_ms) / (time_ms - 500)) * weight;
}

bool is_of_match(struct reading *reading)
{
    const struct check *check = reading->check;
    const char *match;
    if (check->is_lenient && check->phase == CHECK_PLAYING) return true;
    if (!need_string(reading, reading->object, "match", CHECK_ID_BYTES - 1, &match)) return false;
    if (check->phase == CHECK_PLAYING && strcmp(match, check->match.text) == 0) return true;
    fail(reading, "%s: of a match that the player is not in", reading->type);
    return false;
}

void take_seq(struct reading *reading)
{
    struct check_match *match = &reading->check->match;
    int64_t seq;
    if (reading->check->is_lenient) return;
    if (!need_int(reading, reading->object, "seq", 1, SEQ_MAX, &seq)) return;
    reading->verdict->has_seq_gap = seq != match->seq + 1;
    if (seq != match->seq + 1)
        fail(reading, "%s: `seq` is %lld after %u", reading->type, (long long)seq, match->seq);
    match->seq = (uint32_t)seq;
    reading->news->is_replayed = reading->check->back.awaits_clock;
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

/* True: it is the player itself. */
static bool read_entrant(struct reading *reading, const cJSON *entrant, uint8_t index)
{
    struct check *check = reading->check;
    const char *player = "", *name = "";
    const cJSON *bot = json_find(entrant, "bot");
    (void)need_int(reading, entrant, "rating", 0, SCORE_MAX,
                   &check->match.players[index].rating); /* Noted by fail(). */
    (void)need_string(reading, entrant, "name", 24, &name);
    (void)need_string(reading, entrant, "player", CHECK_ID_BYTES - 1, &player);
    bool is_own = strcmp(player, check->player) == 0;
    bool is_bot = cJSON_IsTrue(bot);
    if (is_own && strcmp(name, check->name) != 0)
        fail(reading, "match: the player's name is another");
    if (bot != NULL && !cJSON_IsBool(bot)) fail(reading, "match: `bot` is neither true nor false");
    if (is_bot != (check->mode == CHECK_HOUSE && !is_own))
        fail(reading, "match: `bot` does not fit the mode");
    return is_own;
}

static void read_entrants(struct reading *reading, const cJSON *players)
{
    struct check *check = reading->check;
    bool is_there = false;
    uint8_t index = 0;
    const cJSON *entrant;
    cJSON_ArrayForEach(entrant, players)
    {
        if (read_entrant(reading, entrant, index)) {
            if (is_there) fail(reading, "match: the player is in it twice");
            is_there = true;
            check->match.own = index;
        }
        index++;
    }
    if (!is_there) fail(reading, "match: the player is not among `players`");
}

/* Makes room for the match, and keeps the own answers where it is the one held already: receipts
 * are not sent again. */
static void hold_match(struct check *check, const char *text, const struct id *id)
{
    struct check_match *match = &check->match;
    bool is_same = !check->is_lenient && strcmp(text, match->text) == 0;
    if (!is_same) let_go(check);
    if (!is_same && !check->back.awaits_clock) check->has_outlived = false;
    struct check_match held = {.id = *id, .player_count = 2};
    if (is_same) memcpy(held.own_answers, match->own_answers, sizeof(held.own_answers));
    (void)snprintf(held.text, sizeof(held.text), "%s", text); /* It fits. */
    *match = held;
    if (!check->has_joined_twins) twins_join(check->twins, id);
    check->has_joined_twins = true;
    check->phase = CHECK_PLAYING;
}

static bool has_open_join(const struct check *check)
{
    for (uint32_t i = 0; i < check->pending_count; i++)
        if (check->pending[i].kind == CHECK_JOIN) return true;
    return false;
}

/* A server that has no `queued` answers a join by the match. */
static void forget_join(struct check *check)
{
    struct check_request join;
    while (take_pending_of(check, CHECK_JOIN, &join)) continue;
}

void read_match(struct reading *reading)
{
    struct check *check = reading->check;
    struct check_return *back = &check->back;
    const char *text = "", *mode, *right_mode = check_mode_name(check->mode);
    struct id id = {{0}};
    if (check->phase != CHECK_QUEUED) fail(reading, "match: the player was not queued");
    bool is_named = need_string(reading, reading->object, "match", CHECK_ID_BYTES - 1, &text);
    if (is_named && !id_parse(text, (uint32_t)strlen(text), &id)) {
        fail(reading, "match: `match` is no id");
        is_named = false;
    }
    if (!is_named && !check->is_lenient) return;
    if (check->is_lenient) forget_join(check);
    if (back->expects_match && strcmp(text, back->match_text) != 0)
        fail(reading, "match: another one than welcome named");
    back->expects_match = false;
    /* A join sent after the return may have crossed the match that the lost one led to. */
    back->may_be_queued = back->may_be_queued && has_open_join(check);
    hold_match(check, text, &id);
    take_seq(reading);
    if (need_string(reading, reading->object, "mode", 16, &mode) && strcmp(mode, right_mode) != 0)
        fail(reading, "match: another mode than the one joined");
    if (need_bool(reading, reading->object, "rated", &check->match.is_rated) &&
        check->match.is_rated && check->mode == CHECK_HOUSE)
        fail(reading, "match: rated, against the house");
    int64_t rounds = 1;
    (void)need_int(reading, reading->object, "rounds", 1, CHECK_ROUNDS_MAX, &rounds); /* fail(). */
    check->match.rounds = (uint32_t)rounds;
    (void)need_wall(reading, reading->object, "starts_at_ms", &check->match.starts_at_ms);
    check->match.phase_ends_at_ms = check->match.starts_at_ms;
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

/* A round that began after the welcome was not missed: it is live, and the clock comes before. */
static void expect_replayed(struct reading *reading, int64_t began_at_ms)
{
    struct check_return *back = &reading->check->back;
    if (!back->awaits_clock || began_at_ms <= back->welcome_at_ms + LIVE_SLACK_MS) return;
    fail(reading, "round: it began after the welcome, and no clock came before it");
    back->awaits_clock = false;
}

void read_round(struct reading *reading)
{
    if (!is_of_match(reading)) return;
    struct check_match *match = &reading->check->match;
    if (match->is_open) fail(reading, "round: round %u was not revealed", match->round);
    if (match->round == CHECK_ROUNDS_MAX) {
        fail(reading, "round: another one after %d", CHECK_ROUNDS_MAX);
        return;
    }
    take_seq(reading);
    int64_t round = match->round + 1, rounds, time_ms = ROUND_TIME_MIN_MS, weight = 1;
    int64_t deadline_ms = 0;
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
    expect_replayed(reading, deadline_ms - time_ms);
    match->round = (uint32_t)round;
    match->phase_ends_at_ms = deadline_ms;
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

/* An answer that was lost with its receipt had come after all. */
static void settle_doubt(struct reading *reading, uint32_t round, const struct check_answer *told)
{
    struct check_answer *own = &reading->check->match.own_answers[round];
    if (told->is_there && told->choice != own->choice)
        fail(reading, "%s: another choice than the one that was sent", reading->type);
    *own = *told;
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
    struct check_answer answer = {true, false, (int8_t)choice, (uint32_t)at_ms};
    if (is_dup && first->is_in_doubt)
        settle_doubt(reading, request->round, &answer);
    else if (is_dup != first->is_there)
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
    expect_no_replay(reading);
    struct check_match *match = &reading->check->match;
    int64_t round;
    uint32_t index;
    if (!need_int(reading, reading->object, "round", 1, match->rounds, &round)) return;
    if (!need_index(reading, "player", &index)) return;
    if (!match->is_open || round != match->round) fail(reading, "answered: the round is not open");
    if (match->players[index].has_answered) fail(reading, "answered: told twice for one player");
    const struct check_answer *own = &match->own_answers[round];
    if (index == match->own && !own->is_there && !own->is_in_doubt)
        fail(reading, "answered: before the accepted it belongs to");
    match->players[index].has_answered = true;
}

/* --- reveal. --- */

static void check_own_result(struct reading *reading, const struct check_answer *told)
{
    const struct check_match *match = &reading->check->match;
    const struct check_answer *own = &match->own_answers[match->round];
    if (own->is_in_doubt)
        settle_doubt(reading, match->round, told);
    else if (told->is_there != own->is_there)
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
    struct check_answer answer = {!has_no_choice, false, (int8_t)choice, (uint32_t)at_ms};
    reading->news->all_answered = reading->news->all_answered && answer.is_there;
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
    int64_t round, correct = CHECK_NO_CHOICE, next_at_ms = 0;
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
    match->phase_ends_at_ms = next_at_ms;
    (void)need_int(reading, reading->object, "correct", 0, match->choice_count - 1, &correct);
    const cJSON *results, *result;
    reading->news->kind = NEWS_REVEAL;
    if (!need_array(reading, reading->object, "results", match->player_count, match->player_count,
                    &results))
        return;
    uint32_t index = 0;
    reading->news->all_answered = true;
    cJSON_ArrayForEach(result, results) read_result(reading, result, index++, correct);
    reading->news->any_silent = !reading->news->all_answered;
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

bool any_gone(const struct check_match *match)
{
    for (unsigned index = 0; index < match->player_count; index++)
        if (match->players[index].is_gone) return true;
    return false;
}

bool match_is_over(const struct check_match *match)
{
    return (match->round == match->rounds && !match->is_open) || any_gone(match);
}

void read_saving(struct reading *reading)
{
    if (!is_of_match(reading)) return;
    const struct check_match *match = &reading->check->match;
    if (!match_is_over(match)) fail(reading, "saving: the match is not over");
}

void read_emote(struct reading *reading)
{
    const struct check *check = reading->check;
    uint32_t index;
    const char *code;
    if (!is_of_match(reading)) return;
    expect_no_replay(reading);
    (void)need_index(reading, "player", &index); /* Noted by fail(). */
    if (!need_string(reading, reading->object, "code", CHECK_CODE_BYTES - 1, &code)) return;
    for (uint32_t known = 0; known < check->emote_count; known++)
        if (strcmp(code, check->emotes[known]) == 0) return;
    fail(reading, "emote: welcome did not list it");
}
