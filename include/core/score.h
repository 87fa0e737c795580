/* Points and answer times, in integers. protocol.md, "Points" and "Answer time". Pure. */
#pragma once

#include <stdint.h>

enum {
    POINTS_BASE = 500,   /* For a right answer at the deadline. */
    POINTS_SPEED = 500,  /* On top, within the first SCORE_FULL_MS. */
    SCORE_FULL_MS = 500, /* Human reaction starts here: faster earns no more. */
    ROUND_TIME_MIN_MS =
        600, /* round_time_ms is greater than SCORE_FULL_MS: the formula divides by the rest. */
};

/* 500 + floor(500 * (T - max(at, 500)) / (T - 500)), times weight. Requires: at_ms <= time_ms, time_ms > 500. */
uint32_t score_points(uint32_t at_ms, uint32_t time_ms, uint32_t weight);

/* max(0, raw - credit): the answer time that counts. */
uint32_t score_answer_time(uint32_t raw_ms, uint32_t credit_ms);
