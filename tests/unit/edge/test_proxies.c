/* Which proxies are trusted: what a list may say, and whom it covers. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "edge/proxies.h"

static struct proxies parse(const char *text)
{
    struct proxies proxies;
    struct proxies_problem problem = {""};
    if (!proxies_parse(text, &proxies, &problem)) fail_msg("%s: %s", text, problem.text);
    return proxies;
}

static void expect_refused(const char *text, const char *why)
{
    struct proxies proxies = {.count = 7};
    struct proxies before = proxies;
    struct proxies_problem problem = {""};
    assert_false(proxies_parse(text, &proxies, &problem));
    assert_string_equal(problem.text, why);
    assert_memory_equal(&proxies, &before, sizeof proxies);
}

static struct sockaddr_storage peer(const char *address)
{
    struct sockaddr_storage storage = {.ss_family = AF_UNSPEC};
    struct sockaddr_in ipv4 = {.sin_family = AF_INET};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, address, &ipv4.sin_addr) == 1) {
        memcpy(&storage, &ipv4, sizeof ipv4);
    } else {
        assert_int_equal(inet_pton(AF_INET6, address, &ipv6.sin6_addr), 1);
        memcpy(&storage, &ipv6, sizeof ipv6);
    }
    return storage;
}

static bool has(const char *list, const char *address)
{
    struct proxies proxies = parse(list);
    struct sockaddr_storage storage = peer(address);
    return proxies_has(&proxies, &storage);
}

/* --- Whom a list covers. --- */

static void an_empty_list_covers_nobody(void **state)
{
    (void)state;
    assert_int_equal(parse("").count, 0);
    assert_int_equal(parse("  ").count, 0);
    assert_false(has("", "127.0.0.1"));
    assert_false(has("", "::1"));
}

static void an_address_covers_itself_only(void **state)
{
    (void)state;
    assert_true(has("10.0.0.1", "10.0.0.1"));
    assert_false(has("10.0.0.1", "10.0.0.0"));
    assert_false(has("10.0.0.1", "10.0.0.3"));
    assert_true(has("2001:db8::1", "2001:db8::1"));
    assert_false(has("2001:db8::1", "2001:db8::"));
}

