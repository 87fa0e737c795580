#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/question.h"
#include "proto/bank_decode.h"
#include "proto/decode.h"

#define MULTIPLE                                                                                   \
    "{\"type\":\"multiple\",\"difficulty\":\"medium\",\"category\":\"Science\",\"question\":\"Q?"  \
    "\","                                                                                          \
    "\"correct_answer\":\"A\",\"incorrect_answers\":[\"B\",\"C\",\"D\"]}"
#define BOOLEAN                                                                                    \
    "{\"type\":\"boolean\",\"difficulty\":\"hard\",\"category\":\"Art\",\"question\":\"Is it?\","  \
    "\"correct_answer\":\"False\",\"incorrect_answers\":[\"True\"]}"
/* An entry with one field replaced: its beginning and its end. */
#define HEAD                                                                                       \
    "{\"results\":[{\"type\":\"multiple\",\"difficulty\":\"easy\",\"category\":\"c\","             \
    "\"question\":\"q\","
#define TAIL "\"correct_answer\":\"A\",\"incorrect_answers\":[\"B\"]}]}"

enum { ENTRIES_MAX = 4 };

/* What on_entry was given; strings copied, since they are valid during the call only. */
struct seen {
    unsigned count;
    unsigned stop_at; /* 0: never. */
    struct bank_entry entries[ENTRIES_MAX];
    char question[32];
    char choices[QUESTION_CHOICES_MAX][32];
};

static bool on_entry(void *context, const struct bank_entry *entry, struct bank_problem *problem)
{
    struct seen *seen = context;
    assert_true(seen->count < ENTRIES_MAX);
    seen->entries[seen->count++] = *entry;
    strncpy(seen->question, entry->question, sizeof seen->question - 1);
    for (unsigned i = 0; i < entry->choice_count; i++) {
        strncpy(seen->choices[i], entry->choices[i], sizeof seen->choices[i] - 1);
    }
    if (seen->count != seen->stop_at) return true;
    *problem = (struct bank_problem){.line = entry->line, .reason = "Stopped."};
    return false;
}

static bool decode_bytes(const char *text, size_t bytes, struct seen *seen,
                         struct bank_problem *problem)
{
    char *copy = malloc(bytes + 1);
    memcpy(copy + 1, text, bytes);
    bool is_bank = bank_decode(copy + 1, bytes, problem, on_entry, seen);
    free(copy);
    return is_bank;
}

static struct seen accepted(const char *text)
{
    struct seen seen = {.count = 0};
    struct bank_problem problem = {.reason = ""};
    bool is_bank = decode_bytes(text, strlen(text), &seen, &problem);
    assert_string_equal(problem.reason, "");
    assert_true(is_bank);
    return seen;
}

static void assert_refused(const char *text, uint32_t line, const char *reason)
{
    struct seen seen = {.count = 0};
    struct bank_problem problem;
    assert_false(decode_bytes(text, strlen(text), &seen, &problem));
    assert_string_equal(problem.reason, reason);
    assert_int_equal(problem.line, line);
}

static void a_multiple_has_its_right_choice_first(void **state)
{
    (void)state;
    struct seen seen = accepted("{\"response_code\":0,\"results\":[" MULTIPLE "]}");
    assert_int_equal(seen.count, 1);
    assert_false(seen.entries[0].is_boolean);
    assert_int_equal(seen.entries[0].difficulty, DIFFICULTY_MEDIUM);
    assert_int_equal(seen.entries[0].choice_count, 4);
    assert_string_equal(seen.question, "Q?");
    assert_string_equal(seen.choices[0], "A");
    assert_string_equal(seen.choices[3], "D");
}

static void a_boolean_has_true_and_false(void **state)
{
    (void)state;
    struct seen seen = accepted("{\"results\":[" BOOLEAN "]}");
    assert_true(seen.entries[0].is_boolean);
    assert_int_equal(seen.entries[0].difficulty, DIFFICULTY_HARD);
    assert_int_equal(seen.entries[0].choice_count, 2);
    assert_string_equal(seen.choices[0], "False");
    assert_string_equal(seen.choices[1], "True");
}

static void entities_stand_as_they_are(void **state)
{
    (void)state;
    struct seen seen = accepted(HEAD "\"correct_answer\":\"&quot;A&amp;\","
                                     "\"incorrect_answers\":[\"\\u00e9\"]}]}");
    assert_string_equal(seen.choices[0], "&quot;A&amp;");
    assert_string_equal(seen.choices[1], "\xc3\xa9");
}

static void entries_come_in_order_with_their_lines(void **state)
{
    (void)state;
    struct seen seen =
        accepted("{\n\"results\":\n[\n" MULTIPLE ",\n\n  " BOOLEAN "," BOOLEAN "\n]}\n");
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.entries[0].line, 4);
    assert_int_equal(seen.entries[1].line, 6);
    assert_int_equal(seen.entries[2].line, 6);
}

static void a_bank_may_be_empty(void **state)
{
    (void)state;
    assert_int_equal(accepted("{\"results\":[]}").count, 0);
    assert_int_equal(accepted(" { \"results\" : [ ] } ").count, 0);
}

