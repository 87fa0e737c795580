/* Duels from the first message to the last, on one shard and on two, and who gets which answer. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shard_expect.h"

enum { WINDOW_OPENS_MS = 30000 };

static void play_a_whole_duel(unsigned first_shard, unsigned second_shard)
{
    struct world *world = world_of(2);
    duel_asks(world, first_shard, second_shard);
    plays_to_the_end(world);
    expect_same_bytes(world, ADA, BEN, "match");
    expect_same_bytes(world, ADA, BEN, "round");
    expect_same_bytes(world, ADA, BEN, "reveal");
    expect_same_bytes(world, ADA, BEN, "end");
    assert_int_equal(count_said(world, ADA, "round"), ROUNDS);
    assert_int_equal(count_said(world, ADA, "reveal"), ROUNDS);
    assert_int_equal(count_said(world, ADA, "end"), 1);
    assert_int_equal(number_in(last_said(world, ADA, "end"), "winner"), 0);
    assert_int_equal(number_in(last_said(world, ADA, "end"), "seq"), 2 + 2 * ROUNDS);
    assert_int_equal(sessions_in(world, SESSION_IDLE), 2);
    assert_int_equal(matches_live(world), 0);
    world_close(world);
}

static void a_whole_duel_on_one_shard(void **state)
{
    (void)state;
    play_a_whole_duel(0, 0);
}

static void a_whole_duel_on_two_shards(void **state)
{
    (void)state;
    play_a_whole_duel(0, 1);
}

static void a_whole_duel_on_another_shard_than_the_lobbys(void **state)
{
    (void)state;
    play_a_whole_duel(1, 1);
}

static void accepted_comes_before_answered_before_reveal(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    uint32_t id = answers(world, BEN, 1, right_choice(world, BEN));
    settle(world);
    expect_said(world, BEN, "accepted, answered");
    expect_reply(world, BEN, "accepted", id);
    expect_said(world, ADA, "answered");
    answers(world, ADA, 1, wrong_choice(world, ADA));
    settle(world);
    expect_said(world, ADA, "accepted, answered, reveal");
    expect_said(world, BEN, "answered, reveal");
    world_close(world);
}

static void the_answer_time_is_that_of_the_arrival(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    run_ms(world, 2000);
    mono_time arrived = world->now;
    answers(world, BEN, 1, right_choice(world, BEN));
    stall(world, 0); /* Where the match is: it hears of the answer later. */
    run_ms(world, 3000);
    go_on(world, 0);
    settle(world);
    uint32_t at_ms = number_in(last_said(world, BEN, "accepted"), "at_ms");
    assert_in_range(at_ms, 2000, 2000 + 2 * HOPS_MS);
    assert_true(arrived.ms < world->now.ms);
    world_close(world);
}

static void a_round_nobody_answers_is_revealed(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    run_ms(world, ROUND_TIME_MS + CLOSE_SLACK_MS + HOPS_MS);
    expect_said(world, ADA, "reveal");
    expect_said(world, BEN, "reveal");
    world_close(world);
}

static void an_answer_that_does_not_count_says_why(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    answers(world, BEN, 2, 0);
    settle(world);
    expect_said(world, BEN, "error wrong_round");
    answers(world, BEN, 1, 4);
    settle(world);
    expect_said(world, BEN, "error bad_choice");
    run_ms(world, ROUND_TIME_MS + CLOSE_SLACK_MS);
    look_away(world, BEN);
    answers(world, BEN, 1, 0);
    settle(world);
    expect_said(world, BEN, "error late_answer");
    world_close(world);
}

static void a_second_answer_brings_the_first_receipt(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    answers(world, BEN, 1, 3);
    settle(world);
    look_away(world, BEN);
    uint32_t id = answers(world, BEN, 1, 2);
    settle(world);
    expect_said(world, BEN, "accepted");
    const char *accepted = last_said(world, BEN, "accepted");
    expect_reply(world, BEN, "accepted", id);
    assert_int_equal(number_in(accepted, "choice"), 3);
    assert_non_null(strstr(accepted, "\"dup\":true"));
    world_close(world);
}

static void an_answer_outside_of_a_match_is_bad_state(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    answers(world, ADA, 1, 0);
    emotes(world, ADA);
    emotes_without_id(world, ADA);
    settle(world);
    expect_said(world, ADA, "error bad_state, error bad_state");
    world_close(world);
}

