/* Players' names (docs/protocol.md, Limits). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/name.h"

static void assert_becomes(const char *text, const char *expected)
{
    char name[NAME_BYTES_MAX + 1];
    assert_true(name_normalise(text, strlen(text), name));
    assert_string_equal(name, expected);
    char again[NAME_BYTES_MAX + 1];
    assert_true(name_normalise(name, strlen(name), again)); /* What is normal stays as it is. */
    assert_string_equal(again, name);
}

static void assert_kept(const char *text)
{
    assert_becomes(text, text);
}

static void assert_bytes_refused(const char *text, size_t bytes)
{
    char name[NAME_BYTES_MAX + 1] = "untouched";
    assert_false(name_normalise(text, bytes, name));
    assert_string_equal(name, "untouched");
}

static void assert_refused(const char *text)
{
    assert_bytes_refused(text, strlen(text));
}

/* `count` times a text. Valid until the next. */
static const char *repeated(const char *text, size_t count)
{
    static char all[8192];
    size_t bytes = strlen(text);
    assert_true(bytes * count < sizeof all);
    for (size_t i = 0; i < count; i++) memcpy(all + i * bytes, text, bytes);
    all[bytes * count] = '\0';
    return all;
}

static const char *after(const char *before, const char *text)
{
    static char all[8192];
    strcpy(all, before);
    strcat(all, text);
    return all;
}

static void a_plain_name_is_kept(void **state)
{
    (void)state;
    assert_kept("Ada");
    assert_kept("Ada Lovelace");
    assert_kept("x");
    assert_kept("O'Brien-\"Q\" \\ <b>");
}

static void names_of_all_scripts_are_kept(void **state)
{
    (void)state;
    assert_kept("\xd0\x9b\xd1\x8e\xd0\xb1\xd0\xbe\xd0\xb2\xd1\x8c");             /* Cyrillic. */
    assert_kept("\xe5\x85\x89\xe5\xad\x90");                                     /* Han. */
    assert_kept("\xe0\xa4\x86\xe0\xa4\xa6\xe0\xa4\xbf\xe0\xa4\xa4\xe0\xa5\x8d"); /* Devanagari. */
    assert_kept("\xd7\xa2\xd7\x93\xd7\x94");                                     /* Hebrew. */
    assert_kept("\xf0\x9f\x99\x82");                                             /* An emoji. */
}

static void a_name_is_composed(void **state)
{
    (void)state;
    assert_becomes("Zoe\xcc\x88", "Zo\xc3\xab");
    assert_becomes("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab",
                   "\xed\x95\x9c");                                     /* Jamo to a syllable. */
    assert_becomes("\xce\xb1\xcc\x93\xcc\x80\xcd\x85", "\xe1\xbe\x82"); /* Four to one. */
    assert_becomes("\xe2\x84\xab", "\xc3\x85");                         /* Angstrom to A ring. */
    assert_becomes("a\xcc\x81\xcc\xa3", "\xe1\xba\xa1\xcc\x81");        /* Marks in order. */
    assert_becomes("q\xcd\x84", "q\xcc\x88\xcc\x81");                   /* A mark of two. */
}

static void white_space_is_trimmed_and_folded(void **state)
{
    (void)state;
    assert_becomes("  Ada  ", "Ada");
    assert_becomes("Ada   Lovelace", "Ada Lovelace");
    assert_becomes("Ada\xc2\xa0Lovelace", "Ada Lovelace"); /* No-break space. */
    assert_becomes("\xe3\x80\x80"
                   "Ada \xe2\x80\x89 L\xe2\x80\x83",
                   "Ada L"); /* Ideographic, thin, em. */
    assert_becomes(after(repeated(" ", 4000), "Ada"), "Ada");
}

static void a_name_has_at_least_one_character(void **state)
{
    (void)state;
    assert_refused("");
    assert_refused(" ");
    assert_refused("\xc2\xa0\xe3\x80\x80");
}

static void a_name_has_at_most_24_characters(void **state)
{
    (void)state;
    assert_kept("abcdefghijklmnopqrstuvwx");
    assert_refused("abcdefghijklmnopqrstuvwxy");
    assert_kept("abcdefghijkl nopqrstuvwx");
    assert_refused("abcdefghijkl nopqrstuvwxy");
}

