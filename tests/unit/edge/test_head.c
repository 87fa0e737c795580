/* The head of an HTTP request: each verdict, however the bytes arrive and the fields are written.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "edge/head.h"

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static const char handshake[] = "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\n" KEY "Sec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Protocol: quizrush.v1\r\n\r\n";
static const char plain[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

static const struct head_rules rules = {.path = "/ws"};
static struct head_found found; /* By the last look. */

static void expect_whole(const char *head)
{
    assert_string_equal(head + strlen(head) - 4, "\r\n\r\n");
}

static enum head_verdict look_at(const char *bytes, size_t size)
{
    found = (struct head_found){0};
    enum head_verdict verdict = head_look(&rules, bytes, size, &found);
    if (verdict == HEAD_UPGRADE || verdict == HEAD_HTTP) {
        assert_in_range(found.bytes, 4, size);
        assert_memory_equal(bytes + found.bytes - 4, "\r\n\r\n", 4);
        expect_whole(found.forwarded);
    }
    return verdict;
}

static enum head_verdict look(const char *text)
{
    return look_at(text, strlen(text));
}

static void expect_refused(const char *text, const char *status)
{
    assert_int_equal(look(text), HEAD_REFUSED);
    assert_non_null(found.response);
    assert_memory_equal(found.response, "HTTP/1.1 ", 9);
    assert_memory_equal(found.response + 9, status, 3);
    expect_whole(found.response);
}

/* A handshake with these fields beside the ones that are always there. */
static const char *upgrade(const char *first_line, const char *fields)
{
    static char text[1024];
    int size = snprintf(text, sizeof text, "%s\r\nHost: a\r\nConnection: Upgrade\r\n%s\r\n",
                        first_line, fields);
    assert_in_range(size, 1, sizeof text - 1);
    return text;
}

static const char *with_protocols(const char *fields)
{
    static char all[512];
    int size = snprintf(all, sizeof all,
                        "Upgrade: websocket\r\n" KEY "Sec-WebSocket-Version: 13\r\n%s", fields);
    assert_in_range(size, 1, sizeof all - 1);
    return upgrade("GET /ws HTTP/1.1", all);
}

/* --- What is taken. --- */

static void a_handshake_is_an_upgrade(void **state)
{
    (void)state;
    assert_int_equal(look(handshake), HEAD_UPGRADE);
}

static void a_query_behind_the_path_is_fine(void **state)
{
    (void)state;
    assert_int_equal(look(upgrade("GET /ws?a=b HTTP/1.1",
                                  "Upgrade: websocket\r\n" KEY "Sec-WebSocket-Version: 13\r\n")),
                     HEAD_UPGRADE);
}

static void a_plain_request_is_left_to_http(void **state)
{
    (void)state;
    assert_int_equal(look(plain), HEAD_HTTP);
    assert_int_equal(look("HEAD /elsewhere HTTP/1.0\r\n\r\n"), HEAD_HTTP);
    assert_int_equal(look("GET /wss HTTP/1.1\r\n\r\n"), HEAD_HTTP);
    assert_int_equal(look("GET /ws/ HTTP/1.1\r\n\r\n"), HEAD_HTTP);
}

static void another_upgrade_is_a_plain_request(void **state)
{
    (void)state;
    assert_int_equal(look("GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n"), HEAD_HTTP);
}

static void the_first_line_alone_is_a_head(void **state)
{
    (void)state;
    assert_int_equal(look("GET / HTTP/1.1\r\n\r\n"), HEAD_HTTP);
    expect_refused("\r\n\r\n", "400");
}

static void the_length_ends_behind_the_empty_line(void **state)
{
    (void)state;
    char text[sizeof handshake + 8];
    (void)snprintf(text, sizeof text, "%sframes", handshake);
    assert_int_equal(look(text), HEAD_UPGRADE);
    assert_int_equal(found.bytes, strlen(handshake));
    (void)snprintf(text, sizeof text, "%sbody\r\n\r\n", plain);
    assert_int_equal(look(text), HEAD_HTTP);
    assert_int_equal(found.bytes, strlen(plain));
}

