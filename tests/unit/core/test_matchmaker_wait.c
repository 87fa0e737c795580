#include "matchmaker_world.h"

/* --- The window. --- */

static void the_window_widens_at_each_step_and_not_before(void **state)
{
    (void)state;
    assert_int_equal(matchmaker_window(0), 100 * POINT);
    assert_int_equal(matchmaker_window(1999), 100 * POINT);
    assert_int_equal(matchmaker_window(2000), 150 * POINT);
    assert_int_equal(matchmaker_window(3999), 150 * POINT);
    assert_int_equal(matchmaker_window(4000), 225 * POINT);
    assert_int_equal(matchmaker_window(6999), 225 * POINT);
    assert_int_equal(matchmaker_window(7000), 340 * POINT);
    assert_int_equal(matchmaker_window(10999), 340 * POINT);
    assert_int_equal(matchmaker_window(11000), 500 * POINT);
    assert_int_equal(matchmaker_window(15999), 500 * POINT);
    assert_int_equal(matchmaker_window(16000), 750 * POINT);
    assert_int_equal(matchmaker_window(21999), 750 * POINT);
    assert_int_equal(matchmaker_window(22000), 1100 * POINT);
    assert_int_equal(matchmaker_window(29999), 1100 * POINT);
    assert_int_equal(matchmaker_window(30000), INT32_MAX);
    assert_int_equal(matchmaker_window(UINT64_MAX), INT32_MAX);
}

static void a_step_is_reached_when_it_begins(void **state)
{
    (void)state;
    for (uint8_t step = 0; step < MATCHMAKER_STEPS; step++)
        assert_int_equal(matchmaker_step_at(matchmaker_step_begins_ms(step)), step);
    for (uint8_t step = 1; step < MATCHMAKER_STEPS; step++)
        assert_int_equal(matchmaker_step_at(matchmaker_step_begins_ms(step) - 1), step - 1);
    expect_assert_failure((void)matchmaker_step_begins_ms(MATCHMAKER_STEPS));
}

/* --- Waiting. --- */

static void the_later_of_two_to_reach_the_step_finds_the_other(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    run_ms(world, 500);
    struct handle ben = join(world, BEN, 1650);
    run_ms(world, 1999); /* Ada has reached 150 points, Ben not yet. */
    assert_int_equal(world->pair_count, 0);
    run_ms(world, 1);
    assert_paired(world, ada, ben);
}

static void the_smaller_of_both_windows_counts(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    run_ms(world, 30000);
    struct handle ben = join(world, BEN, 1601);
    assert_waits(world, ada);
    assert_waits(world, ben);
}

static void after_half_a_minute_anybody_is_accepted(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct ticket_request lowest = request_of(ADA, 0, OPEN);
    struct ticket_request highest = request_of(BEN, 0, OPEN);
    lowest.rating_centi = INT32_MIN;
    highest.rating_centi = INT32_MAX;
    struct handle ada = join_request(world, &lowest);
    struct handle ben = join_request(world, &highest);
    run_ms(world, 29999);
    assert_int_equal(world->pair_count, 0);
    run_ms(world, 1);
    assert_paired(world, ada, ben);
}

static void each_step_arms_the_next_and_the_last_none(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    for (uint8_t step = 1; step <= LAST_STEP; step++) {
        uint64_t at_ms = START_MS + matchmaker_step_begins_ms(step);
        assert_timer(world, ada, at_ms, step);
        run_ms(world, at_ms - world->now.ms);
        assert_int_equal(matchmaker_find(&world->matchmaker, ada)->step, step);
    }
    assert_false(wheel_is_armed(&matchmaker_find(&world->matchmaker, ada)->timer));
    assert_waits(world, ada);
}

static void a_late_timer_enters_the_step_of_the_time_waited(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    world->now = mono_after(world->now, 12000);
    world->pair_count += matchmaker_on_timer(&world->matchmaker, ada, world->now, &world->pair);
    assert_int_equal(matchmaker_find(&world->matchmaker, ada)->step, 4);
    assert_timer(world, ada, START_MS + 16000, 5);
}

static void an_old_timer_of_an_offered_ticket_changes_nothing(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    struct handle ben = join(world, BEN, 1500);
    world->pair_count += matchmaker_on_timer(&world->matchmaker, ada, world->now, &world->pair);
    assert_paired(world, ada, ben);
}

/* --- Coming back, and leaving. --- */

static void an_offered_ticket_comes_back_with_its_age(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    struct handle ben = join(world, BEN, 1500);
    run_ms(world, 8000);
    leave(world, ben);
    give_back(world, ada);
    assert_int_equal(world->pair_count, 1);
    assert_waits(world, ada);
    assert_int_equal(matchmaker_find(&world->matchmaker, ada)->step, 3);
    assert_timer(world, ada, START_MS + 11000, 4);
}

static void a_ticket_that_comes_back_tries_at_once(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    struct handle ben = join(world, BEN, 1500);
    struct handle cleo = join(world, CLEO, 1590);
    leave(world, ben);
    world->pair_count = 0;
    give_back(world, ada);
    assert_paired(world, ada, cleo);
}

static void a_ticket_that_waits_cannot_come_back(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    expect_assert_failure(give_back(world, ada));
}

static void who_leaves_is_not_found(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    leave(world, ada);
    struct handle ben = join(world, BEN, 1500);
    assert_null(matchmaker_find(&world->matchmaker, ada));
    assert_waits(world, ben);
    assert_int_equal(world->matchmaker.waiting, 1);
    assert_int_equal(world->wheel.count, 1);
}

static void a_ticket_that_is_gone_is_ignored(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    leave(world, ada);
    struct handle ben = join(world, BEN, 1500); /* In Ada's slot. */
    leave(world, ada);
    give_back(world, ada);
    assert_false(matchmaker_on_timer(&world->matchmaker, ada, world->now, &world->pair));
    assert_int_equal(world->pair_count, 0);
    assert_waits(world, ben);
    assert_int_equal(world->matchmaker.waiting, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_window_widens_at_each_step_and_not_before),
        cmocka_unit_test(a_step_is_reached_when_it_begins),
        cmocka_unit_test(the_later_of_two_to_reach_the_step_finds_the_other),
        cmocka_unit_test(the_smaller_of_both_windows_counts),
        cmocka_unit_test(after_half_a_minute_anybody_is_accepted),
        cmocka_unit_test(each_step_arms_the_next_and_the_last_none),
        cmocka_unit_test(a_late_timer_enters_the_step_of_the_time_waited),
        cmocka_unit_test(an_old_timer_of_an_offered_ticket_changes_nothing),
        cmocka_unit_test(an_offered_ticket_comes_back_with_its_age),
        cmocka_unit_test(a_ticket_that_comes_back_tries_at_once),
        cmocka_unit_test(a_ticket_that_waits_cannot_come_back),
        cmocka_unit_test(who_leaves_is_not_found),
        cmocka_unit_test(a_ticket_that_is_gone_is_ignored),
    };
    return cmocka_run_group_tests_name("matchmaker_wait", tests, NULL, NULL);
}
