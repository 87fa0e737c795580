#include <stdio.h>
#include <string.h>

#include "load_check_priv.h"
#include "load_json.h"

enum {
    /* `left_ms` against the same instant by two other fields: rounding, and what passes between
     * reading the one clock and the other. */
    CLOCK_SLACK_MS = 150,
    /* A round may be open that much longer than its deadline says: the largest credit. */
    CLOCK_LONGER_MS = CREDIT_MAX_MS + CLOCK_SLACK_MS,
};

void let_go(struct check *check)
{
    if (check->has_joined_twins) twins_leave(check->twins, &check->match.id);
    check->has_joined_twins = false;
}

/* --- welcome. --- */

static void read_emotes(struct reading *reading)
{
    struct check *check = reading->check;
    const cJSON *array, *emote;
    check->emote_count = 0;
    if (!need_array(reading, reading->object, "emotes", 0, CHECK_EMOTES_MAX, &array)) return;
    cJSON_ArrayForEach(emote, array)
    {
        const char *text = json_string(emote);
        if (text == NULL || strlen(text) >= CHECK_CODE_BYTES) {
            fail(reading, "welcome: an emote that is no short string");
            continue;
        }
        (void)snprintf(check->emotes[check->emote_count++], CHECK_CODE_BYTES, "%s",
                       text); /* It fits. */
    }
}

/* A secret goes back to the server as it came; this tool writes no escapes. */
static bool need_secret(struct reading *reading, const char *field, size_t bytes_max,
                        const char **ret_text)
{
    const char *text;
    if (!need_string(reading, reading->object, field, bytes_max, &text)) return false;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at > ' ' && *at < 0x7f && *at != '"' && *at != '\\') continue;
        fail(reading, "%s: `%s` has characters that need escapes", reading->type, field);
        return false;
    }
    *ret_text = text;
    return true;
}

static void read_secrets(struct reading *reading)
{
    struct check *check = reading->check;
    const char *text;
    if (need_secret(reading, "session", CHECK_SESSION_BYTES - 1, &text)) {
        if (strcmp(text, check->session) == 0)
            fail(reading, "welcome: `session` is still the one before");
        (void)snprintf(check->session, sizeof(check->session), "%s", text); /* It fits. */
    }
    if (json_find(reading->object, "token") != NULL &&
        need_secret(reading, "token", CHECK_TOKEN_BYTES - 1, &text))
        (void)snprintf(check->token, sizeof(check->token), "%s", text); /* It fits. */
}

static void read_who(struct reading *reading)
{
    struct check *check = reading->check;
    const char *text;
    bool is_known = check->back.proof != CHECK_BY_NAME && check->player[0] != '\0';
    if (need_string(reading, reading->object, "player", CHECK_ID_BYTES - 1, &text)) {
        if (is_known && strcmp(text, check->player) != 0)
            fail(reading, "welcome: `player` is another than the one who came back");
        if (!is_known && strcmp(text, check->player) == 0)
            fail(reading, "welcome: a new guest is a player who was there before");
        (void)snprintf(check->player, sizeof(check->player), "%s", text); /* It fits. */
    }
    if (need_string(reading, reading->object, "name", 24, &text) && strcmp(text, check->name) != 0)
        fail(reading, "welcome: `name` is not the one that hello gave");
}

/* A match was live when the connection was lost, and is not the player's any more. */
static void note_match_lost(struct reading *reading)
{
    reading->news->lost_match = true;
    let_go(reading->check);
}

/* Where the match is the one held, its rest follows; otherwise all of it. */
static void take_up_match(struct reading *reading, const char *text)
{
    struct check *check = reading->check;
    struct check_return *back = &check->back;
    bool is_held = strcmp(text, check->match.text) == 0;
    bool has_ended = back->phase_before != CHECK_PLAYING;
    if (back->phase_before == CHECK_PLAYING && !is_held) {
        fail(reading, "welcome: `match` is another than the one that was live");
        note_match_lost(reading);
    }
    /* Cancelled before its first round, it has an end that the player was not heard since, and the
     * player waits again. */
    back->expects_queued = is_held && back->phase_before == CHECK_QUEUED;
    bool has_all = is_held && has_ended && back->asked_seq == check->match.seq;
    if (has_all) {
        reading->news->is_queued = back->expects_queued;
        check->phase = CHECK_IDLE;
        return;
    }
    back->awaits_clock = true;
    reading->news->has_match = true;
    if (is_held && back->asked_seq > 0) {
        check->phase = CHECK_PLAYING;
        return;
    }
    back->expects_match = true;
    back->expects_again = is_held && !has_ended;
    (void)snprintf(back->match_text, sizeof(back->match_text), "%s", text); /* It fits. */
    check->phase = CHECK_QUEUED;
}

static void take_up_nothing(struct reading *reading)
{
    struct check *check = reading->check;
    struct check_return *back = &check->back;
    if (back->phase_before == CHECK_PLAYING) note_match_lost(reading);
    if (back->phase_before == CHECK_QUEUED) {
        back->expects_queued = true;
        reading->news->is_queued = true;
    }
    check->phase = CHECK_IDLE;
}

