/* How much a client may say: the two buckets alone, and what a connection sees of them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shard_expect.h"
#include "shard_priv.h"

static const mono_time START = {1000};

struct bucket {
    struct throttle throttle;
    uint32_t wait_ms;
};

static struct bucket full_bucket(void)
{
    struct bucket bucket = {.wait_ms = 0};
    throttle_init(&bucket.throttle, MESSAGE_BURST, START);
    return bucket;
}

static enum throttle_verdict message(struct bucket *bucket, mono_time at)
{
    return throttle_message(&bucket->throttle, MESSAGE_RATE, MESSAGE_BURST, at, &bucket->wait_ms);
}

static unsigned passing_of(struct bucket *bucket, mono_time at, unsigned count)
{
    unsigned passing = 0;
    for (unsigned i = 0; i < count; i++) passing += message(bucket, at) == THROTTLE_PASS;
    return passing;
}

static void a_burst_passes_and_no_more(void **state)
{
    (void)state;
    struct bucket bucket = full_bucket();
    assert_int_equal(passing_of(&bucket, START, MESSAGE_BURST), MESSAGE_BURST);
    assert_int_equal(message(&bucket, START), THROTTLE_REFUSE);
    assert_int_equal(bucket.wait_ms, 1000 / MESSAGE_RATE);
}

static void after_the_wait_that_was_told_one_passes(void **state)
{
    (void)state;
    struct bucket bucket = full_bucket();
    passing_of(&bucket, START, MESSAGE_BURST);
    assert_int_equal(message(&bucket, START), THROTTLE_REFUSE);
    mono_time then = mono_after(START, bucket.wait_ms);
    assert_int_equal(message(&bucket, then), THROTTLE_PASS);
    assert_int_equal(message(&bucket, then), THROTTLE_REFUSE);
}

static void one_millisecond_before_it_none_passes(void **state)
{
    (void)state;
    struct bucket bucket = full_bucket();
    passing_of(&bucket, START, MESSAGE_BURST);
    assert_int_equal(message(&bucket, mono_after(START, 1000 / MESSAGE_RATE - 1)), THROTTLE_REFUSE);
}

static void a_long_silence_saves_no_more_than_a_burst(void **state)
{
    (void)state;
    struct bucket bucket = full_bucket();
    passing_of(&bucket, START, MESSAGE_BURST);
    mono_time much_later = mono_after(START, UINT64_C(1) << 40);
    assert_int_equal(passing_of(&bucket, much_later, 2 * MESSAGE_BURST), MESSAGE_BURST);
}

static void beyond_twice_the_burst_reading_stops(void **state)
{
    (void)state;
    struct bucket bucket = full_bucket();
    passing_of(&bucket, START, 2 * MESSAGE_BURST);
    assert_int_equal(message(&bucket, START), THROTTLE_STOP);
    assert_int_equal(bucket.wait_ms, 500); /* A quarter of 80 messages at 40 a second. */
}

static enum throttle_verdict long_message(struct bucket *bucket, mono_time at, size_t bytes)
{
    enum throttle_verdict verdict = message(bucket, at);
    throttle_size(&bucket->throttle, bytes);
    return verdict;
}

static void five_messages_of_4096_bytes_weigh_as_much_as_eighty(void **state)
{
    (void)state;
    struct bucket bucket = full_bucket();
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(long_message(&bucket, START, MESSAGE_BYTES_MAX), THROTTLE_PASS);
    }
    assert_int_equal(message(&bucket, START), THROTTLE_STOP);
}

static void four_messages_of_4096_bytes_stop_nobody(void **state)
{
    (void)state;
    struct bucket bucket = full_bucket();
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(long_message(&bucket, START, MESSAGE_BYTES_MAX), THROTTLE_PASS);
    }
    assert_int_equal(message(&bucket, START), THROTTLE_PASS);
}

static void a_message_of_256_bytes_weighs_as_much_as_a_short_one(void **state)
{
    (void)state;
    struct bucket bucket = full_bucket();
    for (unsigned i = 0; i < 2 * MESSAGE_BURST; i++) {
        assert_int_not_equal(long_message(&bucket, START, THROTTLE_STRETCH_BYTES), THROTTLE_STOP);
    }
    assert_int_equal(message(&bucket, START), THROTTLE_STOP);
}

