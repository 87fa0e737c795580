#include "matchmaker_world.h"

/* --- Joining. --- */

static void who_comes_alone_waits(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join_for(world, ADA, 1500, SCIENCE);
    const struct ticket *ticket = matchmaker_find(&world->matchmaker, ada);
    assert_int_equal(world->pair_count, 0);
    assert_waits(world, ada);
    assert_int_equal(world->matchmaker.waiting, 1);
    assert_int_equal(ticket->player.bytes[0], ADA);
    assert_int_equal(ticket->owner.session.slot, ADA);
    assert_int_equal(ticket->owner.ticket_no, 7);
    assert_int_equal(ticket->owner.shard, 2);
    assert_int_equal(ticket->rating_centi, 1500 * POINT);
    assert_int_equal(ticket->category, SCIENCE);
    assert_int_equal(ticket->since.ms, START_MS);
    assert_timer(world, ada, START_MS + 2000, 1);
}

static void an_equal_is_found_at_once(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    struct handle ben = join(world, BEN, 1500);
    assert_paired(world, ada, ben);
    assert_int_equal(world->matchmaker.waiting, 2);
}

static void a_distance_of_the_window_is_accepted(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    struct handle ben = join(world, BEN, 1600);
    assert_paired(world, ada, ben);
}

static void a_distance_beyond_the_window_waits(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    struct handle ben = join(world, BEN, 1601);
    assert_int_equal(world->pair_count, 0);
    assert_waits(world, ada);
    assert_waits(world, ben);
}

static void a_full_queue_gives_no_ticket(void **state)
{
    (void)state;
    struct world *world = new_world();
    for (int i = 0; i < CAPACITY; i++) join(world, ADA, 1500);
    struct handle ben = join(world, BEN, 1500);
    assert_true(handle_is_none(ben));
    assert_int_equal(world->pair_count, 0);
    assert_int_equal(world->matchmaker.waiting, CAPACITY);
}

static void a_category_that_cannot_be_is_refused(void **state)
{
    (void)state;
    struct world *world = new_world();
    expect_assert_failure(join_for(world, ADA, 1500, CATEGORIES_MAX));
}

static void a_wait_that_is_brought_along_counts(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct ticket_request request = request_of(ADA, 1500, OPEN);
    request.waited_ms = 5000;
    struct handle ada = join_request(world, &request);
    const struct ticket *ticket = matchmaker_find(&world->matchmaker, ada);
    assert_int_equal(ticket->since.ms, START_MS - 5000);
    assert_int_equal(ticket->step, 2);
    assert_timer(world, ada, START_MS + 2000, 3);
}

static void a_wait_longer_than_the_clock_runs_began_with_it(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct ticket_request request = request_of(ADA, 1500, OPEN);
    request.waited_ms = START_MS + 1;
    struct handle ada = join_request(world, &request);
    assert_int_equal(matchmaker_find(&world->matchmaker, ada)->since.ms, 0);
}

/* --- Who is nearest. --- */

static void the_nearest_above_is_chosen(void **state)
{
    (void)state;
    struct world *world = new_world();
    (void)join(world, BEN, 1440);
    struct handle cleo = join(world, CLEO, 1550);
    struct handle ada = join(world, ADA, 1500);
    assert_paired(world, cleo, ada);
}

static void the_nearest_below_is_chosen(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ben = join(world, BEN, 1450);
    (void)join(world, CLEO, 1560);
    struct handle ada = join(world, ADA, 1500);
    assert_paired(world, ben, ada);
}

static void of_two_equally_near_the_longer_wait_is_chosen(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ben = join(world, BEN, 1560);
    run_ms(world, 1);
    (void)join(world, CLEO, 1440);
    struct handle ada = join(world, ADA, 1500);
    assert_paired(world, ben, ada);
}

static void of_two_equally_near_that_came_in_one_millisecond_the_first_is_chosen(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ben = join(world, BEN, 1440);
    (void)join(world, CLEO, 1560);
    struct handle ada = join(world, ADA, 1500);
    assert_paired(world, ben, ada);
}

static void of_two_with_one_lower_rating_the_longer_wait_is_chosen(void **state)
{
    (void)state;
    struct world *world = new_world();
    /* Of two categories, so that they do not find each other. */
    struct handle ben = join_for(world, BEN, 1450, SCIENCE);
    (void)join_for(world, CLEO, 1450, HISTORY);
    struct handle ada = join(world, ADA, 1500);
    assert_paired(world, ben, ada);
}

static void of_one_player_s_tickets_with_one_lower_rating_the_longer_wait_is_chosen(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle first = join(world, BEN, 1450);
    struct handle second = join(world, BEN, 1450);
    struct handle ada = join(world, ADA, 1500);
    assert_paired(world, first, ada);
    assert_waits(world, second);
}

