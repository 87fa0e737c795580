/* Plain requests, and what of a head is passed on to libwebsockets.
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

#define HANDSHAKE                                                                                  \
    "Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"        \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static struct head_found found; /* By the last look. */

static enum head_verdict look_by(struct head_rules rules, const char *text)
{
    found = (struct head_found){0};
    return head_look(&rules, text, strlen(text), &found);
}

static enum head_verdict look(const char *text)
{
    return look_by((struct head_rules){.path = "/ws"}, text);
}

static void expect_refused(const char *text, const char *status)
{
    assert_int_equal(look(text), HEAD_REFUSED);
    assert_memory_equal(found.response + strlen("HTTP/1.1 "), status, 3);
}

static void a_plain_request_by_another_method_is_refused(void **state)
{
    (void)state;
    expect_refused("POST /elsewhere HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "405");
    assert_non_null(strstr(found.response, "\r\nAllow: GET, HEAD\r\n"));
    expect_refused("get / HTTP/1.1\r\n\r\n", "405");
    expect_refused("OPTIONS * HTTP/1.1\r\n\r\n", "405");
    expect_refused("CONNECT a:80 HTTP/1.1\r\n\r\n", "405");
}

static void a_path_with_characters_that_nothing_here_has_is_not_found(void **state)
{
    (void)state;
    expect_refused("GET /a%00b HTTP/1.1\r\n\r\n", "404");
    expect_refused("GET /a\rb HTTP/1.1\r\n\r\n", "400");
    expect_refused("GET a HTTP/1.1\r\n\r\n", "404");
    expect_refused("GET http://a/ HTTP/1.1\r\n\r\n", "404");
    expect_refused("GET ? HTTP/1.1\r\n\r\n", "404");
}

static void of_a_handshake_only_the_key_and_our_subprotocol_are_passed_on(void **state)
{
    (void)state;
    static const char forwarded[] =
        "GET /ws HTTP/1.1\r\nHost: quizrush\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    static const char with_subprotocol[] =
        "GET /ws HTTP/1.1\r\nHost: quizrush\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Protocol: quizrush.v1\r\n\r\n";
    assert_int_equal(look("GET /ws?q HTTP/1.1\r\nX: y\r\nCookie: z\r\n" HANDSHAKE "\r\n"),
                     HEAD_UPGRADE);
    assert_string_equal(found.forwarded, forwarded);
    assert_int_equal(
        look("GET /ws HTTP/1.1\r\n" HANDSHAKE "Sec-WebSocket-Protocol: a, quizrush.v1\r\n\r\n"),
        HEAD_UPGRADE);
    assert_string_equal(found.forwarded, with_subprotocol);
}

static void of_a_plain_request_only_method_and_path_are_passed_on(void **state)
{
    (void)state;
    assert_int_equal(look("GET /app.js?v=1 HTTP/1.0\r\nX: y\r\nContent-Length: 9\r\n\r\n"),
                     HEAD_HTTP);
    assert_string_equal(found.forwarded,
                        "GET /app.js HTTP/1.1\r\nHost: quizrush\r\nConnection: close\r\n\r\n");
    assert_int_equal(look("HEAD / HTTP/1.1\r\n\r\n"), HEAD_HTTP);
    assert_string_equal(found.forwarded,
                        "HEAD / HTTP/1.1\r\nHost: quizrush\r\nConnection: close\r\n\r\n");
}

static void the_longest_path_is_passed_on_and_a_longer_one_not_found(void **state)
{
    (void)state;
    char text[HEAD_PATH_BYTES_MAX + 64], path[HEAD_PATH_BYTES_MAX + 2];
    memset(path, 'a', sizeof path);
    path[0] = '/';
    (void)snprintf(text, sizeof text, "HEAD %.*s HTTP/1.1\r\n\r\n", HEAD_PATH_BYTES_MAX, path);
    assert_int_equal(look(text), HEAD_HTTP);
    assert_in_range(strlen(found.forwarded), HEAD_PATH_BYTES_MAX, HEAD_FORWARDED_BYTES_MAX - 2);
    (void)snprintf(text, sizeof text, "HEAD %.*s HTTP/1.1\r\n\r\n", HEAD_PATH_BYTES_MAX + 1, path);
    expect_refused(text, "404");
}

static void other_rules_have_another_path_and_take_other_subprotocols(void **state)
{
    (void)state;
    static const struct head_rules rules = {.path = "/", .takes_other_subprotocols = true};
    assert_int_equal(
        look_by(rules, "GET / HTTP/1.1\r\n" HANDSHAKE "Sec-WebSocket-Protocol: chat\r\n\r\n"),
        HEAD_UPGRADE);
    assert_null(strstr(found.forwarded, "Protocol"));
    assert_int_equal(look_by(rules, "GET /ws HTTP/1.1\r\n" HANDSHAKE "\r\n"), HEAD_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_request_by_another_method_is_refused),
        cmocka_unit_test(a_path_with_characters_that_nothing_here_has_is_not_found),
        cmocka_unit_test(of_a_handshake_only_the_key_and_our_subprotocol_are_passed_on),
        cmocka_unit_test(of_a_plain_request_only_method_and_path_are_passed_on),
        cmocka_unit_test(the_longest_path_is_passed_on_and_a_longer_one_not_found),
        cmocka_unit_test(other_rules_have_another_path_and_take_other_subprotocols),
    };
    return cmocka_run_group_tests_name("edge/head_forwarded", tests, NULL, NULL);
}
