/* What a result leaves of its players: ratings, what they were asked, and whom they have met. */

#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store_backend.h"

static const struct id ada = {{0xad}};
static const struct id ben = {{0xbe}};

/* --- Ratings. --- */

static void an_unrated_match_leaves_the_rating_as_it_is(void **state)
{
    struct world *world = *state;
    struct match_result rated = duel(1);
    struct match_result unrated = duel(2);
    unrated.is_rated = false;
    unrated.players[ADA].after = unrated.players[ADA].before;
    open_store(world);
    expect_saved(world, &rated);
    expect_saved(world, &unrated);
    struct player_record record = load_found(world, &ada);
    assert_true(rating_equal(&record.rating, &rated.players[ADA].after));
    assert_int_equal(record.rated_at.ms, rated.ended_at.ms);
}

static void a_player_of_unrated_matches_only_was_never_rated(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    result.is_rated = false;
    result.players[ADA].after = result.players[ADA].before = rating_initial();
    open_store(world);
    expect_saved(world, &result);
    struct player_record record = load_found(world, &ada);
    struct rating initial = rating_initial();
    assert_true(rating_equal(&record.rating, &initial));
    assert_int_equal(record.rated_at.ms, 0);
    assert_int_equal(record.opponents.count, 0);
}

/* What a win over `other` makes of `own`. */
static struct rating won(struct rating own, const struct rating *other)
{
    return rating_after_match(&own, other, RATING_WIN, TAU_MILLI);
}

static void results_that_come_in_another_order_all_count(void **state)
{
    struct world *world = *state;
    struct match_result first = duel(1);
    struct match_result second = duel_after(&first, 2);
    open_store(world);
    expect_saved(world, &second);
    expect_saved(world, &first);
    struct rating expected = won(rating_initial(), &second.players[BEN].before);
    expected = won(expected, &first.players[BEN].before);
    struct player_record record = load_found(world, &ada);
    assert_true(rating_equal(&record.rating, &expected));
    assert_int_equal(record.rated_at.ms, second.ended_at.ms);
}

static void a_rating_that_was_another_one_is_computed_anew_and_both_are_kept(void **state)
{
    struct world *world = *state;
    struct match_result first = duel(1);
    struct match_result elsewhere = duel(2); /* Both from the same rating. */
    open_store(world);
    expect_saved(world, &first);
    expect_saved(world, &elsewhere);
    struct rating applied = won(first.players[ADA].after, &elsewhere.players[BEN].before);
    char expected[64];
    (void)snprintf(expected, sizeof expected, "151000|151000\n151000|%d\n",
                   (int)applied.rating_centi);
    assert_string_equal(rows(world, "SELECT rating_after, rating_applied FROM match_players"
                                    " WHERE name = 'Ada' ORDER BY match"),
                        expected);
    assert_int_equal(load_found(world, &ada).rating.rating_centi, applied.rating_centi);
}

/* --- What was asked. --- */

enum { MANY_QUESTIONS = 40 };

/* Ids that have different fingerprints. */
static struct question questions[MANY_QUESTIONS];

static void make_questions(void)
{
    for (unsigned i = 0; i < MANY_QUESTIONS; i++) {
        questions[i] =
            (struct question){.text = "?", .choices = {"a", "b"}, .choice_count = 2, .category = 0};
        for (unsigned j = 0; j < sizeof questions[i].id.bytes; j++) {
            questions[i].id.bytes[j] = (uint8_t)(i + 1);
        }
    }
}

static struct match_result duel_about(uint8_t number, unsigned first, unsigned rounds)
{
    make_questions();
    struct match_result result = duel(number);
    struct result_round round = result.rounds[1];
    result.round_count = (uint8_t)rounds;
    for (unsigned i = 0; i < rounds; i++) {
        result.rounds[i] = round;
        result.rounds[i].question = &questions[first + i];
    }
    return result;
}

static void expect_recent(const struct player_record *record, unsigned place, unsigned question)
{
    assert_int_equal(record->recent.fingerprints[place],
                     question_fingerprint(&questions[question]));
}

