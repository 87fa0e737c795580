/* A connection to PostgreSQL for a tool: queries that wait, each until a deadline.
 *
 * Parameters and values are text. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/assert.h"
#include "base/id.h"
#include "edge/postgres_store.h"

enum {
    POSTGRES_READING_PARAMETERS_MAX = 16,
    POSTGRES_READING_NUMBER_BYTES = 24,
    POSTGRES_READING_PROBLEM_BYTES = 256,
};

struct postgres_reading {
    PGconn *conn;
    uint32_t timeout_ms;
    char problem[POSTGRES_READING_PROBLEM_BYTES]; /* Of the last failure. */
};

/* Parameters in order; what is put outlives the query. */
struct postgres_parameters {
    const char *values[POSTGRES_READING_PARAMETERS_MAX];
    char texts[POSTGRES_READING_PARAMETERS_MAX][ID_TEXT_BYTES + 1];
    int count;
};

void parameters_put_text(struct postgres_parameters *parameters, const char *text);
void parameters_put_int(struct postgres_parameters *parameters, int64_t value);
void parameters_put_id(struct postgres_parameters *parameters, const struct id *id);

/* Connects, and looks whether the schema is this program's. 0, or a negative errno after logging
 * why. On failure too, postgres_reading_close() is to be called. */
QR_MUST_USE int postgres_reading_open(struct postgres_reading *reading,
                                      const struct postgres_store_options *options);
void postgres_reading_close(struct postgres_reading *reading);

/* The rows, which the caller clears; NULL: it failed, and `problem` says why. `parameters` may be
 * NULL. */
PGresult *postgres_query(struct postgres_reading *reading, const char *sql,
                         const struct postgres_parameters *parameters);
/* The same for what gives no rows: 0, or a negative errno. */
QR_MUST_USE int postgres_run(struct postgres_reading *reading, const char *sql,
                             const struct postgres_parameters *parameters);
/* Keeps `problem`. Where it fails the connection is gone, and the transaction with it. */
void postgres_rollback(struct postgres_reading *reading);

/* Within bounds or cut to them. */
void postgres_get_text(const PGresult *result, int row, int column, char *ret_text, size_t size);
int64_t postgres_get_int(const PGresult *result, int row, int column, int64_t min, int64_t max);
bool postgres_get_bool(const PGresult *result, int row, int column);
/* False: it is none, and nothing is written. */
bool postgres_get_id(const PGresult *result, int row, int column, struct id *ret_id);
