#include "proto/decode.h"

#include <string.h>

#include "base/limits.h"
#include "core/emote.h"
#include "core/match.h"
#include "json_scan_priv.h"
#include "json_tree_priv.h"
#include "wire_priv.h"

enum {
    TOKEN_BYTES_MAX = 2048,
    RESUME_BYTES_MAX = 128,
};

/* docs/protocol.md, Requests and replies: within this every integer is exact in a double. */
static const int64_t ping_at_max = INT64_C(1) << 53;

/* One message as it is read. */
struct reading {
    const char *text;
    size_t bytes;
    const cJSON *object;
    struct problem problem; /* Filled as far as the message was understood. */
};

void decode_init(void)
{
    json_tree_init();
}

/* --- Saying what is wrong. --- */

static struct wire open_sentence(struct reading *reading, enum refusal refusal)
{
    struct wire sentence;
    reading->problem.refusal = (uint8_t)refusal;
    wire_begin_text(&sentence, reading->problem.message, sizeof reading->problem.message);
    return sentence;
}

/* False, so that a refusal is one line. */
static bool close_sentence(struct wire *sentence)
{
    wire_end_text(sentence);
    return false;
}

static bool refuse(struct reading *reading, enum refusal refusal, const char *message)
{
    struct wire sentence = open_sentence(reading, refusal);
    wire_append(&sentence, message);
    return close_sentence(&sentence);
}

static struct wire open_field_sentence(struct reading *reading, const char *field)
{
    struct wire sentence = open_sentence(reading, REFUSAL_BAD_MESSAGE);
    wire_append(&sentence, "`");
    wire_append(&sentence, field);
    wire_append(&sentence, "` must be ");
    return sentence;
}

static bool refuse_field(struct reading *reading, const char *field, const char *must)
{
    struct wire sentence = open_field_sentence(reading, field);
    wire_append(&sentence, must);
    return close_sentence(&sentence);
}

/* "`round` must be an integer from 1 to 255." */
static bool refuse_range(struct reading *reading, const char *field, const char *what, int64_t min,
                         int64_t max, const char *unit)
{
    struct wire sentence = open_field_sentence(reading, field);
    wire_append(&sentence, what);
    wire_append_int(&sentence, min);
    wire_append(&sentence, " to ");
    wire_append_int(&sentence, max);
    wire_append(&sentence, unit);
    return close_sentence(&sentence);
}

/* --- Fields. --- */

static const cJSON *find_field(const struct reading *reading, const char *field)
{
    return cJSON_GetObjectItemCaseSensitive(reading->object, field);
}

/* The only reader of numbers. cJSON's are doubles: 2.5 and 1e30 are none of ours.
 * Requires: both bounds are exact in a double. */
static bool is_int_within(const cJSON *item, int64_t min, int64_t max, int64_t *ret_number)
{
    if (!cJSON_IsNumber(item)) return false;
    double number = item->valuedouble;
    if (!(number >= (double)min && number <= (double)max)) return false;
    if ((double)(int64_t)number != number) return false;
    *ret_number = (int64_t)number;
    return true;
}

static bool read_int(struct reading *reading, const char *field, int64_t min, int64_t max,
                     int64_t *ret_number)
{
    if (is_int_within(find_field(reading, field), min, max, ret_number)) return true;
    return refuse_range(reading, field, "an integer from ", min, max, ".");
}

/* NULL where the field is absent. */
static bool read_optional_string(struct reading *reading, const char *field, const char **ret_text)
{
    const cJSON *item = find_field(reading, field);
    if (item != NULL && !cJSON_IsString(item)) return refuse_field(reading, field, "a string.");
    *ret_text = item != NULL ? item->valuestring : NULL;
    return true;
}

static bool read_string(struct reading *reading, const char *field, const char **ret_text)
{
    const char *text;
    if (!read_optional_string(reading, field, &text)) return false;
    if (text == NULL) return refuse_field(reading, field, "a string.");
    *ret_text = text;
    return true;
}

/* As read_optional_string, and what is there has 1 to bytes_max bytes. */
static bool read_bounded_string(struct reading *reading, const char *field, size_t bytes_max,
                                const char **ret_text)
{
    const char *text;
    if (!read_optional_string(reading, field, &text)) return false;
    if (text != NULL && (text[0] == '\0' || strlen(text) > bytes_max)) {
        return refuse_range(reading, field, "a string of ", 1, (int64_t)bytes_max, " bytes.");
    }
    *ret_text = text;
    return true;
}

