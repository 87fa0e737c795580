#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/wheel.h"

enum {
    BLOCK_MS = 256,         /* A slot of the second level. */
    LAST_SLOT_MS = 1 << 20, /* A slot of the last level. */
    REACH_MS = 63 * LAST_SLOT_MS,
};

#define HOUR_MS UINT64_C(3600000)

static const mono_time start = {5000};

static struct wheel_timer timer_of(uint32_t number)
{
    struct wheel_timer timer;
    wheel_timer_init(&timer, (struct handle){number, 1}, (uint16_t)number);
    return timer;
}

static mono_time after(uint64_t ms)
{
    return mono_after(start, ms);
}

static void assert_expires(struct wheel *wheel, mono_time now, const struct wheel_timer *timer)
{
    assert_ptr_equal(wheel_expire(wheel, now), timer);
}

static void assert_next(const struct wheel *wheel, mono_time expected)
{
    mono_time next = {0};
    assert_true(wheel_next(wheel, &next));
    assert_int_equal(next.ms, expected.ms);
}

static void an_empty_wheel_has_nothing(void **state)
{
    (void)state;
    struct wheel wheel;
    mono_time next = {77};
    wheel_init(&wheel, start);
    assert_null(wheel_expire(&wheel, after(HOUR_MS)));
    assert_false(wheel_next(&wheel, &next));
    assert_int_equal(next.ms, 77);
}

static void a_timer_is_disarmed_at_first_and_when_it_is_all_zero(void **state)
{
    (void)state;
    struct wheel_timer timer = timer_of(1);
    assert_false(wheel_is_armed(&timer));
    assert_false(wheel_is_armed(&(struct wheel_timer){0}));
}

static void a_timer_carries_what_it_was_given(void **state)
{
    (void)state;
    struct wheel wheel;
    struct wheel_timer timer;
    wheel_init(&wheel, start);
    wheel_timer_init(&timer, (struct handle){3, 5}, 7);
    wheel_arm(&wheel, &timer, after(10), 9);
    assert_expires(&wheel, after(10), &timer);
    assert_true(handle_equal(timer.owner, (struct handle){3, 5}));
    assert_int_equal(timer.kind, 7);
    assert_int_equal(timer.tag, 9);
    assert_int_equal(timer.at.ms, after(10).ms);
}

/* A timer `ms` ahead is not handed out a millisecond before its time, and is at it. */
static void assert_exact(uint64_t ms)
{
    struct wheel wheel;
    struct wheel_timer timer = timer_of(1);
    wheel_init(&wheel, start);
    wheel_arm(&wheel, &timer, after(ms), 0);
    assert_null(wheel_expire(&wheel, after(ms - 1)));
    assert_true(wheel_is_armed(&timer));
    assert_expires(&wheel, after(ms), &timer);
    assert_false(wheel_is_armed(&timer));
    assert_null(wheel_expire(&wheel, after(ms)));
}

static void a_timer_expires_at_its_millisecond_on_every_level(void **state)
{
    (void)state;
    assert_exact(1);
    assert_exact(BLOCK_MS - 1);
    assert_exact(BLOCK_MS);
    assert_exact(BLOCK_MS * 64 - 1);
    assert_exact(BLOCK_MS * 64);
    assert_exact(LAST_SLOT_MS - 1);
    assert_exact(LAST_SLOT_MS);
    assert_exact(REACH_MS - 1);
}

static void a_timer_beyond_the_reach_expires_at_its_millisecond(void **state)
{
    (void)state;
    assert_exact(REACH_MS + LAST_SLOT_MS);
    assert_exact(UINT64_C(64) * LAST_SLOT_MS);
    assert_exact(1000 * HOUR_MS);
}

static void a_deadline_at_the_end_of_time_is_kept(void **state)
{
    (void)state;
    struct wheel wheel;
    struct wheel_timer timer = timer_of(1);
    wheel_init(&wheel, (mono_time){UINT64_MAX - HOUR_MS});
    wheel_arm(&wheel, &timer, (mono_time){UINT64_MAX}, 0);
    assert_null(wheel_expire(&wheel, (mono_time){UINT64_MAX - 1}));
    assert_expires(&wheel, (mono_time){UINT64_MAX}, &timer);
}

