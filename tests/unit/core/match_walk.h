/* A match among random events: the world of test_match_walk.c.
 *
 * The world keeps the timers and the store as the match's effects ask for them, and lets happen
 * what can happen: late and old timers, repeated answers, stamps out of order, players who flap, a
 * store that fails, an owner who cancels. A seed is a whole match. The rules are looked at after
 * every step.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prng.h"
#include "core/match_origin.h"
#include "match_fixture.h"

enum {
    STALE_MAX = 16,
    /* A match has its rounds' timers, its absences and what the players send; far fewer than these.
     */
    STEPS_MAX = 20000,
};

struct walk_timer {
    bool is_armed;
    mono_time at;
    uint16_t tag;
};

struct walk_stale {
    uint8_t kind;
    uint8_t player;
    uint16_t tag;
};

struct walk;

/* Who looks on: called when the match has begun, before anything happens, and after every step. */
struct walk_watcher {
    void (*on_begun)(struct walk *walk, void *context);
    void (*on_step)(const struct walk *walk, void *context);
    void *context;
};

/* The world around a match, and what it has seen of it. */
struct walk {
    const struct walk_watcher *watcher; /* Or NULL. */
    struct game game;
    struct game before; /* The step under way. */
    struct match_event event;
    struct prng chance;
    const uint8_t *bytes; /* Choose instead of chance, while there are any. */
    size_t bytes_left;
    unsigned chatter;  /* Clients' events in a hundred. */
    unsigned flapping; /* Of these, changes of presence in a hundred. */
    unsigned leaving;  /* Of these, in a hundred, those that leave. */
    unsigned pace_ms;  /* The most between two clients' events. */
    struct walk_timer phase;
    struct walk_timer graces[MATCH_PLAYERS_MAX];
    bool has_bot; /* In BEN's place. */
    struct walk_timer bot;
    struct walk_stale stale[STALE_MAX];
    unsigned stale_count;
    bool is_saving;
    unsigned save_failures;
    unsigned steps;
    unsigned phases; /* Phase timers that moved the play on. */
    uint16_t seq;
    unsigned ends;
    bool has_ended;
    bool is_play_over;
    uint32_t effects_max;
    unsigned recoveries;
    struct match_answer answers[MATCH_ROUNDS_MAX][MATCH_PLAYERS_MAX]; /* As first received. */
    struct match_origin origin;
    struct match_event history[STEPS_MAX]; /* All that has happened since: `steps` of them. */
};

/* Plays the match of this seed to its end, and some events behind it. What happens does not depend
 * on which choices are right. */
void walk_match(struct walk *walk, uint64_t seed);
void walk_match_watched(struct walk *walk, uint64_t seed, const struct walk_watcher *watcher);

/* The same with the choices that the bytes make, one after the other; chance makes those behind
 * them. */
void walk_match_of_bytes(struct walk *walk, const uint8_t *bytes, size_t size);

/* --- match_walk_rules.c --- */

/* What must hold when a match has begun, after every step, and at the end. */
void walk_check_birth(struct walk *walk);
void walk_check_step(struct walk *walk);
void walk_check_end(const struct walk *walk);
/* And when nothing happens any more. */
void walk_check_history(const struct walk *walk);
