/* A journal's records, as bytes: what matches are made of, so that a crash takes nothing back.
 *
 * A match's records are BEGIN, then EVENT for each event that counts and SEAT for each session that takes a seat, in
 * the order in which they happened; RESULT when its outcome is fixed; OVER when it has ended; STORED when its result is
 * in the database. CLOCK comes every second and bounds what is not known about the moment of a crash. From BEGIN and
 * the EVENTs the match comes about again (core/match_origin.h); RESULT stands for itself.
 *
 * Little-endian, every string with its length and a NUL, so that a record's strings are used where they lie. A record
 * that comes from a file is hostile: each reader checks all of it. How records are framed, checked and made durable is
 * edge/journal.h's. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/match.h"
#include "core/match_origin.h"
#include "core/match_result.h"

enum journal_kind {
    JOURNAL_BEGIN = 1,
    JOURNAL_SEAT,
    JOURNAL_EVENT,
    JOURNAL_RESULT,
    JOURNAL_OVER,
    JOURNAL_STORED,
    JOURNAL_CLOCK,
};
enum { JOURNAL_KIND_COUNT = JOURNAL_CLOCK + 1 };

enum {
    /* A question: id, difficulty, category, text and choices, each string with length and NUL. */
    JOURNAL_QUESTION_BYTES_MAX = 16 + 1 + (3 + CATEGORY_BYTES_MAX) +
                                 (3 + 4 * QUESTION_CHARACTERS_MAX) + 1 +
                                 QUESTION_CHOICES_MAX * (3 + 4 * CHOICE_CHARACTERS_MAX),
    /* Head, settings and players; and per round its places, or its answers. */
    JOURNAL_RECORD_BYTES_MAX = 1024 + MATCH_ROUNDS_MAX * (JOURNAL_QUESTION_BYTES_MAX + 128),
    JOURNAL_EVENT_BYTES_MAX = 96, /* Of all records but BEGIN and RESULT. */
};

/* The digest of the secret of the session that has a seat: who shows the secret is its player. */
struct journal_secret {
    uint8_t bytes[32];
};

/* What every record begins with. */
struct journal_head {
    uint8_t kind;    /* enum journal_kind. */
    struct id match; /* None in CLOCK. */
};

/* The questions of one match, as a bank of their own. Borrows the record's bytes. */
struct journal_bank {
    struct bank bank;
    struct question questions[MATCH_ROUNDS_MAX];
    uint16_t indices[MATCH_ROUNDS_MAX];
};

/* Who takes a seat when a match begins. */
struct journal_side {
    struct journal_secret secret; /* Zeros for a bot. */
    struct player_record record;
};

struct journal_begin {
    uint16_t
        rules; /* MATCH_RULES_VERSION of the server that wrote it. The rest holds where it is ours. */
    struct match_origin origin; /* Its questions are those of `bank`, in order. */
    struct journal_side sides[MATCH_PLAYERS_MAX];
    struct journal_bank bank;
};

struct journal_seat {
    uint8_t seat;
    struct journal_secret secret;
    /* The one that was shown for it, and is good until its client has learnt the newer one. Zeros: a token was shown,
     * and the secret that was the last one is. */
    struct journal_secret shown;
};

struct journal_event {
    uint16_t
        seq; /* The match's behind the event: another one means that it came about otherwise. */
    struct match_event event; /* Without a request id. */
};

struct journal_result {
    struct match_result result; /* Its questions are those of `bank`. */
    struct journal_bank bank;
};

struct journal_clock {
    mono_time now;
    wall_time wall_now;
    uint64_t synced; /* All bytes of this segment before this offset are on the disk. */
};

/* --- Writing. Each returns the bytes that it wrote into `bytes`, which has room for the most. --- */

/* Requires: match_init() has just returned. */
size_t journal_write_begin(uint8_t bytes[JOURNAL_RECORD_BYTES_MAX], const struct match *match,
                           const struct journal_side sides[MATCH_PLAYERS_MAX]);
size_t journal_write_seat(uint8_t bytes[JOURNAL_EVENT_BYTES_MAX], const struct id *match,
                          const struct journal_seat *seat);
size_t journal_write_event(uint8_t bytes[JOURNAL_EVENT_BYTES_MAX], const struct match *match,
                           const struct match_event *event);
size_t journal_write_result(uint8_t bytes[JOURNAL_RECORD_BYTES_MAX],
                            const struct match_result *result);
/* OVER, STORED: nothing but the head. */
size_t journal_write_mark(uint8_t bytes[JOURNAL_EVENT_BYTES_MAX], enum journal_kind kind,
                          const struct id *match);
size_t journal_write_clock(uint8_t bytes[JOURNAL_EVENT_BYTES_MAX],
                           const struct journal_clock *clock);

/* --- Reading. NULL, or what is wrong with the record, as a sentence; then what was to be returned is undefined. --- */

const char *journal_read_head(const uint8_t *bytes, size_t size, struct journal_head *ret_head);
/* Each requires: the head is of that kind. */
const char *journal_read_begin(const uint8_t *bytes, size_t size, struct journal_begin *ret_begin);
/* How many rounds the match of a BEGIN has; 0 where it cannot come back. Nothing else of it is checked. */
uint8_t journal_rounds_of(const uint8_t *bytes, size_t size);
const char *journal_read_seat(const uint8_t *bytes, size_t size, struct journal_seat *ret_seat);
const char *journal_read_event(const uint8_t *bytes, size_t size, struct journal_event *ret_event);
const char *journal_read_result(const uint8_t *bytes, size_t size,
                                struct journal_result *ret_result);
const char *journal_read_clock(const uint8_t *bytes, size_t size, struct journal_clock *ret_clock);

const char *journal_kind_name(enum journal_kind kind);
