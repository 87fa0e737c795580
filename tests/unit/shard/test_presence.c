/* One player on several connections: who speaks for it now, and what passes from one to the next. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shard_expect.h"

enum { LONG_MS = 1000 };

static void opens_a_tab(struct world *world, unsigned tab, unsigned of, unsigned shard)
{
    knows_what(world, tab, of);
    comes(world, tab, shard);
    resumes(world, tab);
}

static void the_newest_connection_wins(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    is_idle(world, ADA, 0);
    opens_a_tab(world, BEN, ADA, 2);
    settle(world);
    expect_said(world, ADA, "bye taken_over");
    expect_closed(world, ADA, CLOSE_TAKEN_OVER);
    expect_said(world, BEN, "welcome");
    assert_true(id_equal(&world->clients[ADA].player, &world->clients[BEN].player));
    assert_int_equal(players_present(world), 1);
    world_close(world);
}

static unsigned open_among(const struct world *world, unsigned from, unsigned to)
{
    unsigned open = 0;
    for (unsigned i = from; i <= to; i++) open += world->clients[i].is_connected;
    return open;
}

static void of_two_at_once_one_is_overtaken(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    is_idle(world, ADA, 0);
    opens_a_tab(world, BEN, ADA, 1);
    opens_a_tab(world, CAT, ADA, 2);
    settle(world);
    expect_closed(world, ADA, CLOSE_TAKEN_OVER);
    assert_int_equal(open_among(world, BEN, CAT), 1);
    assert_int_equal(players_present(world), 1);
    world_close(world);
}

static void of_three_at_once_one_is_left(void **state)
{
    (void)state;
    struct world *world = world_of(4);
    is_idle(world, ADA, 0);
    opens_a_tab(world, BEN, ADA, 1);
    opens_a_tab(world, CAT, ADA, 2);
    opens_a_tab(world, DAN, ADA, 3);
    settle(world);
    assert_int_equal(open_among(world, ADA, DAN), 1);
    assert_int_equal(players_present(world), 1);
    world_close(world);
}

static void a_claimant_that_is_overtaken_is_closed_before_its_hello_is_answered(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    is_idle(world, ADA, 2);
    stall(world, 2); /* The holder does not let go, */
    opens_a_tab(world, BEN, ADA, 0);
    settle(world);
    opens_a_tab(world, CAT, ADA, 1);
    settle(world);
    go_on(world, 2);
    settle(world);
    expect_closed(world, ADA, CLOSE_TAKEN_OVER);
    expect_said(world, BEN, "bye taken_over");
    expect_closed(world, BEN, CLOSE_TAKEN_OVER);
    expect_said(world, CAT, "welcome");
    world_close(world);
}

static void a_hello_that_is_read_late_is_an_older_connections_all_the_same(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    is_idle(world, ADA, 2);
    opens_a_tab(world, BEN, ADA, 0);
    stall(world, 0); /* What BEN has said is under way for long. */
    run_ms(world, LONG_MS);
    opens_a_tab(world, CAT, ADA, 1);
    settle(world);
    expect_closed(world, ADA, CLOSE_TAKEN_OVER);
    expect_said(world, CAT, "welcome");
    go_on(world, 0);
    settle(world);
    expect_said(world, BEN, "bye taken_over");
    expect_closed(world, BEN, CLOSE_TAKEN_OVER);
    expect_open(world, CAT);
    expect_nothing_said(world, CAT);
    world_close(world);
}

static void one_that_is_overtaken_hears_so_even_if_the_first_word_was_lost(void **state)
{
    (void)state;
    struct world *world = world_create(
        (struct world_settings){.shards = 3, .mailbox_bytes = 2 * MAILBOX_RECORD_BYTES_MAX});
    is_idle(world, ADA, 2);
    stall(world, 2);
    opens_a_tab(world, BEN, ADA, 0);
    settle(world);
    stall(world, 0);
    jam(world, 1, 0);
    jam(world, 2, 0);
    opens_a_tab(world, CAT, ADA, 1);
    settle(world);
    go_on(world, 2);
    settle(world);
    go_on(world, 0);
    run_ms(world, 3 * LONG_MS);
    expect_closed(world, BEN, CLOSE_TAKEN_OVER);
    expect_among(world, CAT, "welcome");
    world_close(world);
}