static void a_range_covers_its_first_to_its_last(void **state)
{
    (void)state;
    assert_false(has("10.0.0.0/8", "9.255.255.255"));
    assert_true(has("10.0.0.0/8", "10.0.0.0"));
    assert_true(has("10.0.0.0/8", "10.255.255.255"));
    assert_false(has("10.0.0.0/8", "11.0.0.0"));
    assert_true(has("2001:db8::/32", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"));
    assert_false(has("2001:db8::/32", "2001:db9::"));
}

static void a_prefix_may_end_within_a_byte(void **state)
{
    (void)state;
    assert_false(has("172.16.0.0/12", "172.15.255.255"));
    assert_true(has("172.16.0.0/12", "172.31.255.255"));
    assert_false(has("172.16.0.0/12", "172.32.0.0"));
    assert_true(has("fe80::/10", "febf::1"));
    assert_false(has("fe80::/10", "fec0::1"));
    assert_true(has("192.0.2.6/31", "192.0.2.7"));
    assert_false(has("192.0.2.6/31", "192.0.2.8"));
}

static void a_prefix_of_nothing_covers_its_family(void **state)
{
    (void)state;
    assert_true(has("0.0.0.0/0", "203.0.113.9"));
    assert_false(has("0.0.0.0/0", "2001:db8::1"));
    assert_true(has("::/0", "2001:db8::1"));
}

static void ipv4_through_an_ipv6_socket_is_ipv4(void **state)
{
    (void)state;
    assert_true(has("10.0.0.0/8", "::ffff:10.1.2.3"));
    assert_false(has("10.0.0.0/8", "::ffff:11.1.2.3"));
    assert_true(has("::ffff:10.0.0.0/104", "10.1.2.3"));
    assert_true(has("::/0", "10.1.2.3"));
}

static void each_item_of_a_list_counts(void **state)
{
    (void)state;
    const char *list = "10.0.0.1, 192.168.0.0/16 ,2001:db8::/32";
    assert_int_equal(parse(list).count, 3);
    assert_true(has(list, "10.0.0.1"));
    assert_true(has(list, "192.168.7.7"));
    assert_true(has(list, "2001:db8::7"));
    assert_false(has(list, "10.0.0.2"));
}

static void another_family_is_in_no_range(void **state)
{
    (void)state;
    struct proxies proxies = parse("0.0.0.0/0, ::/0");
    struct sockaddr_storage local = {.ss_family = AF_UNIX};
    assert_false(proxies_has(&proxies, &local));
}

/* --- What is refused. --- */

static void an_item_that_is_no_address_is_named(void **state)
{
    (void)state;
    expect_refused("10.0.0.1, proxy.example, 10.0.0.2",
                   "\"proxy.example\" is not an IPv4 or IPv6 address, or a range of them");
    expect_refused("10.0.0.256", "\"10.0.0.256\" is not an IPv4 or IPv6 address, or a range of"
                                 " them");
    expect_refused("10.1", "\"10.1\" is not an IPv4 or IPv6 address, or a range of them");
    expect_refused("/8", "\"/8\" is not an IPv4 or IPv6 address, or a range of them");
    expect_refused("10.0.0.1 10.0.0.2",
                   "\"10.0.0.1 10.0.0.2\" is not an IPv4 or IPv6 address, or a range of them");
    expect_refused("fe80::1%eth0",
                   "\"fe80::1%eth0\" is not an IPv4 or IPv6 address, or a range of them");
}

static void a_wrong_prefix_is_named(void **state)
{
    (void)state;
    expect_refused("10.0.0.0/33", "\"10.0.0.0/33\" has a prefix that is no number from 0 to 32");
    expect_refused("::/129", "\"::/129\" has a prefix that is no number from 0 to 128");
    expect_refused("::/1000", "\"::/1000\" has a prefix that is no number from 0 to 128");
    expect_refused("10.0.0.0/", "\"10.0.0.0/\" has a prefix that is no number from 0 to 32");
    expect_refused("10.0.0.0/+8", "\"10.0.0.0/+8\" has a prefix that is no number from 0 to 32");
    expect_refused("10.0.0.0/08", "\"10.0.0.0/08\" has a prefix that is no number from 0 to 32");
    expect_refused("10.0.0.0/8/8", "\"10.0.0.0/8/8\" has a prefix that is no number from 0 to 32");
    expect_refused("10.0.0.0 /8", "\"10.0.0.0 /8\" is not an IPv4 or IPv6 address, or a range of"
                                  " them");
}

static void bits_behind_the_prefix_are_refused(void **state)
{
    (void)state;
    expect_refused("10.0.0.1/8", "\"10.0.0.1/8\" has bits behind its prefix");
    expect_refused("2001:db8::1/64", "\"2001:db8::1/64\" has bits behind its prefix");
    expect_refused("0.0.0.1/0", "\"0.0.0.1/0\" has bits behind its prefix");
}

static void an_empty_item_is_refused(void **state)
{
    (void)state;
    expect_refused(",", "\"\" is empty: each item is an address or a range");
    expect_refused("10.0.0.1,", "\"\" is empty: each item is an address or a range");
    expect_refused("10.0.0.1, ,10.0.0.2", "\"\" is empty: each item is an address or a range");
}

static void what_is_longer_than_any_address_is_refused(void **state)
{
    (void)state;
    expect_refused("1111111111111111111111111111111111111111111111111111111111111111111111111",
                   "\"1111111111111111111111111111111111111111111111111111111111111111\" is not an"
                   " IPv4 or IPv6 address, or a range of them");
}

static void one_item_more_than_the_most_is_refused(void **state)
{
    (void)state;
    char list[PROXIES_MAX * 4 + 16] = "";
    for (unsigned i = 0; i < PROXIES_MAX; i++) (void)strcat(list, i == 0 ? "::" : ",::");
    assert_int_equal(parse(list).count, PROXIES_MAX);
    (void)strcat(list, ", 10.0.0.1");
    expect_refused(list, "\"10.0.0.1\" is one more than the most, 32");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_list_covers_nobody),
        cmocka_unit_test(an_address_covers_itself_only),
        cmocka_unit_test(a_range_covers_its_first_to_its_last),
        cmocka_unit_test(a_prefix_may_end_within_a_byte),
        cmocka_unit_test(a_prefix_of_nothing_covers_its_family),
        cmocka_unit_test(ipv4_through_an_ipv6_socket_is_ipv4),
        cmocka_unit_test(each_item_of_a_list_counts),
        cmocka_unit_test(another_family_is_in_no_range),
        cmocka_unit_test(an_item_that_is_no_address_is_named),
        cmocka_unit_test(a_wrong_prefix_is_named),
        cmocka_unit_test(bits_behind_the_prefix_are_refused),
        cmocka_unit_test(an_empty_item_is_refused),
        cmocka_unit_test(what_is_longer_than_any_address_is_refused),
        cmocka_unit_test(one_item_more_than_the_most_is_refused),
    };
    return cmocka_run_group_tests_name("edge/proxies", tests, NULL, NULL);
}
