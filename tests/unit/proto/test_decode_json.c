/* Which texts are JSON at all: hostile forms, each in a message that would be a request without it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "proto/decode.h"

/* Decodes a copy that ends where the message ends, so that reading behind it does not go unnoticed.
 */
static bool decode_bytes(const char *text, size_t bytes, struct problem *reterr_problem)
{
    struct request request;
    char *copy = malloc(bytes + 1);
    memcpy(copy + 1, text, bytes);
    bool is_request = decode_request(copy + 1, bytes, &request, reterr_problem);
    free(copy);
    return is_request;
}

static void assert_accepted(const char *text)
{
    struct problem problem = {.message = ""};
    bool is_request = decode_bytes(text, strlen(text), &problem);
    assert_string_equal(problem.message, "");
    assert_true(is_request);
}

static void assert_bytes_no_json(const char *text, size_t bytes, const char *message)
{
    struct problem problem;
    assert_false(decode_bytes(text, bytes, &problem));
    assert_string_equal(problem.message, message);
    assert_int_equal(problem.refusal, REFUSAL_BAD_JSON);
    assert_int_equal(problem.request_id, 0);
    assert_false(problem.is_silent);
}

static void assert_no_json(const char *text, const char *message)
{
    assert_bytes_no_json(text, strlen(text), message);
}

/* The value of a field that nobody reads. */
static const char *with_value(const char *value)
{
    static char text[MESSAGE_BYTES_MAX + 1];
    strcpy(text, "{\"type\":\"leave\",\"id\":1,\"x\":");
    strcat(text, value);
    strcat(text, "}");
    return text;
}

static void assert_value_accepted(const char *value)
{
    assert_accepted(with_value(value));
}

static void assert_value_no_json(const char *value, const char *message)
{
    assert_no_json(with_value(value), message);
}

static const char syntax[] = "The text is not JSON.";
static const char number[] = "A number is not written as JSON demands, or too long.";
static const char control[] = "A string has a control character that is not escaped.";
static const char escape[] = "A string has an escape that JSON does not know.";
static const char surrogate[] = "A string has half of a surrogate pair.";
static const char depth[] = "Arrays and objects are nested too deeply.";

static void an_empty_message_is_no_json(void **state)
{
    (void)state;
    assert_no_json("", syntax);
    assert_no_json(" \t\r\n", syntax);
}

static void a_message_is_an_object(void **state)
{
    (void)state;
    static const char message[] = "The message is not a JSON object.";
    assert_no_json("[]", message);
    assert_no_json("\"type\"", message);
    assert_no_json("5", message);
    assert_no_json("null", message);
    assert_no_json("true", message);
    assert_no_json("[{\"type\":\"leave\",\"id\":1}]", message);
}

static void white_space_may_surround_everything(void **state)
{
    (void)state;
    assert_accepted(" \t\r\n{ \"type\" : \"leave\" ,\r\n\t\"id\" : 1 , \"x\" : [ ] } \n");
    assert_value_accepted("[ 1 , { } , [ ] ]");
}

static void nothing_else_is_white_space(void **state)
{
    (void)state;
    assert_no_json("{\v\"type\":\"leave\",\"id\":1}", syntax);
    assert_no_json("{\"type\":\f\"leave\",\"id\":1}", syntax);
    assert_no_json("{\"type\":\"leave\",\x01\"id\":1}", syntax);
    assert_no_json("{\"type\":\"leave\",\xc2\xa0\"id\":1}", syntax);
    assert_no_json("\xef\xbb\xbf{\"type\":\"leave\",\"id\":1}", syntax);
}

static void nothing_follows_the_object(void **state)
{
    (void)state;
    static const char message[] = "Something follows the JSON object.";
    assert_no_json("{\"type\":\"leave\",\"id\":1}{}", message);
    assert_no_json("{\"type\":\"leave\",\"id\":1} x", message);
    assert_no_json("{\"type\":\"leave\",\"id\":1}]", message);
    assert_bytes_no_json("{\"type\":\"leave\",\"id\":1}\0", 24, message);
}

