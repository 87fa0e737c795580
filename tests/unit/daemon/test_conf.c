/* What a key may be set to, what the keys and the machine say together, and the exact words of each
 * refusal. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/conf.h"

static struct conf defaults(void)
{
    struct conf conf;
    conf_init(&conf);
    return conf;
}

static struct conf set(const char *assignment)
{
    struct conf conf = defaults();
    struct conf_problem problem = {""};
    if (!conf_set(&conf, assignment, &problem)) fail_msg("%s", problem.text);
    return conf;
}

static struct conf set_both(const char *one, const char *other)
{
    struct conf conf = set(one);
    struct conf_problem problem = {""};
    if (!conf_set(&conf, other, &problem)) fail_msg("%s", problem.text);
    return conf;
}

static void expect_set_refused(const char *assignment, const char *message)
{
    struct conf conf = defaults();
    struct conf before = conf;
    struct conf_problem problem = {""};
    assert_false(conf_set(&conf, assignment, &problem));
    assert_string_equal(problem.text, message);
    assert_memory_equal(&conf, &before, sizeof(conf));
}

static void expect_resolve_refused(struct conf conf, uint64_t files_max, const char *message)
{
    struct conf before = conf;
    struct conf_problem problem = {""};
    assert_false(conf_resolve(&conf, files_max, 2, &problem));
    assert_string_equal(problem.text, message);
    assert_memory_equal(&conf, &before, sizeof(conf));
}

static struct conf resolve(struct conf conf, uint64_t files_max, unsigned cores)
{
    struct conf_problem problem = {""};
    if (!conf_resolve(&conf, files_max, cores, &problem)) fail_msg("%s", problem.text);
    return conf;
}

static void a_value_at_a_bound_counts(void **state)
{
    (void)state;
    assert_int_equal(set("round_time_ms=600").round_time_ms, 600);
    assert_int_equal(set("round_time_ms=120000").round_time_ms, 120000);
}

static void a_value_beyond_a_bound_is_refused_with_bounds_and_meaning(void **state)
{
    (void)state;
    expect_set_refused("round_time_ms=599",
                       "--set: round_time_ms: 599 is below the least, 600 (600 to "
                       "120000; how long players may think)");
    expect_set_refused("round_time_ms=120001",
                       "--set: round_time_ms: 120001 is above the most, 120000 (600 to "
                       "120000; how long players may think)");
    expect_set_refused("round_time_ms=99999999999999999999999999",
                       "--set: round_time_ms: 99999999999999999999999999 is above the "
                       "most, 120000 (600 to 120000; how long players may think)");
}

static void what_is_no_whole_number_is_refused(void **state)
{
    (void)state;
    expect_set_refused("workers=four",
                       "--set: workers: \"four\" is not a whole number (0 to 64; event "
                       "loops, one thread each; 0: one per core)");
    expect_set_refused("workers=-1", "--set: workers: \"-1\" is not a whole number (0 to 64; event "
                                     "loops, one thread each; 0: one per core)");
    expect_set_refused("workers=1.5",
                       "--set: workers: \"1.5\" is not a whole number (0 to 64; event "
                       "loops, one thread each; 0: one per core)");
    expect_set_refused("workers=0x10",
                       "--set: workers: \"0x10\" is not a whole number (0 to 64; event "
                       "loops, one thread each; 0: one per core)");
    expect_set_refused("workers=", "--set: workers: \"\" is not a whole number (0 to 64; event "
                                   "loops, one thread each; 0: one per core)");
    expect_set_refused("workers= 4", "--set: workers: \" 4\" is not a whole number (0 to 64; event "
                                     "loops, one thread each; 0: one per core)");
}

static void a_mailbox_is_a_power_of_two(void **state)
{
    (void)state;
    assert_int_equal(set("mailbox_bytes=65536").mailbox_bytes, 65536);
    expect_set_refused("mailbox_bytes=65537",
                       "--set: mailbox_bytes: 65537 is not a power of two (65536 to "
                       "16777216; bytes that wait from one worker to another, for each pair and "
                       "direction)");
}

static void a_match_queue_below_the_least_is_refused_with_the_arithmetic(void **state)
{
    (void)state;
    expect_set_refused("match_queue_slots=15",
                       "--set: match_queue_slots: 15 is below the least, 16 (16 to "
                       "1024; events that wait in one match: 12 slots are the server's own, and "
                       "each of the 2 players needs 2)");
}

static void an_address_is_numeric(void **state)
{
    (void)state;
    expect_set_refused("address=localhost",
                       "--set: address: \"localhost\" is not an IPv4 or IPv6 address "
                       "(where players connect; `::` is IPv6 and, on most systems, IPv4 too)");
    expect_set_refused("address=10.0.0.256",
                       "--set: address: \"10.0.0.256\" is not an IPv4 or IPv6 address "
                       "(where players connect; `::` is IPv6 and, on most systems, IPv4 too)");
}

static void a_choice_that_is_none_is_refused(void **state)
{
    (void)state;
    expect_set_refused("log_level=loud",
                       "--set: log_level: \"loud\" is not `error`, `warning`, `info` "
                       "or `debug` (which log lines are written: these and graver ones)");
}

static void a_store_is_sqlite_or_none_or_a_uri_without_a_password(void **state)
{
    (void)state;
    struct conf conf = set("store=postgresql://ada@db.example.org/quiz?sslmode=require");
    assert_string_equal(conf.store, "postgresql://ada@db.example.org/quiz?sslmode=require");
    conf = set("store=none");
    assert_string_equal(conf.store, "none");
    expect_set_refused("store=postgres",
                       "--set: store: neither sqlite nor none nor a URI postgresql://..."
                       " (which database keeps players, ratings and results)");
    expect_set_refused("store=postgresql://ada:secret@db/quiz",
                       "--set: store: the URI is not to have a password: put it in"
                       " store_password_file (which database keeps players, ratings and results)");
    expect_set_refused("store=postgresql://db/quiz?user=ada&password=secret",
                       "--set: store: the URI is not to have a password: put it in"
                       " store_password_file (which database keeps players, ratings and results)");
    expect_set_refused("store=postgresql://db/quiz?nonsense=1",
                       "--set: store: invalid URI query parameter: \"nonsense\""
                       " (which database keeps players, ratings and results)");
    expect_set_refused("store=postgresql://one,two/quiz",
                       "--set: store: the URI is to name one host, and no hostaddr"
                       " (which database keeps players, ratings and results)");
}

static void trusted_proxies_are_a_list_or_none(void **state)
{
    (void)state;
    assert_string_equal(defaults().trusted_proxies, "");
    assert_string_equal(set("trusted_proxies=").trusted_proxies, "");
    assert_string_equal(set("trusted_proxies=10.0.0.0/8, ::1").trusted_proxies, "10.0.0.0/8, ::1");
}

static void a_wrong_item_of_trusted_proxies_is_named(void **state)
{
    (void)state;
    expect_set_refused("trusted_proxies=10.0.0.0/8,proxy.example",
                       "--set: trusted_proxies: \"proxy.example\" is not an IPv4 or IPv6 address, "
                       "or a range of them (proxies that players come through: to connections from "
                       "there no network delay is credited)");
    expect_set_refused("trusted_proxies=10.0.0.1/8",
                       "--set: trusted_proxies: \"10.0.0.1/8\" has bits behind its prefix (proxies "
                       "that players come through: to connections from there no network delay is "
                       "credited)");
}

static void an_empty_path_is_refused(void **state)
{
    (void)state;
    expect_set_refused("questions=", "--set: questions: \"\" is not a path "
                                     "(which question bank is asked from)");
}

static void a_text_that_is_too_long_is_refused(void **state)
{
    (void)state;
    char line[400];
    (void)snprintf(line, sizeof(line), "data_dir=/%0254d", 0);
    assert_int_equal(strlen(set(line).data_dir), CONF_TEXT_BYTES - 1);
    (void)snprintf(line, sizeof(line), "data_dir=/%0255d", 0);
    expect_set_refused(line, "--set: data_dir: 256 bytes are more than 255");
}

static void a_control_character_in_a_text_is_refused(void **state)
{
    (void)state;
    expect_set_refused("data_dir=a\nb", "--set: data_dir: \"a?b\" has a control character");
}

static void a_set_key_has_its_value(void **state)
{
    (void)state;
    assert_int_equal(set("port=9000").port, 9000);
    assert_string_equal(set("data_dir=/srv/a quiz = b").data_dir, "/srv/a quiz = b");
}

static void a_set_value_has_the_same_bounds_as_in_a_file(void **state)
{
    (void)state;
    expect_set_refused("round_time_ms=599",
                       "--set: round_time_ms: 599 is below the least, 600 (600 to 120000; how long "
                       "players may think)");
    expect_set_refused("port=", "--set: port: \"\" is not a whole number (1 to 65535; the players' "
                                "port: the page, `/ws`, `/healthz` and `/readyz`)");
}

static void what_is_set_without_an_equal_sign_is_refused(void **state)
{
    (void)state;
    expect_set_refused("port", "--set: \"port\" is not key=value");
}

static void an_unknown_key_that_is_set_is_refused(void **state)
{
    (void)state;
    expect_set_refused("prot=1", "--set: \"prot\" is not a key (did you mean \"port\"?)");
    expect_set_refused("=1", "--set: \"\" is not a key (--print-config lists them)");
}

static void no_workers_are_one_per_core_up_to_the_most(void **state)
{
    (void)state;
    assert_int_equal(resolve(defaults(), 20000, 2).workers, 2);
    assert_int_equal(resolve(defaults(), 20000, 200).workers, 64);
    assert_int_equal(resolve(set("workers=3"), 20000, 2).workers, 3);
}

static void no_max_connections_is_what_the_limit_leaves_room_for(void **state)
{
    (void)state;
    struct conf conf = resolve(defaults(), 20000, 2);
    /* 1,160 beside the players, and one in 32 more for who comes back. */
    assert_int_equal(conf.max_connections, 18270);
    assert_int_equal(conf_files_needed(&conf), 20000);
    assert_int_equal(resolve(defaults(), UINT64_MAX, 2).max_connections, CONF_CONNECTIONS_MAX);
}

