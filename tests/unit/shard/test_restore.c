/* Matches that come back after a crash: where they stood, with their players' time given back. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shard_expect.h"

enum { GONE_MS = 30000, SOME_MS = 4000 };

static struct match_result saved_by(struct world *world)
{
    return world->last_result;
}

/* --- Live matches. --- */

static void a_duel_goes_on_in_the_round_where_it_stood(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    unsigned wrong = wrong_choice(world, BEN);
    answers(world, ADA, 1, right_choice(world, ADA));
    settle(world);
    expect_said(world, ADA, "accepted, answered");
    crash(world, GONE_MS);
    settle(world);
    comes(world, ADA, 1);
    resumes(world, ADA);
    comes(world, BEN, 0);
    resumes(world, BEN);
    settle(world);
    expect_said(world, ADA, "welcome, peer away, peer away, peer back, clock, peer back");
    expect_among(world, BEN, "clock");
    answers(world, BEN, 1, wrong);
    settle(world);
    expect_among(world, BEN, "reveal");
    assert_int_equal(number_in(last_said(world, ADA, "reveal"), "points"), 1000);
    world_close(world);
}

static void the_lost_time_is_given_back_to_the_round(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    duel_asks(world, 0, 0);
    run_ms(world, SOME_MS);
    crash(world, GONE_MS);
    is_back(world, ADA, 0);
    uint32_t left_ms = number_in(last_said(world, ADA, "clock"), "left_ms");
    assert_true(left_ms > ROUND_TIME_MS - SOME_MS - 2 * HOPS_MS);
    world_close(world);
}

static void what_is_told_after_it_is_on_the_wall_clock_of_then(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    duel_asks(world, 0, 0);
    const char *before = strstr(last_said(world, ADA, "round"), "\"deadline_ms\":");
    int64_t first = strtoll(before + sizeof("\"deadline_ms\":") - 1, NULL, 10);
    mono_time asked_at = world->now;
    crash(world, GONE_MS);
    is_back(world, ADA, 0);
    is_back(world, BEN, 0);
    run_ms(world, ROUND_TIME_MS + REVEAL_TIME_MS + 10 * HOPS_MS);
    const char *after = strstr(last_said(world, ADA, "round"), "\"deadline_ms\":");
    int64_t second = strtoll(after + sizeof("\"deadline_ms\":") - 1, NULL, 10);
    assert_true(second - first >= GONE_MS + ROUND_TIME_MS + REVEAL_TIME_MS);
    assert_true(second - first <= GONE_MS + (int64_t)(world->now.ms - asked_at.ms));
    world_close(world);
}

static void what_was_told_before_is_told_again_in_the_same_bytes(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    crash(world, GONE_MS);
    comes(world, ADA, 0);
    resumes_after(world, ADA, 0);
    settle(world); /* The referee compares every message. */
    expect_said(world, ADA, "welcome, match, round, peer away, peer away, clock, peer back");
    world_close(world);
}

static void the_grace_begins_anew_where_it_was_about_to_end(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    duel_asks(world, 0, 0);
    is_lost(world, ADA);
    run_ms(world, GRACE_MS - 1);
    crash(world, GONE_MS);
    is_back(world, BEN, 0);
    run_ms(world, GRACE_MS - CALM_MS);
    is_back(world, ADA, 0);
    assert_int_equal(matches_live(world), 1);
    world_close(world);
}

static void who_does_not_come_back_within_the_grace_forfeits(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    crash(world, GONE_MS);
    is_back(world, ADA, 0);
    run_ms(world, GRACE_MS + CALM_MS);
    expect_among(world, ADA, "end forfeit");
    assert_int_equal(saved_by(world).winner, 0);
    world_close(world);
}

static void nobody_back_within_the_grace_cancels(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    duel_asks(world, 0, 0);
    crash(world, GONE_MS);
    run_ms(world, GRACE_MS + CALM_MS);
    assert_int_equal(matches_live(world), 0);
    assert_int_equal(stats_of(world, 0).matches_ended[MATCH_END_CANCELLED], 1);
    world_close(world);
}

