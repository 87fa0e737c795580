/* The shard as a whole: its size, its contracts, its figures. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shard_expect.h"

static void one_shard_takes_all_connections(void **state)
{
    (void)state;
    assert_int_equal(shard_share(20000, 1), 20000);
}

static void of_several_each_takes_twice_the_even_share(void **state)
{
    (void)state;
    assert_int_equal(shard_share(20000, 4), 2 * 20000 / 4 + 256);
}

static void no_shard_takes_more_than_there_can_be(void **state)
{
    (void)state;
    assert_int_equal(shard_share(100, 4), 100);
    assert_int_equal(shard_share(UINT32_MAX, 2), UINT32_MAX);
}

static void only_the_lobbys_shard_pays_for_the_lobby(void **state)
{
    (void)state;
    struct shard_settings settings = {
        .count = 2, .sessions_max = 100, .matches_max = 50, .match_queue_slots = 16};
    size_t with_lobby = shard_bytes(&settings);
    settings.index = 1;
    assert_true(shard_bytes(&settings) < with_lobby);
}

static void a_shard_that_is_not_empty_is_not_destroyed(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    expect_assert_failure(shard_destroy(world->shards[0].shard));
    world_close(world);
}

/* A chain of records that a shard sends itself, of which each one's answer is owed at first. */
static void what_a_shard_has_sent_itself_takes_no_time(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_queued(world, ADA, 0);
    is_idle(world, BEN, 0);
    mono_time before = world->now;
    joins(world, BEN);
    while (run_once(world)) continue;
    assert_int_equal(mono_elapsed(before, world->now), 0);
    expect_said(world, BEN, "queued, match");
    world_close(world);
}

static void time_does_not_go_back(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    settle(world);
    expect_assert_failure(shard_run(world->shards[0].shard, (mono_time){1}, (wall_time){1}));
    world_close(world);
}

static void nothing_is_destroyed_where_there_is_nothing(void **state)
{
    (void)state;
    shard_destroy(NULL);
}

static void what_comes_for_a_session_that_is_gone_is_ignored(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    struct handle gone = world->clients[ADA].session;
    is_lost(world, ADA);
    settle(world);
    is_idle(world, BEN, 0); /* In the same slot. */
    static const char text[] = "{\"type\":\"ping\",\"id\":1,\"at\":1}";
    shard_on_message(world->shards[0].shard, gone, text, sizeof(text) - 1, world->now);
    shard_on_writable(world->shards[0].shard, gone);
    run_ms(world, 1000);
    expect_nothing_said(world, BEN);
    world_close(world);
}

static void a_store_answer_for_a_match_that_is_gone_is_ignored(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    world->saves.mode = STORE_LATE;
    world->saves.delay_ms = 100;
    duel_asks(world, 0, 0);
    leaves(world, ADA);
    settle(world);
    struct handle match = world->saves.pending[0].who;
    run_ms(world, 1000);
    assert_int_equal(matches_live(world), 0);
    shard_on_saved(world->shards[0].shard, match, true);
    shard_on_saved(world->shards[0].shard, match, false);
    settle(world);
    world_close(world);
}

static void the_figures_tell_what_runs(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    is_queued(world, CAT, 1);
    struct shard_stats first = stats_of(world, 0);
    struct shard_stats second = stats_of(world, 1);
    assert_int_equal(first.sessions[SESSION_PLAYING], 1);
    assert_int_equal(first.matches[MATCH_ASKING], 1);
    assert_int_equal(first.matches_started, 1);
    assert_int_equal(first.ticket_slots.now, 1);
    assert_int_equal(second.sessions[SESSION_PLAYING], 1);
    assert_int_equal(second.sessions[SESSION_QUEUED], 1);
    assert_int_equal(second.match_slots.now, 0);
    assert_int_equal(second.ticket_slots.bound, 0);
    assert_int_equal(second.mailbox_refused[0], 0);
    assert_true(second.mailbox_used_max[0] > 0);
    world_close(world);
}

static void an_ended_match_is_counted_by_its_reason(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    duel_asks(world, 0, 0);
    plays_to_the_end(world);
    struct shard_stats stats = stats_of(world, 0);
    assert_int_equal(stats.matches_ended[MATCH_END_FINISHED], 1);
    assert_int_equal(stats.answers, 2 * ROUNDS);
    assert_int_equal(stats.match_faults, 0);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_shard_takes_all_connections),
        cmocka_unit_test(of_several_each_takes_twice_the_even_share),
        cmocka_unit_test(no_shard_takes_more_than_there_can_be),
        cmocka_unit_test(only_the_lobbys_shard_pays_for_the_lobby),
        cmocka_unit_test(a_shard_that_is_not_empty_is_not_destroyed),
        cmocka_unit_test(what_a_shard_has_sent_itself_takes_no_time),
        cmocka_unit_test(time_does_not_go_back),
        cmocka_unit_test(nothing_is_destroyed_where_there_is_nothing),
        cmocka_unit_test(what_comes_for_a_session_that_is_gone_is_ignored),
        cmocka_unit_test(a_store_answer_for_a_match_that_is_gone_is_ignored),
        cmocka_unit_test(the_figures_tell_what_runs),
        cmocka_unit_test(an_ended_match_is_counted_by_its_reason),
    };
    return cmocka_run_group_tests_name("shard", tests, NULL, NULL);
}
