/* The referee of the simulated world, fed with short scripts: what it lets pass, and by which rule it fails. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim_failed.h"
#include "sim_referee.h"
#include "sim_referee_priv.h"

enum {
    ADA,
    BEN,
    CREDIT_MS = 50,
    TIME_MS = 10000,
    BEGAN_MS = 5000000,
    DEADLINE_MS = BEGAN_MS + TIME_MS,
    RULE_BYTES = 128,
};

#define MATCH   "\"match\":\"01a0c450-6c00-7b69-88f1-f643f1d76abc\""
#define ADAS_ID "01a0c450-6434-7dcf-8ee6-01890823289e"
#define BENS_ID "01a0c450-687c-766c-a28e-216c734c5ed6"

static const char match_told[] =
    "{\"type\":\"match\"," MATCH ",\"mode\":\"duel\",\"rated\":true,\"seq\":1,\"players\":["
    "{\"player\":\"" ADAS_ID "\",\"name\":\"Ada\",\"rating\":1500},"
    "{\"player\":\"" BENS_ID "\",\"name\":\"Ben\",\"rating\":1500}],\"rounds\":2,"
    "\"starts_at_ms\":5000000}";
static const char round_told[] =
    "{\"type\":\"round\"," MATCH ",\"seq\":2,\"round\":1,\"rounds\":2,"
    "\"question_id\":\"ded73eeb-b007-d2a0-9582-28c9276f6d64\",\"category\":\"art\","
    "\"difficulty\":\"easy\",\"question\":\"Which?\",\"choices\":[\"a\",\"right\",\"b\",\"c\"],"
    "\"time_ms\":10000,\"deadline_ms\":5010000,\"weight\":1}";

/* --- Where a rule is broken. --- */

static jmp_buf broken;
static char rule[RULE_BYTES];

void sim_failed(const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments); /* Its beginning is enough. */
    va_end(arguments);
    (void)snprintf(rule, sizeof(rule), "%.*s", (int)strcspn(text, ":"), text); /* The same. */
    longjmp(broken, 1);
}

/* --- Scripts. --- */

static const char *is_told(struct referee *referee, unsigned client, const char *text)
{
    if (setjmp(broken) != 0) return rule;
    referee_on_message(referee, client, text, (mono_time){DEADLINE_MS});
    return "nothing";
}

static void asks_at(struct referee *referee, unsigned client, const char *text, uint64_t at_ms)
{
    const char *id = strstr(text, "\"id\":");
    referee_on_request(referee, client, (uint32_t)(id[5] - '0'));
    referee_on_arrival(referee, client, text, (mono_time){at_ms});
}

static void come_to_the_round(struct referee *referee)
{
    static const char *const ids[] = {ADAS_ID, BENS_ID};
    for (unsigned client = ADA; client <= BEN; client++) {
        char welcome[256];
        (void)snprintf(welcome, sizeof(welcome), "{\"type\":\"welcome\",\"player\":\"%s\"}",
                       ids[client]); /* It fits. */
        assert_string_equal(is_told(referee, client, welcome), "nothing");
        assert_string_equal(
            is_told(referee, client,
                    "{\"type\":\"queued\",\"mode\":\"duel\",\"waiting\":1,\"waited_ms\":0}"),
            "nothing");
        assert_string_equal(is_told(referee, client, match_told), "nothing");
        assert_string_equal(is_told(referee, client, round_told), "nothing");
    }
}

static int round_is_asked(void **state)
{
    static struct referee referee;
    struct id match;
    referee_init(&referee, 2);
    referee.credit_max_ms = CREDIT_MS;
    referee.tau_milli = 500;
    referee.right_text = "right";
    assert_true(id_parse(MATCH + strlen("\"match\":\""), ID_TEXT_BYTES, &match));
    referee_on_started(&referee, &match, 0, 0);
    referee_on_emptied(&referee, 0, (mono_time){BEGAN_MS});
    come_to_the_round(&referee);
    *state = &referee;
    return 0;
}

static int is_over(void **state)
{
    referee_fini(*state);
    return 0;
}

/* --- Ratings. --- */

static const char *is_news(struct referee *referee, struct referee_match *match, const char *text)
{
    if (setjmp(broken) != 0) return rule;
    match_rules_on_news(referee, match, text, 1);
    return "nothing";
}