static void a_time_that_is_past_is_due_at_once(void **state)
{
    (void)state;
    struct wheel wheel;
    struct wheel_timer timer = timer_of(1);
    wheel_init(&wheel, start);
    wheel_arm(&wheel, &timer, (mono_time){start.ms - 1}, 0);
    assert_next(&wheel, start);
    assert_expires(&wheel, start, &timer);
    assert_int_equal(timer.at.ms, start.ms - 1);
}

static void a_timer_armed_for_now_after_now_was_expired_is_due(void **state)
{
    (void)state;
    struct wheel wheel;
    struct wheel_timer timer = timer_of(1);
    wheel_init(&wheel, start);
    assert_null(wheel_expire(&wheel, after(10)));
    wheel_arm(&wheel, &timer, after(10), 0);
    assert_expires(&wheel, after(10), &timer);
}

static void a_now_that_goes_back_finds_nothing(void **state)
{
    (void)state;
    struct wheel wheel;
    struct wheel_timer timer = timer_of(1);
    wheel_init(&wheel, start);
    wheel_arm(&wheel, &timer, start, 0);
    assert_null(wheel_expire(&wheel, (mono_time){start.ms - 1}));
    assert_int_equal(wheel.now.ms, start.ms);
    assert_expires(&wheel, start, &timer);
}

static void a_disarmed_timer_does_not_expire(void **state)
{
    (void)state;
    struct wheel wheel;
    struct wheel_timer timer = timer_of(1);
    wheel_init(&wheel, start);
    wheel_arm(&wheel, &timer, after(10), 0);
    wheel_disarm(&wheel, &timer);
    wheel_disarm(&wheel, &timer);
    assert_false(wheel_is_armed(&timer));
    assert_null(wheel_expire(&wheel, after(HOUR_MS)));
    assert_int_equal(wheel.count, 0);
}

static void a_disarmed_timer_leaves_no_time_to_wake_for(void **state)
{
    (void)state;
    struct wheel wheel;
    struct wheel_timer timer = timer_of(1);
    mono_time next;
    wheel_init(&wheel, start);
    wheel_arm(&wheel, &timer, after(BLOCK_MS * 64), 0);
    wheel_disarm(&wheel, &timer);
    assert_false(wheel_next(&wheel, &next));
}

static void disarming_one_leaves_its_neighbour_in_the_slot(void **state)
{
    (void)state;
    struct wheel wheel;
    struct wheel_timer a = timer_of(1);
    struct wheel_timer b = timer_of(2);
    wheel_init(&wheel, start);
    wheel_arm(&wheel, &a, after(10), 0);
    wheel_arm(&wheel, &b, after(10), 0);
    wheel_disarm(&wheel, &a);
    assert_next(&wheel, after(10));
    assert_expires(&wheel, after(10), &b);
}

static void arming_anew_replaces_time_and_tag(void **state)
{
    (void)state;
    struct wheel wheel;
    struct wheel_timer timer = timer_of(1);
    wheel_init(&wheel, start);
    wheel_arm(&wheel, &timer, after(10), 1);
    wheel_arm(&wheel, &timer, after(20), 2);
    assert_int_equal(wheel.count, 1);
    assert_null(wheel_expire(&wheel, after(19)));
    assert_expires(&wheel, after(20), &timer);
    assert_int_equal(timer.tag, 2);
}

static void armed_timers_and_their_maximum_are_counted(void **state)
{
    (void)state;
    struct wheel wheel;
    struct wheel_timer a = timer_of(1);
    struct wheel_timer b = timer_of(2);
    wheel_init(&wheel, start);
    wheel_arm(&wheel, &a, after(10), 0);
    wheel_arm(&wheel, &b, after(20), 0);
    assert_expires(&wheel, after(10), &a);
    assert_int_equal(wheel.count, 1);
    assert_int_equal(wheel.count_max, 2);
}

