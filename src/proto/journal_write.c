/* Writing a journal's records. In the order of journal_read.c, which reads them. */
#include <string.h>

#include "pack_priv.h"
#include "proto/journal.h"

static const char *const kind_names[JOURNAL_KIND_COUNT] = {
    [JOURNAL_BEGIN] = "begin",   [JOURNAL_SEAT] = "seat", [JOURNAL_EVENT] = "event",
    [JOURNAL_RESULT] = "result", [JOURNAL_OVER] = "over", [JOURNAL_STORED] = "stored",
    [JOURNAL_CLOCK] = "clock",
};

const char *journal_kind_name(enum journal_kind kind)
{
    QR_ASSERT(kind >= JOURNAL_BEGIN && kind <= JOURNAL_CLOCK);
    return kind_names[kind];
}

/* --- Parts. --- */

static struct pack begin_record(uint8_t *bytes, size_t capacity, enum journal_kind kind,
                                const struct id *match)
{
    struct pack pack = {.bytes = bytes, .capacity = capacity};
    pack_number(&pack, kind, 1);
    pack_bytes(&pack, match->bytes, sizeof(match->bytes));
    return pack;
}

static void pack_id(struct pack *pack, const struct id *id)
{
    pack_bytes(pack, id->bytes, sizeof(id->bytes));
}

static void pack_rating(struct pack *pack, const struct rating *rating)
{
    pack_number(pack, (uint32_t)rating->rating_centi, 4);
    pack_number(pack, (uint32_t)rating->deviation_centi, 4);
    pack_number(pack, (uint32_t)rating->volatility_micro, 4);
}

static void pack_question(struct pack *pack, const struct bank *bank,
                          const struct question *question)
{
    pack_id(pack, &question->id);
    pack_number(pack, question->difficulty, 1);
    pack_string(pack, bank->categories[question->category].name);
    pack_string(pack, question->text);
    pack_number(pack, question->choice_count, 1);
    for (unsigned i = 0; i < question->choice_count; i++) pack_string(pack, question->choices[i]);
}

/* --- BEGIN. --- */

static void pack_settings(struct pack *pack, const struct match_settings *settings)
{
    pack_number(pack, settings->mode, 1);
    pack_number(pack, settings->rounds, 1);
    pack_number(pack, settings->start_ms, 4);
    pack_number(pack, settings->round_time_ms, 4);
    pack_number(pack, settings->reveal_time_ms, 4);
    pack_number(pack, settings->grace_ms, 4);
    pack_number(pack, settings->close_slack_ms, 4);
    pack_number(pack, settings->tau_milli, 4);
}

static void pack_origin(struct pack *pack, const struct match_origin *origin)
{
    pack_number(pack, origin->prng.key.words[0], 8);
    pack_number(pack, origin->prng.key.words[1], 8);
    pack_number(pack, origin->prng.counter, 8);
    pack_settings(pack, &origin->settings);
    pack_number(pack, origin->created_at.ms, 8);
    pack_number(pack, (uint64_t)origin->wall_offset_ms, 8);
    pack_number(pack, origin->is_rated, 1);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct origin_player *player = &origin->players[i];
        pack_id(pack, &player->player);
        pack_string(pack, player->name);
        pack_rating(pack, &player->rating);
        pack_number(pack, player->credit_ms, 2);
        pack_number(pack, player->is_bot, 1);
    }
}

static void pack_record(struct pack *pack, const struct player_record *record)
{
    pack_string(pack, record->name);
    pack_rating(pack, &record->rating);
    pack_number(pack, (uint64_t)record->rated_at.ms, 8);
    pack_number(pack, record->recent.count, 1);
    for (unsigned i = 0; i < record->recent.count; i++) {
        pack_number(pack, record->recent.fingerprints[i], 2);
    }
    pack_number(pack, record->opponents.count, 1);
    for (unsigned i = 0; i < record->opponents.count; i++) {
        pack_number(pack, record->opponents.items[i].fingerprint, 8);
        pack_number(pack, (uint64_t)record->opponents.items[i].at.ms, 8);
    }
}

size_t journal_write_begin(uint8_t bytes[JOURNAL_RECORD_BYTES_MAX], const struct match *match,
                           const struct journal_side sides[MATCH_PLAYERS_MAX])
{
    struct match_origin origin;
    match_origin_of(match, &origin);
    struct pack pack = begin_record(bytes, JOURNAL_RECORD_BYTES_MAX, JOURNAL_BEGIN, &origin.id);
    pack_number(&pack, MATCH_RULES_VERSION, 2);
    pack_origin(&pack, &origin);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        pack_bytes(&pack, sides[i].secret.bytes, sizeof(sides[i].secret.bytes));
        pack_record(&pack, &sides[i].record);
    }
    for (unsigned i = 0; i < origin.settings.rounds; i++) {
        const struct origin_round *round = &origin.rounds[i];
        pack_question(&pack, match->bank, &match->bank->questions[round->question]);
        pack_bytes(&pack, round->places, round->choice_count);
    }
    return pack.size;
}

/* --- SEAT, EVENT. --- */

size_t journal_write_seat(uint8_t bytes[JOURNAL_EVENT_BYTES_MAX], const struct id *match,
                          const struct journal_seat *seat)
{
    struct pack pack = begin_record(bytes, JOURNAL_EVENT_BYTES_MAX, JOURNAL_SEAT, match);
    pack_number(&pack, seat->seat, 1);
    pack_bytes(&pack, seat->secret.bytes, sizeof(seat->secret.bytes));
    pack_bytes(&pack, seat->shown.bytes, sizeof(seat->shown.bytes));
    return pack.size;
}

