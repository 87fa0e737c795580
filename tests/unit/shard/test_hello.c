/* Whom a new connection speaks for: by a name, by a token, by a session before. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "shard_expect.h"

enum { STORED_CENTI = 172300, STORED = 1723, LONG_MS = 1000 };

/* ADA is known, and her connection gone; nothing of her is left but what she has kept. */
static struct world *with_ada_away(unsigned shards)
{
    struct world *world = world_of(shards);
    is_idle(world, ADA, 0);
    is_lost(world, ADA);
    settle(world);
    assert_int_equal(players_present(world), 0);
    return world;
}

static void comes_back_with_a_token(struct world *world, unsigned shard)
{
    comes(world, ADA, shard);
    shows_its_token(world, ADA);
    settle(world);
}

static void a_token_is_the_same_player_another_day(void **state)
{
    (void)state;
    struct world *world = with_ada_away(2);
    struct id before = world->clients[ADA].player;
    is_known_to_the_store(world, ADA, STORED_CENTI);
    comes_back_with_a_token(world, 1);
    expect_said(world, ADA, "welcome");
    const char *welcome = last_said(world, ADA, "welcome");
    assert_true(id_equal(&world->clients[ADA].player, &before));
    assert_int_equal(number_in(welcome, "rating"), STORED);
    assert_non_null(strstr(welcome, "\"name\":\"Stored\""));
    assert_int_equal(world->loads.asked, 1);
    world_close(world);
}

static void a_token_that_the_store_does_not_know_names_a_new_player(void **state)
{
    (void)state;
    struct world *world = with_ada_away(1);
    comes_back_with_a_token(world, 0);
    expect_said(world, ADA, "welcome");
    const char *welcome = last_said(world, ADA, "welcome");
    assert_int_equal(number_in(welcome, "rating"), 1500);
    assert_non_null(strstr(welcome, "\"name\":\"Player 0\""));
    world_close(world);
}

static void a_name_asks_no_store(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    world->loads.mode = STORE_DEAD;
    is_idle(world, ADA, 0);
    assert_int_equal(world->loads.asked, 0);
    world_close(world);
}

static void expect_unavailable_and_then_welcome(enum store_mode mode)
{
    struct world *world = with_ada_away(2);
    world->loads.mode = mode;
    comes_back_with_a_token(world, 1);
    expect_said(world, ADA, "error unavailable");
    assert_true(number_in(last_said(world, ADA, "error"), "retry_ms") > 0);
    expect_open(world, ADA);
    assert_int_equal(players_present(world), 0);
    world->loads.mode = STORE_PROMPT;
    shows_its_token(world, ADA);
    settle(world);
    expect_said(world, ADA, "welcome");
    world_close(world);
}

static void a_store_that_fails_is_unavailable(void **state)
{
    (void)state;
    expect_unavailable_and_then_welcome(STORE_FAILING);
}

static void a_store_without_room_is_unavailable(void **state)
{
    (void)state;
    expect_unavailable_and_then_welcome(STORE_REFUSING);
}

static void a_late_store_is_waited_for(void **state)
{
    (void)state;
    struct world *world = with_ada_away(1);
    world->loads.mode = STORE_LATE;
    world->loads.delay_ms = 3 * LONG_MS;
    comes_back_with_a_token(world, 0);
    pings(world, ADA);
    run_ms(world, 2 * LONG_MS);
    expect_nothing_said(world, ADA);
    run_ms(world, LONG_MS);
    expect_said(world, ADA, "welcome, pong");
    assert_int_equal(world->loads.asked, 1);
    world_close(world);
}

static void who_is_lost_while_the_store_is_asked_leaves_nothing(void **state)
{
    (void)state;
    struct world *world = with_ada_away(2);
    world->loads.mode = STORE_LATE;
    world->loads.delay_ms = LONG_MS;
    comes_back_with_a_token(world, 1);
    is_lost(world, ADA);
    settle(world);
    assert_int_equal(world->loads.cancelled, 1);
    assert_int_equal(players_present(world), 0);
    assert_int_equal(stats_of(world, 1).session_slots.now, 0);
    world_close(world);
}

