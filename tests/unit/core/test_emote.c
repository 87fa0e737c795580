#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/emote.h"

enum { UNTOUCHED = 77 };

static void every_code_finds_its_emote(void **state)
{
    (void)state;
    for (uint8_t emote = 0; emote < EMOTE_COUNT; emote++) {
        uint8_t found = UNTOUCHED;
        assert_true(emote_find(emote_code(emote), &found));
        /* The first of its code, so that a code stands in the list once. */
        assert_int_equal(found, emote);
    }
}

static void an_unknown_code_finds_nothing(void **state)
{
    (void)state;
    uint8_t found = UNTOUCHED;
    assert_false(emote_find("rude", &found));
    assert_int_equal(found, UNTOUCHED);
}

static void a_code_is_found_whole_only(void **state)
{
    (void)state;
    uint8_t found = UNTOUCHED;
    assert_false(emote_find("g", &found));
    assert_false(emote_find("ggg", &found));
    assert_false(emote_find("GG", &found));
    assert_false(emote_find("", &found));
    assert_int_equal(found, UNTOUCHED);
}

static void what_is_beyond_the_list_has_no_code(void **state)
{
    (void)state;
    assert_true(strlen(emote_code(EMOTE_COUNT - 1)) > 0);
    expect_assert_failure((void)emote_code(EMOTE_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_finds_its_emote),
        cmocka_unit_test(an_unknown_code_finds_nothing),
        cmocka_unit_test(a_code_is_found_whole_only),
        cmocka_unit_test(what_is_beyond_the_list_has_no_code),
    };
    return cmocka_run_group_tests_name("emote", tests, NULL, NULL);
}