static void the_first_duel_of_two_is_rated(void **state)
{
    struct referee_match match = {.revealed = 0};
    assert_string_equal(
        is_news(*state, &match,
                "{\"type\":\"match\"," MATCH ",\"mode\":\"duel\",\"rated\":false,\"seq\":1,"
                "\"players\":[{\"player\":\"" ADAS_ID "\",\"name\":\"Ada\",\"rating\":1500},"
                "{\"player\":\"" BENS_ID "\",\"name\":\"Ben\",\"rating\":1500}],\"rounds\":2,"
                "\"starts_at_ms\":5000000}"),
        "a duel is unrated only after two");
}

/* --- Answers. --- */

static void an_answer_at_the_deadline_counts_with_its_credit(void **state)
{
    struct referee *referee = *state;
    asks_at(referee, ADA, "{\"type\":\"answer\",\"id\":1,\"round\":1,\"choice\":1}",
            DEADLINE_MS + CREDIT_MS);
    assert_string_equal(is_told(referee, ADA,
                                "{\"type\":\"accepted\",\"id\":1,\"round\":1,\"choice\":1,"
                                "\"at_ms\":10000,\"rtt_ms\":50,\"dup\":false}"),
                        "nothing");
}

static void an_answer_after_it_does_not(void **state)
{
    struct referee *referee = *state;
    asks_at(referee, ADA, "{\"type\":\"answer\",\"id\":1,\"round\":1,\"choice\":1}",
            DEADLINE_MS + CREDIT_MS + 1);
    assert_string_equal(is_told(referee, ADA,
                                "{\"type\":\"accepted\",\"id\":1,\"round\":1,\"choice\":1,"
                                "\"at_ms\":10001,\"rtt_ms\":50,\"dup\":false}"),
                        "no answer counts after its deadline");
}

static void an_answer_is_not_timed_from_anything_but_its_arrival(void **state)
{
    struct referee *referee = *state;
    asks_at(referee, ADA, "{\"type\":\"answer\",\"id\":1,\"round\":1,\"choice\":1}",
            BEGAN_MS + 2000);
    assert_string_equal(is_told(referee, ADA,
                                "{\"type\":\"accepted\",\"id\":1,\"round\":1,\"choice\":1,"
                                "\"at_ms\":1951,\"rtt_ms\":50,\"dup\":false}"),
                        "an answer is timed from its arrival");
}

static void an_answer_that_was_not_given_does_not_count(void **state)
{
    struct referee *referee = *state;
    asks_at(referee, ADA, "{\"type\":\"answer\",\"id\":1,\"round\":1,\"choice\":3}",
            BEGAN_MS + 2000);
    assert_string_equal(is_told(referee, ADA,
                                "{\"type\":\"accepted\",\"id\":1,\"round\":1,\"choice\":1,"
                                "\"at_ms\":2000,\"rtt_ms\":0,\"dup\":false}"),
                        "a receipt is of what was asked");
}

static void a_second_answer_does_not_count(void **state)
{
    struct referee *referee = *state;
    asks_at(referee, ADA, "{\"type\":\"answer\",\"id\":1,\"round\":1,\"choice\":1}",
            BEGAN_MS + 2000);
    assert_string_equal(is_told(referee, ADA,
                                "{\"type\":\"accepted\",\"id\":1,\"round\":1,\"choice\":1,"
                                "\"at_ms\":2000,\"rtt_ms\":0,\"dup\":false}"),
                        "nothing");
    asks_at(referee, ADA, "{\"type\":\"answer\",\"id\":2,\"round\":1,\"choice\":1}",
            BEGAN_MS + 2000);
    assert_string_equal(is_told(referee, ADA,
                                "{\"type\":\"accepted\",\"id\":2,\"round\":1,\"choice\":1,"
                                "\"at_ms\":2000,\"rtt_ms\":0,\"dup\":false}"),
                        "one answer counts per player and round");
}

