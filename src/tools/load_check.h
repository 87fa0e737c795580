/* One player's view of the protocol: everything that the server may send now, and whether it just
 * did.
 *
 * Written from docs/protocol.md alone and sharing no code with the server: points, streaks, scores
 * and winners are computed again here. It is told what the player sends (check_sent) and sees each
 * message that comes (check_message); what it found out goes to the player as `struct news`, what
 * was wrong into `struct verdict`.
 *
 * Pure: time is a parameter. One owner. sizeof(struct check), and a parsed message while it is
 * looked at.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/id.h"
#include "load_twins.h"

enum {
    CHECK_PENDING_MAX = 16,
    CHECK_PLAYERS_MAX = 16, /* protocol.md, Limits: the most the format provides for. */
    CHECK_ROUNDS_MAX = 64,
    CHECK_ID_BYTES = 64,
    CHECK_NAME_BYTES = 96,
    CHECK_CODE_BYTES = 24,
    CHECK_EMOTES_MAX = 16,
    CHECK_VERDICT_BYTES = 192,
    CHECK_NO_CHOICE = -1,
    CHECK_NO_WINNER = -1,
};

enum check_phase {
    CHECK_GREETING, /* Before `welcome`. */
    CHECK_IDLE,
    CHECK_QUEUED,
    CHECK_PLAYING,
};

enum check_request_kind {
    CHECK_HELLO,
    CHECK_JOIN,
    CHECK_LEAVE,
    CHECK_ANSWER,
    CHECK_EMOTE,
    CHECK_PING,
};

struct check_request {
    uint32_t id;
    uint8_t kind; /* enum check_request_kind. */
    uint8_t round;
    int8_t choice;
    int64_t ping_at;
    uint64_t sent_us;
};

struct check_answer {
    bool is_there;
    int8_t choice;
    uint32_t at_ms;
};

struct check_player {
    bool has_answered; /* In the current round, by `answered`. */
    bool is_away;
    bool is_gone;
    uint32_t score;
    uint32_t streak;
};

struct check_match {
    char text[CHECK_ID_BYTES];
    struct id id;
    bool is_rated;
    uint8_t player_count;
    uint8_t own;
    uint32_t seq;
    uint32_t rounds;
    uint32_t round; /* The current or last one; 0 before the first. */
    bool is_open;   /* The round's reveal has not come. */
    int64_t starts_at_ms;
    uint32_t time_ms;
    uint32_t weight;
    uint32_t choice_count;
    uint64_t round_came_us;
    struct check_player players[CHECK_PLAYERS_MAX];
    struct check_answer own_answers[CHECK_ROUNDS_MAX + 1]; /* By round: the first receipt. */
};

struct check {
    uint8_t phase; /* enum check_phase. */
    bool has_bye;
    char player[CHECK_ID_BYTES];
    char name[CHECK_NAME_BYTES + 1]; /* As hello sent it. */
    char emotes[CHECK_EMOTES_MAX][CHECK_CODE_BYTES];
    uint32_t emote_count;
    struct check_request pending[CHECK_PENDING_MAX];
    uint32_t pending_count;
    struct check_match match; /* While PLAYING; what is left of the last one otherwise. */
    struct twins *twins;      /* Borrows. */
};

enum news_kind {
    NEWS_OTHER, /* Nothing that a player acts on. */
    NEWS_WELCOME,
    NEWS_QUEUED,
    NEWS_MATCH,
    NEWS_ROUND,
    NEWS_ACCEPTED,
    NEWS_REVEAL,
    NEWS_END,
    NEWS_LEFT,
    NEWS_PONG,
    NEWS_GAP,
    NEWS_BYE,
    NEWS_REFUSED,
};

enum check_end_reason {
    CHECK_END_FINISHED,
    CHECK_END_FORFEIT,
    CHECK_END_CANCELLED,
    CHECK_END_SHUTDOWN,
};
enum { CHECK_END_REASONS = CHECK_END_SHUTDOWN + 1 };

struct news {
    uint8_t kind;  /* enum news_kind. */
    bool is_reply; /* Then `request` is what it answers. */
    struct check_request request;
    bool is_dup;                 /* ACCEPTED. */
    uint8_t end_reason;          /* END: enum check_end_reason. */
    uint32_t round;              /* ROUND. */
    uint32_t choice_count;       /* ROUND. */
    uint32_t retry_ms;           /* REFUSED, BYE; 0: none. */
    uint64_t dropped;            /* GAP. */
    char code[CHECK_CODE_BYTES]; /* REFUSED. */
};

struct verdict {
    unsigned violations;
    char first[CHECK_VERDICT_BYTES]; /* What was wrong first. */
};

void check_init(struct check *check, const char *name, struct twins *twins);

/* A request is about to leave. False, and nothing noted, where CHECK_PENDING_MAX are unanswered. An
 * emote without an id is not told. */
QR_MUST_USE bool check_sent(struct check *check, const struct check_request *request);

/* A message has come. */
void check_message(struct check *check, const char *text, size_t bytes, uint64_t now_us,
                   struct news *ret_news, struct verdict *ret_verdict);

/* The connection is over: lets go of the match. */
void check_ended(struct check *check);

/* The oldest unanswered request, or NULL. */
const struct check_request *check_oldest(const struct check *check);

/* protocol.md, "Points". */
uint32_t check_points(uint32_t at_ms, uint32_t time_ms, uint32_t weight);

const char *check_request_name(enum check_request_kind kind);
const char *check_end_name(enum check_end_reason reason);