static void both_remember_the_questions_that_were_asked_the_oldest_first(void **state)
{
    struct world *world = *state;
    struct match_result result = duel_about(1, 5, 2);
    open_store(world);
    expect_saved(world, &result);
    struct player_record record = load_found(world, &ada);
    assert_int_equal(record.recent.count, 2);
    expect_recent(&record, 0, 5);
    expect_recent(&record, 1, 6);
    struct player_record other = load_found(world, &ben);
    assert_memory_equal(&other.recent, &record.recent, sizeof record.recent);
}

static void a_question_asked_again_is_the_newest(void **state)
{
    struct world *world = *state;
    struct match_result first = duel_about(1, 0, 3);
    struct match_result second = duel_about(2, 1, 1);
    open_store(world);
    expect_saved(world, &first);
    expect_saved(world, &second);
    struct player_record record = load_found(world, &ada);
    assert_int_equal(record.recent.count, 3);
    expect_recent(&record, 0, 0);
    expect_recent(&record, 1, 2);
    expect_recent(&record, 2, 1);
}

static void the_last_thirty_two_questions_are_remembered(void **state)
{
    struct world *world = *state;
    struct match_result first = duel_about(1, 0, MATCH_ROUNDS_MAX);
    struct match_result second = duel_about(2, MATCH_ROUNDS_MAX, MATCH_ROUNDS_MAX);
    open_store(world);
    expect_saved(world, &first);
    expect_saved(world, &second);
    struct player_record record = load_found(world, &ada);
    assert_int_equal(record.recent.count, RECENT_QUESTIONS_MAX);
    expect_recent(&record, 0, MANY_QUESTIONS - RECENT_QUESTIONS_MAX);
    expect_recent(&record, RECENT_QUESTIONS_MAX - 1, MANY_QUESTIONS - 1);
}

static void questions_lie_in_the_file_as_two_bytes_little_endian(void **state)
{
    struct world *world = *state;
    struct match_result result = duel_about(1, 0, 2);
    char expected[16];
    unsigned first = question_fingerprint(&questions[0]);
    unsigned second = question_fingerprint(&questions[1]);
    (void)snprintf(expected, sizeof expected, "%02X%02X%02X%02X\n", first & 0xff, first >> 8,
                   second & 0xff, second >> 8);
    open_store(world);
    expect_saved(world, &result);
    assert_string_equal(rows(world, "SELECT hex(recent) FROM players WHERE name = 'Ada'"),
                        expected);
}

static void saving_twice_adds_nothing(void **state)
{
    struct world *world = *state;
    struct match_result first = duel_about(1, 0, 2);
    struct match_result second = duel_about(2, 2, 1);
    open_store(world);
    expect_saved(world, &first);
    expect_saved(world, &second);
    struct player_record before = load_found(world, &ada);
    expect_saved(world, &first);
    struct player_record after = load_found(world, &ada);
    assert_memory_equal(&before, &after, sizeof before);
}

/* --- Whom one has met. --- */

static struct match_result duel_against(uint8_t number, uint8_t opponent)
{
    struct match_result result = duel(number);
    result.players[BEN].player = (struct id){{0xcc, [15] = opponent}};
    return result;
}

static void expect_opponent(const struct player_record *record, unsigned place, uint8_t number)
{
    struct match_result result = duel_against(number, number);
    assert_int_equal(record->opponents.items[place].fingerprint,
                     player_fingerprint(&result.players[BEN].player));
    assert_int_equal(record->opponents.items[place].at.ms, result.ended_at.ms);
}

static void both_remember_whom_they_met_and_when(void **state)
{
    struct world *world = *state;
    struct match_result result = duel_against(1, 1);
    open_store(world);
    expect_saved(world, &result);
    struct player_record record = load_found(world, &ada);
    assert_int_equal(record.opponents.count, 1);
    expect_opponent(&record, 0, 1);
    struct player_record other = load_found(world, &result.players[BEN].player);
    assert_int_equal(other.opponents.count, 1);
    assert_int_equal(other.opponents.items[0].fingerprint, player_fingerprint(&ada));
}

