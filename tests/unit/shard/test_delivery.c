/* Slow readers and full mailboxes: nothing critical is lost, the order is kept, and what is too
 * slow is sent away. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shard_expect.h"

enum { OUTBOX_HALF = 8 };

static void a_slow_reader_is_not_read(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    takes_only(world, ADA, 0);
    for (unsigned i = 0; i < 2 * OUTBOX_HALF; i++) pings(world, ADA);
    settle(world);
    assert_true(world->clients[ADA].is_paused);
    assert_int_equal(world->clients[ADA].inbox_count, OUTBOX_HALF);
    takes_everything(world, ADA);
    settle(world);
    assert_false(world->clients[ADA].is_paused);
    assert_int_equal(count_said(world, ADA, "pong"), 2 * OUTBOX_HALF);
    world_close(world);
}

static void a_reader_that_takes_nothing_is_closed_after_the_send_timeout(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    takes_only(world, ADA, 0);
    pings(world, ADA);
    run_ms(world, SEND_TIMEOUT_MS - 1);
    expect_open(world, ADA);
    run_ms(world, HOPS_MS);
    expect_closed(world, ADA, CLOSE_SLOW);
    expect_nothing_said(world, ADA); /* Not even bye would get through. */
    assert_int_equal(stats_of(world, 0).slow_readers, 1);
    world_close(world);
}

/* Both deadlines are over in the first iteration after a stall. */
static void a_reader_that_is_sent_away_keeps_no_other_deadline_waiting(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    takes_only(world, ADA, 0);
    pings(world, ADA);
    run_ms(world, SEND_TIMEOUT_MS - HELLO_TIMEOUT_MS + 1000);
    comes(world, BEN, 0);
    stall(world, 0);
    run_ms(world, SEND_TIMEOUT_MS);
    go_on(world, 0);
    assert_true(run_once(world));
    expect_closed(world, ADA, CLOSE_SLOW);
    expect_said(world, BEN, "bye no_hello");
    world_close(world);
}

static void a_reader_that_takes_some_in_time_stays(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    takes_only(world, ADA, 0);
    pings(world, ADA);
    pings(world, ADA);
    run_ms(world, SEND_TIMEOUT_MS - 1);
    takes_only(world, ADA, 1);
    run_ms(world, SEND_TIMEOUT_MS - 1);
    expect_open(world, ADA);
    takes_everything(world, ADA);
    settle(world);
    expect_said(world, ADA, "pong, pong");
    world_close(world);
}

static void a_reader_that_takes_some_in_time_and_never_catches_up_is_closed(void **state)
{
    (void)state;
    enum { TIMEOUTS = 4, MORE = 2 * TIMEOUTS };
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    takes_only(world, ADA, 0);
    for (unsigned i = 0; i < MORE; i++) pings(world, ADA);
    for (unsigned i = 1; i < TIMEOUTS; i++) {
        run_ms(world, SEND_TIMEOUT_MS - 1);
        expect_open(world, ADA);
        takes_only(world, ADA, 1);
    }
    run_ms(world, SEND_TIMEOUT_MS - 1);
    expect_open(world, ADA);
    takes_only(world, ADA, 1);
    run_ms(world, TIMEOUTS + HOPS_MS);
    expect_closed(world, ADA, CLOSE_SLOW);
    assert_int_equal(stats_of(world, 0).slow_readers, 1);
    world_close(world);
}

static void a_slow_reader_in_a_match_is_away_for_the_other(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    takes_only(world, BEN, 0);
    emotes(world, ADA);
    run_ms(world, SEND_TIMEOUT_MS + HOPS_MS);
    expect_closed(world, BEN, CLOSE_SLOW);
    expect_among(world, ADA, "peer away");
    world_close(world);
}

static void emotes_that_find_no_room_are_told_as_a_gap(void **state)
{
    (void)state;
    enum { EMOTES = 20 };
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    takes_only(world, BEN, 0);
    for (unsigned i = 0; i < EMOTES; i++) {
        emotes(world, ADA);
        run_ms(world, 50);
    }
    assert_int_equal(count_said(world, ADA, "emote"), EMOTES);
    takes_everything(world, BEN);
    settle(world);
    assert_int_equal(count_said(world, BEN, "emote"), OUTBOX_HALF);
    expect_among(world, BEN, "emote");
    answers(world, BEN, 1, 0);
    settle(world);
    expect_said(world, BEN, "gap, accepted, answered");
    assert_int_equal(number_in(last_said(world, BEN, "gap"), "dropped"), EMOTES - OUTBOX_HALF);
    world_close(world);
}