static void timers_come_in_the_order_of_their_milliseconds(void **state)
{
    (void)state;
    struct wheel wheel;
    struct wheel_timer a = timer_of(1);
    struct wheel_timer b = timer_of(2);
    struct wheel_timer c = timer_of(3);
    wheel_init(&wheel, start);
    wheel_arm(&wheel, &a, after(2 * HOUR_MS), 0);
    wheel_arm(&wheel, &b, after(300), 0);
    wheel_arm(&wheel, &c, after(299), 0);
    assert_expires(&wheel, after(3 * HOUR_MS), &c);
    assert_expires(&wheel, after(3 * HOUR_MS), &b);
    assert_expires(&wheel, after(3 * HOUR_MS), &a);
    assert_null(wheel_expire(&wheel, after(3 * HOUR_MS)));
}

static void one_millisecond_keeps_the_order_of_arming_across_levels(void **state)
{
    (void)state;
    struct wheel wheel;
    struct wheel_timer far = timer_of(1);
    struct wheel_timer middle = timer_of(2);
    struct wheel_timer near = timer_of(3);
    wheel_init(&wheel, start);
    wheel_arm(&wheel, &far, after(HOUR_MS), 0);
    assert_null(wheel_expire(&wheel, after(HOUR_MS - 5000)));
    wheel_arm(&wheel, &middle, after(HOUR_MS), 0);
    assert_null(wheel_expire(&wheel, after(HOUR_MS - 1)));
    wheel_arm(&wheel, &near, after(HOUR_MS), 0);
    assert_expires(&wheel, after(HOUR_MS), &far);
    assert_expires(&wheel, after(HOUR_MS), &middle);
    assert_expires(&wheel, after(HOUR_MS), &near);
}

static void what_is_not_taken_stays_due_and_the_order_holds(void **state)
{
    (void)state;
    struct wheel wheel;
    struct wheel_timer a = timer_of(1);
    struct wheel_timer b = timer_of(2);
    struct wheel_timer late = timer_of(3);
    wheel_init(&wheel, start);
    wheel_arm(&wheel, &a, after(10), 0);
    wheel_arm(&wheel, &b, after(30), 0);
    assert_expires(&wheel, after(100), &a);
    wheel_arm(&wheel, &late, after(20), 0);
    assert_expires(&wheel, after(101), &late);
    assert_next(&wheel, after(30));
    assert_expires(&wheel, after(101), &b);
}

static void a_due_timer_can_be_disarmed_before_it_is_taken(void **state)
{
    (void)state;
    struct wheel wheel;
    struct wheel_timer a = timer_of(1);
    struct wheel_timer b = timer_of(2);
    wheel_init(&wheel, start);
    wheel_arm(&wheel, &a, after(10), 0);
    wheel_arm(&wheel, &b, after(10), 0);
    assert_expires(&wheel, after(10), &a);
    wheel_disarm(&wheel, &b);
    assert_null(wheel_expire(&wheel, after(10)));
}

static void next_is_exact_within_the_block_of_now(void **state)
{
    (void)state;
    struct wheel wheel;
    struct wheel_timer timer = timer_of(1);
    wheel_init(&wheel, (mono_time){BLOCK_MS});
    wheel_arm(&wheel, &timer, (mono_time){BLOCK_MS + 200}, 0);
    assert_next(&wheel, (mono_time){BLOCK_MS + 200});
}

static void next_is_the_beginning_of_a_slot_for_what_lies_further(void **state)
{
    (void)state;
    struct wheel wheel;
    struct wheel_timer timer = timer_of(1);
    wheel_init(&wheel, (mono_time){BLOCK_MS});
    wheel_arm(&wheel, &timer, (mono_time){3 * BLOCK_MS + 5}, 0);
    assert_next(&wheel, (mono_time){3 * BLOCK_MS});
    assert_null(wheel_expire(&wheel, (mono_time){3 * BLOCK_MS}));
    assert_next(&wheel, (mono_time){3 * BLOCK_MS + 5});
}

/* Wakes only when wheel_next says so, and counts how often until the timer comes. */
static unsigned wakes_until(struct wheel *wheel, const struct wheel_timer *timer)
{
    for (unsigned wakes = 1;; wakes++) {
        mono_time now;
        assert_true(wheel_next(wheel, &now));
        assert_false(mono_is_before(timer->at, now));
        const struct wheel_timer *expired = wheel_expire(wheel, now);
        if (expired == timer) return wakes;
        assert_null(expired);
    }
}

