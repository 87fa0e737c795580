/* Reads along what players say and are told, and fails where a rule is broken that holds always (docs/protocol.md). It
 * knows the arrival of every message at its shard's edge, and recomputes with code of its own what follows from what
 * was said: answer times, points, scores, winners, ratings.
 *
 *   replies     every request gets exactly one reply, unless its connection closes first
 *   order       the messages of a match are numbered without gaps, from 1, or from where a resume has said that they
 *               were had; the same bytes for all players, on all of their connections; `end` comes last, once; queued
 *               comes before match, accepted before its `answered` and its reveal, `left` before one's own `gone`;
 *               `clock` comes once after a welcome back; nothing comes after `bye`
 *   answers     one answer counts per player and round, the first; none after its deadline, its credit included; none
 *               for another round or another's match; late, wrong_round and busy are said only where it is so
 *   results     points, scores, streaks, weights, winner, reason, ratings follow from choices and times; what is saved
 *               is what was told; `end` comes after the store has said yes
 *   secrets     the right choice is in no message but its reveal, and no message has a field that the protocol does not
 *               name, or anything as long as a seed
 *   players     a player has one connection in the end; who comes back in time is in the match that was not over, or
 *               hears of its end
 *
 * The world owns it. One thread. Fails by sim_failed(), with the rule's name before the first colon. Costs some
 * microseconds a message; memory: REFEREE_… below, allocated at once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/time.h"
#include "core/match_result.h"

enum {
    REFEREE_CLIENTS_MAX = 1000,
    REFEREE_IDS_MAX = 2048,
    REFEREE_MATCHES_MAX = 512,
    REFEREE_PLAYERS_MAX = 4096,
    REFEREE_SEQ_MAX = 300,
    REFEREE_HELLOS_MAX = 8, /* On one connection, unanswered. */
    REFEREE_ASKED_MAX = 64, /* The same of all requests that a shard has heard. */
    REFEREE_SHARDS_MAX = 4,
    REFEREE_WALLS_MAX = 8,
    REFEREE_SESSION_BYTES = 65,
};

/* What a hello has said of a match. */
struct referee_hello {
    uint32_t id;
    struct id match;
    uint32_t seq;
    uint32_t seq_max; /* Of that match, when it was said. */
    struct id player; /* Whom it speaks for, */
    bool is_last;     /* by the session that was told last, the first since then. */
    uint32_t no;      /* Of all hellos of that player. */
};

enum referee_request { REQUEST_OF_MATCH_ANSWER, REQUEST_OF_MATCH_EMOTE, REQUEST_LEFT, REQUEST_ANY };

/* A request that its shard has heard and not answered. */
struct referee_asked {
    uint32_t id;
    uint8_t kind; /* enum referee_request. */
    uint8_t round;
    uint8_t choice;
    bool is_ambiguous;  /* Another one has its id. */
    bool is_crowded;    /* A mailbox had no room for it, */
    bool is_in_company; /* or the player itself had others under way. */
    bool names_other;   /* It names a match that the player is not in. */
    mono_time at;
};

/* One connection. */
struct referee_client {
    uint8_t pending[REFEREE_IDS_MAX]; /* By id: replies that are due. */
    uint32_t pending_count;
    struct referee_asked asked[REFEREE_ASKED_MAX];
    uint32_t asked_count;
    struct referee_hello hellos[REFEREE_HELLOS_MAX];
    uint32_t hello_count;
    int player; /* Whom it speaks for; -1: nobody. */
    int match;  /* Which it is in; -1: none. */
    uint32_t seq;
    uint32_t answered[MATCH_PLAYERS_MAX]; /* A bit per round: `answered` was told. */
    uint32_t left_count;                  /* `left` replies in this match. */
    bool is_back;                         /* A welcome has led into this match. */
    bool is_queued;                       /* `queued` was told, and no match since. */
    bool is_anywhere; /* The next number may be any: the client has claimed more than there was. */
    bool may_hear_clock;
    bool has_bye;
    bool is_slow; /* What it reads is not news. */
};

/* What a player is rated, as far as results and the store have told. */
struct referee_rating {
    bool is_known;
    struct rating rating;
    wall_time rated_at;
};

struct referee_player {
    struct id id;
    int match; /* The last one that it was told of; -1: none. */
    bool has_end;
    bool is_heard;        /* Since that has ended. */
    struct id claimed;    /* The match of which a hello has claimed the most, on any connection, */
    uint32_t claimed_seq; /* and how much. */
    char session[REFEREE_SESSION_BYTES]; /* As told last, */
    uint32_t hello_no,
        welcome_no;  /* The last hello, and the last that was answered with a welcome. */
    uint32_t hellos; /* Said for it and not answered, where their connection has gone too. */
    mono_time last_asked_at;         /* The last request of a match, on any connection. */
    struct referee_rating by_result; /* After the last rated match. */
    struct referee_rating by_store;  /* As the store said last. */
    bool has_old_rating; /* It is back in a match of which something is lost, and as it was then. */
};

struct referee_answer {
    bool is_known;   /* By a receipt or by the reveal: the rest holds. */
    bool is_counted; /* A receipt without `dup` was told. */
    int8_t choice;   /* -1: none. */
    uint32_t at_ms;
    bool has_credit;
    uint16_t rtt_ms;
};

struct referee_round {
    uint16_t seq;        /* Of its message; 0: not told. */
    uint16_t reveal_seq; /* The same of its reveal. */
    uint32_t time_ms;
    mono_time began_at;
    int8_t right; /* The place of the right choice. */
    uint8_t choice_count;
    uint8_t weight;
    struct referee_answer answers[MATCH_PLAYERS_MAX];
    uint16_t points[MATCH_PLAYERS_MAX];
    uint32_t scores[MATCH_PLAYERS_MAX];
    uint32_t streaks[MATCH_PLAYERS_MAX];
};

