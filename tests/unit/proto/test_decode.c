/* What each request demands of its fields; hello has a file of its own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode_fixture.h"

/* --- Envelope. --- */

static void a_request_has_a_type(void **state)
{
    (void)state;
    assert_bad("{}", 0, "`type` must be a string.");
    assert_bad("{\"type\":7}", 0, "`type` must be a string.");
    assert_bad("{\"type\":null}", 0, "`type` must be a string.");
}

static void a_request_without_a_type_is_answered_by_its_id(void **state)
{
    (void)state;
    assert_bad("{\"id\":5}", 5, "`type` must be a string.");
}

static void a_type_is_named_in_its_very_letters(void **state)
{
    (void)state;
    assert_int_equal(refused("{\"type\":\"Leave\",\"id\":5}").refusal, REFUSAL_UNKNOWN_TYPE);
}

static void field_names_are_case_sensitive(void **state)
{
    (void)state;
    assert_bad("{\"Type\":\"leave\",\"id\":5}", 5, "`type` must be a string.");
    assert_bad("{\"type\":\"leave\",\"ID\":5}", 0, "`id` must be an integer from 1 to 2147483647.");
}

static void an_unknown_type_is_answered_by_its_id(void **state)
{
    (void)state;
    struct problem problem = refused("{\"type\":\"dance\",\"id\":9}");
    assert_int_equal(problem.refusal, REFUSAL_UNKNOWN_TYPE);
    assert_int_equal(problem.request_id, 9);
    assert_string_equal(problem.message, "The server does not know this type.");
}

static void an_unknown_type_without_an_id_lacks_the_id(void **state)
{
    (void)state;
    assert_bad("{\"type\":\"dance\"}", 0, "`id` must be an integer from 1 to 2147483647.");
}

static void what_is_reserved_for_rooms_is_unknown(void **state)
{
    (void)state;
    assert_int_equal(refused("{\"type\":\"create\",\"id\":9}").refusal, REFUSAL_UNKNOWN_TYPE);
}

static void an_id_is_an_integer_from_1_to_2_to_the_31_less_1(void **state)
{
    (void)state;
    static const char must[] = "`id` must be an integer from 1 to 2147483647.";
    assert_int_equal(accepted("{\"type\":\"leave\",\"id\":1}").id, 1);
    assert_int_equal(accepted("{\"type\":\"leave\",\"id\":2147483647}").id, 2147483647);
    assert_bad("{\"type\":\"leave\",\"id\":0}", 0, must);
    assert_bad("{\"type\":\"leave\",\"id\":-1}", 0, must);
    assert_bad("{\"type\":\"leave\",\"id\":2147483648}", 0, must);
    assert_bad("{\"type\":\"leave\",\"id\":2.5}", 0, must);
    assert_bad("{\"type\":\"leave\",\"id\":1e30}", 0, must);
    assert_bad("{\"type\":\"leave\",\"id\":1e999}", 0, must);
    assert_bad("{\"type\":\"leave\",\"id\":\"2\"}", 0, must);
    assert_bad("{\"type\":\"leave\",\"id\":true}", 0, must);
    assert_bad("{\"type\":\"leave\",\"id\":null}", 0, must);
    assert_bad("{\"type\":\"leave\",\"id\":[1]}", 0, must);
    assert_bad("{\"type\":\"leave\"}", 0, must);
}

static void an_integer_may_be_written_as_a_fraction_or_power(void **state)
{
    (void)state;
    assert_int_equal(accepted("{\"type\":\"leave\",\"id\":3.0}").id, 3);
    assert_int_equal(accepted("{\"type\":\"leave\",\"id\":2e3}").id, 2000);
}

static void the_first_of_two_equal_names_counts(void **state)
{
    (void)state;
    assert_int_equal(accepted("{\"type\":\"leave\",\"id\":3,\"id\":4,\"type\":\"x\"}").id, 3);
}

static void a_field_that_nobody_knows_is_ignored(void **state)
{
    (void)state;
    struct request request =
        accepted("{\"x\":[1,{\"type\":\"ping\"}],\"type\":\"leave\",\"id\":3,\"choice\":null}");
    assert_int_equal(request.type, REQUEST_LEAVE);
    assert_int_equal(request.id, 3);
}

static void a_name_may_be_written_with_escapes(void **state)
{
    (void)state;
    assert_int_equal(accepted("{\"t\\u0079pe\":\"leav\\u0065\",\"id\":3}").type, REQUEST_LEAVE);
}

/* --- join, leave. --- */

