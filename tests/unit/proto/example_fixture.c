#include "example_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/emote.h"
#include "proto/encode.h"

enum { CENTI = 100, QUESTION_CATEGORY = 0, WINDOW_ANY = 4000 };

/* --- Values. --- */

static const cJSON *find(const cJSON *object, const char *field)
{
    return cJSON_GetObjectItemCaseSensitive(object, field);
}

static const cJSON *get(const cJSON *object, const char *field)
{
    const cJSON *item = find(object, field);
    if (item == NULL) fail_msg("no `%s`", field);
    return item;
}

static int64_t get_int(const cJSON *object, const char *field)
{
    const cJSON *item = get(object, field);
    if (!cJSON_IsNumber(item)) fail_msg("`%s` is no number", field);
    return (int64_t)item->valuedouble;
}

static const char *get_string(const cJSON *object, const char *field)
{
    const cJSON *item = get(object, field);
    if (!cJSON_IsString(item)) fail_msg("`%s` is no string", field);
    return item->valuestring;
}

static struct id get_id(const cJSON *object, const char *field)
{
    struct id id;
    const char *text = get_string(object, field);
    assert_true(id_parse(text, (uint32_t)strlen(text), &id));
    return id;
}

/* 0: none. */
static uint32_t request_id_of(const cJSON *example)
{
    return find(example, "id") != NULL ? (uint32_t)get_int(example, "id") : 0;
}

static uint32_t retry_of(const cJSON *example)
{
    return find(example, "retry_ms") != NULL ? (uint32_t)get_int(example, "retry_ms") : 0;
}

static int32_t get_centi(const cJSON *object, const char *field)
{
    return (int32_t)get_int(object, field) * CENTI;
}

static enum match_mode get_mode(const cJSON *example)
{
    for (unsigned i = 0; i < MATCH_MODE_COUNT; i++) {
        if (strcmp(match_mode_name((enum match_mode)i), get_string(example, "mode")) == 0) {
            return (enum match_mode)i;
        }
    }
    fail_msg("no such mode");
    return MATCH_MODE_DUEL;
}

static wall_time get_wall(const cJSON *object, const char *field)
{
    return (wall_time){get_int(object, field)};
}

/* --- Messages that are not a match's log. --- */

static void write_welcome(const cJSON *example, struct wire *out)
{
    struct bank bank = {.category_count = 0};
    const cJSON *category;
    cJSON_ArrayForEach(category, get(example, "categories"))
    {
        bank.categories[bank.category_count++] =
            (struct bank_category){.name = category->valuestring, .count = 1};
    }
    bool has_match = find(example, "match") != NULL;
    struct id match = has_match ? get_id(example, "match") : (struct id){{0}};
    encode_welcome(
        out, &(struct welcome){
                 .request_id = request_id_of(example),
                 .player = get_id(example, "player"),
                 .name = get_string(example, "name"),
                 .rating_centi = get_centi(example, "rating"),
                 .session = get_string(example, "session"),
                 .now = get_wall(example, "now_ms"),
                 .ping_ms = (uint32_t)get_int(example, "ping_ms"),
                 .bank = &bank,
                 .rounds = 1,
                 .token = find(example, "token") != NULL ? get_string(example, "token") : NULL,
                 .match = has_match ? &match : NULL,
             });
}

static void write_queued(const cJSON *example, struct wire *out)
{
    encode_queued(out, request_id_of(example), get_mode(example),
                  (uint32_t)get_int(example, "waiting"), (uint64_t)get_int(example, "waited_ms"));
}

static void write_unqueued(const cJSON *example, struct wire *out)
{
    encode_unqueued(out, get_string(example, "reason"));
}

static void write_ticket(const cJSON *example, struct wire *out)
{
    bool is_any = get_int(example, "window") == WINDOW_ANY;
    bool has_eta = !cJSON_IsNull(get(example, "eta_ms"));
    encode_ticket(out, &(struct ticket_news){
                           .waited_ms = (uint64_t)get_int(example, "waited_ms"),
                           .waiting = (uint32_t)get_int(example, "waiting"),
                           .window_centi = is_any ? INT32_MAX : get_centi(example, "window"),
                           .eta_ms = has_eta ? get_int(example, "eta_ms") : -1,
                       });
}

static void write_accepted(const cJSON *example, struct wire *out)
{
    encode_accepted(out, &(struct receipt){
                             .request_id = request_id_of(example),
                             .round = (uint8_t)get_int(example, "round"),
                             .choice = (uint8_t)get_int(example, "choice"),
                             .at_ms = (uint32_t)get_int(example, "at_ms"),
                             .rtt_ms = (uint16_t)get_int(example, "rtt_ms"),
                             .is_dup = cJSON_IsTrue(get(example, "dup")),
                         });
}

static void write_answered(const cJSON *example, struct wire *out)
{
    struct id match = get_id(example, "match");
    encode_answered(out, &match, (uint8_t)get_int(example, "round"),
                    (uint8_t)get_int(example, "player"));
}

