/* A store for its tests, of the kind that store_backend.h implements: two shards, results to save,
 * and a second connection that looks in.
 *
 * Nothing sleeps: answers are waited for on the shards' eventfds and the store's descriptors, at
 * most WAIT_MS.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "edge/store.h"

enum { SHARDS = 2, QUEUE_SLOTS = 64, WAIT_MS = 30000, PATH_BYTES = 96, LOG_BYTES = 8192 };
enum { ADA = 0, BEN = 1, ROUNDS = 2, TAU_MILLI = 500 };

struct world {
    char directory[PATH_BYTES];
    char path[PATH_BYTES];
    int wakes[SHARDS];
    struct store *store;
    sqlite3 *reader;         /* What looks in, of SQLite; */
    struct pg_conn *looker;  /* and of PostgreSQL. */
    uint64_t longest_run_us; /* Of store_run(). */
    int saved_stderr;        /* -1: not captured. */
    char log[LOG_BYTES];
};

/* --- Setup and teardown: a directory, and nothing in it yet. --- */

int world_begin(void **state);
int world_end(void **state);

/* --- Opening. --- */

int try_open(struct world *world);
void open_store(struct world *world);
void open_store_with(struct world *world, unsigned queue_slots);
void close_store(struct world *world);

/* The writing connection of the store opened next, for looking at what is its alone, while nothing
 * is queued. */
void watch_connection(void);
sqlite3 *watched_connection(void);

/* --- Results. --- */

/* A finished duel that ADA won. Its ids and times follow from the number: a greater one is later.
 */
struct match_result duel(uint8_t number);
/* One whose players come from `last`, with the ratings that it gave them. */
struct match_result duel_after(const struct match_result *last, uint8_t number);
struct handle handle_of(uint8_t number);

/* Queues a result of shard 0, as match handle_of(its number). */
void save(struct world *world, const struct match_result *result);
void save_on(struct world *world, unsigned shard, const struct match_result *result);
int try_save(struct world *world, unsigned shard, const struct match_result *result);

/* Looks a player up for a session of shard 0: the answer, which is to be the next. */
struct store_answer load(struct world *world, const struct id *player);
struct player_record load_found(struct world *world, const struct id *player);

/* One turn of all shards' loops: waits until there is something to do, and does it. */
void world_turn(struct world *world);
void world_turn_briefly(struct world *world); /* Waits no longer than it takes to look again. */
bool world_turn_until(struct world *world, mono_time by); /* False: it is that late. */
void world_on_wake(void *context, unsigned shard);        /* A store_wake. */

/* The next answer of the shard; fails where it does not come. */
struct store_answer next_answer(struct world *world, unsigned shard);
void expect_answer(struct world *world, uint8_t number, bool is_saved); /* Of shard 0. */
void expect_saved(struct world *world, const struct match_result *result);
void wait_until_answered(struct world *world, uint64_t count);  /* Results; takes none. */
void wait_until_looked_up(struct world *world, uint64_t count); /* Likewise. */
struct store_stats stats(struct world *world);

/* --- The second connection. --- */

void execute(struct world *world, const char *sql);

/* What a query gives, as the sqlite3 shell prints it: columns by |, a line a row. Valid until the
 * next. */
const char *rows(struct world *world, const char *sql);

/* --- The log. --- */

void capture_log(struct world *world);
/* Ends the capture, and keeps what was written. */
void end_log(struct world *world);
unsigned times_logged(const struct world *world, const char *text);