/* BEN takes nothing, and has eight pongs, two receipts, `reveal` and `round` before him when ADA
 * leaves: `peer` and `end` find no room. */
static struct world *with_an_end_that_finds_no_room(unsigned first_shard, unsigned second_shard)
{
    struct world *world = world_of(2);
    duel_asks(world, first_shard, second_shard);
    takes_only(world, BEN, 0);
    answers(world, BEN, 1, 0);
    answers(world, BEN, 1, 0);
    for (unsigned i = 0; i < OUTBOX_HALF; i++) pings(world, BEN);
    settle(world);
    answers(world, ADA, 1, 0);
    run_ms(world, REVEAL_TIME_MS + HOPS_MS);
    leaves(world, ADA);
    settle(world);
    expect_among(world, ADA, "end forfeit");
    assert_int_equal(matches_live(world), 0);
    assert_int_equal(matches_kept(world), 1); /* For BEN alone. */
    return world;
}

static void expect_that_it_comes_later(struct world *world)
{
    takes_everything(world, BEN);
    settle(world);
    expect_among(world, BEN, "end forfeit");
    expect_same_bytes(world, ADA, BEN, "reveal");
    expect_same_bytes(world, ADA, BEN, "round");
    expect_same_bytes(world, ADA, BEN, "peer");
    expect_same_bytes(world, ADA, BEN, "end");
    pings(world, ADA);
    pings(world, BEN);
    settle(world);
    assert_int_equal(matches_kept(world), 0); /* Both were heard. */
    world_close(world);
}

static void what_found_no_room_comes_later_to_the_same_bytes(void **state)
{
    (void)state;
    expect_that_it_comes_later(with_an_end_that_finds_no_room(0, 1));
}

static void what_found_no_room_on_the_matches_own_shard_comes_later_too(void **state)
{
    (void)state;
    expect_that_it_comes_later(with_an_end_that_finds_no_room(1, 1));
}

static void what_found_no_room_comes_frame_by_frame_too(void **state)
{
    (void)state;
    struct world *world = with_an_end_that_finds_no_room(0, 1);
    for (unsigned i = 0; i < 2 * OUTBOX_HALF; i++) {
        takes_only(world, BEN, 1);
        settle(world);
    }
    expect_that_it_comes_later(world);
}

static void a_match_does_not_wait_for_a_reader_that_was_sent_away(void **state)
{
    (void)state;
    struct world *world = with_an_end_that_finds_no_room(0, 1);
    run_ms(world, SEND_TIMEOUT_MS);
    expect_closed(world, BEN, CLOSE_SLOW);
    assert_int_equal(matches_live(world), 0);
    run_ms(world, ENDED_KEEP_MS);
    assert_int_equal(matches_kept(world), 0);
    world_close(world);
}

static void a_full_mailbox_makes_a_request_busy(void **state)
{
    (void)state;
    struct world *world = world_create(
        (struct world_settings){.shards = 2, .mailbox_bytes = 2 * MAILBOX_RECORD_BYTES_MAX});
    duel_asks(world, 0, 1);
    stall(world, 0);
    jam(world, 1, 0);
    uint32_t id = answers(world, BEN, 1, 0);
    settle(world);
    expect_said(world, BEN, "error busy");
    expect_reply(world, BEN, "error", id);
    go_on(world, 0);
    settle(world);
    answers(world, BEN, 1, 0);
    settle(world);
    expect_said(world, BEN, "accepted, answered");
    world_close(world);
}

static void a_full_mailbox_loses_no_leave(void **state)
{
    (void)state;
    struct world *world = world_create(
        (struct world_settings){.shards = 2, .mailbox_bytes = 2 * MAILBOX_RECORD_BYTES_MAX});
    duel_asks(world, 0, 1);
    stall(world, 0);
    jam(world, 1, 0);
    leaves(world, BEN);
    settle(world);
    expect_nothing_said(world, BEN);
    go_on(world, 0);
    settle(world);
    expect_said(world, BEN, "left, peer gone, end forfeit");
    world_close(world);
}