static void write_emote(const cJSON *example, struct wire *out)
{
    struct id match = get_id(example, "match");
    uint8_t code = 0;
    assert_true(emote_find(get_string(example, "code"), &code));
    encode_emote(out, &match, (uint8_t)get_int(example, "player"), code);
}

static void write_saving(const cJSON *example, struct wire *out)
{
    struct id match = get_id(example, "match");
    encode_saving(out, &match);
}

static void write_clock(const cJSON *example, struct wire *out)
{
    struct id match = get_id(example, "match");
    encode_clock(out, &match, (uint8_t)get_int(example, "round"),
                 (uint32_t)get_int(example, "left_ms"), get_wall(example, "now_ms"));
}

static void write_gap(const cJSON *example, struct wire *out)
{
    encode_gap(out, (uint32_t)get_int(example, "dropped"));
}

static void write_left(const cJSON *example, struct wire *out)
{
    encode_left(out, request_id_of(example));
}

static void write_ok(const cJSON *example, struct wire *out)
{
    encode_ok(out, request_id_of(example));
}

static void write_pong(const cJSON *example, struct wire *out)
{
    const cJSON *at = get(example, "at");
    encode_pong(out, request_id_of(example), at->valuestring, (int64_t)at->valuedouble,
                get_wall(example, "now_ms"));
}

static void write_error(const cJSON *example, struct wire *out)
{
    const char *code = get_string(example, "code");
    for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++) {
        if (strcmp(refusal_code((enum refusal)i), code) != 0) continue;
        encode_error(out, request_id_of(example), (enum refusal)i, get_string(example, "message"),
                     retry_of(example));
        return;
    }
    fail_msg("no refusal has the code %s", code);
}

static void write_bye(const cJSON *example, struct wire *out)
{
    encode_bye(out, get_string(example, "reason"), retry_of(example));
}

/* --- The messages of a match's log. --- */

static void put_entry(struct match *match, unsigned seq, unsigned entry)
{
    unsigned shift = (seq - 1) % 2 * 4;
    uint8_t *byte = &match->log[(seq - 1) / 2];
    *byte = (uint8_t)((*byte & ~(0xfu << shift)) | entry << shift);
}

/* A match whose entry `seq` is of this kind; `round` rounds have begun until then. */
static struct match match_until(const cJSON *example, uint8_t entry, uint8_t round)
{
    int64_t seq = get_int(example, "seq");
    struct match match = {.id = get_id(example, "match"),
                          .settings = {.rounds = MATCH_ROUNDS_MAX},
                          .seq = (uint16_t)seq,
                          .player_count = MATCH_PLAYERS_MAX};
    uint8_t begun = (uint8_t)(entry == MATCH_LOG_ROUND ? round - 1 : round);
    assert_in_range(seq, begun + 1, MATCH_LOG_MAX);
    for (unsigned i = 1; i <= begun; i++) put_entry(&match, i, MATCH_LOG_ROUND);
    put_entry(&match, (unsigned)seq, entry);
    return match;
}

static void write_match(const cJSON *example, struct wire *out)
{
    struct match match = match_until(example, MATCH_LOG_MATCH, 0);
    match.settings.mode = (uint8_t)get_mode(example);
    match.settings.rounds = (uint8_t)get_int(example, "rounds");
    match.is_rated = cJSON_IsTrue(get(example, "rated"));
    match.created_at.ms = (uint64_t)get_int(example, "starts_at_ms");
    match.player_count = 0;
    const cJSON *each;
    cJSON_ArrayForEach(each, get(example, "players"))
    {
        struct match_player *player = &match.players[match.player_count++];
        player->player = get_id(each, "player");
        player->rating.rating_centi = get_centi(each, "rating");
        player->is_bot = cJSON_IsTrue(find(each, "bot"));
        (void)snprintf(player->name, sizeof player->name, "%s", get_string(each, "name"));
    }
    encode_match_entry(out, &match, match.seq);
}

static void write_round(const cJSON *example, struct wire *out)
{
    uint8_t number = (uint8_t)get_int(example, "round");
    struct match match = match_until(example, MATCH_LOG_ROUND, number);
    struct match_round *round = &match.rounds[number - 1];
    struct question question = {.id = get_id(example, "question_id"),
                                .text = get_string(example, "question")};
    struct bank bank = {.questions = &question,
                        .categories = {{.name = get_string(example, "category")}}};
    const char *difficulty = get_string(example, "difficulty");
    while (strcmp(difficulty_name((enum difficulty)question.difficulty), difficulty) != 0) {
        question.difficulty++;
    }
    const cJSON *choice;
    cJSON_ArrayForEach(choice, get(example, "choices"))
    {
        round->places[round->choice_count] = round->choice_count;
        question.choices[round->choice_count++] = choice->valuestring;
    }
    match.bank = &bank;
    match.settings.rounds = (uint8_t)get_int(example, "rounds");
    match.settings.round_time_ms = (uint32_t)get_int(example, "time_ms");
    match.created_at.ms = /* And the round began with it. */
        (uint64_t)get_int(example, "deadline_ms") - (uint64_t)get_int(example, "time_ms");
    round->weight = (uint8_t)get_int(example, "weight");
    encode_match_entry(out, &match, match.seq);
}

