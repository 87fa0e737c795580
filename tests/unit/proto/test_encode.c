/* The messages that are not a match's log, byte by byte. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/encode.h"
#include "wire_fixture.h"

#define ADA_TEXT    "00000000-0000-7000-8000-0000000000ad"
#define MATCH_TEXT  "01920000-0000-7000-8000-00000000002a"
#define EMOTES_TEXT "[\"hi\",\"gg\",\"wow\",\"nice\",\"oops\",\"thinking\",\"hurry\",\"thanks\"]"

static const struct id ada = {{0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0xad}};
static const struct id match_id = {{0x01, 0x92, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x2a}};

static const struct bank bank = {
    .categories = {{.name = "art", .count = 6},
                   {.name = "science", .count = 7},
                   {.name = "sport", .count = 8}},
    .category_count = 3,
};

static struct welcome plain_welcome(void)
{
    return (struct welcome){
        .request_id = 1,
        .player = ada,
        .name = "Ada",
        .rating_centi = 150000,
        .session = "s",
        .now = {1790000000000},
        .ping_ms = 25000,
        .bank = &bank,
        .rounds = 7,
    };
}

static void a_welcome_lists_what_there_is(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    struct welcome welcome = plain_welcome();
    encode_welcome(&wire, &welcome);
    assert_message(&wire,
                   "{\"type\":\"welcome\",\"id\":1,\"player\":\"" ADA_TEXT "\",\"name\":\"Ada\","
                   "\"rating\":1500,\"session\":\"s\",\"now_ms\":1790000000000,\"ping_ms\":25000,"
                   "\"modes\":[\"duel\",\"house\"],\"categories\":[\"science\",\"sport\"],"
                   "\"emotes\":" EMOTES_TEXT "}");
}

static void a_welcome_has_token_and_match_where_there_are(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    struct welcome welcome = plain_welcome();
    welcome.token = "t.t.t";
    welcome.match = &match_id;
    encode_welcome(&wire, &welcome);
    assert_message(&wire,
                   "{\"type\":\"welcome\",\"id\":1,\"player\":\"" ADA_TEXT "\",\"name\":\"Ada\","
                   "\"rating\":1500,\"session\":\"s\",\"token\":\"t.t.t\","
                   "\"now_ms\":1790000000000,\"ping_ms\":25000,"
                   "\"modes\":[\"duel\",\"house\"],\"categories\":[\"science\",\"sport\"],"
                   "\"emotes\":" EMOTES_TEXT ",\"match\":\"" MATCH_TEXT "\"}");
}

static int shown_rating(int32_t centi)
{
    struct wire wire = empty_wire();
    struct welcome welcome = plain_welcome();
    welcome.rating_centi = centi;
    encode_welcome(&wire, &welcome);
    cJSON *tree = tree_of(&wire);
    int rating = cJSON_GetObjectItemCaseSensitive(tree, "rating")->valueint;
    cJSON_Delete(tree);
    return rating;
}

static void ratings_are_shown_rounded_half_away_from_zero(void **state)
{
    (void)state;
    assert_int_equal(shown_rating(150049), 1500);
    assert_int_equal(shown_rating(150050), 1501);
    assert_int_equal(shown_rating(0), 0);
    assert_int_equal(shown_rating(49), 0);
    assert_int_equal(shown_rating(-49), 0);
    assert_int_equal(shown_rating(-50), -1);
    assert_int_equal(shown_rating(-150049), -1500);
    assert_int_equal(shown_rating(INT32_MAX), 21474836);
    assert_int_equal(shown_rating(INT32_MIN), -21474836);
}

static void assert_name_written(const char *name, const char *expected)
{
    struct wire wire = empty_wire();
    struct welcome welcome = plain_welcome();
    welcome.name = name;
    encode_welcome(&wire, &welcome);
    cJSON *tree = tree_of(&wire);
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(tree, "name")->valuestring, name);
    cJSON_Delete(tree);
    wire_bytes[wire.size] = '\0';
    assert_non_null(strstr(wire_bytes, expected));
}

static void strings_are_escaped_where_json_demands_it(void **state)
{
    (void)state;
    assert_name_written("", "\"name\":\"\",");
    assert_name_written("\"", "\"name\":\"\\\"\",");
    assert_name_written("\\\\", "\"name\":\"\\\\\\\\\",");
    assert_name_written("a\"b\\c", "\"name\":\"a\\\"b\\\\c\",");
    assert_name_written("\x01\n\x1f", "\"name\":\"\\u0001\\u000a\\u001f\",");
    assert_name_written("\x7f/\xc3\xa9\xf0\x9f\x99\x82",
                        "\"name\":\"\x7f/\xc3\xa9\xf0\x9f\x99\x82\",");
    assert_name_written("{[:,", "\"name\":\"{[:,\",");
}

static void queued_answers_a_join(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_queued(&wire, 2, MATCH_MODE_DUEL, 1, 0);
    assert_message(&wire, "{\"type\":\"queued\",\"id\":2,\"mode\":\"duel\",\"waiting\":1,"
                          "\"waited_ms\":0}");
}

static void queued_of_the_servers_own_accord_has_no_id(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_queued(&wire, 0, MATCH_MODE_DUEL, 12, 4321);
    assert_message(&wire, "{\"type\":\"queued\",\"mode\":\"duel\",\"waiting\":12,"
                          "\"waited_ms\":4321}");
}

static void a_queue_may_be_the_houses(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_queued(&wire, 2, MATCH_MODE_HOUSE, 1, 0);
    assert_message(&wire, "{\"type\":\"queued\",\"id\":2,\"mode\":\"house\",\"waiting\":1,"
                          "\"waited_ms\":0}");
}

static void unqueued_says_why(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_unqueued(&wire, "opponent_left");
    assert_message(&wire, "{\"type\":\"unqueued\",\"reason\":\"opponent_left\"}");
}

static void a_ticket_tells_the_wait(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_ticket(&wire, &(struct ticket_news){
                             .waited_ms = 2000, .waiting = 3, .window_centi = 15000, .eta_ms = 0});
    assert_message(&wire, "{\"type\":\"ticket\",\"waited_ms\":2000,\"waiting\":3,\"window\":150,"
                          "\"eta_ms\":0}");
}

static void a_ticket_without_a_guess_or_bound_says_null_and_4000(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_ticket(&wire,
                  &(struct ticket_news){
                      .waited_ms = 30000, .waiting = 1, .window_centi = INT32_MAX, .eta_ms = -1});
    assert_message(&wire, "{\"type\":\"ticket\",\"waited_ms\":30000,\"waiting\":1,\"window\":4000,"
                          "\"eta_ms\":null}");
}

static void accepted_is_the_receipt(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_accepted(&wire, &(struct receipt){.request_id = 3,
                                             .round = 1,
                                             .choice = 2,
                                             .at_ms = 2310,
                                             .rtt_ms = 18,
                                             .is_dup = false});
    assert_message(&wire, "{\"type\":\"accepted\",\"id\":3,\"round\":1,\"choice\":2,"
                          "\"at_ms\":2310,\"rtt_ms\":18,\"dup\":false}");
}

static void a_receipt_says_when_it_is_the_first_ones(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_accepted(&wire, &(struct receipt){.request_id = 2147483647,
                                             .round = 20,
                                             .choice = 0,
                                             .at_ms = 4294967295,
                                             .rtt_ms = 65535,
                                             .is_dup = true});
    assert_message(&wire, "{\"type\":\"accepted\",\"id\":2147483647,\"round\":20,\"choice\":0,"
                          "\"at_ms\":4294967295,\"rtt_ms\":65535,\"dup\":true}");
}

static void answered_never_says_what(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_answered(&wire, &match_id, 1, 0);
    assert_message(&wire, "{\"type\":\"answered\",\"match\":\"" MATCH_TEXT "\",\"round\":1,"
                          "\"player\":0}");
}

static void an_emote_names_player_and_code(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_emote(&wire, &match_id, 1, 1);
    assert_message(&wire, "{\"type\":\"emote\",\"match\":\"" MATCH_TEXT "\",\"player\":1,"
                          "\"code\":\"gg\"}");
}

static void saving_names_the_match(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_saving(&wire, &match_id);
    assert_message(&wire, "{\"type\":\"saving\",\"match\":\"" MATCH_TEXT "\"}");
}

static void a_clock_tells_what_is_left_of_the_phase(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_clock(&wire, &match_id, 3, 6210, (wall_time){1790000000000});
    assert_message(&wire, "{\"type\":\"clock\",\"match\":\"" MATCH_TEXT "\",\"round\":3,"
                          "\"left_ms\":6210,\"now_ms\":1790000000000}");
}

static void a_clock_before_the_first_round_says_0(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_clock(&wire, &match_id, 0, 4294967295, (wall_time){0});
    assert_message(&wire, "{\"type\":\"clock\",\"match\":\"" MATCH_TEXT "\",\"round\":0,"
                          "\"left_ms\":4294967295,\"now_ms\":0}");
}

static void a_gap_counts(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_gap(&wire, 17);
    assert_message(&wire, "{\"type\":\"gap\",\"dropped\":17}");
}

static void left_and_ok_repeat_the_id(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_left(&wire, 8);
    assert_message(&wire, "{\"type\":\"left\",\"id\":8}");
    wire = empty_wire();
    encode_ok(&wire, 9);
    assert_message(&wire, "{\"type\":\"ok\",\"id\":9}");
}

static void a_pong_repeats_what_the_ping_carried(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_pong(&wire, 5, "a\"b", 0, (wall_time){1790000000000});
    assert_message(&wire,
                   "{\"type\":\"pong\",\"id\":5,\"at\":\"a\\\"b\",\"now_ms\":1790000000000}");
    wire = empty_wire();
    encode_pong(&wire, 5, NULL, -INT64_C(9007199254740992), (wall_time){0});
    assert_message(&wire, "{\"type\":\"pong\",\"id\":5,\"at\":-9007199254740992,\"now_ms\":0}");
}

static void integers_are_written_to_their_last_digit(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_pong(&wire, 5, NULL, INT64_MIN, (wall_time){INT64_MAX});
    assert_message(&wire, "{\"type\":\"pong\",\"id\":5,\"at\":-9223372036854775808,"
                          "\"now_ms\":9223372036854775807}");
}

static void an_error_has_code_and_message(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_error(&wire, 3, REFUSAL_BAD_MESSAGE, "`round` must be an integer from 1 to 255.", 500);
    assert_message(&wire, "{\"type\":\"error\",\"id\":3,\"code\":\"bad_message\","
                          "\"message\":\"`round` must be an integer from 1 to 255.\"}");
}

static void an_error_without_a_request_has_no_id(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_error(&wire, 0, REFUSAL_BAD_JSON, NULL, 0);
    assert_message(&wire, "{\"type\":\"error\",\"code\":\"bad_json\","
                          "\"message\":\"The message is not a JSON object.\"}");
}

static void an_error_says_when_to_try_again_where_waiting_helps(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_error(&wire, 7, REFUSAL_BUSY, NULL, 500);
    assert_message(&wire, "{\"type\":\"error\",\"id\":7,\"code\":\"busy\","
                          "\"message\":\"A queue is full; nothing was done.\",\"retry_ms\":500}");
}

static void a_bye_has_a_reason_and_may_say_when_to_come_back(void **state)
{
    (void)state;
    struct wire wire = empty_wire();
    encode_bye(&wire, "restart", 2000);
    assert_message(&wire, "{\"type\":\"bye\",\"reason\":\"restart\",\"retry_ms\":2000}");
    wire = empty_wire();
    encode_bye(&wire, "replaced", 0);
    assert_message(&wire, "{\"type\":\"bye\",\"reason\":\"replaced\"}");
}

/* --- Bounds. --- */

