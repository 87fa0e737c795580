/* Reading the journal that an earlier run of the server has left (edge/journal.h), without changing it.
 *
 * The newest incarnation that is whole counts. Records come by shard, in the order in which they were written. What the
 * power cut into is told from what is broken by what is known to have been synced: bytes that cannot be read behind
 * that point are a torn tail, and end the segment and all behind it; before it they are corrupt, and an error. One
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/time.h"

enum { JOURNAL_PATH_BYTES = 512 };

struct journal_scan;

struct journal_problem {
    char file[JOURNAL_PATH_BYTES];
    uint64_t offset;
    const char *what; /* A sentence. */
};

/* Maps the newest whole incarnation below `dir`; none is an empty journal. 0; -EBADMSG where something is corrupt, with
 * the problem (file and offset); or another negative errno, with the file. */
QR_MUST_USE int journal_scan_open(const char *dir, struct journal_scan **ret_scan,
                                  struct journal_problem *reterr_problem);
void journal_scan_close(struct journal_scan *scan); /* NULL is fine. Unmaps all records. */

/* The next record, and which shard wrote it; false at the end. The bytes live as long as the scan. */
bool journal_scan_next(struct journal_scan *scan, unsigned *ret_shard, const uint8_t **ret_record,
                       size_t *ret_bytes);
void journal_scan_rewind(struct journal_scan *scan);

/* Where the last record lies. Requires: journal_scan_next() has returned it. */
void journal_scan_name_last(const struct journal_scan *scan, struct journal_problem *ret_problem);

/* Torn tails that were found: how many, and the last one. */
unsigned journal_scan_torn(const struct journal_scan *scan, struct journal_problem *ret_problem);

/* The number of the newest incarnation that is there, whole or not; 0: none. 0, or a negative errno. */
QR_MUST_USE int journal_scan_newest(const char *dir, uint32_t *ret_number);
