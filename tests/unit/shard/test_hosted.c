/* Ended matches that are kept, room for them, and those who leave again and again. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shard_expect.h"

enum { LONG_MS = 1000, PENALTY_MS = 60000, DODGE_WINDOW_MS = 600000 };

/* Two play, and one of them is lost and does not see the end. */
static void a_match_ends_unseen(struct world *world, unsigned lost, unsigned other)
{
    is_idle(world, lost, 1);
    joins(world, lost);
    settle(world);
    is_idle(world, other, 0);
    joins(world, other);
    settle(world);
    assert_int_equal(count_said(world, lost, "match"), 1);
    falls_silent(world, lost);
    leaves_this_match(world, other);
    settle(world);
    is_lost(world, lost);
    settle(world);
}

static void where_room_lacks_the_oldest_is_forgotten(void **state)
{
    (void)state;
    struct world *world = world_create((struct world_settings){.shards = 2, .matches_max = 1});
    world->referee.kept_ms = 0;
    a_match_ends_unseen(world, ADA, BEN);
    a_match_ends_unseen(world, CAT, DAN);
    a_match_ends_unseen(world, EVE, FAY);
    assert_true(matches_kept(world) <= 2); /* One a shard. */
    comes(world, EVE, 0);
    resumes_after(world, EVE, 0);
    settle(world);
    expect_among(world, EVE, "end forfeit");
    /* Of those that were forgotten there is nothing to come back to. */
    comes(world, ADA, 0);
    resumes_after(world, ADA, 0);
    comes(world, CAT, 1);
    resumes_after(world, CAT, 0);
    settle(world);
    assert_true(count_said(world, ADA, "end") + count_said(world, CAT, "end") <= 1);
    expect_among(world, ADA, "welcome");
    expect_among(world, CAT, "welcome");
    world_close(world);
}

static void an_end_that_found_no_way_is_not_forgotten_for_newer_ones(void **state)
{
    (void)state;
    struct world *world = world_create((struct world_settings){
        .shards = 2, .matches_max = 1, .mailbox_bytes = 2 * MAILBOX_RECORD_BYTES_MAX});
    world->referee.kept_ms = 0;
    duel_begins(world, 0, 1);
    stall(world, 1);
    jam(world, 0, 1);
    leaves_this_match(world, ADA);
    settle(world);
    /* The house plays in the same slots, over and over. */
    is_idle(world, CAT, 0);
    for (unsigned i = 0; i < 3; i++) {
        joins_the_house(world, CAT);
        run_ms(world, LONG_MS);
        leaves(world, CAT);
        run_ms(world, LONG_MS);
    }
    go_on(world, 1);
    run_ms(world, LONG_MS);
    expect_among(world, BEN, "end forfeit");
    look_away(world, CAT);
    joins_the_house(world, CAT);
    run_ms(world, LONG_MS);
    expect_among(world, CAT, "match");
    world_close(world);
}

static void an_end_that_found_no_way_is_kept_over_its_time(void **state)
{
    (void)state;
    struct world *world = world_create(
        (struct world_settings){.shards = 2, .mailbox_bytes = 2 * MAILBOX_RECORD_BYTES_MAX});
    duel_begins(world, 0, 1);
    stall(world, 1);
    jam(world, 0, 1);
    leaves_this_match(world, ADA);
    run_ms(world, 2 * ENDED_KEEP_MS);
    assert_int_equal(matches_kept(world), 1);
    assert_int_equal(sessions_in(world, SESSION_PLAYING), 1);
    go_on(world, 1);
    run_ms(world, 2 * LONG_MS);
    assert_int_equal(sessions_in(world, SESSION_PLAYING), 0); /* BEN's has heard of it. */
    assert_int_equal(matches_kept(world), 0);
    world_close(world);
}

