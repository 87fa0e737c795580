/* How much a client may say: two buckets that fill with time (docs/protocol.md, Limits). The first, of the burst's
 * size, fills at the rate: what it cannot pay for is refused. The second is twice as large and fills twice as fast:
 * beyond it the client is not even read. What reading costs grows with the bytes, so there a long message weighs more. */

#include "shard_priv.h"

enum { ONE_MESSAGE = 1000 };

void throttle_init(struct throttle *throttle, uint32_t burst, mono_time now)
{
    *throttle = (struct throttle){
        .filled_at = now, .credit = burst * ONE_MESSAGE, .hard_credit = 2 * burst * ONE_MESSAGE};
}

/* `rate` messages a second are `rate` thousandths of a message a millisecond. */
static uint32_t fill(uint32_t credit, uint32_t rate, uint32_t burst, uint64_t elapsed_ms)
{
    uint64_t filled = credit + elapsed_ms * rate;
    uint64_t most = (uint64_t)burst * ONE_MESSAGE;
    return (uint32_t)(filled < most ? filled : most);
}

/* How long until one more message can be paid for. */
static uint32_t wait_ms(uint32_t credit, uint32_t rate)
{
    return credit >= ONE_MESSAGE ? 0 : (ONE_MESSAGE - credit + rate - 1) / rate;
}

static enum throttle_verdict stop(struct throttle *throttle, uint32_t rate, uint32_t burst,
                                  mono_time now, uint32_t *ret_wait_ms)
{
    if (!throttle->is_flooding) {
        throttle->is_flooding = true;
        throttle->flooding_since = now;
    }
    if (mono_elapsed(throttle->flooding_since, now) >= FLOOD_MAX_MS) return THROTTLE_CLOSE;
    /* Until a quarter of the harder bucket is there again, so that reading goes on in pieces worth the trouble. */
    uint32_t wait = burst * ONE_MESSAGE / 2 / (2 * rate);
    *ret_wait_ms = wait > 0 ? wait : 1;
    return THROTTLE_STOP;
}

enum throttle_verdict throttle_message(struct throttle *throttle, uint32_t rate, uint32_t burst,
                                       mono_time now, uint32_t *ret_wait_ms)
{
    uint64_t elapsed_ms = mono_elapsed(throttle->filled_at, now);
    throttle->filled_at = now;
    throttle->credit = fill(throttle->credit, rate, burst, elapsed_ms);
    throttle->hard_credit = fill(throttle->hard_credit, 2 * rate, 2 * burst, elapsed_ms);
    if (throttle->hard_credit >= burst * ONE_MESSAGE) throttle->is_flooding = false;
    if (throttle->hard_credit < ONE_MESSAGE) return stop(throttle, rate, burst, now, ret_wait_ms);
    throttle->hard_credit -= ONE_MESSAGE;
    if (throttle->credit < ONE_MESSAGE) {
        *ret_wait_ms = wait_ms(throttle->credit, rate);
        return THROTTLE_REFUSE;
    }
    throttle->credit -= ONE_MESSAGE;
    return THROTTLE_PASS;
}

void throttle_size(struct throttle *throttle, size_t bytes)
{
    uint32_t more = bytes == 0 ? 0 : (uint32_t)((bytes - 1) / THROTTLE_STRETCH_BYTES) * ONE_MESSAGE;
    throttle->hard_credit -= more < throttle->hard_credit ? more : throttle->hard_credit;
}

bool throttle_unreadable(struct throttle *throttle, mono_time now)
{
    if (throttle->unreadable == 0 ||
        mono_elapsed(throttle->unreadable_since, now) >= UNREADABLE_WINDOW_MS) {
        throttle->unreadable_since = now;
        throttle->unreadable = 0;
    }
    throttle->unreadable++;
    return throttle->unreadable > UNREADABLE_MAX;
}