static void the_last_eight_opponents_are_remembered_the_oldest_first(void **state)
{
    struct world *world = *state;
    open_store(world);
    for (uint8_t number = 1; number <= RECENT_OPPONENTS_MAX + 1; number++) {
        struct match_result result = duel_against(number, number);
        expect_saved(world, &result);
    }
    struct player_record record = load_found(world, &ada);
    assert_int_equal(record.opponents.count, RECENT_OPPONENTS_MAX);
    for (unsigned i = 0; i < RECENT_OPPONENTS_MAX; i++) {
        expect_opponent(&record, i, (uint8_t)(i + 2));
    }
}

static void an_opponent_of_an_unrated_match_is_not_remembered(void **state)
{
    struct world *world = *state;
    struct match_result result = duel_against(1, 1);
    result.is_rated = false;
    open_store(world);
    expect_saved(world, &result);
    struct player_record record = load_found(world, &ada);
    assert_int_equal(record.opponents.count, 0);
    assert_int_equal(record.recent.count, ROUNDS);
}

static void opponents_lie_in_the_file_as_twice_eight_bytes_little_endian(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    result.players[BEN].player =
        (struct id){{1, 2, 3, 4, 5, 6, 0x70, 0x08, 0x80, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77}};
    open_store(world);
    expect_saved(world, &result);
    assert_int_equal(result.ended_at.ms, 0x1a0c45267d0);
    uint64_t fingerprint = player_fingerprint(&result.players[BEN].player);
    char expected[40] = "";
    for (unsigned i = 0; i < 8; i++) {
        (void)snprintf(expected + 2 * i, 3, "%02X", (unsigned)(fingerprint >> 8 * i & 0xff));
    }
    (void)strcat(expected, "D06752C4A0010000\n");
    assert_string_equal(rows(world, "SELECT hex(opponents) FROM players WHERE name = 'Ada'"),
                        expected);
}

/* --- Bots. --- */

static void a_bot_is_in_the_match_but_no_player(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    result.mode = MATCH_MODE_HOUSE;
    result.is_rated = false;
    result.players[BEN].is_bot = true;
    open_store(world);
    expect_saved(world, &result);
    assert_int_equal(load(world, &ben).loaded.outcome, LOAD_UNKNOWN);
    assert_string_equal(rows(world, "SELECT name FROM players"), "Ada\n");
    assert_string_equal(rows(world, "SELECT place, hex(player), name FROM match_players"
                                    " ORDER BY place"),
                        "0|AD000000000000000000000000000000|Ada\n1||Ben\n");
    assert_string_equal(rows(world, "SELECT count(*) FROM answers WHERE place = 1"), "2\n");
    assert_int_equal(load_found(world, &ada).recent.count, ROUNDS);
}

static void two_matches_may_have_the_same_bot(void **state)
{
    struct world *world = *state;
    open_store(world);
    for (uint8_t number = 1; number <= 2; number++) {
        struct match_result result = duel(number);
        result.is_rated = false;
        result.players[BEN].is_bot = true;
        expect_saved(world, &result);
    }
    assert_string_equal(rows(world, "SELECT count(*) FROM match_players WHERE player IS NULL"),
                        "2\n");
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(an_unrated_match_leaves_the_rating_as_it_is),
        store_test(a_player_of_unrated_matches_only_was_never_rated),
        store_test(results_that_come_in_another_order_all_count),
        store_test(a_rating_that_was_another_one_is_computed_anew_and_both_are_kept),
        store_test(both_remember_the_questions_that_were_asked_the_oldest_first),
        store_test(a_question_asked_again_is_the_newest),
        store_test(the_last_thirty_two_questions_are_remembered),
        store_test(questions_lie_in_the_file_as_two_bytes_little_endian),
        store_test(saving_twice_adds_nothing),
        store_test(both_remember_whom_they_met_and_when),
        store_test(the_last_eight_opponents_are_remembered_the_oldest_first),
        store_test(an_opponent_of_an_unrated_match_is_not_remembered),
        store_test(opponents_lie_in_the_file_as_twice_eight_bytes_little_endian),
        store_test(a_bot_is_in_the_match_but_no_player),
        store_test(two_matches_may_have_the_same_bot),
    };
    return cmocka_run_group_tests_name("edge/store_contract_player", tests, backend_group_begin,
                                       backend_group_end);
}