static void a_max_connections_that_just_fits_is_taken(void **state)
{
    (void)state;
    assert_int_equal(resolve(set("max_connections=18270"), 20000, 2).max_connections, 18270);
}

static void a_max_connections_beyond_the_limit_names_what_to_change(void **state)
{
    (void)state;
    expect_resolve_refused(set("max_connections=50000"), 20000,
                           "max_connections = 50000 needs 52184 open files, but the limit is "
                           "20000: set LimitNOFILE=52184 in the unit (or ulimit -n), or "
                           "max_connections to at most 18270");
}

static void a_limit_without_room_for_a_player_is_refused(void **state)
{
    (void)state;
    assert_int_equal(resolve(defaults(), 1177, 2).max_connections, 1);
    expect_resolve_refused(defaults(), 1176,
                           "the limit on open files, 1176, leaves no room for players: 1176 are "
                           "needed beside them; set LimitNOFILE in the unit (or ulimit -n)");
}

static void a_burst_below_the_rate_is_refused(void **state)
{
    (void)state;
    (void)resolve(set("message_burst=20"), 20000, 2);
    expect_resolve_refused(set("message_burst=19"), 20000,
                           "message_burst = 19 is below message_rate = 20: a burst holds at least "
                           "one second's messages");
}

static void both_ports_on_one_address_differ(void **state)
{
    (void)state;
    expect_resolve_refused(set("admin_port=8080"), 20000,
                           "admin_port = 8080 is the players' port too: change port or admin_port "
                           "(0: none)");
    (void)resolve(set_both("admin_port=8080", "address=10.0.0.1"), 20000, 2);
}