static void a_repetition_brings_the_first_choice(void **state)
{
    struct referee *referee = *state;
    asks_at(referee, ADA, "{\"type\":\"answer\",\"id\":1,\"round\":1,\"choice\":1}",
            BEGAN_MS + 2000);
    assert_string_equal(is_told(referee, ADA,
                                "{\"type\":\"accepted\",\"id\":1,\"round\":1,\"choice\":1,"
                                "\"at_ms\":2000,\"rtt_ms\":0,\"dup\":false}"),
                        "nothing");
    asks_at(referee, ADA, "{\"type\":\"answer\",\"id\":2,\"round\":1,\"choice\":2}",
            BEGAN_MS + 3000);
    assert_string_equal(is_told(referee, ADA,
                                "{\"type\":\"accepted\",\"id\":2,\"round\":1,\"choice\":2,"
                                "\"at_ms\":2000,\"rtt_ms\":0,\"dup\":true}"),
                        "a receipt repeats the first");
}

static void who_is_in_time_is_not_late(void **state)
{
    struct referee *referee = *state;
    asks_at(referee, ADA, "{\"type\":\"answer\",\"id\":1,\"round\":1,\"choice\":1}", DEADLINE_MS);
    assert_string_equal(
        is_told(referee, ADA,
                "{\"type\":\"error\",\"id\":1,\"code\":\"late_answer\",\"message\":\"Over.\"}"),
        "late is said of late answers");
}

static void who_has_nothing_under_way_is_not_told_busy(void **state)
{
    struct referee *referee = *state;
    asks_at(referee, ADA, "{\"type\":\"answer\",\"id\":1,\"round\":1,\"choice\":1}",
            BEGAN_MS + 2000);
    assert_string_equal(is_told(referee, ADA,
                                "{\"type\":\"error\",\"id\":1,\"code\":\"busy\",\"message\":\"\","
                                "\"retry_ms\":100}"),
                        "busy is of one's own doing");
}

static void who_floods_is_told_busy(void **state)
{
    struct referee *referee = *state;
    asks_at(referee, ADA, "{\"type\":\"answer\",\"id\":1,\"round\":1,\"choice\":1}",
            BEGAN_MS + 2000);
    asks_at(referee, ADA, "{\"type\":\"answer\",\"id\":2,\"round\":1,\"choice\":1}",
            BEGAN_MS + 2000);
    assert_string_equal(is_told(referee, ADA,
                                "{\"type\":\"error\",\"id\":2,\"code\":\"busy\",\"message\":\"\","
                                "\"retry_ms\":100}"),
                        "nothing");
}

/* --- Points. --- */

static void points_are_those_of_the_protocol(void **state)
{
    (void)state;
    assert_int_equal(match_rules_points(0, TIME_MS, 1), 1000);
    assert_int_equal(match_rules_points(500, TIME_MS, 1), 1000);
    assert_int_equal(match_rules_points(501, TIME_MS, 1), 999);
    assert_int_equal(match_rules_points(2310, TIME_MS, 1), 904); /* docs/protocol.md's example. */
    assert_int_equal(match_rules_points(TIME_MS, TIME_MS, 1), 500);
    assert_int_equal(match_rules_points(TIME_MS, TIME_MS, 2), 1000);
}

#define NOBODY "{\"choice\":null,\"at_ms\":null,\"points\":0,\"score\":0,\"streak\":0}"

static void a_reveal_with_other_points_fails(void **state)
{
    assert_string_equal(is_told(*state, ADA,
                                "{\"type\":\"reveal\"," MATCH
                                ",\"seq\":3,\"round\":1,\"correct\":1,"
                                "\"next_at_ms\":null,\"results\":[{\"choice\":1,\"at_ms\":2310,"
                                "\"points\":905,\"score\":905,\"streak\":1}," NOBODY "]}"),
                        "points follow from choice and time");
}

static void a_reveal_of_another_choice_fails(void **state)
{
    assert_string_equal(is_told(*state, ADA,
                                "{\"type\":\"reveal\"," MATCH
                                ",\"seq\":3,\"round\":1,\"correct\":0,"
                                "\"next_at_ms\":null,\"results\":[" NOBODY "," NOBODY "]}"),
                        "a reveal names the right choice");
}

/* --- Order. --- */

#define GONE(seq) "{\"type\":\"peer\"," MATCH ",\"seq\":" seq ",\"player\":1,\"state\":\"away\"}"

static void the_next_number_passes(void **state)
{
    assert_string_equal(is_told(*state, ADA, GONE("3")), "nothing");
}