static void a_raw_nul_is_no_json(void **state)
{
    (void)state;
    assert_bytes_no_json("\0", 1, syntax);
    assert_bytes_no_json("{\0\"type\":\"leave\",\"id\":1}", 24, syntax);
    assert_bytes_no_json("{\"type\":\"lea\0ve\",\"id\":1}", 24, control);
    assert_bytes_no_json("{\"type\":\"leave\",\"id\":1\0}", 24, syntax);
}

static void a_control_character_in_a_string_is_no_json(void **state)
{
    (void)state;
    assert_value_no_json("\"a\nb\"", control);
    assert_value_no_json("\"a\tb\"", control);
    assert_value_no_json("\"\x01\"", control);
    assert_value_no_json("\"\x1f\"", control);
    assert_no_json("{\"type\":\"leave\",\"id\":1,\"a\nb\":0}", control);
}

static void other_characters_may_stand_in_a_string(void **state)
{
    (void)state;
    assert_value_accepted("\" \x7f\xc3\xa9\xe2\x80\xa8\xf0\x9f\x99\x82\"");
}

static void commas_and_colons_stand_between(void **state)
{
    (void)state;
    assert_no_json("{\"type\":\"leave\",\"id\":1,}", syntax);
    assert_no_json("{,\"type\":\"leave\",\"id\":1}", syntax);
    assert_no_json("{\"type\":\"leave\",,\"id\":1}", syntax);
    assert_no_json("{\"type\":\"leave\" \"id\":1}", syntax);
    assert_no_json("{\"type\" \"leave\",\"id\":1}", syntax);
    assert_no_json("{\"type\"::\"leave\",\"id\":1}", syntax);
    assert_no_json("{\"type\":\"leave\",\"id\":1;}", syntax);
    assert_value_no_json("[1,]", syntax);
    assert_value_no_json("[,1]", syntax);
    assert_value_no_json("[1 2]", syntax);
    assert_value_no_json("[1:2]", syntax);
}

static void what_opens_is_closed_by_its_own(void **state)
{
    (void)state;
    assert_no_json("{\"type\":\"leave\",\"id\":1", syntax);
    assert_no_json("{\"type\":\"leave\",\"id\":1]", syntax);
    assert_no_json("{\"type\":\"leave\",\"id\":1,\"x\":[1}", syntax);
    assert_no_json("{", syntax);
    assert_no_json("}", syntax);
}

static void names_are_strings(void **state)
{
    (void)state;
    assert_no_json("{type:\"leave\",\"id\":1}", syntax);
    assert_no_json("{'type':\"leave\",\"id\":1}", syntax);
    assert_no_json("{\"type\":\"leave\",\"id\":1,2:3}", syntax);
    assert_no_json("{\"type\":\"leave\",\"id\":1,\"x}", syntax);
}

static void strings_end(void **state)
{
    (void)state;
    assert_no_json("{\"type\":\"leave\",\"id\":1,\"x\":\"", syntax);
    assert_no_json("{\"type\":\"leave\",\"id\":1,\"x\":\"a\\\"}", syntax);
    assert_no_json("{\"type\":\"leave\",\"id\":1,\"x\":\"a\\", escape);
    assert_no_json("{\"type\":\"leave\",\"id\":1,\"x\":\"\\u00", escape);
}

static void comments_are_no_json(void **state)
{
    (void)state;
    assert_no_json("{/**/\"type\":\"leave\",\"id\":1}", syntax);
    assert_no_json("{\"type\":\"leave\",\"id\":1}//", "Something follows the JSON object.");
}

static void words_are_true_false_and_null(void **state)
{
    (void)state;
    assert_value_accepted("[true,false,null]");
    assert_value_no_json("True", syntax);
    assert_value_no_json("tru", syntax);
    assert_value_no_json("nulll", syntax);
    assert_value_no_json("falsetrue", syntax);
    assert_value_no_json("undefined", syntax);
    assert_no_json("{\"type\":\"leave\",\"id\":1,\"x\":nul", syntax);
}