static const char *repeated(char *text, char byte, size_t count)
{
    memset(text, byte, count);
    text[count] = '\0';
    return text;
}

static void the_largest_welcome_fits(void **state)
{
    (void)state;
    char control[CATEGORY_BYTES_MAX + 1];
    char name[NAME_BYTES_MAX + 1];
    char session[128 + 1];
    char token[2048 + 1];
    struct bank full = {.category_count = CATEGORIES_MAX};
    repeated(control, '\x01', CATEGORY_BYTES_MAX);
    for (unsigned i = 0; i < CATEGORIES_MAX; i++) {
        full.categories[i] = (struct bank_category){.name = control, .count = 7};
    }
    struct welcome welcome = {
        .request_id = INT32_MAX,
        .player = ada,
        .name = repeated(name, '"', NAME_BYTES_MAX),
        .rating_centi = INT32_MIN,
        .session = repeated(session, 's', 128),
        .now = {INT64_MAX},
        .ping_ms = UINT32_MAX,
        .bank = &full,
        .rounds = 7,
        .token = repeated(token, 't', 2048),
        .match = &match_id,
    };
    struct wire wire = empty_wire();
    encode_welcome(&wire, &welcome);
    cJSON_Delete(tree_of(&wire));
}

/* The storage ends where the capacity ends: ASan sees a byte too many. */
static struct wire gap_in(char *bytes, uint32_t capacity)
{
    struct wire wire;
    wire_init(&wire, bytes, capacity);
    encode_gap(&wire, 17);
    return wire;
}

