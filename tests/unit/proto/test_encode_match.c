/* The messages of a match's log, byte by byte, from a match written down by hand. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/encode.h"
#include "wire_fixture.h"

#define MATCH_TEXT      "01920000-0000-7000-8000-00000000002a"
#define HEAD(type, seq) "{\"type\":\"" type "\",\"match\":\"" MATCH_TEXT "\",\"seq\":" seq ","

enum { ADA, GRACE };
enum { CREATED_MS = 5000, WALL_OFFSET_MS = 100000 };

#define PLAYER_ENTRY(kind, player) ((uint8_t)((kind) | (player) << 3))

static const struct question questions[] = {
    {
        .id = {{0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78, 0x87, 0x96, 0xa5, 0xb4, 0xc3, 0xd2,
                0xe1, 0xf0}},
        .text = "Which \"gas\"?",
        .choices = {"Oxygen", "Neon", "Iron", "Gold"},
        .choice_count = 4,
        .category = 1,
        .difficulty = DIFFICULTY_EASY,
    },
    {
        .id = {{1}},
        .text = "Is it?",
        .choices = {"True", "False"},
        .choice_count = 2,
        .category = 0,
        .difficulty = DIFFICULTY_HARD,
    },
};

static const struct bank bank = {
    .questions = questions,
    .count = 2,
    .categories = {{.name = "art", .count = 1}, {.name = "science", .count = 1}},
    .category_count = 2,
};

static void put_entry(struct match *match, unsigned seq, unsigned entry)
{
    unsigned shift = (seq - 1) % 2 * 4;
    uint8_t *byte = &match->log[(seq - 1) / 2];
    *byte = (uint8_t)((*byte & ~(0xfu << shift)) | entry << shift);
}

/* Two rounds, both revealed. Ada is right and fast in the first, and silent in the second. */
static struct match two_rounds(void)
{
    static const uint8_t log[] = {
        MATCH_LOG_MATCH,
        MATCH_LOG_ROUND,
        PLAYER_ENTRY(MATCH_LOG_AWAY, GRACE),
        PLAYER_ENTRY(MATCH_LOG_BACK, GRACE),
        MATCH_LOG_REVEAL,
        MATCH_LOG_ROUND,
        PLAYER_ENTRY(MATCH_LOG_GONE, ADA),
        MATCH_LOG_REVEAL,
        MATCH_LOG_END,
    };
    struct match match = {
        .id = {{0x01, 0x92, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x2a}},
        .bank = &bank,
        .settings = {.mode = MATCH_MODE_DUEL,
                     .rounds = 2,
                     .start_ms = 3000,
                     .round_time_ms = 10000,
                     .reveal_time_ms = 4000,
                     .grace_ms = 15000,
                     .close_slack_ms = 20},
        .created_at = {CREATED_MS},
        .wall_offset_ms = WALL_OFFSET_MS,
        .players = {{.player = {{0xad}},
                     .name = "Ada",
                     .rating = {.rating_centi = 150050},
                     .rating_after = {.rating_centi = 133749},
                     .score = 904},
                    {.player = {{0x61}},
                     .name = "Gr\"ace",
                     .rating = {.rating_centi = 149949},
                     .rating_after = {.rating_centi = 166250},
                     .score = 1000}},
        .player_count = 2,
        .is_rated = true,
        .state = MATCH_ENDED,
        .round = 2,
        .reason = MATCH_END_FINISHED,
        .winner = GRACE,
        .seq = sizeof log,
        .rounds = {{.question = 0,
                    .places = {2, 3, 0, 1},
                    .choice_count = 4,
                    .weight = 1,
                    .began_ms = 8000 - CREATED_MS,
                    .revealed_ms = 12100 - CREATED_MS,
                    .scores = {904, 0},
                    .streaks = {1, 0},
                    .answers = {{.choice = 2, .is_right = true, .points = 904, .raw_ms = 2310},
                                {.choice = 0, .raw_ms = 4100}}},
                   {.question = 1,
                    .places = {1, 0},
                    .choice_count = 2,
                    .weight = 2,
                    .began_ms = 16100 - CREATED_MS,
                    .revealed_ms = 26130 - CREATED_MS,
                    .scores = {904, 1000},
                    .streaks = {0, 1},
                    .answers = {{.choice = MATCH_CHOICE_NONE},
                                {.choice = 1, .is_right = true, .points = 1000, .raw_ms = 10000}}}},
    };
    for (unsigned i = 0; i < sizeof log; i++) put_entry(&match, i + 1, log[i]);
    return match;
}

