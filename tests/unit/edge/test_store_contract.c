/* Saving results: what is written, once and durably, and how it is queued and answered. */

#define _GNU_SOURCE

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "store_backend.h"

/* --- What is written. --- */

static void a_saved_match_can_be_read_by_another_connection(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    expect_saved(world, &result);
    assert_string_equal(rows(world, "SELECT hex(match), mode, reason, rated, winner, rounds,"
                                    " created_at_ms, ended_at_ms FROM matches"),
                        "01010000000000000000000000000000|duel|finished|1|0|2|1790000100000|"
                        "1790000130000\n");
}

static void its_players_can_be_read(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    expect_saved(world, &result);
    assert_string_equal(rows(world, "SELECT substr(hex(match), 1, 4), place,"
                                    " substr(hex(player), 1, 2), name, rating_before,"
                                    " rating_after, rating_applied, score, gone"
                                    " FROM match_players ORDER BY place"),
                        "0101|0|AD|Ada|150000|151000|151000|904|0\n"
                        "0101|1|BE|Ben|150000|149000|149000|0|1\n");
}

static void its_rounds_can_be_read_as_they_were_shown(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    expect_saved(world, &result);
    assert_string_equal(
        rows(world, "SELECT substr(hex(match), 1, 4), round, hex(question_id), category,"
                    " difficulty, question, choices, right_place, weight, revealed, time_ms,"
                    " began_at_ms FROM rounds ORDER BY round"),
        "0101|1|A1010000000000000000000000000000|science|easy|What is H2O?|"
        "[\"Back\\\\slash\",\"Water\",\"Caf\xc3\xa9\",\"Say \\\"salt\\\"\"]|1|1|1|10000|"
        "1790000103000\n"
        "0101|2|A2020000000000000000000000000000|nature|hard|Is the sky blue?|"
        "[\"True\",\"False\"]|0|2|0|10000|1790000120000\n");
}

static void the_choices_are_json(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    expect_saved(world, &result);
    assert_string_equal(rows(world, backend_choices_sql),
                        "Back\\slash\nWater\nCaf\xc3\xa9\nSay \"salt\"\n");
}

static void the_answers_that_were_given_can_be_read(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    expect_saved(world, &result);
    assert_string_equal(rows(world, "SELECT substr(hex(match), 1, 4), round, place, choice,"
                                    " is_right, at_ms, credit_ms, points, received_at_ms"
                                    " FROM answers ORDER BY round, place"),
                        "0101|1|0|1|1|1500|20|904|1790000104520\n"
                        "0101|1|1|0|0|1500|20|0|1790000104520\n"
                        "0101|2|1|1|0|1500|20|0|1790000121520\n");
}

static void a_guest_is_written_with_the_first_match(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    assert_string_equal(rows(world, "SELECT count(*) FROM players"), "0\n");
    expect_saved(world, &result);
    assert_string_equal(
        rows(world, "SELECT substr(hex(player), 1, 2), name, rating_centi,"
                    " created_at_ms, last_seen_at_ms, matches, wins FROM players ORDER BY player"),
        "AD|Ada|151000|1790000100000|1790000130000|1|1\n"
        "BE|Ben|149000|1790000100000|1790000130000|1|0\n");
}

static void a_match_without_a_winner_has_none(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    result.winner = MATCH_WINNER_NONE;
    open_store(world);
    expect_saved(world, &result);
    assert_string_equal(rows(world, "SELECT winner FROM matches"), "NULL\n");
    assert_string_equal(rows(world, "SELECT sum(wins) FROM players"), "0\n");
}

static void a_match_without_rounds_is_saved(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    result.reason = MATCH_END_FORFEIT;
    result.round_count = 0;
    open_store(world);
    expect_saved(world, &result);
    assert_string_equal(rows(world, "SELECT reason, rounds FROM matches"), "forfeit|0\n");
    assert_string_equal(rows(world, "SELECT count(*) FROM rounds"), "0\n");
}

