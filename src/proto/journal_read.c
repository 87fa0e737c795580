/* Reading a journal's records. In the order of journal_write.c, which writes them. */
#include <string.h>

#include "pack_priv.h"
#include "proto/journal.h"

enum { HEAD_BYTES = 1 + sizeof(struct id) };

static struct unpack behind_head(const uint8_t *bytes, size_t size, enum journal_kind kind)
{
    QR_ASSERT(size >= HEAD_BYTES && bytes[0] == kind);
    return (struct unpack){.at = bytes + HEAD_BYTES, .left = size - HEAD_BYTES};
}

static const char *finish(const struct unpack *unpack)
{
    if (unpack->is_bad) return "it is cut off, or a field is out of bounds";
    return unpack->left > 0 ? "it is longer than what it holds" : NULL;
}

const char *journal_read_head(const uint8_t *bytes, size_t size, struct journal_head *ret_head)
{
    struct unpack unpack = {.at = bytes, .left = size};
    ret_head->kind = (uint8_t)unpack_number(&unpack, 1);
    unpack_bytes(&unpack, ret_head->match.bytes, sizeof(ret_head->match.bytes));
    if (unpack.is_bad) return "it is shorter than its head";
    bool is_known = ret_head->kind >= JOURNAL_BEGIN && ret_head->kind < JOURNAL_KIND_COUNT;
    return is_known ? NULL : "its kind is unknown";
}

/* --- Parts. --- */

static void unpack_id(struct unpack *unpack, struct id *ret_id)
{
    unpack_bytes(unpack, ret_id->bytes, sizeof(ret_id->bytes));
}

static struct rating unpack_rating(struct unpack *unpack)
{
    struct rating rating;
    rating.rating_centi = (int32_t)unpack_signed(unpack, 4);
    rating.deviation_centi = (int32_t)unpack_signed(unpack, 4);
    rating.volatility_micro = (int32_t)unpack_signed(unpack, 4);
    if (!rating_is_valid(&rating)) unpack->is_bad = true;
    return rating;
}

static void unpack_name(struct unpack *unpack, char ret_name[NAME_BYTES_MAX + 1])
{
    const char *name = unpack_string(unpack, NAME_BYTES_MAX);
    memset(ret_name, 0, NAME_BYTES_MAX + 1);
    memcpy(ret_name, name, strlen(name));
}

static uint8_t unpack_category(struct unpack *unpack, struct bank *bank)
{
    const char *name = unpack_string(unpack, CATEGORY_BYTES_MAX);
    for (uint8_t i = 0; i < bank->category_count; i++) {
        if (strcmp(bank->categories[i].name, name) == 0) return i;
    }
    if (bank->category_count == CATEGORIES_MAX) {
        unpack->is_bad = true;
        return 0;
    }
    bank->categories[bank->category_count].name = name;
    return (uint8_t)bank->category_count++;
}

/* The next question, which becomes the bank's last. */
static const struct question *unpack_question(struct unpack *unpack, struct journal_bank *bank)
{
    uint32_t index = bank->bank.count++;
    struct question *question = &bank->questions[index];
    memset(question, 0, sizeof(*question));
    bank->indices[index] = (uint16_t)index;
    unpack_id(unpack, &question->id);
    question->difficulty = (uint8_t)unpack_number(unpack, 1);
    if (question->difficulty > DIFFICULTY_HARD) unpack->is_bad = true;
    question->category = unpack_category(unpack, &bank->bank);
    question->text = unpack_string(unpack, (size_t)4 * QUESTION_CHARACTERS_MAX);
    unsigned count = (unsigned)unpack_number(unpack, 1);
    if (count < QUESTION_CHOICES_MIN || count > QUESTION_CHOICES_MAX) unpack->is_bad = true;
    for (unsigned i = 0; i < count && !unpack->is_bad; i++) {
        question->choices[i] = unpack_string(unpack, (size_t)4 * CHOICE_CHARACTERS_MAX);
    }
    question->choice_count = unpack->is_bad ? 0 : (uint8_t)count;
    return question;
}

