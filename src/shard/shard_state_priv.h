/* What a shard holds: sessions, matches, presence entries, the lobby, and their bounds. Who does what with it:
 * shard_priv.h.
 *
 * All of it lies in the one block that shard_create was given (shard.c); one thread.
 */
#pragma once

#include "base/cancel.h"
#include "base/list.h"
#include "base/map.h"
#include "base/ring.h"
#include "base/wheel.h"
#include "core/matchmaker.h"
#include "proto/encode.h"
#include "proto/journal.h"
#include "record_priv.h"
#include "shard/shard.h"

enum {
    LOBBY_SHARD = 0,

    /* What one iteration does of each at most, so that none takes long, however much is due; what is left comes first
     * in the next (docs/architecture.md, A turn of the loop). */
    RECORDS_PER_RUN =
        2048, /* In the cheapest ones, of the shard's own; as many again of all others (post.c). */
    TIMERS_PER_RUN = 256,
    STEPS_PER_RUN = 128,    /* Of matches. */
    PAYMENTS_PER_RUN = 128, /* Of each kind of what is owed. */
    FLUSHES_PER_RUN = 256,  /* Sessions. */
    SWEEP_PER_RUN = 256,    /* Sessions, and matches, looked at for drain or shutdown. */
    EXPIRED_PER_RUN = 128,  /* Ended matches. */
    RELEASES_PER_RUN = 256, /* Sessions, and matches. */

    EVICTION_LOOKS = 16, /* Ended matches looked at where one must make room. */
    REPLIES_PER_SEAT = CLIENT_EVENTS_PER_PLAYER + 1, /* One for the leave. */

    PROFILE_CLASSES = 4,
    PROFILE_BYTES_MAX = 320,

    OUTBOX_PAUSE_AT =
        8, /* References at which reading stops: what was read may still be answered. */
    OUTBOX_MATCH_SLOTS = 12, /* A match's messages leave the rest for replies. */
    HELLO_TOKEN_BYTES = 768,
    FIGURES_EVERY_MS = 1000,
    TICKET_EVERY_MS = 1000,
    RESTART_RETRY_MS = 1000,
    DRAIN_HELLO_MS = 1000,
    RETURN_HELLO_MS =
        1000, /* Who has no place of its own to say hello in gives this one back soon. */
    BEHIND_TIMEOUTS =
        4, /* In as many send timeouts a client has to have taken all that is there. */
    FULL_RETRY_MS = 5000, /* As Retry-After in edge/head.c. */
    START_RETRY_MS = 100,
    BUSY_RETRY_MS = 100,
    SETTLING_RETRY_MS = 500,
    HELLO_AGAIN_MS = 1000,    /* For another hello after one that was refused late. */
    ASK_AGAIN_MS = 1000,      /* An answer that may have found no room: claims and comings. */
    LIVENESS_LOST_HALVES = 5, /* Lost after two and a half intervals without an inbound byte. */
    DODGES_MAX =
        3, /* docs/protocol.md, Coming and going: the third within the window has its price. */
    DODGE_WINDOW_MS = 600000,
    DODGE_PENALTY_MS = 60000,

    UNREADABLE_MAX = 20, /* In UNREADABLE_WINDOW_MS; docs/protocol.md, Limits. */
    UNREADABLE_WINDOW_MS = 60000,
    THROTTLE_STRETCH_BYTES = 256, /* Longer than what an honest client says but for `hello`. */
    FLOOD_MAX_MS = 5000,
    JOIN_EVERY_MS = 1000,
};

enum timer_kind {
    TIMER_SESSION,
    TIMER_TICKET,
    TIMER_FIGURES,
    TIMER_ENDED,
    TIMER_PHASE,
    TIMER_SEAT, /* And the seat: its player's grace, or a bot's answer. */
};

/* --- Sessions. --- */

/* Frames that wait for one connection: a ring, which is borrowed for as long as it is not empty. */
struct outbox {
    struct frame **frames; /* OUTBOX_SLOTS, a reference each; in order from `head`. NULL: empty. */
    uint32_t dropped;      /* Droppable messages lost since the last gap. */
    uint16_t droppable;    /* A bit per slot. */
    uint8_t head;
    uint8_t count;
};