void read_welcome(struct reading *reading)
{
    struct check *check = reading->check;
    struct check_return *back = &check->back;
    const char *match = NULL;
    const cJSON *array;
    int64_t number;
    read_who(reading);
    read_secrets(reading);
    (void)need_int(reading, reading->object, "rating", 0, COUNT_MAX,
                   &number); /* Noted by fail(). */
    (void)need_wall(reading, reading->object, "now_ms", &back->welcome_at_ms);
    (void)need_int(reading, reading->object, "ping_ms", 1, DURATION_MAX_MS, &number);
    (void)need_array(reading, reading->object, "modes", 1, 16, &array);
    (void)need_array(reading, reading->object, "categories", 0, 32, &array);
    read_emotes(reading);
    reading->news->kind = NEWS_WELCOME;
    if (json_find(reading->object, "match") != NULL)
        (void)need_string(reading, reading->object, "match", CHECK_ID_BYTES - 1, &match);
    if (match != NULL && back->proof == CHECK_BY_NAME) {
        fail(reading, "welcome: `match` for a new guest");
        match = NULL;
    }
    if (match != NULL)
        take_up_match(reading, match);
    else
        take_up_nothing(reading);
    back->phase_before = CHECK_IDLE;
}

void forget_return(struct reading *reading)
{
    struct check *check = reading->check;
    struct check_return *back = &check->back;
    if (back->phase_before == CHECK_PLAYING) note_match_lost(reading);
    reading->news->lost_place = back->phase_before == CHECK_QUEUED;
    back->phase_before = CHECK_IDLE;
    back->may_be_queued = false;
    check->session[0] = '\0';
}

/* --- The queue. --- */

void read_queued(struct reading *reading)
{
    struct check *check = reading->check;
    const char *mode;
    int64_t number;
    if (need_string(reading, reading->object, "mode", CHECK_MODE_BYTES, &mode) &&
        strcmp(mode, check_mode_name(check->mode)) != 0)
        fail(reading, "queued: another mode than the one joined");
    (void)need_int(reading, reading->object, "waiting", 1, COUNT_MAX,
                   &number); /* Noted by fail(). */
    if (json_find(reading->object, "waited_ms") != NULL || !reading->news->is_reply)
        (void)need_int(reading, reading->object, "waited_ms", 0, COUNT_MAX, &number);
    if (check->phase != CHECK_IDLE) fail(reading, "queued: the player was not idle");
    if (check->back.expects_queued && reading->news->is_reply)
        fail(reading, "queued: for a join, and the player waited already");
    check->back.expects_queued = false;
    check->phase = CHECK_QUEUED;
    reading->news->kind = NEWS_QUEUED;
}

void read_unqueued(struct reading *reading)
{
    struct check *check = reading->check;
    if (check->phase != CHECK_QUEUED || check->back.expects_match)
        fail(reading, "unqueued: the player was not queued");
    else
        check->phase = CHECK_IDLE;
    reading->news->kind = NEWS_UNQUEUED;
}

void read_ticket(struct reading *reading)
{
    const struct check *check = reading->check;
    int64_t number;
    bool is_null;
    (void)need_int(reading, reading->object, "waited_ms", 0, COUNT_MAX,
                   &number); /* Noted by fail(). */
    (void)need_int(reading, reading->object, "waiting", 1, COUNT_MAX, &number);
    (void)need_int(reading, reading->object, "window", 0, COUNT_MAX, &number);
    (void)need_int_or_null(reading, reading->object, "eta_ms", 0, COUNT_MAX, &number, &is_null);
    if (check->phase != CHECK_QUEUED || check->back.expects_match)
        fail(reading, "ticket: the player is not queued");
}

/* --- Back in a match. --- */

void expect_no_replay(struct reading *reading)
{
    const struct check *check = reading->check;
    if (check->back.awaits_clock && !match_is_over(&check->match))
        fail(reading, "%s: before the clock", reading->type);
}

/* What is left must be what the phase's end and the server's clock say. */
static void check_left(struct reading *reading, int64_t left_ms, int64_t now_ms)
{
    const struct check_match *match = &reading->check->match;
    int64_t right_ms = match->phase_ends_at_ms - now_ms;
    if (match->phase_ends_at_ms == 0 || reading->check->has_outlived) return;
    int64_t most_ms = (right_ms > 0 ? right_ms : 0) +
                      (match->is_open ? (int64_t)CLOCK_LONGER_MS : (int64_t)CLOCK_SLACK_MS);
    if (left_ms > most_ms || left_ms < right_ms - CLOCK_SLACK_MS)
        fail(reading, "clock: `left_ms` is %lld, and the phase ends in %lld", (long long)left_ms,
             (long long)right_ms);
}

void read_clock(struct reading *reading)
{
    if (!is_of_match(reading)) return;
    struct check *check = reading->check;
    struct check_match *match = &check->match;
    int64_t round = 0, left_ms = 0, now_ms = 0;
    if (!check->back.awaits_clock) fail(reading, "clock: nothing was resumed");
    check->back.awaits_clock = false;
    if (match->round == match->rounds && !match->is_open)
        fail(reading, "clock: the last round is over");
    if (need_int(reading, reading->object, "round", 0, CHECK_ROUNDS_MAX, &round) &&
        round != match->round)
        fail(reading, "clock: `round` is %lld, and the last message was of %u", (long long)round,
             match->round);
    bool is_left = need_int(reading, reading->object, "left_ms", 0, DURATION_MAX_MS, &left_ms);
    if (need_wall(reading, reading->object, "now_ms", &now_ms) && is_left)
        check_left(reading, left_ms, now_ms);
    /* The server's clock for the round stood still: it stands where this says. */
    if (check->has_outlived && match->is_open && left_ms <= match->time_ms)
        match->round_came_us =
            reading->now_us - UINT64_C(1000) * (match->time_ms - (uint64_t)left_ms);
    reading->news->kind = NEWS_CLOCK;
    reading->news->round = match->round;
    reading->news->choice_count = match->choice_count;
    reading->news->is_open = match->is_open;
    reading->news->left_ms = (uint32_t)left_ms;
}
