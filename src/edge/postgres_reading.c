#include "postgres_reading_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/clock.h"
#include "postgres_schema_priv.h"

_Static_assert((int)POSTGRES_READING_NUMBER_BYTES <= ID_TEXT_BYTES + 1, "a number fits");

/* --- Parameters. --- */

void parameters_put_text(struct postgres_parameters *parameters, const char *text)
{
    QR_ASSERT(parameters->count < POSTGRES_READING_PARAMETERS_MAX);
    parameters->values[parameters->count++] = text;
}

void parameters_put_int(struct postgres_parameters *parameters, int64_t value)
{
    QR_ASSERT(parameters->count < POSTGRES_READING_PARAMETERS_MAX);
    char *text = parameters->texts[parameters->count];
    (void)snprintf(text, ID_TEXT_BYTES + 1, "%" PRId64, value);
    parameters_put_text(parameters, text);
}

void parameters_put_id(struct postgres_parameters *parameters, const struct id *id)
{
    QR_ASSERT(parameters->count < POSTGRES_READING_PARAMETERS_MAX);
    char *text = parameters->texts[parameters->count];
    id_format(id, text);
    parameters_put_text(parameters, text);
}

/* --- The connection. --- */

int postgres_reading_open(struct postgres_reading *reading,
                          const struct postgres_store_options *options)
{
    struct target target;
    *reading = (struct postgres_reading){.timeout_ms = options->timeout_ms};
    int error = target_init(&target, options);
    if (error != 0) return error;
    error = postgres_schema_open(&target, options->timeout_ms, &reading->conn);
    target_fini(&target);
    return error;
}

void postgres_reading_close(struct postgres_reading *reading)
{
    PQfinish(reading->conn); /* NULL is fine. */
    reading->conn = NULL;
}

/* --- Queries. --- */

static void note(struct postgres_reading *reading, const char *why)
{
    (void)snprintf(reading->problem, sizeof reading->problem, "%s", why); /* Cut is fine. */
    reading->problem[strcspn(reading->problem, "\n")] = '\0';
}

static bool wait_for_result(struct postgres_reading *reading, mono_time by)
{
    while (PQisBusy(reading->conn)) {
        struct pollfd file = {.fd = PQsocket(reading->conn), .events = POLLIN};
        mono_time now = clock_mono();
        if (!mono_is_before(now, by) || poll(&file, 1, (int)mono_elapsed(now, by)) == 0) {
            note(reading, "timed out");
            return false;
        }
        if (PQconsumeInput(reading->conn) == 1) continue;
        note(reading, PQerrorMessage(reading->conn));
        return false;
    }
    return true;
}

PGresult *postgres_query(struct postgres_reading *reading, const char *sql,
                         const struct postgres_parameters *parameters)
{
    mono_time by = mono_after(clock_mono(), reading->timeout_ms);
    PGresult *last = NULL;
    if (PQsendQueryParams(reading->conn, sql, parameters != NULL ? parameters->count : 0, NULL,
                          parameters != NULL ? parameters->values : NULL, NULL, NULL, 0) != 1) {
        note(reading, PQerrorMessage(reading->conn));
        return NULL;
    }
    while (wait_for_result(reading, by)) {
        PGresult *result = PQgetResult(reading->conn);
        if (result != NULL) {
            PQclear(last);
            last = result;
            continue;
        }
        ExecStatusType status = PQresultStatus(last);
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return last;
        note(reading, PQresultErrorMessage(last));
        break;
    }
    PQclear(last);
    return NULL;
}

int postgres_run(struct postgres_reading *reading, const char *sql,
                 const struct postgres_parameters *parameters)
{
    PGresult *result = postgres_query(reading, sql, parameters);
    if (result == NULL) return -EIO;
    PQclear(result);
    return 0;
}

void postgres_rollback(struct postgres_reading *reading)
{
    char problem[POSTGRES_READING_PROBLEM_BYTES];
    memcpy(problem, reading->problem, sizeof problem);
    PQclear(postgres_query(reading, "ROLLBACK", NULL));
    memcpy(reading->problem, problem, sizeof problem);
}

/* --- Values. --- */

void postgres_get_text(const PGresult *result, int row, int column, char *ret_text, size_t size)
{
    (void)snprintf(ret_text, size, "%s", PQgetvalue(result, row, column)); /* "" for NULL. */
}

int64_t postgres_get_int(const PGresult *result, int row, int column, int64_t min, int64_t max)
{
    long long value = strtoll(PQgetvalue(result, row, column), NULL, 10);
    if (value < min) return min;
    return value > max ? max : value;
}

bool postgres_get_bool(const PGresult *result, int row, int column)
{
    return PQgetvalue(result, row, column)[0] == 't';
}

bool postgres_get_id(const PGresult *result, int row, int column, struct id *ret_id)
{
    return id_parse(PQgetvalue(result, row, column), (uint32_t)PQgetlength(result, row, column),
                    ret_id);
}