static void numbers_are_written_as_json_demands(void **state)
{
    (void)state;
    assert_value_accepted("[0,-0,10,-1,0.5,1.25,1e5,1E+5,2e-05,0e0,-0.0e-0]");
    assert_value_no_json("01", number);
    assert_value_no_json("-01", number);
    assert_value_no_json("00", number);
    assert_value_no_json("+1", number);
    assert_value_no_json("1.", number);
    assert_value_no_json("1.e5", number);
    assert_value_no_json(".5", number);
    assert_value_no_json("-.5", number);
    assert_value_no_json("-", number);
    assert_value_no_json("--1", number);
    assert_value_no_json("1e", number);
    assert_value_no_json("1e+", number);
    assert_value_no_json("1e-", number);
    assert_value_no_json("1e+-5", number);
    assert_value_no_json("1.5.5", syntax);
    assert_value_no_json("1-2", syntax);
    assert_value_no_json("0x10", syntax);
    assert_value_no_json("1_000", syntax);
    assert_value_no_json("NaN", number);
    assert_value_no_json("Infinity", number);
    assert_value_no_json("-Infinity", number);
    assert_value_no_json("nan", syntax);
}

static void a_number_has_at_most_63_characters(void **state)
{
    (void)state;
    assert_value_accepted("1.0000000000000000000000000000000000000000000000000000000000001");
    assert_value_no_json("1.00000000000000000000000000000000000000000000000000000000000001",
                         number);
}

static void escapes_are_those_of_json(void **state)
{
    (void)state;
    assert_value_accepted("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDe42\"");
    assert_value_no_json("\"\\x41\"", escape);
    assert_value_no_json("\"\\'\"", escape);
    assert_value_no_json("\"\\U0041\"", escape);
    assert_value_no_json("\"\\u004\"", escape);
    assert_value_no_json("\"\\u004g\"", escape);
    assert_value_no_json("\"\\uZZZZ\"", escape);
    assert_value_no_json("\"\\u 041\"", escape);
    assert_value_no_json("\"\\u+041\"", escape);
}

static void surrogates_come_in_pairs(void **state)
{
    (void)state;
    assert_value_accepted("\"\\ud800\\udc00\\udbff\\udfff\\ud7ff\\ue000\"");
    assert_value_no_json("\"\\ud83d\"", surrogate);
    assert_value_no_json("\"\\ud83dx\"", surrogate);
    assert_value_no_json("\"\\ud83d\\n\"", surrogate);
    assert_value_no_json("\"\\ud83d\\u0041\"", surrogate);
    assert_value_no_json("\"\\ud83d\\ud83d\"", surrogate);
    assert_value_no_json("\"\\ud83d\\uZZZZ\"", surrogate);
    assert_value_no_json("\"\\ud83d\\ue000\"", surrogate);
    assert_value_no_json("\"\\ude42\"", surrogate);
    assert_value_no_json("\"\\udfff\\ud800\"", surrogate);
}

static void assert_nul_refused(const char *text, uint32_t request_id)
{
    struct problem problem;
    assert_false(decode_bytes(text, strlen(text), &problem));
    assert_string_equal(problem.message, "A string holds \\u0000.");
    assert_int_equal(problem.refusal, REFUSAL_BAD_MESSAGE);
    assert_int_equal(problem.request_id, request_id);
}

static void a_string_with_an_escaped_nul_is_refused(void **state)
{
    (void)state;
    assert_nul_refused("{\"type\":\"hello\",\"id\":6,\"name\":\"A\\u0000B\"}", 6);
    assert_nul_refused("{\"type\":\"leave\",\"id\":6,\"x\":\"\\u0000\"}", 6);
    assert_nul_refused("{\"type\":\"leave\",\"id\":6,\"x\":\"\\\\\\u0000\"}", 6);
    assert_nul_refused("{\"type\":\"leave\",\"id\":6,\"x\":[{\"\\u0000\":1}]}", 6);
    assert_nul_refused("{\"type\":\"leave\\u0000\",\"id\":6}", 6);
}