static struct wire written(const struct match *match, uint16_t seq)
{
    struct wire wire = empty_wire();
    encode_match_entry(&wire, match, seq);
    return wire;
}

static void assert_entry(const struct match *match, uint16_t seq, const char *expected)
{
    struct wire wire = written(match, seq);
    assert_message(&wire, expected);
}

static void a_match_names_players_rounds_and_start(void **state)
{
    (void)state;
    struct match match = two_rounds();
    assert_entry(&match, 1,
                 "{\"type\":\"match\",\"match\":\"" MATCH_TEXT
                 "\",\"mode\":\"duel\",\"rated\":true,"
                 "\"seq\":1,\"players\":["
                 "{\"player\":\"ad000000-0000-0000-0000-000000000000\",\"name\":\"Ada\","
                 "\"rating\":1501},"
                 "{\"player\":\"61000000-0000-0000-0000-000000000000\",\"name\":\"Gr\\\"ace\","
                 "\"rating\":1499}],\"rounds\":2,\"starts_at_ms\":108000}");
}

static void an_unrated_match_says_so(void **state)
{
    (void)state;
    struct match match = two_rounds();
    match.is_rated = false;
    struct wire wire = written(&match, 1);
    cJSON *tree = tree_of(&wire);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(tree, "rated")));
    cJSON_Delete(tree);
}

static void a_match_against_the_house_names_the_bot_as_one(void **state)
{
    (void)state;
    struct match match = two_rounds();
    match.settings.mode = MATCH_MODE_HOUSE;
    match.is_rated = false;
    match.players[GRACE].is_bot = true;
    assert_entry(&match, 1,
                 "{\"type\":\"match\",\"match\":\"" MATCH_TEXT
                 "\",\"mode\":\"house\",\"rated\":false,"
                 "\"seq\":1,\"players\":["
                 "{\"player\":\"ad000000-0000-0000-0000-000000000000\",\"name\":\"Ada\","
                 "\"rating\":1501},"
                 "{\"player\":\"61000000-0000-0000-0000-000000000000\",\"name\":\"Gr\\\"ace\","
                 "\"rating\":1499,\"bot\":true}],\"rounds\":2,\"starts_at_ms\":108000}");
}

static void a_round_shows_the_choices_in_their_places(void **state)
{
    (void)state;
    struct match match = two_rounds();
    assert_entry(&match, 2,
                 HEAD("round", "2") "\"round\":1,\"rounds\":2,"
                                    "\"question_id\":\"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\","
                                    "\"category\":\"science\",\"difficulty\":\"easy\","
                                    "\"question\":\"Which \\\"gas\\\"?\","
                                    "\"choices\":[\"Iron\",\"Gold\",\"Oxygen\",\"Neon\"],"
                                    "\"time_ms\":10000,\"deadline_ms\":118000,\"weight\":1}");
}

static void the_last_round_counts_double(void **state)
{
    (void)state;
    struct match match = two_rounds();
    assert_entry(
        &match, 6,
        HEAD("round", "6") "\"round\":2,\"rounds\":2,"
                           "\"question_id\":\"01000000-0000-0000-0000-000000000000\","
                           "\"category\":\"art\",\"difficulty\":\"hard\",\"question\":\"Is it?\","
                           "\"choices\":[\"False\",\"True\"],"
                           "\"time_ms\":10000,\"deadline_ms\":126100,\"weight\":2}");
}

