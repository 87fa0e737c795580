/* What a run has counted and measured, and how it is printed.
 *
 * Every latency counts from the moment at which its cause was to be, not from when this program
 * came to it, so that a server that holds everybody up cannot hide it (no coordinated omission).
 * What the program itself adds is measured beside: `lag` and `turn`. All by one monotonic clock,
 * this process's. One owner; sizeof(struct stats), about 400 KB.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "load_check.h"
#include "load_histogram.h"

enum { STATS_CODES_MAX = 24 };

enum latency {
    LATENCY_CONNECT,  /* From when the connection was to be opened to its upgrade. */
    LATENCY_WELCOME,  /* hello to welcome. */
    LATENCY_ACCEPTED, /* From when the answer was to be sent to its receipt. */
    LATENCY_PONG,     /* From when the ping was to be sent. */
    LATENCY_MATCH,    /* From when the player was to join. */
    LATENCY_SPREAD,   /* Between the two players of a match: from one's `round` to the other's. */
    /* From the end of a round to its reveal. Where all answered it ended when the last answer was
     * to be sent; otherwise when its time was over, counted from the player's own receipt of
     * `round`: that includes what the server waits for answers still under way (protocol.md,
     * "Answer time"). */
    LATENCY_REVEAL,
    LATENCY_TIME_OVER,
    LATENCY_LAG,  /* How late this program was at connecting, joining, answering and pinging. */
    LATENCY_TURN, /* How long a turn of its loop took: what came waited so long at most. */
};
enum { LATENCIES = LATENCY_TURN + 1 };

struct stats_code {
    char code[CHECK_CODE_BYTES];
    uint64_t count;
};

struct stats {
    uint64_t opened;     /* Upgraded. */
    uint64_t closed;     /* Ended with 1000, by us. */
    uint64_t lost;       /* Failed to open, or ended otherwise. */
    uint64_t unfinished; /* Still there when the grace was over. */
    uint64_t unanswered; /* Requests without a reply in time. */
    uint64_t sent;
    uint64_t received;
    uint64_t received_bytes;
    uint64_t answers;
    uint64_t accepted;
    uint64_t dups;
    uint64_t ends[CHECK_END_REASONS]; /* As players saw them. */
    uint64_t cancelled_in_play;       /* Of these: cancelled after the first round began. */
    uint64_t gaps;
    uint64_t dropped;
    uint64_t violations;
    uint64_t deviations;      /* Where the server need not keep to all of the protocol. */
    uint64_t pings_sent;      /* The protocol's, not WebSocket's. */
    uint64_t withheld;        /* Requests that had no place: CHECK_PENDING_MAX waited already. */
    uint64_t pings;           /* The server's, answered. */
    uint64_t drops;           /* Connections that players let go of. */
    uint64_t takeovers;       /* Of these: the old one stayed open. */
    uint64_t taken_over;      /* And was closed with 4509. */
    uint64_t resumes;         /* Welcomes to `resume`. */
    uint64_t resumed_matches; /* Of these: with a match. */
    uint64_t clocks;
    uint64_t replayed;       /* Messages with `seq` between a welcome and its clock. */
    uint64_t receipts_again; /* Of answers whose first reply was lost. */
    uint64_t resume_expired;
    uint64_t by_token;      /* Hellos with a token. */
    uint64_t matches_lost;  /* Live at the drop, unknown at the return. */
    uint64_t places_lost;   /* In the queue. */
    uint64_t deaths;        /* Connections that went with the server. */
    uint64_t taken_back;    /* Matches of which less was there than was seen. */
    uint64_t refused_tries; /* And tries while it was not there. */
    uint64_t seq_gaps;
    struct stats_code refusals[STATS_CODES_MAX];
    /* Of those who are slow or send garbage (load_rough.h); all else is of the others. */
    uint64_t rough_opened;
    uint64_t rough_sent;
    uint64_t rough_received;
    struct stats_code rough_errors[STATS_CODES_MAX];
    struct stats_code rough_closes[STATS_CODES_MAX]; /* By the close code, or `not_upgraded`. */
    bool is_warming_up;                              /* Then nothing is measured. */
    struct histogram latencies[LATENCIES];
};

/* From then to now; 0 where `from_us` is later. */
void stats_measure(struct stats *stats, enum latency latency, uint64_t from_us, uint64_t now_us);

/* Whether this program was so late that the latencies say more about it than about the server: its
 * lag's p99 is above a millisecond, and above a tenth of the p99 of a latency that includes it. */
bool stats_are_doubtful(const struct stats *stats);

/* Counts one more of a code. More codes than there are rows share the last one. */
void codes_count(struct stats_code codes[STATS_CODES_MAX], const char *code);

/* Failures of connections and players, apart from violations. */
uint64_t stats_errors(const struct stats *stats);

/* What is known about players only at the end. */
struct stats_closing {
    uint32_t players;
    uint32_t idle;
    uint32_t slow;    /* Of the players. */
    uint32_t garbage; /* Of the players. */
    uint64_t seconds_us;
    uint64_t cpu_us;      /* This program's. */
    uint32_t matches_min; /* Finished per player. */
    uint32_t matches_median;
    uint32_t matches_max;
    uint64_t twins_same;
    uint64_t twins_different;
    uint64_t twins_late;
};

void stats_print(const struct stats *stats, const struct stats_closing *closing, FILE *out);
void stats_print_json(const struct stats *stats, const struct stats_closing *closing, FILE *out);
