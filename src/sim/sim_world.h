/* The simulated world: up to four shards in one thread, with real mailboxes between them, and all that is outside of
 * them under the program's hand: time, chance, connections and the store. The simulator plays in it (sim_run.h), and so
 * do the unit tests of the shard.
 *
 * Players speak through connections that record what they were sent; a referee (sim_referee.h) reads along and fails
 * where a rule that holds always is broken. A shard runs when it was woken, has input or is due, and only then: a
 * wake-up that was lost shows.
 *
 * One thread. The world owns all; world_close() ends it, and checks that nothing is left.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/mailbox.h"
#include "base/prng.h"
#include "core/match_result.h"
#include "shard/shard.h"
#include "sim_journal.h"
#include "sim_recovery.h"
#include "sim_referee.h"

enum { ADA, BEN, CAT, DAN, EVE, FAY, GUS, HAL, IDA, JIM, KIM, LEO };

enum {
    SHARDS_MAX = 4,
    ROUNDS = 3,
    START_MS = 3000,
    ROUND_TIME_MS = 10000,
    REVEAL_TIME_MS = 4000,
    CLOSE_SLACK_MS = 20,
    GRACE_MS = 10000,
    HELLO_TIMEOUT_MS = 5000,
    SEND_TIMEOUT_MS = 7000,
    MESSAGE_RATE = 20,
    MESSAGE_BURST = 40,
    HOPS_MS = 20,   /* More than any chain of records needs. */
    CALM_MS = 3000, /* A commit that failed is tried again, a client that said too much is heard. */
    CATEGORIES = 6,
    QUESTIONS_EACH = 24,
    INBOX_MAX = 64,
    PENDING_MAX = 64,
    PONGS_MAX = 8,
    KNOWN_MAX = 512,
    RESULTS_MAX = 256,
    PING_MS = 25000,
    MATCH_PING_MS = 4000,
    CREDIT_MAX_MS = 250,
    ENDED_KEEP_MS = 60000,
    REMATCH_MS = 20000,
    SESSION_TEXT_BYTES = 64,
    TOKEN_TEXT_BYTES = 256,
};

static const uint32_t ANY_NUMBER = UINT32_MAX;

struct audit;

/* A player's connection, as the edge and the client see it. */
struct client {
    struct world *world;
    unsigned shard;
    struct handle session;
    bool is_connected;
    bool is_paused;
    bool is_choked;   /* Has taken less than it was offered. */
    bool is_writable; /* To be told at the next pass. */
    bool is_lost;     /* To be told at the next pass. */
    bool is_silent;   /* The network swallows what it says, pongs too. */
    uint16_t close_code;
    uint32_t pings; /* Those that it got, */
    mono_time pinged_at;
    uint32_t pongs_due; /* and those that it answers in its time. */
    mono_time pong_at[PONGS_MAX];
    uint32_t pong_delay_ms;
    uint32_t rtt_us; /* The kernel's. */
    uint32_t takes;  /* Frames that it still takes. */
    uint32_t next_id;
    uint32_t inbox_count;
    char *inbox[INBOX_MAX]; /* What it has said and the shard may not hear yet. */
    char **messages;
    uint32_t message_count, message_capacity;
    uint32_t expected; /* Messages that the test has looked at. */

    /* What it keeps from one connection to the next. */
    struct id player;
    char session_text[SESSION_TEXT_BYTES + 1];
    char token[TOKEN_TEXT_BYTES];
    char last_match[ID_TEXT_BYTES + 1];
    uint32_t last_seq;
};

enum store_mode {
    STORE_PROMPT,  /* Answers yes in the next iteration. */
    STORE_LATE,    /* Answers yes after delay_ms. */
    STORE_FAILING, /* Answers no. */
    STORE_REFUSING,
    STORE_DEAD,   /* Takes and does not answer, until the mode is another. */
    STORE_LOSING, /* Says no, but has done it: the reply was lost. */
};

/* What the store keeps of a result. */
struct kept_result {
    struct id match;
    struct id players[MATCH_PLAYERS_MAX];
    struct rating after[MATCH_PLAYERS_MAX];
    char names[MATCH_PLAYERS_MAX][NAME_BYTES_MAX + 1];
    wall_time ended_at;
    uint16_t scores[MATCH_PLAYERS_MAX];
    uint16_t questions[MATCH_ROUNDS_MAX];
    uint8_t question_count;
    uint8_t reason;
    int8_t winner;
    bool is_rated;
    bool has_bot;
};

/* What the store was asked and has not answered. */
struct pending {
    struct handle who; /* A match, or a session. */
    struct id id;      /* A match's, or a player's. */
    unsigned shard;
    mono_time asked_at, at;
    struct kept_result result;
    bool is_cancelled;
};

enum parcel_state {
    PARCEL_SYNCING, /* The journal is not yet on the disk, and its match waits for that. */
    PARCEL_WAITING, /* To be handed to the store. */
    PARCEL_HANDED,  /* The store's answer is due. */
};

