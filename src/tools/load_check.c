#include "load_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "load_check_priv.h"
#include "load_json.h"

enum { REQUEST_ID_MAX = 2147483647, TEXT_CHARACTERS_MAX = 4096 };

void fail(struct reading *reading, const char *format, ...)
{
    if (reading->verdict->violations++ > 0) return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reading->verdict->first, sizeof(reading->verdict->first), format,
                    arguments); /* A longer one is cut. */
    va_end(arguments);
}

/* --- Fields. --- */

bool need_int(struct reading *reading, const cJSON *object, const char *field, int64_t min,
              int64_t max, int64_t *ret_value)
{
    if (json_int(json_find(object, field), min, max, ret_value)) return true;
    fail(reading, "%s: `%s` is not an integer from %lld to %lld", reading->type, field,
         (long long)min, (long long)max);
    return false;
}

bool need_bool(struct reading *reading, const cJSON *object, const char *field, bool *ret_value)
{
    const cJSON *item = json_find(object, field);
    if (cJSON_IsBool(item)) {
        *ret_value = cJSON_IsTrue(item);
        return true;
    }
    fail(reading, "%s: `%s` is neither true nor false", reading->type, field);
    return false;
}

bool need_string(struct reading *reading, const cJSON *object, const char *field,
                 size_t characters_max, const char **ret_text)
{
    const char *text = json_string(json_find(object, field));
    if (text != NULL && text[0] != '\0' && json_characters(text) <= characters_max) {
        *ret_text = text;
        return true;
    }
    fail(reading, "%s: `%s` is not a string of 1 to %zu characters", reading->type, field,
         characters_max);
    return false;
}

bool need_int_or_null(struct reading *reading, const cJSON *object, const char *field, int64_t min,
                      int64_t max, int64_t *ret_value, bool *ret_is_null)
{
    *ret_is_null = cJSON_IsNull(json_find(object, field));
    return *ret_is_null || need_int(reading, object, field, min, max, ret_value);
}

bool need_array(struct reading *reading, const cJSON *object, const char *field, int min, int max,
                const cJSON **ret_array)
{
    const cJSON *array = json_find(object, field);
    int size = cJSON_IsArray(array) ? cJSON_GetArraySize(array) : -1;
    if (size >= min && size <= max) {
        *ret_array = array;
        return true;
    }
    fail(reading, "%s: `%s` is not an array of %d to %d", reading->type, field, min, max);
    return false;
}

bool need_wall(struct reading *reading, const cJSON *object, const char *field, int64_t *ret_value)
{
    enum { FROM_S = 946684800 };                  /* 2000-01-01. */
    const int64_t to_ms = INT64_C(4102444800000); /* 2100-01-01. */
    return need_int(reading, object, field, INT64_C(1000) * FROM_S, to_ms, ret_value);
}

/* --- Replies. --- */

static void read_pong(struct reading *reading, const struct check_request *request)
{
    const int64_t exact = INT64_C(1) << JSON_EXACT_MAX_BITS;
    int64_t at = 0, number;
    if (need_int(reading, reading->object, "at", -exact, exact, &at) && at != request->ping_at)
        fail(reading, "pong: another `at` than the ping's");
    (void)need_wall(reading, reading->object, "now_ms", &number); /* Noted by fail(). */
    reading->news->kind = NEWS_PONG;
}

/* What the server may refuse although the player keeps to the rules: time has passed, or there is
 * no room. */
static bool may_refuse(const struct reading *reading, const struct check_request *request,
                       const char *code)
{
    if (strcmp(code, "busy") == 0 || strcmp(code, "rate_limited") == 0) return true;
    if (strcmp(code, "unavailable") == 0)
        return request->kind == CHECK_JOIN || request->kind == CHECK_HELLO;
    const struct check *check = reading->check;
    if (strcmp(code, "resume_expired") == 0)
        return request->kind == CHECK_HELLO && request->proof == CHECK_BY_RESUME;
    bool is_of_match = request->kind == CHECK_ANSWER || request->kind == CHECK_EMOTE;
    if (strcmp(code, "bad_state") == 0)
        return (is_of_match && check->phase != CHECK_PLAYING) ||
               (request->kind == CHECK_JOIN && check->back.may_be_queued);
    /* A round that was answered has its receipt, however late it is asked for. */
    return strcmp(code, "late_answer") == 0 && request->kind == CHECK_ANSWER &&
           !check->match.own_answers[request->round].is_there;
}

