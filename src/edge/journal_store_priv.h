/* What the files of the store behind the journal share.
 *
 *     journal_store.c   the shards' calls and answers, its life
 *     journal_carry.c   results on their way from the journal to the database
 *     journal_live.c    which matches still need what is written
 */
#pragma once

#include <stdatomic.h>

#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"
#include "edge/journal_store.h"
#include "proto/journal.h"

enum {
    RESERVE_PER_MATCH_BYTES = 8192, /* What most matches write behind their beginning. */
    MARK_BYTES = 32,                /* OVER, with its frame. */
    COUNTERS = 1 << 16,
};

/* A result under way. */
struct parcel {
    struct list node; /* Of the free ones or of those by age. */
    bool is_handed;   /* The database has it, and has not answered. */
    uint8_t attempts;
    mono_time retry_at;
    uint64_t position;             /* Behind its record. */
    struct journal_result *result; /* Its strings lie in the segment. */
};

/* A result that is in the journal, and not yet on disk. */
struct promise {
    struct handle match;
    uint64_t position;
};

/* A look-up that waits for results of its player. */
struct waiting_load {
    struct handle session;
    struct id player;
    mono_time give_up_at;
};

/* A match that runs. */
struct live_entry {
    struct list node;
    uint64_t position; /* Of its beginning. */
};

struct store_lane {
    struct promise *promises; /* A ring of matches_max. */
    uint32_t promise_first, promise_count;
    struct waiting_load *loads;
    uint32_t load_count;
    struct parcel *parcels; /* results_max of them. */
    struct list free_parcels;
    struct list parcels_by_age; /* Used ones: their positions grow. */
    uint32_t parcel_count;      /* Used ones, */
    uint32_t refused_count;     /* and those of them that the database has not taken. */
    mono_time carry_at;         /* While results wait to be read: when they are. */
    uint64_t cursor;            /* What lies before it was read. */
    bool is_database_down;      /* When it last failed: what waits is due when it succeeds. */
    bool has_more_answers;      /* Of the database: the next call takes them. */
    struct map live_ids;
    struct map_entry *live_ids_memory;
    struct pool live;
    void *live_memory;
    struct list live_by_age;
    uint8_t record[JOURNAL_RECORD_BYTES_MAX]; /* Scratch. */
    _Atomic bool is_hurried; /* Somebody, on whatever shard, waits for what is on its way here. */
    _Atomic uint64_t waiting, retried;
    _Atomic uint32_t loads_waiting;
};

struct journal_store {
    struct store store;
    struct journal *journal;
    struct store *database;
    struct journal_store_options options;
    struct store_lane *lanes;
    _Atomic uint32_t *counters; /* Results on their way, by the hash of a player's id. */
};

/* Appends what may be a record of any kind, and keeps the books. */
QR_MUST_USE bool journal_store_write(struct journal_store *store, unsigned shard,
                                     const uint8_t *record, size_t bytes, uint64_t *ret_position);

/* --- journal_carry.c --- */

/* 0, or -ENOMEM; carry_fini() is to be called in any case. */
QR_MUST_USE int carry_init(struct store_lane *lane, uint32_t results_max);
void carry_fini(struct store_lane *lane);

/* A result goes into the journal: its players wait for it. */
void carry_expect(struct journal_store *store, unsigned shard, const struct match_result *result);
/* Whether results of the player are on their way. */
bool carry_is_expected(const struct journal_store *store, const struct id *player);
/* Somebody waits for what is on its way: each shard hands it on in its next turn. Any thread. */
void carry_hurry(struct journal_store *store);
/* Whether an answer is one to carry_on(); else it is the shard's own. */
bool carry_is_parcel(struct handle handle);
void carry_on_saved(struct journal_store *store, unsigned shard, const struct store_answer *answer,
                    mono_time now);
/* Hands on what has been synced, some of it: then the next call is due. */
void carry_on(struct journal_store *store, unsigned shard, mono_time now);
/* False: nothing waits for its time. */
bool carry_next_due(const struct store_lane *lane, mono_time *ret_due);
/* The oldest position that is still to be read. */
uint64_t carry_need_from(const struct store_lane *lane);

/* --- journal_live.c --- */

QR_MUST_USE int live_init(struct store_lane *lane, uint32_t matches_max);
void live_fini(struct store_lane *lane);
void live_on_record(struct store_lane *lane, const struct journal_head *head, uint64_t position);
/* The oldest position that a match which runs needs; UINT64_MAX: none. */
uint64_t live_need_from(const struct store_lane *lane);