static void the_next_match_brings_name_rating_and_counts_up_to_date(void **state)
{
    struct world *world = *state;
    struct match_result first = duel(1);
    struct match_result second = duel_after(&first, 2);
    second.winner = BEN;
    second.players[ADA].after.rating_centi = 149500;
    (void)strcpy(second.players[ADA].name, "Ada L.");
    open_store(world);
    expect_saved(world, &first);
    expect_saved(world, &second);
    assert_string_equal(rows(world, "SELECT name, rating_centi, created_at_ms, last_seen_at_ms,"
                                    " matches, wins FROM players ORDER BY player"),
                        "Ada L.|149500|1790000100000|1790000230000|2|1\n"
                        "Ben|149000|1790000100000|1790000230000|2|1\n");
}

static void an_earlier_match_that_is_saved_later_does_not_turn_back_the_name(void **state)
{
    struct world *world = *state;
    struct match_result first = duel(1);
    struct match_result second = duel(2);
    (void)strcpy(second.players[ADA].name, "Ada L.");
    open_store(world);
    expect_saved(world, &second);
    expect_saved(world, &first);
    assert_string_equal(rows(world, "SELECT name, created_at_ms, last_seen_at_ms, matches,"
                                    " wins FROM players WHERE wins > 0"),
                        "Ada L.|1790000100000|1790000230000|2|2\n");
}

/* --- Once. --- */

static void saving_twice_changes_nothing(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    expect_saved(world, &result);
    expect_saved(world, &result);
    assert_string_equal(rows(world, "SELECT (SELECT count(*) FROM matches),"
                                    " (SELECT count(*) FROM match_players),"
                                    " (SELECT count(*) FROM rounds),"
                                    " (SELECT count(*) FROM answers),"
                                    " (SELECT sum(matches) FROM players)"),
                        "1|2|2|3|2\n");
}

static void the_first_result_of_a_match_stands(void **state)
{
    struct world *world = *state;
    struct match_result first = duel(1);
    struct match_result other = duel(1);
    other.winner = BEN;
    other.players[BEN].score = 2000;
    open_store(world);
    expect_saved(world, &first);
    expect_saved(world, &other);
    assert_string_equal(rows(world, "SELECT winner FROM matches"), "0\n");
    assert_string_equal(rows(world, "SELECT score FROM match_players WHERE place = 1"), "0\n");
}

/* --- Durably. --- */

/* In a process of its own, which does not come back to the tests. */
static void save_and_be_killed(struct world *world)
{
    struct match_result result = duel(1);
    if (try_open(world) == 0 && try_save(world, 0, &result) == 0 &&
        next_answer(world, 0).is_saved) {
        (void)kill(getpid(), SIGKILL);
    }
    _exit(1);
}

static void an_answered_result_outlives_a_kill(void **state)
{
    struct world *world = *state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) save_and_be_killed(world);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    open_store(world);
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "1\n");
}

static void what_is_queued_is_written_before_it_closes(void **state)
{
    struct world *world = *state;
    struct match_result results[] = {duel(1), duel(2), duel(3)};
    open_store(world);
    save(world, &results[0]);
    save(world, &results[1]);
    save_on(world, 1, &results[2]);
    close_store(world);
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "3\n");
}

/* --- The queue and the answers. --- */

static void each_shard_gets_the_answers_to_its_own_calls(void **state)
{
    struct world *world = *state;
    struct match_result results[] = {duel(1), duel(2)};
    open_store(world);
    save_on(world, 0, &results[0]);
    save_on(world, 1, &results[1]);
    assert_int_equal(next_answer(world, 0).handle.slot, 1);
    assert_int_equal(next_answer(world, 1).handle.slot, 2);
}

static void answers_come_in_the_order_of_the_calls(void **state)
{
    struct world *world = *state;
    struct match_result results[] = {duel(3), duel(1), duel(2)};
    open_store(world);
    for (unsigned i = 0; i < 3; i++) save(world, &results[i]);
    expect_answer(world, 3, true);
    expect_answer(world, 1, true);
    expect_answer(world, 2, true);
}

static void a_full_queue_is_an_error_at_once(void **state)
{
    struct world *world = *state;
    struct match_result results[] = {duel(1), duel(2), duel(3)};
    open_store_with(world, 2);
    hold_writes(world);
    save(world, &results[0]);
    save(world, &results[1]);
    assert_int_equal(try_save(world, 0, &results[2]), -EAGAIN);
    assert_int_equal(stats(world).queued, 2);
    assert_int_equal(stats(world).refused, 1);
    release_writes(world);
    expect_answer(world, 1, true);
    expect_answer(world, 2, true);
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), "2\n");
}

