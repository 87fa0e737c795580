#include "matchmaker_world.h"

static void assert_owner_is_the_new_one(struct world *world, struct handle ticket)
{
    const struct ticket_owner *owner = &matchmaker_find(&world->matchmaker, ticket)->owner;
    assert_int_equal(owner->session.slot, 9);
    assert_int_equal(owner->ticket_no, 8);
    assert_int_equal(owner->shard, 5);
}

/* --- Away. --- */

static void who_is_lost_keeps_the_place_and_is_away(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    assert_true(lose(world, ada));
    assert_int_equal(state_of(world, ada), TICKET_AWAY);
    assert_int_equal(world->matchmaker.away, 1);
    assert_int_equal(world->matchmaker.waiting, 1);
    assert_int_equal(world->wheel.count, 0);
    assert_int_equal(matchmaker_find(&world->matchmaker, ada)->since.ms, START_MS);
}

static void who_is_away_is_not_found_however_long(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    assert_true(lose(world, ada));
    struct handle ben = join(world, BEN, 1500);
    run_ms(world, 60000);
    assert_int_equal(world->pair_count, 0);
    assert_waits(world, ben);
}

static void an_old_timer_of_a_ticket_that_is_away_changes_nothing(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    assert_true(lose(world, ada));
    struct handle ben = join(world, BEN, 1500);
    assert_false(matchmaker_on_timer(&world->matchmaker, ada, world->now, &world->pair));
    assert_int_equal(state_of(world, ada), TICKET_AWAY);
    assert_waits(world, ben);
}

static void an_offered_ticket_can_be_away_and_the_other_returns_without_it(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    struct handle ben = join(world, BEN, 1500);
    assert_true(lose(world, ada));
    give_back(world, ben);
    assert_int_equal(world->pair_count, 1);
    assert_int_equal(state_of(world, ada), TICKET_AWAY);
    assert_waits(world, ben);
}

static void who_is_away_is_not_lost_twice(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    assert_true(lose(world, ada));
    assert_true(lose(world, ada));
    assert_int_equal(world->matchmaker.away, 1);
}

static void a_ticket_that_is_away_cannot_return(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    assert_true(lose(world, ada));
    expect_assert_failure(give_back(world, ada));
}

/* --- How many. --- */

static void an_eighth_of_the_tickets_may_be_away(void **state)
{
    (void)state;
    struct world *world = new_world();
    assert_int_equal(world->matchmaker.away_bound, CAPACITY / 8);
    struct matchmaker_memory memory = {.capacity = CAPACITY - 1};
    matchmaker_init(&world->matchmaker, &memory, &world->wheel, TIMER_KIND);
    assert_int_equal(world->matchmaker.away_bound, 1);
    memory.capacity = 8 * CAPACITY;
    matchmaker_init(&world->matchmaker, &memory, &world->wheel, TIMER_KIND);
    assert_int_equal(world->matchmaker.away_bound, CAPACITY);
}

static void one_more_than_may_be_away_is_refused_and_nothing_changes(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join_for(world, ADA, 1500, SCIENCE);
    struct handle ben = join_for(world, BEN, 1500, HISTORY);
    assert_true(lose(world, ada));
    struct world before = *world;
    assert_false(lose(world, ben));
    assert_memory_equal(world, &before, sizeof before);
    assert_waits(world, ben);
}

static void who_comes_back_makes_room_for_another_to_be_away(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join_for(world, ADA, 1500, SCIENCE);
    struct handle ben = join_for(world, BEN, 1500, HISTORY);
    assert_true(lose(world, ada));
    come_back(world, ada);
    assert_true(lose(world, ben));
    assert_int_equal(world->matchmaker.away, 1);
}

static void who_is_removed_while_away_makes_room_for_another(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join_for(world, ADA, 1500, SCIENCE);
    struct handle ben = join_for(world, BEN, 1500, HISTORY);
    assert_true(lose(world, ada));
    leave(world, ada);
    assert_null(matchmaker_find(&world->matchmaker, ada));
    assert_int_equal(world->matchmaker.away, 0);
    assert_true(lose(world, ben));
}

/* --- Back. --- */

static void who_is_back_waits_on_with_the_whole_age(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    assert_true(lose(world, ada));
    run_ms(world, 8000);
    come_back(world, ada);
    assert_waits(world, ada);
    assert_owner_is_the_new_one(world, ada);
    assert_int_equal(world->matchmaker.away, 0);
    assert_int_equal(matchmaker_find(&world->matchmaker, ada)->step, 3);
    assert_timer(world, ada, START_MS + 11000, 4);
}

static void who_is_back_finds_at_once_who_came_meanwhile(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    assert_true(lose(world, ada));
    struct handle ben = join(world, BEN, 1650);
    run_ms(world, 2000);
    assert_int_equal(world->pair_count, 0);
    come_back(world, ada);
    assert_paired(world, ada, ben);
    assert_owner_is_the_new_one(world, ada);
}

static void an_offered_ticket_that_is_back_returns_with_its_new_owner(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    struct handle ben = join(world, BEN, 1500);
    leave(world, ben);
    struct handle cleo = join(world, CLEO, 1590);
    world->pair_count = 0;
    come_back(world, ada);
    assert_paired(world, ada, cleo);
    assert_owner_is_the_new_one(world, ada);
}

static void a_waiting_ticket_that_is_back_waits_on_with_its_new_owner(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    run_ms(world, 1000);
    come_back(world, ada);
    assert_int_equal(world->pair_count, 0);
    assert_waits(world, ada);
    assert_owner_is_the_new_one(world, ada);
    assert_timer(world, ada, START_MS + 2000, 1);
    assert_int_equal(world->wheel.count, 1);
}

static void a_ticket_that_is_gone_is_neither_away_nor_back(void **state)
{
    (void)state;
    struct world *world = new_world();
    struct handle ada = join(world, ADA, 1500);
    leave(world, ada);
    struct handle ben = join(world, BEN, 1500); /* In Ada's slot. */
    assert_false(lose(world, ada));
    come_back(world, ada);
    assert_int_equal(world->pair_count, 0);
    assert_waits(world, ben);
    assert_int_equal(matchmaker_find(&world->matchmaker, ben)->owner.shard, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_lost_keeps_the_place_and_is_away),
        cmocka_unit_test(who_is_away_is_not_found_however_long),
        cmocka_unit_test(an_old_timer_of_a_ticket_that_is_away_changes_nothing),
        cmocka_unit_test(an_offered_ticket_can_be_away_and_the_other_returns_without_it),
        cmocka_unit_test(who_is_away_is_not_lost_twice),
        cmocka_unit_test(a_ticket_that_is_away_cannot_return),
        cmocka_unit_test(an_eighth_of_the_tickets_may_be_away),
        cmocka_unit_test(one_more_than_may_be_away_is_refused_and_nothing_changes),
        cmocka_unit_test(who_comes_back_makes_room_for_another_to_be_away),
        cmocka_unit_test(who_is_removed_while_away_makes_room_for_another),
        cmocka_unit_test(who_is_back_waits_on_with_the_whole_age),
        cmocka_unit_test(who_is_back_finds_at_once_who_came_meanwhile),
        cmocka_unit_test(an_offered_ticket_that_is_back_returns_with_its_new_owner),
        cmocka_unit_test(a_waiting_ticket_that_is_back_waits_on_with_its_new_owner),
        cmocka_unit_test(a_ticket_that_is_gone_is_neither_away_nor_back),
    };
    return cmocka_run_group_tests_name("matchmaker_away", tests, NULL, NULL);
}