static void note_refusal(struct reading *reading, const struct check_request *request,
                         const char *code)
{
    struct check *check = reading->check;
    if (request->kind == CHECK_HELLO && strcmp(code, "resume_expired") == 0) forget_return(reading);
    if (request->kind == CHECK_ANSWER && strcmp(code, "late_answer") == 0)
        check->match.own_answers[request->round].is_in_doubt = false;
}

static void read_error(struct reading *reading, const struct check_request *request)
{
    const char *code, *message;
    (void)need_string(reading, reading->object, "message", TEXT_CHARACTERS_MAX, &message);
    if (!need_string(reading, reading->object, "code", CHECK_CODE_BYTES - 1, &code)) return;
    const cJSON *retry = json_find(reading->object, "retry_ms");
    int64_t retry_ms = 0;
    bool has_retry = strcmp(code, "busy") == 0 || strcmp(code, "unavailable") == 0 ||
                     strcmp(code, "rate_limited") == 0;
    if (has_retry || retry != NULL)
        (void)need_int(reading, reading->object, "retry_ms", 0, COUNT_MAX, &retry_ms);
    if (request == NULL)
        fail(reading, "error: `%s` for no request", code);
    else if (!may_refuse(reading, request, code))
        fail(reading, "error: `%s` for a proper %s", code, check_request_name(request->kind));
    if (request != NULL) note_refusal(reading, request, code);
    reading->news->kind = NEWS_REFUSED;
    reading->news->retry_ms = (uint32_t)retry_ms;
    (void)snprintf(reading->news->code, sizeof(reading->news->code), "%s", code); /* It fits. */
}

static const char *const replies[] = {
    [CHECK_HELLO] = "welcome",   [CHECK_JOIN] = "queued", [CHECK_LEAVE] = "left",
    [CHECK_ANSWER] = "accepted", [CHECK_EMOTE] = "ok",    [CHECK_PING] = "pong",
};

static void read_reply(struct reading *reading, const struct check_request *request)
{
    if (strcmp(reading->type, "error") == 0) {
        read_error(reading, request);
        return;
    }
    if (strcmp(reading->type, replies[request->kind]) != 0) {
        fail(reading, "%s: not the answer to %s", reading->type, check_request_name(request->kind));
        return;
    }
    switch ((enum check_request_kind)request->kind) {
    case CHECK_HELLO: read_welcome(reading); break;
    case CHECK_JOIN: read_queued(reading); break;
    case CHECK_LEAVE:
        if (reading->check->phase == CHECK_QUEUED) reading->check->phase = CHECK_IDLE;
        reading->news->kind = NEWS_LEFT;
        break;
    case CHECK_ANSWER: read_accepted(reading, request); break;
    case CHECK_EMOTE: break;
    case CHECK_PING: read_pong(reading, request); break;
    }
}

/* --- Messages of the server's own accord. --- */

static void read_gap(struct reading *reading)
{
    int64_t dropped = 0;
    if (!need_int(reading, reading->object, "dropped", 1, COUNT_MAX, &dropped)) return;
    reading->news->kind = NEWS_GAP;
    reading->news->dropped = (uint64_t)dropped;
}

static void read_bye(struct reading *reading)
{
    const char *reason;
    int64_t retry_ms = 0;
    (void)need_string(reading, reading->object, "reason", 64, &reason); /* Noted by fail(). */
    if (json_find(reading->object, "retry_ms") != NULL)
        (void)need_int(reading, reading->object, "retry_ms", 0, COUNT_MAX, &retry_ms);
    reading->check->has_bye = true;
    reading->news->kind = NEWS_BYE;
    reading->news->retry_ms = (uint32_t)retry_ms;
}

static void read_lone_error(struct reading *reading)
{
    read_error(reading, NULL);
}