/* What a shard's outboxes have in common. There are as many rings as sessions: none lacks. */
struct outboxes {
    struct pool rings;
    struct frame_pools *frames;
};

struct throttle {
    mono_time filled_at;
    mono_time flooding_since;
    mono_time unreadable_since;
    uint32_t credit;      /* Thousandths of a message, up to the burst. */
    uint32_t hard_credit; /* The same at twice the rate: beyond it reading stops. */
    bool is_flooding;
    uint8_t unreadable;
};

/* What a session still owes somebody, tried again each iteration until the mailbox takes it. In the order in which it
 * must arrive. */
enum session_debt {
    DEBT_CLAIM = 1 << 0,
    DEBT_CONFIRM = 1 << 1,
    DEBT_LEVEL = 1 << 2,
    DEBT_UNJOIN = 1 << 3,
    DEBT_RETICKET = 1 << 4,
    DEBT_AWAY = 1 << 5,
    DEBT_JOIN = 1 << 6,
    DEBT_HOUSE = 1 << 7,
    DEBT_ATTACH = 1 << 8,
    DEBT_COME = 1 << 9,
    DEBT_STANDING =
        1 << 10, /* Where the player stands goes to the next session; nothing follows it. */
    DEBT_KEEP = 1 << 11,
    DEBT_RELEASE = 1 << 12,
};

/* What hello has said: borrowed until it is answered. */
struct hello {
    uint32_t request_id;
    uint8_t claim;  /* enum claim_kind. */
    bool has_token; /* And it was good: tried where the session is not known. */
    bool has_bad_token;
    bool is_conflict; /* The token names another player than the session. */
    struct id token_player;
    bool is_claimed; /* The claim was sent: the next one is a repetition. */
    struct digest proof;
    uint8_t secret_bytes[16]; /* Of session->secret. */
    struct id last_match;
    uint32_t last_seq;
};

/* One for each player who is there, or may come back: members stand by size, and what is not always needed is borrowed
 * (hello, the outbox's ring). docs/architecture.md, A shard's memory, has the sum. */
struct session {
    struct handle self;
    struct shard
        *shard;      /* Borrows until released: a fired token's hook has nothing else to go by. */
    shard_conn conn; /* NULL: the connection is gone. */
    struct cancel token;
    struct cancel_hook hook;
    struct wheel_timer
        timer; /* For the earliest of the deadlines below; session_look() sorts out which. */
    struct list flush_node;
    struct list debt_node;
    struct list gone_node; /* In shard->idle_ghosts; once it is forgotten, in retired_sessions. */

    /* --- The connection. --- */
    mono_time connected_at; /* Of a player's connections the one with the newest wins. */
    mono_time hello_by;
    mono_time stuck_since;  /* With a choked outbox: since when nothing was taken. */
    mono_time behind_since; /* Since when it was never empty behind a flush; UINT64_MAX: it was. */
    mono_time resume_at;    /* With a flooding client: when reading goes on. */
    mono_time
        ask_at; /* An answer is awaited that may be lost: when to ask again; UINT64_MAX: none. */
    mono_time heard_at;       /* The last inbound byte, or when it began to be waited for. */
    mono_time pinged_at;      /* The last ping. */
    mono_time ghost_until;    /* Without a connection: when the player is forgotten. */
    const char *close_reason; /* Where it is over by the server's wish. */
    struct throttle throttle;
    struct outbox outbox;
    uint32_t pong_ms; /* The fastest pong; UINT32_MAX: none yet. */
    uint16_t close_code;
    uint16_t credit_ms;
    uint16_t told_credit_ms; /* As the match, or the lobby for it, was told last. */
    uint16_t debts;          /* enum session_debt. */
    uint8_t state;           /* enum session_state: where the player stands in the game. */

