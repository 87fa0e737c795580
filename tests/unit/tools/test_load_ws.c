#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "load_ws.h"

#define KEY    "dGhlIHNhbXBsZSBub25jZQ==" /* RFC 6455, 1.3. */
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static const char *reason;

static enum ws_result read_answer(const char *text, size_t *ret_head_bytes)
{
    reason = NULL;
    return ws_upgrade_read((const uint8_t *)text, strlen(text), KEY, WS_SUBPROTOCOL_NEEDED,
                           ret_head_bytes, &reason);
}

static enum ws_result read_frame(const void *bytes, size_t size, struct ws_frame *ret_frame)
{
    reason = NULL;
    return ws_frame_read(bytes, size, ret_frame, &reason);
}

static void expect_broken(const void *bytes, size_t size, const char *why)
{
    struct ws_frame frame;
    assert_int_equal(read_frame(bytes, size, &frame), WS_BROKEN);
    assert_string_equal(reason, why);
}

#define GOOD_HEAD                                                                                  \
    "HTTP/1.1 101 Switching Protocols\r\n"                                                         \
    "upgrade: websocket\r\n"                                                                       \
    "Connection:  Upgrade \r\n"                                                                    \
    "Sec-WebSocket-Accept: " ACCEPT "\r\n"

/* --- The handshake. --- */

static void a_key_has_the_answer_of_the_rfc(void **state)
{
    (void)state;
    char accept[WS_ACCEPT_BYTES + 1];
    ws_accept_format(KEY, accept);
    assert_string_equal(accept, ACCEPT);
}

static void a_nonce_becomes_a_key_of_24_characters(void **state)
{
    (void)state;
    char key[WS_KEY_BYTES + 1];
    ws_key_format((const uint8_t *)"the sample nonce", key);
    assert_string_equal(key, KEY);
}

static void an_upgrade_that_does_not_fit_is_not_written(void **state)
{
    (void)state;
    char text[300];
    size_t size = ws_upgrade_write(text, sizeof(text), "127.0.0.1", 8080, KEY);
    assert_in_range(size, 1, sizeof(text) - 1);
    assert_int_equal(ws_upgrade_write(text, size, "127.0.0.1", 8080, KEY), 0);
    assert_int_equal(ws_upgrade_write(text, size + 1, "127.0.0.1", 8080, KEY), size);
}

static void an_ipv6_host_stands_in_brackets(void **state)
{
    (void)state;
    char text[300];
    assert_int_not_equal(ws_upgrade_write(text, sizeof(text), "::1", 8080, KEY), 0);
    assert_non_null(strstr(text, "Host: [::1]:8080\r\n"));
}

static void a_proper_upgrade_is_taken_up_to_its_end(void **state)
{
    (void)state;
    size_t head_bytes = 0;
    const char *text = GOOD_HEAD "Sec-WebSocket-Protocol: quizrush.v1\r\n\r\nfirst frame";
    assert_int_equal(read_answer(text, &head_bytes), WS_DONE);
    assert_string_equal(text + head_bytes, "first frame");
}

static void half_an_upgrade_needs_more(void **state)
{
    (void)state;
    size_t head_bytes;
    assert_int_equal(read_answer(GOOD_HEAD, &head_bytes), WS_MORE);
}

static void an_upgrade_without_the_subprotocol_is_broken(void **state)
{
    (void)state;
    size_t head_bytes;
    assert_int_equal(read_answer(GOOD_HEAD "\r\n", &head_bytes), WS_BROKEN);
    assert_string_equal(reason, "the subprotocol was not taken");
}

static void an_upgrade_with_an_extension_is_broken(void **state)
{
    (void)state;
    size_t head_bytes;
    assert_int_equal(read_answer(GOOD_HEAD "Sec-WebSocket-Protocol: quizrush.v1\r\n"
                                           "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
                                 &head_bytes),
                     WS_BROKEN);
    assert_string_equal(reason, "an extension that nobody offered");
}

static void an_upgrade_for_another_key_is_broken(void **state)
{
    (void)state;
    size_t head_bytes;
    assert_int_equal(read_answer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                 "Connection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n",
                                 &head_bytes),
                     WS_BROKEN);
    assert_string_equal(reason, "Sec-WebSocket-Accept does not fit the key");
}

static void a_refused_upgrade_is_broken(void **state)
{
    (void)state;
    size_t head_bytes;
    assert_int_equal(read_answer("HTTP/1.1 400 Bad Request\r\n\r\n", &head_bytes), WS_BROKEN);
    assert_string_equal(reason, "the upgrade was refused");
}