static void the_secret_before_is_valid_until_the_first_message(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_idle(world, ADA, 0);
    opens_a_tab(world, BEN, ADA, 1);
    settle(world);
    /* BEN's welcome was lost: what is known is what ADA had. */
    opens_a_tab(world, CAT, ADA, 0);
    settle(world);
    expect_said(world, CAT, "welcome");
    expect_closed(world, BEN, CLOSE_TAKEN_OVER);
    world_close(world);
}

static void two_lost_welcomes_lock_nobody_out(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_idle(world, ADA, 0);
    opens_a_tab(world, BEN, ADA, 1);
    settle(world);
    opens_a_tab(world, CAT, ADA, 0);
    settle(world);
    opens_a_tab(world, DAN, ADA, 1);
    settle(world);
    expect_said(world, DAN, "welcome");
    world_close(world);
}

static void and_not_longer(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_idle(world, ADA, 0);
    opens_a_tab(world, BEN, ADA, 1);
    settle(world);
    pings(world, BEN);
    settle(world);
    opens_a_tab(world, CAT, ADA, 0);
    settle(world);
    expect_said(world, CAT, "error resume_expired");
    expect_open(world, BEN);
    opens_a_tab(world, DAN, BEN, 0);
    settle(world);
    expect_said(world, DAN, "welcome");
    world_close(world);
}

static void a_release_that_crosses_is_the_answer(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    is_idle(world, ADA, 2);
    stall(world, 2);
    knows_what(world, BEN, ADA);
    comes(world, BEN, 0);
    resumes_or_shows_its_token(world, BEN);
    settle(world); /* LET_GO waits where ADA is. */
    is_lost(world, ADA);
    go_on(world, 2);
    settle(world);
    expect_said(world, BEN, "welcome");
    assert_int_equal(players_present(world), 1);
    world_close(world);
}

static void a_release_that_crosses_a_resume_has_ended_the_session(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    is_idle(world, ADA, 2);
    stall(world, 2);
    opens_a_tab(world, BEN, ADA, 0);
    settle(world);
    is_lost(world, ADA);
    go_on(world, 2);
    settle(world);
    expect_said(world, BEN, "error resume_expired");
    assert_int_equal(players_present(world), 0);
    world_close(world);
}

static void who_is_still_greeting_lets_go(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_idle(world, ADA, 0);
    is_lost(world, ADA);
    settle(world);
    is_known_to_the_store(world, ADA, 170000);
    world->loads.mode = STORE_DEAD;
    comes(world, ADA, 0);
    shows_its_token(world, ADA);
    settle(world);
    knows_what(world, BEN, ADA);
    comes(world, BEN, 1);
    shows_its_token(world, BEN);
    settle(world);
    expect_said(world, ADA, "bye taken_over");
    world->loads.mode = STORE_PROMPT;
    settle(world);
    expect_said(world, BEN, "welcome");
    assert_int_equal(number_in(last_said(world, BEN, "welcome"), "rating"), 1700);
    world_close(world);
}

static void who_is_queued_lets_go_and_the_place_stays(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, ADA, 0);
    run_ms(world, 5 * LONG_MS);
    opens_a_tab(world, BEN, ADA, 1);
    settle(world);
    expect_said(world, BEN, "welcome, queued");
    assert_in_range(number_in(last_said(world, BEN, "queued"), "waited_ms"), 5 * LONG_MS,
                    6 * LONG_MS);
    assert_int_equal(stats_of(world, 0).ticket_slots.now, 1);
    is_idle(world, CAT, 0);
    joins(world, CAT);
    settle(world);
    expect_said(world, BEN, "match");
    world_close(world);
}

