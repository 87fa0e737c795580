#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"

enum { DRAWS = 12000, SIDES = 6, DECK = 52 };

static struct prng seeded(uint64_t seed)
{
    struct prng prng;
    prng_init(&prng, &(struct siphash_key){{seed, ~seed}});
    return prng;
}

static void the_same_seed_gives_the_same_sequence(void **state)
{
    (void)state;
    struct prng a = seeded(1);
    struct prng b = seeded(1);
    assert_int_equal(prng_next(&a), prng_next(&b));
    assert_int_equal(prng_next(&a), prng_next(&b));
}

static void another_seed_gives_another_sequence(void **state)
{
    (void)state;
    struct prng a = seeded(1);
    struct prng b = seeded(2);
    assert_int_not_equal(prng_next(&a), prng_next(&b));
}

static void the_sequence_is_siphash_over_a_little_endian_counter(void **state)
{
    (void)state;
    static const uint8_t zero[8] = {0};
    static const uint8_t one[8] = {1};
    struct prng prng = seeded(7);
    assert_int_equal(prng_next(&prng), siphash(&prng.key, zero, sizeof zero));
    assert_int_equal(prng_next(&prng), siphash(&prng.key, one, sizeof one));
}

static void below_one_is_zero(void **state)
{
    (void)state;
    struct prng prng = seeded(1);
    assert_int_equal(prng_below(&prng, 1), 0);
}

static void below_requires_a_bound(void **state)
{
    (void)state;
    struct prng prng = seeded(1);
    expect_assert_failure(prng_below(&prng, 0));
}

static void assert_sides_are_even(struct prng *prng)
{
    unsigned counts[SIDES] = {0};
    for (unsigned i = 0; i < DRAWS; i++) {
        uint32_t side = prng_below(prng, SIDES);
        assert_in_range(side, 0, SIDES - 1);
        counts[side]++;
    }
    /* Within five standard deviations (41) of the mean. */
    for (unsigned i = 0; i < SIDES; i++)
        assert_in_range(counts[i], DRAWS / SIDES - 205, DRAWS / SIDES + 205);
}

static void below_is_uniform(void **state)
{
    (void)state;
    struct prng prng = seeded(3);
    assert_sides_are_even(&prng);
}

/* Without refusals, a bound of 3 * 2^30 would give results that are 0 mod 3 twice as often as the
 * others. */
static void assert_remainders_are_even(struct prng *prng)
{
    unsigned counts[3] = {0};
    for (unsigned i = 0; i < DRAWS; i++) counts[prng_below(prng, UINT32_C(3) << 30) % 3]++;
    /* Within five standard deviations (52) of the mean. */
    for (unsigned i = 0; i < 3; i++) assert_in_range(counts[i], DRAWS / 3 - 260, DRAWS / 3 + 260);
}

static void below_has_no_bias_where_the_bound_does_not_divide_the_range(void **state)
{
    (void)state;
    struct prng prng = seeded(4);
    assert_remainders_are_even(&prng);
    assert_true(prng.counter > DRAWS);
}

static void shuffling_nothing_or_one_draws_nothing(void **state)
{
    (void)state;
    struct prng prng = seeded(5);
    uint8_t item = 9;
    prng_shuffle(&prng, NULL, 0);
    prng_shuffle(&prng, &item, 1);
    assert_int_equal(item, 9);
    assert_int_equal(prng.counter, 0);
}

static void fill_deck(uint8_t deck[DECK])
{
    for (uint8_t i = 0; i < DECK; i++) deck[i] = i;
}

static void assert_is_permutation(const uint8_t deck[DECK])
{
    uint8_t seen[DECK] = {0};
    for (unsigned i = 0; i < DECK; i++) {
        assert_in_range(deck[i], 0, DECK - 1);
        assert_int_equal(seen[deck[i]]++, 0);
    }
}

static void a_shuffle_keeps_every_item_once_and_changes_the_order(void **state)
{
    (void)state;
    struct prng prng = seeded(6);
    uint8_t sorted[DECK];
    uint8_t deck[DECK];
    fill_deck(sorted);
    fill_deck(deck);
    prng_shuffle(&prng, deck, DECK);
    assert_is_permutation(deck);
    assert_memory_not_equal(deck, sorted, DECK);
}

static void assert_orders_of_three_are_even(struct prng *prng)
{
    unsigned counts[27] = {0};
    for (unsigned i = 0; i < DRAWS; i++) {
        uint8_t items[3] = {0, 1, 2};
        prng_shuffle(prng, items, 3);
        counts[items[0] * 9 + items[1] * 3 + items[2]]++;
    }
    static const uint8_t orders[6] = {0 * 9 + 1 * 3 + 2, 0 * 9 + 2 * 3 + 1, 1 * 9 + 0 * 3 + 2,
                                      1 * 9 + 2 * 3 + 0, 2 * 9 + 0 * 3 + 1, 2 * 9 + 1 * 3 + 0};
    for (unsigned i = 0; i < 6; i++)
        assert_in_range(counts[orders[i]], DRAWS / 6 - 205, DRAWS / 6 + 205);
}

static void every_order_is_equally_likely(void **state)
{
    (void)state;
    struct prng prng = seeded(8);
    assert_orders_of_three_are_even(&prng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_sequence),
        cmocka_unit_test(another_seed_gives_another_sequence),
        cmocka_unit_test(the_sequence_is_siphash_over_a_little_endian_counter),
        cmocka_unit_test(below_one_is_zero),
        cmocka_unit_test(below_requires_a_bound),
        cmocka_unit_test(below_is_uniform),
        cmocka_unit_test(below_has_no_bias_where_the_bound_does_not_divide_the_range),
        cmocka_unit_test(shuffling_nothing_or_one_draws_nothing),
        cmocka_unit_test(a_shuffle_keeps_every_item_once_and_changes_the_order),
        cmocka_unit_test(every_order_is_equally_likely),
    };
    return cmocka_run_group_tests_name("base/prng", tests, NULL, NULL);
}