static void of_a_player_that_could_not_be_loaded_nothing_stays(void **state)
{
    (void)state;
    struct world *world = with_ada_away(1);
    world->loads.mode = STORE_FAILING;
    comes_back_with_a_token(world, 0);
    greets(world, ADA);
    settle(world);
    expect_said(world, ADA, "error unavailable, welcome");
    assert_int_equal(players_present(world), 1);
    world_close(world);
}

static void a_session_that_is_not_known_has_expired(void **state)
{
    (void)state;
    struct world *world = with_ada_away(2);
    comes(world, ADA, 1);
    resumes(world, ADA);
    greets(world, ADA);
    settle(world);
    expect_said(world, ADA, "error resume_expired, welcome");
    world_close(world);
}

static void where_the_session_has_expired_the_token_is_tried(void **state)
{
    (void)state;
    struct world *world = with_ada_away(2);
    struct id before = world->clients[ADA].player;
    comes(world, ADA, 1);
    resumes_or_shows_its_token(world, ADA);
    settle(world);
    expect_said(world, ADA, "welcome");
    assert_true(id_equal(&world->clients[ADA].player, &before));
    world_close(world);
}

static void says_hello_with(struct world *world, unsigned client, const char *session,
                            const char *token)
{
    char fields[512];
    (void)snprintf(fields, sizeof(fields), "\"resume\":\"%s\",\"token\":\"%s\"", session,
                   token); /* It fits. */
    asks(world, client, "hello", fields);
}

static void where_the_session_has_expired_a_bad_token_is_refused(void **state)
{
    (void)state;
    struct world *world = with_ada_away(2);
    comes(world, ADA, 1);
    says_hello_with(world, ADA, world->clients[ADA].session_text, "forged");
    settle(world);
    expect_said(world, ADA, "error auth_failed, bye auth_failed");
    expect_closed(world, ADA, CLOSE_AUTH);
    world_close(world);
}

static void a_session_that_is_known_needs_no_good_token(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_queued(world, ADA, 0);
    is_lost(world, ADA);
    settle(world);
    comes(world, ADA, 1);
    says_hello_with(world, ADA, world->clients[ADA].session_text, "forged");
    settle(world);
    expect_said(world, ADA, "welcome, queued");
    world_close(world);
}

static void session_and_token_of_two_players_are_a_bad_message(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_idle(world, ADA, 0);
    is_idle(world, BEN, 1);
    comes(world, CAT, 1);
    says_hello_with(world, CAT, world->clients[ADA].session_text, world->clients[BEN].token);
    greets(world, CAT);
    settle(world);
    expect_said(world, CAT, "error bad_message, welcome");
    expect_open(world, ADA);
    expect_open(world, BEN);
    world_close(world);
}

static void a_secret_that_is_not_the_players_has_expired(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_idle(world, ADA, 0);
    knows_what(world, BEN, ADA);
    char *last = &world->clients[BEN].session_text[SESSION_TEXT_BYTES - 1];
    *last = *last == '0' ? '1' : '0';
    comes(world, BEN, 1);
    resumes(world, BEN);
    settle(world);
    expect_said(world, BEN, "error resume_expired");
    expect_open(world, ADA);
    expect_nothing_said(world, ADA);
    world_close(world);
}

static void to_have_what_was_never_sent_is_a_bad_message_and_changes_nothing(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    knows_what(world, CAT, ADA);
    comes(world, CAT, 1);
    resumes_after(world, CAT, world->clients[ADA].last_seq + 1);
    settle(world);
    expect_said(world, CAT, "error bad_message");
    expect_nothing_said(world, ADA);
    expect_nothing_said(world, BEN);
    answers(world, ADA, 1, 0);
    settle(world);
    expect_said(world, ADA, "accepted, answered");
    resumes(world, CAT); /* The truth, on the same connection. */
    settle(world);
    expect_said(world, CAT, "welcome, clock");
    expect_said(world, ADA, "bye taken_over");
    world_close(world);
}

static void what_is_ahead_of_another_match_is_not_ahead(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    duel_asks(world, 0, 0);
    is_lost(world, ADA);
    settle(world);
    comes_back_with_a_token(world, 0);
    look_away(world, ADA);
    is_lost(world, ADA);
    settle(world);
    memcpy(world->clients[ADA].last_match, "01890000-0000-7000-8000-000000000000", ID_TEXT_BYTES);
    comes(world, ADA, 0);
    resumes_after(world, ADA, 50);
    settle(world);
    expect_said(world, ADA,
                "welcome, match, round, peer away, peer back, peer away, clock, peer back");
    world_close(world);
}