static void unknown_fields_are_ignored(void **state)
{
    (void)state;
    struct seen seen =
        accepted("{\"a\":{\"results\":[1]},\"nul\":\"\\u0000\",\"results\":[" MULTIPLE
                 "],\"resultss\":2,\"z\":[]}");
    assert_int_equal(seen.count, 1);
}

static void what_on_entry_refuses_is_the_problem(void **state)
{
    (void)state;
    static const char text[] = "{\"results\":[\n" MULTIPLE ",\n" MULTIPLE ",\n" MULTIPLE "]}";
    struct seen seen = {.stop_at = 2};
    struct bank_problem problem;
    assert_false(bank_decode(text, strlen(text), &problem, on_entry, &seen));
    assert_int_equal(seen.count, 2);
    assert_int_equal(problem.line, 3);
    assert_string_equal(problem.reason, "Stopped.");
}

/* --- The object around the entries. --- */

static void results_are_there_once(void **state)
{
    (void)state;
    assert_refused("{}", 1, "`results` is missing.");
    assert_refused("{\"response_code\":0}", 1, "`results` is missing.");
    assert_refused("{\"Results\":[]}", 1, "`results` is missing.");
    assert_refused("{\"results\":[],\n\"results\":[]}", 2, "`results` is there twice.");
}

static void results_are_an_array(void **state)
{
    (void)state;
    assert_refused("{\n\"results\":{}}", 2, "`results` must be an array.");
    assert_refused("{\"results\":null}", 1, "`results` must be an array.");
    assert_refused("{\"results\":", 1, "`results` must be an array.");
}

static void the_file_is_an_object_and_nothing_more(void **state)
{
    (void)state;
    assert_refused("", 1, "The file is not a JSON object.");
    assert_refused("\n\n[]", 3, "The file is not a JSON object.");
    assert_refused("{\"results\":[]}\n\nx", 3, "Something follows the JSON object.");
    assert_refused("{\"results\":[]", 1, "A comma or the last brace is missing.");
    assert_refused("{\"results\":[]\n\"a\":1}", 2, "A comma or the last brace is missing.");
    assert_refused("{\"results\":[" MULTIPLE "\n" MULTIPLE "]}", 2,
                   "A comma or the end of `results` is missing.");
    assert_refused("{\"results\":[" MULTIPLE "}", 1, "A comma or the end of `results` is missing.");
}

static void a_byte_order_mark_is_refused(void **state)
{
    (void)state;
    assert_refused("\xef\xbb\xbf{\"results\":[]}", 1, "The file begins with a byte order mark.");
}

static void what_is_no_utf8_is_refused(void **state)
{
    (void)state;
    assert_refused("{\"results\":[\n\"\xe9t\xe9\"]}", 2, "The text is not UTF-8.");
}

static void what_is_no_json_is_refused_at_its_line(void **state)
{
    (void)state;
    assert_refused("{\n\"results\":[\n{\"type\":\n01}]}", 4,
                   "A number is not written as JSON demands, or too long.");
    assert_refused("{\"results\":[\nx]}", 2, "The text is not JSON.");
    assert_refused("{\"results\":[" MULTIPLE ",\n]}", 2, "The text is not JSON.");
    assert_refused("{\n\"a\":tru,\"results\":[]}", 2, "The text is not JSON.");
    assert_refused("{\"results\":[],}", 1, "The text is not JSON.");
    assert_refused("{\n\"results\" []}", 2, "The text is not JSON.");
    assert_refused("{\"results\":[\"\n\"]}", 1,
                   "A string has a control character that is not escaped.");
    assert_refused("{\"results\":[[[[[[[[[[]]]]]]]]]]}", 1,
                   "Arrays and objects are nested too deeply.");
}

/* --- An entry. --- */

static void an_entry_is_an_object(void **state)
{
    (void)state;
    assert_refused("{\"results\":[\n5]}", 2, "An entry of `results` is not an object.");
    assert_refused("{\"results\":[[]]}", 1, "An entry of `results` is not an object.");
}

static void an_entry_names_its_type(void **state)
{
    (void)state;
    assert_refused("{\"results\":[\n{}]}", 2, "`type` must be a string.");
    assert_refused("{\"results\":[{\"type\":1}]}", 1, "`type` must be a string.");
    assert_refused("{\"results\":[{\"type\":\"open\"}]}", 1, "`type` must be multiple or boolean.");
}

static void an_entry_is_easy_medium_or_hard(void **state)
{
    (void)state;
    assert_refused("{\"results\":[{\"type\":\"multiple\"}]}", 1, "`difficulty` must be a string.");
    assert_refused("{\"results\":[{\"type\":\"multiple\",\"difficulty\":\"Easy\"}]}", 1,
                   "`difficulty` must be easy, medium or hard.");
    assert_int_equal(accepted(HEAD TAIL).entries[0].difficulty, DIFFICULTY_EASY);
}

