/* From `join` to `match`, and all that may cross on the way. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shard_expect.h"

enum { LONG_MS = 1000 };

/* Iterations until so many sessions are in that state; fails where they never are. */
static void run_until(struct world *world, enum session_state state, unsigned count)
{
    for (unsigned i = 0; i < LONG_MS && sessions_in(world, state) != count; i++) {
        if (!run_once(world)) world->now.ms++;
    }
    assert_int_equal(sessions_in(world, state), count);
}

static void queued_comes_before_match(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    duel_begins(world, 0, 0);
    expect_same_bytes(world, ADA, BEN, "match");
    assert_int_equal(number_in(last_said(world, ADA, "match"), "seq"), 1);
    world_close(world);
}

static void queued_comes_before_match_on_two_shards(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_begins(world, 0, 1);
    expect_same_bytes(world, ADA, BEN, "match");
    world_close(world);
}

static void two_players_of_another_shard_than_the_lobbys_are_paired(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_begins(world, 1, 1);
    assert_int_equal(stats_of(world, 1).match_slots.now, 1);
    world_close(world);
}

static void queued_tells_how_many_wait(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    is_idle(world, BEN, 0);
    joins_in(world, ADA, "art");
    settle(world);
    joins_in(world, BEN, "film");
    settle(world);
    assert_int_equal(number_in(last_said(world, ADA, "queued"), "waiting"), 1);
    assert_int_equal(number_in(last_said(world, BEN, "queued"), "waiting"), 2);
    world_close(world);
}

static void different_categories_do_not_play(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    is_idle(world, BEN, 0);
    joins_in(world, ADA, "art");
    joins_in(world, BEN, "film");
    run_ms(world, 60 * LONG_MS);
    assert_int_equal(matches_live(world), 0);
    world_close(world);
}

static void an_open_category_plays_the_others(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    is_idle(world, BEN, 0);
    joins_in(world, ADA, "film");
    joins(world, BEN);
    run_ms(world, START_MS + LONG_MS);
    assert_non_null(strstr(last_said(world, ADA, "round"), "\"category\":\"film\""));
    world_close(world);
}

static void matches_without_a_slot_wait_without_keeping_the_shard_busy(void **state)
{
    (void)state;
    struct world *world = world_create((struct world_settings){.matches_max = 1});
    duel_begins(world, 0, 0);
    is_queued(world, CAT, 0);
    is_queued(world, DAN, 0);
    uint32_t runs = world->runs;
    run_ms(world, 1000);
    /* A few for each time it is tried again, every tenth of a second. */
    assert_in_range(world->runs - runs, 1, 60);
    world_close(world);
}

static void an_unknown_category_is_a_bad_message(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    joins_in(world, ADA, "gossip");
    settle(world);
    expect_said(world, ADA, "error bad_message");
    world_close(world);
}

static void who_is_queued_may_not_join(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_queued(world, ADA, 0);
    joins(world, ADA);
    settle(world);
    expect_said(world, ADA, "error bad_state");
    world_close(world);
}

static void at_most_one_join_a_second(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_queued(world, ADA, 0);
    leaves(world, ADA);
    settle(world);
    joins(world, ADA);
    settle(world);
    expect_said(world, ADA, "left, error rate_limited");
    run_ms(world, number_in(last_said(world, ADA, "error"), "retry_ms"));
    joins(world, ADA);
    settle(world);
    expect_said(world, ADA, "queued");
    world_close(world);
}

static void a_ticket_comes_once_a_second(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, ADA, 1);
    run_ms(world, 5 * LONG_MS);
    expect_said(world, ADA, "ticket, ticket, ticket, ticket, ticket");
    const char *ticket = last_said(world, ADA, "ticket");
    assert_int_equal(number_in(ticket, "waiting"), 1);
    assert_in_range(number_in(ticket, "waited_ms"), 5 * LONG_MS - HOPS_MS, 5 * LONG_MS + HOPS_MS);
    assert_int_equal(number_in(ticket, "window"), 225);
    world_close(world);
}