static void an_answer_to_another_match_is_bad_state(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    asks(world, BEN, "answer",
         "\"round\":1,\"choice\":0,\"match\":\"01890000-0000-7000-8000-000000000000\"");
    settle(world);
    expect_said(world, BEN, "error bad_state");
    world_close(world);
}

static void who_plays_may_not_join(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    joins(world, BEN);
    settle(world);
    expect_said(world, BEN, "error bad_state");
    world_close(world);
}

static void the_third_outstanding_request_is_busy(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    answers(world, BEN, 1, 0);
    answers(world, BEN, 1, 1);
    uint32_t id = answers(world, BEN, 1, 2);
    settle(world);
    expect_said(world, BEN, "error busy, accepted, answered, accepted");
    expect_reply(world, BEN, "error", id);
    assert_true(number_in(last_said(world, BEN, "error"), "retry_ms") > 0);
    world_close(world);
}

static void a_flood_of_emotes_makes_nobody_elses_answer_busy(void **state)
{
    (void)state;
    struct world *world = world_create((struct world_settings){.shards = 2, .message_burst = 1000});
    duel_asks(world, 0, 1);
    for (unsigned i = 0; i < INBOX_MAX; i++) emotes_without_id(world, ADA);
    answers(world, BEN, 1, 0);
    run_ms(world, 1);
    settle(world);
    expect_among(world, BEN, "accepted");
    assert_int_equal(count_said(world, BEN, "error"), 0);
    world_close(world);
}

static void ones_own_emotes_leave_a_place_for_the_answer(void **state)
{
    (void)state;
    struct world *world = world_create((struct world_settings){.shards = 2, .message_burst = 1000});
    duel_asks(world, 0, 1);
    for (unsigned i = 0; i < INBOX_MAX - 1; i++) emotes_without_id(world, ADA);
    answers(world, ADA, 1, 0);
    settle(world);
    expect_among(world, ADA, "accepted");
    world_close(world);
}

static void an_emote_is_shown_to_both(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    emotes(world, ADA);
    settle(world);
    expect_said(world, ADA, "emote, ok");
    expect_said(world, BEN, "emote");
    emotes_without_id(world, BEN);
    settle(world);
    expect_said(world, BEN, "emote");
    world_close(world);
}

static void a_leave_forfeits_at_once(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    leaves(world, BEN);
    settle(world);
    expect_said(world, BEN, "left, peer gone, end forfeit");
    expect_said(world, ADA, "peer gone, end forfeit");
    assert_int_equal(number_in(last_said(world, ADA, "end"), "winner"), 0);
    world_close(world);
}

static void who_is_lost_is_away_and_then_gone(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_begins(world, 0, 1); /* Gone in the middle of the first round. */
    is_lost(world, BEN);
    settle(world);
    expect_said(world, ADA, "peer away");
    assert_int_equal(number_in(last_said(world, ADA, "peer"), "grace_ms"), GRACE_MS);
    run_ms(world, GRACE_MS);
    expect_said(world, ADA, "round, peer gone, end forfeit");
    assert_int_equal(matches_live(world), 0);
    world_close(world);
}

static void a_match_that_both_have_lost_is_cancelled(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    is_lost(world, ADA);
    is_lost(world, BEN);
    run_ms(world, GRACE_MS + HOPS_MS);
    assert_int_equal(matches_live(world), 0);
    assert_int_equal(world->saves.asked, 0);
    world_close(world);
}

static void what_crosses_the_end_gets_exactly_one_answer(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    stall(world, 1); /* What the match says to BEN waits in the mailbox. */
    leaves(world, ADA);
    settle(world);
    assert_int_equal(count_said(world, ADA, "end"), 1);
    answers(world, BEN, 1, 0);
    emotes(world, BEN);
    leaves(world, BEN);
    go_on(world, 1);
    settle(world);
    expect_said(world, BEN, "peer gone, end forfeit, error bad_state, error bad_state, left");
    world_close(world);
}

static void requests_on_their_way_when_the_match_ends_are_answered_by_the_session(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    stall(world, 0); /* The match: it hears ADA's leave before what BEN has said. */
    answers(world, BEN, 1, 0);
    leaves(world, BEN);
    settle(world);
    leaves(world, ADA);
    go_on(world, 0);
    settle(world);
    assert_int_equal(count_said(world, BEN, "left"), 1);
    assert_int_equal(count_said(world, BEN, "end"), 1);
    world_close(world);
}

