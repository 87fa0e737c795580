/* Boards and past matches, from results that the store has saved. */

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

enum { NATURE = 0, SCIENCE = 1 }; /* The fixture's bank. */

static const struct id ada = {{0xad}};
static const struct id ben = {{0xbe}};
static const struct id cyd = {{0xcd}};
static const struct id nobody = {{0x77}};

static const struct board_key duels = {.mode = MATCH_MODE_DUEL};
static const struct board_key house = {.mode = MATCH_MODE_HOUSE};
static const struct board_key science_duels = {.mode = MATCH_MODE_DUEL, .category = "science"};
static const struct board_key nature_duels = {.mode = MATCH_MODE_DUEL, .category = "nature"};

/* "1 ad 1510.00, 2 be 1490.00": place, the id's first byte, the rating. */
static const char *words_of(const struct board_row found[], unsigned count)
{
    static char words[BOARD_ROWS_MAX * 32];
    size_t used = 0;
    words[0] = '\0';
    for (unsigned i = 0; i < count; i++) {
        used += (size_t)snprintf(words + used, sizeof words - used, "%s%u %02x %d.%02d",
                                 i > 0 ? ", " : "", found[i].place, found[i].player.bytes[0],
                                 found[i].rating_centi / 100, found[i].rating_centi % 100);
    }
    return words;
}

static const char *top_of(struct world *world, const struct board_key *key, unsigned max)
{
    struct board *board = backend_open_board(world);
    struct board_row found[BOARD_ROWS_MAX];
    unsigned count = 0;
    assert_int_equal(board_top(board, key, max, found, &count), 0);
    board_close(board);
    return words_of(found, count);
}

static const char *around(struct world *world, const struct id *player, unsigned beside)
{
    struct board *board = backend_open_board(world);
    struct board_row found[BOARD_ROWS_MAX];
    unsigned count = 0;
    assert_int_equal(board_around(board, &duels, player, beside, found, &count), 0);
    board_close(board);
    return words_of(found, count);
}

static unsigned history(struct world *world, const struct id *player, const struct id *before,
                        unsigned max, struct board_match ret_matches[])
{
    struct board *board = backend_open_board(world);
    unsigned count = 0;
    assert_int_equal(board_history(board, player, before, max, ret_matches, &count), 0);
    board_close(board);
    return count;
}

static struct board_row row_of(struct world *world, const struct board_key *key,
                               const struct id *player)
{
    struct board *board = backend_open_board(world);
    struct board_row found[1];
    unsigned count = 0;
    assert_int_equal(board_around(board, key, player, 0, found, &count), 0);
    assert_int_equal(count, 1);
    board_close(board);
    return found[0];
}

/* A duel that the player wins and Ben loses, at these ratings. */
static struct match_result won_by(uint8_t number, const struct id *player, int32_t rating_centi)
{
    struct match_result result = duel(number);
    result.players[ADA].player = *player;
    result.players[ADA].before.rating_centi = RATING_INITIAL_CENTI;
    result.players[ADA].after.rating_centi = rating_centi;
    return result;
}

static struct match_result house_match(uint8_t number)
{
    struct match_result result = duel(number);
    result.mode = MATCH_MODE_HOUSE;
    result.is_rated = false;
    result.players[ADA].after = result.players[ADA].before;
    result.players[BEN].is_bot = true;
    return result;
}

/* Ada and Ben, and players around Ada, with her rating and with others. */
static void save_ties(struct world *world)
{
    static const struct {
        struct id player;
        int32_t rating_centi;
    } others[] = {{{{0x10}}, 160000}, {{{0x20}}, 151000}, {{{0xf0}}, 151000}, {{{0x30}}, 140000}};
    struct match_result first = duel(1);
    expect_saved(world, &first);
    for (uint8_t i = 0; i < 4; i++) {
        struct match_result result =
            won_by((uint8_t)(i + 2), &others[i].player, others[i].rating_centi);
        result.players[BEN].before = first.players[BEN].after;
        expect_saved(world, &result);
    }
}

/* --- Boards. --- */

static void a_board_lists_by_rating_and_then_by_id(void **state)
{
    struct world *world = *state;
    open_store(world);
    save_ties(world);
    assert_string_equal(top_of(world, &duels, 6),
                        "1 10 1600.00, 2 20 1510.00, 3 ad 1510.00, 4 f0 1510.00, 5 be 1490.00,"
                        " 6 30 1400.00");
}

static void a_board_gives_as_many_as_are_asked_for(void **state)
{
    struct world *world = *state;
    open_store(world);
    save_ties(world);
    assert_string_equal(top_of(world, &duels, 2), "1 10 1600.00, 2 20 1510.00");
    assert_string_equal(top_of(world, &duels, 0), "");
}

static void an_empty_store_has_empty_boards(void **state)
{
    struct world *world = *state;
    open_store(world);
    assert_string_equal(top_of(world, &duels, BOARD_ROWS_MAX), "");
    assert_string_equal(top_of(world, &house, BOARD_ROWS_MAX), "");
}

