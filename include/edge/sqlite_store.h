/* The embedded store: SQLite in WAL mode with synchronous=FULL, written by one thread of its own
 * and read by another.
 *
 * Results queued while a transaction runs are committed together (group commit). Where one of them
 * fails, all are written once more, each within a savepoint, so that it takes no other with it.
 * While no result waits, what has been kept for long enough is deleted in slices of a few hundred
 * rows. A reader (sqlite3 on the command line) may look in at any time.
 */
#pragma once

#include "edge/store.h"

struct sqlite_store_options {
    const char *path; /* The database file; created with mode 0600 where there is none. */
    unsigned shards;
    unsigned queue_slots;
    store_wake *wake;
    void *wake_context;
    struct store_retention keep;
    wall_time (*now)(void);  /* What ages are told by; NULL: clock_wall(). */
    uint32_t prune_pause_ms; /* Between two slices; 0: SQLITE_STORE_PRUNE_PAUSE_MS. */
};

enum { SQLITE_STORE_SCHEMA_VERSION = 4, SQLITE_STORE_BATCH_MAX = 512 };
enum {
    SQLITE_STORE_PRUNE_PAUSE_MS = 1000,
    /* After a slice that found nothing. */
    SQLITE_STORE_PRUNE_LOOK_MS = 60000,
};

/* Opens the file, creates the schema where it is missing, brings an older one up to date, starts
 * the threads. 0, or a negative errno after logging what is wrong: a schema of a newer version, a
 * directory that is missing or read-only, a file that is no database. */
QR_MUST_USE int sqlite_store_create(const struct sqlite_store_options *options,
                                    struct store **ret_store);

/* The memory that it takes beside SQLite's own. */
size_t sqlite_store_bytes(unsigned queue_slots, unsigned shards);
