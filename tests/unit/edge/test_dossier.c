/* All that is stored of a player, told and erased. */

#define _GNU_SOURCE

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store_backend.h"

enum { TEXT_BYTES = 16384, MANY = 45 };

static const struct id ada = {{0xad}};
static const struct id ben = {{0xbe}};
static const struct id nobody = {{0x77}};

/* Without the spaces around commas and colons, which the databases put as they like. */
static void add_line(void *context, const char *json)
{
    char *text = context;
    size_t used = strlen(text);
    for (const char *at = json; *at != '\0' && used < TEXT_BYTES - 2; at++) {
        bool is_gap =
            *at == ' ' && (at[1] == ':' || at[1] == '"' || at[-1] == ':' || at[-1] == ',');
        if (!is_gap) text[used++] = *at;
    }
    text[used++] = '\n';
    text[used] = '\0';
}

static const char *told(struct world *world, enum dossier_part part, const struct id *player)
{
    static char text[TEXT_BYTES];
    struct dossier *dossier = backend_open_dossier(world);
    text[0] = '\0';
    assert_int_equal(dossier_tell(dossier, part, player, add_line, text), 0);
    dossier_close(dossier);
    return text;
}

static unsigned long long erase(struct world *world, const struct id *player)
{
    unsigned long long matches = 0;
    struct dossier *dossier = backend_open_dossier(world);
    if (dossier_erase(dossier, player, &matches) != 0) fail_msg("%s", dossier_problem(dossier));
    dossier_close(dossier);
    return matches;
}

static struct match_result house_match(uint8_t number)
{
    struct match_result result = duel(number);
    result.mode = MATCH_MODE_HOUSE;
    result.is_rated = false;
    result.players[BEN].is_bot = true;
    return result;
}

static void save_duel_and_house_match(struct world *world)
{
    struct match_result first = duel(1);
    struct match_result second = house_match(2);
    open_store(world);
    expect_saved(world, &first);
    expect_saved(world, &second);
}

/* --- Told. --- */

static void a_players_row_is_told(void **state)
{
    struct world *world = *state;
    save_duel_and_house_match(world);
    const char *json = told(world, DOSSIER_PLAYER, &ada);
    assert_non_null(strstr(json, "{\"player\":\"ad000000-0000-0000-0000-000000000000\","
                                 "\"name\":\"Ada\",\"rating_centi\":151000,"));
    assert_non_null(strstr(json, "\"matches\":2,\"wins\":2}"));
}

static void what_a_player_has_done_is_told(void **state)
{
    struct world *world = *state;
    save_duel_and_house_match(world);
    assert_string_equal(
        told(world, DOSSIER_STATISTICS, &ben),
        "{\"mode\":\"duel\",\"category\":null,\"matches\":1,\"wins\":0,\"answers\":1,"
        "\"right_answers\":0,\"points\":0}\n"
        "{\"mode\":\"duel\",\"category\":\"science\",\"matches\":1,\"wins\":0,\"answers\":1,"
        "\"right_answers\":0,\"points\":0}\n");
}

static void matches_are_told_with_what_was_answered(void **state)
{
    struct world *world = *state;
    save_duel_and_house_match(world);
    const char *json = told(world, DOSSIER_MATCHES, &ada);
    assert_non_null(strstr(json, "\"mode\":\"duel\",\"reason\":\"finished\",\"rated\":true,"
                                 "\"won\":true,"));
    assert_non_null(strstr(json, "\"others\":[\"Ben\"]"));
    assert_non_null(strstr(json, "\"question\":\"What is H2O?\",\"choices\":[\"Back\\\\slash\","));
    assert_non_null(strstr(json, "\"choice\":1,\"right\":true,\"at_ms\":1500"));
    assert_non_null(strstr(json, "\"choice\":null,\"right\":null,"));
    assert_non_null(strstr(json, "\"mode\":\"house\"")); /* In the second line. */
}

static void another_players_id_is_not_told(void **state)
{
    struct world *world = *state;
    save_duel_and_house_match(world);
    assert_null(strstr(told(world, DOSSIER_MATCHES, &ada), "be000000"));
}