static void who_is_joining_lets_go_when_it_has_its_place(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    is_idle(world, ADA, 1);
    stall(world, 0); /* The lobby. */
    joins(world, ADA);
    settle(world);
    opens_a_tab(world, BEN, ADA, 2);
    settle(world);
    go_on(world, 0);
    settle(world);
    expect_closed(world, ADA, CLOSE_TAKEN_OVER);
    expect_said(world, BEN, "welcome, queued");
    world_close(world);
}

/* What `from` sends `to` from now on arrives when so much time has passed. */
static void holds_back(struct world *world, unsigned from, unsigned to, uint32_t ms)
{
    world->relays[from][to].is_under_way = true;
    world->relays[from][to].due = mono_after(world->now, ms);
}

/* Its session has asked for the place twice, heard of the first answer, and handed over; what it asked second comes
 * when the place is another's. (The player's home is shard 1.) */
static void who_has_let_go_of_a_place_does_not_get_it_back(void **state)
{
    (void)state;
    struct world *world =
        world_create((struct world_settings){.shards = 3, .has_late_mailboxes = true, .seed = 1});
    is_queued(world, ADA, 1);
    holds_back(world, 0, 2, 2 * LONG_MS);
    opens_a_tab(world, BEN, ADA, 2);
    run_ms(world, LONG_MS / 2);
    expect_said(world, BEN, "welcome");
    holds_back(world, 2, 0, 3 * LONG_MS);
    run_ms(world, 2 * LONG_MS);
    expect_among(world, BEN, "queued");
    opens_a_tab(world, CAT, ADA, 1);
    settle(world);
    expect_said(world, CAT, "welcome, queued");
    run_ms(world, 2 * LONG_MS);
    is_idle(world, DAN, 0);
    joins(world, DAN);
    settle(world);
    expect_among(world, CAT, "match");
    world_close(world);
}

static void a_place_that_is_offered_as_it_changes_hands_leads_to_the_match(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    is_queued(world, ADA, 1);
    is_idle(world, CAT, 0);
    stall(world, 1);
    opens_a_tab(world, BEN, ADA, 2);
    joins(world, CAT);
    settle(world); /* The offer waits beside LET_GO. */
    go_on(world, 1);
    settle(world);
    expect_among(world, BEN, "match");
    expect_said(world, CAT, "queued, match");
    assert_int_equal(matches_live(world), 1);
    world_close(world);
}

static void who_plays_lets_go_and_nobody_hears_of_it(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    opens_a_tab(world, CAT, ADA, 1);
    settle(world);
    expect_said(world, ADA, "bye taken_over");
    expect_said(world, CAT, "welcome, clock");
    expect_nothing_said(world, BEN);
    answers(world, CAT, 1, 0);
    settle(world);
    expect_said(world, CAT, "accepted, answered");
    expect_said(world, BEN, "answered");
    world_close(world);
}

static void who_settles_lets_go_and_the_next_one_hears_the_end(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    world->saves.mode = STORE_LATE;
    world->saves.delay_ms = LONG_MS;
    plays_to_the_end(world);
    opens_a_tab(world, CAT, ADA, 1);
    settle(world);
    expect_said(world, CAT, "welcome"); /* No clock: the last round is over. */
    joins(world, CAT);
    settle(world);
    expect_said(world, CAT, "error unavailable");
    run_ms(world, LONG_MS);
    expect_among(world, CAT, "end finished");
    world_close(world);
}

static void an_end_that_was_not_seen_is_told_again(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    falls_silent(world, ADA);
    leaves(world, BEN);
    settle(world);
    expect_said(world, ADA, "peer gone, end forfeit");
    knows_what(world, CAT, ADA);
    comes(world, CAT, 1);
    resumes_after(world, CAT, 2);
    settle(world);
    expect_said(world, CAT, "welcome, peer gone, end forfeit");
    expect_same_bytes(world, ADA, CAT, "end");
    pings(world, CAT);
    pings(world, BEN);
    settle(world);
    assert_int_equal(matches_kept(world), 0);
    world_close(world);
}

