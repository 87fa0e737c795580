/* The records that shards send each other, and themselves, through mailboxes: values only.
 *
 * Between two shards records keep their order, and every promise about the order of messages rests on it. A client's
 * wish that finds the mailbox full is refused with busy. What is the server's own is never queued blindly: the sender
 * keeps it as a flag of the session, ticket, offer, seat or presence entry it concerns, and tries again each
 * iteration. A record for what is gone meanwhile is ignored by its receiver; where an answer is owed all the same,
 * the comment says who gives it.
 *
 *     session ──CLAIM──► home ──GRANT or DENY──► session ──CONFIRM, RELEASE──► home
 *     home ──LET_GO──► older session ──STANDING or KEEP──► home (──GRANT──► newest claimant)
 *     session ──JOIN, RETICKET, AWAY──► lobby ──QUEUED or UNQUEUED──► session ──UNJOIN──► lobby
 *     lobby ──OFFER──► session ──ATTACH──► lobby ──START──► match owner (──START_REFUSED──► lobby)
 *     lobby ──REQUEUED──► session
 *     session ──COME──► match ──PLACE──► session (PLACE as well where LEVEL meets no match)
 *     match ──DELIVER──► session ──REQUEST, LEVEL──► match
 *     lobby ──FIGURES──► every shard
 *
 * DENY, PLACE and an UNQUEUED for a ticket that is gone are said as there is room, or not at all: who waits for them
 * asks again every second.
 */
#pragma once

#include "base/id.h"
#include "base/limits.h"
#include "base/pool.h"
#include "base/time.h"
#include "core/match.h"
#include "core/player.h"

