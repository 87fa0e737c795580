/* A player's browser: it knows what it was told on its connections and nothing else, plays by that, and has habits
 * (sim_recipe.h). What it draws depends on nobody else.
 *
 * Of one run (sim_run.h). sim_player.c hears, sim_habit.c acts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/time.h"
#include "sim_world.h"

struct sim_run;

enum { ASKED_KEPT = 16 };

enum player_state {
    PLAYER_OFFLINE,
    PLAYER_NEW,      /* Connected; has not said hello, or must say another one. */
    PLAYER_GREETING, /* Waits for its reply. */
    PLAYER_IDLE,
    PLAYER_JOINING,
    PLAYER_WAITING,
    PLAYER_PLAYING,
};

/* A request, until it is answered. */
struct asked {
    uint32_t id;
    char type; /* The first letter of its type: they differ. 0: none. */
};

struct sim_player {
    uint8_t state; /* enum player_state. */
    uint8_t round; /* The last one that was shown; 0: none. */
    uint8_t rounds;
    uint8_t revealed;  /* The last one that was. */
    uint8_t answering; /* The round that answer_at is for. */
    uint8_t flaps;     /* It will lose its connection so often yet. */
    uint8_t seq_claim; /* enum seq_claim of the last hello. */
    bool is_resuming;  /* The last hello named a session. */
    bool is_showing_token;
    bool is_foreign;        /* With another player's session, and its own token. */
    bool is_showing_before; /* The session before the last welcome. */
    bool is_back;           /* Welcomed back, and nothing else was told since. */
    bool is_leaving;
    bool is_dodging;
    bool is_rematching;
    bool is_fickle; /* Leaves the queue it has just joined. */
    bool knows_other_match;
    uint32_t time_ms; /* Of a round. */
    uint32_t draws;   /* So often it has drawn something. */
    uint32_t outstanding;
    mono_time act_at;    /* The next moment for what is not an answer. */
    mono_time answer_at; /* UINT64_MAX: no answer is planned. */
    mono_time round_at;
    mono_time silent_until, choked_until;
    mono_time flooding_until, littering_until;
    struct asked asked[ASKED_KEPT];
    uint32_t asked_next;
    char before[SESSION_TEXT_BYTES + 1]; /* The session before the last welcome. */
    char other_match[ID_TEXT_BYTES + 1];
    struct id match; /* Of the last message with a seq: for the trace. */
};

enum seq_claim { SEQ_CLAIM_NONE, SEQ_CLAIM_OLD, SEQ_CLAIM_LAST, SEQ_CLAIM_AHEAD };

void player_init(struct sim_run *run, unsigned client);
void player_on_told(struct sim_run *run, unsigned client, const char *text);
void player_on_closed(struct sim_run *run, unsigned client, unsigned code);
void player_on_gone(struct sim_run *run, unsigned client);

/* When it next does something. */
mono_time player_next(const struct sim_player *player);
/* Does it. */
void player_act(struct sim_run *run, unsigned client);

/* A generator for what it draws now. */
struct prng player_dice(struct sim_run *run, unsigned client);
/* The next moment for what is not an answer: within about the recipe's pause, or within at most `within_ms`. */
void player_pause(struct sim_run *run, unsigned client, struct prng *prng);
void player_act_within(struct sim_run *run, unsigned client, struct prng *prng, uint32_t within_ms);
/* Plans the answer to a round that has just been shown. */
void player_plan_answer(struct sim_run *run, unsigned client);