static void a_release_that_crosses_a_token_hands_over(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    is_idle(world, ADA, 2);
    stall(world, 2);
    knows_what(world, BEN, ADA);
    knows_what(world, CAT, ADA);
    comes(world, BEN, 0);
    shows_its_token(world, BEN);
    settle(world); /* LET_GO waits where ADA is. */
    is_lost(world, ADA);
    go_on(world, 2);
    settle(world);
    expect_said(world, BEN, "welcome");
    assert_int_equal(players_present(world), 1);
    /* What ADA's session was for is forgotten, though its welcome is BEN's last but one. */
    comes(world, CAT, 1);
    resumes(world, CAT);
    settle(world);
    expect_said(world, CAT, "error resume_expired");
    expect_open(world, BEN);
    world_close(world);
}

static void an_impossible_claim_does_not_stand_in_the_next_ones_way(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    duel_asks(world, 2, 2);
    knows_what(world, CAT, ADA);
    stall(world, 2);
    comes(world, CAT, 0);
    resumes_after(world, CAT, world->clients[ADA].last_seq + 1);
    settle(world); /* LET_GO for it waits where ADA is. */
    opens_a_tab(world, DAN, ADA, 1);
    settle(world);
    expect_said(world, CAT, "bye taken_over");
    go_on(world, 2);
    settle(world);
    expect_said(world, DAN, "welcome, clock");
    expect_said(world, ADA, "bye taken_over");
    expect_nothing_said(world, BEN);
    world_close(world);
}

static void what_comes_behind_the_next_connection_does_not_count(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    duel_asks(world, 0, 2);
    /* The match is on shard 0 and nobody's home: BEN is handed over while it stands still. */
    assert_int_equal(stats_of(world, 0).match_slots.now, 1);
    assert_int_equal(stats_of(world, 0).presence_slots.now, 0);
    stall(world, 0);
    answers(world, BEN, 1, right_choice(world, BEN));
    settle(world);
    opens_a_tab(world, CAT, BEN, 1);
    settle(world);
    go_on(world, 0); /* Which hears shard 1 before shard 2. */
    settle(world);
    expect_said(world, CAT, "welcome, clock");
    expect_said(world, BEN, "bye taken_over");
    expect_nothing_said(world, ADA);
    answers(world, CAT, 1, wrong_choice(world, BEN));
    settle(world);
    expect_said(world, CAT, "accepted, answered");
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_connection_wins),
        cmocka_unit_test(of_two_at_once_one_is_overtaken),
        cmocka_unit_test(of_three_at_once_one_is_left),
        cmocka_unit_test(a_claimant_that_is_overtaken_is_closed_before_its_hello_is_answered),
        cmocka_unit_test(a_hello_that_is_read_late_is_an_older_connections_all_the_same),
        cmocka_unit_test(one_that_is_overtaken_hears_so_even_if_the_first_word_was_lost),
        cmocka_unit_test(the_secret_before_is_valid_until_the_first_message),
        cmocka_unit_test(two_lost_welcomes_lock_nobody_out),
        cmocka_unit_test(and_not_longer),
        cmocka_unit_test(a_release_that_crosses_is_the_answer),
        cmocka_unit_test(a_release_that_crosses_a_resume_has_ended_the_session),
        cmocka_unit_test(who_is_still_greeting_lets_go),
        cmocka_unit_test(who_is_queued_lets_go_and_the_place_stays),
        cmocka_unit_test(who_is_joining_lets_go_when_it_has_its_place),
        cmocka_unit_test(who_has_let_go_of_a_place_does_not_get_it_back),
        cmocka_unit_test(a_place_that_is_offered_as_it_changes_hands_leads_to_the_match),
        cmocka_unit_test(who_plays_lets_go_and_nobody_hears_of_it),
        cmocka_unit_test(who_settles_lets_go_and_the_next_one_hears_the_end),
        cmocka_unit_test(an_end_that_was_not_seen_is_told_again),
        cmocka_unit_test(a_release_that_crosses_a_token_hands_over),
        cmocka_unit_test(an_impossible_claim_does_not_stand_in_the_next_ones_way),
        cmocka_unit_test(what_comes_behind_the_next_connection_does_not_count),
    };
    return cmocka_run_group_tests_name("presence", tests, NULL, NULL);
}
