#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load_check.h"
#include "load_check_fixture.h"

#define EXPIRED      "{\"type\":\"error\",\"id\":9,\"code\":\"resume_expired\",\"message\":\"m\"}"
#define STILL_QUEUED "{\"type\":\"queued\",\"mode\":\"duel\",\"waiting\":1,\"waited_ms\":700}"
#define OWN_PEER(seq, state)                                                                       \
    "{\"type\":\"peer\"," IN_DUEL ",\"seq\":" seq ",\"player\":1,\"state\":" state "}"
#define AWAY(seq) OWN_PEER(seq, "\"away\",\"grace_ms\":10000")
#define BACK(seq) OWN_PEER(seq, "\"back\"")
#define RECEIPT(dup)                                                                               \
    "{\"type\":\"accepted\",\"id\":10,\"round\":1,\"choice\":2,\"at_ms\":2310,\"rtt_ms\":0,"       \
    "\"dup\":" dup "}"

/* --- In a match. --- */

static void what_was_missed_comes_in_order_then_the_clock(void **state)
{
    (void)state;
    assert_true(news.has_match);
    fine(AWAY("3"));
    assert_true(news.is_replayed);
    fine(BACK("4"));
    fine(CLOCK_1);
    assert_int_equal(news.kind, NEWS_CLOCK);
    assert_int_equal(news.round, 1);
    assert_int_equal(news.choice_count, 3);
    assert_true(news.is_open);
    assert_int_equal(news.left_ms, 8000);
    fine("{\"type\":\"answered\"," IN_DUEL ",\"round\":1,\"player\":0}");
    fine("{\"type\":\"emote\"," IN_DUEL ",\"player\":0,\"code\":\"gg\"}");
}

static void a_gap_in_what_was_missed_is_seen(void **state)
{
    (void)state;
    wrong(BACK("4"), "peer: `seq` is 4 after 2");
    assert_true(verdict.has_seq_gap);
}

static void what_was_not_missed_is_not_sent_again(void **state)
{
    (void)state;
    wrong(ROUND_1, "round: round 1 was not revealed");
    assert_true(verdict.has_seq_gap);
}

static void what_is_live_does_not_come_before_the_clock(void **state)
{
    (void)state;
    wrong("{\"type\":\"emote\"," IN_DUEL ",\"player\":0,\"code\":\"gg\"}",
          "emote: before the clock");
    wrong("{\"type\":\"answered\"," IN_DUEL ",\"round\":1,\"player\":0}",
          "answered: before the clock");
}

static void a_round_that_began_after_the_welcome_comes_after_the_clock(void **state)
{
    (void)state;
    fine(REVEAL_1_OF(NOBODYS, NOBODYS));
    wrong("{\"type\":\"round\"," IN_DUEL ",\"seq\":4,\"round\":2,\"rounds\":2,"
          "\"question_id\":\"q\",\"category\":\"science\",\"difficulty\":\"easy\","
          "\"question\":\"Which?\",\"choices\":[\"A\",\"B\",\"C\"],\"time_ms\":10000,"
          "\"deadline_ms\":1790000019000,\"weight\":2}",
          "round: it began after the welcome, and no clock came before it");
}

static void all_of_a_match_comes_where_nothing_was_said_of_it(void **state)
{
    (void)state;
    come_back(0);
    fine(WELCOME_BACK_TO_DUEL);
    fine(MATCH);
    fine(ROUND_1);
    fine(CLOCK_1);
}

static void who_is_lost_before_it_comes_again_still_holds_what_was_there(void **state)
{
    (void)state;
    come_back(0);
    fine(WELCOME_BACK_TO_DUEL);
    come_back(2);
    fine(WELCOME_BACK_AS(ADA, "u", "," IN_DUEL));
    fine(AWAY("3"));
    fine(BACK("4"));
    fine(CLOCK_1);
}

static void all_of_a_match_begins_with_its_first_message(void **state)
{
    (void)state;
    come_back(0);
    fine(WELCOME_BACK_TO_DUEL);
    wrong(ROUND_1, "round: of a match that the player is not in");
}

