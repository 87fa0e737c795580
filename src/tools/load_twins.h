/* Whether both players of a match got the same bytes. protocol.md: what carries `seq` depends on no
 * receiver.
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

enum { TWINS_SEQ_MAX = 128 };

struct twins_match {
    struct id match;
    uint32_t members; /* Who is in it now. */
    bool is_used;
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

/* The player got `end`, or lost its connection. Requires: joined. */
void twins_leave(struct twins *twins, const struct id *match);
