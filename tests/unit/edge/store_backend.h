/* What the tests of the store's contract need of a database, implemented for each: the file that is
 * linked chooses.
 *
 * The fixture's own functions that differ are here too: opening, looking in, injected faults.
 */
#pragma once

#include "edge/board.h"
#include "edge/dossier.h"
#include "store_fixture.h"

/* "sqlite", "postgres": for the group's name. */
extern const char backend_name[];
extern const unsigned backend_many;   /* Results that take it about a second. */
extern const unsigned backend_queues; /* Results have one for all shards, or one for each. */
/* Gives the choices of round 1, a row each. */
extern const char backend_choices_sql[];

/* --- Of an executable: a server that is started and stopped. --- */

int backend_group_begin(void **state);
int backend_group_end(void **state);

/* --- Of a test: a database with nothing in it. --- */

int backend_begin(struct world *world);
void backend_end(struct world *world);
int backend_open(struct world *world, unsigned queue_slots);
void backend_close(struct world *world); /* The connection that looks in. */
struct board *backend_open_board(struct world *world);
struct dossier *backend_open_dossier(struct world *world);

/* --- Injected faults. --- */

/* Nothing is committed meanwhile, and everything can be read. */
void hold_writes(struct world *world);
void release_writes(struct world *world);

/* The database refuses the results of one match. */
void refuse_match(struct world *world, uint8_t number);
void refuse_none(struct world *world);