static void a_leave_from_the_queue_is_out_of_it(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, ADA, 1);
    leaves(world, ADA);
    settle(world);
    expect_said(world, ADA, "left");
    is_queued(world, BEN, 0);
    run_ms(world, LONG_MS);
    assert_int_equal(stats_of(world, 0).ticket_slots.now, 1);
    expect_nothing_said(world, ADA);
    world_close(world);
}

static void a_leave_while_joining_is_answered_behind_queued(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_idle(world, ADA, 1);
    joins(world, ADA);
    leaves(world, ADA);
    settle(world);
    expect_said(world, ADA, "queued, left");
    assert_int_equal(stats_of(world, 0).ticket_slots.now, 0);
    world_close(world);
}

static void a_second_leave_while_joining_is_busy(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    joins(world, ADA);
    leaves(world, ADA);
    leaves(world, ADA);
    settle(world);
    expect_said(world, ADA, "error busy, queued, left");
    world_close(world);
}

static void a_leave_while_joining_declines_the_offer_that_crosses(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, ADA, 0);
    is_idle(world, BEN, 1);
    joins(world, BEN);
    leaves(world, BEN);
    settle(world);
    expect_said(world, BEN, "queued, left");
    expect_nothing_said(world, ADA); /* Back in the queue as if nothing had been. */
    assert_int_equal(sessions_in(world, SESSION_QUEUED), 1);
    is_idle(world, CAT, 0);
    joins(world, CAT);
    settle(world);
    expect_said(world, ADA, "match");
    world_close(world);
}

static void a_leave_where_there_is_nothing_to_leave_is_answered(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    uint32_t id = leaves(world, ADA);
    settle(world);
    expect_said(world, ADA, "left");
    expect_reply(world, ADA, "left", id);
    world_close(world);
}

static void a_leave_that_crosses_the_match_cancels_it(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, ADA, 0);
    is_idle(world, BEN, 1);
    run_ms(world, 500);
    joins(world, BEN);
    run_until(world, SESSION_ATTACHED, 2);
    leaves(world, BEN);
    settle(world);
    expect_said(world, BEN, "queued, match, left, peer gone, end cancelled");
    expect_said(world, ADA, "match, peer gone, end cancelled, queued");
    assert_int_equal(sessions_in(world, SESSION_IDLE), 1);
    world_close(world);
}

static void who_is_queued_again_keeps_the_waiting_time(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, ADA, 1);
    run_ms(world, 5 * LONG_MS);
    look_away(world, ADA);
    is_idle(world, BEN, 0);
    joins(world, BEN);
    settle(world);
    leaves(world, BEN);
    settle(world);
    expect_said(world, ADA, "match, peer gone, end cancelled, queued");
    const char *queued = last_said(world, ADA, "queued");
    assert_int_equal(number_in(queued, "id"), ANY_NUMBER);
    assert_in_range(number_in(queued, "waited_ms"), 5 * LONG_MS, 5 * LONG_MS + 5 * HOPS_MS);
    world_close(world);
}

static void a_leave_that_names_the_match_forfeits_it(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_begins(world, 0, 1);
    leaves_this_match(world, BEN);
    settle(world);
    expect_said(world, BEN, "left, peer gone, end forfeit");
    expect_said(world, ADA, "peer gone, end forfeit");
    assert_int_equal(sessions_in(world, SESSION_IDLE), 2);
    world_close(world);
}

static void a_leave_that_names_another_match_is_answered_and_nothing_else(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    duel_begins(world, 0, 0);
    asks(world, ADA, "leave", "\"match\":\"01890000-0000-7000-8000-000000000000\"");
    settle(world);
    expect_said(world, ADA, "left");
    assert_int_equal(matches_live(world), 1);
    world_close(world);
}

