#include "proto/encode.h"

#include "core/emote.h"
#include "rating_priv.h"
#include "wire_priv.h"

enum { WINDOW_ANY_SHOWN = 4000 }; /* More than any two ratings are apart. */

static void write_id(struct wire *out, uint32_t request_id)
{
    if (request_id != 0) wire_member_int(out, "id", request_id);
}

static void write_offers(struct wire *out, const struct bank *bank, unsigned rounds)
{
    wire_member_array(out, "modes");
    for (unsigned i = 0; i < MATCH_MODE_COUNT; i++) {
        wire_string(out, match_mode_name((enum match_mode)i));
    }
    wire_close_array(out);
    wire_member_array(out, "categories");
    for (unsigned i = 0; i < bank->category_count; i++) {
        if (bank->categories[i].count >= rounds) wire_string(out, bank->categories[i].name);
    }
    wire_close_array(out);
    wire_member_array(out, "emotes");
    for (unsigned i = 0; i < EMOTE_COUNT; i++) wire_string(out, emote_code((uint8_t)i));
    wire_close_array(out);
}

void encode_welcome(struct wire *out, const struct welcome *welcome)
{
    wire_open_message(out, "welcome");
    write_id(out, welcome->request_id);
    wire_member_id(out, "player", &welcome->player);
    wire_member_string(out, "name", welcome->name);
    wire_member_int(out, "rating", rating_shown(welcome->rating_centi));
    wire_member_string(out, "session", welcome->session);
    if (welcome->token != NULL) wire_member_string(out, "token", welcome->token);
    wire_member_int(out, "now_ms", welcome->now.ms);
    wire_member_int(out, "ping_ms", welcome->ping_ms);
    write_offers(out, welcome->bank, welcome->rounds);
    if (welcome->match != NULL) wire_member_id(out, "match", welcome->match);
    wire_close_message(out);
}

void encode_queued(struct wire *out, uint32_t request_id, enum match_mode mode, uint32_t waiting,
                   uint64_t waited_ms)
{
    wire_open_message(out, "queued");
    write_id(out, request_id);
    wire_member_string(out, "mode", match_mode_name(mode));
    wire_member_int(out, "waiting", waiting);
    wire_member_int(out, "waited_ms", (int64_t)waited_ms);
    wire_close_message(out);
}

void encode_unqueued(struct wire *out, const char *reason)
{
    wire_open_message(out, "unqueued");
    wire_member_string(out, "reason", reason);
    wire_close_message(out);
}

void encode_ticket(struct wire *out, const struct ticket_news *news)
{
    bool is_any = news->window_centi == INT32_MAX;
    wire_open_message(out, "ticket");
    wire_member_int(out, "waited_ms", (int64_t)news->waited_ms);
    wire_member_int(out, "waiting", news->waiting);
    wire_member_int(out, "window", is_any ? WINDOW_ANY_SHOWN : rating_shown(news->window_centi));
    if (news->eta_ms < 0) {
        wire_member_null(out, "eta_ms");
    } else {
        wire_member_int(out, "eta_ms", news->eta_ms);
    }
    wire_close_message(out);
}

void encode_accepted(struct wire *out, const struct receipt *receipt)
{
    wire_open_message(out, "accepted");
    write_id(out, receipt->request_id);
    wire_member_int(out, "round", receipt->round);
    wire_member_int(out, "choice", receipt->choice);
    wire_member_int(out, "at_ms", receipt->at_ms);
    wire_member_int(out, "rtt_ms", receipt->rtt_ms);
    wire_member_bool(out, "dup", receipt->is_dup);
    wire_close_message(out);
}

void encode_answered(struct wire *out, const struct id *match, uint8_t round, uint8_t player)
{
    wire_open_message(out, "answered");
    wire_member_id(out, "match", match);
    wire_member_int(out, "round", round);
    wire_member_int(out, "player", player);
    wire_close_message(out);
}

void encode_emote(struct wire *out, const struct id *match, uint8_t player, uint8_t code)
{
    wire_open_message(out, "emote");
    wire_member_id(out, "match", match);
    wire_member_int(out, "player", player);
    wire_member_string(out, "code", emote_code(code));
    wire_close_message(out);
}

void encode_saving(struct wire *out, const struct id *match)
{
    wire_open_message(out, "saving");
    wire_member_id(out, "match", match);
    wire_close_message(out);
}

void encode_clock(struct wire *out, const struct id *match, uint8_t round, uint32_t left_ms,
                  wall_time now)
{
    wire_open_message(out, "clock");
    wire_member_id(out, "match", match);
    wire_member_int(out, "round", round);
    wire_member_int(out, "left_ms", left_ms);
    wire_member_int(out, "now_ms", now.ms);
    wire_close_message(out);
}

void encode_gap(struct wire *out, uint32_t dropped)
{
    wire_open_message(out, "gap");
    wire_member_int(out, "dropped", dropped);
    wire_close_message(out);
}

void encode_left(struct wire *out, uint32_t request_id)
{
    wire_open_message(out, "left");
    write_id(out, request_id);
    wire_close_message(out);
}

void encode_ok(struct wire *out, uint32_t request_id)
{
    wire_open_message(out, "ok");
    write_id(out, request_id);
    wire_close_message(out);
}

void encode_pong(struct wire *out, uint32_t request_id, const char *text, int64_t number,
                 wall_time now)
{
    wire_open_message(out, "pong");
    write_id(out, request_id);
    if (text != NULL) {
        wire_member_string(out, "at", text);
    } else {
        wire_member_int(out, "at", number);
    }
    wire_member_int(out, "now_ms", now.ms);
    wire_close_message(out);
}

void encode_error(struct wire *out, uint32_t request_id, enum refusal refusal, const char *message,
                  uint32_t retry_ms)
{
    wire_open_message(out, "error");
    write_id(out, request_id);
    wire_member_string(out, "code", refusal_code(refusal));
    wire_member_string(out, "message", message != NULL ? message : refusal_message(refusal));
    if (refusal_has_retry(refusal)) wire_member_int(out, "retry_ms", retry_ms);
    wire_close_message(out);
}

void encode_bye(struct wire *out, const char *reason, uint32_t retry_ms)
{
    wire_open_message(out, "bye");
    wire_member_string(out, "reason", reason);
    if (retry_ms != 0) wire_member_int(out, "retry_ms", retry_ms);
    wire_close_message(out);
}
