/* A connection's life: hello, deadlines, the end. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shard_expect.h"

static void hello_is_answered_with_a_welcome(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    comes(world, ADA, 0);
    uint32_t id = greets(world, ADA);
    settle(world);
    expect_said(world, ADA, "welcome");
    expect_reply(world, ADA, "welcome", id);
    assert_non_null(strstr(last_said(world, ADA, "welcome"), "\"name\":\"Player 0\""));
    world_close(world);
}

static void a_player_whose_home_is_another_shard_is_welcomed_too(void **state)
{
    (void)state;
    struct world *world = world_of(3);
    for (unsigned client = ADA; client <= LEO; client++) is_idle(world, client, client % 3);
    for (unsigned shard = 0; shard < 3; shard++) {
        assert_true(stats_of(world, shard).presence_slots.now > 0);
    }
    world_close(world);
}

static void what_is_said_behind_hello_waits_for_its_answer(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    comes(world, ADA, 0);
    greets(world, ADA);
    pings(world, ADA);
    joins(world, ADA);
    settle(world);
    expect_said(world, ADA, "welcome, pong, queued");
    world_close(world);
}

static void without_hello_the_connection_is_closed_in_time(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    comes(world, ADA, 0);
    run_ms(world, HELLO_TIMEOUT_MS - 1);
    expect_open(world, ADA);
    run_ms(world, 1);
    expect_said(world, ADA, "bye no_hello");
    expect_closed(world, ADA, CLOSE_NO_HELLO);
    world_close(world);
}

static void who_has_said_hello_may_be_silent(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    run_ms(world, 10 * HELLO_TIMEOUT_MS);
    expect_open(world, ADA);
    expect_nothing_said(world, ADA);
    world_close(world);
}

static void a_second_hello_is_bad_state(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    greets(world, ADA);
    settle(world);
    expect_said(world, ADA, "error bad_state");
    world_close(world);
}

static void a_token_is_refused_and_the_connection_closed(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    comes(world, ADA, 0);
    asks(world, ADA, "hello", "\"token\":\"x\"");
    settle(world);
    expect_said(world, ADA, "error auth_failed, bye auth_failed");
    expect_closed(world, ADA, CLOSE_AUTH);
    world_close(world);
}

static void after_resume_expired_another_hello_may_follow(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    comes(world, ADA, 0);
    asks(world, ADA, "hello", "\"resume\":\"x\"");
    greets(world, ADA);
    settle(world);
    expect_said(world, ADA, "error resume_expired, welcome");
    world_close(world);
}

static void a_bad_name_is_refused_and_another_may_follow(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    comes(world, ADA, 0);
    asks(world, ADA, "hello", "\"name\":\" \"");
    greets(world, ADA);
    settle(world);
    expect_said(world, ADA, "error bad_name, welcome");
    world_close(world);
}

static void a_full_shard_takes_no_more(void **state)
{
    (void)state;
    enum {
        SESSIONS = 2,
        SLOTS = SESSIONS + SESSIONS / 2 + 16
    }; /* Some for players who are lost. */
    struct world *world =
        world_create((struct world_settings){.sessions_max = SESSIONS, .clients = SLOTS + 1});
    for (unsigned client = 0; client < SLOTS; client++) is_idle(world, client, 0);
    comes(world, SLOTS, 0);
    assert_false(world->clients[SLOTS].is_connected);
    is_lost(world, ADA);
    settle(world);
    is_idle(world, SLOTS, 0);
    world_close(world);
}

static void who_has_gone_from_ended_matches_keeps_nobody_out(void **state)
{
    (void)state;
    enum { SESSIONS = 4, SLOTS = SESSIONS + SESSIONS / 2 + 16 };
    struct world *world = world_create(
        (struct world_settings){.sessions_max = SESSIONS, .clients = SLOTS + SESSIONS});
    for (unsigned client = 0; client < SLOTS; client++) {
        is_idle(world, client, 0);
        joins_the_house(world, client);
        settle(world);
        run_ms(world, START_MS);
        leaves(world, client);
        world->clients[client].pong_delay_ms =
            ENDED_KEEP_MS; /* It never says that it has seen `end`. */
        settle(world);
        is_lost(world, client);
        settle(world);
    }
    assert_true(stats_of(world, 0).session_slots.now > SESSIONS);
    for (unsigned client = SLOTS; client < SLOTS + SESSIONS; client++) is_idle(world, client, 0);
    world_close(world);
}

