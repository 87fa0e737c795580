#include "postgres_breaker_priv.h"

uint32_t backoff_ms(struct prng *prng, unsigned failures)
{
    uint32_t most = BACKOFF_FIRST_MS;
    for (unsigned i = 1; i < failures && most < BACKOFF_MAX_MS; i++) most *= 2;
    if (most > BACKOFF_MAX_MS) most = BACKOFF_MAX_MS;
    return 1 + prng_below(prng, most);
}

static void open_breaker(struct breaker *breaker, struct prng *prng, mono_time now)
{
    breaker->state = BREAKER_OPEN;
    breaker->until = mono_after(now, backoff_ms(prng, breaker->failures));
}

bool breaker_on_success(struct breaker *breaker)
{
    /* What was on its way when it opened says nothing about a server that has been left alone. */
    if (breaker->state == BREAKER_OPEN) return false;
    bool is_change = breaker->state != BREAKER_CLOSED;
    *breaker = (struct breaker){.state = BREAKER_CLOSED};
    return is_change;
}

bool breaker_on_failure(struct breaker *breaker, struct prng *prng, mono_time now)
{
    breaker->failures++;
    switch ((enum breaker_state)breaker->state) {
    case BREAKER_CLOSED:
        if (breaker->failures < BREAKER_FAILURES_MAX) return false;
        open_breaker(breaker, prng, now);
        return true;
    case BREAKER_HALF_OPEN: open_breaker(breaker, prng, now); return true;
    case BREAKER_OPEN: return false;
    }
    QR_UNREACHABLE("a breaker's state");
}

bool breaker_probes(struct breaker *breaker, mono_time now)
{
    if (breaker->state != BREAKER_OPEN || mono_is_before(now, breaker->until)) return false;
    breaker->state = BREAKER_HALF_OPEN;
    return true;
}