enum record_kind {
    RECORD_CLAIM,
    RECORD_GRANT,
    RECORD_DENY,
    RECORD_CONFIRM,
    RECORD_RELEASE,
    RECORD_LET_GO,
    RECORD_STANDING,
    RECORD_KEEP,
    RECORD_JOIN,
    RECORD_UNJOIN,
    RECORD_AWAY,
    RECORD_RETICKET,
    RECORD_QUEUED,
    RECORD_UNQUEUED,
    RECORD_OFFER,
    RECORD_ATTACH,
    RECORD_REQUEUED,
    RECORD_START,
    RECORD_START_REFUSED,
    RECORD_COME,
    RECORD_PLACE,
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

/* The digest of a session's secret. */
struct digest {
    uint8_t bytes[32];
};

enum claim_kind {
    CLAIM_NEW,    /* A new guest's id, which nobody else can have. */
    CLAIM_TOKEN,  /* The player was proven by a token. */
    CLAIM_RESUME, /* `proof` is to be compared. */
};

/* To the player's home shard: this session wants to speak for the player. Answered with GRANT or DENY. */
struct record_claim {
    uint8_t kind;
    uint8_t claim;    /* enum claim_kind. */
    bool is_conflict; /* RESUME: a good token beside it names another player. */
    bool is_retry;    /* The answer has not come: it is not a newer claim. */
    struct session_ref session;
    uint32_t claim_no; /* Counts the session's claims: a DENY is recognised by it. */
    mono_time connected_at;
    struct id player;
    struct digest proof;  /* RESUME: of the secret that was shown. */
    struct digest secret; /* Of the one that welcome will hand out. */
    struct id last_match; /* RESUME: of what the client has; none: id of zeros. */
    uint32_t last_seq;
};

/* Where a player stands, as one session hands it to the next. */
struct standing {
    struct player_record record;
    bool is_known;   /* The rest holds: there was a session. */
    bool needs_load; /* The store has not told of the player yet. */
    bool is_queued;  /* `ticket` and what belongs to it. */
    bool is_rematch;
    bool has_match; /* `match`: live, or ended and not seen. */
    uint8_t category;
    uint8_t seat;
    uint8_t last_seat;
    uint8_t last_mode;
    uint8_t dodge_count;
    uint16_t highest_seq; /* The last one that any connection of the player may have got. */
    struct handle ticket;
    uint32_t ticket_no;
    mono_time queued_since;
    struct match_ref match;
    struct id match_id;
    mono_time ended_at;
    struct id last_match; /* The last that ended; none: id of zeros. */
    mono_time penalty_until;
    mono_time dodges[2];
};

/* The home shard's answer: the session speaks for the player. */
struct record_grant {
    uint8_t kind;
    struct handle session;
    uint32_t
        generation; /* Counts the player's sessions: what an older one still says is recognised by it. */
    struct standing standing;
};

enum deny_reason { DENY_UNKNOWN, DENY_CONFLICT, DENY_AHEAD, DENY_OVERTAKEN };

struct record_deny {
    uint8_t kind;
    uint8_t reason; /* enum deny_reason. */
    struct handle session;
    uint32_t claim_no; /* Which was denied: an earlier one may have been denied twice. */
};

/* To the home shard: the client has its welcome, and the secret before it is not valid any more. */
struct record_confirm {
    uint8_t kind;
    struct session_ref session;
    struct id player;
};

/* To the home shard: this session does not speak for the player any more. */
struct record_release {
    uint8_t kind;
    struct session_ref session;
    struct id player;
};

/* To the session that speaks for the player: a newer one does. Answered with STANDING, or with KEEP where the client
 * claims to have what was never sent; or by the RELEASE that crossed it. */
struct record_let_go {
    uint8_t kind;
    struct handle session;
    struct id last_match;
    uint32_t last_seq;
};

struct record_standing {
    uint8_t kind;
    struct session_ref session;
    struct id player;
    struct standing standing;
};

struct record_keep {
    uint8_t kind;
    struct session_ref session;
    struct id player;
};

/* To the lobby: a ticket, please. Answered with QUEUED. */
struct record_join {
    uint8_t kind;
    uint8_t category;
    uint8_t seat;    /* In the match that is to be played again. */
    bool is_rematch; /* With whom `rematch` was, or nobody. */
    struct id rematch;
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

/* To the lobby: the player is lost, and keeps the place for the grace. It declines an offer that crosses it. */
struct record_away {
    uint8_t kind;
    struct session_ref
        session; /* Where it does not hold the ticket any more, the next one is there. */
    struct handle ticket;
};

/* To the lobby: another session holds the ticket now, and is there. It declines an offer to the one before. Answered
 * with QUEUED, or with UNQUEUED where the ticket is gone. */
struct record_reticket {
    uint8_t kind;
    struct session_ref session;
    uint32_t generation; /* Of that session: an older one's may come late. */
    uint32_t ticket_no;
    struct handle ticket;
};

enum unqueued_reason {
    UNQUEUED_TIMEOUT,
    UNQUEUED_OPPONENT_LEFT,
    UNQUEUED_EXPIRED,
    UNQUEUED_UNAVAILABLE
};

/* To a session whose ticket has ended without a match. */
struct record_unqueued {
    uint8_t kind;
    uint8_t reason; /* enum unqueued_reason. */
    struct handle session;
    uint32_t ticket_no;
};

struct record_queued {
    uint8_t kind;
    struct handle session;
    uint32_t ticket_no;
    uint32_t request_id;
    uint32_t waiting;
    struct handle ticket;
};

/* To a queued session: here is a partner. Answered with ATTACH, or by the UNJOIN, AWAY or RETICKET that crossed it. */
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
    uint32_t generation;
    uint32_t matches; /* Running on the session's shard: its load. */
    struct digest secret;
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
    uint32_t generation;
    uint32_t ticket_no;
    bool is_rematch;
    uint8_t category;
    mono_time since;      /* When the player joined the queue. */
    struct digest secret; /* Of the session: for the journal. */
    struct match_entrant entrant;
};

/* To the shard that will own the match; the lobby has forgotten both tickets. Answered by the match itself, with the
 * first DELIVER to both, or sent back with kind START_REFUSED: then the lobby has all it needs to queue both again. */
struct record_start {
    uint8_t kind;
    uint8_t
        mode; /* enum match_mode: HOUSE: the second side is a bot, and there is no lobby to send it back to. */
    struct start_side sides[MATCH_PLAYERS_MAX];
};

/* A player is back, or speaks through another session: the seat is that session's from now on. Answered with PLACE, and
 * then with what came after last_seq. */
struct record_come {
    uint8_t kind;
    uint8_t seat;
    uint16_t credit_ms;
    struct session_ref session;
    uint32_t generation;
    struct match_ref match;
    struct id match_id;
    struct id last_match;
    uint32_t last_seq;
    struct digest secret; /* For the journal, */
    struct digest shown;  /* and the one that was shown for it; zeros: a token was. */
};

struct record_place {
    uint8_t kind;
    bool is_known; /* False: the match is gone. */
    bool is_settling;
    uint16_t from_seq; /* What follows begins behind it. */
    struct handle session;
    struct id match_id;
};

/* A client's request, to the match. Where the match has ended, `end` is on its way: the session answers bad_state. */
struct record_request {
    uint8_t kind;
    uint8_t seat;
    uint8_t event; /* MATCH_EVENT_ANSWER or MATCH_EVENT_EMOTE. */
    uint8_t round;
    uint8_t choice; /* Or the emote's code. */
    uint32_t request_id;
    uint32_t generation;
    struct handle match;
    mono_time stamp;
};

enum level_flag {
    LEVEL_AWAY = 1 << 0,        /* The connection is gone. */
    LEVEL_LEAVE = 1 << 1,       /* request_id: `left` is owed. */
    LEVEL_NAMES_MATCH = 1 << 2, /* The leave named this match. */
    LEVEL_REPLAY = 1 << 3,      /* Say again what came after last_seq: the outbox had no room. */
    LEVEL_SEEN = 1 << 4,   /* The player was heard since `end`: the match owes nothing any more. */
    LEVEL_CREDIT = 1 << 5, /* credit_ms has changed. */
    LEVEL_CLOCK = 1 << 6,  /* With REPLAY: and `clock` behind it. */
};

/* Where a session stands towards its match: a level, not events that pile up. The newest replaces what is unsent. */
struct record_level {
    uint8_t kind;
    uint8_t seat;
    uint8_t flags;
    uint16_t last_seq;
    uint16_t credit_ms;
    uint32_t request_id;
    uint32_t generation;
    struct session_ref session; /* Told by PLACE where the match is gone. */
    struct handle match;
    struct id match_id;
};

enum deliver_flag {
    DELIVER_DROPPABLE = 1 << 0,
    DELIVER_REPLY = 1 << 1, /* request_id: one of the session's outstanding requests is answered. */
    DELIVER_LEFT = 1 << 2,  /* It was the leave. */
    DELIVER_SETTLING = 1 << 3, /* From now on nothing changes the outcome. */
    DELIVER_END = 1 << 4,      /* The match is over; `questions` were asked. */
    DELIVER_REQUEUE = 1 << 5,  /* With END: back into the queue, with the age `since`. */
    DELIVER_DODGED = 1 << 6,   /* With END: this player has left before it began. */
    DELIVER_RATED = 1 << 7,    /* With END: `rating` and `opponent` are to be kept. */
    DELIVER_CLOCK = 1 << 8,    /* What was missed has been said. */
};

/* From a match to one of its players: one message, its bytes behind the record; none behind END to one who is away. */
struct record_deliver {
    uint8_t kind;
    uint8_t seat;
    uint8_t question_count; /* With END. */
    uint16_t flags;         /* enum deliver_flag. */
    uint16_t seq;           /* 0: a message without one. */
    uint16_t after_seq;     /* CLOCK, DROPPABLE: the message that it follows. */
    uint16_t dropped;       /* Droppable messages lost on the way since the last record. */
    uint32_t request_id;
    struct handle session;
    struct match_ref match;
    struct id match_id;
    mono_time since;
    uint8_t mode;
    struct rating rating;                 /* After the match. */
    uint64_t opponent;                    /* The other player's fingerprint. */
    uint16_t questions[MATCH_ROUNDS_MAX]; /* Their fingerprints. */
};

/* Once a second, to every shard: the queue's figures, for `ticket`. */
struct record_figures {
    uint8_t kind;
    uint32_t waiting;
    int64_t mean_wait_ms; /* Of those paired lately; -1: none yet. */
};
