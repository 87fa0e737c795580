/* What may be said in which state, and what cannot be read. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shard_expect.h"

static void before_hello_nothing_is_allowed(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    comes(world, ADA, 0);
    joins(world, ADA);
    leaves(world, ADA);
    answers(world, ADA, 1, 0);
    pings(world, ADA);
    emotes(world, ADA);
    settle(world);
    expect_said(world, ADA,
                "error not_authenticated, error not_authenticated, error not_authenticated, "
                "error not_authenticated, error not_authenticated");
    greets(world, ADA);
    settle(world);
    expect_said(world, ADA, "welcome");
    world_close(world);
}

static void an_emote_without_id_gets_no_answer_anywhere(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    comes(world, ADA, 0);
    emotes_without_id(world, ADA);
    greets(world, ADA);
    settle(world);
    emotes_without_id(world, ADA);
    settle(world);
    expect_said(world, ADA, "welcome");
    world_close(world);
}

static void what_is_no_json_gets_an_error_without_id(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    says(world, ADA, "nonsense");
    settle(world);
    expect_said(world, ADA, "error bad_json");
    assert_null(strstr(last_said(world, ADA, "error"), "\"id\""));
    world_close(world);
}

static void an_unknown_type_is_told_with_its_id(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    uint32_t id = asks(world, ADA, "dance", "");
    settle(world);
    expect_said(world, ADA, "error unknown_type");
    expect_reply(world, ADA, "error", id);
    world_close(world);
}

static void a_missing_field_is_a_bad_message_that_names_it(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    uint32_t id = asks(world, ADA, "answer", "\"round\":1");
    settle(world);
    expect_said(world, ADA, "error bad_message");
    expect_reply(world, ADA, "error", id);
    assert_non_null(strstr(last_said(world, ADA, "error"), "choice"));
    world_close(world);
}

static void a_ping_brings_the_same_at_back(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    asks(world, ADA, "ping", "\"at\":\"now\"");
    asks(world, ADA, "ping", "\"at\":-9007199254740992");
    settle(world);
    expect_said(world, ADA, "pong, pong");
    assert_non_null(strstr(last_said(world, ADA, "pong"), "\"at\":-9007199254740992"));
    world_close(world);
}

static void a_ping_is_answered_in_a_match_too(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    pings(world, BEN);
    settle(world);
    expect_said(world, BEN, "pong");
    world_close(world);
}

static void an_unknown_emote_is_a_bad_message(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    asks(world, BEN, "emote", "\"code\":\"boo\"");
    settle(world);
    expect_said(world, BEN, "error bad_message");
    expect_nothing_said(world, ADA);
    world_close(world);
}

static void who_is_being_sent_away_is_not_heard(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    comes(world, ADA, 0);
    asks(world, ADA, "hello", "\"token\":\"x\"");
    greets(world, ADA);
    settle(world);
    expect_said(world, ADA, "error auth_failed, bye auth_failed");
    assert_int_equal(stats_of(world, 0).messages_in, 1);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_hello_nothing_is_allowed),
        cmocka_unit_test(an_emote_without_id_gets_no_answer_anywhere),
        cmocka_unit_test(what_is_no_json_gets_an_error_without_id),
        cmocka_unit_test(an_unknown_type_is_told_with_its_id),
        cmocka_unit_test(a_missing_field_is_a_bad_message_that_names_it),
        cmocka_unit_test(a_ping_brings_the_same_at_back),
        cmocka_unit_test(a_ping_is_answered_in_a_match_too),
        cmocka_unit_test(an_unknown_emote_is_a_bad_message),
        cmocka_unit_test(who_is_being_sent_away_is_not_heard),
    };
    return cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
}