static void what_is_sent_again_has_the_same_bytes(void **state)
{
    (void)state;
    come_back(0);
    fine(WELCOME_BACK_TO_DUEL);
    fine(MATCH);
    wrong("{\"type\":\"round\", " IN_DUEL ",\"seq\":2,\"round\":1," ROUND_BODY ",\"weight\":1}",
          "round: the other player got other bytes for this `seq`");
}

static void a_match_that_began_in_absence_comes_whole(void **state)
{
    (void)state;
    come_back(0);
    fine(WELCOME_BACK_TO_DUEL);
    assert_true(news.has_match);
    fine(MATCH);
    fine(CLOCK_OF("0", "0"));
}

static void a_match_that_ended_in_absence_ends_without_a_clock(void **state)
{
    (void)state;
    come_back(5);
    fine(WELCOME_BACK_TO_DUEL);
    fine(END);
    assert_int_equal(check.phase, CHECK_IDLE);
}

static void an_ended_match_of_which_nothing_was_missed_brings_nothing(void **state)
{
    (void)state;
    fine(END);
    come_back(6);
    fine(WELCOME_BACK_TO_DUEL);
    assert_false(news.has_match);
    assert_int_equal(check.phase, CHECK_IDLE);
}

static void who_waits_again_after_a_cancelled_match_is_told_so(void **state)
{
    (void)state;
    fine(MATCH);
    fine("{\"type\":\"end\"," IN_DUEL ",\"seq\":2,\"reason\":\"cancelled\",\"winner\":null,"
         "\"scores\":[0,0],\"ratings\":null}");
    fine(STILL_QUEUED);
    come_back(2);
    fine(WELCOME_BACK_TO_DUEL);
    assert_false(news.has_match);
    assert_true(news.is_queued);
    fine(STILL_QUEUED);
    assert_int_equal(check.phase, CHECK_QUEUED);
}

static void a_match_that_is_unknown_at_the_return_is_lost(void **state)
{
    (void)state;
    come_back(2);
    fine(WELCOME_BACK);
    assert_true(news.lost_match);
    assert_int_equal(check.phase, CHECK_IDLE);
}

static void another_match_than_the_live_one_is_wrong(void **state)
{
    (void)state;
    come_back(2);
    wrong(WELCOME_BACK_AS(ADA, "t", ",\"match\":\"" OTHER "\""),
          "welcome: `match` is another than the one that was live");
    assert_true(news.lost_match);
}

/* --- The clock. --- */

static void a_clock_comes_after_a_return_only(void **state)
{
    (void)state;
    wrong(CLOCK_1, "clock: nothing was resumed");
}

static void a_clock_comes_once(void **state)
{
    (void)state;
    fine(CLOCK_1);
    wrong(CLOCK_1, "clock: nothing was resumed");
}

static void the_clock_is_of_the_current_round(void **state)
{
    (void)state;
    wrong(CLOCK_OF("2", "8000"), "clock: `round` is 2, and the last message was of 1");
}

static void the_clock_shows_what_is_left_until_the_deadline(void **state)
{
    (void)state;
    wrong(CLOCK_OF("1", "7849"), "clock: `left_ms` is 7849, and the phase ends in 8000");
    come_back(2);
    fine(WELCOME_BACK_AS(ADA, "u", "," IN_DUEL));
    fine(CLOCK_OF("1", "7850"));
}

static void the_clock_counts_a_credit_at_the_most(void **state)
{
    (void)state;
    wrong(CLOCK_OF("1", "8401"), "clock: `left_ms` is 8401, and the phase ends in 8000");
    come_back(2);
    fine(WELCOME_BACK_AS(ADA, "u", "," IN_DUEL));
    fine(CLOCK_OF("1", "8400"));
}

static void there_is_no_clock_once_the_last_round_is_over(void **state)
{
    (void)state;
    come_back(5);
    fine(WELCOME_BACK_TO_DUEL);
    wrong(CLOCK_OF("2", "0"), "clock: the last round is over");
}

/* --- Answers in doubt. --- */

static void a_lost_receipt_is_asked_for_again(void **state)
{
    (void)state;
    answer(3, 1, 2);
    come_back(2);
    fine(WELCOME_BACK_TO_DUEL);
    fine(CLOCK_1);
    answer(10, 1, 2);
    fine(RECEIPT("true"));
    assert_true(news.is_dup);
}