static void what_does_not_fit_is_not_written(void **state)
{
    (void)state;
    static const char message[] = "{\"type\":\"gap\",\"dropped\":17}";
    enum { MESSAGE_BYTES = sizeof message - 1 };
    for (uint32_t capacity = 0; capacity < MESSAGE_BYTES; capacity++) {
        char *bytes = malloc(capacity + 1);
        bytes[capacity] = '!';
        struct wire wire = gap_in(bytes, capacity);
        assert_true(wire.is_overflown);
        assert_true(wire.size <= capacity);
        assert_memory_equal(bytes, message, wire.size);
        assert_int_equal(bytes[capacity], '!');
        free(bytes);
    }
}

static void what_fits_exactly_is_written(void **state)
{
    (void)state;
    static const char message[] = "{\"type\":\"gap\",\"dropped\":17}";
    char bytes[sizeof message - 1];
    struct wire wire = gap_in(bytes, sizeof bytes);
    assert_false(wire.is_overflown);
    assert_int_equal(wire.size, sizeof bytes);
    assert_memory_equal(bytes, message, sizeof bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_welcome_lists_what_there_is),
        cmocka_unit_test(a_welcome_has_token_and_match_where_there_are),
        cmocka_unit_test(ratings_are_shown_rounded_half_away_from_zero),
        cmocka_unit_test(strings_are_escaped_where_json_demands_it),
        cmocka_unit_test(queued_answers_a_join),
        cmocka_unit_test(queued_of_the_servers_own_accord_has_no_id),
        cmocka_unit_test(a_queue_may_be_the_houses),
        cmocka_unit_test(unqueued_says_why),
        cmocka_unit_test(a_ticket_tells_the_wait),
        cmocka_unit_test(a_ticket_without_a_guess_or_bound_says_null_and_4000),
        cmocka_unit_test(accepted_is_the_receipt),
        cmocka_unit_test(a_receipt_says_when_it_is_the_first_ones),
        cmocka_unit_test(answered_never_says_what),
        cmocka_unit_test(an_emote_names_player_and_code),
        cmocka_unit_test(saving_names_the_match),
        cmocka_unit_test(a_clock_tells_what_is_left_of_the_phase),
        cmocka_unit_test(a_clock_before_the_first_round_says_0),
        cmocka_unit_test(a_gap_counts),
        cmocka_unit_test(left_and_ok_repeat_the_id),
        cmocka_unit_test(a_pong_repeats_what_the_ping_carried),
        cmocka_unit_test(integers_are_written_to_their_last_digit),
        cmocka_unit_test(an_error_has_code_and_message),
        cmocka_unit_test(an_error_without_a_request_has_no_id),
        cmocka_unit_test(an_error_says_when_to_try_again_where_waiting_helps),
        cmocka_unit_test(a_bye_has_a_reason_and_may_say_when_to_come_back),
        cmocka_unit_test(the_largest_welcome_fits),
        cmocka_unit_test(what_does_not_fit_is_not_written),
        cmocka_unit_test(what_fits_exactly_is_written),
    };
    return cmocka_run_group_tests_name("encode", tests, NULL, NULL);
}
