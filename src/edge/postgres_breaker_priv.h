/* When a server that fails is left alone, and for how long.
 *
 *             BREAKER_FAILURES_MAX failures in a row
 *     CLOSED ────────────────────────────────────────► OPEN ◄──────────┐
 *        ▲                                               │ its time    │ failure: longer
 *        └────────────── success ── HALF_OPEN ◄──────────┘─────────────┘
 *
 * While it is not closed, calls fail at once and nothing is tried but the one probe of HALF_OPEN.
 * Pure; one shard's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/prng.h"
#include "base/time.h"
#include "edge/store.h"

enum { BREAKER_FAILURES_MAX = 5, BACKOFF_FIRST_MS = 100, BACKOFF_MAX_MS = 5000 };

struct breaker {
    uint8_t state;     /* enum breaker_state. */
    unsigned failures; /* In a row. */
    mono_time until;   /* Where it is OPEN. */
};

/* Full jitter: uniform up to twice as much with each failure, at most BACKOFF_MAX_MS, so that those
 * who lost the same server do not come back together. */
uint32_t backoff_ms(struct prng *prng, unsigned failures);

/* Both: whether the state has changed. */
bool breaker_on_success(struct breaker *breaker);
bool breaker_on_failure(struct breaker *breaker, struct prng *prng, mono_time now);

/* Whether the probe's time has come: it is HALF_OPEN then. */
bool breaker_probes(struct breaker *breaker, mono_time now);