static void a_lenient_client_needs_no_subprotocol(void **state)
{
    (void)state;
    static const char head[] = GOOD_HEAD "\r\n";
    size_t head_bytes;
    assert_int_equal(read_answer(head, &head_bytes), WS_BROKEN);
    assert_int_equal(ws_upgrade_read((const uint8_t *)head, sizeof(head) - 1, KEY,
                                     WS_SUBPROTOCOL_OPTIONAL, &head_bytes, &reason),
                     WS_DONE);
}

static void an_endless_upgrade_is_broken(void **state)
{
    (void)state;
    static uint8_t bytes[WS_HEAD_BYTES_MAX];
    memset(bytes, 'x', sizeof(bytes));
    size_t head_bytes;
    assert_int_equal(
        ws_upgrade_read(bytes, sizeof(bytes), KEY, WS_SUBPROTOCOL_NEEDED, &head_bytes, &reason),
        WS_BROKEN);
}

/* --- Frames out. --- */

static void a_written_frame_is_final_masked_and_the_rfcs(void **state)
{
    (void)state;
    /* RFC 6455, 5.7: a masked "Hello". */
    const uint8_t expected[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
    const uint8_t mask[WS_MASK_BYTES] = {0x37, 0xfa, 0x21, 0x3d};
    uint8_t out[64];
    assert_int_equal(ws_frame_write(out, sizeof(out), WS_TEXT, "Hello", 5, mask), sizeof(expected));
    assert_memory_equal(out, expected, sizeof(expected));
}

static size_t header_bytes_for(size_t payload_bytes)
{
    static const uint8_t payload[WS_MESSAGE_BYTES_MAX];
    static uint8_t out[WS_MESSAGE_BYTES_MAX + WS_HEADER_BYTES_MAX];
    const uint8_t mask[WS_MASK_BYTES] = {0};
    return ws_frame_write(out, sizeof(out), WS_TEXT, payload, payload_bytes, mask) - payload_bytes;
}

static void lengths_are_written_in_as_few_bytes_as_they_need(void **state)
{
    (void)state;
    assert_int_equal(header_bytes_for(125), 2 + WS_MASK_BYTES);
    assert_int_equal(header_bytes_for(126), 4 + WS_MASK_BYTES);
    assert_int_equal(header_bytes_for(65535), 4 + WS_MASK_BYTES);
    assert_int_equal(header_bytes_for(65536), 10 + WS_MASK_BYTES);
}

static void a_frame_needs_room_for_the_longest_header(void **state)
{
    (void)state;
    uint8_t out[8];
    const uint8_t mask[WS_MASK_BYTES] = {0};
    expect_assert_failure(ws_frame_write(out, sizeof(out), WS_TEXT, "x", 1, mask));
}

/* --- Frames in. --- */

static void a_short_frame_is_read(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x81, 0x02, 'h', 'i', 0x89};
    struct ws_frame frame;
    assert_int_equal(read_frame(bytes, sizeof(bytes), &frame), WS_DONE);
    assert_int_equal(frame.opcode, WS_TEXT);
    assert_true(frame.is_final);
    assert_int_equal(frame.payload_bytes, 2);
    assert_memory_equal(frame.payload, "hi", 2);
    assert_int_equal(frame.frame_bytes, 4);
}

static void a_frame_needs_more_until_its_last_byte(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x81, 0x7e, 0x00, 0x7e};
    struct ws_frame frame;
    assert_int_equal(read_frame(bytes, 0, &frame), WS_MORE);
    assert_int_equal(read_frame(bytes, 1, &frame), WS_MORE);
    assert_int_equal(read_frame(bytes, 3, &frame), WS_MORE);
    assert_int_equal(read_frame(bytes, 4, &frame), WS_MORE);
}

static void what_a_server_must_not_send_is_broken(void **state)
{
    (void)state;
    expect_broken("\x81\x80\0\0\0\0", 6, "a masked frame from the server");
    expect_broken("\xc1\x00", 2, "reserved bits");
    expect_broken("\x83\x00", 2, "a reserved opcode");
    expect_broken("\x8b\x00", 2, "a reserved opcode");
    expect_broken("\x09\x00", 2, "a fragmented control frame");
    expect_broken("\x89\x7e\x00\x7e", 4, "a control frame that is too long");
    expect_broken("\x81\x7e\x00\x7d", 4, "a length in more bytes than it needs");
    expect_broken("\x81\x7f\0\0\0\0\0\0\xff\xff", 10, "a length in more bytes than it needs");
    expect_broken("\x81\x7f\0\0\0\0\0\x01\0\x01", 10, "a frame that is too long");
}