static void join_names_a_mode(void **state)
{
    (void)state;
    struct request request = accepted("{\"type\":\"join\",\"id\":2,\"mode\":\"duel\"}");
    assert_int_equal(request.type, REQUEST_JOIN);
    assert_int_equal(request.join.mode, MATCH_MODE_DUEL);
    assert_null(request.join.category);
}

static void join_may_ask_for_the_house(void **state)
{
    (void)state;
    struct request request = accepted("{\"type\":\"join\",\"id\":2,\"mode\":\"house\"}");
    assert_int_equal(request.join.mode, MATCH_MODE_HOUSE);
}

static void join_may_name_the_match_to_be_played_again(void **state)
{
    (void)state;
    struct request request = accepted("{\"type\":\"join\",\"id\":2,\"mode\":\"duel\"}");
    assert_false(request.join.has_rematch);
    request = accepted("{\"type\":\"join\",\"id\":2,\"mode\":\"duel\",\"rematch\":\"" MATCH_TEXT
                       "\",\"category\":\"art\"}");
    assert_true(request.join.has_rematch);
    assert_true(id_equal(&request.join.rematch, &match_id));
    assert_string_equal(request.join.category, "art");
}

static void a_rematch_that_is_no_id_is_of_another_match(void **state)
{
    (void)state;
    struct request request =
        accepted("{\"type\":\"join\",\"id\":2,\"mode\":\"duel\",\"rematch\":\"again\"}");
    assert_true(request.join.has_rematch);
    assert_true(id_is_none(&request.join.rematch));
    assert_bad("{\"type\":\"join\",\"id\":2,\"mode\":\"duel\",\"rematch\":true}", 2,
               "`rematch` must be a string.");
}

static void join_without_a_mode_that_there_is_names_the_field(void **state)
{
    (void)state;
    assert_bad("{\"type\":\"join\",\"id\":2}", 2, "`mode` must be a string.");
    assert_bad("{\"type\":\"join\",\"id\":2,\"mode\":1}", 2, "`mode` must be a string.");
    assert_bad("{\"type\":\"join\",\"id\":2,\"mode\":\"chess\"}", 2,
               "`mode` must be one of the `modes` of welcome.");
    assert_bad("{\"type\":\"join\",\"id\":2,\"mode\":\"\"}", 2,
               "`mode` must be one of the `modes` of welcome.");
}

static void a_category_has_1_to_64_bytes(void **state)
{
    (void)state;
    static const char must[] = "`category` must be a string of 1 to 64 bytes.";
    static const char before[] = "{\"type\":\"join\",\"id\":2,\"mode\":\"duel\",\"category\":\"";
    assert_int_equal(strlen(accepted(filled(before, 1, "\"}")).join.category), 1);
    assert_int_equal(strlen(accepted(filled(before, 64, "\"}")).join.category), 64);
    assert_bad(filled(before, 0, "\"}"), 2, must);
    assert_bad(filled(before, 65, "\"}"), 2, must);
    assert_bad("{\"type\":\"join\",\"id\":2,\"mode\":\"duel\",\"category\":null}", 2,
               "`category` must be a string.");
}

static void leave_may_name_its_match(void **state)
{
    (void)state;
    struct request request = accepted("{\"type\":\"leave\",\"id\":2}");
    assert_int_equal(request.type, REQUEST_LEAVE);
    assert_false(request.leave.has_match);
    request = accepted("{\"type\":\"leave\",\"id\":2,\"match\":\"" MATCH_TEXT "\"}");
    assert_true(request.leave.has_match);
    assert_true(id_equal(&request.leave.match, &match_id));
}

static void a_match_that_is_no_id_is_another(void **state)
{
    (void)state;
    struct request request = accepted("{\"type\":\"leave\",\"id\":2,\"match\":\"\"}");
    assert_true(request.leave.has_match);
    assert_true(id_is_none(&request.leave.match));
    request = accepted("{\"type\":\"answer\",\"id\":2,\"round\":1,\"choice\":0,\"match\":\"m\"}");
    assert_true(request.answer.has_match);
    assert_true(id_is_none(&request.answer.match));
}

static void a_match_is_a_string(void **state)
{
    (void)state;
    assert_bad("{\"type\":\"leave\",\"id\":2,\"match\":4}", 2, "`match` must be a string.");
    assert_bad("{\"type\":\"answer\",\"id\":2,\"round\":1,\"choice\":0,\"match\":null}", 2,
               "`match` must be a string.");
}

/* --- answer. --- */

static void an_answer_is_a_round_and_a_choice(void **state)
{
    (void)state;
    struct request request = accepted("{\"type\":\"answer\",\"id\":3,\"round\":1,\"choice\":2}");
    assert_int_equal(request.type, REQUEST_ANSWER);
    assert_int_equal(request.answer.round, 1);
    assert_int_equal(request.answer.choice, 2);
    assert_false(request.answer.has_match);
}

