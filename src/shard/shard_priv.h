/* What the files of this folder share: the shard's own structs, and who calls whom.
 *
 *     shard.c       memory, the iteration, timers
 *     post.c        records out, records in
 *     session.c     a connection's life: hello, deadlines, closing, the end
 *     speak.c       frames to one connection, and when reading from it stops
 *     debts.c       what a session owes other shards
 *     dispatch.c    one request of a client
 *     outbox.c      frames that wait for one connection
 *     throttle.c    how much a client may say
 *     presence.c    the home shard's part: who speaks for a player
 *     lobby.c       the matchmaking actor (shard 0): tickets and offers
 *     pairing.c     the session's side of tickets and offers
 *     playing.c     the session's side of a match
 *     live_match.c  a match while it runs here: ring, timers, tokens
 *     apply.c       a step's effects, each carried out once
 *     seat.c        what one player is owed, in order
 *     stats.c       a snapshot of the figures
 */
#pragma once

#include "base/cancel.h"
#include "base/list.h"
#include "base/map.h"
#include "base/ring.h"
#include "base/wheel.h"
#include "core/matchmaker.h"
#include "proto/encode.h"
#include "record_priv.h"
#include "shard/shard.h"

enum {
    LOBBY_SHARD = 0,
    RECORDS_PER_RUN = 4096,  /* From one mailbox in one iteration. */
    TIMERS_PER_RUN = 4096,   /* What is still due comes first in the next. */
    SWEEP_PER_RUN = 256,     /* Sessions looked at in one slice of drain or shutdown. */
    REPLIES_PER_SEAT = CLIENT_EVENTS_PER_PLAYER + 1, /* One for the leave. */

    OUTBOX_PAUSE_AT = 8,      /* References at which reading stops: what was read may still be answered. */
    OUTBOX_MATCH_SLOTS = 12,  /* A match's messages leave the rest for replies. */
    FIGURES_EVERY_MS = 1000,
    TICKET_EVERY_MS = 1000,
    RESTART_RETRY_MS = 1000,
    DRAIN_HELLO_MS = 1000,
    START_RETRY_MS = 100,
    BUSY_RETRY_MS = 100,
    SETTLING_RETRY_MS = 500,

    UNREADABLE_MAX = 20, /* In UNREADABLE_WINDOW_MS; docs/protocol.md, Limits. */
    UNREADABLE_WINDOW_MS = 60000,
    FLOOD_MAX_MS = 5000,
    JOIN_EVERY_MS = 1000,
};

enum timer_kind {
    TIMER_SESSION,
    TIMER_TICKET,
    TIMER_FIGURES,
    TIMER_PHASE,
    TIMER_GRACE, /* And the seat. */
};

/* --- Sessions. --- */

struct outbox {
    struct frame *frames[OUTBOX_SLOTS]; /* Holds a reference each; in order from `head`. */
    uint16_t droppable;                 /* A bit per slot. */
    uint8_t head;
    uint8_t count;
    uint32_t dropped; /* Droppable messages lost since the last gap. */
};

struct throttle {
    mono_time filled_at;
    uint32_t credit;       /* Thousandths of a message, up to the burst. */
    uint32_t hard_credit;  /* The same at twice the rate: beyond it reading stops. */
    mono_time flooding_since;
    bool is_flooding;
    mono_time unreadable_since;
    uint8_t unreadable;
};

/* What a session still owes somebody, tried again each iteration until the mailbox takes it. */
enum session_debt {
    DEBT_CLAIM = 1 << 0,
    DEBT_RELEASE = 1 << 1,
    DEBT_UNJOIN = 1 << 2,
    DEBT_JOIN = 1 << 3,
    DEBT_ATTACH = 1 << 4,
    DEBT_LEVEL = 1 << 5,
};

struct session {
    struct handle self;
    struct shard *shard; /* Borrows until released: a fired token's hook has nothing else to go by. */
    shard_conn conn;     /* NULL: the connection is gone. */
    struct cancel token;
    struct cancel_hook hook;
    struct wheel_timer timer; /* For the earliest of the deadlines below; session_look() sorts out which. */
    struct list flush_node;
    struct list debt_node;
    struct list retired_node;
    uint8_t state; /* enum session_state: where the player stands in the game. */
    uint8_t debts; /* enum session_debt. */
    bool is_over;  /* Sent away, or the connection is gone: no request is taken, and the game is left (session_part). */
    bool is_paused;
    bool is_choked; /* The edge has taken less than it was offered: shard_on_writable follows. */
    bool is_retired;

