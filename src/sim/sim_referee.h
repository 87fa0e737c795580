/* Reads along what the shards say and are told, and fails the test where a rule is broken that holds
 * always:
 *
 *   - every request gets exactly one reply, unless its connection closes first;
 *   - the messages of a match are numbered without gaps, from 1, or from where a resume has said that
 *     they were had;
 *   - all players of a match get the same bytes for the same number, on all of their connections;
 *   - `end` comes last, once, and for a result that counts only after the store has said yes;
 *   - the right choice is in no message but a reveal;
 *   - `clock` comes once after a welcome back into a match, and at no other time;
 *   - nothing comes after `bye`, and a player has one connection in the end;
 *   - who comes back in time is in the match that was not over, or hears of its end.
 *
 * The world owns it. Fails by sim_failed().
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
    REFEREE_MATCHES_MAX = 256,
    REFEREE_PLAYERS_MAX = 4096,
    REFEREE_SEQ_MAX = 300,
    REFEREE_HELLOS_MAX = 8, /* On one connection, unanswered. */
};

/* What a hello has said of a match. */
struct referee_hello {
    uint32_t id;
    struct id match;
    uint32_t seq;
    uint32_t seq_max; /* Of that match, when it was said. */
};

/* One connection. */
struct referee_client {
    uint8_t pending[REFEREE_IDS_MAX]; /* By id: replies that are due. */
    uint32_t pending_count;
    struct referee_hello hellos[REFEREE_HELLOS_MAX];
    uint32_t hello_count;
    int player; /* Whom it speaks for; -1: nobody. */
    int match;  /* Which it is in; -1: none. */
    uint32_t seq;
    bool is_anywhere; /* The next number may be any: the client has claimed more than there was. */
    bool may_hear_clock;
    bool has_bye;
    bool is_slow; /* What it reads is not news. */
};

struct referee_player {
    struct id id;
    int match; /* The last one that it was told of; -1: none. */
    bool has_end;
    bool is_heard; /* Since that has ended. */
};

struct referee_match {
    struct id id;
    bool is_saved;
    bool is_ended;
    bool is_cancelled;
    mono_time ended_at;
    uint32_t seq_max;
    char *texts[REFEREE_SEQ_MAX]; /* By seq - 1. */
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
    bool is_draining;
    mono_time unread_at; /* When somebody was heard last who had not read what it was told. */
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
/* The store is asked to keep a result, */
void referee_on_save(struct referee *referee, const struct match_result *result, mono_time now);
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

/* Who is connected has no reply due, and is the only one of its player. */
void referee_expect_all_answered(const struct referee *referee);