static void a_round_is_from_1_to_255(void **state)
{
    (void)state;
    static const char must[] = "`round` must be an integer from 1 to 255.";
    struct request request = accepted("{\"type\":\"answer\",\"id\":3,\"round\":255,\"choice\":0}");
    assert_int_equal(request.answer.round, 255);
    assert_bad("{\"type\":\"answer\",\"id\":3,\"round\":0,\"choice\":0}", 3, must);
    assert_bad("{\"type\":\"answer\",\"id\":3,\"round\":256,\"choice\":0}", 3, must);
    assert_bad("{\"type\":\"answer\",\"id\":3,\"choice\":0}", 3, must);
}

static void a_choice_is_from_0_to_255(void **state)
{
    (void)state;
    static const char must[] = "`choice` must be an integer from 0 to 255.";
    struct request request = accepted("{\"type\":\"answer\",\"id\":3,\"round\":1,\"choice\":0}");
    assert_int_equal(request.answer.choice, 0);
    request = accepted("{\"type\":\"answer\",\"id\":3,\"round\":1,\"choice\":255}");
    assert_int_equal(request.answer.choice, 255);
    assert_bad("{\"type\":\"answer\",\"id\":3,\"round\":1,\"choice\":-1}", 3, must);
    assert_bad("{\"type\":\"answer\",\"id\":3,\"round\":1,\"choice\":256}", 3, must);
    assert_bad("{\"type\":\"answer\",\"id\":3,\"round\":1,\"choice\":2.5}", 3, must);
    assert_bad("{\"type\":\"answer\",\"id\":3,\"round\":1,\"choice\":\"2\"}", 3, must);
    assert_bad("{\"type\":\"answer\",\"id\":3,\"round\":1,\"choice\":null}", 3, must);
    assert_bad("{\"type\":\"answer\",\"id\":3,\"round\":1}", 3, must);
}

/* --- emote. --- */

static void an_emote_is_found_by_its_code(void **state)
{
    (void)state;
    struct request request = accepted("{\"type\":\"emote\",\"id\":4,\"code\":\"gg\"}");
    assert_int_equal(request.type, REQUEST_EMOTE);
    assert_int_equal(request.id, 4);
    assert_int_equal(request.emote.code, 1);
}

static void an_emote_may_come_without_an_id(void **state)
{
    (void)state;
    assert_int_equal(accepted("{\"type\":\"emote\",\"code\":\"hi\"}").id, 0);
}

static void a_broken_emote_without_an_id_gets_no_answer(void **state)
{
    (void)state;
    struct problem problem = refused("{\"type\":\"emote\",\"code\":\"shrug\"}");
    assert_true(problem.is_silent);
    assert_int_equal(problem.refusal, REFUSAL_BAD_MESSAGE);
    assert_true(refused("{\"type\":\"emote\"}").is_silent);
}

static void a_broken_emote_with_an_id_is_answered(void **state)
{
    (void)state;
    assert_bad("{\"type\":\"emote\",\"id\":4,\"code\":\"shrug\"}", 4,
               "`code` must be one of the `emotes` of welcome.");
    assert_bad("{\"type\":\"emote\",\"id\":4}", 4, "`code` must be a string.");
}

static void an_emote_with_an_unusable_id_is_answered_without(void **state)
{
    (void)state;
    assert_bad("{\"type\":\"emote\",\"id\":0,\"code\":\"gg\"}", 0,
               "`id` must be an integer from 1 to 2147483647.");
    assert_bad("{\"type\":\"emote\",\"id\":null,\"code\":\"gg\"}", 0,
               "`id` must be an integer from 1 to 2147483647.");
}

/* --- ping. --- */

static void a_ping_carries_a_string_of_up_to_64_bytes(void **state)
{
    (void)state;
    static const char before[] = "{\"type\":\"ping\",\"id\":5,\"at\":\"";
    assert_string_equal(accepted("{\"type\":\"ping\",\"id\":5,\"at\":\"12:00\"}").ping.text,
                        "12:00");
    assert_int_equal(strlen(accepted(filled(before, 0, "\"}")).ping.text), 0);
    assert_int_equal(strlen(accepted(filled(before, 64, "\"}")).ping.text), 64);
    assert_bad(filled(before, 65, "\"}"), 5,
               "`at` must be a string of at most 64 bytes or an integer within 2^53.");
}

