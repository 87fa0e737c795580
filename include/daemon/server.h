/* The server as a whole: store, question bank, shards' memory, workers, signals. Main thread. */
#pragma once

#include "base/assert.h"
#include "core/question.h"
#include "daemon/conf.h"

/* Serves until it is told to stop; the exit status: 0 in order, 1 where it could not start.
 *
 * SIGTERM or SIGINT: no new matches, who waits or idles is sent away, running matches finish, then it ends. The second
 * one ends it at once, in order: matches end with `shutdown`, and what is at the store is committed.
 * Requires: `conf` is resolved; `bank` outlives the call. */
int server_run(const struct conf *conf, const struct bank *bank);