static void a_reveal_tells_the_place_and_every_result(void **state)
{
    (void)state;
    struct match match = two_rounds();
    assert_entry(
        &match, 5,
        HEAD("reveal",
             "5") "\"round\":1,\"correct\":2,\"next_at_ms\":116100,\"results\":["
                  "{\"choice\":2,\"at_ms\":2310,\"points\":904,\"score\":904,\"streak\":1},"
                  "{\"choice\":0,\"at_ms\":4100,\"points\":0,\"score\":0,\"streak\":0}]}");
}

static void the_last_reveal_has_no_next_and_silence_no_choice(void **state)
{
    (void)state;
    struct match match = two_rounds();
    assert_entry(
        &match, 8,
        HEAD("reveal",
             "8") "\"round\":2,\"correct\":1,\"next_at_ms\":null,\"results\":["
                  "{\"choice\":null,\"at_ms\":null,\"points\":0,\"score\":904,\"streak\":0},"
                  "{\"choice\":1,\"at_ms\":10000,\"points\":1000,\"score\":1000,\"streak\":1}]}");
}

static void a_peer_who_is_away_has_its_grace(void **state)
{
    (void)state;
    struct match match = two_rounds();
    assert_entry(&match, 3,
                 HEAD("peer", "3") "\"player\":1,\"state\":\"away\",\"grace_ms\":15000}");
}

static void a_peer_is_back_or_gone(void **state)
{
    (void)state;
    struct match match = two_rounds();
    assert_entry(&match, 4, HEAD("peer", "4") "\"player\":1,\"state\":\"back\"}");
    assert_entry(&match, 7, HEAD("peer", "7") "\"player\":0,\"state\":\"gone\"}");
}

static void an_end_tells_the_outcome(void **state)
{
    (void)state;
    struct match match = two_rounds();
    assert_entry(&match, 9,
                 HEAD("end", "9") "\"reason\":\"finished\",\"winner\":1,\"scores\":[904,1000],"
                                  "\"ratings\":[{\"before\":1501,\"after\":1337},"
                                  "{\"before\":1499,\"after\":1663}]}");
}

static void an_unrated_end_has_no_ratings(void **state)
{
    (void)state;
    struct match match = two_rounds();
    match.is_rated = false;
    assert_entry(&match, 9,
                 HEAD("end", "9") "\"reason\":\"finished\",\"winner\":1,\"scores\":[904,1000],"
                                  "\"ratings\":null}");
}

static void an_end_may_have_no_winner(void **state)
{
    (void)state;
    struct match match = two_rounds();
    match.winner = MATCH_WINNER_NONE;
    match.reason = MATCH_END_SHUTDOWN;
    assert_entry(&match, 9,
                 HEAD("end", "9") "\"reason\":\"shutdown\",\"winner\":null,\"scores\":[904,1000],"
                                  "\"ratings\":null}");
}

/* A round that was asked and not revealed gave nobody anything. */
static void an_end_during_a_round_has_the_scores_of_the_last_reveal(void **state)
{
    (void)state;
    struct match match = two_rounds();
    put_entry(&match, 7, MATCH_LOG_END);
    match.seq = 7;
    match.reason = MATCH_END_FORFEIT;
    assert_entry(&match, 7,
                 HEAD("end", "7") "\"reason\":\"forfeit\",\"winner\":1,\"scores\":[904,0],"
                                  "\"ratings\":[{\"before\":1501,\"after\":1337},"
                                  "{\"before\":1499,\"after\":1663}]}");
}

static void an_end_before_any_reveal_has_no_points(void **state)
{
    (void)state;
    struct match match = two_rounds();
    put_entry(&match, 2, MATCH_LOG_END);
    match.seq = 2;
    match.reason = MATCH_END_CANCELLED;
    match.winner = MATCH_WINNER_NONE;
    assert_entry(&match, 2,
                 HEAD("end", "2") "\"reason\":\"cancelled\",\"winner\":null,\"scores\":[0,0],"
                                  "\"ratings\":null}");
}