static void sleeping_until_next_reaches_a_timer_in_one_wake_per_level(void **state)
{
    (void)state;
    struct wheel wheel;
    struct wheel_timer timer = timer_of(1);
    wheel_init(&wheel, start);
    wheel_arm(&wheel, &timer, after(10 * HOUR_MS + 12345), 0);
    assert_in_range(wakes_until(&wheel, &timer), 1, WHEEL_LEVELS);
}

static void sleeping_until_next_reaches_a_timer_beyond_the_reach(void **state)
{
    (void)state;
    struct wheel wheel;
    struct wheel_timer timer = timer_of(1);
    wheel_init(&wheel, start);
    wheel_arm(&wheel, &timer, after(40 * HOUR_MS), 0);
    assert_in_range(wakes_until(&wheel, &timer), 1, WHEEL_LEVELS + 2);
}

static void one_call_sorts_in_a_share_of_a_full_slot_and_the_next_goes_on(void **state)
{
    (void)state;
    enum { TIMERS = WHEEL_SORTED_MAX + WHEEL_SORTED_MAX / 2 };
    static struct wheel_timer timers[TIMERS];
    struct wheel wheel;
    wheel_init(&wheel, (mono_time){BLOCK_MS});
    /* The latest first, so that the first one due is among those that the first call leaves. */
    for (unsigned i = 0; i < TIMERS; i++) {
        timers[i] = timer_of(i);
        wheel_arm(&wheel, &timers[i], (mono_time){4 * BLOCK_MS - 1 - i / 8}, 0);
    }
    mono_time now = {4 * BLOCK_MS - 1 - (TIMERS - 1) / 8};
    assert_null(wheel_expire(&wheel, now));
    assert_next(&wheel, (mono_time){3 * BLOCK_MS});
    wheel_disarm(&wheel, &timers[TIMERS - 1]);
    assert_expires(&wheel, now, &timers[TIMERS - 8]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_wheel_has_nothing),
        cmocka_unit_test(a_timer_is_disarmed_at_first_and_when_it_is_all_zero),
        cmocka_unit_test(a_timer_carries_what_it_was_given),
        cmocka_unit_test(a_timer_expires_at_its_millisecond_on_every_level),
        cmocka_unit_test(a_timer_beyond_the_reach_expires_at_its_millisecond),
        cmocka_unit_test(a_deadline_at_the_end_of_time_is_kept),
        cmocka_unit_test(a_time_that_is_past_is_due_at_once),
        cmocka_unit_test(a_timer_armed_for_now_after_now_was_expired_is_due),
        cmocka_unit_test(a_now_that_goes_back_finds_nothing),
        cmocka_unit_test(a_disarmed_timer_does_not_expire),
        cmocka_unit_test(a_disarmed_timer_leaves_no_time_to_wake_for),
        cmocka_unit_test(disarming_one_leaves_its_neighbour_in_the_slot),
        cmocka_unit_test(arming_anew_replaces_time_and_tag),
        cmocka_unit_test(armed_timers_and_their_maximum_are_counted),
        cmocka_unit_test(timers_come_in_the_order_of_their_milliseconds),
        cmocka_unit_test(one_millisecond_keeps_the_order_of_arming_across_levels),
        cmocka_unit_test(what_is_not_taken_stays_due_and_the_order_holds),
        cmocka_unit_test(a_due_timer_can_be_disarmed_before_it_is_taken),
        cmocka_unit_test(one_call_sorts_in_a_share_of_a_full_slot_and_the_next_goes_on),
        cmocka_unit_test(next_is_exact_within_the_block_of_now),
        cmocka_unit_test(next_is_the_beginning_of_a_slot_for_what_lies_further),
        cmocka_unit_test(sleeping_until_next_reaches_a_timer_in_one_wake_per_level),
        cmocka_unit_test(sleeping_until_next_reaches_a_timer_beyond_the_reach),
    };
    return cmocka_run_group_tests_name("base/wheel", tests, NULL, NULL);
}