static void characters_are_counted_after_normalisation(void **state)
{
    (void)state;
    char expected[NAME_BYTES_MAX + 1];
    strcpy(expected, repeated("\xe1\xbe\x82", 24));
    assert_becomes(repeated("\xce\xb1\xcc\x93\xcc\x80\xcd\x85", 24), expected);
    assert_refused(repeated("\xce\xb1\xcc\x93\xcc\x80\xcd\x85", 25));
    assert_refused(repeated("\xcd\x84"
                            "a",
                            24)); /* Grows to 72. */
}

static void a_name_of_24_characters_of_four_bytes_has_96(void **state)
{
    (void)state;
    assert_kept(repeated("\xf0\x9f\x99\x82", 24));
    assert_refused(repeated("\xf0\x9f\x99\x82", 25));
}

/* Each is three marks of four bytes once it is decomposed, as normalisation demands. */
static void a_name_has_at_most_96_bytes_after_normalisation(void **state)
{
    (void)state;
    assert_becomes("\xf0\x9d\x85\xa0", "\xf0\x9d\x85\x98\xf0\x9d\x85\xa5\xf0\x9d\x85\xae");
    assert_refused(repeated("\xf0\x9d\x85\xa0", 24));
}

static void what_is_long_before_normalisation_is_refused_unread(void **state)
{
    (void)state;
    assert_refused(repeated("a", 97));
    assert_refused(repeated("a ", 60));
    assert_refused(repeated("a", 4096));
}

static void control_characters_are_refused(void **state)
{
    (void)state;
    assert_bytes_refused("Ada\0", 4);
    assert_bytes_refused("\0", 1);
    assert_refused("A\x01");
    assert_refused("A\nB");
    assert_refused("A\tB");
    assert_refused("Ada\r\n");
    assert_refused("A\x7f");
    assert_refused("A\xc2\x80");
    assert_refused("A\xc2\x85"); /* Next line. */
}

static void line_and_paragraph_separators_are_refused(void **state)
{
    (void)state;
    assert_refused("A\xe2\x80\xa8"
                   "B");
    assert_refused("A\xe2\x80\xa9"
                   "B");
}

static void bidirectional_controls_are_refused(void **state)
{
    (void)state;
    assert_refused("A\xd8\x9c");     /* U+061C, Arabic letter mark. */
    assert_refused("A\xe2\x80\x8e"); /* U+200E. */
    assert_refused("A\xe2\x80\x8f"); /* U+200F. */
    assert_refused("A\xe2\x80\xaa"); /* U+202A … */
    assert_refused("\xe2\x80\xae"
                   "A");             /* … U+202E, overrides. */
    assert_refused("A\xe2\x81\xa6"); /* U+2066 … */
    assert_refused("A\xe2\x81\xa9"); /* … U+2069, isolates. */
}

static void invisible_characters_are_refused(void **state)
{
    (void)state;
    assert_refused("A\xc2\xad");         /* Soft hyphen. */
    assert_refused("A\xcd\x8f");         /* Combining grapheme joiner. */
    assert_refused("A\xe1\x85\x9f");     /* Hangul choseong filler. */
    assert_refused("A\xe1\xa0\x8e");     /* Mongolian vowel separator. */
    assert_refused("A\xe2\x80\x8b");     /* Zero width space. */
    assert_refused("A\xe2\x80\x8d");     /* Zero width joiner. */
    assert_refused("A\xe2\x81\xa0");     /* Word joiner. */
    assert_refused("A\xe3\x85\xa4");     /* Hangul filler. */
    assert_refused("A\xef\xb8\x8f");     /* Variation selector. */
    assert_refused("A\xef\xbb\xbf");     /* Byte order mark. */
    assert_refused("A\xef\xbf\xb9");     /* Interlinear annotation. */
    assert_refused("A\xf3\xa0\x81\xa1"); /* A tag. */
}

static void blanks_other_than_the_space_are_refused(void **state)
{
    (void)state;
    assert_refused("A\xe2\xa0\x80");     /* The empty Braille pattern. */
    assert_refused("A\xf0\x9d\x85\x99"); /* Musical symbol null notehead. */
}

static void what_is_not_assigned_is_refused(void **state)
{
    (void)state;
    assert_refused("A\xee\x80\x80");     /* Private use. */
    assert_refused("A\xf4\x8f\xbf\xbd"); /* Private use. */
    assert_refused("A\xcd\xb8");         /* Unassigned. */
    assert_refused("A\xef\xb7\x90");     /* A noncharacter. */
    assert_refused("A\xef\xbf\xbf");     /* U+FFFF. */
}

