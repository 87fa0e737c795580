/* What a start makes of the last run's journal. */

#include "recovery_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/journal.h"
#include "shard_expect.h"
#include "shard_state_priv.h"

enum { GONE_MS = 30000, RULES_AT = 1 + sizeof(struct id) };

/* The process is gone, and with it all that the world itself would bring back. */
static void die(struct world *world)
{
    world->shards[0].journal.size = world->shards[0].journal.synced = 0;
    crash_as(world, &(struct crash_plan){.gone_ms = GONE_MS, .is_power_cut = true});
}

static struct recovered start(struct desk *desk, struct world *world)
{
    struct shard *shards[] = {world->shards[0].shard};
    struct recovered recovered = recover(desk, shards, 1);
    world->shards[0].is_woken = true;
    return recovered;
}

static struct recovered die_and_start(struct desk *desk, struct world *world)
{
    leave(desk, &world->shards[0].journal);
    die(world);
    return start(desk, world);
}

/* The first record of that kind, and in what it lies. */
static uint8_t *record_of(struct world *world, enum journal_kind kind)
{
    struct sim_journal *journal = &world->shards[0].journal;
    for (size_t at = 0; at < journal->size;) {
        size_t size;
        memcpy(&size, journal->bytes + at, sizeof(size));
        uint8_t *record = journal->bytes + at + sizeof(size);
        if (record[0] == kind) return record;
        at += sizeof(size) + size;
    }
    fail_msg("no record of kind %d", (int)kind);
    return NULL;
}

static struct id match_in(struct world *world)
{
    struct id id;
    memcpy(&id, record_of(world, JOURNAL_BEGIN) + 1, sizeof(id));
    return id;
}

/* --- Matches. --- */

static void a_live_match_goes_on(void **state)
{
    struct desk *desk = *state;
    struct world *world = world_of(1);
    duel_asks(world, 0, 0);
    answers(world, ADA, 1, right_choice(world, ADA));
    settle(world);
    struct recovered recovered = die_and_start(desk, world);
    assert_int_equal(recovered.error, 0);
    assert_int_equal(recovered.stats.matches_live, 1);
    assert_int_equal(recovered.stats.matches_cancelled, 0);
    assert_int_equal(matches_live(world), 1);
    is_back(world, ADA, 0);
    assert_int_equal(count_said(world, ADA, "clock"), 1);
    world_close(world);
    give_up(&recovered);
}

static void a_match_survives_a_second_crash_by_what_was_copied(void **state)
{
    struct desk *desk = *state;
    struct world *world = world_of(1);
    duel_asks(world, 0, 0);
    struct recovered first = die_and_start(desk, world);
    assert_int_equal(first.stats.matches_live, 1);
    die(world);
    struct recovered second = start(desk, world);
    assert_int_equal(second.stats.matches_live, 1);
    is_back(world, ADA, 0);
    assert_int_equal(count_said(world, ADA, "clock"), 1);
    world_close(world);
    give_up(&first);
    give_up(&second);
}

static void a_start_that_fails_changes_nothing(void **state)
{
    struct desk *desk = *state;
    struct world *world = world_of(1);
    duel_asks(world, 0, 0);
    leave_with_result(desk, &world->shards[0].journal, LEFT_UNREADABLE);
    die(world);
    struct recovered first = start(desk, world);
    assert_int_equal(first.error, -EBADMSG);
    die(world);
    struct recovered second = start(desk, world);
    assert_int_equal(second.error, -EBADMSG);
    die(world);
    world_close(world);
    give_up(&first);
    give_up(&second);
}

static void a_match_that_is_over_does_not_come_back(void **state)
{
    struct desk *desk = *state;
    struct world *world = world_of(1);
    duel_asks(world, 0, 0);
    plays_to_the_end(world);
    run_ms(world, CALM_MS);
    expect_among(world, ADA, "end finished");
    struct recovered recovered = die_and_start(desk, world);
    assert_int_equal(recovered.error, 0);
    assert_int_equal(recovered.stats.matches_live, 0);
    assert_int_equal(matches_live(world), 0);
    world_close(world);
    give_up(&recovered);
}