/* --- What is not whole. --- */

static void a_head_cut_at_any_byte_is_incomplete(void **state)
{
    (void)state;
    for (size_t size = 1; size < strlen(handshake); size++) {
        char *exact = malloc(size); /* A sanitizer sees what is read behind it. */
        assert_non_null(exact);
        memcpy(exact, handshake, size);
        assert_int_equal(look_at(exact, size), HEAD_INCOMPLETE);
        free(exact);
    }
    for (size_t size = 0; size < strlen(plain); size++) {
        assert_int_equal(look_at(plain, size), HEAD_INCOMPLETE);
    }
}

static void lines_that_end_in_a_newline_alone_end_no_head(void **state)
{
    (void)state;
    assert_int_equal(look("GET / HTTP/1.1\nHost: a\n\n"), HEAD_INCOMPLETE);
    assert_int_equal(look("GET / HTTP/1.1\r\nHost: a\r\n\n"), HEAD_INCOMPLETE);
}

/* --- How long a head may be. --- */

static char long_head[HEAD_BYTES_MAX + 16];

/* A head of exactly this many bytes. */
static void make_head(size_t size)
{
    static const char begin[] = "GET / HTTP/1.1\r\nX: ";
    memset(long_head, 'x', sizeof long_head);
    memcpy(long_head, begin, strlen(begin));
    memcpy(long_head + size - 4, "\r\n\r\n", 4);
}

static void a_head_of_4096_bytes_is_read(void **state)
{
    (void)state;
    make_head(HEAD_BYTES_MAX);
    assert_int_equal(look_at(long_head, HEAD_BYTES_MAX - 1), HEAD_INCOMPLETE);
    assert_int_equal(look_at(long_head, HEAD_BYTES_MAX), HEAD_HTTP);
}

static void a_head_of_4097_bytes_is_refused_once_4096_are_there(void **state)
{
    (void)state;
    make_head(HEAD_BYTES_MAX + 1);
    assert_int_equal(look_at(long_head, HEAD_BYTES_MAX - 1), HEAD_INCOMPLETE);
    assert_int_equal(look_at(long_head, HEAD_BYTES_MAX), HEAD_REFUSED);
    assert_memory_equal(found.response, "HTTP/1.1 431 ", 13);
}

/* --- How fields are written. --- */

static void names_of_fields_ignore_case(void **state)
{
    (void)state;
    assert_int_equal(
        look(upgrade("GET /ws HTTP/1.1", "uPGRADE: websocket\r\n"
                                         "SEC-WEBSOCKET-KEY: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                         "sec-websocket-version: 13\r\n"
                                         "sec-WebSocket-protocol: quizrush.v1\r\n")),
        HEAD_UPGRADE);
}

static void the_word_websocket_ignores_case(void **state)
{
    (void)state;
    assert_int_equal(look(upgrade("GET /ws HTTP/1.1",
                                  "Upgrade: WebSocket\r\n" KEY "Sec-WebSocket-Version: 13\r\n")),
                     HEAD_UPGRADE);
}

static void spaces_and_tabs_around_values_do_not_count(void **state)
{
    (void)state;
    assert_int_equal(
        look(upgrade("GET /ws HTTP/1.1", "Upgrade:websocket\r\n"
                                         "Sec-WebSocket-Key: \t dGhlIHNhbXBsZSBub25jZQ== \t\r\n"
                                         "Sec-WebSocket-Version:\t13 \r\n"
                                         "Sec-WebSocket-Protocol:quizrush.v1\r\n")),
        HEAD_UPGRADE);
}

static void a_space_before_the_colon_makes_another_field(void **state)
{
    (void)state;
    assert_int_equal(look("GET / HTTP/1.1\r\nUpgrade : websocket\r\n\r\n"), HEAD_HTTP);
}