static const struct {
    const char *type;
    void (*read)(struct reading *reading);
} own_messages[] = {
    {"queued", read_queued}, {"ticket", read_ticket},     {"match", read_match},
    {"round", read_round},   {"answered", read_answered}, {"reveal", read_reveal},
    {"peer", read_peer},     {"saving", read_saving},     {"end", read_end},
    {"emote", read_emote},   {"gap", read_gap},           {"bye", read_bye},
    {"clock", read_clock},   {"error", read_lone_error},  {"unqueued", read_unqueued},
};

static void read_own(struct reading *reading)
{
    if (reading->check->phase == CHECK_GREETING && strcmp(reading->type, "bye") != 0)
        fail(reading, "%s: before welcome", reading->type);
    for (unsigned index = 0; index < sizeof(own_messages) / sizeof(own_messages[0]); index++) {
        if (strcmp(reading->type, own_messages[index].type) != 0) continue;
        own_messages[index].read(reading);
        return;
    }
    fail(reading, "`%s` is no type that comes without an id", reading->type);
}

/* --- The envelope. --- */

static void take_pending_at(struct check *check, uint32_t index, struct check_request *ret_request)
{
    *ret_request = check->pending[index];
    check->pending_count--;
    memmove(&check->pending[index], &check->pending[index + 1],
            (check->pending_count - index) * sizeof(check->pending[0]));
}

/* Takes the request out of those that wait. False: there is none, or it was answered before. */
static bool take_pending(struct check *check, int64_t id, struct check_request *ret_request)
{
    for (uint32_t index = 0; index < check->pending_count; index++) {
        if (check->pending[index].id != id) continue;
        take_pending_at(check, index, ret_request);
        return true;
    }
    return false;
}

bool take_pending_of(struct check *check, enum check_request_kind kind,
                     struct check_request *ret_request)
{
    for (uint32_t index = 0; index < check->pending_count; index++) {
        if (check->pending[index].kind != kind) continue;
        take_pending_at(check, index, ret_request);
        return true;
    }
    return false;
}

/* What waits for a message of this type longest, whatever its id. */
static bool take_pending_for(struct check *check, const char *type,
                             struct check_request *ret_request)
{
    for (unsigned kind = 0; kind < sizeof(replies) / sizeof(replies[0]); kind++)
        if (strcmp(type, replies[kind]) == 0) return take_pending_of(check, kind, ret_request);
    return false;
}

/* Only a reveal may tell what was right, under whatever name. */
static void look_for_secrets(struct reading *reading)
{
    static const char *const secrets[] = {
        "correct", "correct_answer", "incorrect_answers", "answer", "right", "is_right", "points",
        NULL};
    if (strcmp(reading->type, "reveal") == 0) return;
    const char *found = json_find_any(reading->object, secrets);
    if (found != NULL)
        fail(reading, "%s: has `%s`, which a reveal only may have", reading->type, found);
}

static void read_object(struct reading *reading)
{
    struct check *check = reading->check;
    reading->type = json_string(json_find(reading->object, "type"));
    if (reading->type == NULL) {
        fail(reading, "a message without a type");
        return;
    }
    if (check->has_bye) fail(reading, "%s: behind bye", reading->type);
    const char *twice = json_find_twice(reading->object);
    if (twice != NULL) fail(reading, "%s: has `%s` twice", reading->type, twice);
    look_for_secrets(reading);
    if (check->is_lenient && take_pending_for(check, reading->type, &reading->news->request)) {
        reading->news->is_reply = true;
        read_reply(reading, &reading->news->request);
        return;
    }
    const cJSON *id_item = json_find(reading->object, "id");
    if (id_item == NULL) {
        read_own(reading);
        return;
    }
    int64_t id;
    struct news *news = reading->news;
    if (!need_int(reading, reading->object, "id", 1, REQUEST_ID_MAX, &id)) return;
    news->is_reply = take_pending(check, id, &news->request);
    if (news->is_reply)
        read_reply(reading, &news->request);
    else
        fail(reading, "%s: answers request %lld, which does not wait", reading->type,
             (long long)id);
}