static void a_flood_of_five_seconds_closes(void **state)
{
    (void)state;
    struct bucket bucket = full_bucket();
    passing_of(&bucket, START, 2 * MESSAGE_BURST);
    assert_int_equal(message(&bucket, START), THROTTLE_STOP);
    for (unsigned ms = 500; ms < FLOOD_MAX_MS; ms += 500) {
        passing_of(&bucket, mono_after(START, ms), MESSAGE_BURST);
        assert_int_equal(message(&bucket, mono_after(START, ms)), THROTTLE_STOP);
    }
    passing_of(&bucket, mono_after(START, FLOOD_MAX_MS), MESSAGE_BURST / 2);
    assert_int_equal(message(&bucket, mono_after(START, FLOOD_MAX_MS)), THROTTLE_CLOSE);
}

static void a_flood_that_paused_begins_anew(void **state)
{
    (void)state;
    struct bucket bucket = full_bucket();
    passing_of(&bucket, START, 2 * MESSAGE_BURST + 1);
    mono_time later = mono_after(START, FLOOD_MAX_MS);
    passing_of(&bucket, later, 2 * MESSAGE_BURST);
    assert_int_equal(message(&bucket, later), THROTTLE_STOP);
}

static void twenty_unreadable_messages_a_minute_are_borne(void **state)
{
    (void)state;
    struct bucket bucket = full_bucket();
    for (unsigned i = 0; i < UNREADABLE_MAX; i++) {
        assert_false(throttle_unreadable(&bucket.throttle, START));
    }
    assert_true(throttle_unreadable(&bucket.throttle, mono_after(START, 59999)));
}

static void the_next_minute_counts_anew(void **state)
{
    (void)state;
    struct bucket bucket = full_bucket();
    for (unsigned i = 0; i < UNREADABLE_MAX; i++) {
        assert_false(throttle_unreadable(&bucket.throttle, START));
    }
    assert_false(throttle_unreadable(&bucket.throttle, mono_after(START, UNREADABLE_WINDOW_MS)));
}

/* --- On a connection. --- */

static void ping_often(struct world *world, unsigned count)
{
    for (unsigned i = 0; i < count; i++) pings(world, ADA);
}

static void beyond_the_burst_a_request_is_rate_limited(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    ping_often(world, MESSAGE_BURST + 5);
    settle(world);
    assert_true(count_said(world, ADA, "pong") >= MESSAGE_BURST - 1);
    uint32_t retry_ms = number_in(last_said(world, ADA, "error"), "retry_ms");
    assert_in_range(retry_ms, 1, 1000 / MESSAGE_RATE * 6);
    look_away(world, ADA);
    run_ms(world, 1000);
    ping_often(world, 1);
    settle(world);
    expect_said(world, ADA, "pong");
    world_close(world);
}

static void beyond_twice_the_rate_the_client_is_not_read_for_a_while(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    ping_often(world, MESSAGE_BURST);
    run_ms(world, 0);
    ping_often(world, MESSAGE_BURST);
    run_ms(world, 0);
    ping_often(world, 10);
    run_ms(world, 0);
    settle(world);
    assert_true(world->clients[ADA].is_paused);
    run_ms(world, 600);
    assert_false(world->clients[ADA].is_paused);
    assert_int_equal(world->clients[ADA].inbox_count, 0);
    expect_open(world, ADA);
    world_close(world);
}

/* The end of the pause is due in the iteration in which the client is offered a match. */
static void a_client_that_was_not_read_is_read_again_though_it_is_offered_a_match(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    is_idle(world, BEN, 0);
    is_queued(world, ADA, 1);
    ping_often(world, MESSAGE_BURST);
    run_ms(world, 0);
    ping_often(world, MESSAGE_BURST);
    run_ms(world, 0);
    ping_often(world, 10);
    run_ms(world, 0);
    assert_true(world->clients[ADA].is_paused);
    stall(world, 1);
    joins(world, BEN);
    settle(world);
    stall(world, 0); /* What ADA answers is not heard, so that the offer stands. */
    run_ms(world, 600);
    go_on(world, 1);
    settle(world);
    assert_int_equal(stats_of(world, 1).sessions[SESSION_ATTACHED], 1);
    assert_false(world->clients[ADA].is_paused);
    world_close(world);
}

