/* Question banks from files: what is taken, and what is refused with which line and reason. */

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "edge/bank_file.h"
#include "proto/decode.h"
#include "temp.h"

/* An entry on a line of its own. */
#define ENTRY(category, question, right, wrongs)                                                   \
    "{\"type\":\"multiple\",\"difficulty\":\"easy\",\"category\":\"" category                      \
    "\",\"question\":\"" question "\",\"correct_answer\":\"" right                                 \
    "\",\"incorrect_answers\":[" wrongs "]}"
#define ASKING(question) ENTRY("c", question, "a", "\"b\"")
#define FILE_OF(entries) "{\"response_code\":0,\"results\":[\n" entries "\n]}\n"
#define GOOD             ENTRY("science", "What is H2O?", "Water", "\"Salt\",\"Sand\"")

enum { TEXT_BYTES_MAX = 16 * 1024 * 1024, STRING_BYTES_MAX = 8192, PATH_BYTES = 64 };

struct fixture {
    char path[PATH_BYTES];
    struct bank *bank;
    struct bank_problem problem;
};

static int begin_all(void **state)
{
    (void)state;
    decode_init();
    return 0;
}

static int begin(void **state)
{
    static struct fixture fixture;
    memset(&fixture, 0, sizeof fixture);
    temp_template(fixture.path, sizeof fixture.path, "bank");
    int fd = mkstemp(fixture.path);
    if (fd < 0) return -1;
    (void)close(fd);
    *state = &fixture;
    return 0;
}

static int end(void **state)
{
    struct fixture *fixture = *state;
    bank_destroy(fixture->bank);
    (void)unlink(fixture->path);
    return 0;
}