static void a_wait_brought_along_is_longer_than_one_that_came_before(void **state)
{
    (void)state;
    struct world *world = new_world();
    (void)join_for(world, BEN, 1500, SCIENCE);
    struct ticket_request request = request_of(CLEO, 1500, HISTORY);
    request.waited_ms = 1;
    struct handle cleo = join_request(world, &request);
    struct handle ada = join(world, ADA, 1500);
    assert_paired(world, cleo, ada);
}

static void two_tickets_of_one_player_are_not_paired(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle first = join(world, ADA, 1500);
    struct handle second = join(world, ADA, 1500);
    run_ms(world, 60000);
    assert_int_equal(world->pair_count, 0);
    assert_waits(world, first);
    assert_waits(world, second);
}

static void a_player_s_own_nearer_ticket_hides_nobody(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle own = join(world, ADA, 1460);
    struct handle ben = join(world, BEN, 1561);
    struct handle ada = join(world, ADA, 1500);
    assert_paired(world, ben, ada);
    assert_waits(world, own);
}

/* --- Categories. --- */

static void one_category_finds_itself(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join_for(world, ADA, 1500, HISTORY);
    struct handle ben = join_for(world, BEN, 1500, HISTORY);
    assert_paired(world, ada, ben);
}

static void different_categories_wait_however_long(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join_for(world, ADA, 1500, SCIENCE);
    struct handle ben = join_for(world, BEN, 1500, HISTORY);
    run_ms(world, 60000);
    assert_int_equal(world->pair_count, 0);
    assert_waits(world, ada);
    assert_waits(world, ben);
}

static void a_category_finds_who_is_open_to_any(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join_for(world, ADA, 1500, OPEN);
    struct handle ben = join_for(world, BEN, 1500, HISTORY);
    assert_paired(world, ada, ben);
}

static void who_is_open_to_any_finds_a_category(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join_for(world, ADA, 1500, HISTORY);
    struct handle ben = join_for(world, BEN, 1500, OPEN);
    assert_paired(world, ada, ben);
}

static struct handle hold(struct world *world, enum player player)
{
    struct ticket_request request = request_of(player, 1500, OPEN);
    return matchmaker_hold(&world->matchmaker, &request, world->now);
}

static void a_held_ticket_is_paired_with_nobody(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = hold(world, ADA);
    struct handle ben = join(world, BEN, 1500);
    run_ms(world, 60000);
    assert_int_equal(world->pair_count, 0);
    assert_int_equal(state_of(world, ada), TICKET_OFFERED);
    assert_waits(world, ben);
    assert_int_equal(world->matchmaker.waiting, 2);
}

static void a_held_ticket_is_gone_when_it_is_removed(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = hold(world, ADA);
    leave(world, ada);
    assert_null(matchmaker_find(&world->matchmaker, ada));
    assert_int_equal(world->matchmaker.waiting, 0);
}

static void a_full_queue_holds_no_ticket(void **state)
{
    (void)state;
    struct world *world = new_world();
    for (int i = 0; i < CAPACITY; i++) hold(world, ADA);
    assert_true(handle_is_none(hold(world, BEN)));
    assert_int_equal(world->matchmaker.waiting, CAPACITY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_alone_waits),
        cmocka_unit_test(an_equal_is_found_at_once),
        cmocka_unit_test(a_distance_of_the_window_is_accepted),
        cmocka_unit_test(a_distance_beyond_the_window_waits),
        cmocka_unit_test(a_full_queue_gives_no_ticket),
        cmocka_unit_test(a_category_that_cannot_be_is_refused),
        cmocka_unit_test(a_wait_that_is_brought_along_counts),
        cmocka_unit_test(a_wait_longer_than_the_clock_runs_began_with_it),
        cmocka_unit_test(the_nearest_above_is_chosen),
        cmocka_unit_test(the_nearest_below_is_chosen),
        cmocka_unit_test(of_two_equally_near_the_longer_wait_is_chosen),
        cmocka_unit_test(of_two_equally_near_that_came_in_one_millisecond_the_first_is_chosen),
        cmocka_unit_test(of_two_with_one_lower_rating_the_longer_wait_is_chosen),
        cmocka_unit_test(of_one_player_s_tickets_with_one_lower_rating_the_longer_wait_is_chosen),
        cmocka_unit_test(a_wait_brought_along_is_longer_than_one_that_came_before),
        cmocka_unit_test(two_tickets_of_one_player_are_not_paired),
        cmocka_unit_test(a_player_s_own_nearer_ticket_hides_nobody),
        cmocka_unit_test(one_category_finds_itself),
        cmocka_unit_test(different_categories_wait_however_long),
        cmocka_unit_test(a_category_finds_who_is_open_to_any),
        cmocka_unit_test(who_is_open_to_any_finds_a_category),
        cmocka_unit_test(a_held_ticket_is_paired_with_nobody),
        cmocka_unit_test(a_held_ticket_is_gone_when_it_is_removed),
        cmocka_unit_test(a_full_queue_holds_no_ticket),
    };
    return cmocka_run_group_tests_name("matchmaker", tests, NULL, NULL);
}
