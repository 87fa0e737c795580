/* The command line of quizrush-sim. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim_recipe.h"

enum { SIM_PROBLEM_BYTES = 200 };

enum sim_options_verdict {
    SIM_OPTIONS_RUN,
    SIM_OPTIONS_HELP,
    SIM_OPTIONS_VERSION,
    SIM_OPTIONS_WRONG
};

/* What the command line changes in each recipe. 0: as drawn. */
struct sim_overrides {
    uint32_t players, shards, steps;
    bool is_left_out[RATE_COUNT];
    bool is_never_drained;
};

struct sim_options {
    uint64_t seed;
    uint64_t count;
    uint64_t matches; /* 0: no limit. */
    uint32_t repeat;
    uint32_t
        break_at; /* For tests of the report: a rule is broken when so many matches of a world have ended; 0: none. */
    bool is_traced;
    bool is_shrunk;
    bool is_standard;
    struct sim_overrides overrides;
};

/* WRONG: ret_problem says why. */
enum sim_options_verdict sim_options_parse(int argc, char *argv[], struct sim_options *ret_options,
                                           char ret_problem[SIM_PROBLEM_BYTES]);
void sim_options_print_help(FILE *file);

void sim_overrides_apply(const struct sim_overrides *overrides, struct sim_recipe *recipe);
/* The command that runs one world like this. */
void sim_overrides_print(const struct sim_overrides *overrides, uint64_t seed, FILE *file);