    mono_time hello_by;
    mono_time stuck_since; /* With a choked outbox: since when. */
    mono_time resume_at;   /* With a flooding client: when reading goes on. */
    mono_time ticket_at;   /* In the queue: when the next `ticket` is due. */

    uint16_t close_code;  /* Where it is over by the server's wish. */
    const char *close_reason;
    bool is_close_asked;

    struct id player;
    char name[NAME_BYTES_MAX + 1];
    int32_t rating_centi;
    struct recent_questions recent;
    uint32_t hello_id;

    /* The queue. */
    struct handle ticket; /* HANDLE_NONE until the lobby has answered. */
    uint32_t ticket_no;
    uint32_t join_id;
    uint8_t category;
    bool has_joined; /* last_join_at holds. */
    mono_time last_join_at;
    mono_time queued_since;
    struct handle offer;
    uint8_t offer_side;

    /* The match. */
    struct match_ref match;
    struct id match_id;
    uint8_t seat;
    bool is_settling;
    bool is_behind;       /* A message with a seq found no room: asked for again when there is. */
    uint16_t taken_seq;   /* The last one put into the outbox. */
    uint8_t level_flags;  /* enum level_flag: unsent. */
    uint32_t leave_id;    /* A leave that waits for `left`; 0: none. */
    bool leave_names_match;
    uint32_t outstanding[CLIENT_EVENTS_PER_PLAYER]; /* Requests the match has yet to answer; 0: free. */

    struct throttle throttle;
    struct outbox outbox;
};

/* --- Matches. --- */

enum reply_kind { REPLY_RECEIPT, REPLY_REFUSE, REPLY_LEFT, REPLY_OK };

/* A reply that waits for its turn behind the messages before it. */
struct seat_reply {
    uint8_t kind; /* enum reply_kind. */
    uint8_t refusal;
    uint8_t round;
    uint8_t choice;
    bool is_dup;
    uint16_t after_seq; /* Goes out when this has been handed on. */
    uint16_t rtt_ms;
    uint32_t at_ms;
    uint32_t request_id;
};

struct seat {
    struct session_ref session;
    mono_time since; /* When the player joined the queue. */
    bool is_connected;
    bool has_end;        /* The session has taken `end`. */
    bool is_level_queued; /* A PRESENCE event for it is in the ring. */
    uint8_t events_queued; /* Client events of this player in the ring. */
    uint8_t level_flags;   /* enum level_flag, to be applied by the PRESENCE event. */
    uint8_t reply_count;
    uint16_t handed_seq; /* The last one handed on. */
    uint16_t dropped;    /* Droppable messages that found no room, to be told. */
    uint32_t leave_id;
    struct seat_reply replies[REPLIES_PER_SEAT];
    struct wheel_timer grace;
};

struct live_match {
    struct match match;
    struct handle self;
    struct shard *shard; /* Borrows until released, for the hooks. */
    struct ring events;
    struct cancel token; /* The match's: what serves the save hangs here. */
    struct cancel play;  /* Its child: what serves the play. */
    struct cancel_hook token_hook;
    struct cancel_hook play_hook;
    struct wheel_timer phase;
    struct list run_node;
    struct list owed_node; /* Somebody is owed a message that found no room. */
    struct list retired_node;
    uint16_t announced_seq; /* Effects carried out so far; match.seq may be ahead within a step. */
    uint8_t counted_state; /* As which it stands in the counters. */
    bool is_ended;
    bool is_retired;
    struct seat seats[MATCH_PLAYERS_MAX];
};

/* --- The home shard's part. --- */

struct presence {
    struct id player;
    struct session_ref session;
    struct handle self;
    struct list owed_node;
};

/* --- The lobby. --- */

/* Beside each ticket of the matchmaker, by its slot. */
struct lobby_ticket {
    struct list owed_node;
    struct handle ticket;
    struct handle offer;
    bool owes_queued;
    bool owes_requeued;
    bool owes_offer;
    uint8_t side;
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
    struct match_entrant entrants[2];
};

struct lobby {
    struct matchmaker matchmaker;
    struct lobby_ticket *tickets; /* By the matchmaker's slots. */
    struct pool offers;
    struct list owed_tickets;
    struct list owed_offers;
    int64_t mean_wait_ms;
    mono_time starts_at; /* After a refused START: the next one goes out then. */
    struct wheel_timer figures;
    uint32_t figures_owed_from; /* The next shard that the figures of this second go to; count: all have them. */
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
    struct pool presences;
    struct map homes;
    struct frame_pools frames;
    struct lobby *lobby; /* On LOBBY_SHARD only. */
    uint8_t *rings;      /* match_queue_slots per match. */
    size_t ring_bytes;