/* A text that is no id names another match, as any id does that is not this match's: which refusal
 * that brings is the game's (docs/protocol.md, "Which refusal"). */
static bool read_match(struct reading *reading, const char *field, bool *ret_has_match,
                       struct id *ret_match)
{
    const char *text;
    if (!read_optional_string(reading, field, &text)) return false;
    *ret_has_match = text != NULL;
    *ret_match = (struct id){{0}};
    if (text != NULL) (void)id_parse(text, (uint32_t)strlen(text), ret_match);
    return true;
}

/* --- Requests. --- */

static bool decode_hello(struct reading *reading, struct request *request)
{
    const char *name;
    const char *token;
    const char *resume;
    int64_t last_seq = 0;
    if (!read_optional_string(reading, "name", &name)) return false;
    if (!read_bounded_string(reading, "token", TOKEN_BYTES_MAX, &token)) return false;
    if (!read_bounded_string(reading, "resume", RESUME_BYTES_MAX, &resume)) return false;
    if (!read_match(reading, "last_match", &request->hello.has_last_match,
                    &request->hello.last_match)) {
        return false;
    }
    if (find_field(reading, "last_seq") != NULL &&
        !read_int(reading, "last_seq", 0, UINT16_MAX, &last_seq)) {
        return false;
    }
    bool is_known = token != NULL || resume != NULL;
    if (name == NULL && !is_known) {
        return refuse(reading, REFUSAL_BAD_MESSAGE, "`name`, `token` or `resume` is missing.");
    }
    request->hello.name = is_known ? NULL : name; /* A name makes a new guest, and only that. */
    request->hello.token = token;
    request->hello.resume = resume;
    if (resume == NULL) { /* Only who resumes has seen something of a match. */
        request->hello.has_last_match = false;
        request->hello.last_match = (struct id){{0}};
        last_seq = 0;
    }
    request->hello.last_seq = (uint16_t)last_seq;
    return true;
}

static bool find_mode(const char *name, uint8_t *ret_mode)
{
    for (uint8_t i = 0; i < MATCH_MODE_COUNT; i++) {
        if (strcmp(name, match_mode_name((enum match_mode)i)) != 0) continue;
        *ret_mode = i;
        return true;
    }
    return false;
}

static bool decode_join(struct reading *reading, struct request *request)
{
    const char *mode;
    if (!read_string(reading, "mode", &mode)) return false;
    if (!find_mode(mode, &request->join.mode)) {
        return refuse_field(reading, "mode", "one of the `modes` of welcome.");
    }
    if (!read_match(reading, "rematch", &request->join.has_rematch, &request->join.rematch)) {
        return false;
    }
    return read_bounded_string(reading, "category", CATEGORY_BYTES_MAX, &request->join.category);
}

static bool decode_leave(struct reading *reading, struct request *request)
{
    return read_match(reading, "match", &request->leave.has_match, &request->leave.match);
}

static bool decode_answer(struct reading *reading, struct request *request)
{
    int64_t round;
    int64_t choice;
    if (!read_int(reading, "round", 1, UINT8_MAX, &round)) return false;
    if (!read_int(reading, "choice", 0, UINT8_MAX, &choice)) return false;
    request->answer.round = (uint8_t)round;
    request->answer.choice = (uint8_t)choice;
    return read_match(reading, "match", &request->answer.has_match, &request->answer.match);
}

static bool decode_emote(struct reading *reading, struct request *request)
{
    const char *code;
    if (!read_string(reading, "code", &code)) return false;
    if (emote_find(code, &request->emote.code)) return true;
    return refuse_field(reading, "code", "one of the `emotes` of welcome.");
}

_Static_assert(PING_AT_BYTES_MAX == 64, "as decode_ping says");

/* A double holds 2^53 for 2^53 + 1 as well, and pong repeats the number: at the bound its digits
 * decide. */
static bool is_ping_bound_exact(const struct reading *reading, const cJSON *item)
{
    static const char bound[] = "9007199254740992";
    unsigned index = 0;
    for (const cJSON *each = reading->object->child; each != item; each = each->next) index++;
    struct json_scan scan = {.text = reading->text, .bytes = reading->bytes};
    json_seek_member(&scan, index);
    (void)json_take(&scan, '-'); /* Or not. */
    const char *digits = scan.text + scan.at;
    if (!json_scan_value(&scan, 0)) return false;
    size_t digit_count = (size_t)(scan.text + scan.at - digits);
    return digit_count == sizeof bound - 1 && memcmp(digits, bound, digit_count) == 0;
}