static void of_who_is_not_known_nothing_is_told(void **state)
{
    struct world *world = *state;
    open_store(world);
    assert_string_equal(told(world, DOSSIER_PLAYER, &nobody), "");
    assert_string_equal(told(world, DOSSIER_STATISTICS, &nobody), "");
    assert_string_equal(told(world, DOSSIER_MATCHES, &nobody), "");
}

/* --- Erased. --- */

static void an_erased_player_is_not_known(void **state)
{
    struct world *world = *state;
    save_duel_and_house_match(world);
    assert_int_equal(erase(world, &ada), 2);
    assert_int_equal(load(world, &ada).loaded.outcome, LOAD_UNKNOWN);
    assert_string_equal(told(world, DOSSIER_STATISTICS, &ada), "");
    assert_string_equal(rows(world, "SELECT count(*) FROM match_players WHERE name = 'Ada'"),
                        "0\n");
}

static void the_others_matches_stay_whole(void **state)
{
    struct world *world = *state;
    save_duel_and_house_match(world);
    (void)erase(world, &ada);
    assert_string_equal(rows(world, "SELECT place, player IS NULL, name, score"
                                    " FROM match_players ORDER BY place"),
                        "0|1|(deleted)|904\n1|0|Ben|0\n");
    assert_string_equal(rows(world, "SELECT count(*) FROM answers"), "3\n");
    assert_string_equal(rows(world, "SELECT name, matches FROM players"), "Ben|1\n");
    struct board *board = backend_open_board(world);
    struct board_match found[1];
    unsigned count = 0;
    assert_int_equal(board_history(board, &ben, NULL, 1, found, &count), 0);
    assert_int_equal(count, 1);
    assert_false(found[0].has_other);
    assert_string_equal(found[0].other_name, DOSSIER_DELETED_NAME);
    assert_int_equal(found[0].other_score, 904);
    board_close(board);
}

static void a_match_in_which_nobody_is_left_goes(void **state)
{
    struct world *world = *state;
    save_duel_and_house_match(world);
    (void)erase(world, &ada);
    assert_string_equal(rows(world, "SELECT mode FROM matches"), "duel\n");
    (void)erase(world, &ben);
    assert_string_equal(rows(world, "SELECT (SELECT count(*) FROM matches),"
                                    " (SELECT count(*) FROM match_players),"
                                    " (SELECT count(*) FROM answers),"
                                    " (SELECT count(*) FROM players)"),
                        "0|0|0|0\n");
}

static void many_matches_go_in_slices(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    expect_saved(world, &result);
    for (uint8_t number = 2; number <= MANY; number++) {
        result = duel_after(&result, number);
        expect_saved(world, &result);
    }
    assert_int_equal(erase(world, &ada), MANY);
    assert_string_equal(rows(world, "SELECT count(*), count(player) FROM match_players"),
                        "90|45\n");
}

static void who_is_not_known_cannot_be_erased(void **state)
{
    struct world *world = *state;
    unsigned long long matches = 77;
    save_duel_and_house_match(world);
    struct dossier *dossier = backend_open_dossier(world);
    assert_int_equal(dossier_erase(dossier, &nobody, &matches), -ENOENT);
    assert_string_equal(dossier_problem(dossier), "there is no such player");
    assert_int_equal(matches, 77);
    dossier_close(dossier);
    assert_string_equal(rows(world, "SELECT count(*) FROM players"), "2\n");
}

static void an_erased_player_begins_anew(void **state)
{
    struct world *world = *state;
    save_duel_and_house_match(world);
    (void)erase(world, &ada);
    struct match_result result = duel(3);
    expect_saved(world, &result);
    assert_string_equal(rows(world, "SELECT name, matches, wins FROM players ORDER BY name"),
                        "Ada|1|1\nBen|2|0\n");
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(a_players_row_is_told),
        store_test(what_a_player_has_done_is_told),
        store_test(matches_are_told_with_what_was_answered),
        store_test(another_players_id_is_not_told),
        store_test(of_who_is_not_known_nothing_is_told),
        store_test(an_erased_player_is_not_known),
        store_test(the_others_matches_stay_whole),
        store_test(a_match_in_which_nobody_is_left_goes),
        store_test(many_matches_go_in_slices),
        store_test(who_is_not_known_cannot_be_erased),
        store_test(an_erased_player_begins_anew),
    };
    return cmocka_run_group_tests_name("edge/dossier", tests, backend_group_begin,
                                       backend_group_end);
}