static void a_backslash_before_u0000_makes_it_text(void **state)
{
    (void)state;
    assert_value_accepted("\"\\\\u0000\"");
    assert_value_accepted("\"\\\\\\\\u0000\"");
    assert_value_accepted("\"\\u00010000\"");
    assert_value_accepted("\"\\u00010\"");
}

static void nesting_up_to_the_bound_is_accepted(void **state)
{
    (void)state;
    assert_value_accepted("[[[[[[[]]]]]]]"); /* The message itself is the eighth. */
    assert_value_accepted("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}");
    assert_value_accepted("[[],[[]],{},[[[[[[],[]]]]]]]");
}

static void deeper_nesting_is_refused(void **state)
{
    (void)state;
    assert_value_no_json("[[[[[[[[]]]]]]]]", depth);
    assert_value_no_json("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}", depth);
    assert_value_no_json("[[[[[[[{}]]]]]]]", depth);
}

/* --- The largest messages. --- */

static char largest[MESSAGE_BYTES_MAX];

/* The largest message whose ignored array repeats `item`. */
static void fill_largest(const char *item)
{
    static const char head[] = "{\"type\":\"leave\",\"id\":1,\"x\":[0";
    size_t item_bytes = strlen(item);
    size_t size = sizeof head - 1;
    memset(largest, ' ', sizeof largest);
    memcpy(largest, head, size);
    for (; size + item_bytes + 2 <= sizeof largest; size += item_bytes) {
        memcpy(largest + size, item, item_bytes);
    }
    memcpy(largest + size, "]}", 2);
}

static void assert_largest_fits(const char *item)
{
    struct problem problem = {.message = ""};
    fill_largest(item);
    assert_true(decode_bytes(largest, sizeof largest, &problem));
}

static void every_message_of_the_largest_size_fits_the_arena(void **state)
{
    (void)state;
    assert_largest_fits(",1");
    assert_largest_fits(",\"\"");
    assert_largest_fits(",{}");
    assert_largest_fits(",[]");
    assert_largest_fits(",{\"\":1}");
    assert_largest_fits(",\"a\"");
}

static void decode_too_much(void)
{
    struct request request;
    struct problem problem;
    bool is_request = decode_request(largest, MESSAGE_BYTES_MAX + 1, &request, &problem);
    assert_false(is_request); /* Not reached. */
}

static void a_message_beyond_the_largest_size_is_the_callers_mistake(void **state)
{
    (void)state;
    expect_assert_failure(decode_too_much());
}

static int setup(void **state)
{
    (void)state;
    decode_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_message_is_no_json),
        cmocka_unit_test(a_message_is_an_object),
        cmocka_unit_test(white_space_may_surround_everything),
        cmocka_unit_test(nothing_else_is_white_space),
        cmocka_unit_test(nothing_follows_the_object),
        cmocka_unit_test(a_raw_nul_is_no_json),
        cmocka_unit_test(a_control_character_in_a_string_is_no_json),
        cmocka_unit_test(other_characters_may_stand_in_a_string),
        cmocka_unit_test(commas_and_colons_stand_between),
        cmocka_unit_test(what_opens_is_closed_by_its_own),
        cmocka_unit_test(names_are_strings),
        cmocka_unit_test(strings_end),
        cmocka_unit_test(comments_are_no_json),
        cmocka_unit_test(words_are_true_false_and_null),
        cmocka_unit_test(numbers_are_written_as_json_demands),
        cmocka_unit_test(a_number_has_at_most_63_characters),
        cmocka_unit_test(escapes_are_those_of_json),
        cmocka_unit_test(surrogates_come_in_pairs),
        cmocka_unit_test(a_string_with_an_escaped_nul_is_refused),
        cmocka_unit_test(a_backslash_before_u0000_makes_it_text),
        cmocka_unit_test(nesting_up_to_the_bound_is_accepted),
        cmocka_unit_test(deeper_nesting_is_refused),
        cmocka_unit_test(every_message_of_the_largest_size_fits_the_arena),
        cmocka_unit_test(a_message_beyond_the_largest_size_is_the_callers_mistake),
    };
    return cmocka_run_group_tests_name("decode_json", tests, setup, NULL);
}