static void write_file(const struct fixture *fixture, const char *text)
{
    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static int load(struct fixture *fixture, const char *text)
{
    write_file(fixture, text);
    return bank_file_load(fixture->path, &fixture->bank, &fixture->problem);
}

static const struct bank *loaded_from(struct fixture *fixture, const char *path)
{
    if (bank_file_load(path, &fixture->bank, &fixture->problem) != 0) {
        fail_msg("%s:%u: %s", path, (unsigned)fixture->problem.line, fixture->problem.reason);
    }
    return fixture->bank;
}

static const struct bank *loaded(struct fixture *fixture, const char *text)
{
    write_file(fixture, text);
    return loaded_from(fixture, fixture->path);
}

static void expect_refused(struct fixture *fixture, const char *text, unsigned line,
                           const char *reason)
{
    assert_int_equal(load(fixture, text), -EINVAL);
    assert_null(fixture->bank);
    assert_string_equal(fixture->problem.reason, reason);
    assert_int_equal(fixture->problem.line, line);
}

static void expect_file_refused(struct fixture *fixture, const char *path, int error)
{
    assert_int_equal(bank_file_load(path, &fixture->bank, &fixture->problem), error);
    assert_null(fixture->bank);
    assert_int_equal(fixture->problem.line, 0);
    assert_int_not_equal(strlen(fixture->problem.reason), 0);
}

/* --- What is taken. --- */

static void a_question_is_taken_as_it_stands(void **state)
{
    const struct bank *bank = loaded(*state, FILE_OF(GOOD));
    const struct question *question = &bank->questions[0];
    assert_int_equal(bank->count, 1);
    assert_string_equal(question->text, "What is H2O?");
    assert_int_equal(question->choice_count, 3);
    assert_string_equal(question->choices[0], "Water");
    assert_string_equal(question->choices[2], "Sand");
    assert_int_equal(question->difficulty, DIFFICULTY_EASY);
    assert_string_equal(bank->categories[question->category].name, "science");
}

static void named_entities_are_decoded(void **state)
{
    const struct bank *bank =
        loaded(*state, FILE_OF(ENTRY("Caf&eacute;", "&quot;A&quot; &lt; &Omega; &amp; &hellip;?",
                                     "&pound;1", "\"&euro;1\"")));
    assert_string_equal(bank->categories[0].name, "Caf\xc3\xa9");
    assert_string_equal(bank->questions[0].text, "\"A\" < \xce\xa9 & \xe2\x80\xa6?");
    assert_string_equal(bank->questions[0].choices[0], "\xc2\xa3"
                                                       "1");
    assert_string_equal(bank->questions[0].choices[1], "\xe2\x82\xac"
                                                       "1");
}

static void numeric_entities_are_decoded(void **state)
{
    const struct bank *bank =
        loaded(*state, FILE_OF(ENTRY("c", "It&#039;s &#x27;it&#X27; &#128512;", "a", "\"b\"")));
    assert_string_equal(bank->questions[0].text, "It's 'it' \xf0\x9f\x98\x80");
}

static void an_entity_is_decoded_once(void **state)
{
    const struct bank *bank =
        loaded(*state, FILE_OF(ENTRY("c", "What is &amp;quot;?", "a", "\"b\"")));
    assert_string_equal(bank->questions[0].text, "What is &quot;?");
}

static void an_ampersand_before_a_space_stands_for_itself(void **state)
{
    const struct bank *bank =
        loaded(*state, FILE_OF(ENTRY("c", "Dungeons & Dragons?", "a", "\"b\"")));
    assert_string_equal(bank->questions[0].text, "Dungeons & Dragons?");
}

static void escaped_markup_is_text(void **state)
{
    const struct bank *bank =
        loaded(*state, FILE_OF(ENTRY("c", "What does &lt;br&gt; do? 1 < 2", "a", "\"b\"")));
    assert_string_equal(bank->questions[0].text, "What does <br> do? 1 < 2");
}

static void text_is_normalised_to_nfc(void **state)
{
    const struct bank *bank = loaded(*state, FILE_OF(ENTRY("c", "Cafe\xcc\x81?", "a", "\"b\"")));
    assert_string_equal(bank->questions[0].text, "Caf\xc3\xa9?");
}

static void white_space_around_a_text_is_trimmed(void **state)
{
    const struct bank *bank =
        loaded(*state, FILE_OF(ENTRY(" c ", "\\t&nbsp;Which one? \\n", " a", "\"b \"")));
    assert_string_equal(bank->questions[0].text, "Which one?");
    assert_string_equal(bank->questions[0].choices[0], "a");
    assert_string_equal(bank->questions[0].choices[1], "b");
    assert_string_equal(bank->categories[0].name, "c");
}

static void categories_stand_in_alphabetical_order(void **state)
{
    const struct bank *bank =
        loaded(*state, FILE_OF(ENTRY("music", "1?", "a", "\"b\"") ",\n" ENTRY(
                           "art", "2?", "a", "\"b\"") ",\n" ENTRY("history", "3?", "a", "\"b\"")));
    assert_int_equal(bank->category_count, 3);
    assert_string_equal(bank->categories[0].name, "art");
    assert_string_equal(bank->categories[1].name, "history");
    assert_string_equal(bank->categories[2].name, "music");
}

static void a_category_lists_its_questions_and_all_lists_all(void **state)
{
    const struct bank *bank =
        loaded(*state, FILE_OF(ENTRY("music", "1?", "a", "\"b\"") ",\n" ENTRY(
                           "art", "2?", "a", "\"b\"") ",\n" ENTRY("music", "3?", "a", "\"b\"")));
    assert_int_equal(bank->categories[0].count, 1);
    assert_int_equal(bank->categories[0].questions[0], 1);
    assert_int_equal(bank->categories[1].count, 2);
    assert_int_equal(bank->categories[1].questions[0], 0);
    assert_int_equal(bank->categories[1].questions[1], 2);
    assert_int_equal(bank->questions[2].category, 1);
    assert_int_equal(bank->all[0], 0);
    assert_int_equal(bank->all[2], 2);
}

/* The first 128 bits of `printf 'science\037What is H2O?' | sha256sum`. */
static void a_question_id_is_the_digest_of_category_and_text(void **state)
{
    static const struct id expected = {{0x83, 0xa7, 0x1c, 0x08, 0x80, 0xfe, 0x43, 0x36, 0x97, 0x08,
                                        0x4c, 0x01, 0xf9, 0xad, 0x14, 0xe2}};
    const struct bank *bank = loaded(*state, FILE_OF(GOOD));
    assert_memory_equal(bank->questions[0].id.bytes, expected.bytes, sizeof expected.bytes);
}

static void a_question_id_does_not_depend_on_the_choices(void **state)
{
    struct fixture *fixture = *state;
    struct id before = loaded(fixture, FILE_OF(GOOD))->questions[0].id;
    bank_destroy(fixture->bank);
    const struct bank *bank =
        loaded(fixture, FILE_OF(ENTRY("science", "What is H2O?", "Sand", "\"Water\",\"Salt\"")));
    assert_true(id_equal(&bank->questions[0].id, &before));
}

static void one_question_may_stand_in_two_categories(void **state)
{
    const struct bank *bank = loaded(*state, FILE_OF(ENTRY("a", "Which?", "a", "\"b\"") ",\n" ENTRY(
                                                 "b", "Which?", "a", "\"b\"")));
    assert_int_equal(bank->count, 2);
    assert_false(id_equal(&bank->questions[0].id, &bank->questions[1].id));
}

/* --- Lengths: at the bound, and one more. --- */

static const char *repeated(const char *text, unsigned times)
{
    static char buffer[STRING_BYTES_MAX];
    size_t size = strlen(text);
    assert_true(times * size < sizeof buffer);
    for (unsigned i = 0; i < times; i++) memcpy(buffer + i * size, text, size);
    buffer[times * size] = '\0';
    return buffer;
}

static const char *file_with(const char *category, const char *question, const char *wrong)
{
    static char text[TEXT_BYTES_MAX];
    (void)snprintf(text, sizeof text,
                   "{\"results\":[\n{\"type\":\"multiple\",\"difficulty\":\"hard\",\"category\":"
                   "\"%s\",\"question\":\"%s\",\"correct_answer\":\"right\","
                   "\"incorrect_answers\":[\"%s\"]}]}",
                   category, question, wrong);
    return text;
}

static void a_question_of_300_characters_is_taken_in_any_script(void **state)
{
    const struct bank *bank =
        loaded(*state, file_with("c", repeated("\xf0\x9f\x98\x80", 300), "wrong"));
    assert_int_equal(strlen(bank->questions[0].text), 300 * 4);
}

static void a_question_of_301_characters_is_refused(void **state)
{
    expect_refused(*state, file_with("c", repeated("x", 301), "wrong"), 2,
                   "`question` has 301 characters; at most 300 are allowed.");
}

static void an_entity_counts_as_one_character(void **state)
{
    const struct bank *bank = loaded(*state, file_with("c", repeated("&thetasym;", 300), "wrong"));
    assert_int_equal(strlen(bank->questions[0].text), 300 * 2);
}

static void a_choice_of_120_characters_is_taken(void **state)
{
    (void)loaded(*state, file_with("c", "Which?", repeated("\xc3\xa9", 120)));
}

static void a_choice_of_121_characters_is_refused(void **state)
{
    expect_refused(*state, file_with("c", "Which?", repeated("x", 121)), 2,
                   "`incorrect_answers[0]` has 121 characters; at most 120 are allowed.");
}

static void a_category_of_64_bytes_is_taken(void **state)
{
    (void)loaded(*state, file_with(repeated("\xc3\xa9", 32), "Which?", "wrong"));
}

static void a_category_of_more_bytes_is_refused(void **state)
{
    expect_refused(*state, file_with(repeated("\xc3\xa9", 33), "Which?", "wrong"), 2,
                   "`category` has 66 bytes; at most 64 are allowed.");
}

static void a_text_beyond_all_bounds_is_refused(void **state)
{
    expect_refused(*state, file_with("c", repeated("x", 5000), "wrong"), 2,
                   "`question` is far too long.");
}

/* --- What is refused, with its line. --- */

struct refusal_row {
    const char *entries; /* From line 2 on. */
    unsigned line;
    const char *reason;
};

static const struct refusal_row refusal_rows[] = {
    {"", 0, "There are no questions."},
    {GOOD ",\n" ASKING("AT&T?"), 3, "`question` holds &T?, which is no entity."},
    {ASKING("A &nosuch; B?"), 2, "`question` holds &nosuch;, which is no entity."},
    {ASKING("A &amp B?"), 2, "`question` holds &amp, which is no entity."},
    {ASKING("A &"), 2, "`question` holds &, which is no entity."},
    {ASKING("A &; B"), 2, "`question` holds &;, which is no entity."},
    {ASKING("A &#; B"), 2, "`question` holds &#;, which is no entity."},
    {ASKING("A &#x; B"), 2, "`question` holds &#x;, which is no entity."},
    {ASKING("A &#12a; B"), 2, "`question` holds &#12a;, which is no entity."},
    {ASKING("A &#0; B"), 2, "`question` holds &#0;, which is no entity."},
    {ASKING("A &#xd800; B"), 2, "`question` holds &#xd800;, which is no entity."},
    {ASKING("A &#x110000; B"), 2, "`question` holds &#x110000;, which is no entity."},
    {ASKING("A &#99999999999999999999; B"), 2,
     "`question` holds &#99999999999999999999;, which is no entity."},
    {ASKING("A &aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; B"), 2,
     "`question` holds &aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, which is no entity."},
    {ASKING("Which <b>one</b>?"), 2, "`question` holds markup."},
    {ENTRY("c", "Which?", "</i>", "\"b\""), 2, "`correct_answer` holds markup."},
    {ENTRY("c", "Which?", "a", "\"<!-- b\""), 2, "`incorrect_answers[0]` holds markup."},
    {ASKING("One\\ntwo?"), 2, "`question` holds the control character U+000A."},
    {ASKING("One&#7;two?"), 2, "`question` holds the control character U+0007."},
    {ASKING("One\\u2028two?"), 2, "`question` holds the control character U+2028."},
    {ENTRY("", "Which?", "a", "\"b\""), 2, "`category` is empty."},
    {ASKING(" &nbsp; "), 2, "`question` is empty."},
    {ENTRY("c", "Which?", "", "\"b\""), 2, "`correct_answer` is empty."},
    {ENTRY("c", "Which?", "a", "\"b\",\" \""), 2, "`incorrect_answers[1]` is empty."},
    {ENTRY("c", "Which?", "a", "\"a\""), 2, "`incorrect_answers[0]` equals `correct_answer`."},
    {ENTRY("c", "Which?", "a", "\"b\",\"c\",\"b\""), 2,
     "`incorrect_answers[2]` equals `incorrect_answers[0]`."},
    {ENTRY("c", "Which?", "caf\xc3\xa9", "\"cafe\xcc\x81\""), 2,
     "`incorrect_answers[0]` equals `correct_answer`."},
    {ENTRY("c", "Which?", "a&amp;b", "\" a&#38;b\""), 2,
     "`incorrect_answers[0]` equals `correct_answer`."},
    {GOOD ",\n\n" ENTRY("science", "What is  H2O?", "a",
                        "\"b\"") ",\n" ENTRY("science", " What is H&#50;O? ", "a", "\"b\""),
     5, "`question` is there twice in category science."},
};
enum { REFUSAL_ROWS = sizeof refusal_rows / sizeof refusal_rows[0] };

static void what_is_wrong_is_refused_with_its_line_and_reason(void **state)
{
    for (unsigned i = 0; i < REFUSAL_ROWS; i++) {
        static char text[4096];
        (void)snprintf(text, sizeof text, FILE_OF("%s"), refusal_rows[i].entries);
        expect_refused(*state, text, refusal_rows[i].line, refusal_rows[i].reason);
    }
}

static void what_is_no_json_is_refused_with_its_line(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(load(fixture, FILE_OF(GOOD ",\n{\"type\":")), -EINVAL);
    assert_int_equal(fixture->problem.line, 4);
}

static void an_empty_file_is_refused(void **state)
{
    assert_int_equal(load(*state, ""), -EINVAL);
}

/* A file with `count` questions, each in a category of its own where `has_categories`. */
static const char *file_of_many(unsigned count, bool has_categories)
{
    static char text[TEXT_BYTES_MAX];
    size_t used = (size_t)snprintf(text, sizeof text, "{\"results\":[");
    for (unsigned i = 0; i < count; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "%s\n{\"type\":\"boolean\",\"difficulty\":\"easy\",\"category\":"
                                 "\"c%u\",\"question\":\"Is %u odd?\",\"correct_answer\":\"True\","
                                 "\"incorrect_answers\":[\"False\"]}",
                                 i > 0 ? "," : "", has_categories ? i : 0, i);
    }
    (void)snprintf(text + used, sizeof text - used, "]}");
    return text;
}