static void a_match_of_other_rules_is_not_played_again(void **state)
{
    struct desk *desk = *state;
    struct world *world = world_of(1);
    duel_asks(world, 0, 0);
    record_of(world, JOURNAL_BEGIN)[RULES_AT]++;
    struct recovered recovered = die_and_start(desk, world);
    assert_int_equal(recovered.error, 0);
    assert_int_equal(recovered.stats.matches_live, 0);
    assert_int_equal(recovered.stats.matches_cancelled, 1);
    assert_int_equal(matches_live(world), 0);
    world_close(world);
    give_up(&recovered);
}

/* As after a start with another match_rounds. */
static struct recovered die_and_start_with_fewer_rounds(struct desk *desk, struct world *world,
                                                        struct shard_settings *settings,
                                                        uint8_t restored_rounds_max)
{
    *settings = world->shards[0].shard->settings;
    settings->match.rounds = 1;
    settings->restored_rounds_max = restored_rounds_max;
    world->settings.shard = settings;
    return die_and_start(desk, world);
}

static void a_match_of_more_rounds_than_are_played_now_goes_on(void **state)
{
    struct desk *desk = *state;
    struct world *world = world_of(1);
    struct shard_settings settings;
    duel_asks(world, 0, 0);
    unsigned right = right_choice(world, ADA), wrong = wrong_choice(world, BEN);
    struct recovered recovered = die_and_start_with_fewer_rounds(desk, world, &settings, ROUNDS);
    assert_int_equal(recovery_rounds_max(recovered.recovery), ROUNDS);
    assert_int_equal(recovered.stats.matches_live, 1);
    is_back(world, ADA, 0);
    is_back(world, BEN, 0);
    answers(world, ADA, 1, right);
    answers(world, BEN, 1, wrong);
    settle(world);
    expect_among(world, ADA, "reveal");
    run_ms(world, REVEAL_TIME_MS);
    expect_among(world, ADA, "round");
    world_close(world);
    give_up(&recovered);
}

static void a_match_of_more_rounds_than_there_is_room_for_is_not_played_again(void **state)
{
    struct desk *desk = *state;
    struct world *world = world_of(1);
    struct shard_settings settings;
    duel_asks(world, 0, 0);
    struct recovered recovered = die_and_start_with_fewer_rounds(desk, world, &settings, 0);
    assert_int_equal(recovered.error, 0);
    assert_int_equal(recovered.stats.matches_cancelled, 1);
    assert_int_equal(matches_live(world), 0);
    world_close(world);
    give_up(&recovered);
}

static void a_match_that_comes_about_otherwise_ends_cancelled(void **state)
{
    struct desk *desk = *state;
    struct world *world = world_of(1);
    world->may_find_faults = true;
    duel_asks(world, 0, 0);
    record_of(world, JOURNAL_EVENT)[RULES_AT]++; /* Its `seq`. */
    struct recovered recovered = die_and_start(desk, world);
    assert_int_equal(recovered.stats.matches_live, 0);
    assert_int_equal(recovered.stats.matches_cancelled, 1);
    settle(world);
    assert_int_equal(stats_of(world, 0).matches_ended[MATCH_END_CANCELLED], 1);
    world_close(world);
    give_up(&recovered);
}

/* --- A start that was stopped. --- */

static void a_match_that_has_stopped_a_start_ends_where_it_stopped(void **state)
{
    struct desk *desk = *state;
    struct world *world = world_of(1);
    world->may_find_faults = true;
    duel_asks(world, 0, 0);
    struct id match = match_in(world);
    leave_stop(desk, &match, 1, true);
    struct recovered recovered = die_and_start(desk, world);
    assert_int_equal(recovered.error, 0);
    assert_int_equal(recovered.stats.matches_cancelled, 1);
    settle(world);
    assert_int_equal(stats_of(world, 0).matches_ended[MATCH_END_CANCELLED], 1);
    assert_false(has_attempt(desk));
    world_close(world);
    give_up(&recovered);
}