/* wall = mono + offset for what is told behind that message. */
struct referee_wall {
    uint32_t after_seq;
    int64_t offset_ms;
};

/* A match that has come back after a crash. */
struct referee_restored {
    unsigned shard;
    uint32_t seq;                            /* Of its last message then. */
    int64_t began_offset_ms, wall_offset_ms; /* As it began, and from now on. */
    bool is_taken_back;                      /* Something that was told may not be so any more. */
    bool has_result;                         /* The journal has it, or the store. */
};

struct referee_match {
    struct id id;
    bool is_started; /* The shard has said so: the next two hold. */
    unsigned shard;
    int64_t wall_offset_ms;                       /* wall = mono + offset, */
    struct referee_wall walls[REFEREE_WALLS_MAX]; /* but where the process was gone. */
    unsigned wall_count;
    bool is_unjournaled; /* The journal had no room for something of it. */
    bool is_saved;
    bool is_ended;
    bool is_cancelled;
    mono_time ended_at;
    uint32_t seq_max;
    char *texts[REFEREE_SEQ_MAX]; /* By seq - 1. */

    bool is_known; /* `match` was told: the next ones hold. */
    bool is_rated;
    bool is_bot[MATCH_PLAYERS_MAX];
    uint8_t round_count;
    struct id players[MATCH_PLAYERS_MAX];
    struct referee_round rounds[MATCH_ROUNDS_MAX];
    uint8_t revealed;
    uint16_t judged; /* Messages that were judged: those before the first that nobody has got. */
    uint16_t gone_seq[MATCH_PLAYERS_MAX];
    bool is_over; /* `end` was told. */

    bool has_result; /* It was given to the store: the next ones hold. */
    bool is_rated_result;
    wall_time decided_at;
    uint8_t reason;
    int8_t winner;
    struct rating before[MATCH_PLAYERS_MAX];
    struct rating after[MATCH_PLAYERS_MAX];
    uint16_t scores[MATCH_PLAYERS_MAX];
};

struct referee {
    struct referee_client *clients;
    uint32_t client_count;
    struct referee_match *matches;
    uint32_t match_count;
    struct referee_player *players;
    uint32_t player_count;
    uint32_t ends; /* Told to players. */
    uint32_t welcomes_back;
    uint32_t
        kept_ms; /* How long an ended match is kept for who has not seen it; 0: room may lack. */
    uint32_t credit_max_ms; /* The largest that a connection is granted. */
    uint32_t tau_milli;     /* Of the ratings. */
    const char *right_text; /* The right choice of every question. */
    bool is_draining;
    mono_time unread_at; /* When somebody was heard last who had not read what it was told. */
    mono_time emptied_at[REFEREE_SHARDS_MAX];    /* When a shard had last read all that was sent. */
    uint64_t right_places[QUESTION_CHOICES_MAX]; /* How often the right choice stood where. */
};

void referee_init(struct referee *referee, uint32_t clients);
void referee_fini(struct referee *referee);

void referee_on_connect(struct referee *referee, unsigned client);
/* The client sends this. */
void referee_on_said(struct referee *referee, unsigned client, const char *text);
/* A request with this id is on its way. */
void referee_on_request(struct referee *referee, unsigned client, uint32_t id);
/* The shard hears the client. */
void referee_on_heard(struct referee *referee, unsigned client, mono_time now);
/* A whole message of the client reaches the shard's edge. */
void referee_on_arrival(struct referee *referee, unsigned client, const char *text, mono_time now);
/* A mailbox had no room for what came of the message that has arrived last. */
void referee_on_crowded(struct referee *referee, unsigned client);
/* The shard has run, and there is nothing left in its mailboxes. */
void referee_on_emptied(struct referee *referee, unsigned shard, mono_time now);
/* A match begins on a shard whose wall clock is its monotonic one and `wall_offset_ms`. */
void referee_on_started(struct referee *referee, const struct id *match, unsigned shard,
                        int64_t wall_offset_ms);
/* The store is asked to keep a result, */
void referee_on_save(struct referee *referee, const struct match_result *result);
/* and answers what it knows of a player; NULL: nothing. */
void referee_on_loaded(struct referee *referee, const struct id *player,
                       const struct player_record *record);
/* The client has not taken all that it was told. */
void referee_on_unread(struct referee *referee, unsigned client);
void referee_on_message(struct referee *referee, unsigned client, const char *text, mono_time now);
void referee_on_saved(struct referee *referee, const struct id *match);
void referee_on_ended(struct referee *referee, const struct id *match, const char *reason,
                      mono_time now);
void referee_on_disconnect(struct referee *referee, unsigned client);

/* The journal has no room for something of the match. */
void referee_on_unjournaled(struct referee *referee, const struct id *match);
/* The process was killed and is back. First for each match that goes on, with what the journal has of it, */
void referee_on_restored(struct referee *referee, struct referee_match *match,
                         const struct referee_restored *restored);
/* which learns of it when it first runs; */
void referee_on_recovered(struct referee *referee, const struct id *match, int64_t wall_offset_ms);
/* and for each that does not; */
void referee_on_lost(struct referee_match *match, mono_time now);
/* then: who has not seen an end hears of it no more. */
void referee_on_crash(struct referee *referee, bool is_power_cut);

/* Adds it where it is new. */
int referee_find_match(struct referee *referee, const struct id *id);

/* Who is connected has no reply due, and is the only one of its player. */
void referee_expect_all_answered(const struct referee *referee);
