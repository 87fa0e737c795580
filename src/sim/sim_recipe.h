/* A world as it is drawn from its seed: sizes, the settings of its shards and matches, how often players and the
 * outside do what, how long it goes on, and when it drains. The same seed draws the same recipe; what the command line
 * changes in it changes nothing else.
 *
 * A value of its own; nobody owns more than the struct.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sim_world.h"

/* X(C name, its name on the command line, thousandths where the seed draws the most): what a player does now and then,
 * apart from playing. Docs: docs/simulator.md. */
#define SIM_HABITS(X)                                                                              \
    /* Of a round: */                                                                              \
    X(DEADLINE, "deadline", 350)                                                                   \
    X(SILENT, "silent", 150)                                                                       \
    X(LATE, "late", 80)                                                                            \
    /* Of an answer: */                                                                            \
    X(REPEAT, "repeat", 80)                                                                        \
    X(TWICE, "twice", 80)                                                                          \
    X(BAD_CHOICE, "bad_choice", 60)                                                                \
    /* Of a match that begins: */                                                                  \
    X(DODGE, "dodge", 60)                                                                          \
    X(FLAP, "flap", 300)                                                                           \
    /* Of a join: */                                                                               \
    X(HOUSE, "house", 250)                                                                         \
    X(CATEGORY, "category", 150)                                                                   \
    X(REMATCH, "rematch", 800)                                                                     \
    X(FICKLE, "fickle", 300)                                                                       \
    /* Of a connection: */                                                                         \
    X(MUTE, "mute", 40)                                                                            \
    X(TAB, "tab", 60)                                                                              \
    X(FORGETFUL, "forgetful", 80)                                                                  \
    X(LONG_AWAY, "long_away", 250)                                                                 \
    /* Of a moment: */                                                                             \
    X(EARLY, "early", 30)                                                                          \
    X(OTHER_ROUND, "other_round", 20)                                                              \
    X(OTHER_MATCH, "other_match", 20)                                                              \
    X(EMOTE, "emote", 150)                                                                         \
    X(PING, "ping", 20)                                                                            \
    X(LEAVE, "leave", 20)                                                                          \
    X(ODD, "odd", 20)                                                                              \
    X(BURST, "burst", 20)                                                                          \
    X(FLOOD, "flood", 12)                                                                          \
    X(LITTER, "litter", 4)                                                                         \
    X(HELLO_AGAIN, "hello_again", 8)

/* The same of what goes wrong outside of the players' wills. */
#define SIM_FAULTS(X)                                                                              \
    X(DROP, "drop", 200)                                                                           \
    X(OUTAGE, "outage", 40)                                                                        \
    X(CHOKE, "choke", 200)                                                                         \
    X(SILENCE, "silence", 40)                                                                      \
    X(STALL, "stall", 100)                                                                         \
    X(JAM, "jam", 90)                                                                              \
    X(DELAY, "delay", 100)                                                                         \
    X(SAVE_LATE, "save_late", 50)                                                                  \
    X(SAVE_FAIL, "save_fail", 50)                                                                  \
    X(SAVE_REFUSE, "save_refuse", 50)                                                              \
    X(SAVE_DEAD, "save_dead", 30)                                                                  \
    X(SAVE_LOST, "save_lost", 50)                                                                  \
    X(LOAD_LATE, "load_late", 40)                                                                  \
    X(LOAD_FAIL, "load_fail", 40)                                                                  \
    X(LOAD_REFUSE, "load_refuse", 40)                                                              \
    X(LOAD_DEAD, "load_dead", 20)                                                                  \
    X(WALL, "wall", 30)                                                                            \
    X(JOURNAL_FULL, "journal_full", 30)                                                            \
    X(CRASH, "crash", 20)                                                                          \
    X(POWER_CUT, "power_cut", 10)

#define SIM_HABIT(name, text, most) HABIT_##name,
#define SIM_FAULT(name, text, most) FAULT_##name,
enum sim_rate {
    SIM_HABITS(SIM_HABIT) HABIT_COUNT,
    FAULT_NONE = HABIT_COUNT - 1,
    SIM_FAULTS(SIM_FAULT) RATE_COUNT
};
#undef SIM_HABIT
#undef SIM_FAULT

struct sim_recipe {
    uint64_t seed;
    uint32_t players;
    uint32_t steps;
    uint32_t matches; /* Ended; then the world comes to its end as well. */
    uint32_t shards;
    uint32_t mailbox_room; /* 0: as in the server. */
    bool has_late_mailboxes;
    uint32_t delay_ms; /* Of those: at most, where nothing is wrong. */
    struct shard_settings shard;
    uint16_t rates[RATE_COUNT]; /* Thousandths. */
    enum world_keeps keeps;
    uint32_t sync_ms;        /* At most until a result is on the disk. */
    uint32_t pause_ms;       /* Players do something besides playing about so often. */
    uint32_t fault_every_ms; /* 0: nothing goes wrong. */
    uint32_t away_ms;        /* They come back within this. */
    uint32_t think_ms;       /* Of who does not look at the clock: at most. */
    uint32_t drain_at;       /* Steps; 0: never. */
    bool is_cut_off;         /* In the end it does not wait for the matches that run. */
    bool is_narrow;          /* Ended matches may find no room. */
};

void recipe_draw(struct sim_recipe *ret_recipe, uint64_t seed);

/* By its name on the command line; RATE_COUNT: there is none. */
enum sim_rate recipe_rate(const char *name);
const char *recipe_rate_name(enum sim_rate rate);

/* On one line, for the trace. */
enum { RECIPE_TEXT_BYTES = 400 };
void recipe_describe(const struct sim_recipe *recipe, char ret_text[RECIPE_TEXT_BYTES]);