static void who_is_lost_while_joining_keeps_the_place_for_the_grace(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_idle(world, ADA, 1);
    joins(world, ADA);
    run_until(world, SESSION_JOINING, 1);
    is_lost(world, ADA);
    run_ms(world, GRACE_MS - HOPS_MS);
    assert_int_equal(stats_of(world, 0).away_tickets.now, 1);
    run_ms(world, 2 * HOPS_MS);
    assert_int_equal(stats_of(world, 0).ticket_slots.now, 0);
    assert_int_equal(stats_of(world, 1).session_slots.now, 0);
    world_close(world);
}

static void who_is_lost_while_queued_is_not_matched(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, ADA, 1);
    is_lost(world, ADA);
    settle(world);
    is_queued(world, BEN, 0);
    run_ms(world, LONG_MS);
    assert_int_equal(matches_live(world), 0);
    world_close(world);
}

static void who_is_lost_before_the_offer_comes_sends_the_other_back(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, ADA, 1);
    is_idle(world, BEN, 0);
    stall(world, 1);
    joins(world, BEN);
    settle(world); /* Attached; the offer to ADA is in the mailbox. */
    expect_said(world, BEN, "queued");
    is_lost(world, ADA);
    go_on(world, 1);
    settle(world);
    assert_int_equal(sessions_in(world, SESSION_ATTACHED), 0);
    expect_nothing_said(world, BEN);
    is_idle(world, CAT, 0);
    joins(world, CAT);
    settle(world);
    expect_said(world, BEN, "match");
    world_close(world);
}

static void who_is_lost_when_attached_is_away_in_the_match(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, ADA, 0);
    is_idle(world, BEN, 1);
    joins(world, BEN);
    run_until(world, SESSION_ATTACHED, 2);
    is_lost(world, BEN);
    settle(world);
    expect_said(world, ADA, "match, peer away");
    run_ms(world, GRACE_MS);
    expect_said(world, ADA, "round, peer gone, end forfeit");
    world_close(world);
}

static void a_full_shard_refuses_and_the_pair_plays_when_there_is_room(void **state)
{
    (void)state;
    struct world *world = world_create((struct world_settings){.shards = 2, .matches_max = 1});
    duel_begins(world, 1, 1);
    is_idle(world, CAT, 1);
    is_idle(world, DAN, 1);
    joins(world, CAT);
    joins(world, DAN);
    run_ms(world, LONG_MS);
    expect_said(world, CAT,
                "queued"); /* No ticket: it is attached, or about to be, all the time. */
    assert_int_equal(matches_live(world), 1);
    leaves_this_match(world, ADA);
    run_ms(world, LONG_MS);
    expect_said(world, CAT, "match");
    expect_said(world, DAN, "queued, match");
    world_close(world);
}

static void the_less_loaded_of_both_shards_gets_the_match(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_begins(world, 0, 0);
    is_idle(world, CAT, 0);
    is_idle(world, DAN, 1);
    joins(world, CAT);
    joins(world, DAN);
    settle(world);
    expect_said(world, CAT, "queued, match");
    assert_int_equal(stats_of(world, 1).match_slots.now, 1);
    world_close(world);
}

static void a_leave_while_attached_to_a_full_shard_is_answered(void **state)
{
    (void)state;
    struct world *world = world_create((struct world_settings){.matches_max = 1});
    duel_begins(world, 0, 0);
    is_idle(world, CAT, 0);
    is_idle(world, DAN, 0);
    joins(world, CAT);
    joins(world, DAN);
    settle(world);
    leaves(world, DAN);
    run_ms(world, 300);
    expect_said(world, DAN, "queued, left");
    assert_int_equal(sessions_in(world, SESSION_QUEUED), 1);
    world_close(world);
}

static void
the_last_match_hears_that_its_end_was_taken_before_the_lobby_hears_of_a_join(void **state)
{
    (void)state;
    struct world *world = world_create(
        (struct world_settings){.shards = 3, .mailbox_bytes = 2 * MAILBOX_RECORD_BYTES_MAX});
    duel_begins(world, 1, 2);
    is_queued(world, CAT, 0);
    stall(world, 2);
    leaves(world, ADA);
    settle(world); /* `end` is on its way to BEN, who is to be queued again. */
    stall(world, 1);
    jam(world, 2, 1);
    go_on(world, 2);
    settle(world);
    expect_said(world, BEN, "peer gone, end cancelled");
    go_on(world, 1);
    settle(world);
    expect_said(world, BEN, "queued, match");
    assert_int_equal(matches_live(world), 1);
    world_close(world);
}

