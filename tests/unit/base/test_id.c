#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/id.h"

static const char text_of_one[] = "00112233-4455-6677-8899-aabbccddeeff";
static const struct id one = {{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa,
                               0xbb, 0xcc, 0xdd, 0xee, 0xff}};
static const uint8_t zeros[ID_RANDOM_BYTES];
static const uint8_t ones[ID_RANDOM_BYTES] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

static void assert_text(const struct id *id, const char *expected)
{
    char text[ID_TEXT_BYTES + 1];
    id_format(id, text);
    assert_string_equal(text, expected);
}

static void assert_parse_refuses(const char *text, uint32_t text_bytes)
{
    struct id id = one;
    assert_false(id_parse(text, text_bytes, &id));
    assert_true(id_equal(&id, &one));
}

/* The text of one with the character at `index` replaced. */
static void assert_parse_refuses_with(size_t index, char other)
{
    char text[sizeof text_of_one];
    memcpy(text, text_of_one, sizeof text);
    text[index] = other;
    assert_parse_refuses(text, ID_TEXT_BYTES);
}

static void an_id_begins_with_48_bits_of_the_wall_clock(void **state)
{
    (void)state;
    struct id id = id_make((wall_time){INT64_C(0x0123456789ab)}, zeros);
    assert_text(&id, "01234567-89ab-7000-8000-000000000000");
}

static void version_and_variant_are_kept_whatever_the_random_bytes(void **state)
{
    (void)state;
    struct id id = id_make((wall_time){0}, ones);
    assert_text(&id, "00000000-0000-7fff-bfff-ffffffffffff");
}

static void ids_of_a_later_millisecond_sort_behind(void **state)
{
    (void)state;
    struct id earlier = id_make((wall_time){INT64_C(0x00ff)}, ones);
    struct id later = id_make((wall_time){INT64_C(0x0100)}, zeros);
    assert_true(memcmp(earlier.bytes, later.bytes, sizeof later.bytes) < 0);
}

static void ids_are_equal_where_all_bytes_are(void **state)
{
    (void)state;
    struct id same = one;
    struct id first_differs = one;
    struct id last_differs = one;
    first_differs.bytes[0] ^= 1;
    last_differs.bytes[15] ^= 1;
    assert_true(id_equal(&one, &same));
    assert_false(id_equal(&one, &first_differs));
    assert_false(id_equal(&one, &last_differs));
}

static void only_all_zero_is_none(void **state)
{
    (void)state;
    assert_true(id_is_none(&(struct id){{0}}));
    assert_false(id_is_none(&(struct id){.bytes[15] = 1}));
}

static void an_id_is_written_in_lower_case_with_dashes(void **state)
{
    (void)state;
    assert_text(&one, text_of_one);
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    struct id id = {{0}};
    assert_true(id_parse(text_of_one, ID_TEXT_BYTES, &id));
    assert_true(id_equal(&id, &one));
}

static void upper_case_is_read(void **state)
{
    (void)state;
    struct id id = {{0}};
    assert_true(id_parse("00112233-4455-6677-8899-AABBCCDDEEFF", ID_TEXT_BYTES, &id));
    assert_true(id_equal(&id, &one));
}

static void the_text_needs_no_nul_behind_it(void **state)
{
    (void)state;
    char text[ID_TEXT_BYTES];
    struct id id = {{0}};
    memcpy(text, text_of_one, sizeof text);
    assert_true(id_parse(text, sizeof text, &id));
    assert_true(id_equal(&id, &one));
}

static void a_text_of_another_length_is_refused(void **state)
{
    (void)state;
    assert_parse_refuses("", 0);
    assert_parse_refuses(text_of_one, ID_TEXT_BYTES - 1);
    assert_parse_refuses("00112233-4455-6677-8899-aabbccddeeff0", ID_TEXT_BYTES + 1);
}

static void a_dash_that_is_missing_is_refused(void **state)
{
    (void)state;
    assert_parse_refuses_with(8, '0');
    assert_parse_refuses_with(13, '0');
    assert_parse_refuses_with(18, '0');
    assert_parse_refuses_with(23, '_');
}

static void a_dash_among_digits_is_refused(void **state)
{
    (void)state;
    assert_parse_refuses_with(0, '-');
    assert_parse_refuses_with(35, '-');
}

static void what_stands_beside_the_digits_in_ascii_is_refused(void **state)
{
    (void)state;
    assert_parse_refuses_with(0, '/');
    assert_parse_refuses_with(0, ':');
    assert_parse_refuses_with(1, '@');
    assert_parse_refuses_with(1, 'G');
    assert_parse_refuses_with(34, '`');
    assert_parse_refuses_with(35, 'g');
    assert_parse_refuses_with(20, '\0');
    assert_parse_refuses_with(20, (char)0xc3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_begins_with_48_bits_of_the_wall_clock),
        cmocka_unit_test(version_and_variant_are_kept_whatever_the_random_bytes),
        cmocka_unit_test(ids_of_a_later_millisecond_sort_behind),
        cmocka_unit_test(ids_are_equal_where_all_bytes_are),
        cmocka_unit_test(only_all_zero_is_none),
        cmocka_unit_test(an_id_is_written_in_lower_case_with_dashes),
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(upper_case_is_read),
        cmocka_unit_test(the_text_needs_no_nul_behind_it),
        cmocka_unit_test(a_text_of_another_length_is_refused),
        cmocka_unit_test(a_dash_that_is_missing_is_refused),
        cmocka_unit_test(a_dash_among_digits_is_refused),
        cmocka_unit_test(what_stands_beside_the_digits_in_ascii_is_refused),
    };
    return cmocka_run_group_tests_name("base/id", tests, NULL, NULL);
}
