/* Thousands of matches with events in random order. On failure the seed is printed, and
 * `test_core_match_walk SEED` plays it alone. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "match_walk.h"

enum { SEEDS = 4000 };

static uint64_t first_seed = 1;
static uint64_t last_seed = SEEDS;
static uint64_t playing_seed; /* 0: none. */

static int print_seed_of_failure(void **state)
{
    (void)state;
    if (playing_seed != 0) print_error("seed %llu\n", (unsigned long long)playing_seed);
    return 0;
}

/* What the seeds have met, so that a walk which never gets anywhere fails. */
struct harvest {
    unsigned by_reason[MATCH_END_SHUTDOWN + 1];
    unsigned with_absences_max;
    unsigned with_failed_saves;
    unsigned with_bot_answers;
    unsigned with_recoveries_max;
    uint32_t effects_max;
    uint16_t seq_max;
    unsigned steps;
};

static void gather(struct harvest *harvest, const struct walk *walk)
{
    const struct match *match = &walk->game.match;
    harvest->by_reason[match->reason]++;
    harvest->with_absences_max += match->players[ADA].absences == ABSENCES_MAX;
    harvest->with_failed_saves += walk->save_failures > 0;
    harvest->with_bot_answers +=
        walk->has_bot && match->rounds[0].answers[BEN].choice != MATCH_CHOICE_NONE;
    harvest->with_recoveries_max += walk->recoveries > MATCH_RECOVERIES_MAX;
    if (walk->effects_max > harvest->effects_max) harvest->effects_max = walk->effects_max;
    if (match->seq > harvest->seq_max) harvest->seq_max = match->seq;
    harvest->steps += walk->steps;
}

static void a_match_keeps_its_rules_whatever_happens(void **state)
{
    (void)state;
    static struct walk walk;
    struct harvest harvest = {0};
    for (uint64_t seed = first_seed; seed <= last_seed; seed++) {
        playing_seed = seed;
        walk_match(&walk, seed);
        gather(&harvest, &walk);
    }
    playing_seed = 0;
    print_message("steps %u, finished %u, forfeit %u, cancelled %u, shutdown %u, flapped out %u, "
                  "saves failed %u, effects at most %u, seq at most %u\n",
                  harvest.steps, harvest.by_reason[MATCH_END_FINISHED],
                  harvest.by_reason[MATCH_END_FORFEIT], harvest.by_reason[MATCH_END_CANCELLED],
                  harvest.by_reason[MATCH_END_SHUTDOWN], harvest.with_absences_max,
                  harvest.with_failed_saves, harvest.effects_max, harvest.seq_max);
    if (first_seed == last_seed) return;
    assert_true(harvest.by_reason[MATCH_END_FINISHED] > 100);
    assert_true(harvest.by_reason[MATCH_END_FORFEIT] > 100);
    assert_true(harvest.by_reason[MATCH_END_CANCELLED] > 10);
    assert_true(harvest.by_reason[MATCH_END_SHUTDOWN] > 10);
    assert_true(harvest.with_absences_max > 10);
    assert_true(harvest.with_failed_saves > 10);
    assert_true(harvest.with_bot_answers > 100);
    assert_true(harvest.with_recoveries_max > 10);
}

int main(int argc, char **argv)
{
    if (argc > 1) first_seed = last_seed = strtoull(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_match_keeps_its_rules_whatever_happens, print_seed_of_failure),
    };
    return cmocka_run_group_tests_name("match_walk", tests, NULL, NULL);
}
