/* A run: all players, their one thread's loop, and what they share.
 *
 * Ramps up, plays, and ends: when the time is over (or every player has its matches) nobody joins
 * any more, running matches are played to their end within the grace, connections are closed with
 * 1000. Memory: a struct player each.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/prng.h"
#include "base/wheel.h"
#include "load_link.h"
#include "load_options.h"
#include "load_pace.h"
#include "load_player.h"
#include "load_stats.h"
#include "load_twins.h"

enum { RUN_COMPLAINTS_MAX = 20 };

/* Of those who play. */
struct census {
    uint32_t queued;
    uint32_t done;
    uint32_t playing;
    uint32_t away;
};

/* A look at every player, in parts: no turn of the loop takes longer the more players there are. */
struct sweep {
    uint32_t next; /* The player whose turn it is. */
    bool is_all_done;
    struct census census;
};

struct run {
    const struct options *options;
    struct link_target target;
    int epoll;
    struct prng prng;
    struct wheel wheel;
    struct twins twins;
    struct stats stats;
    FILE *told;
    struct player *players;             /* Owns; those who play, then those who idle. */
    uint32_t kinds[PLAYER_GARBAGE + 1]; /* How many of each kind; those who idle apart. */
    uint32_t started;
    struct pace connects;
    struct pace pings; /* Of those who idle, in turn. */
    struct sweep sweep;
    uint32_t complaints;
    uint64_t now_us;
    uint64_t began_us;
    uint64_t over_us;       /* When it became over. */
    uint64_t turn_began_us; /* When it last stopped waiting. */
    uint64_t next_look_us;
    uint64_t next_line_us;
    uint64_t next_drop_all_us;
    bool is_over;
    bool shows_progress;
    struct inbox inbox;
};

/* Prints the first RUN_COMPLAINTS_MAX; `text` (may be NULL) is the message it is about. */
void run_complain(struct run *run, uint32_t player, const char *what, const char *text,
                  size_t text_bytes);

/* A line for who compares what was told with what is stored; nothing where nobody does. */
void run_tell(struct run *run, const char *before, const char *text, size_t text_bytes,
              const char *behind);

/* 0 when it is over and reported; or a negative errno where it could not begin. `run` is zero. */
QR_MUST_USE int run_all(struct run *run, const struct options *options);

/* Whether nothing was wrong. */
bool run_is_clean(const struct run *run);