/* The answer to a hello of BEN's does not find its way. */
static void a_denial_that_is_lost_is_asked_for_again(void **state)
{
    (void)state;
    struct world *world = world_create(
        (struct world_settings){.shards = 2, .mailbox_bytes = 2 * MAILBOX_RECORD_BYTES_MAX});
    comes(world, BEN, 1);
    /* Nobody's, at home on shard 0: the bytes of the player's second half add up to nothing. */
    asks(world, BEN, "hello",
         "\"resume\":\"0189000000000000000000000000000000000000000000000000000000000000\"");
    stall(world, 0);
    run_ms(world, 0); /* The claim is on its way. */
    stall(world, 1);
    jam(world, 0, 1);
    go_on(world, 0);
    settle(world); /* The denial has found no room. */
    go_on(world, 1);
    settle(world);
    expect_nothing_said(world, BEN);
    run_ms(world, LONG_MS);
    expect_said(world, BEN, "error resume_expired");
    world_close(world);
}

static void a_denial_that_comes_twice_does_not_meet_the_next_hello(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    comes(world, BEN, 1);
    asks(world, BEN, "hello",
         "\"resume\":\"0189000000000000000000000000000000000000000000000000000000000000\"");
    greets(world, BEN); /* Waits for the answer. */
    stall(world, 0);
    run_ms(world, 2 * LONG_MS + HOPS_MS); /* Asked three times. */
    go_on(world, 0);
    run_ms(world, 2 * LONG_MS);
    expect_said(world, BEN, "error resume_expired, welcome");
    world_close(world);
}

/* Of the right length, and no digits. */
static const char no_digits[] = "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz";

static void what_is_no_session_has_expired(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    comes(world, ADA, 0);
    asks(world, ADA, "hello", "\"resume\":\"short\"");
    strcpy(world->clients[ADA].session_text, no_digits);
    resumes(world, ADA);
    greets(world, ADA);
    settle(world);
    expect_said(world, ADA, "error resume_expired, error resume_expired, welcome");
    world_close(world);
}

static void beside_what_is_no_session_the_token_is_tried(void **state)
{
    (void)state;
    struct world *world = with_ada_away(2);
    struct id before = world->clients[ADA].player;
    comes(world, ADA, 1);
    says_hello_with(world, ADA, no_digits, world->clients[ADA].token);
    settle(world);
    expect_said(world, ADA, "welcome");
    assert_true(id_equal(&world->clients[ADA].player, &before));
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_the_same_player_another_day),
        cmocka_unit_test(a_token_that_the_store_does_not_know_names_a_new_player),
        cmocka_unit_test(a_name_asks_no_store),
        cmocka_unit_test(a_store_that_fails_is_unavailable),
        cmocka_unit_test(a_store_without_room_is_unavailable),
        cmocka_unit_test(a_late_store_is_waited_for),
        cmocka_unit_test(who_is_lost_while_the_store_is_asked_leaves_nothing),
        cmocka_unit_test(of_a_player_that_could_not_be_loaded_nothing_stays),
        cmocka_unit_test(a_session_that_is_not_known_has_expired),
        cmocka_unit_test(where_the_session_has_expired_the_token_is_tried),
        cmocka_unit_test(where_the_session_has_expired_a_bad_token_is_refused),
        cmocka_unit_test(a_session_that_is_known_needs_no_good_token),
        cmocka_unit_test(session_and_token_of_two_players_are_a_bad_message),
        cmocka_unit_test(a_secret_that_is_not_the_players_has_expired),
        cmocka_unit_test(to_have_what_was_never_sent_is_a_bad_message_and_changes_nothing),
        cmocka_unit_test(what_is_ahead_of_another_match_is_not_ahead),
        cmocka_unit_test(a_denial_that_is_lost_is_asked_for_again),
        cmocka_unit_test(a_denial_that_comes_twice_does_not_meet_the_next_hello),
        cmocka_unit_test(what_is_no_session_has_expired),
        cmocka_unit_test(beside_what_is_no_session_the_token_is_tried),
    };
    return cmocka_run_group_tests_name("hello", tests, NULL, NULL);
}