/* A result on its way from the journal to the store. */
struct parcel {
    struct kept_result result;
    struct handle who;
    unsigned shard;
    size_t position; /* Behind it in the shard's journal. */
    mono_time at;    /* Until then it stays in its state. */
    uint8_t state;   /* enum parcel_state. */
    uint8_t attempts;
    bool is_from_before; /* The process that had it was killed. */
};

struct store {
    enum store_mode mode;
    uint32_t delay_ms;
    struct pending pending[PENDING_MAX];
    uint32_t count;
    uint32_t asked, refused, failed, lost, cancelled;
};

struct world_shard {
    struct world *world;
    struct shard *shard;
    void *memory;
    bool is_woken; /* Woken, or something came in. */
    bool has_due;  /* It is due by itself, */
    mono_time due; /* then. */
    bool is_stalled;
    mono_time stalled_at;
    uint32_t pause_ms; /* Before it tries again to pay what it owes. */
    struct sim_journal journal;
};

enum world_keeps {
    KEEPS_MATCHES,    /* In the journal; results go to the store alone. */
    KEEPS_ALL,        /* Results too, before the store has them. */
    KEEPS_NO_JOURNAL, /* A crash takes all that the store does not have. */
};

struct world_settings {
    unsigned shards;  /* 0: 1. */
    uint32_t clients; /* 0: 12. */
    uint32_t sessions_max;
    uint32_t matches_max;
    uint32_t mailbox_bytes;
    uint32_t message_burst;
    uint32_t grace_ms;
    bool is_without_grace; /* grace_ms is 0. */
    uint64_t seed;
    /* All that a shard can be set to; of it the world sets index, mailboxes, bank and key. NULL: as above. */
    const struct shard_settings *shard;
    /* Less than mailbox_init() takes: then a mailbox holds one or two records. 0: mailbox_bytes. A power of two. */
    uint32_t mailbox_room;
    bool remembers_results;  /* The store knows players by what was saved of them. */
    bool has_late_mailboxes; /* Records are under way for a while: mailbox_delay_ms. */
    bool is_patient; /* A shard that waits for another one's room tries less and less often. */
    bool forgets_its_messages; /* Nobody looks at what clients were told before. */
    enum world_keeps keeps;
    uint32_t sync_ms; /* KEEPS_ALL: at most until a result is on the disk. */
};

/* Who looks on. Each may be NULL. */
struct world_watch {
    void *context;
    /* client: ANY_NUMBER where none is meant. */
    void (*on_event)(void *context, unsigned shard, unsigned client, const char *what,
                     const char *text);
    void (*on_told)(void *context, unsigned client, const char *text);
    void (*on_closed)(void *context, unsigned client, unsigned code); /* By the server. */
    void (*on_gone)(void *context, unsigned client);
    void (*on_note)(void *context, unsigned shard, const struct shard_note *note);
};

/* How the process is killed and comes back. */
struct crash_plan {
    uint32_t gone_ms;  /* Of the wall clock. */
    unsigned shards;   /* It comes back with; 0: with as many as before. */
    bool is_power_cut; /* What was not synced is lost as well. */
    struct sim_replay_faults replay;
};

/* Between two shards in a world with late mailboxes: the sender's mailbox. What lies in it gets to the reader's once
 * the time has come, in order. */
struct relay {
    struct mailbox mailbox;
    void *bytes;
    mono_time due; /* Of what lies there. */
    bool is_under_way;
    bool is_woken; /* The sender has said so since. */
};

struct world {
    struct world_settings settings;
    mono_time now;
    struct prng chance;
    struct world_shard shards[SHARDS_MAX];
    struct mailbox mailboxes[SHARDS_MAX][SHARDS_MAX]; /* [from][to]. */
    void *mailbox_bytes[SHARDS_MAX][SHARDS_MAX];
    struct relay relays[SHARDS_MAX][SHARDS_MAX]; /* [from][to]; with late mailboxes only. */
    uint32_t mailbox_delay_ms;                   /* Up to this, for what is sent from now on. */
    int64_t wall_offset_ms;                      /* How far the wall clock has jumped. */
    struct world_watch watch;
    uint64_t late_timers, late_records; /* Timers of a shard that stood still; batches under way. */
    struct client *clients;
    bool has_input;    /* Of clients, that a shard may hear. */
    mono_time pong_at; /* When the next pong comes, of those that can. */
    struct store saves;
    struct store loads;
    struct id known[KNOWN_MAX];              /* Players that the store knows, */
    struct player_record records[KNOWN_MAX]; /* and what it knows of them. */
    uint32_t known_count;
    struct kept_result results[RESULTS_MAX]; /* Of a store that remembers, by match. */
    uint32_t result_count;
    struct parcel parcels[RESULTS_MAX];
    uint32_t parcel_count;
    mono_time sync_at; /* When all journals are synced next. */
    struct match_result last_result;
    uint32_t notes[NOTE_CLOSING + 1];
    struct referee referee;
    struct audit *audit;          /* sim_audit.h. */
    uint32_t runs;                /* Iterations of all shards. */
    bool may_find_faults;         /* A match is broken on purpose. */
    struct sim_recovery recovery; /* Of the last crash. */
    uint32_t calls_left;          /* Until the process is killed; 0: it is not. */
    bool is_dead;                 /* It was: nothing goes on before crash_as(). */
    uint32_t restored, rewound, not_restored, carried_over; /* Matches; results. */
};