static void begin_bank(struct journal_bank *bank)
{
    memset(&bank->bank, 0, sizeof(bank->bank));
    bank->bank.questions = bank->questions;
    bank->bank.all = bank->indices;
}

/* --- BEGIN. --- */

static void unpack_settings(struct unpack *unpack, struct match_settings *ret_settings)
{
    memset(ret_settings, 0, sizeof(*ret_settings));
    ret_settings->mode = (uint8_t)unpack_number(unpack, 1);
    ret_settings->rounds = (uint8_t)unpack_number(unpack, 1);
    ret_settings->start_ms = (uint32_t)unpack_number(unpack, 4);
    ret_settings->round_time_ms = (uint32_t)unpack_number(unpack, 4);
    ret_settings->reveal_time_ms = (uint32_t)unpack_number(unpack, 4);
    ret_settings->grace_ms = (uint32_t)unpack_number(unpack, 4);
    ret_settings->close_slack_ms = (uint32_t)unpack_number(unpack, 4);
    ret_settings->tau_milli = (uint32_t)unpack_number(unpack, 4);
    if (ret_settings->rounds > MATCH_ROUNDS_MAX) unpack->is_bad = true;
}

static void unpack_origin(struct unpack *unpack, struct match_origin *ret_origin)
{
    ret_origin->prng.key.words[0] = unpack_number(unpack, 8);
    ret_origin->prng.key.words[1] = unpack_number(unpack, 8);
    ret_origin->prng.counter = unpack_number(unpack, 8);
    unpack_settings(unpack, &ret_origin->settings);
    ret_origin->created_at.ms = unpack_number(unpack, 8);
    ret_origin->wall_offset_ms = unpack_signed(unpack, 8);
    ret_origin->is_rated = unpack_bool(unpack);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        struct origin_player *player = &ret_origin->players[i];
        unpack_id(unpack, &player->player);
        unpack_name(unpack, player->name);
        player->rating = unpack_rating(unpack);
        player->credit_ms = (uint16_t)unpack_number(unpack, 2);
        player->is_bot = unpack_bool(unpack);
    }
}

static void unpack_record(struct unpack *unpack, struct player_record *ret_record)
{
    unpack_name(unpack, ret_record->name);
    ret_record->rating = unpack_rating(unpack);
    ret_record->rated_at.ms = unpack_signed(unpack, 8);
    unsigned count = (unsigned)unpack_number(unpack, 1);
    if (count > RECENT_QUESTIONS_MAX) unpack->is_bad = true;
    for (unsigned i = 0; i < count && !unpack->is_bad; i++) {
        ret_record->recent.fingerprints[i] = (uint16_t)unpack_number(unpack, 2);
        ret_record->recent.count++;
    }
    count = (unsigned)unpack_number(unpack, 1);
    if (count > RECENT_OPPONENTS_MAX) unpack->is_bad = true;
    for (unsigned i = 0; i < count && !unpack->is_bad; i++) {
        ret_record->opponents.items[i].fingerprint = unpack_number(unpack, 8);
        ret_record->opponents.items[i].at.ms = unpack_signed(unpack, 8);
        ret_record->opponents.count++;
    }
}

uint8_t journal_rounds_of(const uint8_t *bytes, size_t size)
{
    struct unpack unpack = behind_head(bytes, size, JOURNAL_BEGIN);
    struct match_origin origin = {.is_rated = false};
    if (unpack_number(&unpack, 2) != MATCH_RULES_VERSION) return 0;
    unpack_origin(&unpack, &origin);
    return unpack.is_bad ? 0 : origin.settings.rounds;
}

