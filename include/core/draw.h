/* Drawing a match's questions and shuffling their places.
 *
 * Never the same question twice in a match. Questions that are not among either player's last 32
 * come first, in a uniformly random order; when these run out, those follow whose later sighting by
 * either player is longest ago (counted from the end of that player's list; equals in random
 * order). Pure; nothing is kept. O(questions of the category) at worst, and expected O(rounds)
 * where the category is large.
 */
#pragma once

#include <stdint.h>

#include "base/limits.h"
#include "base/prng.h"
#include "core/question.h"

/* Writes `rounds` indices of different questions. Requires: the category (or QUESTION_CATEGORY_ANY)
 * has at least `rounds` questions; rounds <= MATCH_ROUNDS_MAX. `recents` are the players',
 * `player_count` of them. */
void draw_questions(const struct bank *bank, uint8_t category,
                    const struct recent_questions *const recents[], unsigned player_count,
                    struct prng *prng, unsigned rounds, uint16_t ret_questions[]);

/* A permutation: ret_places[i] is the choice of the bank that is shown at place i. */
void draw_places(struct prng *prng, unsigned choice_count, uint8_t ret_places[]);