/* --- Life. --- */

/* One event, for who looks on. client: ANY_NUMBER where none is meant. */
void tell(const struct world *world, unsigned client, const char *what, const char *text);

struct world *world_create(struct world_settings settings);
struct world *world_of(unsigned shards);

/* Ends all faults, and expects that every request of those who are connected is answered then. */
void calm_down(struct world *world);

/* In the end the store has each result of which players were told, once. (It must be one that remembers.) */
void store_expect_all_told(const struct world *world);

/* Shuts down, lets everything end, and expects that nothing is left: no session, match, ended match,
 * ticket, presence, timer, token, frame. */
void world_close(struct world *world);

/* --- Verbs: the client's. --- */

void comes(struct world *world, unsigned client, unsigned shard);
/* Says what is no request, or one whose id the test has chosen. */
void says(struct world *world, unsigned client, const char *text);
/* Each returns the request's id. */
uint32_t asks(struct world *world, unsigned client, const char *type, const char *fields);
uint32_t greets(struct world *world, unsigned client);
uint32_t joins(struct world *world, unsigned client);
uint32_t joins_in(struct world *world, unsigned client, const char *category);
uint32_t joins_the_house(struct world *world, unsigned client);
/* The client's last match once more. */
uint32_t asks_for_a_rematch(struct world *world, unsigned client);
/* hello with what the client has kept. */
uint32_t resumes(struct world *world, unsigned client);
uint32_t resumes_after(struct world *world, unsigned client, uint32_t last_seq);
uint32_t shows_its_token(struct world *world, unsigned client);
uint32_t resumes_or_shows_its_token(struct world *world, unsigned client);
/* Another tab of the same player: it has what the first one has. */
void knows_what(struct world *world, unsigned client, unsigned first);
uint32_t leaves(struct world *world, unsigned client);
uint32_t leaves_this_match(struct world *world, unsigned client);
uint32_t answers(struct world *world, unsigned client, unsigned round, unsigned choice);
/* And says which match it means. */
uint32_t answers_in(struct world *world, unsigned client, const char *match, unsigned round,
                    unsigned choice);
uint32_t pings(struct world *world, unsigned client);
uint32_t emotes(struct world *world, unsigned client);
void emotes_without_id(struct world *world, unsigned client);
void is_lost(struct world *world, unsigned client);
void falls_silent(struct world *world, unsigned client);
void is_heard_again(struct world *world, unsigned client);
void takes_only(struct world *world, unsigned client, uint32_t frames);
void takes_everything(struct world *world, unsigned client);

/* --- Verbs: the world's. --- */

void run_ms(struct world *world, uint32_t ms);
/* Up to the moment before `at` is dealt with: what clients say then is read before its timers expire. */
void run_before(struct world *world, mono_time at);
/* Iterations of all shards that have something to do now; true where there was one. */
bool run_once(struct world *world);
void settle(struct world *world); /* Long enough for every record to get where it goes. */
void stall(struct world *world, unsigned shard);
void go_on(struct world *world, unsigned shard);
/* Fills a mailbox to the last bytes, with records that mean nothing. Its reader should be stalled.
 */
void jam(struct world *world, unsigned from, unsigned to);
void drain(struct world *world);
void shut_down(struct world *world);
/* The wall clock is set. */
void set_wall_clock(struct world *world, int64_t by_ms);
/* The process is killed and comes back after `gone_ms` of the wall clock: shards, mailboxes and connections are gone,
 * the journal, the store and what clients keep are there. */
void crash(struct world *world, uint32_t gone_ms);
void crash_as(struct world *world, const struct crash_plan *plan);
/* To be killed in the middle of what it does, after so many more calls between it and the outside: then is_dead is set,
 * and crash_as() has to follow. */
void kill_after(struct world *world, uint32_t calls);
/* One more of these calls. True: the process is dead, and nobody sees what it does. */
bool world_is_dead(struct world *world);

/* --- Looks. --- */

struct shard_stats stats_of(struct world *world, unsigned shard);
unsigned sessions_in(struct world *world, enum session_state state);
unsigned matches_live(struct world *world);
unsigned matches_kept(struct world *world); /* Ended ones. */
unsigned players_present(struct world *world);
/* The last message of a type; fails where there is none. */
const char *last_said(const struct world *world, unsigned client, const char *type);
unsigned count_said(const struct world *world, unsigned client, const char *type);
/* A number that a message holds under a key, or ANY_NUMBER where it is null or missing. */
uint32_t number_in(const char *text, const char *key);
/* Where the right one, or a wrong one, stands in the client's last `round`. */
unsigned right_choice(const struct world *world, unsigned client);
unsigned wrong_choice(const struct world *world, unsigned client);