void check_message(struct check *check, const char *text, size_t bytes, uint64_t now_us,
                   struct news *ret_news, struct verdict *ret_verdict)
{
    *ret_news = (struct news){.kind = NEWS_OTHER};
    *ret_verdict = (struct verdict){0};
    struct reading reading = {.check = check,
                              .text = text,
                              .bytes = bytes,
                              .now_us = now_us,
                              .news = ret_news,
                              .verdict = ret_verdict};
    cJSON *object = json_read_object(text, bytes);
    reading.object = object;
    if (object == NULL)
        fail(&reading, "not one JSON object");
    else
        read_object(&reading);
    cJSON_Delete(object);
}

/* --- Life. --- */

void check_init(struct check *check, const char *name, enum check_strictness strictness,
                struct twins *twins)
{
    *check = (struct check){.phase = CHECK_GREETING,
                            .is_lenient = strictness == CHECK_LENIENT,
                            .back = {.phase_before = CHECK_IDLE},
                            .twins = twins};
    (void)snprintf(check->name, sizeof(check->name), "%s", name); /* Names are short. */
}

bool check_sent(struct check *check, const struct check_request *request)
{
    if (check->pending_count == CHECK_PENDING_MAX) return false;
    check->pending[check->pending_count++] = *request;
    if (request->kind == CHECK_JOIN) check->mode = request->mode;
    if (request->kind == CHECK_HELLO) {
        check->back.proof = request->proof;
        check->back.asked_seq = request->last_seq;
    }
    return true;
}

static void note_lost(struct check *check, const struct check_request *request)
{
    struct check_answer *answer = &check->match.own_answers[request->round];
    if (request->kind == CHECK_JOIN) check->back.may_be_queued = true;
    if (request->kind != CHECK_ANSWER || check->phase != CHECK_PLAYING || answer->is_there) return;
    answer->is_in_doubt = true;
    answer->choice = request->choice;
}

void check_lost(struct check *check)
{
    struct check_return *back = &check->back;
    for (uint32_t index = 0; index < check->pending_count; index++)
        note_lost(check, &check->pending[index]);
    check->pending_count = 0;
    if (check->phase != CHECK_GREETING) {
        back->phase_before = check->phase;
        /* Of a match whose first message has not come nothing is held yet, unless it came before. */
        if (back->expects_match)
            back->phase_before = back->expects_again ? CHECK_PLAYING : CHECK_IDLE;
        if (back->expects_queued) back->phase_before = CHECK_QUEUED;
    }
    back->expects_match = back->expects_queued = back->awaits_clock = false;
    check->has_bye = false;
    check->phase = CHECK_GREETING;
}

void check_outlived(struct check *check)
{
    check->has_outlived = true;
    check->match.phase_ends_at_ms = 0; /* The wall clock went on. */
}

void check_forget_match(struct check *check)
{
    let_go(check);
    memset(&check->match, 0, sizeof(check->match));
    check->back.phase_before = CHECK_QUEUED; /* All of it is to come. */
}

void check_ended(struct check *check)
{
    let_go(check);
    check->phase = CHECK_IDLE;
}

bool check_take_oldest(struct check *check, struct check_request *ret_request)
{
    if (check->pending_count == 0) return false;
    take_pending_at(check, 0, ret_request);
    return true;
}

const struct check_request *check_oldest(const struct check *check)
{
    return check->pending_count > 0 ? &check->pending[0] : NULL;
}

const char *check_mode_name(enum check_mode mode)
{
    static const char *const names[] = {[CHECK_DUEL] = "duel", [CHECK_HOUSE] = "house"};
    return names[mode];
}

const char *check_request_name(enum check_request_kind kind)
{
    static const char *const names[] = {
        [CHECK_HELLO] = "hello",   [CHECK_JOIN] = "join",   [CHECK_LEAVE] = "leave",
        [CHECK_ANSWER] = "answer", [CHECK_EMOTE] = "emote", [CHECK_PING] = "ping",
    };
    return names[kind];
}

const char *check_end_name(enum check_end_reason reason)
{
    static const char *const names[] = {
        [CHECK_END_FINISHED] = "finished",
        [CHECK_END_FORFEIT] = "forfeit",
        [CHECK_END_CANCELLED] = "cancelled",
        [CHECK_END_SHUTDOWN] = "shutdown",
    };
    return names[reason];
}