/* --- The close frame. --- */

static bool read_close(const char *payload, size_t size, uint16_t *ret_code)
{
    struct ws_frame frame = {
        .opcode = WS_CLOSE, .payload = (const uint8_t *)payload, .payload_bytes = size};
    return ws_close_read(&frame, ret_code);
}

static void a_close_frame_has_a_code_or_nothing(void **state)
{
    (void)state;
    uint16_t code;
    assert_true(read_close("\x03\xe8"
                           "bye",
                           5, &code));
    assert_int_equal(code, 1000);
    assert_true(read_close("\x0f\xa9", 2, &code));
    assert_int_equal(code, 4009);
    assert_true(read_close("", 0, &code));
    assert_int_equal(code, 1005);
}

static void broken_close_frames_are_seen(void **state)
{
    (void)state;
    uint16_t code;
    assert_false(read_close("\x03", 1, &code));
    assert_false(read_close("\x03\xee", 2, &code)); /* 1006. */
    assert_false(read_close("\x03\xe7", 2, &code)); /* 999. */
    assert_false(read_close("\x13\x88", 2, &code)); /* 5000. */
    assert_false(read_close("\x03\xe8\xff", 3, &code));
}

/* --- UTF-8. --- */

static bool is_utf8(const char *text)
{
    return ws_is_utf8((const uint8_t *)text, strlen(text));
}

static void utf8_is_taken(void **state)
{
    (void)state;
    assert_true(is_utf8(""));
    assert_true(is_utf8("plain"));
    assert_true(is_utf8("\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xef\xbf\xbf"));
    assert_true(is_utf8("\xed\x9f\xbf \xee\x80\x80 \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"));
}

static void what_is_not_utf8_is_seen(void **state)
{
    (void)state;
    assert_false(is_utf8("\x80"));
    assert_false(is_utf8("plain, and behind that \x80 not"));
    assert_true(is_utf8("plain, and behind that \xc2\x80 too"));
    assert_false(is_utf8("\xc1\xbf"));
    assert_false(is_utf8("\xe0\x9f\xbf"));
    assert_false(is_utf8("\xed\xa0\x80"));
    assert_false(is_utf8("\xf0\x8f\xbf\xbf"));
    assert_false(is_utf8("\xf4\x90\x80\x80"));
    assert_false(is_utf8("\xf8\x88\x80\x80\x80"));
    assert_false(is_utf8("cut \xe2\x82"));
    assert_false(is_utf8("\xe2 \x82\xac"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_has_the_answer_of_the_rfc),
        cmocka_unit_test(a_nonce_becomes_a_key_of_24_characters),
        cmocka_unit_test(an_upgrade_that_does_not_fit_is_not_written),
        cmocka_unit_test(an_ipv6_host_stands_in_brackets),
        cmocka_unit_test(a_proper_upgrade_is_taken_up_to_its_end),
        cmocka_unit_test(half_an_upgrade_needs_more),
        cmocka_unit_test(an_upgrade_without_the_subprotocol_is_broken),
        cmocka_unit_test(an_upgrade_with_an_extension_is_broken),
        cmocka_unit_test(an_upgrade_for_another_key_is_broken),
        cmocka_unit_test(a_refused_upgrade_is_broken),
        cmocka_unit_test(a_lenient_client_needs_no_subprotocol),
        cmocka_unit_test(an_endless_upgrade_is_broken),
        cmocka_unit_test(a_written_frame_is_final_masked_and_the_rfcs),
        cmocka_unit_test(lengths_are_written_in_as_few_bytes_as_they_need),
        cmocka_unit_test(a_frame_needs_room_for_the_longest_header),
        cmocka_unit_test(a_short_frame_is_read),
        cmocka_unit_test(a_frame_needs_more_until_its_last_byte),
        cmocka_unit_test(what_a_server_must_not_send_is_broken),
        cmocka_unit_test(a_close_frame_has_a_code_or_nothing),
        cmocka_unit_test(broken_close_frames_are_seen),
        cmocka_unit_test(utf8_is_taken),
        cmocka_unit_test(what_is_not_utf8_is_seen),
    };
    return cmocka_run_group_tests_name("load_ws", tests, NULL, NULL);
}