    /* The connection is no use any more: sent away, lost or closed. What the player has stays. */
    bool is_over : 1;
    /* A newer session has the player; STANDING goes out once no answer is due here. */
    bool is_handing_over : 1;
    bool is_paused : 1;
    bool
        is_choked : 1; /* The edge has taken less than it was offered: shard_on_writable follows. */
    bool is_close_asked : 1;
    bool is_retired : 1;
    bool is_forgotten : 1; /* The player is no business of this session any more. */
    bool is_loading : 1;   /* The store has been asked for the player. */
    bool
        is_for_return : 1; /* There is room for who comes back to a match only; not once that is so. */
    bool
        is_unconfirmed : 1; /* The first message after welcome ends the validity of the secret before. */
    bool is_ping_due : 1;   /* It goes with the next flush. */
    bool is_ping_open : 1;  /* Its pong has not come. */
    bool is_end_pinged : 1; /* A ping went out behind `end`, */
    bool has_got_end : 1;   /* and was answered: a message that follows has seen it. */
    bool is_rematch : 1;
    bool has_joined : 1; /* last_join_at holds. */
    bool is_settling : 1;
    bool has_match : 1;  /* In GREETING: adopted, and the match has been asked. */
    bool has_unseen : 1; /* `end` was told, or missed, and the player not heard since. */
    bool is_behind : 1;  /* A message with a seq found no room: asked for again when there is, */
    bool is_clock_missed : 1; /* and so did the `clock` behind it. */
    bool awaits_clock : 1;    /* It was missed, and has not come since. */
    bool leave_names_match : 1;

    /* --- The player. --- */
    struct id player;
    struct digest secret;    /* Of the session's text. */
    struct profile *profile; /* Owns; of the player's record. NULL: nothing is known yet. */
    struct hello *hello;     /* While hello is answered; and before matches that came back go on. */
    uint32_t claim_no;       /* Counts the claims of this connection. */
    uint32_t generation;

    /* --- The queue. --- */
    mono_time last_join_at;
    mono_time queued_since;
    mono_time ticket_at; /* When the next `ticket` is due. */
    mono_time penalty_until;
    mono_time dodges[DODGES_MAX - 1]; /* The last leaves before round 1, the oldest first. */
    struct handle ticket;             /* HANDLE_NONE until the lobby has answered. */
    struct handle offer;
    uint32_t ticket_no;
    uint32_t join_id;
    uint8_t category;
    uint8_t mode; /* enum match_mode: of what is joined. */
    uint8_t offer_side;
    uint8_t dodge_count;

    /* --- The match: live, or ended and not seen yet (has_unseen). --- */
    mono_time ended_at;
    struct match_ref match;
    struct id match_id;
    struct id last_match; /* The last that ended, for `rematch`; none: id of zeros. */
    uint32_t leave_id;    /* A leave that waits for `left`; 0: none. */
    uint32_t
        outstanding[CLIENT_EVENTS_PER_PLAYER]; /* Requests the match has yet to answer; 0: free. */
    uint16_t taken_seq;                        /* The last one put into the outbox. */
    uint16_t highest_seq; /* The last one that any connection of the player may have got. */
    uint8_t level_flags;  /* enum level_flag: unsent. */
    uint8_t seat;
    uint8_t last_seat;
    uint8_t last_mode;
};

/* --- Matches. --- */

enum reply_kind { REPLY_RECEIPT, REPLY_REFUSE, REPLY_LEFT, REPLY_OK };

/* A reply that waits for its turn behind the messages before it. What a receipt says is the match's to know: an answer
 * that counts does not change any more. */
struct seat_reply {
    uint32_t request_id;
    uint16_t after_seq; /* Goes out when this has been handed on. */
    uint8_t kind;       /* enum reply_kind. */
    uint8_t refusal;
    uint8_t round; /* RECEIPT: whose answer it is about. */
    bool is_dup;
};

struct seat {
    struct session_ref session;
    uint32_t generation; /* Of that session: what an older one says is not heard. */
    mono_time since;     /* When the player joined the queue. */
    bool is_bot;
    bool is_connected;
    bool is_seen;          /* Heard since `end`: nothing is owed. */
    bool has_end;          /* The session has been told of the end, with or without its message. */
    bool owes_clock;       /* After a return, behind what was missed. */
    bool is_level_queued;  /* A PRESENCE event for it is in the ring. */
    uint8_t events_queued; /* Client events of this player in the ring, */
    uint8_t stale_events;  /* and how many of them came on an earlier connection. */
    uint8_t level_flags;   /* enum level_flag, to be applied by the PRESENCE event. */
    uint8_t reply_count;
    uint16_t handed_seq; /* The last one handed on. */
    uint16_t dropped;    /* Droppable messages that found no room, to be told. */
    uint16_t credit_ms;
    uint32_t leave_id;
    struct seat_reply replies[REPLIES_PER_SEAT];
};