static void write_reveal(const cJSON *example, struct wire *out)
{
    uint8_t number = (uint8_t)get_int(example, "round");
    int64_t correct = get_int(example, "correct");
    struct match match = match_until(example, MATCH_LOG_REVEAL, number);
    struct match_round *round = &match.rounds[number - 1];
    if (cJSON_IsNull(get(example, "next_at_ms"))) {
        match.settings.rounds = number;
    } else {
        match.created_at.ms = (uint64_t)get_int(example, "next_at_ms");
    }
    round->choice_count = QUESTION_CHOICES_MAX;
    memset(round->places, 1, QUESTION_CHOICES_MAX);
    assert_in_range(correct, 0, QUESTION_CHOICES_MAX - 1);
    round->places[correct] = 0;
    match.player_count = 0;
    const cJSON *each;
    cJSON_ArrayForEach(each, get(example, "results"))
    {
        unsigned player = match.player_count++;
        bool has_choice = !cJSON_IsNull(get(each, "choice"));
        round->answers[player] = (struct match_answer){
            .choice = has_choice ? (int8_t)get_int(each, "choice") : MATCH_CHOICE_NONE,
            .raw_ms = has_choice ? (uint32_t)get_int(each, "at_ms") : 0,
            .points = (uint16_t)get_int(each, "points"),
        };
        round->scores[player] = (uint16_t)get_int(each, "score");
        round->streaks[player] = (uint8_t)get_int(each, "streak");
    }
    encode_match_entry(out, &match, match.seq);
}

static void write_peer(const cJSON *example, struct wire *out)
{
    const char *state = get_string(example, "state");
    bool is_away = strcmp(state, "away") == 0;
    int kind = is_away                      ? MATCH_LOG_AWAY
               : strcmp(state, "back") == 0 ? MATCH_LOG_BACK
                                            : MATCH_LOG_GONE;
    int64_t player = get_int(example, "player");
    struct match match = match_until(example, (uint8_t)(kind | player << 3), 0);
    if (is_away) match.settings.grace_ms = (uint32_t)get_int(example, "grace_ms");
    encode_match_entry(out, &match, match.seq);
}

static uint8_t get_reason(const cJSON *example)
{
    for (uint8_t i = MATCH_END_FINISHED; i <= MATCH_END_SHUTDOWN; i++) {
        const char *name = match_end_reason_name((enum match_end_reason)i);
        if (strcmp(name, get_string(example, "reason")) == 0) return i;
    }
    fail_msg("no such reason");
    return 0;
}

static void write_end(const cJSON *example, struct wire *out)
{
    struct match match = match_until(example, MATCH_LOG_END, 0);
    const cJSON *winner = get(example, "winner");
    const cJSON *ratings = get(example, "ratings");
    match.reason = get_reason(example);
    match.winner = cJSON_IsNull(winner) ? MATCH_WINNER_NONE : (int8_t)get_int(example, "winner");
    match.is_rated = cJSON_IsArray(ratings);
    put_entry(&match, 1, MATCH_LOG_REVEAL); /* Scores are those of the last reveal. */
    for (int i = 0; i < match.player_count; i++) {
        const cJSON *rating = cJSON_GetArrayItem(ratings, i);
        match.rounds[0].scores[i] =
            (uint16_t)cJSON_GetArrayItem(get(example, "scores"), i)->valueint;
        if (rating == NULL) continue;
        match.players[i].rating.rating_centi = get_centi(rating, "before");
        match.players[i].rating_after.rating_centi = get_centi(rating, "after");
    }
    encode_match_entry(out, &match, match.seq);
}

/* --- All of them. --- */

static const struct {
    const char *type;
    void (*write)(const cJSON *example, struct wire *out);
} writers[] = {
    {"welcome", write_welcome},   {"queued", write_queued},     {"unqueued", write_unqueued},
    {"ticket", write_ticket},     {"match", write_match},       {"round", write_round},
    {"accepted", write_accepted}, {"answered", write_answered}, {"reveal", write_reveal},
    {"peer", write_peer},         {"saving", write_saving},     {"end", write_end},
    {"clock", write_clock},       {"emote", write_emote},       {"gap", write_gap},
    {"pong", write_pong},         {"left", write_left},         {"ok", write_ok},
    {"error", write_error},       {"bye", write_bye},
};
enum { WRITER_COUNT = sizeof writers / sizeof writers[0] };
_Static_assert((int)WRITER_COUNT <= (int)EXAMPLE_TYPES_MAX, "one bit of a set for each");

bool example_find_type(const char *type, unsigned *ret_index)
{
    for (unsigned i = 0; i < WRITER_COUNT; i++) {
        if (strcmp(writers[i].type, type) != 0) continue;
        *ret_index = i;
        return true;
    }
    return false;
}

const char *example_type(unsigned index)
{
    return index < WRITER_COUNT ? writers[index].type : NULL;
}

void example_write(unsigned index, const cJSON *example, struct wire *out)
{
    writers[index].write(example, out);
}