static void a_match_against_the_house_comes_back_with_its_bot(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    is_idle(world, ADA, 0);
    joins_the_house(world, ADA);
    settle(world);
    run_ms(world, START_MS);
    look_away(world, ADA);
    crash(world, GONE_MS);
    is_back(world, ADA, 0);
    run_ms(world, ROUNDS * (ROUND_TIME_MS + REVEAL_TIME_MS + CALM_MS));
    expect_among(world, ADA, "end finished");
    world_close(world);
}

static void a_match_comes_back_as_often_as_it_must(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    unsigned right = right_choice(world, ADA);
    for (unsigned i = 0; i < MATCH_RECOVERIES_MAX; i++) {
        crash(world, GONE_MS);
        is_back(world, ADA, i % 2);
        is_back(world, BEN, 1);
    }
    answers(world, ADA, 1, right);
    settle(world);
    expect_among(world, ADA, "accepted");
    crash(world, GONE_MS);
    run_ms(world, CALM_MS);
    assert_int_equal(matches_live(world), 0);
    world_close(world);
}

/* --- Results. --- */

static void a_result_that_was_on_its_way_is_saved_again(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    world->saves.mode = STORE_DEAD;
    duel_asks(world, 0, 0);
    plays_to_the_end(world);
    crash(world, GONE_MS);
    world->saves.mode = STORE_PROMPT;
    comes(world, ADA, 0);
    resumes(world, ADA);
    run_ms(world, CALM_MS);
    expect_among(world, ADA, "end finished");
    world_close(world);
}

static void what_its_players_have_left_behind_does_not_come_back(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    world->saves.mode = STORE_LATE;
    world->saves.delay_ms = HOPS_MS;
    duel_asks(world, 0, 0);
    plays_to_the_end(world);
    size_t size = world->shards[0].journal.size;
    run_ms(world, CALM_MS);
    expect_among(world, ADA, "end finished");
    world->shards[0].journal.size = size; /* That it has ended is lost. */
    asks_for_a_rematch(world, ADA);
    asks_for_a_rematch(world, BEN);
    run_ms(world, CALM_MS);
    referee_on_unjournaled(&world->referee, &world->last_result.match);
    crash(world, GONE_MS);
    is_back(world, ADA, 0);
    is_back(world, BEN, 0);
    run_ms(world, CALM_MS);
    assert_int_equal(matches_live(world), 1);
    assert_int_equal(count_said(world, ADA, "end"), 0);
    world_close(world);
}

static void what_has_ended_does_not_come_back(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    duel_asks(world, 0, 0);
    plays_to_the_end(world);
    run_ms(world, CALM_MS);
    expect_among(world, ADA, "end finished");
    crash(world, GONE_MS);
    assert_int_equal(matches_live(world), 0);
    comes(world, ADA, 0);
    resumes(world, ADA);
    settle(world);
    expect_said(world, ADA, "error resume_expired");
    world_close(world);
}

/* --- Sessions. --- */

static void a_session_that_was_taken_over_before_speaks_for_nobody(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    knows_what(world, CAT, ADA); /* The session of ADA's first connection. */
    for (unsigned i = 0; i < 2; i++) {
        is_lost(world, ADA);
        settle(world);
        is_back(world, ADA, 0);
        pings(world, ADA);
        settle(world);
    }
    crash(world, GONE_MS);
    comes(world, CAT, 1);
    resumes(world, CAT);
    settle(world);
    expect_said(world, CAT, "error resume_expired");
    is_back(world, ADA, 1);
    world_close(world);
}

static void comes_and_is_lost_before_it_hears(struct world *world, unsigned client, bool by_token)
{
    comes(world, client, 1);
    takes_only(world, client, 0);
    if (by_token) {
        shows_its_token(world, client);
    } else {
        resumes(world, client);
    }
    settle(world);
    is_lost(world, client);
    settle(world);
}