static void who_is_lost_while_greeting_leaves_nothing(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    comes(world, ADA, 1);
    greets(world, ADA);
    is_lost(world, ADA);
    settle(world);
    assert_int_equal(stats_of(world, 1).session_slots.now, 0);
    assert_int_equal(stats_of(world, 0).presence_slots.now, 0);
    assert_int_equal(stats_of(world, 1).presence_slots.now, 0);
    world_close(world);
}

static void a_session_stays_until_its_claim_can_be_taken_back(void **state)
{
    (void)state;
    struct world *world = world_create(
        (struct world_settings){.shards = 2, .mailbox_bytes = 2 * MAILBOX_RECORD_BYTES_MAX});
    stall(world, 0);
    jam(world, 1, 0);
    for (unsigned client = ADA; client <= LEO; client++) {
        comes(world, client, 1);
        greets(world, client);
    }
    run_ms(world, 100);
    for (unsigned client = ADA; client <= LEO; client++) is_lost(world, client);
    run_ms(world, 100);
    assert_true(stats_of(world, 1).lingering > 0); /* Those whose home is shard 0. */
    go_on(world, 0);
    settle(world);
    assert_int_equal(stats_of(world, 1).session_slots.now, 0);
    world_close(world);
}

static void a_silent_shard_needs_no_running(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_idle(world, ADA, 1);
    settle(world);
    uint32_t runs = world->runs;
    run_ms(world, 10 * 1000);
    /* The lobby's figures once a second, for both, and the wheel's looks at its slots. */
    assert_true(world->runs - runs < 10 * 10);
    world_close(world);
}

static void every_state_of_a_session_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(session_state_name(SESSION_NEW), "new");
    assert_string_equal(session_state_name(SESSION_GREETING), "greeting");
    assert_string_equal(session_state_name(SESSION_IDLE), "idle");
    assert_string_equal(session_state_name(SESSION_JOINING), "joining");
    assert_string_equal(session_state_name(SESSION_QUEUED), "queued");
    assert_string_equal(session_state_name(SESSION_ATTACHED), "attached");
    assert_string_equal(session_state_name(SESSION_PLAYING), "playing");
}

static void who_is_idle_is_forgotten_with_the_connection(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_idle(world, ADA, 1);
    is_lost(world, ADA);
    settle(world);
    assert_int_equal(players_present(world), 0);
    assert_int_equal(stats_of(world, 1).session_slots.now, 0);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_idle_is_forgotten_with_the_connection),
        cmocka_unit_test(hello_is_answered_with_a_welcome),
        cmocka_unit_test(a_player_whose_home_is_another_shard_is_welcomed_too),
        cmocka_unit_test(what_is_said_behind_hello_waits_for_its_answer),
        cmocka_unit_test(without_hello_the_connection_is_closed_in_time),
        cmocka_unit_test(who_has_said_hello_may_be_silent),
        cmocka_unit_test(a_second_hello_is_bad_state),
        cmocka_unit_test(a_token_is_refused_and_the_connection_closed),
        cmocka_unit_test(after_resume_expired_another_hello_may_follow),
        cmocka_unit_test(a_bad_name_is_refused_and_another_may_follow),
        cmocka_unit_test(a_full_shard_takes_no_more),
        cmocka_unit_test(who_has_gone_from_ended_matches_keeps_nobody_out),
        cmocka_unit_test(who_is_lost_while_greeting_leaves_nothing),
        cmocka_unit_test(a_session_stays_until_its_claim_can_be_taken_back),
        cmocka_unit_test(a_silent_shard_needs_no_running),
        cmocka_unit_test(every_state_of_a_session_has_a_name),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
