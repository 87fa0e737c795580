/* The wheel against an array that is searched for the earliest, over random arming and time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "base/wheel.h"

enum {
    REACH_MS = 63 << 20, /* Less what now is into its own 2^20. */
    TIMERS = 48,
    STEPS = 20000,
};

/* The model: all timers in an array, the earliest found by looking at each; `order` is that of
 * arming. */
struct model {
    struct prng prng;
    struct wheel wheel;
    struct wheel_timer timers[TIMERS];
    uint64_t at[TIMERS]; /* What counts: a time that was past is the wheel's own. */
    uint64_t order[TIMERS];
    bool is_armed[TIMERS];
    bool was_far[TIMERS]; /* Armed beyond the reach: its order within a millisecond is not promised.
                           */
    uint64_t armed;       /* How many times anything was armed. */
    uint32_t count;
    mono_time now;
};

static void begin(struct model *model, uint64_t seed)
{
    memset(model, 0, sizeof *model);
    prng_init(&model->prng, &(struct siphash_key){{seed, 1}});
    model->now = (mono_time){prng_next(&model->prng) >> 24};
    wheel_init(&model->wheel, model->now);
    for (uint32_t i = 0; i < TIMERS; i++)
        wheel_timer_init(&model->timers[i], (struct handle){i, 1}, 0);
}

/* Of every size equally: below a second, a minute, an hour, beyond the reach. */
static uint64_t random_ms(struct model *model)
{
    static const uint32_t bounds[] = {4, 1000, 60000, 3600000, 400000000};
    return prng_below(&model->prng, bounds[prng_below(&model->prng, 5)]);
}

static void model_arm(struct model *model, uint32_t number)
{
    uint64_t from = model->now.ms - prng_below(&model->prng, 3);
    uint64_t at = from + random_ms(model);
    uint64_t floor = model->wheel.now.ms;
    wheel_arm(&model->wheel, &model->timers[number], (mono_time){at}, (uint16_t)number);
    model->count += !model->is_armed[number];
    model->is_armed[number] = true;
    model->at[number] = at > floor ? at : floor;
    model->order[number] = model->armed++;
    model->was_far[number] = model->at[number] - floor >= REACH_MS - (1 << 20);
}

static void model_disarm(struct model *model, uint32_t number)
{
    wheel_disarm(&model->wheel, &model->timers[number]);
    model->count -= model->is_armed[number];
    model->is_armed[number] = false;
}

/* The number of the timer that is to come first, or TIMERS. */
static uint32_t model_first(const struct model *model)
{
    uint32_t first = TIMERS;
    for (uint32_t i = 0; i < TIMERS; i++) {
        if (!model->is_armed[i]) continue;
        if (first == TIMERS || model->at[i] < model->at[first] ||
            (model->at[i] == model->at[first] && model->order[i] < model->order[first]))
            first = i;
    }
    return first;
}

static void assert_next_is_a_lower_bound(const struct model *model)
{
    uint32_t first = model_first(model);
    mono_time next;
    assert_int_equal(wheel_next(&model->wheel, &next), first != TIMERS);
    if (first == TIMERS) return;
    assert_true(next.ms <= model->at[first]);
    assert_true(next.ms >= model->wheel.now.ms);
}

static void assert_expires_like_model(struct model *model, unsigned taken_max)
{
    for (unsigned taken = 0; taken < taken_max; taken++) {
        uint32_t first = model_first(model);
        struct wheel_timer *timer = wheel_expire(&model->wheel, model->now);
        if (first == TIMERS || model->at[first] > model->now.ms) {
            assert_null(timer);
            assert_int_equal(model->wheel.now.ms, model->now.ms);
            return;
        }
        assert_non_null(timer);
        assert_false(wheel_is_armed(timer));
        uint32_t number = timer->owner.slot;
        assert_true(model->is_armed[number]);
        assert_int_equal(model->at[number], model->at[first]);
        if (!model->was_far[first] && !model->was_far[number]) assert_int_equal(number, first);
        model->is_armed[number] = false;
        model->count--;
    }
}

static void run_against_model(uint64_t seed)
{
    static struct model model;
    begin(&model, seed);
    for (unsigned step = 0; step < STEPS; step++) {
        uint32_t number = prng_below(&model.prng, TIMERS);
        uint32_t choice = prng_below(&model.prng, 100);
        if (choice < 55) {
            model_arm(&model, number);
        } else if (choice < 65) {
            model_disarm(&model, number);
        } else {
            model.now = mono_after(model.now, random_ms(&model));
            assert_expires_like_model(&model, 1 + prng_below(&model.prng, 2 * TIMERS));
        }
        assert_int_equal(model.wheel.count, model.count);
        assert_int_equal(wheel_is_armed(&model.timers[number]), model.is_armed[number]);
        assert_next_is_a_lower_bound(&model);
    }
}

static void random_arming_and_time_agree_with_a_sorted_list(void **state)
{
    (void)state;
    run_against_model(1);
    run_against_model(2);
    run_against_model(3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_arming_and_time_agree_with_a_sorted_list),
    };
    return cmocka_run_group_tests_name("base/wheel_model", tests, NULL, NULL);
}
