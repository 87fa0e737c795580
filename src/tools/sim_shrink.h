/* From a world in which a rule is broken to a smaller one that breaks the same rule: fewer habits and faults, players,
 * shards, steps. Each attempt is a process of its own, so that nothing of a broken world is left for the next.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sim_options.h"

enum { RULE_BYTES = 200 };

/* How a world ended that broke a rule. */
struct sim_failure {
    uint64_t seed;
    uint32_t step;
    char rule[RULE_BYTES];
};

/* The name of a rule, from what sim_failed() was told: up to the first colon, and without its numbers. */
void failure_name_rule(const char *what, char ret_rule[RULE_BYTES]);

/* Runs `count` worlds in a child; true where a rule was broken. */
typedef bool sim_attempt(const struct sim_overrides *overrides, uint64_t seed, uint64_t count,
                         struct sim_failure *ret_failure);

/* Changes the overrides; returns how many attempts it took. */
unsigned shrink(sim_attempt *attempt, const struct sim_failure *failure,
                struct sim_overrides *overrides);
