/* quizrush-load's command line.
 *
 * One struct of values, all checked and within their bounds once options_parse() has taken it. Main
 * thread, once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/assert.h"

enum { OPTIONS_PLAYERS_MAX = 60000, OPTIONS_PROBLEM_BYTES = 160 };

struct options {
    const char *host;
    uint16_t port;
    uint32_t players;   /* Those who play. */
    uint32_t idle;      /* Those who only stay connected. */
    uint32_t seconds;   /* 0: no limit but `matches`. */
    uint32_t matches;   /* Per player; 0: no limit but `seconds`. */
    uint32_t ping_rate; /* Of each of those who idle, a second. */
    uint32_t warmup;    /* Seconds before anything is measured. */
    uint32_t think_min_ms;
    uint32_t think_max_ms;
    uint32_t rate;    /* Connections per second while ramping up. */
    uint32_t sources; /* 127.0.0.2 and so on; 0: what the kernel chooses. */
    uint32_t grace_ms;
    uint32_t emotes_percent;      /* Of the answers: an emote follows. */
    uint32_t house_percent;       /* Of the joins: against the house. */
    uint32_t slow_percent;        /* Of the players: they read so slowly… */
    uint32_t slow_bytes;          /* …a second. */
    uint32_t garbage_percent;     /* Of the players. */
    uint32_t drop_every_ms;       /* A player's mean time between losses; 0: none. */
    uint32_t drop_all_every_ms;   /* All players lose theirs at once; 0: never. */
    uint32_t drop_reveal_percent; /* Of the reveals: the player loses its connection there. */
    uint32_t back_within_ms;
    uint64_t seed;
    const char *told; /* A file for each `end` that was seen; NULL: none. */
    bool server_may_die;
    bool is_lenient; /* The server lacks parts of the protocol. */
    bool is_echo;    /* The server returns what it gets, and knows no protocol. */
    bool wants_json;
    bool is_verbose;
};

enum options_result { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_WRONG };

/* OPTIONS_WRONG comes with the problem, one line that names the option. */
QR_MUST_USE enum options_result options_parse(int argc, char *argv[], struct options *ret_options,
                                              char reterr_problem[OPTIONS_PROBLEM_BYTES]);

/* Whether connections are lost on purpose. */
static inline bool options_drop(const struct options *options)
{
    return options->drop_every_ms > 0 || options->drop_all_every_ms > 0 ||
           options->drop_reveal_percent > 0;
}

void options_print_help(FILE *out);