const char *journal_read_begin(const uint8_t *bytes, size_t size, struct journal_begin *ret_begin)
{
    struct unpack unpack = behind_head(bytes, size, JOURNAL_BEGIN);
    struct match_origin *origin = &ret_begin->origin;
    memset(ret_begin, 0, sizeof(*ret_begin));
    memcpy(origin->id.bytes, bytes + 1, sizeof(origin->id.bytes));
    ret_begin->rules = (uint16_t)unpack_number(&unpack, 2);
    if (unpack.is_bad) return finish(&unpack);
    if (ret_begin->rules != MATCH_RULES_VERSION) return NULL;
    unpack_origin(&unpack, origin);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        struct journal_side *side = &ret_begin->sides[i];
        unpack_bytes(&unpack, side->secret.bytes, sizeof(side->secret.bytes));
        unpack_record(&unpack, &side->record);
    }
    begin_bank(&ret_begin->bank);
    for (unsigned i = 0; i < origin->settings.rounds && !unpack.is_bad; i++) {
        struct origin_round *round = &origin->rounds[i];
        round->question = (uint16_t)i;
        round->choice_count = unpack_question(&unpack, &ret_begin->bank)->choice_count;
        unpack_bytes(&unpack, round->places, round->choice_count);
    }
    const char *problem = finish(&unpack);
    return problem != NULL ? problem : match_origin_find_broken(origin, &ret_begin->bank.bank);
}

/* --- SEAT, EVENT. --- */

const char *journal_read_seat(const uint8_t *bytes, size_t size, struct journal_seat *ret_seat)
{
    struct unpack unpack = behind_head(bytes, size, JOURNAL_SEAT);
    ret_seat->seat = (uint8_t)unpack_number(&unpack, 1);
    unpack_bytes(&unpack, ret_seat->secret.bytes, sizeof(ret_seat->secret.bytes));
    unpack_bytes(&unpack, ret_seat->shown.bytes, sizeof(ret_seat->shown.bytes));
    if (ret_seat->seat >= MATCH_PLAYERS_MAX) unpack.is_bad = true;
    return finish(&unpack);
}

static void unpack_detail(struct unpack *unpack, struct match_event *ret_event)
{
    switch ((enum match_event_kind)ret_event->kind) {
    case MATCH_EVENT_ANSWER:
        ret_event->answer.stamp.ms = unpack_number(unpack, 8);
        ret_event->answer.round = (uint8_t)unpack_number(unpack, 1);
        ret_event->answer.choice = (uint8_t)unpack_number(unpack, 1);
        return;
    case MATCH_EVENT_EMOTE: /* Changes nothing: it is never written. */ break;
    case MATCH_EVENT_PRESENCE:
        ret_event->presence.is_here = unpack_bool(unpack);
        ret_event->presence.is_leaving = unpack_bool(unpack);
        ret_event->presence.names_match = unpack_bool(unpack);
        ret_event->presence.credit_ms = (uint16_t)unpack_number(unpack, 2);
        return;
    case MATCH_EVENT_PHASE_TIMER:
    case MATCH_EVENT_GRACE_TIMER: ret_event->timer.tag = (uint16_t)unpack_number(unpack, 2); return;
    case MATCH_EVENT_SAVED:
    case MATCH_EVENT_SAVE_FAILED: return;
    case MATCH_EVENT_CANCEL: ret_event->cancel.reason = (uint8_t)unpack_number(unpack, 1); return;
    case MATCH_EVENT_RECOVERED:
        ret_event->recovered.wall_offset_ms = unpack_signed(unpack, 8);
        return;
    }
    unpack->is_bad = true;
}

const char *journal_read_event(const uint8_t *bytes, size_t size, struct journal_event *ret_event)
{
    struct unpack unpack = behind_head(bytes, size, JOURNAL_EVENT);
    struct match_event *event = &ret_event->event;
    memset(ret_event, 0, sizeof(*ret_event));
    ret_event->seq = (uint16_t)unpack_number(&unpack, 2);
    event->kind = (uint8_t)unpack_number(&unpack, 1);
    event->player = (uint8_t)unpack_number(&unpack, 1);
    event->at.ms = unpack_number(&unpack, 8);
    if (event->player >= MATCH_PLAYERS_MAX) unpack.is_bad = true;
    unpack_detail(&unpack, event);
    return finish(&unpack);
}

/* --- RESULT. --- */

static void unpack_result_player(struct unpack *unpack, struct result_player *ret_player)
{
    unpack_id(unpack, &ret_player->player);
    unpack_name(unpack, ret_player->name);
    ret_player->before = unpack_rating(unpack);
    ret_player->after = unpack_rating(unpack);
    ret_player->score = (uint16_t)unpack_number(unpack, 2);
    ret_player->is_gone = unpack_bool(unpack);
    ret_player->is_bot = unpack_bool(unpack);
}