static void a_flood_that_lasts_is_closed(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    for (unsigned i = 0; i < 700 && world->clients[ADA].is_connected; i++) {
        if (world->clients[ADA].inbox_count < 4) ping_often(world, 2);
        run_ms(world, 10);
    }
    expect_closed(world, ADA, CLOSE_ABUSE);
    expect_among(world, ADA, "bye rate_limited");
    world_close(world);
}

/* Each second twice the rate, once twice the burst, and the message behind which reading stops. */
static void of_a_flood_no_more_is_read_than_twice_the_rate(void **state)
{
    (void)state;
    enum { SECONDS = 3, STEP_MS = 10, PAUSES_MAX = SECONDS * 4 * MESSAGE_RATE / MESSAGE_BURST };
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    uint64_t before = stats_of(world, 0).messages_in;
    for (unsigned ms = 0; ms < SECONDS * 1000; ms += STEP_MS) {
        if (world->clients[ADA].inbox_count < 4) ping_often(world, 4);
        run_ms(world, STEP_MS);
    }
    expect_open(world, ADA);
    uint64_t read = stats_of(world, 0).messages_in - before;
    assert_in_range(read, SECONDS * MESSAGE_RATE,
                    2 * MESSAGE_BURST + 2 * MESSAGE_RATE * SECONDS + PAUSES_MAX);
    world_close(world);
}

static void too_many_unreadable_messages_close(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    for (unsigned i = 0; i <= UNREADABLE_MAX; i++) {
        says(world, ADA, "{");
        run_ms(world, 100);
    }
    expect_among(world, ADA, "bye unreadable_messages");
    assert_int_equal(count_said(world, ADA, "error"), UNREADABLE_MAX);
    expect_closed(world, ADA, CLOSE_ABUSE);
    world_close(world);
}

static void a_bad_request_with_an_id_is_not_unreadable(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    for (unsigned i = 0; i < 2 * UNREADABLE_MAX; i++) {
        asks(world, ADA, "dance", "");
        run_ms(world, 100);
    }
    expect_open(world, ADA);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_passes_and_no_more),
        cmocka_unit_test(after_the_wait_that_was_told_one_passes),
        cmocka_unit_test(one_millisecond_before_it_none_passes),
        cmocka_unit_test(a_long_silence_saves_no_more_than_a_burst),
        cmocka_unit_test(beyond_twice_the_burst_reading_stops),
        cmocka_unit_test(five_messages_of_4096_bytes_weigh_as_much_as_eighty),
        cmocka_unit_test(four_messages_of_4096_bytes_stop_nobody),
        cmocka_unit_test(a_message_of_256_bytes_weighs_as_much_as_a_short_one),
        cmocka_unit_test(a_flood_of_five_seconds_closes),
        cmocka_unit_test(a_flood_that_paused_begins_anew),
        cmocka_unit_test(twenty_unreadable_messages_a_minute_are_borne),
        cmocka_unit_test(the_next_minute_counts_anew),
        cmocka_unit_test(beyond_the_burst_a_request_is_rate_limited),
        cmocka_unit_test(beyond_twice_the_rate_the_client_is_not_read_for_a_while),
        cmocka_unit_test(a_client_that_was_not_read_is_read_again_though_it_is_offered_a_match),
        cmocka_unit_test(a_flood_that_lasts_is_closed),
        cmocka_unit_test(of_a_flood_no_more_is_read_than_twice_the_rate),
        cmocka_unit_test(too_many_unreadable_messages_close),
        cmocka_unit_test(a_bad_request_with_an_id_is_not_unreadable),
    };
    return cmocka_run_group_tests_name("throttle", tests, NULL, NULL);
}