static void mailboxes_beyond_a_gigabyte_are_refused(void **state)
{
    (void)state;
    (void)resolve(set("workers=64"), 20000, 2);
    expect_resolve_refused(set_both("workers=64", "mailbox_bytes=524288"), 20000,
                           "mailbox_bytes = 524288 for 4096 pairs of 64 workers is 2048 MB, more "
                           "than 1024 MB: lower mailbox_bytes or workers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_at_a_bound_counts),
        cmocka_unit_test(a_value_beyond_a_bound_is_refused_with_bounds_and_meaning),
        cmocka_unit_test(what_is_no_whole_number_is_refused),
        cmocka_unit_test(a_mailbox_is_a_power_of_two),
        cmocka_unit_test(a_match_queue_below_the_least_is_refused_with_the_arithmetic),
        cmocka_unit_test(an_address_is_numeric),
        cmocka_unit_test(a_choice_that_is_none_is_refused),
        cmocka_unit_test(a_store_is_sqlite_or_none_or_a_uri_without_a_password),
        cmocka_unit_test(trusted_proxies_are_a_list_or_none),
        cmocka_unit_test(a_wrong_item_of_trusted_proxies_is_named),
        cmocka_unit_test(an_empty_path_is_refused),
        cmocka_unit_test(a_text_that_is_too_long_is_refused),
        cmocka_unit_test(a_control_character_in_a_text_is_refused),
        cmocka_unit_test(a_set_key_has_its_value),
        cmocka_unit_test(a_set_value_has_the_same_bounds_as_in_a_file),
        cmocka_unit_test(what_is_set_without_an_equal_sign_is_refused),
        cmocka_unit_test(an_unknown_key_that_is_set_is_refused),
        cmocka_unit_test(no_workers_are_one_per_core_up_to_the_most),
        cmocka_unit_test(no_max_connections_is_what_the_limit_leaves_room_for),
        cmocka_unit_test(a_max_connections_that_just_fits_is_taken),
        cmocka_unit_test(a_max_connections_beyond_the_limit_names_what_to_change),
        cmocka_unit_test(a_limit_without_room_for_a_player_is_refused),
        cmocka_unit_test(a_burst_below_the_rate_is_refused),
        cmocka_unit_test(both_ports_on_one_address_differ),
        cmocka_unit_test(mailboxes_beyond_a_gigabyte_are_refused),
    };
    return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
