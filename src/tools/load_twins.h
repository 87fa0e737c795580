/* What is common to the two players of a match: whether both got the same bytes (protocol.md: what
 * carries `seq` depends on no receiver), and when each of them got a round and was to answer it.
 *
 * A bounded table: per match the hashes of its last TWINS_SEQ_MAX messages, as whoever got one
 * first saw it. A slot is free again when all who joined the match here have left it. One owner.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/id.h"
#include "base/map.h"
#include "base/prng.h"

enum { TWINS_SEQ_MAX = 128, TWINS_MEMBERS = 2 };

struct twins_match {
    struct id match;
    uint32_t members; /* Who is in it now. */
    bool is_used;
    uint32_t round;          /* The one that the rest is about. */
    uint32_t answered;       /* A bit for each player whose answer was sent. */
    uint64_t round_came_us;  /* To the first of them; 0: to none. */
    uint64_t last_answer_us; /* When it was to be sent. */
    uint32_t seqs[TWINS_SEQ_MAX];
    uint64_t hashes[TWINS_SEQ_MAX];
};

struct twins {
    struct twins_match *matches; /* Owns. */
    uint32_t match_count;
    uint32_t next;             /* Where the search for a free slot goes on. */
    struct map_entry *entries; /* Owns. */
    struct map map;
    struct siphash_key key;
    uint64_t same;
    uint64_t different;
    uint64_t late; /* The other's was forgotten already: not compared. */
};

/* For as many matches as `players` can be in. */
void twins_create(struct twins *twins, uint32_t players, struct prng *prng);
void twins_destroy(struct twins *twins);

/* A player got `match` for it. */
void twins_join(struct twins *twins, const struct id *match);

/* False: the other got other bytes. Requires: joined. */
QR_MUST_USE bool twins_see(struct twins *twins, const struct id *match, uint32_t seq,
                           const char *text, size_t bytes);

/* A player got a round. True: the other had got it, at *ret_us. Requires: joined. */
QR_MUST_USE bool twins_round(struct twins *twins, const struct id *match, uint32_t round,
                             uint64_t now_us, uint64_t *ret_us);

/* The player with this index answers a round; that was to be at `due_us`. Requires: joined. */
void twins_answer(struct twins *twins, const struct id *match, uint32_t round, unsigned player,
                  uint64_t due_us);

/* True: both have answered it here, the last one was to at *ret_us. Requires: joined. */
QR_MUST_USE bool twins_last_answer(struct twins *twins, const struct id *match, uint32_t round,
                                   uint64_t *ret_us);

/* The player got `end`, or lost its connection. Requires: joined. */
void twins_leave(struct twins *twins, const struct id *match);