static void what_is_no_utf8_is_refused(void **state)
{
    (void)state;
    assert_refused("A\x80");
    assert_refused("A\xc3");             /* Cut off. */
    assert_refused("A\xe2\x82");         /* Cut off. */
    assert_refused("A\xc0\xaf");         /* Overlong. */
    assert_refused("A\xed\xa0\x80");     /* A surrogate. */
    assert_refused("A\xf4\x90\x80\x80"); /* Beyond U+10FFFF. */
    assert_refused("A\xff");
    assert_bytes_refused("A\xc3\xa9", 2);
}

static void a_name_is_visible_by_itself(void **state)
{
    (void)state;
    assert_refused("\xcc\x81");
    assert_refused(" \xcc\x81 \xcc\x88");
    assert_refused("\xe0\xa4\xbf"); /* A vowel sign. */
    assert_kept("\xe2\x80\xa2");    /* A bullet. */
}

/* A run is sorted, and its buffer must never grow beyond libunistring's own. */
static void marks_may_pile_up_to_the_number_of_characters(void **state)
{
    (void)state;
    char expected[NAME_BYTES_MAX + 1];
    strcpy(expected, after("\xc3\xa1", repeated("\xcc\x81", 23)));
    assert_becomes(after("a", repeated("\xcc\x81", 24)), expected);
    assert_refused(after("a", repeated("\xcc\x81", 25)));
    assert_refused(after("a", repeated("\xcc\x81", 27)));
    assert_refused(after("a", repeated("\xcc\x81", 28)));
    assert_refused(after("a", repeated("\xcd\x84", 27)));
    assert_refused(
        after("a", repeated("\xe0\xbd\xb3", 27))); /* U+0F73: two marks, says no class. */
    assert_refused(after("a", repeated("\xe0\xbd\xb3", 28)));
    assert_refused(after("a", repeated("\xcc\x81", 2000)));
}

/* Whatever comes, libunistring's result is in our buffer: name_normalise() asserts it. */
static void torture_character(uint32_t character)
{
    char text[4];
    size_t bytes = 0;
    if (character < 0x80) {
        text[bytes++] = (char)character;
    } else if (character < 0x800) {
        text[bytes++] = (char)(0xc0 | character >> 6);
    } else if (character < 0x10000) {
        text[bytes++] = (char)(0xe0 | character >> 12);
    } else {
        text[bytes++] = (char)(0xf0 | character >> 18);
        text[bytes++] = (char)(0x80 | (character >> 12 & 0x3f));
    }
    if (character >= 0x800) text[bytes++] = (char)(0x80 | (character >> 6 & 0x3f));
    if (character >= 0x80) text[bytes++] = (char)(0x80 | (character & 0x3f));
    char all[96 * 4];
    for (size_t i = 0; i < 96; i++) memcpy(all + i * bytes, text, bytes);
    char name[NAME_BYTES_MAX + 1];
    for (size_t count = 1; count <= 96; count = count < 28 ? count + 9 : count + 68) {
        if (name_normalise(all, count * bytes, name)) assert_kept(name);
    }
}

static void every_character_in_any_number_is_kept_or_refused(void **state)
{
    (void)state;
    for (uint32_t character = 0; character < 0x20000; character++) torture_character(character);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_name_is_kept),
        cmocka_unit_test(names_of_all_scripts_are_kept),
        cmocka_unit_test(a_name_is_composed),
        cmocka_unit_test(white_space_is_trimmed_and_folded),
        cmocka_unit_test(a_name_has_at_least_one_character),
        cmocka_unit_test(a_name_has_at_most_24_characters),
        cmocka_unit_test(characters_are_counted_after_normalisation),
        cmocka_unit_test(a_name_of_24_characters_of_four_bytes_has_96),
        cmocka_unit_test(a_name_has_at_most_96_bytes_after_normalisation),
        cmocka_unit_test(what_is_long_before_normalisation_is_refused_unread),
        cmocka_unit_test(control_characters_are_refused),
        cmocka_unit_test(line_and_paragraph_separators_are_refused),
        cmocka_unit_test(bidirectional_controls_are_refused),
        cmocka_unit_test(invisible_characters_are_refused),
        cmocka_unit_test(blanks_other_than_the_space_are_refused),
        cmocka_unit_test(what_is_not_assigned_is_refused),
        cmocka_unit_test(what_is_no_utf8_is_refused),
        cmocka_unit_test(a_name_is_visible_by_itself),
        cmocka_unit_test(marks_may_pile_up_to_the_number_of_characters),
        cmocka_unit_test(every_character_in_any_number_is_kept_or_refused),
    };
    return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