static void pack_detail(struct pack *pack, const struct match_event *event)
{
    switch ((enum match_event_kind)event->kind) {
    case MATCH_EVENT_ANSWER:
        pack_number(pack, event->answer.stamp.ms, 8);
        pack_number(pack, event->answer.round, 1);
        pack_number(pack, event->answer.choice, 1);
        return;
    case MATCH_EVENT_EMOTE: pack_number(pack, event->emote.code, 1); return;
    case MATCH_EVENT_PRESENCE:
        pack_number(pack, event->presence.is_here, 1);
        pack_number(pack, event->presence.is_leaving, 1);
        pack_number(pack, event->presence.names_match, 1);
        pack_number(pack, event->presence.credit_ms, 2);
        return;
    case MATCH_EVENT_PHASE_TIMER:
    case MATCH_EVENT_GRACE_TIMER: pack_number(pack, event->timer.tag, 2); return;
    case MATCH_EVENT_SAVED:
    case MATCH_EVENT_SAVE_FAILED: return;
    case MATCH_EVENT_CANCEL: pack_number(pack, event->cancel.reason, 1); return;
    case MATCH_EVENT_RECOVERED:
        pack_number(pack, (uint64_t)event->recovered.wall_offset_ms, 8);
        return;
    }
    QR_UNREACHABLE("an event of an unknown kind");
}

size_t journal_write_event(uint8_t bytes[JOURNAL_EVENT_BYTES_MAX], const struct match *match,
                           const struct match_event *event)
{
    struct pack pack = begin_record(bytes, JOURNAL_EVENT_BYTES_MAX, JOURNAL_EVENT, &match->id);
    pack_number(&pack, match->seq, 2);
    pack_number(&pack, event->kind, 1);
    pack_number(&pack, event->player, 1);
    pack_number(&pack, event->at.ms, 8);
    pack_detail(&pack, event);
    return pack.size;
}

/* --- RESULT. --- */

static void pack_result_player(struct pack *pack, const struct result_player *player)
{
    pack_id(pack, &player->player);
    pack_string(pack, player->name);
    pack_rating(pack, &player->before);
    pack_rating(pack, &player->after);
    pack_number(pack, player->score, 2);
    pack_number(pack, player->is_gone, 1);
    pack_number(pack, player->is_bot, 1);
}

static void pack_answer(struct pack *pack, const struct result_answer *answer)
{
    pack_number(pack, (uint8_t)answer->choice, 1);
    pack_number(pack, answer->is_right, 1);
    pack_number(pack, answer->credit_ms, 2);
    pack_number(pack, answer->points, 2);
    pack_number(pack, answer->at_ms, 4);
    pack_number(pack, (uint64_t)answer->received_at.ms, 8);
}

static void pack_result_round(struct pack *pack, const struct bank *bank,
                              const struct result_round *round)
{
    pack_question(pack, bank, round->question);
    pack_bytes(pack, round->places, round->choice_count);
    pack_number(pack, round->weight, 1);
    pack_number(pack, round->is_revealed, 1);
    pack_number(pack, round->time_ms, 4);
    pack_number(pack, (uint64_t)round->began_at.ms, 8);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) pack_answer(pack, &round->answers[i]);
}

size_t journal_write_result(uint8_t bytes[JOURNAL_RECORD_BYTES_MAX],
                            const struct match_result *result)
{
    struct pack pack =
        begin_record(bytes, JOURNAL_RECORD_BYTES_MAX, JOURNAL_RESULT, &result->match);
    pack_number(&pack, result->mode, 1);
    pack_number(&pack, result->reason, 1);
    pack_number(&pack, result->is_rated, 1);
    pack_number(&pack, (uint8_t)result->winner, 1);
    pack_number(&pack, result->tau_milli, 2);
    pack_number(&pack, (uint64_t)result->created_at.ms, 8);
    pack_number(&pack, (uint64_t)result->ended_at.ms, 8);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        pack_result_player(&pack, &result->players[i]);
    }
    pack_number(&pack, result->round_count, 1);
    for (unsigned i = 0; i < result->round_count; i++) {
        pack_result_round(&pack, result->bank, &result->rounds[i]);
    }
    return pack.size;
}

/* --- OVER, STORED; CLOCK. --- */

size_t journal_write_mark(uint8_t bytes[JOURNAL_EVENT_BYTES_MAX], enum journal_kind kind,
                          const struct id *match)
{
    QR_ASSERT(kind == JOURNAL_OVER || kind == JOURNAL_STORED);
    return begin_record(bytes, JOURNAL_EVENT_BYTES_MAX, kind, match).size;
}

size_t journal_write_clock(uint8_t bytes[JOURNAL_EVENT_BYTES_MAX],
                           const struct journal_clock *clock)
{
    static const struct id none;
    struct pack pack = begin_record(bytes, JOURNAL_EVENT_BYTES_MAX, JOURNAL_CLOCK, &none);
    pack_number(&pack, clock->now.ms, 8);
    pack_number(&pack, (uint64_t)clock->wall_now.ms, 8);
    pack_number(&pack, clock->synced, 8);
    return pack.size;
}