static void every_ticket_may_stand_in_an_offer_whose_other_side_has_gone(void **state)
{
    (void)state;
    static const char *const categories[4] = {"art", "film", "history", "music"};
    enum { SIDE = 4 };
    struct world *world = world_create((struct world_settings){.shards = 2, .sessions_max = SIDE});
    for (unsigned i = 0; i < SIDE; i++) {
        is_idle(world, i, 1);
        joins_in(world, i, categories[i]);
        is_idle(world, SIDE + i, 0);
    }
    settle(world);
    assert_int_equal(sessions_in(world, SESSION_QUEUED), SIDE);
    stall(world, 1); /* Its players do not answer their offers. */
    for (unsigned i = 0; i < SIDE; i++) {
        joins_in(world, SIDE + i, categories[i]);
        leaves(world, SIDE + i);
    }
    run_ms(world, LONG_MS);
    assert_int_equal(stats_of(world, 0).offer_slots.now, SIDE);
    for (unsigned i = 0; i < SIDE; i++) joins_in(world, SIDE + i, "sports");
    settle(world);
    assert_int_equal(matches_live(world), SIDE / 2);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queued_comes_before_match),
        cmocka_unit_test(queued_comes_before_match_on_two_shards),
        cmocka_unit_test(two_players_of_another_shard_than_the_lobbys_are_paired),
        cmocka_unit_test(queued_tells_how_many_wait),
        cmocka_unit_test(different_categories_do_not_play),
        cmocka_unit_test(an_open_category_plays_the_others),
        cmocka_unit_test(matches_without_a_slot_wait_without_keeping_the_shard_busy),
        cmocka_unit_test(an_unknown_category_is_a_bad_message),
        cmocka_unit_test(who_is_queued_may_not_join),
        cmocka_unit_test(at_most_one_join_a_second),
        cmocka_unit_test(a_ticket_comes_once_a_second),
        cmocka_unit_test(a_leave_from_the_queue_is_out_of_it),
        cmocka_unit_test(a_leave_while_joining_is_answered_behind_queued),
        cmocka_unit_test(a_second_leave_while_joining_is_busy),
        cmocka_unit_test(a_leave_while_joining_declines_the_offer_that_crosses),
        cmocka_unit_test(a_leave_where_there_is_nothing_to_leave_is_answered),
        cmocka_unit_test(a_leave_that_crosses_the_match_cancels_it),
        cmocka_unit_test(who_is_queued_again_keeps_the_waiting_time),
        cmocka_unit_test(a_leave_that_names_the_match_forfeits_it),
        cmocka_unit_test(a_leave_that_names_another_match_is_answered_and_nothing_else),
        cmocka_unit_test(who_is_lost_while_joining_keeps_the_place_for_the_grace),
        cmocka_unit_test(who_is_lost_while_queued_is_not_matched),
        cmocka_unit_test(who_is_lost_before_the_offer_comes_sends_the_other_back),
        cmocka_unit_test(who_is_lost_when_attached_is_away_in_the_match),
        cmocka_unit_test(a_full_shard_refuses_and_the_pair_plays_when_there_is_room),
        cmocka_unit_test(the_less_loaded_of_both_shards_gets_the_match),
        cmocka_unit_test(a_leave_while_attached_to_a_full_shard_is_answered),
        cmocka_unit_test(
            the_last_match_hears_that_its_end_was_taken_before_the_lobby_hears_of_a_join),
        cmocka_unit_test(every_ticket_may_stand_in_an_offer_whose_other_side_has_gone),
    };
    return cmocka_run_group_tests_name("pairing", tests, NULL, NULL);
}