static void thirty_two_categories_are_taken(void **state)
{
    const struct bank *bank = loaded(*state, file_of_many(CATEGORIES_MAX, true));
    assert_int_equal(bank->category_count, CATEGORIES_MAX);
}

static void a_category_more_is_refused(void **state)
{
    expect_refused(*state, file_of_many(CATEGORIES_MAX + 1, true), CATEGORIES_MAX + 2,
                   "`category` is one more than the 32 that are allowed.");
}

static void as_many_questions_as_fit_are_taken(void **state)
{
    const struct bank *bank = loaded(*state, file_of_many(QUESTIONS_MAX, false));
    assert_int_equal(bank->count, QUESTIONS_MAX);
    assert_int_equal(bank->categories[0].count, QUESTIONS_MAX);
    assert_string_equal(bank->questions[QUESTIONS_MAX - 1].text, "Is 65534 odd?");
}

static void a_question_more_is_refused(void **state)
{
    expect_refused(*state, file_of_many(QUESTIONS_MAX + 1, false), QUESTIONS_MAX + 2,
                   "There are more than 65535 questions.");
}

/* --- The file itself. --- */

static void a_missing_file_is_refused(void **state)
{
    expect_file_refused(*state, "/tmp/there/is/no/such/file.json", -ENOENT);
}