static void a_full_mailbox_loses_no_message_of_the_match_and_keeps_the_order(void **state)
{
    (void)state;
    struct world *world = world_create(
        (struct world_settings){.shards = 2, .mailbox_bytes = 2 * MAILBOX_RECORD_BYTES_MAX});
    duel_asks(world, 0, 1);
    stall(world, 0);
    answers(world, BEN, 1, 0);
    settle(world); /* It waits in the mailbox. */
    stall(world, 1);
    jam(world, 0, 1);
    go_on(world, 0);
    settle(world); /* The receipt finds no room. */
    emotes(world, ADA);
    settle(world);
    answers(world, ADA, 1, 1);
    run_ms(world, REVEAL_TIME_MS + HOPS_MS);
    expect_said(world, ADA, "answered, emote, ok, accepted, answered, reveal, round");
    go_on(world, 1);
    settle(world);
    /* Droppable ones are missing, and told. */
    expect_said(world, BEN, "gap, accepted, reveal, round");
    expect_same_bytes(world, ADA, BEN, "reveal");
    world_close(world);
}

static void a_full_mailbox_loses_no_ticket(void **state)
{
    (void)state;
    struct world *world = world_create(
        (struct world_settings){.shards = 2, .mailbox_bytes = 2 * MAILBOX_RECORD_BYTES_MAX});
    is_idle(world, ADA, 0);
    is_idle(world, BEN, 1);
    stall(world, 0);
    jam(world, 1, 0);
    joins(world, BEN);
    settle(world);
    go_on(world, 0);
    settle(world);
    stall(world, 1);
    jam(world, 0, 1);
    joins(world, ADA);
    settle(world);
    go_on(world, 1);
    settle(world);
    expect_said(world, BEN, "queued, match");
    expect_said(world, ADA, "queued, match");
    world_close(world);
}

static void more_records_than_an_iteration_takes_need_no_second_wake_up(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_idle(world, BEN, 1);
    stall(world, 1);
    jam(world, 0, 1); /* 256 KB of the smallest records: several iterations' worth. */
    go_on(world, 1);
    run_ms(world, 1);
    assert_int_equal(mailbox_bytes_used(&world->mailboxes[0][1]), 0);
    world_close(world);
}

static void who_floods_the_outbox_from_the_match_is_not_lost(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    takes_only(world, BEN, 0);
    answers(world, BEN, 1, 0);
    for (unsigned i = 0; i < OUTBOX_HALF; i++) pings(world, BEN);
    answers(world, ADA, 1, 0);
    run_ms(world, REVEAL_TIME_MS + HOPS_MS);
    takes_everything(world, BEN);
    settle(world);
    expect_among(world, BEN, "round");
    assert_int_equal(count_said(world, BEN, "reveal"), 1);
    assert_int_equal(count_said(world, BEN, "pong"), OUTBOX_HALF);
    world_close(world);
}

/* Two messages of the match each time. */
static void comes_and_goes(struct world *world, unsigned client, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        is_lost(world, client);
        settle(world);
        is_back(world, client, 1);
    }
}

/* More than an outbox takes of a match at one time. */
static struct world *with_a_long_log(void)
{
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    comes_and_goes(world, BEN, 6);
    is_lost(world, BEN);
    settle(world);
    return world;
}

static void much_that_was_missed_comes_whole_and_clock_behind_it(void **state)
{
    (void)state;
    struct world *world = with_a_long_log();
    comes(world, BEN, 1);
    resumes_after(world, BEN, 0);
    settle(world);
    expect_open(world, BEN);
    assert_int_equal(count_said(world, BEN, "match"), 1);
    assert_int_equal(count_said(world, BEN, "peer"), 14);
    assert_int_equal(count_said(world, BEN, "clock"), 1);
    world_close(world);
}

static void much_that_was_missed_comes_from_another_shard_too(void **state)
{
    (void)state;
    struct world *world = with_a_long_log();
    comes(world, BEN, 0);
    resumes_after(world, BEN, 1);
    settle(world);
    expect_open(world, BEN);
    assert_int_equal(count_said(world, BEN, "peer"), 14);
    assert_int_equal(count_said(world, BEN, "clock"), 1);
    world_close(world);
}

