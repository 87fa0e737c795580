/* A player as known between matches: what a session carries, the store keeps, and an attach brings to a match. Values
 * only. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/limits.h"
#include "base/time.h"
#include "core/question.h"
#include "core/rating.h"

enum { RECENT_OPPONENTS_MAX = 8 };

/* A rated match, by the other player's fingerprint: 64 bits of its id's random part. */
struct recent_opponent {
    uint64_t fingerprint;
    wall_time at;
};

/* The last rated ones, the oldest first. */
struct recent_opponents {
    struct recent_opponent items[RECENT_OPPONENTS_MAX];
    uint8_t count;
};

struct player_record {
    char name[NAME_BYTES_MAX + 1];
    struct rating rating;
    wall_time rated_at; /* The last rated match; 0: none. */
    struct recent_questions recent;
    struct recent_opponents opponents;
};

/* A new guest's. Requires: strlen(name) <= NAME_BYTES_MAX. */
void player_record_init(struct player_record *record, const char *name);

/* Whole days since the last rated match. A wall clock that went back has seen none. */
uint32_t player_idle_days(const struct player_record *record, wall_time now);

uint64_t player_fingerprint(const struct id *player);

/* Adds one; the oldest falls out where there are RECENT_OPPONENTS_MAX. */
void opponents_add(struct recent_opponents *opponents, uint64_t fingerprint, wall_time at);

/* How many of them are this one, within the last day. */
unsigned opponents_count_today(const struct recent_opponents *opponents, uint64_t fingerprint,
                               wall_time now);
