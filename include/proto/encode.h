/* Messages to bytes: the only writer of JSON. docs/protocol.md, "server sends".
 *
 * Each function appends one message to an empty wire. Same arguments, same bytes; nothing that goes to all players of
 * a match depends on who gets it or when it is sent again. Pure. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/time.h"
#include "core/match.h"
#include "core/question.h"
#include "core/refusal.h"
#include "proto/request.h"
#include "proto/wire.h"

struct welcome {
    uint32_t request_id;
    struct id player;
    const char *name;
    int32_t rating_centi; /* Shown rounded to whole points. */
    const char *session;
    wall_time now;
    uint32_t ping_ms;
    const struct bank *bank; /* Its categories with at least `rounds` questions are listed. */
    unsigned rounds;
    const char *token;      /* Or NULL. */
    const struct id *match; /* Or NULL. */
};
void encode_welcome(struct wire *out, const struct welcome *welcome);

/* request_id 0: the server queues on its own accord. */
void encode_queued(struct wire *out, uint32_t request_id, enum match_mode mode, uint32_t waiting,
                   uint64_t waited_ms);

/* A wait that ended without a match. */
void encode_unqueued(struct wire *out, const char *reason);

struct ticket_news {
    uint64_t waited_ms;
    uint32_t waiting;
    int32_t window_centi; /* INT32_MAX: any distance; shown as 4000. */
    int64_t eta_ms;       /* -1: null. */
};
void encode_ticket(struct wire *out, const struct ticket_news *news);

/* The message of one log entry: match, round, reveal, peer or end. Requires: 1 <= seq <= match->seq. */
void encode_match_entry(struct wire *out, const struct match *match, uint16_t seq);

struct receipt {
    uint32_t request_id;
    uint8_t round;
    uint8_t choice;
    uint32_t at_ms;
    uint16_t rtt_ms;
    bool is_dup;
};
void encode_accepted(struct wire *out, const struct receipt *receipt);
void encode_answered(struct wire *out, const struct id *match, uint8_t round, uint8_t player);
void encode_emote(struct wire *out, const struct id *match, uint8_t player, uint8_t code);
void encode_saving(struct wire *out, const struct id *match);
/* round 0: before the first. left_ms: to the end of the current phase. */
void encode_clock(struct wire *out, const struct id *match, uint8_t round, uint32_t left_ms,
                  wall_time now);
void encode_gap(struct wire *out, uint32_t dropped);
void encode_left(struct wire *out, uint32_t request_id);
void encode_ok(struct wire *out, uint32_t request_id);
void encode_pong(struct wire *out, uint32_t request_id, const char *text, int64_t number,
                 wall_time now);

/* `message` NULL: the refusal's own. retry_ms is written where the refusal has one. request_id 0: none. */
void encode_error(struct wire *out, uint32_t request_id, enum refusal refusal, const char *message,
                  uint32_t retry_ms);

/* retry_ms 0: none. */
void encode_bye(struct wire *out, const char *reason, uint32_t retry_ms);
