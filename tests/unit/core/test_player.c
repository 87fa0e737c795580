/* Players as they are known between matches. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/player.h"

enum { ADA = 7, BEN = 8, DAY_MS = 86400000 };

static const int64_t NOW_MS = 1790000000000;

/* --- Records. --- */

static void a_new_record_has_the_name_and_the_first_rating(void **state)
{
    (void)state;
    struct player_record record;
    memset(&record, 0xa5, sizeof record);
    player_record_init(&record, "Ada");
    struct rating first = rating_initial();
    assert_string_equal(record.name, "Ada");
    assert_true(rating_equal(&record.rating, &first));
}

static void a_new_record_remembers_nothing(void **state)
{
    (void)state;
    struct player_record record;
    memset(&record, 0xa5, sizeof record);
    player_record_init(&record, "Ada");
    assert_int_equal(record.rated_at.ms, 0);
    assert_int_equal(record.recent.count, 0);
    assert_int_equal(record.opponents.count, 0);
}

static void a_name_may_be_as_long_as_it_fits_and_no_longer(void **state)
{
    (void)state;
    struct player_record record;
    char name[NAME_BYTES_MAX + 2] = {0};
    memset(name, 'a', NAME_BYTES_MAX);
    player_record_init(&record, name);
    assert_string_equal(record.name, name);
    name[NAME_BYTES_MAX] = 'a';
    expect_assert_failure(player_record_init(&record, name));
}

/* --- Fingerprints. --- */

static void a_fingerprint_is_64_random_bits_of_the_id(void **state)
{
    (void)state;
    const struct id player = {{0x01, 0x92, 0x11, 0x22, 0x33, 0x44, 0x7c, 0xae, /* Time, version. */
                               0xbb, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07}};
    /* The variant's bits (10) of 0xbb give way to the last two (10) of 0xae. */
    assert_true(player_fingerprint(&player) == 0xbb01020304050607u);
    const struct id another = {{0x01, 0x92, 0x11, 0x22, 0x33, 0x44, 0x7c, 0xad, /* Ends in 01. */
                                0xbb, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07}};
    assert_true(player_fingerprint(&another) == 0x7b01020304050607u);
}

static void the_time_of_an_id_is_not_in_its_fingerprint(void **state)
{
    (void)state;
    const uint8_t random[ID_RANDOM_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    struct id one = id_make((wall_time){NOW_MS}, random);
    struct id other = id_make((wall_time){NOW_MS + DAY_MS}, random);
    assert_false(id_equal(&one, &other));
    assert_true(player_fingerprint(&one) == player_fingerprint(&other));
}

/* --- Opponents. --- */

static unsigned count_of(const struct recent_opponents *opponents, uint64_t fingerprint)
{
    return opponents_count_today(opponents, fingerprint, (wall_time){NOW_MS});
}

static void nobody_was_played_at_first(void **state)
{
    (void)state;
    const struct recent_opponents opponents = {.count = 0};
    assert_int_equal(count_of(&opponents, ADA), 0);
    assert_int_equal(count_of(&opponents, 0), 0);
}

static void matches_with_an_opponent_are_counted_among_those_with_others(void **state)
{
    (void)state;
    struct recent_opponents opponents = {.count = 0};
    opponents_add(&opponents, ADA, (wall_time){NOW_MS - 3});
    opponents_add(&opponents, BEN, (wall_time){NOW_MS - 2});
    opponents_add(&opponents, ADA, (wall_time){NOW_MS - 1});
    assert_int_equal(count_of(&opponents, ADA), 2);
    assert_int_equal(count_of(&opponents, BEN), 1);
}

static void a_match_counts_for_a_day(void **state)
{
    (void)state;
    struct recent_opponents opponents = {.count = 0};
    opponents_add(&opponents, ADA, (wall_time){NOW_MS - DAY_MS + 1});
    opponents_add(&opponents, BEN, (wall_time){NOW_MS - DAY_MS});
    assert_int_equal(count_of(&opponents, ADA), 1);
    assert_int_equal(count_of(&opponents, BEN), 0);
}

static void a_match_of_a_clock_that_went_back_counts(void **state)
{
    (void)state;
    struct recent_opponents opponents = {.count = 0};
    opponents_add(&opponents, ADA, (wall_time){NOW_MS + DAY_MS});
    assert_int_equal(count_of(&opponents, ADA), 1);
}

static struct recent_opponents full_of(uint64_t first, uint64_t others)
{
    struct recent_opponents opponents = {.count = 0};
    opponents_add(&opponents, first, (wall_time){NOW_MS - RECENT_OPPONENTS_MAX});
    for (int i = 1; i < RECENT_OPPONENTS_MAX; i++) {
        opponents_add(&opponents, others, (wall_time){NOW_MS - RECENT_OPPONENTS_MAX + i});
    }
    return opponents;
}

static void as_many_are_remembered_as_fit(void **state)
{
    (void)state;
    struct recent_opponents opponents = full_of(ADA, BEN);
    assert_int_equal(opponents.count, RECENT_OPPONENTS_MAX);
    assert_int_equal(count_of(&opponents, ADA), 1);
    assert_int_equal(count_of(&opponents, BEN), RECENT_OPPONENTS_MAX - 1);
}

static void the_oldest_falls_out(void **state)
{
    (void)state;
    struct recent_opponents opponents = full_of(ADA, BEN);
    opponents_add(&opponents, 9, (wall_time){NOW_MS});
    assert_int_equal(opponents.count, RECENT_OPPONENTS_MAX);
    assert_int_equal(count_of(&opponents, ADA), 0);
    assert_int_equal(count_of(&opponents, BEN), RECENT_OPPONENTS_MAX - 1);
    assert_int_equal(opponents.items[0].at.ms, NOW_MS - RECENT_OPPONENTS_MAX + 1);
    assert_true(opponents.items[RECENT_OPPONENTS_MAX - 1].fingerprint == 9);
    assert_int_equal(opponents.items[RECENT_OPPONENTS_MAX - 1].at.ms, NOW_MS);
}

static void more_than_fit_are_not_remembered(void **state)
{
    (void)state;
    struct recent_opponents opponents = {.count = RECENT_OPPONENTS_MAX + 1};
    expect_assert_failure(opponents_add(&opponents, ADA, (wall_time){NOW_MS}));
    expect_assert_failure((void)count_of(&opponents, ADA));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_record_has_the_name_and_the_first_rating),
        cmocka_unit_test(a_new_record_remembers_nothing),
        cmocka_unit_test(a_name_may_be_as_long_as_it_fits_and_no_longer),
        cmocka_unit_test(a_fingerprint_is_64_random_bits_of_the_id),
        cmocka_unit_test(the_time_of_an_id_is_not_in_its_fingerprint),
        cmocka_unit_test(nobody_was_played_at_first),
        cmocka_unit_test(matches_with_an_opponent_are_counted_among_those_with_others),
        cmocka_unit_test(a_match_counts_for_a_day),
        cmocka_unit_test(a_match_of_a_clock_that_went_back_counts),
        cmocka_unit_test(as_many_are_remembered_as_fit),
        cmocka_unit_test(the_oldest_falls_out),
        cmocka_unit_test(more_than_fit_are_not_remembered),
    };
    return cmocka_run_group_tests_name("core/player", tests, NULL, NULL);
}
