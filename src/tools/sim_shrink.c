#include "sim_shrink.h"

#include <stddef.h>
#include <string.h>

enum { FEWER_STEPS = 8 };

struct search {
    sim_attempt *attempt;
    struct sim_failure failure; /* Of the smallest world so far. */
    struct sim_overrides best;
    unsigned attempts;
};

void failure_name_rule(const char *what, char ret_rule[RULE_BYTES])
{
    const char *end = strstr(what, ": ");
    size_t length = 0;
    for (const char *at = what; *at != '\0' && at != end && length + 1 < RULE_BYTES; at++) {
        if (*at < '0' || *at > '9') ret_rule[length++] = *at;
    }
    ret_rule[length] = '\0';
}

/* True: it breaks the same rule, and is the best one from here on. */
static bool try_it(struct search *search, const struct sim_overrides *smaller)
{
    struct sim_failure failure;
    search->attempts++;
    if (!search->attempt(smaller, search->failure.seed, 1, &failure)) return false;
    if (strcmp(failure.rule, search->failure.rule) != 0) return false;
    search->failure = failure;
    search->best = *smaller;
    search->best.steps = failure.step; /* What would come later is not needed. */
    return true;
}

static bool leave_out_range(struct search *search, unsigned first, unsigned end)
{
    struct sim_overrides smaller = search->best;
    bool is_new = false;
    for (unsigned i = first; i < end; i++) {
        is_new = is_new || !smaller.is_left_out[i];
        smaller.is_left_out[i] = true;
    }
    return is_new && try_it(search, &smaller);
}

/* Large parts first, then their halves, down to each alone. */
static bool leave_out(struct search *search, unsigned first, unsigned end)
{
    if (leave_out_range(search, first, end)) return true;
    if (end - first < 2) return false;
    unsigned middle = first + (end - first) / 2;
    bool has_left = leave_out(search, first, middle);
    return leave_out(search, middle, end) || has_left;
}

/* The fewest first: it is tried seldom, and most of the time one of the first few will do. */
static bool fewer(struct search *search, uint32_t drawn, size_t offset)
{
    struct sim_overrides smaller = search->best;
    uint32_t *value = (uint32_t *)(void *)((char *)&smaller + offset);
    uint32_t most = *value != 0 ? *value : drawn;
    for (uint32_t i = 1; i < most; i++) {
        *value = i;
        smaller.steps = FEWER_STEPS * search->best.steps; /* They need longer for as much. */
        if (try_it(search, &smaller)) return true;
    }
    return false;
}

unsigned shrink(sim_attempt *attempt, const struct sim_failure *failure,
                struct sim_overrides *overrides)
{
    struct search search = {.attempt = attempt, .failure = *failure, .best = *overrides};
    struct sim_recipe recipe;
    recipe_draw(&recipe, failure->seed);
    search.best.steps = failure->step;
    bool is_smaller = true;
    while (is_smaller) {
        is_smaller = leave_out(&search, 0, RATE_COUNT);
        struct sim_overrides smaller = search.best;
        smaller.is_never_drained = true;
        if (!search.best.is_never_drained && try_it(&search, &smaller)) is_smaller = true;
        if (fewer(&search, recipe.players, offsetof(struct sim_overrides, players)))
            is_smaller = true;
        if (fewer(&search, recipe.shards, offsetof(struct sim_overrides, shards)))
            is_smaller = true;
    }
    *overrides = search.best;
    return search.attempts;
}
