/* What a run leaves in a journal on disk, and what a start makes of it. Beside the simulated world, whose store is another
 * `struct store`: this side knows the edge's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "edge/recovery.h"
#include "sim_journal.h"

struct desk; /* journal_fixture.h */

int recovery_begin(void **state);
int recovery_end(void **state);
bool has_attempt(struct desk *desk);

/* Of the result that leave_with_result() leaves. */
enum left { LEFT_ALONE, LEFT_STORED, LEFT_UNREADABLE };

/* The last run has written what the simulated journal holds. */
void leave(struct desk *desk, const struct sim_journal *journal);
/* And then a result that is no match's of the world. */
void leave_with_result(struct desk *desk, const struct sim_journal *journal, enum left left);

/* The last start has stopped at this record of the match, by an assertion or not. */
void leave_stop(struct desk *desk, const struct id *match, uint32_t event, bool has_asserted);

/* Starts: plays what was left into the shards. The recovery lives until give_up(). */
struct recovered {
    int error;
    struct recovery *recovery;
    struct recovery_stats stats;
    unsigned handed; /* Results that the database has got. */
};

struct recovered recover(struct desk *desk, struct shard *const shards[], unsigned count);
void give_up(struct recovered *recovered);