static void a_match_that_has_stopped_a_start_at_its_beginning_is_not_there(void **state)
{
    struct desk *desk = *state;
    struct world *world = world_of(1);
    duel_asks(world, 0, 0);
    struct id match = match_in(world);
    leave_stop(desk, &match, 0, true);
    struct recovered recovered = die_and_start(desk, world);
    assert_int_equal(recovered.stats.matches_cancelled, 1);
    assert_int_equal(matches_live(world), 0);
    world_close(world);
    give_up(&recovered);
}

static void every_stop_is_remembered_until_a_start_succeeds(void **state)
{
    struct desk *desk = *state;
    struct world *world = world_of(1);
    world->may_find_faults = true;
    duel_asks(world, 0, 0);
    struct id match = match_in(world), other = {{9}};
    leave_stop(desk, &match, 1, true);
    leave_stop(desk, &other, 1, true); /* The next start gets past the first, and stops here. */
    struct recovered recovered = die_and_start(desk, world);
    assert_int_equal(recovered.stats.matches_cancelled, 1);
    settle(world);
    world_close(world);
    give_up(&recovered);
}

static void a_start_that_was_killed_condemns_nothing(void **state)
{
    struct desk *desk = *state;
    struct world *world = world_of(1);
    duel_asks(world, 0, 0);
    struct id match = match_in(world);
    leave_stop(desk, &match, 1, false);
    struct recovered recovered = die_and_start(desk, world);
    assert_int_equal(recovered.stats.matches_live, 1);
    world_close(world);
    give_up(&recovered);
}

/* --- Results. --- */

static void a_result_that_the_database_has_not_is_handed_on_once(void **state)
{
    struct desk *desk = *state;
    struct world *world = world_of(1);
    leave_with_result(desk, &world->shards[0].journal, LEFT_ALONE);
    die(world);
    struct recovered first = start(desk, world);
    assert_int_equal(first.stats.results, 1);
    assert_int_equal(first.handed, 1);
    die(world);
    struct recovered second = start(desk, world);
    assert_int_equal(second.stats.results, 0);
    assert_int_equal(second.handed, 0);
    world_close(world);
    give_up(&first);
    give_up(&second);
}

static void a_result_that_the_database_has_is_not_handed_on(void **state)
{
    struct desk *desk = *state;
    struct world *world = world_of(1);
    leave_with_result(desk, &world->shards[0].journal, LEFT_STORED);
    die(world);
    struct recovered recovered = start(desk, world);
    assert_int_equal(recovered.error, 0);
    assert_int_equal(recovered.handed, 0);
    world_close(world);
    give_up(&recovered);
}

#define RECOVERY_TEST(name) cmocka_unit_test_setup_teardown(name, recovery_begin, recovery_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RECOVERY_TEST(a_live_match_goes_on),
        RECOVERY_TEST(a_match_survives_a_second_crash_by_what_was_copied),
        RECOVERY_TEST(a_start_that_fails_changes_nothing),
        RECOVERY_TEST(a_match_that_is_over_does_not_come_back),
        RECOVERY_TEST(a_match_of_other_rules_is_not_played_again),
        RECOVERY_TEST(a_match_of_more_rounds_than_are_played_now_goes_on),
        RECOVERY_TEST(a_match_of_more_rounds_than_there_is_room_for_is_not_played_again),
        RECOVERY_TEST(a_match_that_comes_about_otherwise_ends_cancelled),
        RECOVERY_TEST(a_match_that_has_stopped_a_start_ends_where_it_stopped),
        RECOVERY_TEST(a_match_that_has_stopped_a_start_at_its_beginning_is_not_there),
        RECOVERY_TEST(every_stop_is_remembered_until_a_start_succeeds),
        RECOVERY_TEST(a_start_that_was_killed_condemns_nothing),
        RECOVERY_TEST(a_result_that_the_database_has_not_is_handed_on_once),
        RECOVERY_TEST(a_result_that_the_database_has_is_not_handed_on),
    };
    return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
