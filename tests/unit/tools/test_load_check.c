#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load_check.h"
#include "load_check_fixture.h"

/* --- The envelope. --- */

static void what_is_no_object_is_wrong(void **state)
{
    (void)state;
    wrong("[]", "not one JSON object");
    wrong("{} {}", "not one JSON object");
    wrong("{\"id\":1}", "a message without a type");
}

static void a_field_that_stands_twice_is_wrong(void **state)
{
    (void)state;
    ask(CHECK_PING, 9);
    wrong("{\"type\":\"pong\",\"id\":9,\"at\":0,\"at\":0,\"now_ms\":1790000000000}",
          "pong: has `at` twice");
}

static void a_type_that_nobody_knows_is_wrong(void **state)
{
    (void)state;
    wrong("{\"type\":\"surprise\"}", "`surprise` is no type that comes without an id");
}

static void nothing_comes_before_welcome(void **state)
{
    (void)state;
    wrong("{\"type\":\"gap\",\"dropped\":1}", "gap: before welcome");
}

static void nothing_comes_behind_bye(void **state)
{
    (void)state;
    fine("{\"type\":\"bye\",\"reason\":\"restart\",\"retry_ms\":100}");
    wrong("{\"type\":\"gap\",\"dropped\":1}", "gap: behind bye");
}

/* --- Requests. --- */

static void a_request_has_exactly_one_reply(void **state)
{
    (void)state;
    ask(CHECK_EMOTE, 9);
    fine("{\"type\":\"ok\",\"id\":9}");
    wrong("{\"type\":\"ok\",\"id\":9}", "ok: answers request 9, which does not wait");
}

static void a_reply_is_of_the_requests_kind(void **state)
{
    (void)state;
    ask(CHECK_EMOTE, 9);
    wrong("{\"type\":\"left\",\"id\":9}", "left: not the answer to emote");
}

static void more_requests_than_it_can_hold_are_not_noted(void **state)
{
    (void)state;
    for (uint32_t id = 1; id <= CHECK_PENDING_MAX; id++) ask(CHECK_PING, id);
    assert_false(check_sent(&check, &(struct check_request){.id = 99}));
    assert_int_equal(check_oldest(&check)->id, 1);
}

static void a_refusal_of_a_proper_request_is_wrong(void **state)
{
    (void)state;
    answer(3, 1, 2);
    wrong("{\"type\":\"error\",\"id\":3,\"code\":\"bad_choice\",\"message\":\"m\"}",
          "error: `bad_choice` for a proper answer");
}

static void a_late_answer_may_be_refused(void **state)
{
    (void)state;
    answer(3, 1, 2);
    fine("{\"type\":\"error\",\"id\":3,\"code\":\"late_answer\",\"message\":\"m\"}");
    assert_int_equal(news.kind, NEWS_REFUSED);
    assert_string_equal(news.code, "late_answer");
}

static void a_refusal_that_waiting_helps_says_how_long(void **state)
{
    (void)state;
    answer(3, 1, 2);
    wrong("{\"type\":\"error\",\"id\":3,\"code\":\"busy\",\"message\":\"m\"}",
          "error: `retry_ms` is not an integer from 0 to 100000000");
}

static void a_pong_has_the_pings_number(void **state)
{
    (void)state;
    ask(CHECK_PING, 9);
    wrong("{\"type\":\"pong\",\"id\":9,\"at\":5,\"now_ms\":1790000000000}",
          "pong: another `at` than the ping's");
}

int main(void)
{
#define TEST(name, begin) cmocka_unit_test_setup_teardown(name, begin, disconnected)
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_object_is_wrong, connected),
        TEST(a_field_that_stands_twice_is_wrong, greeted),
        TEST(a_type_that_nobody_knows_is_wrong, greeted),
        TEST(nothing_comes_before_welcome, connected),
        TEST(nothing_comes_behind_bye, greeted),
        TEST(a_request_has_exactly_one_reply, greeted),
        TEST(a_reply_is_of_the_requests_kind, greeted),
        TEST(more_requests_than_it_can_hold_are_not_noted, greeted),
        TEST(a_refusal_of_a_proper_request_is_wrong, in_the_first_round),
        TEST(a_late_answer_may_be_refused, in_the_first_round),
        TEST(a_refusal_that_waiting_helps_says_how_long, in_the_first_round),
        TEST(a_pong_has_the_pings_number, greeted),
    };
    return cmocka_run_group_tests_name("load_check", tests, NULL, NULL);
}