static void a_number_left_out_fails(void **state)
{
    assert_string_equal(is_told(*state, ADA, GONE("4")), "a match's messages have no gap");
}

static void a_number_told_again_fails(void **state)
{
    assert_string_equal(is_told(*state, ADA, GONE("2")), "a match's messages have no gap");
}

static void other_bytes_for_the_other_player_fail(void **state)
{
    assert_string_equal(is_told(*state, ADA, GONE("3")), "nothing");
    assert_string_equal(is_told(*state, BEN,
                                "{\"type\":\"peer\"," MATCH ",\"seq\":3,\"player\":0,"
                                "\"state\":\"away\"}"),
                        "all players get the same bytes");
}

static void an_end_that_nobody_has_saved_fails(void **state)
{
    assert_string_equal(is_told(*state, ADA,
                                "{\"type\":\"peer\"," MATCH ",\"seq\":3,\"player\":1,"
                                "\"state\":\"gone\"}"),
                        "nothing");
    assert_string_equal(is_told(*state, ADA,
                                "{\"type\":\"end\"," MATCH ",\"seq\":4,\"reason\":\"forfeit\","
                                "\"winner\":0,\"scores\":[0,0],\"ratings\":null}"),
                        "end comes after the store's yes");
}

static void a_reply_that_nobody_asked_for_fails(void **state)
{
    assert_string_equal(is_told(*state, ADA, "{\"type\":\"ok\",\"id\":7}"),
                        "every request gets one reply");
}

/* --- Secrets. --- */

static void a_field_of_ones_own_fails(void **state)
{
    assert_string_equal(is_told(*state, ADA,
                                "{\"type\":\"answered\"," MATCH
                                ",\"round\":1,\"player\":0,\"choice\":2}"),
                        "no field is one that the protocol does not name");
}

static void a_seed_fails(void **state)
{
    assert_string_equal(
        is_told(*state, ADA,
                "{\"type\":\"unqueued\",\"reason\":\"144d09302d677de14f25cbbb520ffde2\"}"),
        "nothing is as long as a seed");
}

/* --- Coming back. --- */

static const char *hears_after_coming_back(struct referee *referee, const char *text)
{
    assert_string_equal(
        is_told(referee, ADA, "{\"type\":\"welcome\",\"player\":\"" ADAS_ID "\"," MATCH "}"),
        "nothing");
    return is_told(referee, ADA, text);
}

static void what_tells_of_now_comes_behind_the_clock(void **state)
{
    static const char text[] = "{\"type\":\"answered\"," MATCH ",\"round\":1,\"player\":1}";
    assert_string_equal(hears_after_coming_back(*state, text), "the clock ends what was missed");
}

static void the_last_answer_comes_behind_the_clock_too(void **state)
{
    static const char text[] = "{\"type\":\"answered\"," MATCH ",\"round\":2,\"player\":1}";
    assert_string_equal(hears_after_coming_back(*state, text), "the clock ends what was missed");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, round_is_asked, is_over)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_duel_of_two_is_rated),
        TEST(an_answer_at_the_deadline_counts_with_its_credit),
        TEST(an_answer_after_it_does_not),
        TEST(an_answer_is_not_timed_from_anything_but_its_arrival),
        TEST(an_answer_that_was_not_given_does_not_count),
        TEST(a_second_answer_does_not_count),
        TEST(a_repetition_brings_the_first_choice),
        TEST(who_is_in_time_is_not_late),
        TEST(who_has_nothing_under_way_is_not_told_busy),
        TEST(who_floods_is_told_busy),
        cmocka_unit_test(points_are_those_of_the_protocol),
        TEST(a_reveal_with_other_points_fails),
        TEST(a_reveal_of_another_choice_fails),
        TEST(the_next_number_passes),
        TEST(a_number_left_out_fails),
        TEST(a_number_told_again_fails),
        TEST(other_bytes_for_the_other_player_fail),
        TEST(an_end_that_nobody_has_saved_fails),
        TEST(a_reply_that_nobody_asked_for_fails),
        TEST(what_tells_of_now_comes_behind_the_clock),
        TEST(the_last_answer_comes_behind_the_clock_too),
        TEST(a_field_of_ones_own_fails),
        TEST(a_seed_fails),
    };
    return cmocka_run_group_tests_name("referee", tests, NULL, NULL);
}