static void a_directory_is_refused(void **state)
{
    expect_file_refused(*state, "/tmp", -EISDIR);
}

static void a_device_is_refused(void **state)
{
    expect_file_refused(*state, "/dev/zero", -ENODEV);
}

static void a_pipe_is_refused_and_not_waited_for(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(mkfifo(fixture->path, S_IRUSR | S_IWUSR), 0);
    expect_file_refused(fixture, fixture->path, -ENODEV);
}

static void a_file_beyond_the_bound_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(truncate(fixture->path, (off_t)BANK_FILE_BYTES_MAX + 1), 0);
    expect_file_refused(fixture, fixture->path, -EFBIG);
}

static void the_bank_that_comes_with_the_server_is_good(void **state)
{
    const struct bank *bank = loaded_from(*state, SHIPPED_BANK);
    print_message("%u questions in %u categories\n", (unsigned)bank->count,
                  (unsigned)bank->category_count);
}

#define bank_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        bank_test(a_question_is_taken_as_it_stands),
        bank_test(named_entities_are_decoded),
        bank_test(numeric_entities_are_decoded),
        bank_test(an_entity_is_decoded_once),
        bank_test(an_ampersand_before_a_space_stands_for_itself),
        bank_test(escaped_markup_is_text),
        bank_test(text_is_normalised_to_nfc),
        bank_test(white_space_around_a_text_is_trimmed),
        bank_test(categories_stand_in_alphabetical_order),
        bank_test(a_category_lists_its_questions_and_all_lists_all),
        bank_test(a_question_id_is_the_digest_of_category_and_text),
        bank_test(a_question_id_does_not_depend_on_the_choices),
        bank_test(one_question_may_stand_in_two_categories),
        bank_test(a_question_of_300_characters_is_taken_in_any_script),
        bank_test(a_question_of_301_characters_is_refused),
        bank_test(an_entity_counts_as_one_character),
        bank_test(a_choice_of_120_characters_is_taken),
        bank_test(a_choice_of_121_characters_is_refused),
        bank_test(a_category_of_64_bytes_is_taken),
        bank_test(a_category_of_more_bytes_is_refused),
        bank_test(a_text_beyond_all_bounds_is_refused),
        bank_test(what_is_wrong_is_refused_with_its_line_and_reason),
        bank_test(what_is_no_json_is_refused_with_its_line),
        bank_test(an_empty_file_is_refused),
        bank_test(thirty_two_categories_are_taken),
        bank_test(a_category_more_is_refused),
        bank_test(as_many_questions_as_fit_are_taken),
        bank_test(a_question_more_is_refused),
        bank_test(a_missing_file_is_refused),
        bank_test(a_directory_is_refused),
        bank_test(a_device_is_refused),
        bank_test(a_pipe_is_refused_and_not_waited_for),
        bank_test(a_file_beyond_the_bound_is_refused),
        bank_test(the_bank_that_comes_with_the_server_is_good),
    };
    return cmocka_run_group_tests_name("edge/bank_file", tests, begin_all, NULL);
}
