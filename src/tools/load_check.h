/* One player's view of the protocol: everything that the server may send now, and whether it just
 * did.
 *
 * Written from docs/protocol.md alone and sharing no code with the server: points, streaks, scores
 * and winners are computed again here. It is told what the player sends (check_sent) and sees each
 * message that comes (check_message); what it found out goes to the player as `struct news`, what
 * was wrong into `struct verdict`.
 *
 * It outlives connections: check_lost() says that one is gone, and what then comes is held against
 * what a return promises (protocol.md, "Coming and going").
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
    CHECK_MODE_BYTES = 16,
    CHECK_SESSION_BYTES = 129, /* protocol.md, Limits: at most 128 bytes. */
    CHECK_TOKEN_BYTES = 2049,  /* protocol.md, Limits: at most 2048 bytes. */
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

/* How a `hello` says who one is. */
enum check_proof {
    CHECK_BY_NAME,
    CHECK_BY_TOKEN,
    CHECK_BY_RESUME,
};

enum check_mode { CHECK_DUEL, CHECK_HOUSE };

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
    uint8_t proof;     /* HELLO: enum check_proof. */
    uint32_t last_seq; /* HELLO by resume: as said of the match held; 0: nothing was said. */
    uint8_t mode;      /* JOIN: enum check_mode. */
    bool is_again;     /* ANSWER: sent before, on a connection that took the reply with it. */
    int64_t ping_at;
    uint64_t
        due_us; /* ANSWER: when it was to be sent; where this program was late, before `sent_us`. */
    uint64_t sent_us;
};

struct check_answer {
    bool is_there;
    bool is_in_doubt; /* It was sent, and the connection was lost before the reply. */
    int8_t choice;
    uint32_t at_ms;
};

struct check_player {
    bool has_answered; /* In the current round, by `answered`. */
    bool is_away;
    bool is_gone;
    int64_t rating; /* As `match` showed it. */
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
    int64_t phase_ends_at_ms; /* By the server's wall clock; 0: not said. */
    uint32_t time_ms;
    uint32_t weight;
    uint32_t choice_count;
    uint64_t round_came_us;
    struct check_player players[CHECK_PLAYERS_MAX];
    struct check_answer own_answers[CHECK_ROUNDS_MAX + 1]; /* By round: the first receipt. */
};

/* What the last connection left behind, and what the new one owes. */
struct check_return {
    uint8_t proof;         /* enum check_proof: the last `hello`'s. */
    uint32_t asked_seq;    /* The last `hello`'s last_seq. */
    uint8_t phase_before;  /* enum check_phase, as known when the connection was lost. */
    bool may_be_queued;    /* A `join` was lost with its reply. */
    bool expects_queued;   /* The place in the queue is to be told. */
    bool expects_match;    /* All of `match_text` is to come, from its first message, */
    bool expects_again;    /* and it is the match that is held, and was live. */
    bool awaits_clock;     /* What was missed is still coming. */
    int64_t welcome_at_ms; /* The server's wall clock in the last `welcome`. */
    char match_text[CHECK_ID_BYTES];
};

struct check {
    uint8_t phase; /* enum check_phase. */
    bool is_lenient;
    bool has_bye;
    bool has_joined_twins; /* For `match`. */
    bool has_outlived; /* The server died while the match was held, and its clocks stood still. */
    uint8_t mode;      /* enum check_mode: what was joined last. */
    struct check_return back;
    char session[CHECK_SESSION_BYTES]; /* The last `welcome`'s; empty: none. */
    char token[CHECK_TOKEN_BYTES];     /* Empty: none. */
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
    NEWS_UNQUEUED,
    NEWS_CLOCK,
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
    bool is_dup;        /* ACCEPTED. */
    bool has_match;     /* WELCOME: a match goes on, or its rest follows. */
    bool is_queued;     /* WELCOME: `queued` follows. */
    bool lost_match;    /* WELCOME, REFUSED: a match was live when the connection was lost, and is
                           unknown. */
    bool lost_place;    /* WELCOME, REFUSED: so was a place in the queue. */
    bool is_open;       /* CLOCK: the round waits for answers. */
    bool all_answered;  /* REVEAL: who is in the match, bots too. */
    bool any_silent;    /* REVEAL: so its time was over. */
    bool is_replayed;   /* It was sent again, or late, after a return. */
    uint8_t end_reason; /* END: enum check_end_reason. */
    uint32_t round;     /* ROUND, CLOCK; END: the last one that began. */
    uint32_t choice_count;       /* ROUND, CLOCK. */
    uint32_t left_ms;            /* CLOCK. */
    uint32_t retry_ms;           /* REFUSED, BYE; 0: none. */
    uint64_t dropped;            /* GAP. */
    char code[CHECK_CODE_BYTES]; /* REFUSED. */
};

struct verdict {
    unsigned violations;
    bool has_seq_gap;                /* One of them: `seq` did not follow. */
    char first[CHECK_VERDICT_BYTES]; /* What was wrong first. */
};

/* Lenient: for servers that lack parts of the protocol, or answer from a can. Nothing that is
 * missing or wrong keeps the player from playing on: replies are known by their type, messages of a
 * match are the player's, the bytes of the two players are not compared. The verdict is the same. */
enum check_strictness { CHECK_STRICT, CHECK_LENIENT };

void check_init(struct check *check, const char *name, enum check_strictness strictness,
                struct twins *twins);

/* A request is about to leave. False, and nothing noted, where CHECK_PENDING_MAX are unanswered. An
 * emote without an id is not told. */
QR_MUST_USE bool check_sent(struct check *check, const struct check_request *request);

/* A message has come. */
void check_message(struct check *check, const char *text, size_t bytes, uint64_t now_us,
                   struct news *ret_news, struct verdict *ret_verdict);

/* The connection is gone, and the player comes back: what waits for a reply will not get one, what
 * else is known is kept. Idempotent. */
void check_lost(struct check *check);

/* And the server may be, too: its clock for the match held stood still, its queue is forgotten. Behind check_lost(). */
void check_outlived(struct check *check);

/* What was seen of the match does not stand any more. */
void check_forget_match(struct check *check);

/* The player is done: lets go of the match. */
void check_ended(struct check *check);

/* Takes the oldest unanswered request as answered. False: there is none. */
QR_MUST_USE bool check_take_oldest(struct check *check, struct check_request *ret_request);

/* The oldest unanswered request, or NULL. */
const struct check_request *check_oldest(const struct check *check);

/* protocol.md, "Points". */
uint32_t check_points(uint32_t at_ms, uint32_t time_ms, uint32_t weight);

const char *check_mode_name(enum check_mode mode);
const char *check_request_name(enum check_request_kind kind);
const char *check_end_name(enum check_end_reason reason);
