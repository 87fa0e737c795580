/* The records that shards send each other, and themselves, through mailboxes: values only.
 *
 * Between two shards records keep their order, and every promise about the order of messages rests on it. A client's
 * wish that finds the mailbox full is refused with busy. What is the server's own is never queued blindly: the sender
 * keeps it as a flag of the session, ticket, offer, seat or presence entry it concerns, and tries again each
 * iteration. A record for what is gone meanwhile is ignored by its receiver; where an answer is owed all the same,
 * the comment says who gives it.
 *
 *     session ──CLAIM──► home ──GRANT──► session ──RELEASE──► home
 *     session ──JOIN──► lobby ──QUEUED──► session ──UNJOIN──► lobby
 *     lobby ──OFFER──► session ──ATTACH──► lobby ──START──► match owner (──START_REFUSED──► lobby)
 *     lobby ──REQUEUED──► session
 *     match ──DELIVER──► session ──REQUEST, LEVEL──► match
 *     lobby ──FIGURES──► every shard
 */
#pragma once

#include "base/id.h"
#include "base/limits.h"
#include "base/pool.h"
#include "base/time.h"
#include "core/match.h"

enum record_kind {
    RECORD_CLAIM,
    RECORD_GRANT,
    RECORD_RELEASE,
    RECORD_JOIN,
    RECORD_UNJOIN,
    RECORD_QUEUED,
    RECORD_OFFER,
    RECORD_ATTACH,
    RECORD_REQUEUED,
    RECORD_START,
    RECORD_START_REFUSED,
    RECORD_REQUEST,
    RECORD_LEVEL,
    RECORD_DELIVER,
    RECORD_FIGURES,
};

/* A session anywhere in the process. */
struct session_ref {
    struct handle handle;
    uint16_t shard;
};

/* A match anywhere in the process. */
struct match_ref {
    struct handle handle;
    uint16_t shard;
};

/* To the player's home shard: this session speaks for the player. */
struct record_claim {
    uint8_t kind;
    struct session_ref session;
    struct id player;
};

/* The home shard's answer. */
struct record_grant {
    uint8_t kind;
    struct handle session;
};

/* To the home shard: this session does not speak for the player any more. */
struct record_release {
    uint8_t kind;
    struct session_ref session;
    struct id player;
};

/* To the lobby: a ticket, please. Answered with QUEUED. */
struct record_join {
    uint8_t kind;
    uint8_t category;
    struct session_ref session;
    uint32_t ticket_no;
    uint32_t request_id; /* 0: the server queues on its own accord. */
    int32_t rating_centi;
    struct id player;
    mono_time since;
};

/* To the lobby: the ticket is not wanted any more. It is the decline of an offer that crosses it. */
struct record_unjoin {
    uint8_t kind;
    struct handle ticket;
};

struct record_queued {
    uint8_t kind;
    struct handle session;
    uint32_t ticket_no;
    uint32_t request_id;
    uint32_t waiting;
    struct handle ticket;
};

/* To a queued session: here is a partner. Answered with ATTACH, or by the UNJOIN that crossed it. */
struct record_offer {
    uint8_t kind;
    uint8_t side;
    struct handle session;
    uint32_t ticket_no;
    struct handle offer;
};

struct record_attach {
    uint8_t kind;
    uint8_t side;
    struct handle offer;
    uint32_t matches; /* Running on the session's shard: its load. */
    struct match_entrant entrant;
};

/* To an attached session: the pairing came to nothing, the ticket is in the queue as before. */
struct record_requeued {
    uint8_t kind;
    struct handle session;
    uint32_t ticket_no;
    struct handle ticket;
};

struct start_side {
    struct session_ref session;
    uint32_t ticket_no;
    uint8_t category;
    mono_time since; /* When the player joined the queue. */
    struct match_entrant entrant;
};

/* To the shard that will own the match; the lobby has forgotten both tickets. Answered by the match itself, with the
 * first DELIVER to both, or sent back with kind START_REFUSED: then the lobby has all it needs to queue both again. */
struct record_start {
    uint8_t kind;
    struct start_side sides[MATCH_PLAYERS_MAX];
};

/* A client's request, to the match. Where the match has ended, `end` is on its way: the session answers bad_state. */
struct record_request {
    uint8_t kind;
    uint8_t seat;
    uint8_t event; /* MATCH_EVENT_ANSWER or MATCH_EVENT_EMOTE. */
    uint8_t round;
    uint8_t choice; /* Or the emote's code. */
    uint32_t request_id;
    struct handle match;
    mono_time stamp;
};

enum level_flag {
    LEVEL_AWAY = 1 << 0,        /* The connection is gone. */
    LEVEL_LEAVE = 1 << 1,       /* request_id: `left` is owed. */
    LEVEL_NAMES_MATCH = 1 << 2, /* The leave named this match. */
    LEVEL_REPLAY = 1 << 3,      /* Say again what came after last_seq: the outbox had no room. */
    LEVEL_TOOK_END = 1 << 4,    /* `end` is in the outbox: the match owes this player nothing. */
};

/* Where a session stands towards its match: a level, not events that pile up. The newest replaces what is unsent. */
struct record_level {
    uint8_t kind;
    uint8_t seat;
    uint8_t flags;
    uint16_t last_seq;
    uint32_t request_id;
    struct handle match;
};

enum deliver_flag {
    DELIVER_DROPPABLE = 1 << 0,
    DELIVER_REPLY = 1 << 1,    /* request_id: one of the session's outstanding requests is answered. */
    DELIVER_LEFT = 1 << 2,     /* It was the leave. */
    DELIVER_SETTLING = 1 << 3, /* From now on nothing changes the outcome. */
    DELIVER_END = 1 << 4,      /* The match is over; `questions` were asked. */
    DELIVER_REQUEUE = 1 << 5,  /* With END: back into the queue, with the age `since`. */
};

/* From a match to one of its players: one message, its bytes behind the record. */
struct record_deliver {
    uint8_t kind;
    uint8_t seat;
    uint8_t flags;
    uint8_t question_count; /* With END. */
    uint16_t seq;           /* 0: a message without one. */
    uint16_t dropped;       /* Droppable messages lost on the way since the last record. */
    uint32_t request_id;
    struct handle session;
    struct match_ref match;
    struct id match_id;
    mono_time since;
    uint16_t questions[MATCH_ROUNDS_MAX]; /* Their fingerprints. */
};

/* Once a second, to every shard: the queue's figures, for `ticket`. */
struct record_figures {
    uint8_t kind;
    uint32_t waiting;
    int64_t mean_wait_ms; /* Of those paired lately; -1: none yet. */
};
