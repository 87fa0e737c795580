#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load_check.h"
#include "load_check_fixture.h"

/* --- A duel. --- */

static void a_whole_duel_is_fine(void **state)
{
    (void)state;
    assert_int_equal(news.kind, NEWS_QUEUED);
    fine(MATCH);
    assert_int_equal(news.kind, NEWS_MATCH);
    fine(ROUND_1);
    assert_int_equal(news.kind, NEWS_ROUND);
    assert_int_equal(news.choice_count, 3);
    answer(3, 1, 2);
    fine(ACCEPTED_1);
    assert_int_equal(news.kind, NEWS_ACCEPTED);
    fine(ANSWERED_1);
    fine(REVEAL_1);
    fine(ROUND_2);
    fine(REVEAL_2);
    fine("{\"type\":\"saving\"," IN_DUEL "}");
    fine(END);
    assert_int_equal(news.kind, NEWS_END);
    assert_int_equal(check.phase, CHECK_IDLE);
}

static void points_are_the_formulas(void **state)
{
    (void)state;
    assert_int_equal(check_points(0, 10000, 1), 1000);
    assert_int_equal(check_points(500, 10000, 1), 1000);
    assert_int_equal(check_points(2310, 10000, 1), 904);
    assert_int_equal(check_points(10000, 10000, 1), 500);
    assert_int_equal(check_points(10000, 10000, 2), 1000);
}

/* --- Order. --- */

static void a_match_comes_after_queued(void **state)
{
    (void)state;
    wrong(MATCH, "match: the player was not queued");
}

static void a_missing_seq_is_seen(void **state)
{
    (void)state;
    fine(MATCH);
    wrong("{\"type\":\"round\"," IN_DUEL ",\"seq\":3,\"round\":1," ROUND_BODY ",\"weight\":1}",
          "round: `seq` is 3 after 1");
}

static void a_round_that_is_left_out_is_seen(void **state)
{
    (void)state;
    fine(MATCH);
    wrong("{\"type\":\"round\"," IN_DUEL ",\"seq\":2,\"round\":2," ROUND_BODY ",\"weight\":2}",
          "round: 2 after 0");
}

static void each_round_is_revealed(void **state)
{
    (void)state;
    wrong("{\"type\":\"round\"," IN_DUEL ",\"seq\":3,\"round\":2," ROUND_BODY ",\"weight\":2}",
          "round: round 1 was not revealed");
}

static void answered_comes_after_its_accepted(void **state)
{
    (void)state;
    wrong(ANSWERED_1, "answered: before the accepted it belongs to");
}

static void answered_comes_once(void **state)
{
    (void)state;
    fine(ANSWERED_1);
    wrong(ANSWERED_1, "answered: told twice for one player");
}

static void a_message_of_another_match_is_wrong(void **state)
{
    (void)state;
    wrong("{\"type\":\"answered\",\"match\":\"" OTHER "\",\"round\":1,\"player\":0}",
          "answered: of a match that the player is not in");
}

static void a_ticket_comes_in_the_queue_only(void **state)
{
    (void)state;
    wrong("{\"type\":\"ticket\",\"waited_ms\":1,\"waiting\":1,\"window\":100,\"eta_ms\":null}",
          "ticket: the player is not queued");
}

/* --- Rounds. --- */

static void only_a_reveal_tells_what_is_right(void **state)
{
    (void)state;
    fine(MATCH);
    wrong("{\"type\":\"round\"," IN_DUEL ",\"seq\":2,\"round\":1," ROUND_BODY
          ",\"weight\":1,\"hint\":{\"correct\":2}}",
          "round: has `correct`, which a reveal only may have");
}

static void only_the_last_round_counts_double(void **state)
{
    (void)state;
    fine(MATCH);
    wrong("{\"type\":\"round\"," IN_DUEL ",\"seq\":2,\"round\":1," ROUND_BODY ",\"weight\":2}",
          "round: `weight` is not an integer from 1 to 1");
}

static void a_receipt_is_for_the_choice_that_was_sent(void **state)
{
    (void)state;
    answer(3, 1, 1);
    wrong(ACCEPTED_1, "accepted: another `choice` than the answer's");
}

static void an_answer_is_not_faster_than_the_player_thought(void **state)
{
    (void)state;
    answer(3, 1, 2);
    wrong("{\"type\":\"accepted\",\"id\":3,\"round\":1,\"choice\":2,\"at_ms\":900,\"rtt_ms\":250,"
          "\"dup\":false}",
          "accepted: `at_ms` is 900, the player thought for 2300");
}

static void a_repetition_brings_the_first_receipt(void **state)
{
    (void)state;
    answer(4, 1, 0);
    fine("{\"type\":\"accepted\",\"id\":4,\"round\":1,\"choice\":2,\"at_ms\":2310,\"rtt_ms\":0,"
         "\"dup\":true}");
    answer(5, 1, 2);
    wrong("{\"type\":\"accepted\",\"id\":5,\"round\":1,\"choice\":2,\"at_ms\":2400,\"rtt_ms\":0,"
          "\"dup\":true}",
          "accepted: the repetition's receipt is not the first one");
}

static void a_first_answer_is_no_repetition(void **state)
{
    (void)state;
    answer(3, 1, 2);
    wrong("{\"type\":\"accepted\",\"id\":3,\"round\":1,\"choice\":2,\"at_ms\":2310,\"rtt_ms\":0,"
          "\"dup\":true}",
          "accepted: `dup` is true for a first answer");
}

static void points_that_are_not_the_formulas_are_seen(void **state)
{
    (void)state;
    wrong(REVEAL_1_OF(NOBODYS, "{\"choice\":2,\"at_ms\":2310,\"points\":905,\"score\":904,"
                               "\"streak\":1}"),
          "reveal: `points` of player 1 is 905, not 904");
}