static void a_folded_line_is_no_field_and_no_part_of_one(void **state)
{
    (void)state;
    expect_refused(upgrade("GET /ws HTTP/1.1",
                           "Upgrade: websocket\r\n" KEY "Sec-WebSocket-Version:\r\n 13\r\n"),
                   "426");
    assert_int_equal(look("GET / HTTP/1.1\r\nX: a\r\n Upgrade: websocket\r\n\r\n"), HEAD_HTTP);
}

static void upgrade_may_be_a_list(void **state)
{
    (void)state;
    assert_int_equal(look(upgrade("GET /ws HTTP/1.1", "Upgrade: h2c, websocket\r\n" KEY
                                                      "Sec-WebSocket-Version: 13\r\n")),
                     HEAD_UPGRADE);
}

static void a_name_in_the_first_line_or_a_value_is_no_field(void **state)
{
    (void)state;
    expect_refused("Upgrade: websocket\r\n\r\n", "400");
    assert_int_equal(look("GET / HTTP/1.1\r\nX: Upgrade: websocket\r\n\r\n"), HEAD_HTTP);
    assert_int_equal(look("GET / HTTP/1.1\r\nXUpgrade: websocket\r\n\r\n"), HEAD_HTTP);
}

/* --- Subprotocols. --- */

static void no_subprotocol_is_ours(void **state)
{
    (void)state;
    assert_int_equal(look(with_protocols("")), HEAD_UPGRADE);
}

static void ours_among_others_is_taken(void **state)
{
    (void)state;
    assert_int_equal(look(with_protocols("Sec-WebSocket-Protocol: chat, quizrush.v1\r\n")),
                     HEAD_UPGRADE);
    assert_int_equal(look(with_protocols("Sec-WebSocket-Protocol: quizrush.v1,chat\r\n")),
                     HEAD_UPGRADE);
    assert_int_equal(look(with_protocols("Sec-WebSocket-Protocol: a ,\tquizrush.v1\t, b\r\n")),
                     HEAD_UPGRADE);
}

static void ours_in_a_later_field_is_taken(void **state)
{
    (void)state;
    assert_int_equal(look(with_protocols("Sec-WebSocket-Protocol: chat\r\nX: y\r\n"
                                         "Sec-WebSocket-Protocol: quizrush.v2\r\n"
                                         "Sec-WebSocket-Protocol: quizrush.v1\r\n")),
                     HEAD_UPGRADE);
}

static void others_only_are_refused(void **state)
{
    (void)state;
    expect_refused(with_protocols("Sec-WebSocket-Protocol: chat\r\n"), "400");
    expect_refused(with_protocols("Sec-WebSocket-Protocol: chat\r\n"
                                  "Sec-WebSocket-Protocol: quizrush.v2, x\r\n"),
                   "400");
    expect_refused(with_protocols("Sec-WebSocket-Protocol: quizrush.v11\r\n"), "400");
    expect_refused(with_protocols("Sec-WebSocket-Protocol: quizrush.v\r\n"), "400");
    expect_refused(with_protocols("Sec-WebSocket-Protocol: quizrush.v1 x\r\n"), "400");
}

static void a_subprotocol_is_exact(void **state)
{
    (void)state;
    expect_refused(with_protocols("Sec-WebSocket-Protocol: Quizrush.v1\r\n"), "400");
}

static void an_empty_list_of_subprotocols_has_none_of_ours(void **state)
{
    (void)state;
    expect_refused(with_protocols("Sec-WebSocket-Protocol:\r\n"), "400");
    expect_refused(with_protocols("Sec-WebSocket-Protocol: ,,\r\n"), "400");
}

/* --- What is refused. --- */