static void a_session_is_good_until_a_newer_one_was_heard_of(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    is_lost(world, ADA);
    settle(world);
    comes_and_is_lost_before_it_hears(world, ADA, true);
    comes_and_is_lost_before_it_hears(world, ADA, false);
    crash(world, GONE_MS);
    is_back(world, ADA, 0);
    assert_int_equal(count_said(world, ADA, "clock"), 1);
    world_close(world);
}

static void a_token_finds_the_match_as_well(void **state)
{
    (void)state;
    struct world *world = world_of(2);
    duel_asks(world, 0, 1);
    crash(world, GONE_MS);
    comes(world, BEN, 0);
    shows_its_token(world, BEN);
    settle(world);
    expect_among(world, BEN, "clock");
    world_close(world);
}

static void what_a_player_knows_of_past_questions_comes_back(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    duel_asks(world, 0, 0);
    crash(world, GONE_MS);
    is_back(world, ADA, 0);
    is_back(world, BEN, 0);
    run_ms(world, ROUNDS * (ROUND_TIME_MS + REVEAL_TIME_MS + CALM_MS));
    expect_among(world, ADA, "end finished");
    joins(world, ADA);
    settle(world);
    expect_among(world, ADA, "queued");
    world_close(world);
}

/* --- A journal without room. --- */

static void without_room_in_the_journal_no_match_begins(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    world->shards[0].journal.is_full = true;
    is_queued(world, ADA, 0);
    is_queued(world, BEN, 0);
    run_ms(world, CALM_MS);
    assert_int_equal(matches_live(world), 0);
    world->shards[0].journal.is_full = false;
    run_ms(world, CALM_MS);
    expect_among(world, ADA, "match");
    world_close(world);
}

static void a_match_that_runs_goes_on_without_room(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    duel_asks(world, 0, 0);
    world->shards[0].journal.is_full = true;
    plays_to_the_end(world);
    run_ms(world, CALM_MS);
    expect_among(world, ADA, "end finished");
    assert_int_equal(world->notes[NOTE_UNJOURNALED], 1);
    world_close(world);
}

static void a_match_with_a_gap_in_the_journal_does_not_come_back(void **state)
{
    (void)state;
    struct world *world = world_of(1);
    duel_asks(world, 0, 0);
    world->shards[0].journal.is_full = true;
    answers(world, ADA, 1, right_choice(world, ADA));
    settle(world);
    expect_said(world, ADA, "accepted, answered");
    world->shards[0].journal.is_full = false;
    crash(world, GONE_MS);
    settle(world);
    assert_int_equal(matches_live(world), 0);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duel_goes_on_in_the_round_where_it_stood),
        cmocka_unit_test(the_lost_time_is_given_back_to_the_round),
        cmocka_unit_test(what_is_told_after_it_is_on_the_wall_clock_of_then),
        cmocka_unit_test(what_was_told_before_is_told_again_in_the_same_bytes),
        cmocka_unit_test(the_grace_begins_anew_where_it_was_about_to_end),
        cmocka_unit_test(who_does_not_come_back_within_the_grace_forfeits),
        cmocka_unit_test(nobody_back_within_the_grace_cancels),
        cmocka_unit_test(a_match_against_the_house_comes_back_with_its_bot),
        cmocka_unit_test(a_match_comes_back_as_often_as_it_must),
        cmocka_unit_test(a_result_that_was_on_its_way_is_saved_again),
        cmocka_unit_test(what_its_players_have_left_behind_does_not_come_back),
        cmocka_unit_test(what_has_ended_does_not_come_back),
        cmocka_unit_test(a_session_that_was_taken_over_before_speaks_for_nobody),
        cmocka_unit_test(a_session_is_good_until_a_newer_one_was_heard_of),
        cmocka_unit_test(a_token_finds_the_match_as_well),
        cmocka_unit_test(what_a_player_knows_of_past_questions_comes_back),
        cmocka_unit_test(without_room_in_the_journal_no_match_begins),
        cmocka_unit_test(a_match_that_runs_goes_on_without_room),
        cmocka_unit_test(a_match_with_a_gap_in_the_journal_does_not_come_back),
    };
    return cmocka_run_group_tests_name("restore", tests, NULL, NULL);
}