static void an_entry_has_category_and_question(void **state)
{
    (void)state;
    assert_refused("{\"results\":[{\"type\":\"multiple\",\"difficulty\":\"easy\"}]}", 1,
                   "`category` must be a string.");
    assert_refused(
        "{\"results\":[{\"type\":\"multiple\",\"difficulty\":\"easy\",\"category\":\"c\","
        "\"question\":null}]}",
        1, "`question` must be a string.");
}

static void an_entry_has_a_correct_answer(void **state)
{
    (void)state;
    assert_refused(HEAD "\"incorrect_answers\":[\"B\"]}]}", 1,
                   "`correct_answer` must be a string.");
}

static void an_entry_has_2_to_6_choices(void **state)
{
    (void)state;
    static const char must[] = "`incorrect_answers` must be 1 to 5 strings.";
    struct seen seen = accepted(HEAD "\"correct_answer\":\"A\",\"incorrect_answers\":[\"B\"]}]}");
    assert_int_equal(seen.entries[0].choice_count, 2);
    seen = accepted(HEAD "\"correct_answer\":\"A\","
                         "\"incorrect_answers\":[\"B\",\"C\",\"D\",\"E\",\"F\"]}]}");
    assert_int_equal(seen.entries[0].choice_count, 6);
    assert_refused(HEAD "\"correct_answer\":\"A\",\"incorrect_answers\":[]}]}", 1, must);
    assert_refused(HEAD "\"correct_answer\":\"A\","
                        "\"incorrect_answers\":[\"B\",\"C\",\"D\",\"E\",\"F\",\"G\"]}]}",
                   1, must);
    assert_refused(HEAD "\"correct_answer\":\"A\",\"incorrect_answers\":[\"B\",3]}]}", 1, must);
    assert_refused(HEAD "\"correct_answer\":\"A\",\"incorrect_answers\":{\"a\":\"B\"}}]}", 1, must);
    assert_refused(HEAD "\"correct_answer\":\"A\"}]}", 1, must);
}

static void assert_boolean_refused(const char *answers)
{
    char text[512] =
        "{\"results\":[{\"type\":\"boolean\",\"difficulty\":\"easy\",\"category\":\"c\","
        "\"question\":\"q\",";
    strcat(text, answers);
    strcat(text, "}]}");
    assert_refused(text, 1, "The answers of a boolean must be True and False.");
}

static void a_boolean_has_nothing_but_true_and_false(void **state)
{
    (void)state;
    assert_boolean_refused("\"correct_answer\":\"True\",\"incorrect_answers\":[\"True\"]");
    assert_boolean_refused("\"correct_answer\":\"False\",\"incorrect_answers\":[\"False\"]");
    assert_boolean_refused("\"correct_answer\":\"True\",\"incorrect_answers\":[\"false\"]");
    assert_boolean_refused("\"correct_answer\":\"Yes\",\"incorrect_answers\":[\"No\"]");
    assert_boolean_refused(
        "\"correct_answer\":\"True\",\"incorrect_answers\":[\"False\",\"Maybe\"]");
}

static void an_escaped_nul_is_refused(void **state)
{
    (void)state;
    assert_refused("{\"results\":[\n{\"type\":\"multiple\",\"x\":\"\\u0000\"}]}", 2,
                   "A string holds \\u0000.");
}

static void an_entry_too_large_for_the_arena_is_refused(void **state)
{
    (void)state;
    static char text[DECODE_ARENA_BYTES + 64];
    static const char head[] = "{\"results\":[\n{\"question\":\"";
    memset(text, 'x', sizeof text - 1);
    memcpy(text, head, sizeof head - 1);
    memcpy(text + sizeof text - 5, "\"}]}", 5);
    assert_refused(text, 2, "The entry is too large.");
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
        cmocka_unit_test(a_multiple_has_its_right_choice_first),
        cmocka_unit_test(a_boolean_has_true_and_false),
        cmocka_unit_test(entities_stand_as_they_are),
        cmocka_unit_test(entries_come_in_order_with_their_lines),
        cmocka_unit_test(a_bank_may_be_empty),
        cmocka_unit_test(unknown_fields_are_ignored),
        cmocka_unit_test(what_on_entry_refuses_is_the_problem),
        cmocka_unit_test(results_are_there_once),
        cmocka_unit_test(results_are_an_array),
        cmocka_unit_test(the_file_is_an_object_and_nothing_more),
        cmocka_unit_test(a_byte_order_mark_is_refused),
        cmocka_unit_test(what_is_no_utf8_is_refused),
        cmocka_unit_test(what_is_no_json_is_refused_at_its_line),
        cmocka_unit_test(an_entry_is_an_object),
        cmocka_unit_test(an_entry_names_its_type),
        cmocka_unit_test(an_entry_is_easy_medium_or_hard),
        cmocka_unit_test(an_entry_has_category_and_question),
        cmocka_unit_test(an_entry_has_a_correct_answer),
        cmocka_unit_test(an_entry_has_2_to_6_choices),
        cmocka_unit_test(a_boolean_has_nothing_but_true_and_false),
        cmocka_unit_test(an_escaped_nul_is_refused),
        cmocka_unit_test(an_entry_too_large_for_the_arena_is_refused),
    };
    return cmocka_run_group_tests_name("bank_decode", tests, setup, NULL);
}