static void a_category_lists_those_who_were_asked_from_it(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    expect_saved(world, &result);
    assert_string_equal(top_of(world, &science_duels, 9), "1 ad 1510.00, 2 be 1490.00");
    assert_string_equal(top_of(world, &nature_duels, 9), ""); /* That round was not revealed. */
}

static void a_category_that_there_is_not_has_an_empty_board(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    struct board_key key = {.mode = MATCH_MODE_DUEL, .category = "x' OR 1; --"};
    open_store(world);
    expect_saved(world, &result);
    assert_string_equal(top_of(world, &key, 9), "");
}

static void a_duel_that_was_not_rated_lists_nobody(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    result.is_rated = false;
    open_store(world);
    expect_saved(world, &result);
    assert_string_equal(top_of(world, &duels, 9), "");
}

static void who_is_listed_stays_after_a_duel_that_was_not_rated(void **state)
{
    struct world *world = *state;
    struct match_result first = duel(1);
    struct match_result second = duel_after(&first, 2);
    second.is_rated = false;
    open_store(world);
    expect_saved(world, &first);
    expect_saved(world, &second);
    assert_string_equal(top_of(world, &duels, 9), "1 ad 1510.00, 2 be 1490.00");
    assert_int_equal(row_of(world, &duels, &ada).matches, 2);
}

static void the_house_lists_its_players_and_no_bot(void **state)
{
    struct world *world = *state;
    struct match_result result = house_match(1);
    open_store(world);
    expect_saved(world, &result);
    assert_string_equal(top_of(world, &house, 9), "1 ad 1500.00");
    assert_string_equal(top_of(world, &duels, 9), "");
}

static void a_rating_that_changes_moves_its_player_on_every_board(void **state)
{
    struct world *world = *state;
    struct match_result at_home = house_match(1);
    struct match_result first = duel(2);
    open_store(world);
    expect_saved(world, &at_home);
    expect_saved(world, &first);
    assert_string_equal(top_of(world, &house, 9), "1 ad 1510.00");
    struct match_result second = won_by(3, &cyd, 155000);
    second.players[BEN].before = first.players[BEN].after;
    second.players[BEN].after.rating_centi = 120000;
    second.rounds[0].is_revealed = false;
    expect_saved(world, &second);
    assert_string_equal(top_of(world, &duels, 9), "1 cd 1550.00, 2 ad 1510.00, 3 be 1200.00");
    assert_string_equal(top_of(world, &science_duels, 9), "1 ad 1510.00, 2 be 1200.00");
}

static void a_result_that_is_saved_twice_counts_once(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    expect_saved(world, &result);
    expect_saved(world, &result);
    assert_int_equal(row_of(world, &duels, &ada).matches, 1);
    assert_int_equal(row_of(world, &duels, &ada).points, 904);
}

static void a_row_says_what_was_done_in_revealed_rounds(void **state)
{
    struct world *world = *state;
    struct match_result first = duel(1);
    struct match_result second = duel_after(&first, 2);
    open_store(world);
    expect_saved(world, &first);
    expect_saved(world, &second);
    struct board_row won = row_of(world, &science_duels, &ada);
    struct board_row lost = row_of(world, &duels, &ben);
    assert_string_equal(won.name, "Ada");
    assert_int_equal(won.matches, 2);
    assert_int_equal(won.wins, 2);
    assert_int_equal(won.answers, 2);
    assert_int_equal(won.right_answers, 2);
    assert_int_equal(won.points, 2 * 904);
    assert_int_equal(lost.matches, 2);
    assert_int_equal(lost.wins, 0);
    assert_int_equal(lost.answers, 2); /* Ben's answers of the second round, which was not revealed,
                                        * are none. */
    assert_int_equal(lost.right_answers, 0);
}

/* --- Places. --- */

static void around_a_player_stand_those_before_and_behind(void **state)
{
    struct world *world = *state;
    open_store(world);
    save_ties(world);
    assert_string_equal(around(world, &ada, 1), "2 20 1510.00, 3 ad 1510.00, 4 f0 1510.00");
    assert_string_equal(around(world, &ada, 0), "3 ad 1510.00");
    assert_string_equal(around(world, &ada, 20),
                        "1 10 1600.00, 2 20 1510.00, 3 ad 1510.00, 4 f0 1510.00, 5 be 1490.00,"
                        " 6 30 1400.00");
}

static void the_first_and_the_last_have_one_side(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    open_store(world);
    expect_saved(world, &result);
    assert_string_equal(around(world, &ada, 1), "1 ad 1510.00, 2 be 1490.00");
    assert_string_equal(around(world, &ben, 1), "1 ad 1510.00, 2 be 1490.00");
}

