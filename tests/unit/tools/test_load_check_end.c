#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load_check.h"
#include "load_check_fixture.h"

#define RATED_MATCH                                                                                \
    "{\"type\":\"match\"," IN_DUEL ",\"mode\":\"duel\",\"rated\":true,\"seq\":1,\"players\":["     \
    "{\"player\":\"" BOB "\",\"name\":\"Bob\",\"rating\":1600},"                                   \
    "{\"player\":\"" ADA "\",\"name\":\"Ada\",\"rating\":1500}],\"rounds\":2,"                     \
    "\"starts_at_ms\":1790000003000}"
#define HOUSE_MATCH(rated, bot)                                                                    \
    "{\"type\":\"match\"," IN_DUEL ",\"mode\":\"house\",\"rated\":" rated ",\"seq\":1,"            \
    "\"players\":[{\"player\":\"" ADA "\",\"name\":\"Ada\",\"rating\":1500},"                      \
    "{\"player\":\"" BOB "\",\"name\":\"House\",\"rating\":1500" bot "}],\"rounds\":2,"            \
    "\"starts_at_ms\":1790000003000}"
/* Bob has left; Ada wins. */
#define RATED_END(ratings)                                                                         \
    "{\"type\":\"end\"," IN_DUEL ",\"seq\":3,\"reason\":\"forfeit\",\"winner\":1,"                 \
    "\"scores\":[0,0],\"ratings\":" ratings "}"
#define RATING(before, after) "{\"before\":" before ",\"after\":" after "}"

static int bob_is_gone(void **state)
{
    queued(state);
    fine(RATED_MATCH);
    fine(GONE("2"));
    return 0;
}

static int in_the_house(void **state)
{
    greeted(state);
    assert_true(check_sent(
        &check, &(struct check_request){.id = 2, .kind = CHECK_JOIN, .mode = CHECK_HOUSE}));
    fine("{\"type\":\"queued\",\"id\":2,\"mode\":\"house\",\"waiting\":1,\"waited_ms\":0}");
    return 0;
}

static void a_rated_end_has_what_match_showed_and_the_change(void **state)
{
    (void)state;
    fine(RATED_END("[" RATING("1600", "1500") "," RATING("1500", "1600") "]"));
}

static void ratings_before_are_those_that_match_showed(void **state)
{
    (void)state;
    wrong(RATED_END("[" RATING("1600", "1500") "," RATING("1501", "1600") "]"),
          "end: player 1 was rated 1501 before, and `match` showed 1500");
}

static void a_winners_rating_does_not_fall(void **state)
{
    (void)state;
    wrong(RATED_END("[" RATING("1600", "1600") "," RATING("1500", "1499") "]"),
          "end: the winner's rating fell");
}

static void a_losers_rating_does_not_rise(void **state)
{
    (void)state;
    wrong(RATED_END("[" RATING("1600", "1601") "," RATING("1500", "1500") "]"),
          "end: the loser's rating rose");
}

static void a_rated_match_has_ratings(void **state)
{
    (void)state;
    wrong(RATED_END("null"), "end: `ratings` is null, or not, wrongly");
}

static void a_cancelled_match_is_not_rated(void **state)
{
    (void)state;
    wrong("{\"type\":\"end\"," IN_DUEL ",\"seq\":3,\"reason\":\"cancelled\",\"winner\":null,"
          "\"scores\":[0,0],\"ratings\":[" RATING("1600", "1600") "," RATING("1500", "1500") "]}",
          "end: `ratings` is null, or not, wrongly");
}

static void the_house_plays_as_a_bot_unrated(void **state)
{
    (void)state;
    fine(HOUSE_MATCH("false", ",\"bot\":true"));
}

static void the_house_says_that_it_is_one(void **state)
{
    (void)state;
    wrong(HOUSE_MATCH("false", ""), "match: `bot` does not fit the mode");
}

static void nothing_is_rated_against_the_house(void **state)
{
    (void)state;
    wrong(HOUSE_MATCH("true", ",\"bot\":true"), "match: rated, against the house");
}

static void a_duel_is_not_played_with_a_bot(void **state)
{
    (void)state;
    wrong("{\"type\":\"match\"," IN_DUEL ",\"mode\":\"duel\",\"rated\":true,\"seq\":1,"
          "\"players\":[{\"player\":\"" BOB "\",\"name\":\"Bob\",\"rating\":1600,\"bot\":true},"
          "{\"player\":\"" ADA "\",\"name\":\"Ada\",\"rating\":1500}],\"rounds\":2,"
          "\"starts_at_ms\":1790000003000}",
          "match: `bot` does not fit the mode");
}

int main(void)
{
#define TEST(name, begin) cmocka_unit_test_setup_teardown(name, begin, disconnected)
    const struct CMUnitTest tests[] = {
        TEST(a_rated_end_has_what_match_showed_and_the_change, bob_is_gone),
        TEST(ratings_before_are_those_that_match_showed, bob_is_gone),
        TEST(a_winners_rating_does_not_fall, bob_is_gone),
        TEST(a_losers_rating_does_not_rise, bob_is_gone),
        TEST(a_rated_match_has_ratings, bob_is_gone),
        TEST(a_cancelled_match_is_not_rated, bob_is_gone),
        TEST(the_house_plays_as_a_bot_unrated, in_the_house),
        TEST(the_house_says_that_it_is_one, in_the_house),
        TEST(nothing_is_rated_against_the_house, in_the_house),
        TEST(a_duel_is_not_played_with_a_bot, queued),
    };
    return cmocka_run_group_tests_name("load_check_end", tests, NULL, NULL);
}