/* A match and its seats: what is needed to tell every player everything, while it runs and after. */
struct hosted {
    struct handle self; /* In the pool of live ones, or of ended ones. */
    bool is_ended;
    bool is_kept;           /* And among the ended ones. */
    uint16_t announced_seq; /* Effects carried out so far; match.seq may be ahead within a step. */
    struct list owed_node;  /* Somebody is owed a message that found no room. */
    struct seat seats[MATCH_PLAYERS_MAX];
    struct match match; /* The last: of the shard's match_rounds_max only. */
};

struct live_match {
    struct shard *shard; /* Borrows until released, for the hooks. */
    struct ring events;
    struct cancel token; /* The match's: what serves the save hangs here. */
    struct cancel play;  /* Its child: what serves the play. */
    struct cancel_hook token_hook;
    struct cancel_hook play_hook;
    struct wheel_timer phase;
    struct wheel_timer
        seat_timers[MATCH_PLAYERS_MAX]; /* A bot has no grace, as it is always here. */
    struct list run_node;
    struct list retired_node;
    uint8_t counted_state; /* As which it stands in the counters. */
    bool is_retired;
    bool is_condemned;      /* It did not come back from the journal as it was. */
    bool is_unjournaled;    /* A record found no room: no more are written. */
    uint16_t spare_records; /* Those written that a client may cause without end. */
    struct hosted hosted;   /* The last. */
};

/* An ended match's log, for those who have not seen its end. Slot, ring, timers and tokens are given back. */
struct ended_match {
    mono_time ended_at;
    struct list age_node; /* The oldest first. */
    struct hosted hosted; /* The last. */
};

/* The most rounds that a match on this shard has: a match and what holds it take no more memory than these need. */
static inline unsigned match_rounds_max(const struct shard_settings *settings)
{
    return settings->match.rounds > settings->restored_rounds_max ? settings->match.rounds
                                                                  : settings->restored_rounds_max;
}

/* --- The home shard's part. --- */

/* A player passes from one session to another: borrowed from the first claim until it is denied, or the claimant has the
 * player and its client was heard. */
struct takeover {
    struct session_ref claimant;  /* The newest that wants to; handle NONE: none. */
    struct session_ref asked_for; /* For whom LET_GO was said. */
    struct session_ref refused;   /* The last that was told AHEAD: it may not have heard so. */
    uint32_t claim_no;            /* The claimant's. */
    uint32_t last_seq;            /* The claimant's, for LET_GO. */
    struct id last_match;
    struct digest claim_secret;
    struct digest before; /* With has_before: of the session before the holder's. */
    uint8_t claim;        /* The claimant's enum claim_kind. */
    bool is_by_before;    /* The claimant has shown `before`: its client never learnt `secret`. */
};

struct presence {
    struct id player;
    struct handle self;
    struct session_ref
        holder; /* Speaks for the player; handle NONE while the player is handed over. */
    uint32_t generation;
    struct digest secret; /* Of the holder's session. */
    mono_time newest_at;  /* When the newest connection that has claimed the player was made. */
    struct list owed_node;
    struct takeover *takeover; /* NULL: nobody else claims the player, or has lately. */
    struct handle standing;    /* In transit to the holder; NONE: nothing is known of the player. */
    bool is_letting_go : 1;    /* LET_GO was sent, or is owed: the holder's answer is due. */
    bool owes_let_go : 1;
    bool owes_grant : 1; /* To the holder, with `standing`. */
    bool
        has_before : 1; /* The holder's client was not heard yet: the secret of before is good too. */
};

/* --- The lobby. --- */

