/* What a run has counted, and how it is printed.
 *
 * Durations go into histograms of fixed size: a bucket is at most 1/32 of its value wide. One
 * owner.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "load_check.h"

enum {
    HISTOGRAM_STEPS = 32,  /* Buckets per power of two. */
    HISTOGRAM_POWERS = 40, /* Up to 2^40 µs: 12 days. */
    HISTOGRAM_BUCKETS = HISTOGRAM_STEPS * HISTOGRAM_POWERS,
    STATS_CODES_MAX = 24,
};

struct histogram {
    uint64_t count;
    uint64_t max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value_us);

/* The value that `percent` of all do not exceed, up to a bucket's width; 0 where there are none. */
uint64_t histogram_percentile(const struct histogram *histogram, unsigned percent);

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
    struct histogram connect;
    struct histogram accept; /* answer to accepted, from when it was to be sent. */
    struct histogram pong;
    struct histogram match; /* join to match. */
};

void stats_refused(struct stats *stats, const char *code);

/* Failures of connections and players, apart from violations. */
uint64_t stats_errors(const struct stats *stats);

/* What is known about players only at the end. */
struct stats_closing {
    uint32_t players;
    uint32_t idle;
    uint64_t seconds_us;
    uint32_t matches_min; /* Finished per player. */
    uint32_t matches_median;
    uint32_t matches_max;
    uint64_t twins_same;
    uint64_t twins_different;
    uint64_t twins_late;
};

void stats_print(const struct stats *stats, const struct stats_closing *closing, FILE *out);
void stats_print_json(const struct stats *stats, const struct stats_closing *closing, FILE *out);
