/* The paper's general case: a rating period with any number of games. A match is one with a single
 * game; the paper's example has three. Pure.
 */
#pragma once

#include "core/rating.h"

struct rating_game {
    struct rating other;
    enum rating_score score;
};

/* Requires: at least one game; all ratings valid. */
struct rating rating_after_games(const struct rating *own, const struct rating_game games[],
                                 unsigned game_count, uint32_t tau_milli);