static void an_answer_that_never_came_is_accepted_the_second_time(void **state)
{
    (void)state;
    answer(3, 1, 2);
    come_back(2);
    fine(WELCOME_BACK_TO_DUEL);
    fine(CLOCK_1);
    answer(10, 1, 2);
    fine(RECEIPT("false"));
}

static void a_receipt_in_doubt_is_of_the_choice_that_was_sent(void **state)
{
    (void)state;
    answer(3, 1, 1);
    come_back(2);
    fine(WELCOME_BACK_TO_DUEL);
    fine(CLOCK_1);
    answer(10, 1, 1);
    wrong(RECEIPT("true"), "accepted: another choice than the one that was sent");
}

static void a_reveal_settles_an_answer_in_doubt(void **state)
{
    (void)state;
    answer(3, 1, 2);
    come_back(2);
    fine(WELCOME_BACK_TO_DUEL);
    fine(REVEAL_1);
    fine(CLOCK_OF("1", "4000"));
    answer(10, 1, 2);
    wrong(RECEIPT("false"), "accepted: `dup` is false for a second");
}

static void a_round_that_a_reveal_says_was_answered_is_not_late(void **state)
{
    (void)state;
    answer(3, 1, 2);
    come_back(2);
    fine(WELCOME_BACK_TO_DUEL);
    fine(REVEAL_1);
    answer(10, 1, 2);
    wrong("{\"type\":\"error\",\"id\":10,\"code\":\"late_answer\",\"message\":\"m\"}",
          "error: `late_answer` for a proper answer");
}

/* --- Who comes back. --- */

static void a_session_changes_with_each_welcome(void **state)
{
    (void)state;
    come_back(0);
    wrong(WELCOME_BACK_AS(ADA, "s", ""), "welcome: `session` is still the one before");
}

static void who_comes_back_is_the_same_player(void **state)
{
    (void)state;
    come_back(0);
    wrong(WELCOME_BACK_AS(BOB, "t", ""), "welcome: `player` is another than the one who came back");
}

static void a_name_makes_another_player(void **state)
{
    (void)state;
    come_back_by(CHECK_BY_NAME);
    wrong(WELCOME_BACK, "welcome: a new guest is a player who was there before");
}

static void a_token_is_kept_and_proves_the_same_player(void **state)
{
    (void)state;
    come_back(0);
    fine(WELCOME_BACK_AS(ADA, "t", ",\"token\":\"abc.def\""));
    assert_string_equal(check.token, "abc.def");
    come_back_by(CHECK_BY_TOKEN);
    fine(WELCOME_BACK_AS(ADA, "u", ""));
}

static void a_session_may_expire_and_takes_its_match_along(void **state)
{
    (void)state;
    come_back(2);
    fine(EXPIRED);
    assert_true(news.lost_match);
    assert_string_equal(check.session, "");
}

static void what_is_no_resume_does_not_expire(void **state)
{
    (void)state;
    come_back_by(CHECK_BY_TOKEN);
    wrong(EXPIRED, "error: `resume_expired` for a proper hello");
}

/* --- In the queue. --- */

static void who_still_waits_is_told(void **state)
{
    (void)state;
    come_back(0);
    fine(WELCOME_BACK);
    assert_true(news.is_queued);
    fine(STILL_QUEUED);
    assert_int_equal(check.phase, CHECK_QUEUED);
    fine(MATCH);
}

static void who_waits_already_does_not_join(void **state)
{
    (void)state;
    come_back(0);
    fine(WELCOME_BACK);
    ask(CHECK_JOIN, 2);
    wrong(QUEUED, "queued: for a join, and the player waited already");
}

static void a_place_that_is_unknown_at_the_return_is_lost(void **state)
{
    (void)state;
    come_back(0);
    fine(EXPIRED);
    assert_true(news.lost_place);
}