static void an_upgrade_elsewhere_is_not_found(void **state)
{
    (void)state;
    static const char *const fields = "Upgrade: websocket\r\n" KEY "Sec-WebSocket-Version: 13\r\n";
    expect_refused(upgrade("GET / HTTP/1.1", fields), "404");
    expect_refused(upgrade("GET /wss HTTP/1.1", fields), "404");
    expect_refused(upgrade("GET /w HTTP/1.1", fields), "404");
    expect_refused(upgrade("GET /ws/ HTTP/1.1", fields), "404");
}

static void another_version_is_told_ours(void **state)
{
    (void)state;
    expect_refused(
        upgrade("GET /ws HTTP/1.1", "Upgrade: websocket\r\n" KEY "Sec-WebSocket-Version: 8\r\n"),
        "426");
    assert_non_null(strstr(found.response, "\r\nSec-WebSocket-Version: 13\r\n"));
    expect_refused(upgrade("GET /ws HTTP/1.1",
                           "Upgrade: websocket\r\n" KEY "Sec-WebSocket-Version: 13, 8\r\n"),
                   "426");
    expect_refused(
        upgrade("GET /ws HTTP/1.1", "Upgrade: websocket\r\n" KEY "Sec-WebSocket-Version: 013\r\n"),
        "426");
    expect_refused(upgrade("GET /ws HTTP/1.1", "Upgrade: websocket\r\n" KEY), "426");
}

static void a_plain_request_for_ws_is_told_to_upgrade(void **state)
{
    (void)state;
    expect_refused("GET /ws HTTP/1.1\r\nHost: a\r\n\r\n", "426");
    expect_refused("GET /ws?x HTTP/1.1\r\nUpgrade: h2c\r\n\r\n", "426");
}

static void another_method_is_refused(void **state)
{
    (void)state;
    static const char *const fields = "Upgrade: websocket\r\n" KEY "Sec-WebSocket-Version: 13\r\n";
    expect_refused(upgrade("POST /ws HTTP/1.1", fields), "400");
    expect_refused(upgrade("get /ws HTTP/1.1", fields), "400");
}

static void a_first_line_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const fields = "Upgrade: websocket\r\n" KEY "Sec-WebSocket-Version: 13\r\n";
    expect_refused(upgrade("GET  /ws HTTP/1.1", fields), "400");
    expect_refused(upgrade("GET /ws", fields), "400");
    expect_refused(upgrade("GET /ws ", fields), "400");
    expect_refused(upgrade("GET /ws HTTP/1.1 ", fields), "400");
    expect_refused(upgrade("GET /ws HTTP/2.0", fields), "400");
    expect_refused(upgrade("GET", fields), "400");
    expect_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400");
}

static void a_handshake_by_an_older_http_is_refused(void **state)
{
    (void)state;
    expect_refused(
        upgrade("GET /ws HTTP/1.0", "Upgrade: websocket\r\n" KEY "Sec-WebSocket-Version: 13\r\n"),
        "400");
}