static void a_ping_carries_an_integer_within_2_to_the_53(void **state)
{
    (void)state;
    struct request request = accepted("{\"type\":\"ping\",\"id\":5,\"at\":9007199254740992}");
    assert_null(request.ping.text);
    assert_true(request.ping.number == INT64_C(9007199254740992));
    request = accepted("{\"type\":\"ping\",\"at\":-9007199254740992,\"id\":5}");
    assert_true(request.ping.number == -INT64_C(9007199254740992));
    request = accepted("{\"type\":\"ping\",\"at\":9007199254740991,\"id\":5}");
    assert_true(request.ping.number == INT64_C(9007199254740991));
    request = accepted("{\"type\":\"ping\",\"at\":0,\"id\":5}");
    assert_true(request.ping.number == 0);
}

/* As a double it is 2^53: pong would repeat another number. */
static void one_more_than_2_to_the_53_is_out_of_range(void **state)
{
    (void)state;
    static const char must[] =
        "`at` must be a string of at most 64 bytes or an integer within 2^53.";
    assert_bad("{\"type\":\"ping\",\"id\":5,\"at\":9007199254740993}", 5, must);
    assert_bad("{\"x\":{\"at\":1},\"at\" : -9007199254740993 ,\"type\":\"ping\",\"id\":5}", 5,
               must);
    assert_bad("{\"type\":\"ping\",\"id\":5,\"at\":9007199254740992.5}", 5, must);
    assert_bad("{\"type\":\"ping\",\"id\":5,\"at\":9007199254740994}", 5, must);
    assert_bad("{\"type\":\"ping\",\"id\":5,\"at\":-9007199254740994}", 5, must);
}

static void a_ping_carries_nothing_else(void **state)
{
    (void)state;
    static const char must[] =
        "`at` must be a string of at most 64 bytes or an integer within 2^53.";
    assert_bad("{\"type\":\"ping\",\"id\":5}", 5, must);
    assert_bad("{\"type\":\"ping\",\"id\":5,\"at\":null}", 5, must);
    assert_bad("{\"type\":\"ping\",\"id\":5,\"at\":0.5}", 5, must);
    assert_bad("{\"type\":\"ping\",\"id\":5,\"at\":1e400}", 5, must);
    assert_bad("{\"type\":\"ping\",\"id\":5,\"at\":{}}", 5, must);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_has_a_type),
        cmocka_unit_test(a_request_without_a_type_is_answered_by_its_id),
        cmocka_unit_test(a_type_is_named_in_its_very_letters),
        cmocka_unit_test(field_names_are_case_sensitive),
        cmocka_unit_test(an_unknown_type_is_answered_by_its_id),
        cmocka_unit_test(an_unknown_type_without_an_id_lacks_the_id),
        cmocka_unit_test(what_is_reserved_for_rooms_is_unknown),
        cmocka_unit_test(an_id_is_an_integer_from_1_to_2_to_the_31_less_1),
        cmocka_unit_test(an_integer_may_be_written_as_a_fraction_or_power),
        cmocka_unit_test(the_first_of_two_equal_names_counts),
        cmocka_unit_test(a_field_that_nobody_knows_is_ignored),
        cmocka_unit_test(a_name_may_be_written_with_escapes),
        cmocka_unit_test(join_names_a_mode),
        cmocka_unit_test(join_may_ask_for_the_house),
        cmocka_unit_test(join_may_name_the_match_to_be_played_again),
        cmocka_unit_test(a_rematch_that_is_no_id_is_of_another_match),
        cmocka_unit_test(join_without_a_mode_that_there_is_names_the_field),
        cmocka_unit_test(a_category_has_1_to_64_bytes),
        cmocka_unit_test(leave_may_name_its_match),
        cmocka_unit_test(a_match_that_is_no_id_is_another),
        cmocka_unit_test(a_match_is_a_string),
        cmocka_unit_test(an_answer_is_a_round_and_a_choice),
        cmocka_unit_test(a_round_is_from_1_to_255),
        cmocka_unit_test(a_choice_is_from_0_to_255),
        cmocka_unit_test(an_emote_is_found_by_its_code),
        cmocka_unit_test(an_emote_may_come_without_an_id),
        cmocka_unit_test(a_broken_emote_without_an_id_gets_no_answer),
        cmocka_unit_test(a_broken_emote_with_an_id_is_answered),
        cmocka_unit_test(an_emote_with_an_unusable_id_is_answered_without),
        cmocka_unit_test(a_ping_carries_a_string_of_up_to_64_bytes),
        cmocka_unit_test(a_ping_carries_an_integer_within_2_to_the_53),
        cmocka_unit_test(one_more_than_2_to_the_53_is_out_of_range),
        cmocka_unit_test(a_ping_carries_nothing_else),
    };
    return cmocka_run_group_tests_name("decode", tests, setup, NULL);
}