    struct list flush;         /* Sessions with something to send. */
    struct list debts;         /* Sessions that owe a record. */
    struct list runnable;      /* Matches with events. */
    struct list owed;          /* Matches with something undelivered. */
    struct list owed_grants;   /* Presence entries with an unsent GRANT. */
    struct list retired_sessions;
    struct list retired_matches;
    uint64_t woken; /* A bit per shard that was posted to in this iteration. */

    uint32_t queue_waiting; /* The lobby's last figures. */
    int64_t queue_mean_wait_ms;

    bool is_draining;
    bool is_shutting_down;
    uint32_t sweep_next; /* The next session slot of drain's slice. */
    uint32_t sweep_match_next;

    uint32_t lingering;
    uint32_t states[SESSION_STATE_COUNT]; /* Sessions by state. */
    struct shard_stats counters; /* Only what counts up. */
    struct match_result result;  /* Scratch for saving. */
    char wire_bytes[WIRE_MESSAGE_BYTES_MAX];
};

/* post.c */
/* False: the mailbox is full, nothing was sent. `record` begins with its kind. */
QR_MUST_USE bool post(struct shard *shard, unsigned to, const void *record, size_t record_bytes);
QR_MUST_USE bool post_with_body(struct shard *shard, unsigned to, const void *record,
                                size_t record_bytes, const void *body, size_t body_bytes);
/* Takes what the mailboxes hold, bounded. True: there is more. */
bool post_receive(struct shard *shard);
void post_wake(struct shard *shard);

/* session.c */
void session_move(struct shard *shard, struct session *session, enum session_state next);
/* A guest with a checked name: claims the player, and welcomes when the home shard has answered. */
void session_greet(struct shard *shard, struct session *session, const char *name,
                   uint32_t request_id);
void session_on_grant(struct shard *shard, const struct record_grant *record);
void session_on_timer(struct shard *shard, struct handle handle);
/* Arms the timer for the earliest deadline. */
void session_rearm(struct shard *shard, struct session *session);
/* bye (with retry_ms where it is not 0), then the close. The player leaves the game at once. */
void session_dismiss(struct shard *shard, struct session *session, enum close_code code,
                     const char *reason, uint32_t retry_ms);
/* A session that is over, stands nowhere and owes nothing is released in this iteration's last phase. */
void session_retire_if_done(struct shard *shard, struct session *session);
/* The player leaves the game: the home shard, the lobby or the match will be told. */
void session_part(struct shard *shard, struct session *session);

/* speak.c */
wall_time shard_wall(const struct shard *shard);
/* A wire over the shard's scratch bytes; one at a time. */
struct wire shard_wire(struct shard *shard);
/* Replies and news of the session's own. */
void session_say(struct shard *shard, struct session *session, const struct wire *wire);
void session_say_droppable(struct shard *shard, struct session *session, const struct wire *wire);
void session_refuse(struct shard *shard, struct session *session, uint32_t request_id,
                    enum refusal refusal, const char *message, uint32_t retry_ms);
/* Closes without bye: what the player must be told finds no room. */
void session_overload(struct shard *shard, struct session *session);
void session_mark_flush(struct shard *shard, struct session *session);
/* False: no room. Takes a reference. */
QR_MUST_USE bool session_push(struct shard *shard, struct session *session, struct frame *frame,
                              bool is_droppable, unsigned slots);
/* Reading stops where the client may not be heard now, and goes on where it may. */
void session_update_pause(struct shard *shard, struct session *session);
void session_flush_all(struct shard *shard);

/* debts.c */
void session_owe(struct shard *shard, struct session *session, unsigned debts);
void session_pay_all(struct shard *shard);
/* Pays at once what can be paid. */
void session_pay(struct shard *shard, struct session *session);

/* dispatch.c */
void dispatch(struct shard *shard, struct session *session, const char *text, size_t bytes,
              mono_time stamp);

/* outbox.c */
/* Takes a reference. False: no room (for a droppable one: it is counted as dropped). A critical one pushes droppable
 * ones out. `slots`: how many of OUTBOX_SLOTS this kind may fill. */
QR_MUST_USE bool outbox_push(struct outbox *outbox, struct frame_pools *frames, struct frame *frame,
                             bool is_droppable, unsigned slots);
void outbox_drop_sent(struct outbox *outbox, struct frame_pools *frames, unsigned count);
void outbox_clear(struct outbox *outbox, struct frame_pools *frames);
unsigned outbox_gather(const struct outbox *outbox, struct frame *ret_frames[OUTBOX_SLOTS]);

