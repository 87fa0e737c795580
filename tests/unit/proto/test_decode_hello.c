/* What hello demands of its fields. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode_fixture.h"

static void hello_with_a_name_makes_a_guest(void **state)
{
    (void)state;
    struct request request = accepted("{\"type\":\"hello\",\"id\":1,\"name\":\"Ada \\u00e9\"}");
    assert_int_equal(request.type, REQUEST_HELLO);
    assert_int_equal(request.id, 1);
    assert_string_equal(request.hello.name, "Ada \xc3\xa9");
    assert_null(request.hello.token);
    assert_null(request.hello.resume);
    assert_false(request.hello.has_last_match);
    assert_int_equal(request.hello.last_seq, 0);
}

static void hello_with_token_and_resume_has_both(void **state)
{
    (void)state;
    struct request request =
        accepted("{\"type\":\"hello\",\"id\":1,\"token\":\"t\",\"resume\":\"r\","
                 "\"last_match\":\"" MATCH_TEXT "\",\"last_seq\":6}");
    assert_string_equal(request.hello.token, "t");
    assert_string_equal(request.hello.resume, "r");
    assert_true(request.hello.has_last_match);
    assert_true(id_equal(&request.hello.last_match, &match_id));
    assert_int_equal(request.hello.last_seq, 6);
}

static void a_name_beside_a_token_or_resume_is_ignored(void **state)
{
    (void)state;
    struct request request =
        accepted("{\"type\":\"hello\",\"id\":1,\"name\":\"Ada\",\"token\":\"t\"}");
    assert_null(request.hello.name);
    request = accepted("{\"type\":\"hello\",\"id\":1,\"name\":\"Ada\",\"resume\":\"r\"}");
    assert_null(request.hello.name);
}

static void hello_says_who_it_is(void **state)
{
    (void)state;
    assert_bad("{\"type\":\"hello\",\"id\":1}", 1, "`name`, `token` or `resume` is missing.");
    assert_bad("{\"type\":\"hello\",\"id\":1,\"last_seq\":1}", 1,
               "`name`, `token` or `resume` is missing.");
}

/* An empty name or one that is too long is bad_name (docs/protocol.md, Errors): name_normalise()
 * tells.
 */
static void the_limits_of_a_name_are_not_checked_here(void **state)
{
    (void)state;
    assert_string_equal(accepted("{\"type\":\"hello\",\"id\":1,\"name\":\"\"}").hello.name, "");
    struct request request =
        accepted(filled("{\"type\":\"hello\",\"id\":1,\"name\":\"", 4000, "\"}"));
    assert_int_equal(strlen(request.hello.name), 4000);
}

static void a_name_is_a_string(void **state)
{
    (void)state;
    assert_bad("{\"type\":\"hello\",\"id\":1,\"name\":5}", 1, "`name` must be a string.");
    assert_bad("{\"type\":\"hello\",\"id\":1,\"name\":null}", 1, "`name` must be a string.");
    assert_bad("{\"type\":\"hello\",\"id\":1,\"name\":[],\"token\":\"t\"}", 1,
               "`name` must be a string.");
}

static void a_token_has_1_to_2048_bytes(void **state)
{
    (void)state;
    static const char must[] = "`token` must be a string of 1 to 2048 bytes.";
    static const char before[] = "{\"type\":\"hello\",\"id\":1,\"token\":\"";
    assert_int_equal(strlen(accepted(filled(before, 1, "\"}")).hello.token), 1);
    assert_int_equal(strlen(accepted(filled(before, 2048, "\"}")).hello.token), 2048);
    assert_bad(filled(before, 0, "\"}"), 1, must);
    assert_bad(filled(before, 2049, "\"}"), 1, must);
    assert_bad("{\"type\":\"hello\",\"id\":1,\"token\":{}}", 1, "`token` must be a string.");
}

static void a_resume_has_1_to_128_bytes(void **state)
{
    (void)state;
    static const char must[] = "`resume` must be a string of 1 to 128 bytes.";
    static const char before[] = "{\"type\":\"hello\",\"id\":1,\"resume\":\"";
    assert_int_equal(strlen(accepted(filled(before, 1, "\"}")).hello.resume), 1);
    assert_int_equal(strlen(accepted(filled(before, 128, "\"}")).hello.resume), 128);
    assert_bad(filled(before, 0, "\"}"), 1, must);
    assert_bad(filled(before, 129, "\"}"), 1, must);
    assert_bad("{\"type\":\"hello\",\"id\":1,\"resume\":1}", 1, "`resume` must be a string.");
}

static void a_last_seq_is_an_integer_from_0_to_65535(void **state)
{
    (void)state;
    static const char must[] = "`last_seq` must be an integer from 0 to 65535.";
    struct request request =
        accepted("{\"type\":\"hello\",\"id\":1,\"resume\":\"r\",\"last_seq\":0}");
    assert_int_equal(request.hello.last_seq, 0);
    request = accepted("{\"type\":\"hello\",\"id\":1,\"resume\":\"r\",\"last_seq\":65535}");
    assert_int_equal(request.hello.last_seq, 65535);
    assert_bad("{\"type\":\"hello\",\"id\":1,\"resume\":\"r\",\"last_seq\":-1}", 1, must);
    assert_bad("{\"type\":\"hello\",\"id\":1,\"resume\":\"r\",\"last_seq\":65536}", 1, must);
    assert_bad("{\"type\":\"hello\",\"id\":1,\"resume\":\"r\",\"last_seq\":2.5}", 1, must);
    assert_bad("{\"type\":\"hello\",\"id\":1,\"resume\":\"r\",\"last_seq\":\"6\"}", 1, must);
}

static void what_was_seen_last_is_ignored_without_a_resume(void **state)
{
    (void)state;
    struct request request =
        accepted("{\"type\":\"hello\",\"id\":1,\"token\":\"t\",\"last_match\":\"" MATCH_TEXT
                 "\",\"last_seq\":6}");
    assert_false(request.hello.has_last_match);
    assert_true(id_is_none(&request.hello.last_match));
    assert_int_equal(request.hello.last_seq, 0);
}

static void a_last_match_that_is_no_id_is_another(void **state)
{
    (void)state;
    struct request request =
        accepted("{\"type\":\"hello\",\"id\":1,\"resume\":\"r\",\"last_match\":\"old\"}");
    assert_true(request.hello.has_last_match);
    assert_true(id_is_none(&request.hello.last_match));
    assert_bad("{\"type\":\"hello\",\"id\":1,\"resume\":\"r\",\"last_match\":5}", 1,
               "`last_match` must be a string.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_with_a_name_makes_a_guest),
        cmocka_unit_test(hello_with_token_and_resume_has_both),
        cmocka_unit_test(a_name_beside_a_token_or_resume_is_ignored),
        cmocka_unit_test(hello_says_who_it_is),
        cmocka_unit_test(the_limits_of_a_name_are_not_checked_here),
        cmocka_unit_test(a_name_is_a_string),
        cmocka_unit_test(a_token_has_1_to_2048_bytes),
        cmocka_unit_test(a_resume_has_1_to_128_bytes),
        cmocka_unit_test(a_last_seq_is_an_integer_from_0_to_65535),
        cmocka_unit_test(what_was_seen_last_is_ignored_without_a_resume),
        cmocka_unit_test(a_last_match_that_is_no_id_is_another),
    };
    return cmocka_run_group_tests_name("decode_hello", tests, setup, NULL);
}