static void unpack_answer(struct unpack *unpack, unsigned choice_count,
                          struct result_answer *ret_answer)
{
    ret_answer->choice = (int8_t)unpack_signed(unpack, 1);
    ret_answer->is_right = unpack_bool(unpack);
    ret_answer->credit_ms = (uint16_t)unpack_number(unpack, 2);
    ret_answer->points = (uint16_t)unpack_number(unpack, 2);
    ret_answer->at_ms = (uint32_t)unpack_number(unpack, 4);
    ret_answer->received_at.ms = unpack_signed(unpack, 8);
    if (ret_answer->choice < MATCH_CHOICE_NONE || ret_answer->choice >= (int)choice_count) {
        unpack->is_bad = true;
    }
}

static void unpack_result_round(struct unpack *unpack, struct journal_bank *bank,
                                struct result_round *ret_round)
{
    ret_round->question = unpack_question(unpack, bank);
    ret_round->choice_count = ret_round->question->choice_count;
    unpack_bytes(unpack, ret_round->places, ret_round->choice_count);
    for (unsigned i = 0; i < ret_round->choice_count; i++) {
        if (ret_round->places[i] >= ret_round->choice_count) unpack->is_bad = true;
    }
    ret_round->weight = (uint8_t)unpack_number(unpack, 1);
    ret_round->is_revealed = unpack_bool(unpack);
    ret_round->time_ms = (uint32_t)unpack_number(unpack, 4);
    ret_round->began_at.ms = unpack_signed(unpack, 8);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        unpack_answer(unpack, ret_round->choice_count, &ret_round->answers[i]);
    }
}

static bool fits(const struct match_result *result)
{
    bool has_winner = result->winner != MATCH_WINNER_NONE;
    return result->mode < MATCH_MODE_COUNT && result->round_count <= MATCH_ROUNDS_MAX &&
           result->tau_milli >= RATING_TAU_MIN_MILLI && result->tau_milli <= RATING_TAU_MAX_MILLI &&
           (result->reason == MATCH_END_FINISHED || result->reason == MATCH_END_FORFEIT) &&
           (!has_winner || (result->winner >= 0 && result->winner < MATCH_PLAYERS_MAX));
}

const char *journal_read_result(const uint8_t *bytes, size_t size,
                                struct journal_result *ret_result)
{
    struct unpack unpack = behind_head(bytes, size, JOURNAL_RESULT);
    struct match_result *result = &ret_result->result;
    memset(ret_result, 0, sizeof(*ret_result));
    begin_bank(&ret_result->bank);
    memcpy(result->match.bytes, bytes + 1, sizeof(result->match.bytes));
    result->bank = &ret_result->bank.bank;
    result->mode = (uint8_t)unpack_number(&unpack, 1);
    result->reason = (uint8_t)unpack_number(&unpack, 1);
    result->is_rated = unpack_bool(&unpack);
    result->winner = (int8_t)unpack_signed(&unpack, 1);
    result->tau_milli = (uint16_t)unpack_number(&unpack, 2);
    result->created_at.ms = unpack_signed(&unpack, 8);
    result->ended_at.ms = unpack_signed(&unpack, 8);
    result->player_count = MATCH_PLAYERS_MAX;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        unpack_result_player(&unpack, &result->players[i]);
    }
    result->round_count = (uint8_t)unpack_number(&unpack, 1);
    if (!fits(result)) unpack.is_bad = true;
    for (unsigned i = 0; i < result->round_count && !unpack.is_bad; i++) {
        unpack_result_round(&unpack, &ret_result->bank, &result->rounds[i]);
    }
    return finish(&unpack);
}

/* --- CLOCK. --- */

const char *journal_read_clock(const uint8_t *bytes, size_t size, struct journal_clock *ret_clock)
{
    struct unpack unpack = behind_head(bytes, size, JOURNAL_CLOCK);
    ret_clock->now.ms = unpack_number(&unpack, 8);
    ret_clock->wall_now.ms = unpack_signed(&unpack, 8);
    ret_clock->synced = unpack_number(&unpack, 8);
    return finish(&unpack);
}
