#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/refusal.h"

/* docs/protocol.md, Errors, in the order of its table. */
static const char *const protocol_codes[] = {
    "bad_json",       "bad_message",  "unknown_type", "not_authenticated", "auth_failed",
    "resume_expired", "bad_name",     "bad_state",    "late_answer",       "wrong_round",
    "bad_choice",     "rate_limited", "busy",         "unavailable",
};

static void the_codes_are_those_of_the_protocol(void **state)
{
    (void)state;
    assert_int_equal(REFUSAL_COUNT - 1, sizeof protocol_codes / sizeof protocol_codes[0]);
    for (int refusal = REFUSAL_NONE + 1; refusal < REFUSAL_COUNT; refusal++)
        assert_string_equal(refusal_code((enum refusal)refusal), protocol_codes[refusal - 1]);
}

static void no_two_refusals_share_a_code(void **state)
{
    (void)state;
    for (int a = REFUSAL_NONE + 1; a < REFUSAL_COUNT; a++)
        for (int b = a + 1; b < REFUSAL_COUNT; b++)
            assert_string_not_equal(refusal_code((enum refusal)a), refusal_code((enum refusal)b));
}

static void a_message_is_a_sentence(void **state)
{
    (void)state;
    for (int refusal = REFUSAL_NONE + 1; refusal < REFUSAL_COUNT; refusal++) {
        const char *message = refusal_message((enum refusal)refusal);
        assert_in_range(message[0], 'A', 'Z');
        assert_int_equal(message[strlen(message) - 1], '.');
    }
}

static void waiting_helps_against_rates_full_queues_and_a_draining_server_only(void **state)
{
    (void)state;
    for (int refusal = REFUSAL_NONE + 1; refusal < REFUSAL_COUNT; refusal++)
        assert_int_equal(refusal_has_retry((enum refusal)refusal),
                         refusal == REFUSAL_RATE_LIMITED || refusal == REFUSAL_BUSY ||
                             refusal == REFUSAL_UNAVAILABLE);
}

static void no_refusal_has_no_code(void **state)
{
    (void)state;
    expect_assert_failure((void)refusal_code(REFUSAL_NONE));
    expect_assert_failure((void)refusal_message(REFUSAL_NONE));
    expect_assert_failure((void)refusal_has_retry(REFUSAL_NONE));
}

static void what_is_beyond_the_list_has_no_code(void **state)
{
    (void)state;
    expect_assert_failure((void)refusal_code(REFUSAL_COUNT));
    expect_assert_failure((void)refusal_message(REFUSAL_COUNT));
    expect_assert_failure((void)refusal_has_retry(REFUSAL_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_codes_are_those_of_the_protocol),
        cmocka_unit_test(no_two_refusals_share_a_code),
        cmocka_unit_test(a_message_is_a_sentence),
        cmocka_unit_test(waiting_helps_against_rates_full_queues_and_a_draining_server_only),
        cmocka_unit_test(no_refusal_has_no_code),
        cmocka_unit_test(what_is_beyond_the_list_has_no_code),
    };
    return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
