#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "load_link.h"

enum { TOKEN = 7, DEADLINE_MS = 5000 };

/* A link and the server's end of it, upgraded. */
static struct link client;
static struct inbox inbox;
static struct prng prng;
static int epoll;
static int server;

static void wait_for(int fd, short what)
{
    struct pollfd poller = {.fd = fd, .events = what};
    assert_int_equal(poll(&poller, 1, DEADLINE_MS), 1);
}

static size_t server_reads(void *bytes, size_t capacity)
{
    wait_for(server, POLLIN);
    ssize_t got = recv(server, bytes, capacity, 0);
    assert_true(got >= 0);
    return (size_t)got;
}

static void server_says(const void *bytes, size_t size)
{
    assert_int_equal(send(server, bytes, size, MSG_NOSIGNAL), size);
}

/* What the server said last. */
static struct link_event next_event(void)
{
    struct epoll_event ready;
    assert_int_equal(epoll_wait(epoll, &ready, 1, DEADLINE_MS), 1);
    assert_int_equal(ready.data.u32, client.token);
    struct link_event event;
    link_receive(&client, ready.events, &inbox);
    link_next(&client, &inbox, &event);
    return event;
}

static void upgrade(void)
{
    char head[1024], answer[512], accept_key[WS_ACCEPT_BYTES + 1];
    struct link_event event = next_event(); /* Connected. */
    assert_int_equal(event.kind, LINK_EVENT_NONE);
    size_t size = server_reads(head, sizeof(head) - 1);
    head[size] = '\0';
    assert_non_null(strstr(head, client.key));
    ws_accept_format(client.key, accept_key);
    int answer_bytes = snprintf(answer, sizeof(answer),
                                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
                                "Sec-WebSocket-Protocol: " WS_SUBPROTOCOL "\r\n\r\n",
                                accept_key);
    server_says(answer, (size_t)answer_bytes);
    event = next_event();
    assert_int_equal(event.kind, LINK_EVENT_OPENED);
}

static int upgraded(void **state)
{
    (void)state;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t address_bytes = sizeof(address);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, address_bytes), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &address_bytes), 0);
    prng_init(&prng, &(struct siphash_key){{7, 0}});
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct link_target target = {(struct sockaddr *)&address,
                                 address_bytes,
                                 "127.0.0.1",
                                 ntohs(address.sin_port),
                                 WS_SUBPROTOCOL_NEEDED,
                                 0,
                                 false};
    assert_int_equal(link_open(&client, &target, epoll, TOKEN, &prng), 0);
    server = accept(listener, NULL, NULL);
    assert_true(server >= 0);
    (void)close(listener); /* It has served. */
    upgrade();
    return 0;
}

static int all_closed(void **state)
{
    (void)state;
    link_drop(&client);
    (void)close(server); /* Nothing is left in either. */
    (void)close(epoll);
    return 0;
}

/* A masked frame from the link, unmasked in place. */
static void expect_frame(enum ws_opcode opcode, const char *payload)
{
    uint8_t bytes[256];
    size_t size = server_reads(bytes, sizeof(bytes)), length = strlen(payload);
    assert_int_equal(size, 2 + WS_MASK_BYTES + length);
    assert_int_equal(bytes[0], 0x80 | opcode);
    assert_int_equal(bytes[1], 0x80 | length);
    uint8_t *text = bytes + 2 + WS_MASK_BYTES;
    for (size_t index = 0; index < length; index++) text[index] ^= bytes[2 + index % WS_MASK_BYTES];
    assert_memory_equal(text, payload, length);
}

static void a_ping_is_answered_with_its_own_payload(void **state)
{
    (void)state;
    server_says("\x89\x04"
                "1234",
                6);
    struct link_event event = next_event();
    assert_int_equal(event.kind, LINK_EVENT_PING);
    expect_frame(WS_PONG, "1234");
}

static void an_empty_ping_has_an_empty_pong(void **state)
{
    (void)state;
    server_says("\x89\x00", 2);
    struct link_event event = next_event();
    assert_int_equal(event.kind, LINK_EVENT_PING);
    expect_frame(WS_PONG, "");
}

