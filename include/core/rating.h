/* Ratings: Glicko-2 (Mark Glickman, "Example of the Glicko-2 system", 2013), each match one rating period.
 *
 * Values are kept rounded, in integers: hundredths of a point, millionths of volatility. Inside a calculation there is
 * floating point, in one order of operations and without contraction, so that every machine gets the same. No rating
 * decides a match: it decides who is paired, and is shown. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rating {
    int32_t rating_centi;
    int32_t deviation_centi;
    int32_t volatility_micro;
};

enum {
    RATING_INITIAL_CENTI = 150000,
    RATING_DEVIATION_MAX_CENTI =
        35000, /* The initial one, and the most that idle days bring back. */
    RATING_DEVIATION_MIN_CENTI = 3000,
    RATING_VOLATILITY_INITIAL_MICRO = 60000,
    RATING_VOLATILITY_MIN_MICRO = 10000,
    RATING_VOLATILITY_MAX_MICRO = 200000,
    RATING_MIN_CENTI = 10000,
    RATING_MAX_CENTI = 400000,
    RATING_DAY_MS = 86400000,
    RATING_TAU_MIN_MILLI = 300,
    RATING_TAU_MAX_MILLI = 1200,
};

enum rating_score { RATING_LOSS, RATING_DRAW, RATING_WIN };

struct rating rating_initial(void);

/* Whether all three lie within their bounds. What comes from outside the process is checked before it is used; the
 * functions below require it, and return nothing else. */
bool rating_is_valid(const struct rating *rating);
bool rating_equal(const struct rating *a, const struct rating *b);

/* The deviation grows with each whole idle day as with a period without games (the paper's step 6), up to its most. */
struct rating rating_after_idle(const struct rating *rating, uint32_t days);

/* Both ratings as they were before the match (after idling). tau_milli: the system constant of the paper,
 * RATING_TAU_MIN_MILLI … RATING_TAU_MAX_MILLI. The winner's rating never falls, the loser's never rises. */
struct rating rating_after_match(const struct rating *own, const struct rating *other,
                                 enum rating_score score, uint32_t tau_milli);
