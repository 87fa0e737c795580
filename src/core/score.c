#include "core/score.h"

#include "base/assert.h"

uint32_t score_points(uint32_t at_ms, uint32_t time_ms, uint32_t weight)
{
    QR_ASSERT(time_ms > SCORE_FULL_MS);
    QR_ASSERT(at_ms <= time_ms);
    uint32_t counted_ms = at_ms > SCORE_FULL_MS ? at_ms : SCORE_FULL_MS;
    uint64_t speed =
        (uint64_t)POINTS_SPEED * (time_ms - counted_ms) / (time_ms - (uint32_t)SCORE_FULL_MS);
    return (POINTS_BASE + (uint32_t)speed) * weight;
}

uint32_t score_answer_time(uint32_t raw_ms, uint32_t credit_ms)
{
    return raw_ms > credit_ms ? raw_ms - credit_ms : 0;
}
