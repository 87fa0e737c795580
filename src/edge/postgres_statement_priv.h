/* The prepared statements of a connection, and how a result and a player look in them.
 *
 * Functions that send put statements into the connection's pipeline and wait for nothing; false:
 * the connection is of no use any more. Rows come in PostgreSQL's binary format.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/assert.h"
#include "core/match_result.h"
#include "core/player.h"

enum statement {
    STATEMENT_SCHEMA_VERSION,
    STATEMENT_SET,
    STATEMENT_CANCEL,
    STATEMENT_MATCH_EXISTS,
    STATEMENT_READ_PLAYER,
    STATEMENT_MATCH,
    STATEMENT_PLAYER,
    STATEMENT_MATCH_PLAYER,
    STATEMENT_ROUND,
    STATEMENT_ORDER,
    STATEMENT_STATS,
    STATEMENT_PRUNE_MATCHES,
    STATEMENT_PRUNE_ANSWERS,
    STATEMENT_ANSWERS,
    STATEMENT_UNSYNCED,
    STATEMENT_SYNC,
};
enum { STATEMENT_COUNT = STATEMENT_SYNC + 1 };

/* A player's row. */
struct stored_player {
    struct id player;
    bool is_there;
    bool is_malformed; /* There, but written by nobody of ours: only the version counts. */
    int64_t version;   /* 0 where it is not there. */
    struct player_record record;
};

/* Prepares the one that asks for the schema's version, or all others: a result each. */
QR_MUST_USE bool statement_send_prepare_version(PGconn *conn);
QR_MUST_USE bool statement_send_prepare(PGconn *conn);
QR_MUST_USE bool statement_send_version(PGconn *conn);
/* A setting of the session. */
QR_MUST_USE bool statement_send_set(PGconn *conn, const char *name, const char *value);
QR_MUST_USE bool statement_send_cancel(PGconn *conn, int pid);
QR_MUST_USE bool statement_send_exists(PGconn *conn, const struct id *match);
QR_MUST_USE bool statement_send_read(PGconn *conn, const struct id *player);

/* Deletes the oldest matches, or what was asked and answered in them, of those before this id: some
 * hundred rows at most, whose number comes as what statement_count_of() reads. */
QR_MUST_USE bool statement_send_prune_matches(PGconn *conn, const struct id *kept);
QR_MUST_USE bool statement_send_prune_answers(PGconn *conn, const struct id *kept);

/* All rows of a result, the match's first: where that is there already, the first statement fails as
 * a unique violation, and the transaction with it; players[place] is each one's row as it was read. Changes
 * these rows into what they are when it is committed. A row that has changed meanwhile fails the
 * transaction as a conflict. */
QR_MUST_USE bool statement_send_result(PGconn *conn, const struct match_result *result,
                                       struct stored_player *players[MATCH_PLAYERS_MAX]);

/* The transaction that it is sent in does not wait for the disk. */
QR_MUST_USE bool statement_send_unsynced(PGconn *conn);
/* When the transaction that it is sent in is committed, so is, as durably, everything that was committed before. */
QR_MUST_USE bool statement_send_sync(PGconn *conn);

/* What statement_send_version() brought; -1: something else. */
int64_t statement_version_of(const PGresult *result);
int64_t statement_count_of(const PGresult *result); /* Likewise. */
/* What statement_send_read() brought. */
void statement_player_of(const PGresult *result, struct stored_player *ret_player);