static void what_tells_of_now_comes_behind_all_that_was_missed_and_the_clock(void **state)
{
    (void)state;
    struct world *world = with_a_long_log();
    comes(world, BEN, 0);
    takes_only(world, BEN, 1); /* The welcome; what follows it fills the outbox. */
    resumes_after(world, BEN, 0);
    settle(world);
    takes_everything(world, BEN);
    run_once(world); /* There is room again, and the rest has not been asked for yet. */
    answers(world, ADA, 1, 0);
    settle(world);
    assert_int_equal(count_said(world, BEN, "peer"), 14);
    assert_int_equal(count_said(world, BEN, "clock"), 1);
    assert_int_equal(count_said(world, BEN, "answered"), 0);
    assert_int_equal(count_said(world, BEN, "gap"), 1);
    world_close(world);
}

/* The newest connection has been given all messages, and nothing but the clock has found no room. */
static struct world *with_a_clock_that_found_no_room(void)
{
    enum { LOSSES = 3 }; /* Fills what a match may of an outbox: `welcome` and eleven messages. */
    struct world *world = world_of(2);
    duel_asks(world, 0, 0);
    goes_to_round(world, ROUNDS);
    answers(world, BEN, ROUNDS, 0);
    settle(world);
    comes_and_goes(world, BEN, LOSSES);
    knows_what(world, CAT, BEN);
    comes(world, CAT, 0);
    takes_only(world, CAT, 0);
    resumes_after(world, CAT, 1);
    settle(world);
    return world;
}

/* With the last answer of the last round the match is over and no clock comes any more: what tells of that answer does
 * not come in its place. */
static void the_last_answer_does_not_stand_for_the_clock(void **state)
{
    (void)state;
    struct world *world = with_a_clock_that_found_no_room();
    takes_everything(world, CAT);
    run_once(world); /* All of it is gone, and the clock has not been asked for. */
    answers(world, ADA, ROUNDS, 0);
    settle(world);
    assert_int_equal(count_said(world, CAT, "clock"), 0);
    assert_int_equal(count_said(world, CAT, "answered"), 0);
    expect_among(world, CAT, "reveal");
    assert_int_equal(count_said(world, CAT, "gap"), 1);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_reader_is_not_read),
        cmocka_unit_test(a_reader_that_takes_nothing_is_closed_after_the_send_timeout),
        cmocka_unit_test(a_reader_that_is_sent_away_keeps_no_other_deadline_waiting),
        cmocka_unit_test(a_reader_that_takes_some_in_time_stays),
        cmocka_unit_test(a_reader_that_takes_some_in_time_and_never_catches_up_is_closed),
        cmocka_unit_test(a_slow_reader_in_a_match_is_away_for_the_other),
        cmocka_unit_test(emotes_that_find_no_room_are_told_as_a_gap),
        cmocka_unit_test(what_found_no_room_comes_later_to_the_same_bytes),
        cmocka_unit_test(what_found_no_room_on_the_matches_own_shard_comes_later_too),
        cmocka_unit_test(what_found_no_room_comes_frame_by_frame_too),
        cmocka_unit_test(a_match_does_not_wait_for_a_reader_that_was_sent_away),
        cmocka_unit_test(a_full_mailbox_makes_a_request_busy),
        cmocka_unit_test(a_full_mailbox_loses_no_leave),
        cmocka_unit_test(a_full_mailbox_loses_no_message_of_the_match_and_keeps_the_order),
        cmocka_unit_test(a_full_mailbox_loses_no_ticket),
        cmocka_unit_test(more_records_than_an_iteration_takes_need_no_second_wake_up),
        cmocka_unit_test(who_floods_the_outbox_from_the_match_is_not_lost),
        cmocka_unit_test(much_that_was_missed_comes_whole_and_clock_behind_it),
        cmocka_unit_test(much_that_was_missed_comes_from_another_shard_too),
        cmocka_unit_test(what_tells_of_now_comes_behind_all_that_was_missed_and_the_clock),
        cmocka_unit_test(the_last_answer_does_not_stand_for_the_clock),
    };
    return cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
}