static void an_accepted_answer_is_in_the_reveal(void **state)
{
    (void)state;
    wrong(REVEAL_1_OF(NOBODYS, NOBODYS), "reveal: the accepted answer is missing");
}

static void a_wrong_choice_is_worth_nothing(void **state)
{
    (void)state;
    wrong(REVEAL_1_OF("{\"choice\":1,\"at_ms\":600,\"points\":500,\"score\":500,\"streak\":0}",
                      ADAS_904),
          "reveal: `points` of player 0 is 500, not 0");
}

static void the_last_reveal_has_no_next_round(void **state)
{
    (void)state;
    wrong("{\"type\":\"reveal\"," IN_DUEL ",\"seq\":3,\"round\":1,\"correct\":2,"
          "\"next_at_ms\":null,\"results\":[" NOBODYS "," ADAS_904 "]}",
          "reveal: `next_at_ms` is null, or not, in the wrong round");
}

/* --- The end. --- */

static void the_winner_has_the_most_points(void **state)
{
    (void)state;
    wrong(END_OF("finished", "1", "[2000,904]"), "end: `winner` is 1, not 0");
}

static void the_scores_are_the_sums_of_the_points(void **state)
{
    (void)state;
    wrong(END_OF("finished", "0", "[2000,905]"),
          "end: the score of player 1 is not the sum of its points");
}

static void a_match_finishes_after_its_last_reveal_only(void **state)
{
    (void)state;
    fine(REVEAL_1);
    wrong("{\"type\":\"end\"," IN_DUEL ",\"seq\":4,\"reason\":\"finished\",\"winner\":1,"
          "\"scores\":[0,904],\"ratings\":null}",
          "end: finished before the last round was revealed");
}

static void a_forfeit_comes_after_gone(void **state)
{
    (void)state;
    fine(GONE("3"));
    fine("{\"type\":\"end\"," IN_DUEL ",\"seq\":4,\"reason\":\"forfeit\",\"winner\":1,"
         "\"scores\":[0,0],\"ratings\":null}");
}

static void a_forfeit_without_gone_is_wrong(void **state)
{
    (void)state;
    wrong("{\"type\":\"end\"," IN_DUEL ",\"seq\":3,\"reason\":\"forfeit\",\"winner\":0,"
          "\"scores\":[0,0],\"ratings\":null}",
          "end: forfeit, and nobody is gone");
}

static void a_cancelled_match_has_no_winner(void **state)
{
    (void)state;
    wrong("{\"type\":\"end\"," IN_DUEL ",\"seq\":3,\"reason\":\"cancelled\",\"winner\":0,"
          "\"scores\":[0,0],\"ratings\":null}",
          "end: `winner` is 0, not -1");
}

static void both_players_get_the_same_bytes(void **state)
{
    struct check own = check;
    check_init(&check, "Bob", CHECK_STRICT, *state);
    ask(CHECK_HELLO, 1);
    fine("{\"type\":\"welcome\",\"id\":1,\"player\":\"" BOB "\",\"name\":\"Bob\",\"rating\":1500,"
         "\"session\":\"s\",\"now_ms\":1790000000000,\"ping_ms\":25000,\"modes\":[\"duel\"],"
         "\"categories\":[\"science\"],\"emotes\":[\"gg\"]}");
    ask(CHECK_JOIN, 2);
    fine(QUEUED);
    fine(MATCH);
    wrong("{\"type\":\"round\", " IN_DUEL ",\"seq\":2,\"round\":1," ROUND_BODY ",\"weight\":1}",
          "round: the other player got other bytes for this `seq`");
    check_ended(&check);
    check = own;
}

int main(void)
{
#define TEST(name, begin) cmocka_unit_test_setup_teardown(name, begin, disconnected)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_duel_is_fine, queued),
        TEST(points_are_the_formulas, connected),
        TEST(a_match_comes_after_queued, greeted),
        TEST(a_missing_seq_is_seen, queued),
        TEST(a_round_that_is_left_out_is_seen, queued),
        TEST(each_round_is_revealed, in_the_first_round),
        TEST(answered_comes_after_its_accepted, in_the_first_round),
        TEST(answered_comes_once, answered),
        TEST(a_message_of_another_match_is_wrong, in_the_first_round),
        TEST(a_ticket_comes_in_the_queue_only, greeted),
        TEST(only_a_reveal_tells_what_is_right, queued),
        TEST(only_the_last_round_counts_double, queued),
        TEST(a_receipt_is_for_the_choice_that_was_sent, in_the_first_round),
        TEST(an_answer_is_not_faster_than_the_player_thought, in_the_first_round),
        TEST(a_repetition_brings_the_first_receipt, answered),
        TEST(a_first_answer_is_no_repetition, in_the_first_round),
        TEST(points_that_are_not_the_formulas_are_seen, answered),
        TEST(an_accepted_answer_is_in_the_reveal, answered),
        TEST(a_wrong_choice_is_worth_nothing, answered),
        TEST(the_last_reveal_has_no_next_round, answered),
        TEST(the_winner_has_the_most_points, all_revealed),
        TEST(the_scores_are_the_sums_of_the_points, all_revealed),
        TEST(a_match_finishes_after_its_last_reveal_only, answered),
        TEST(a_forfeit_comes_after_gone, in_the_first_round),
        TEST(a_forfeit_without_gone_is_wrong, in_the_first_round),
        TEST(a_cancelled_match_has_no_winner, in_the_first_round),
        TEST(both_players_get_the_same_bytes, in_the_first_round),
    };
    return cmocka_run_group_tests_name("load_check_match", tests, NULL, NULL);
}