static void a_shard_that_leaves_its_answers_is_refused_and_no_other(void **state)
{
    struct world *world = *state;
    struct match_result results[] = {duel(1), duel(2), duel(3)};
    open_store_with(world, 2);
    save(world, &results[0]);
    save(world, &results[1]);
    wait_until_answered(world, 2);
    assert_int_equal(try_save(world, 0, &results[2]), -EAGAIN);
    save_on(world, 1, &results[2]);
    expect_answer(world, 1, true);
    assert_int_equal(try_save(world, 0, &results[2]), 0);
}

static void the_figures_count_what_happened(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store_with(world, 7);
    expect_saved(world, &result);
    struct store_stats figures = stats(world);
    assert_int_equal(figures.queue_slots, 7 * backend_queues);
    assert_int_equal(figures.queued, 0);
    assert_int_equal(figures.queued_max, 1);
    assert_int_equal(figures.saved, 1);
    assert_int_equal(figures.failed, 0);
    assert_int_equal(figures.commits, 1);
}

/* --- Pace: printed, not asserted. --- */

enum { MANY_QUEUE_SLOTS = 1024 };

static struct match_result numbered(unsigned number)
{
    struct match_result result = duel(0);
    result.match.bytes[14] = (uint8_t)(number >> 8);
    result.match.bytes[15] = (uint8_t)number;
    result.players[ADA].player.bytes[15] = (uint8_t)(number % 200);
    return result;
}

static unsigned take_answers(struct world *world)
{
    struct store_answer answers[64];
    unsigned count = store_take_answers(world->store, 0, answers, 64);
    for (unsigned i = 0; i < count; i++) assert_true(answers[i].is_saved);
    return count;
}

static void many_results_are_saved(void **state)
{
    struct world *world = *state;
    open_store_with(world, MANY_QUEUE_SLOTS);
    struct timespec begin, end;
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    unsigned answered = 0;
    for (unsigned sent = 0; sent < backend_many;) {
        struct match_result result = numbered(sent);
        if (try_save(world, 0, &result) == 0) {
            sent++;
            continue;
        }
        assert_true(next_answer(world, 0).is_saved);
        answered += 1 + take_answers(world);
    }
    for (; answered < backend_many; answered++) assert_true(next_answer(world, 0).is_saved);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds =
        (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    print_message("%u results in %.2f s: %.0f a second, %.1f a commit\n", backend_many, seconds,
                  backend_many / seconds, backend_many / (double)stats(world).commits);
    char expected[16];
    (void)snprintf(expected, sizeof(expected), "%u\n", backend_many);
    assert_string_equal(rows(world, "SELECT count(*) FROM matches"), expected);
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(a_saved_match_can_be_read_by_another_connection),
        store_test(its_players_can_be_read),
        store_test(its_rounds_can_be_read_as_they_were_shown),
        store_test(the_choices_are_json),
        store_test(the_answers_that_were_given_can_be_read),
        store_test(a_guest_is_written_with_the_first_match),
        store_test(a_match_without_a_winner_has_none),
        store_test(a_match_without_rounds_is_saved),
        store_test(the_next_match_brings_name_rating_and_counts_up_to_date),
        store_test(an_earlier_match_that_is_saved_later_does_not_turn_back_the_name),
        store_test(saving_twice_changes_nothing),
        store_test(the_first_result_of_a_match_stands),
        store_test(an_answered_result_outlives_a_kill),
        store_test(what_is_queued_is_written_before_it_closes),
        store_test(each_shard_gets_the_answers_to_its_own_calls),
        store_test(answers_come_in_the_order_of_the_calls),
        store_test(a_full_queue_is_an_error_at_once),
        store_test(a_shard_that_leaves_its_answers_is_refused_and_no_other),
        store_test(the_figures_count_what_happened),
        store_test(many_results_are_saved),
    };
    return cmocka_run_group_tests_name("edge/store_contract", tests, backend_group_begin,
                                       backend_group_end);
}