static void a_ping_between_fragments_disturbs_none(void **state)
{
    (void)state;
    server_says("\x01\x02"
                "ab"
                "\x89\x01"
                "p"
                "\x80\x02"
                "cd",
                11);
    struct link_event event = next_event();
    assert_int_equal(event.kind, LINK_EVENT_PING);
    link_next(&client, &inbox, &event);
    assert_int_equal(event.kind, LINK_EVENT_TEXT);
    assert_int_equal(event.text_bytes, 4);
    assert_memory_equal(event.text, "abcd", 4);
}

static void a_pong_that_nobody_asked_for_is_no_event(void **state)
{
    (void)state;
    server_says("\x8a\x01p", 3);
    struct link_event event = next_event();
    assert_int_equal(event.kind, LINK_EVENT_NONE);
    assert_int_equal(client.state, LINK_OPEN);
}

static void a_link_that_is_lost_by_fin_just_ends(void **state)
{
    (void)state;
    link_lose(&client, LINK_LOSS_FIN);
    char byte;
    assert_int_equal(server_reads(&byte, 1), 0);
}

static void a_link_that_is_lost_by_rst_is_reset(void **state)
{
    (void)state;
    link_lose(&client, LINK_LOSS_RST);
    char byte;
    wait_for(server, POLLIN);
    assert_int_equal(recv(server, &byte, 1, 0), -1);
}

static void a_renamed_link_is_told_by_its_new_name(void **state)
{
    (void)state;
    link_rename(&client, 8);
    server_says("\x81\x01x", 3);
    struct link_event event = next_event();
    assert_int_equal(event.kind, LINK_EVENT_TEXT);
}

static void what_is_read_slowly_comes_in_bites_when_it_is_wanted(void **state)
{
    (void)state;
    struct link_event event;
    struct epoll_event ready;
    link_slow_down(&client, 2);
    server_says("\x81\x02hi", 4);
    wait_for(client.fd, POLLIN);
    assert_int_equal(epoll_wait(epoll, &ready, 1, 0), 0);
    link_receive(&client, EPOLLIN, &inbox);
    link_next(&client, &inbox, &event);
    assert_int_equal(event.kind, LINK_EVENT_NONE);
    link_receive(&client, EPOLLIN, &inbox);
    link_next(&client, &inbox, &event);
    assert_int_equal(event.kind, LINK_EVENT_TEXT);
}

static void who_reads_slowly_hears_of_the_end_at_once(void **state)
{
    (void)state;
    link_slow_down(&client, 1);
    server_says("\x81\x02hi", 4);
    (void)close(server); /* The end is what is tested. */
    server = -1;
    struct epoll_event ready;
    assert_int_equal(epoll_wait(epoll, &ready, 1, DEADLINE_MS), 1);
    assert_true((ready.events & EPOLLRDHUP) != 0);
    link_slow_down(&client, 0);
    assert_int_equal(next_event().kind, LINK_EVENT_TEXT);
}

static void who_wants_room_is_told_of_it_again_and_again(void **state)
{
    (void)state;
    struct epoll_event ready;
    assert_int_equal(epoll_wait(epoll, &ready, 1, 0), 0);
    link_want_room(&client);
    assert_int_equal(epoll_wait(epoll, &ready, 1, DEADLINE_MS), 1);
    assert_int_equal(epoll_wait(epoll, &ready, 1, DEADLINE_MS), 1);
    assert_true(link_has_room(&client));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, upgraded, all_closed)
    const struct CMUnitTest tests[] = {
        TEST(a_ping_is_answered_with_its_own_payload),
        TEST(an_empty_ping_has_an_empty_pong),
        TEST(a_ping_between_fragments_disturbs_none),
        TEST(a_pong_that_nobody_asked_for_is_no_event),
        TEST(a_link_that_is_lost_by_fin_just_ends),
        TEST(a_link_that_is_lost_by_rst_is_reset),
        TEST(a_renamed_link_is_told_by_its_new_name),
        cmocka_unit_test_setup_teardown(what_is_read_slowly_comes_in_bites_when_it_is_wanted,
                                        upgraded, all_closed),
        cmocka_unit_test_setup_teardown(who_reads_slowly_hears_of_the_end_at_once, upgraded,
                                        all_closed),
        cmocka_unit_test_setup_teardown(who_wants_room_is_told_of_it_again_and_again, upgraded,
                                        all_closed),
    };
    return cmocka_run_group_tests_name("load_link", tests, NULL, NULL);
}
