#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load_twins.h"

static const struct id FIRST = {{1}}, SECOND = {{2}}, THIRD = {{3}};

static int two_players(void **state)
{
    static struct twins twins;
    struct prng prng;
    prng_init(&prng, &(struct siphash_key){{7, 0}});
    twins_create(&twins, 2, &prng);
    *state = &twins;
    return 0;
}

static int done(void **state)
{
    twins_destroy(*state);
    return 0;
}

static bool see(struct twins *twins, uint32_t seq, const char *text)
{
    return twins_see(twins, &FIRST, seq, text, 4);
}

static void the_same_bytes_for_both_are_fine(void **state)
{
    struct twins *twins = *state;
    twins_join(twins, &FIRST);
    twins_join(twins, &FIRST);
    assert_true(see(twins, 1, "abcd"));
    assert_true(see(twins, 1, "abcd"));
    assert_int_equal(twins->same, 1);
}

static void other_bytes_for_the_same_seq_are_seen(void **state)
{
    struct twins *twins = *state;
    twins_join(twins, &FIRST);
    twins_join(twins, &FIRST);
    assert_true(see(twins, 1, "abcd"));
    assert_false(see(twins, 1, "abce"));
    assert_int_equal(twins->different, 1);
}

static void a_seq_that_was_forgotten_is_not_compared(void **state)
{
    struct twins *twins = *state;
    twins_join(twins, &FIRST);
    assert_true(see(twins, 1, "abcd"));
    assert_true(see(twins, 1 + TWINS_SEQ_MAX, "efgh"));
    assert_true(see(twins, 1, "xxxx"));
    assert_int_equal(twins->late, 1);
}

static void a_match_that_one_has_left_waits_for_the_other(void **state)
{
    struct twins *twins = *state;
    twins_join(twins, &FIRST);
    assert_true(see(twins, 1, "abcd"));
    twins_leave(twins, &FIRST);
    twins_join(twins, &FIRST);
    assert_false(see(twins, 1, "abce"));
}

static void slots_that_nobody_is_in_serve_again(void **state)
{
    struct twins *twins = *state;
    for (uint8_t round = 1; round <= 100; round++) {
        struct id match = {{0, round}};
        twins_join(twins, &match);
        assert_true(twins_see(twins, &match, 1, "abcd", 4));
        twins_leave(twins, &match);
    }
    assert_int_equal(twins->map.count, 3);
}

static void there_is_room_for_a_match_per_player_and_one(void **state)
{
    struct twins *twins = *state;
    twins_join(twins, &FIRST);
    twins_join(twins, &SECOND);
    twins_join(twins, &THIRD);
    assert_true(twins_see(twins, &THIRD, 1, "abcd", 4));
}

static void both_join(struct twins *twins)
{
    twins_join(twins, &FIRST);
    twins_join(twins, &FIRST);
}

static void the_second_to_get_a_round_learns_when_the_first_did(void **state)
{
    struct twins *twins = *state;
    uint64_t first_us = 0;
    both_join(twins);
    assert_false(twins_round(twins, &FIRST, 1, 100, &first_us));
    assert_true(twins_round(twins, &FIRST, 1, 130, &first_us));
    assert_int_equal(first_us, 100);
    assert_false(twins_round(twins, &FIRST, 2, 200, &first_us));
}

static void who_plays_alone_here_has_nobody_to_compare_with(void **state)
{
    struct twins *twins = *state;
    uint64_t us = 0;
    twins_join(twins, &FIRST);
    assert_false(twins_round(twins, &FIRST, 1, 100, &us));
    assert_false(twins_round(twins, &FIRST, 1, 130, &us));
    twins_answer(twins, &FIRST, 1, 0, 200);
    twins_answer(twins, &FIRST, 1, 1, 200);
    assert_false(twins_last_answer(twins, &FIRST, 1, &us));
}

static void a_round_that_both_have_answered_ends_with_the_later_answer(void **state)
{
    struct twins *twins = *state;
    uint64_t last_us = 0;
    both_join(twins);
    twins_answer(twins, &FIRST, 1, 1, 500);
    assert_false(twins_last_answer(twins, &FIRST, 1, &last_us));
    twins_answer(twins, &FIRST, 1, 0, 400);
    assert_true(twins_last_answer(twins, &FIRST, 1, &last_us));
    assert_int_equal(last_us, 500);
    assert_false(twins_last_answer(twins, &FIRST, 2, &last_us));
}

static void an_answer_to_an_older_round_changes_nothing(void **state)
{
    struct twins *twins = *state;
    uint64_t last_us = 0;
    both_join(twins);
    twins_answer(twins, &FIRST, 2, 0, 500);
    twins_answer(twins, &FIRST, 1, 1, 900);
    assert_false(twins_last_answer(twins, &FIRST, 2, &last_us));
    twins_answer(twins, &FIRST, 2, 1, 600);
    assert_true(twins_last_answer(twins, &FIRST, 2, &last_us));
    assert_int_equal(last_us, 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_bytes_for_both_are_fine, two_players, done),
        cmocka_unit_test_setup_teardown(other_bytes_for_the_same_seq_are_seen, two_players, done),
        cmocka_unit_test_setup_teardown(a_seq_that_was_forgotten_is_not_compared, two_players,
                                        done),
        cmocka_unit_test_setup_teardown(a_match_that_one_has_left_waits_for_the_other, two_players,
                                        done),
        cmocka_unit_test_setup_teardown(slots_that_nobody_is_in_serve_again, two_players, done),
        cmocka_unit_test_setup_teardown(there_is_room_for_a_match_per_player_and_one, two_players,
                                        done),
        cmocka_unit_test_setup_teardown(the_second_to_get_a_round_learns_when_the_first_did,
                                        two_players, done),
        cmocka_unit_test_setup_teardown(who_plays_alone_here_has_nobody_to_compare_with,
                                        two_players, done),
        cmocka_unit_test_setup_teardown(a_round_that_both_have_answered_ends_with_the_later_answer,
                                        two_players, done),
        cmocka_unit_test_setup_teardown(an_answer_to_an_older_round_changes_nothing, two_players,
                                        done),
    };
    return cmocka_run_group_tests_name("load_twins", tests, NULL, NULL);
}