/* throttle.c */
enum throttle_verdict { THROTTLE_PASS, THROTTLE_REFUSE, THROTTLE_STOP, THROTTLE_CLOSE };
void throttle_init(struct throttle *throttle, uint32_t burst, mono_time now);
/* One message. REFUSE: over the rate, ret_wait_ms until the next may pass. STOP: over twice the rate, refused, and
 * reading stops for ret_wait_ms. CLOSE: that has lasted FLOOD_MAX_MS. */
enum throttle_verdict throttle_message(struct throttle *throttle, uint32_t rate, uint32_t burst,
                                       mono_time now, uint32_t *ret_wait_ms);
/* One unreadable message. True: that was one too many. */
bool throttle_unreadable(struct throttle *throttle, mono_time now);

/* presence.c */
unsigned presence_home(const struct shard *shard, const struct id *player);
void presence_on_claim(struct shard *shard, const struct record_claim *record);
void presence_on_release(struct shard *shard, const struct record_release *record);
void presence_pay_all(struct shard *shard);

/* lobby.c */
void lobby_init(struct shard *shard);
void lobby_on_join(struct shard *shard, const struct record_join *record);
void lobby_on_unjoin(struct shard *shard, const struct record_unjoin *record);
void lobby_on_attach(struct shard *shard, const struct record_attach *record);
void lobby_on_start_refused(struct shard *shard, const struct record_start *record);
void lobby_on_timer(struct shard *shard, struct handle ticket);
void lobby_on_figures_timer(struct shard *shard);
void lobby_pay_all(struct shard *shard);

/* pairing.c */
void pairing_join(struct shard *shard, struct session *session, const struct request *request,
                  mono_time stamp);
void pairing_leave_queue(struct shard *shard, struct session *session);
void pairing_on_queued(struct shard *shard, const struct record_queued *record);
void pairing_on_offer(struct shard *shard, const struct record_offer *record);
void pairing_on_requeued(struct shard *shard, const struct record_requeued *record);
void pairing_requeue(struct shard *shard, struct session *session, mono_time since);
void pairing_on_figures(struct shard *shard, const struct record_figures *record);
void pairing_say_ticket(struct shard *shard, struct session *session);

/* playing.c: the session's side of a match. */
/* Sends a client's request to the match, or refuses it (busy). */
void playing_request(struct shard *shard, struct session *session, const struct request *request,
                     mono_time stamp);
/* Tells the match of session->leave_id. */
void playing_leave(struct shard *shard, struct session *session);
void playing_on_deliver(struct shard *shard, const struct record_deliver *record, const char *text,
                        uint32_t bytes);
/* The same with a frame of this shard: shared, not copied. */
void playing_on_frame(struct shard *shard, const struct record_deliver *record, struct frame *frame);
/* The outbox has room again: asks for what it could not take. */
void playing_replay(struct shard *shard, struct session *session);

/* live_match.c */
/* False: not now (no slot, and no room to say so): the record stays in its mailbox. */
QR_MUST_USE bool live_match_on_start(struct shard *shard, const struct record_start *record);
void live_match_on_request(struct shard *shard, const struct record_request *record);
void live_match_on_level(struct shard *shard, const struct record_level *record);
void live_match_on_timer(struct shard *shard, const struct wheel_timer *timer);
void live_match_push(struct shard *shard, struct live_match *live, const struct match_event *event);
/* The match tries again by itself; the log tells of each time. */
void live_match_note_save_failed(struct shard *shard, const struct live_match *live);
void live_match_cancel(struct shard *shard, struct live_match *live, enum match_end_reason reason);
void live_match_run_all(struct shard *shard);
void live_match_deliver_owed(struct shard *shard);
void live_match_retire_if_done(struct shard *shard, struct live_match *live);
void live_match_release(struct shard *shard, struct live_match *live);

/* apply.c */
void apply_effects(struct shard *shard, struct live_match *live, const struct effects *effects);

/* seat.c */
/* Hands on what is due to one seat: messages up to announced_seq and replies, in order. `frame`, if not NULL, is the
 * message of `announced_seq`, encoded already. */
void seat_flush(struct shard *shard, struct live_match *live, unsigned seat, struct frame *frame);
void seat_reply(struct shard *shard, struct live_match *live, unsigned seat,
                const struct seat_reply *reply);
/* A droppable message to everybody who is up to date. */
void seats_say_droppable(struct shard *shard, struct live_match *live, const struct wire *wire);