static void a_place_kept_at_an_end_is_had_once(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_begins(world, 0, 1);
    leaves(world, BEN);
    settle(world);
    expect_said(world, ADA, "peer gone, end cancelled, queued");
    knows_what(world, CAT, ADA);
    comes(world, CAT, 1);
    resumes(world, CAT);
    settle(world);
    expect_said(world, CAT, "welcome, queued");
    assert_int_equal(stats_of(world, 0).ticket_slots.now, 1);
    world_close(world);
}

/* --- Leaving before it begins. --- */

static void dodges(struct world *world, unsigned client)
{
    joins(world, client);
    settle(world);
    assert_int_equal(matches_live(world), 1);
    leaves(world, client);
    run_ms(world, LONG_MS);
}

static struct world *with_one_who_has_dodged(unsigned times)
{
    struct world *world = world_of(2);
    is_queued(world, BEN, 1);
    is_idle(world, ADA, 0);
    for (unsigned i = 0; i < times; i++) dodges(world, ADA);
    look_away(world, ADA);
    return world;
}

static void after_two_who_leaves_may_join(void **state)
{
    (void)state;
    struct world *world = with_one_who_has_dodged(2);
    joins(world, ADA);
    settle(world);
    expect_said(world, ADA, "queued, match");
    world_close(world);
}

static void the_third_has_its_price(void **state)
{
    (void)state;
    struct world *world = with_one_who_has_dodged(3);
    joins(world, ADA);
    settle(world);
    expect_said(world, ADA, "error rate_limited");
    uint32_t retry_ms = number_in(last_said(world, ADA, "error"), "retry_ms");
    assert_in_range(retry_ms, PENALTY_MS - 2 * LONG_MS, PENALTY_MS);
    run_ms(world, retry_ms);
    joins(world, ADA);
    settle(world);
    expect_said(world, ADA, "queued, match");
    world_close(world);
}

static void the_price_is_for_the_player_and_not_the_connection(void **state)
{
    (void)state;
    struct world *world = with_one_who_has_dodged(3);
    knows_what(world, CAT, ADA);
    comes(world, CAT, 1);
    resumes(world, CAT);
    joins(world, CAT);
    settle(world);
    expect_said(world, CAT, "welcome, error rate_limited");
    world_close(world);
}

static void the_price_waits_for_who_goes_before_the_welcome(void **state)
{
    (void)state;
    struct world *world = with_one_who_has_dodged(3);
    is_lost(world, ADA);
    settle(world);
    comes(world, ADA, 1);
    resumes(world, ADA);
    is_lost(world, ADA);
    run_ms(world, PENALTY_MS / 2); /* Nobody asks on behalf of who is gone. */
    is_back(world, ADA, 1);
    joins(world, ADA);
    settle(world);
    expect_said(world, ADA, "error rate_limited");
    world_close(world);
}

static void an_end_that_is_told_again_is_one_dodge(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, BEN, 1);
    is_idle(world, ADA, 0);
    dodges(world, ADA);
    joins(world, ADA);
    settle(world);
    world->clients[ADA].pong_delay_ms = LONG_MS;
    leaves(world, ADA);
    settle(world);
    falls_silent(world, ADA); /* It takes `end`, and nobody hears that it has. */
    knows_what(world, CAT, ADA);
    comes(world, CAT, 0);
    resumes_after(world, CAT, 1);
    settle(world);
    expect_said(world, CAT, "welcome, peer gone, end cancelled");
    run_ms(world, LONG_MS);
    joins(world, CAT);
    settle(world);
    expect_said(world, CAT, "queued, match"); /* It has dodged twice. */
    world_close(world);
}

static void after_the_window_the_count_begins_anew(void **state)
{
    (void)state;
    struct world *world = with_one_who_has_dodged(2);
    run_ms(world, DODGE_WINDOW_MS);
    dodges(world, ADA);
    look_away(world, ADA);
    joins(world, ADA);
    settle(world);
    expect_said(world, ADA, "queued, match");
    world_close(world);
}

/* --- An end that is forgotten before it is taken. --- */

/* BEN's connection takes nothing, his outbox is full of what he has missed, and his match has given its room to others'
 * when it ended. */
