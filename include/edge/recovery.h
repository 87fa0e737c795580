/* What a start makes of the journal that the last run has left: matches go on, results reach the database.
 *
 * In two parts, because the game's clock goes on from where the journal ends and the shards begin with it: first the
 * journal is opened and its last moment found; then, with shards and the new journal at hand, all of it is played
 * again, and what is still needed is copied into the new journal.
 *
 * A match whose replay stops the process is recognised by the next starts (the file `attempt` beside the journal says
 * which match and which event it was): it is played up to the event before, and then ends `cancelled`. One that was
 * begun under other rules is not played again. A result that was written counts in any case.
 *
 * The main thread, before the workers run. Restored matches read the recovery's memory: it lives until they are gone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/time.h"
#include "shard/shard.h"

struct store;
struct recovery;

struct recovery_stats {
    uint64_t matches_live;      /* Go on. */
    uint64_t matches_cancelled; /* Could not come about again. */
    uint64_t results;           /* Handed on to the database once more. */
};

/* 0; or a negative errno, logged with file and offset where the journal is corrupt. */
QR_MUST_USE int recovery_open(const char *journal_dir, struct recovery **ret_recovery);
void recovery_close(struct recovery *recovery); /* NULL is fine. */

/* The last moment that the journal knows of; 0: it is empty. */
mono_time recovery_last(const struct recovery *recovery);

/* The most rounds that a match has which may come back; 0: none may. NULL is fine. */
uint8_t recovery_rounds_max(const struct recovery *recovery);

/* The start fails without a database: says that what there is to recover waits for the next one. Returns the error.
 * NULL is fine: then there is nothing. */
int recovery_put_off(const struct recovery *recovery, int error);

/* `store` is that with the new journal. 0; -ENOSPC where that has no room, or -EBADMSG where a result cannot be read, both
 * logged. */
QR_MUST_USE int recovery_replay(struct recovery *recovery, struct shard *const shards[],
                                unsigned count, struct store *store);

/* The new journal is the valid one: the attempt has succeeded. */
void recovery_succeeded(struct recovery *recovery);

struct recovery_stats recovery_stats(const struct recovery *recovery);

/* For qr_assert_failed(): an assertion failed while matches were played again. Async-signal-safe. */
void recovery_note_assertion(void);