static void a_join_whose_reply_was_lost_may_have_come(void **state)
{
    (void)state;
    ask(CHECK_JOIN, 2);
    come_back(0);
    fine(WELCOME_BACK);
    fine(STILL_QUEUED);
    ask(CHECK_JOIN, 3);
    fine("{\"type\":\"error\",\"id\":3,\"code\":\"bad_state\",\"message\":\"m\"}");
}

static void a_first_join_fits_who_is_idle(void **state)
{
    (void)state;
    ask(CHECK_JOIN, 3);
    wrong("{\"type\":\"error\",\"id\":3,\"code\":\"bad_state\",\"message\":\"m\"}",
          "error: `bad_state` for a proper join");
}

static void unqueued_ends_the_wait(void **state)
{
    (void)state;
    fine("{\"type\":\"unqueued\"}");
    assert_int_equal(check.phase, CHECK_IDLE);
    wrong("{\"type\":\"unqueued\"}", "unqueued: the player was not queued");
}

int main(void)
{
#define TEST(name, begin) cmocka_unit_test_setup_teardown(name, begin, disconnected)
    const struct CMUnitTest tests[] = {
        TEST(what_was_missed_comes_in_order_then_the_clock, back_in_the_first_round),
        TEST(a_gap_in_what_was_missed_is_seen, back_in_the_first_round),
        TEST(what_was_not_missed_is_not_sent_again, back_in_the_first_round),
        TEST(what_is_live_does_not_come_before_the_clock, back_in_the_first_round),
        TEST(a_round_that_began_after_the_welcome_comes_after_the_clock, back_in_the_first_round),
        TEST(all_of_a_match_comes_where_nothing_was_said_of_it, in_the_first_round),
        TEST(who_is_lost_before_it_comes_again_still_holds_what_was_there, in_the_first_round),
        TEST(all_of_a_match_begins_with_its_first_message, in_the_first_round),
        TEST(what_is_sent_again_has_the_same_bytes, in_the_first_round),
        TEST(a_match_that_began_in_absence_comes_whole, queued),
        TEST(a_match_that_ended_in_absence_ends_without_a_clock, all_revealed),
        TEST(an_ended_match_of_which_nothing_was_missed_brings_nothing, all_revealed),
        TEST(who_waits_again_after_a_cancelled_match_is_told_so, queued),
        TEST(a_match_that_is_unknown_at_the_return_is_lost, in_the_first_round),
        TEST(another_match_than_the_live_one_is_wrong, in_the_first_round),
        TEST(a_clock_comes_after_a_return_only, in_the_first_round),
        TEST(a_clock_comes_once, back_in_the_first_round),
        TEST(the_clock_is_of_the_current_round, back_in_the_first_round),
        TEST(the_clock_shows_what_is_left_until_the_deadline, back_in_the_first_round),
        TEST(the_clock_counts_a_credit_at_the_most, back_in_the_first_round),
        TEST(there_is_no_clock_once_the_last_round_is_over, all_revealed),
        TEST(a_lost_receipt_is_asked_for_again, in_the_first_round),
        TEST(an_answer_that_never_came_is_accepted_the_second_time, in_the_first_round),
        TEST(a_receipt_in_doubt_is_of_the_choice_that_was_sent, in_the_first_round),
        TEST(a_reveal_settles_an_answer_in_doubt, in_the_first_round),
        TEST(a_round_that_a_reveal_says_was_answered_is_not_late, in_the_first_round),
        TEST(a_session_changes_with_each_welcome, greeted),
        TEST(who_comes_back_is_the_same_player, greeted),
        TEST(a_name_makes_another_player, greeted),
        TEST(a_token_is_kept_and_proves_the_same_player, greeted),
        TEST(a_session_may_expire_and_takes_its_match_along, in_the_first_round),
        TEST(what_is_no_resume_does_not_expire, greeted),
        TEST(who_still_waits_is_told, queued),
        TEST(who_waits_already_does_not_join, queued),
        TEST(a_place_that_is_unknown_at_the_return_is_lost, queued),
        TEST(a_join_whose_reply_was_lost_may_have_come, greeted),
        TEST(a_first_join_fits_who_is_idle, greeted),
        TEST(unqueued_ends_the_wait, queued),
    };
    return cmocka_run_group_tests_name("load_check_return", tests, NULL, NULL);
}
