/* The schema in the database: which version it has, and how it gets the next.
 *
 * For the main thread at start, for --migrate and for tools: these wait for the server, each time at most as
 * long as they are told.
 */
#pragma once

#include "base/assert.h"
#include "edge/embedded.h"
#include "postgres_target_priv.h"

/* config/sql/postgresql: the statements that lead from one version to the next. */
extern const struct embedded_files postgres_schema_files;

/* 0, or a negative errno after logging what is wrong and what to do about it. */
QR_MUST_USE int postgres_schema_open(const struct target *target, uint32_t timeout_ms,
                                     PGconn **ret_conn); /* Which the caller finishes. */
QR_MUST_USE int postgres_schema_check(const struct target *target, uint32_t timeout_ms);
QR_MUST_USE int postgres_schema_migrate(const struct target *target, uint32_t timeout_ms);