static void a_handshake_without_host_or_connection_is_refused(void **state)
{
    (void)state;
    static const char fields[] = "Upgrade: websocket\r\n" KEY "Sec-WebSocket-Version: 13\r\n";
    char text[512];
    (void)snprintf(text, sizeof text, "GET /ws HTTP/1.1\r\nConnection: Upgrade\r\n%s\r\n", fields);
    expect_refused(text, "400");
    (void)snprintf(text, sizeof text, "GET /ws HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
    expect_refused(text, "400");
    (void)snprintf(text, sizeof text, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n",
                   fields);
    expect_refused(text, "400");
    (void)snprintf(text, sizeof text,
                   "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, UPGRADE\r\n%s\r\n",
                   fields);
    assert_int_equal(look(text), HEAD_UPGRADE);
}

static void a_key_that_is_not_base64_is_refused(void **state)
{
    (void)state;
    static const char *const line = "GET /ws HTTP/1.1";
    expect_refused(upgrade(line, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQaa\r\n"),
                   "400");
    expect_refused(upgrade(line, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                 "Sec-WebSocket-Key: dGhl-HNhbXBsZSBub25jZQ==\r\n"),
                   "400");
    expect_refused(upgrade(line, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                 "Sec-WebSocket-Key: dGhl\rHNhbXBsZSBub25jZQ==\r\n"),
                   "400");
}

static void a_key_of_another_length_is_refused(void **state)
{
    (void)state;
    static const char *const line = "GET /ws HTTP/1.1";
    expect_refused(upgrade(line, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"), "400");
    expect_refused(upgrade(line, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n"),
                   "400");
    expect_refused(upgrade(line, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ===\r\n"),
                   "400");
}

static void a_nul_is_refused(void **state)
{
    (void)state;
    char text[sizeof handshake];
    memcpy(text, handshake, sizeof handshake);
    *strstr(text, "Host") = '\0';
    assert_int_equal(look_at(text, strlen(handshake)), HEAD_REFUSED);
    assert_memory_equal(found.response, "HTTP/1.1 400 ", 13);
}

static void the_other_responses_are_whole(void **state)
{
    (void)state;
    assert_memory_equal(head_response_full, "HTTP/1.1 503 ", 13);
    assert_non_null(strstr(head_response_full, "\r\nRetry-After: "));
    assert_string_equal(head_response_full + strlen(head_response_full) - 4, "\r\n\r\n");
    assert_memory_equal(head_response_not_found, "HTTP/1.1 404 ", 13);
    assert_string_equal(head_response_not_found + strlen(head_response_not_found) - 4, "\r\n\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_is_an_upgrade),
        cmocka_unit_test(a_query_behind_the_path_is_fine),
        cmocka_unit_test(a_plain_request_is_left_to_http),
        cmocka_unit_test(another_upgrade_is_a_plain_request),
        cmocka_unit_test(the_first_line_alone_is_a_head),
        cmocka_unit_test(the_length_ends_behind_the_empty_line),
        cmocka_unit_test(a_head_cut_at_any_byte_is_incomplete),
        cmocka_unit_test(lines_that_end_in_a_newline_alone_end_no_head),
        cmocka_unit_test(a_head_of_4096_bytes_is_read),
        cmocka_unit_test(a_head_of_4097_bytes_is_refused_once_4096_are_there),
        cmocka_unit_test(names_of_fields_ignore_case),
        cmocka_unit_test(the_word_websocket_ignores_case),
        cmocka_unit_test(spaces_and_tabs_around_values_do_not_count),
        cmocka_unit_test(a_space_before_the_colon_makes_another_field),
        cmocka_unit_test(a_folded_line_is_no_field_and_no_part_of_one),
        cmocka_unit_test(upgrade_may_be_a_list),
        cmocka_unit_test(a_name_in_the_first_line_or_a_value_is_no_field),
        cmocka_unit_test(no_subprotocol_is_ours),
        cmocka_unit_test(ours_among_others_is_taken),
        cmocka_unit_test(ours_in_a_later_field_is_taken),
        cmocka_unit_test(others_only_are_refused),
        cmocka_unit_test(a_subprotocol_is_exact),
        cmocka_unit_test(an_empty_list_of_subprotocols_has_none_of_ours),
        cmocka_unit_test(an_upgrade_elsewhere_is_not_found),
        cmocka_unit_test(another_version_is_told_ours),
        cmocka_unit_test(a_plain_request_for_ws_is_told_to_upgrade),
        cmocka_unit_test(another_method_is_refused),
        cmocka_unit_test(a_first_line_that_is_none_is_refused),
        cmocka_unit_test(a_handshake_by_an_older_http_is_refused),
        cmocka_unit_test(a_handshake_without_host_or_connection_is_refused),
        cmocka_unit_test(a_key_that_is_not_base64_is_refused),
        cmocka_unit_test(a_key_of_another_length_is_refused),
        cmocka_unit_test(a_nul_is_refused),
        cmocka_unit_test(the_other_responses_are_whole),
    };
    return cmocka_run_group_tests_name("edge/head", tests, NULL, NULL);
}