static struct world *with_ben_behind_a_forgotten_end(void)
{
    struct world *world = world_create((struct world_settings){.shards = 2, .matches_max = 1});
    world->referee.kept_ms = 0;
    duel_asks(world, 0, 1);
    takes_only(world, BEN, 0);
    for (unsigned i = 0; i < OUTBOX_SLOTS; i++) {
        is_lost(world, ADA);
        settle(world);
        is_back(world, ADA, 0);
    }
    leaves(world, ADA);
    settle(world);
    is_idle(world, CAT, 0);
    for (unsigned i = 0; i < 2; i++) {
        joins_the_house(world, CAT);
        run_ms(world, LONG_MS);
        leaves(world, CAT);
        settle(world);
    }
    look_away(world, CAT);
    assert_int_equal(sessions_in(world, SESSION_PLAYING), 1);
    return world;
}

static void who_takes_a_forgotten_end_too_late_is_sent_away(void **state)
{
    (void)state;
    struct world *world = with_ben_behind_a_forgotten_end();
    takes_everything(world, BEN);
    settle(world);
    assert_int_equal(count_said(world, BEN, "end"), 0);
    expect_closed(world, BEN, CLOSE_FULL);
    assert_int_equal(sessions_in(world, SESSION_PLAYING), 0);
    /* And comes back to nothing. */
    comes(world, BEN, 1);
    shows_its_token(world, BEN);
    joins(world, BEN);
    settle(world);
    expect_among(world, BEN, "queued");
    world_close(world);
}

static void who_never_takes_a_forgotten_end_is_forgotten_too(void **state)
{
    (void)state;
    struct world *world = with_ben_behind_a_forgotten_end();
    is_lost(world, BEN);
    settle(world);
    assert_int_equal(sessions_in(world, SESSION_PLAYING), 0);
    assert_int_equal(players_present(world), 2);
    world_close(world);
}

static void who_missed_an_end_that_is_forgotten_is_loaded_again(void **state)
{
    (void)state;
    /* A seed with which ADA's home is on shard 0. */
    struct world *world =
        world_create((struct world_settings){.shards = 2, .matches_max = 1, .seed = 1});
    is_idle(world, DAN, 0);
    duel_begins(world, 0, 0);
    is_known_to_the_store(world, ADA, 140000);
    is_lost(world, ADA);
    settle(world);
    comes(world, ADA, 1);
    resumes(world, ADA);
    (void)run_once(world); /* The claim is on its way. */
    stall(world, 1);
    run_ms(world, GRACE_MS + CALM_MS);
    joins_the_house(world, DAN);
    settle(world);
    leaves_this_match(world, DAN); /* Its end takes the place of the first one. */
    settle(world);
    world->referee.kept_ms = 0;
    go_on(world, 1);
    settle(world);
    assert_int_equal(number_in(last_said(world, ADA, "welcome"), "rating"), 1400);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_room_lacks_the_oldest_is_forgotten),
        cmocka_unit_test(an_end_that_found_no_way_is_not_forgotten_for_newer_ones),
        cmocka_unit_test(an_end_that_found_no_way_is_kept_over_its_time),
        cmocka_unit_test(a_place_kept_at_an_end_is_had_once),
        cmocka_unit_test(after_two_who_leaves_may_join),
        cmocka_unit_test(the_third_has_its_price),
        cmocka_unit_test(the_price_is_for_the_player_and_not_the_connection),
        cmocka_unit_test(the_price_waits_for_who_goes_before_the_welcome),
        cmocka_unit_test(an_end_that_is_told_again_is_one_dodge),
        cmocka_unit_test(after_the_window_the_count_begins_anew),
        cmocka_unit_test(who_takes_a_forgotten_end_too_late_is_sent_away),
        cmocka_unit_test(who_never_takes_a_forgotten_end_is_forgotten_too),
        cmocka_unit_test(who_missed_an_end_that_is_forgotten_is_loaded_again),
    };
    return cmocka_run_group_tests_name("hosted", tests, NULL, NULL);
}