/* Beside each ticket of the matchmaker, by its slot. */
struct lobby_ticket {
    struct list owed_node;
    struct handle ticket;
    struct handle offer;
    struct id rematch;
    bool is_rematch;
    bool owes_queued;
    bool owes_requeued;
    bool owes_offer;
    bool owes_unqueued; /* And then it ends. */
    uint8_t unqueued;   /* enum unqueued_reason. */
    uint8_t side;
    uint8_t seat; /* REMATCH: in the match before. */
    uint32_t
        generation; /* Of the owner, where RETICKET has named one: what an older one says is not heard. */
    uint32_t request_id;
    uint32_t waiting; /* For `queued`: as it was when the ticket came. */
};

enum offer_answer { OFFER_UNANSWERED, OFFER_ATTACHED, OFFER_DECLINED };

struct offer {
    struct handle self;
    struct list owed_node; /* Linked: both have attached, and START waits for room. */
    uint16_t owner;        /* The shard that gets the match. */
    uint8_t answers[2];    /* enum offer_answer. */
    struct handle tickets[2];
    uint32_t matches[2];
    uint32_t generations[2];
    struct digest secrets[2];
    struct match_entrant entrants[2];
};

struct lobby {
    struct matchmaker matchmaker;
    struct lobby_ticket *tickets; /* By the matchmaker's slots. */
    struct pool offers;
    struct list owed_tickets;
    struct list owed_offers;
    struct map
        rematches; /* The match before, to the slot of the ticket that waits for the other. */
    int64_t mean_wait_ms;
    mono_time starts_at; /* After a refused START: the next one goes out then. */
    struct wheel_timer figures;
    uint32_t
        figures_owed_from; /* The next shard that the figures of this second go to; count: all have them. */
};

/* --- The shard. --- */

struct shard {
    struct shard_settings settings;
    struct shard_io io;
    mono_time now;
    int64_t wall_offset_ms;
    struct wheel wheel;
    struct cancel root;
    struct cancel_stats token_stats;
    struct pool sessions;
    struct pool matches;
    struct pool ended;
    struct map ended_ids; /* A match id, to its slot in `ended`. */
    struct list ended_by_age;
    struct wheel_timer ended_timer; /* For the oldest. */
    struct pool presences;
    struct pool takeovers; /* As many as presences. */
    struct pool standings; /* In transit between two sessions of a player. */
    struct map homes;
    struct frame_pools frames;
    struct outboxes outboxes;
    struct pool hellos;                    /* As many as sessions. */
    struct pool profiles[PROFILE_CLASSES]; /* The same, each. */
    struct lobby *lobby;                   /* On LOBBY_SHARD only. */
    struct ring_store rings;               /* match_queue_slots for each match with events. */

    struct list flush;       /* Sessions with something to send. */
    struct list debts;       /* Sessions that owe a record. */
    struct list runnable;    /* Matches with events. */
    struct list owed;        /* Matches with something undelivered. */
    struct list owed_grants; /* Presence entries with an unsent GRANT. */
    struct list retired_sessions;
    struct list
        idle_ghosts; /* Sessions kept for an end not seen, or a pause: the oldest goes first. */
    struct list retired_matches;
    uint64_t woken; /* A bit per shard that was posted to in this iteration. */

    /* What this iteration may still do, */
    uint32_t records_left[2]; /* from other shards, and from its own; */
    uint32_t steps_left;
    bool is_cut;           /* and whether it has left something that could be done at once. */
    unsigned receive_next; /* The mailbox that is first to be looked at. */

    uint32_t queue_waiting; /* The lobby's last figures. */
    int64_t queue_mean_wait_ms;

    bool is_journal_full;
    bool is_draining;
    bool is_shutting_down;
    uint32_t sweep_next; /* The next session slot of drain's slice. */
    uint32_t sweep_match_next;

    uint32_t lingering;
    uint32_t returning, returning_max;        /* Sessions that are for a return, now and at most. */
    uint32_t states[SESSION_STATE_COUNT];     /* Sessions by state. */
    struct shard_stats counters;              /* Only what counts up. */
    struct match_result result;               /* Scratch for saving. */
    uint8_t record[JOURNAL_RECORD_BYTES_MAX]; /* Scratch for the journal. */
    char wire_bytes[WIRE_MESSAGE_BYTES_MAX];
};