static void a_log_that_reveals_more_than_there_are_rounds_stays_within_the_table(void **state)
{
    (void)state;
    struct match match = two_rounds();
    match.seq = MATCH_ROUNDS_MAX + 6;
    for (unsigned seq = 1; seq < match.seq; seq++) put_entry(&match, seq, MATCH_LOG_REVEAL);
    put_entry(&match, match.seq, MATCH_LOG_END);
    struct wire wire = written(&match, match.seq);
    cJSON_Delete(tree_of(&wire));
}

static void what_was_not_told_cannot_be_encoded(void **state)
{
    (void)state;
    struct match match = two_rounds();
    expect_assert_failure((void)written(&match, 0));
    expect_assert_failure((void)written(&match, (uint16_t)(match.seq + 1)));
}

static void a_log_entry_of_no_kind_cannot_be_encoded(void **state)
{
    (void)state;
    struct match match = two_rounds();
    put_entry(&match, 1, 0xf);
    expect_assert_failure((void)written(&match, 1));
}

/* --- Bounds. --- */

static void the_largest_round_fits(void **state)
{
    (void)state;
    enum { QUESTION_BYTES = QUESTION_CHARACTERS_MAX, CHOICE_BYTES = CHOICE_CHARACTERS_MAX };
    char text[QUESTION_BYTES + 1] = "";
    char choice[CHOICE_BYTES + 1] = "";
    char category[CATEGORY_BYTES_MAX + 1] = "";
    memset(text, '\x01', QUESTION_BYTES); /* Each is escaped to six bytes. */
    memset(choice, '\x01', CHOICE_BYTES);
    memset(category, '\x01', CATEGORY_BYTES_MAX);
    const struct question question = {
        .text = text,
        .choices = {choice, choice, choice, choice, choice, choice},
        .choice_count = 6,
        .difficulty = DIFFICULTY_MEDIUM,
    };
    const struct bank large = {.questions = &question,
                               .count = 1,
                               .categories = {{.name = category, .count = 1}},
                               .category_count = 1};
    struct match match = two_rounds();
    match.bank = &large;
    match.settings.round_time_ms = UINT32_MAX;
    match.rounds[0].choice_count = 6;
    memcpy(match.rounds[0].places, (uint8_t[]){0, 1, 2, 3, 4, 5}, 6);
    struct wire wire = written(&match, 2);
    cJSON_Delete(tree_of(&wire));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_match_names_players_rounds_and_start),
        cmocka_unit_test(an_unrated_match_says_so),
        cmocka_unit_test(a_match_against_the_house_names_the_bot_as_one),
        cmocka_unit_test(a_round_shows_the_choices_in_their_places),
        cmocka_unit_test(the_last_round_counts_double),
        cmocka_unit_test(a_reveal_tells_the_place_and_every_result),
        cmocka_unit_test(the_last_reveal_has_no_next_and_silence_no_choice),
        cmocka_unit_test(a_peer_who_is_away_has_its_grace),
        cmocka_unit_test(a_peer_is_back_or_gone),
        cmocka_unit_test(an_end_tells_the_outcome),
        cmocka_unit_test(an_unrated_end_has_no_ratings),
        cmocka_unit_test(an_end_may_have_no_winner),
        cmocka_unit_test(an_end_during_a_round_has_the_scores_of_the_last_reveal),
        cmocka_unit_test(an_end_before_any_reveal_has_no_points),
        cmocka_unit_test(a_log_that_reveals_more_than_there_are_rounds_stays_within_the_table),
        cmocka_unit_test(what_was_not_told_cannot_be_encoded),
        cmocka_unit_test(a_log_entry_of_no_kind_cannot_be_encoded),
        cmocka_unit_test(the_largest_round_fits),
    };
    return cmocka_run_group_tests_name("encode_match", tests, NULL, NULL);
}