static void who_is_not_on_a_board_has_no_place(void **state)
{
    struct world *world = *state;
    struct match_result result = house_match(1);
    open_store(world);
    expect_saved(world, &result);
    struct board *board = backend_open_board(world);
    struct board_row found[3];
    unsigned count = 0;
    assert_int_equal(board_around(board, &duels, &ada, 1, found, &count), -ENOENT);
    assert_int_equal(board_around(board, &duels, &nobody, 1, found, &count), -ENOENT);
    assert_string_equal(board_problem(board), "the player is not on this board");
    board_close(board);
}

/* --- Past matches. --- */

static void past_matches_come_newest_first(void **state)
{
    struct world *world = *state;
    struct match_result first = duel(1);
    struct match_result second = duel_after(&first, 2);
    struct board_match found[BOARD_ROWS_MAX];
    open_store(world);
    expect_saved(world, &second); /* In whatever order they were saved. */
    expect_saved(world, &first);
    assert_int_equal(history(world, &ben, NULL, BOARD_ROWS_MAX, found), 2);
    assert_true(id_equal(&found[0].match, &second.match));
    assert_true(id_equal(&found[1].match, &first.match));
}

static void a_past_match_says_what_became_of_it(void **state)
{
    struct world *world = *state;
    struct match_result result = duel(1);
    struct board_match found[1];
    open_store(world);
    expect_saved(world, &result);
    assert_int_equal(history(world, &ben, NULL, 1, found), 1);
    assert_string_equal(found[0].mode, "duel");
    assert_string_equal(found[0].reason, "finished");
    assert_true(found[0].is_rated);
    assert_int_equal(found[0].outcome, BOARD_LOST);
    assert_int_equal(found[0].ended_at.ms, result.ended_at.ms);
    assert_int_equal(found[0].score, 0);
    assert_int_equal(found[0].rating_before_centi, 150000);
    assert_int_equal(found[0].rating_after_centi, 149000);
    assert_true(found[0].has_other);
    assert_true(id_equal(&found[0].other, &ada));
    assert_string_equal(found[0].other_name, "Ada");
    assert_int_equal(found[0].other_score, 904);
}

static void a_bot_is_nobody_and_a_draw_is_won_by_none(void **state)
{
    struct world *world = *state;
    struct match_result result = house_match(1);
    struct board_match found[1];
    result.winner = MATCH_WINNER_NONE;
    open_store(world);
    expect_saved(world, &result);
    assert_int_equal(history(world, &ada, NULL, 1, found), 1);
    assert_int_equal(found[0].outcome, BOARD_DRAWN);
    assert_false(found[0].has_other);
    assert_string_equal(found[0].other_name, "Ben");
}

static void a_page_goes_on_behind_the_match_it_is_given(void **state)
{
    struct world *world = *state;
    struct match_result results[] = {duel(1), duel(2), duel(3)};
    struct board_match found[BOARD_ROWS_MAX];
    open_store(world);
    expect_saved(world, &results[0]);
    expect_saved(world, &results[1]);
    expect_saved(world, &results[2]);
    assert_int_equal(history(world, &ada, NULL, 2, found), 2);
    assert_true(id_equal(&found[1].match, &results[1].match));
    struct id last = found[1].match;
    assert_int_equal(history(world, &ada, &last, 2, found), 1);
    assert_true(id_equal(&found[0].match, &results[0].match));
    last = found[0].match;
    assert_int_equal(history(world, &ada, &last, 2, found), 0);
}

static void who_is_not_known_has_no_past_matches(void **state)
{
    struct world *world = *state;
    struct board_match found[1];
    open_store(world);
    assert_int_equal(history(world, &nobody, NULL, 1, found), 0);
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(a_board_lists_by_rating_and_then_by_id),
        store_test(a_board_gives_as_many_as_are_asked_for),
        store_test(an_empty_store_has_empty_boards),
        store_test(a_category_lists_those_who_were_asked_from_it),
        store_test(a_category_that_there_is_not_has_an_empty_board),
        store_test(a_duel_that_was_not_rated_lists_nobody),
        store_test(who_is_listed_stays_after_a_duel_that_was_not_rated),
        store_test(the_house_lists_its_players_and_no_bot),
        store_test(a_rating_that_changes_moves_its_player_on_every_board),
        store_test(a_result_that_is_saved_twice_counts_once),
        store_test(a_row_says_what_was_done_in_revealed_rounds),
        store_test(around_a_player_stand_those_before_and_behind),
        store_test(the_first_and_the_last_have_one_side),
        store_test(who_is_not_on_a_board_has_no_place),
        store_test(past_matches_come_newest_first),
        store_test(a_past_match_says_what_became_of_it),
        store_test(a_bot_is_nobody_and_a_draw_is_won_by_none),
        store_test(a_page_goes_on_behind_the_match_it_is_given),
        store_test(who_is_not_known_has_no_past_matches),
    };
    return cmocka_run_group_tests_name("edge/board", tests, backend_group_begin, backend_group_end);
}
