/* Shards of the real layers 0 to 3 and players without sockets, for programs that measure: connections are pointers,
 * what is sent is looked at and thrown away, the store says yes.
 *
 * A player says hello, joins, answers each round and asks for a rematch as soon as the stage lets it speak
 * (stage_read); everything takes the way it takes in the daemon, from shard_on_message to shard_io.send. Each shard's
 * part is touched by one thread at a time. Memory: what the shards may come to use, and 100 bytes a player.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/prng.h"
#include "shard/shard.h"

enum {
    STAGE_SHARDS_MAX = 2,
    STAGE_ROUND_MS = 10000,
    STAGE_REVEAL_MS = 3000,
    STAGE_START_MS = 3000
};

struct stage_shard;

struct stage_player {
    struct stage_shard *at;
    struct handle session; /* HANDLE_NONE: not connected. */
    bool is_paused;
    bool is_pinged;
    bool is_waiting; /* In the list of those who have something to say. */
    bool has_ended;  /* Its match: it will ask for a rematch. */
    uint8_t round;   /* The one it is asked. */
    uint32_t next_id;
    mono_time joined_at;
    char match[ID_TEXT_BYTES + 1];
};

/* A queue with room for every player (and match): its bound is known. */
struct stage_queue {
    uint32_t *items;
    uint32_t first, count, capacity;
};

struct stage_shard {
    struct stage *stage;
    struct shard *shard;
    struct prng prng;
    mono_time now;
    struct stage_queue speakers; /* Players, by their number: who has something to say, */
    struct stage_queue closings; /* and whose connection ends. */
    struct stage_queue saves;    /* Matches' slots; their generations beside them. */
    uint32_t *generations;
    uint64_t frames, receipts, ends, errors, wakes;
};

struct stage_settings {
    unsigned shards;
    uint32_t players_max;
    uint8_t rounds;
    uint32_t reveal_time_ms, start_ms;
    uint32_t ended_keep_ms;
    bool plays; /* Players answer and want a rematch; otherwise they only watch. */
};

struct stage {
    struct stage_settings settings;
    struct stage_shard shards[STAGE_SHARDS_MAX];
    struct stage_player *players;
    uint32_t player_count;
    struct mailbox *mailboxes;
};

struct stage *stage_create(const struct stage_settings *settings, mono_time now);

/* The next player, on that shard: connected, welcomed. */
struct stage_player *stage_come(struct stage *stage, unsigned shard);
/* Joins, the same two whenever they come in twos. */
void stage_join(struct stage_player *player);
/* Two players more, and their match. */
void stage_begin_match(struct stage *stage, unsigned first, unsigned second);
void stage_leave(struct stage_player *player);

/* What a turn's reading would bring one shard: up to `count` messages of players, the store's answers, and what is closed. */
void stage_read(struct stage_shard *at, mono_time now, unsigned count);

/* Runs one shard once. */
void stage_run(struct stage_shard *at, mono_time now);
/* Runs all of them until what was said has had its answers; on one thread. */
void stage_settle(struct stage *stage, mono_time now);
/* Nothing is due at `now`. */
bool stage_is_idle(const struct stage_shard *at, mono_time now);