static bool decode_ping(struct reading *reading, struct request *request)
{
    const cJSON *at = find_field(reading, "at");
    int64_t number;
    if (cJSON_IsString(at) && strlen(at->valuestring) <= PING_AT_BYTES_MAX) {
        request->ping.text = at->valuestring;
        return true;
    }
    if (is_int_within(at, -ping_at_max, ping_at_max, &number)) {
        bool is_bound = number == ping_at_max || number == -ping_at_max;
        if (!is_bound || is_ping_bound_exact(reading, at)) {
            request->ping.text = NULL;
            request->ping.number = number;
            return true;
        }
    }
    return refuse_field(reading, "at", "a string of at most 64 bytes or an integer within 2^53.");
}

static const struct {
    const char *name;
    bool (*decode)(struct reading *reading, struct request *request);
} request_types[REQUEST_TYPE_COUNT] = {
    [REQUEST_HELLO] = {"hello", decode_hello}, [REQUEST_JOIN] = {"join", decode_join},
    [REQUEST_LEAVE] = {"leave", decode_leave}, [REQUEST_ANSWER] = {"answer", decode_answer},
    [REQUEST_EMOTE] = {"emote", decode_emote}, [REQUEST_PING] = {"ping", decode_ping},
};

static bool find_type(const char *name, uint8_t *ret_type)
{
    for (uint8_t i = 0; i < REQUEST_TYPE_COUNT; i++) {
        if (strcmp(name, request_types[i].name) != 0) continue;
        *ret_type = i;
        return true;
    }
    return false;
}

/* The message as a tree whose top is an object. ret_has_nul: a string in it holds \u0000, and ends
 * there for C. */
static bool read_object(struct reading *reading, bool *ret_has_nul)
{
    struct json_scan scan = {.text = reading->text, .bytes = reading->bytes};
    if (!json_scan_value(&scan, DECODE_DEPTH_MAX)) {
        return refuse(reading, REFUSAL_BAD_JSON, json_fault_text(scan.fault));
    }
    json_skip_space(&scan);
    if (scan.at < scan.bytes) {
        return refuse(reading, REFUSAL_BAD_JSON, "Something follows the JSON object.");
    }
    reading->object = json_tree_parse(reading->text, reading->bytes);
    if (!cJSON_IsObject(reading->object)) {
        return refuse(reading, REFUSAL_BAD_JSON, "The message is not a JSON object.");
    }
    *ret_has_nul = scan.has_nul;
    return true;
}

/* Type and id, which every request has; an emote may come without the latter. */
static bool read_envelope(struct reading *reading, const char **ret_type, uint32_t *ret_id)
{
    int64_t id = 0;
    bool has_usable_id = is_int_within(find_field(reading, "id"), 1, INT32_MAX, &id);
    reading->problem.request_id = (uint32_t)id;
    *ret_id = (uint32_t)id;
    if (!read_string(reading, "type", ret_type)) return false;
    if (has_usable_id) return true;
    uint8_t type;
    bool may_lack_id = find_type(*ret_type, &type) && type == REQUEST_EMOTE;
    if (!may_lack_id || find_field(reading, "id") != NULL) {
        return read_int(reading, "id", 1, INT32_MAX, &id);
    }
    reading->problem.is_silent = true;
    return true;
}

static bool read_request(struct reading *reading, struct request *request)
{
    const char *type;
    bool has_nul;
    if (!read_object(reading, &has_nul)) return false;
    if (!read_envelope(reading, &type, &request->id)) return false;
    if (has_nul) return refuse(reading, REFUSAL_BAD_MESSAGE, "A string holds \\u0000.");
    if (!find_type(type, &request->type)) {
        return refuse(reading, REFUSAL_UNKNOWN_TYPE, refusal_message(REFUSAL_UNKNOWN_TYPE));
    }
    return request_types[request->type].decode(reading, request);
}

bool decode_request(const char *text, size_t bytes, struct request *ret_request,
                    struct problem *reterr_problem)
{
    QR_ASSERT(bytes <= MESSAGE_BYTES_MAX);
    struct reading reading = {.text = text, .bytes = bytes};
    struct request request = {.id = 0};
    if (!read_request(&reading, &request)) {
        *reterr_problem = reading.problem;
        return false;
    }
    *ret_request = request;
    return true;
}