static void a_leave_with_the_id_of_an_answer_takes_nothing_from_it(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_begins(world, 0, 1);
    stall(world, 0); /* Where the match is. */
    says(world, BEN, "{\"type\":\"leave\",\"id\":1000}");
    settle(world);
    says(world, BEN, "{\"type\":\"answer\",\"id\":1000,\"round\":1,\"choice\":0}");
    settle(world);
    go_on(world, 0);
    settle(world);
    expect_said(world, BEN, "left, peer gone, end cancelled, error bad_state");
    world_close(world);
}

static void the_next_match_may_be_joined_after_the_end(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    leaves(world, BEN);
    run_ms(world, 1000);
    look_away(world, ADA);
    look_away(world, BEN);
    joins(world, ADA);
    settle(world);
    joins(world, BEN);
    run_ms(world, WINDOW_OPENS_MS); /* Their ratings have moved apart. */
    expect_among(world, ADA, "match");
    expect_among(world, BEN, "match");
    world_close(world);
}

static void a_player_sees_no_question_again_soon(void **state)
{
    (void)state;
    enum { MATCHES = QUESTIONS_EACH / ROUNDS };
    struct world *world = world_of(1);
    char seen[MATCHES * ROUNDS][64];
    is_idle(world, ADA, 0);
    is_idle(world, BEN, 0);
    unsigned count = 0;
    for (unsigned match = 0; match < MATCHES; match++) {
        joins_in(world, ADA, "art");
        joins_in(world, BEN, "art");
        /* Their ratings may have moved apart. */
        for (unsigned i = 0; i < WINDOW_OPENS_MS && matches_live(world) == 0; i += HOPS_MS) {
            settle(world);
        }
        run_ms(world, START_MS + HOPS_MS);
        goes_to_round(world, ROUNDS);
        answers(world, ADA, ROUNDS, 0);
        answers(world, BEN, ROUNDS, 0);
        run_ms(world, 1000);
        struct client *ada = &world->clients[ADA];
        unsigned rounds = 0;
        for (uint32_t i = ada->message_count; i > 0 && rounds < ROUNDS; i--) {
            const char *at = strstr(ada->messages[i - 1], "\"question_id\":\"");
            if (at == NULL) continue;
            memcpy(seen[count], at, sizeof(seen[0]) - 1);
            seen[count][sizeof(seen[0]) - 1] = '\0';
            for (unsigned j = 0; j < count; j++) assert_memory_not_equal(seen[j], seen[count], 51);
            count++;
            rounds++;
        }
    }
    assert_int_equal(count, MATCHES * ROUNDS);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_duel_on_one_shard),
        cmocka_unit_test(a_whole_duel_on_two_shards),
        cmocka_unit_test(a_whole_duel_on_another_shard_than_the_lobbys),
        cmocka_unit_test(accepted_comes_before_answered_before_reveal),
        cmocka_unit_test(the_answer_time_is_that_of_the_arrival),
        cmocka_unit_test(a_round_nobody_answers_is_revealed),
        cmocka_unit_test(an_answer_that_does_not_count_says_why),
        cmocka_unit_test(a_second_answer_brings_the_first_receipt),
        cmocka_unit_test(an_answer_outside_of_a_match_is_bad_state),
        cmocka_unit_test(an_answer_to_another_match_is_bad_state),
        cmocka_unit_test(who_plays_may_not_join),
        cmocka_unit_test(the_third_outstanding_request_is_busy),
        cmocka_unit_test(a_flood_of_emotes_makes_nobody_elses_answer_busy),
        cmocka_unit_test(ones_own_emotes_leave_a_place_for_the_answer),
        cmocka_unit_test(an_emote_is_shown_to_both),
        cmocka_unit_test(a_leave_forfeits_at_once),
        cmocka_unit_test(who_is_lost_is_away_and_then_gone),
        cmocka_unit_test(a_match_that_both_have_lost_is_cancelled),
        cmocka_unit_test(what_crosses_the_end_gets_exactly_one_answer),
        cmocka_unit_test(requests_on_their_way_when_the_match_ends_are_answered_by_the_session),
        cmocka_unit_test(a_leave_with_the_id_of_an_answer_takes_nothing_from_it),
        cmocka_unit_test(the_next_match_may_be_joined_after_the_end),
        cmocka_unit_test(a_player_sees_no_question_again_soon),
    };
    return cmocka_run_group_tests_name("playing", tests, NULL, NULL);
}
