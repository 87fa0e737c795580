/* A receipt tells nothing of whether the answer is right: neither by its bytes or their number, nor
 * by what the match did to make it. test_secrecy_walk.c has whole matches. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "match_fixture.h"
#include "proto/encode.h"

enum { RECEIPT_BYTES_MAX = 256, ANSWERED_AFTER_MS = 1234 };

/* What the player who answered is sent, with the choice, which is the player's own, left out. */
struct receipt_text {
    char bytes[RECEIPT_BYTES_MAX];
    uint32_t size;
};

static struct receipt_text receipt_of(const struct game *game)
{
    struct receipt_text text = {{0}, 0};
    struct wire wire;
    const struct effect *effect = effect_of(game, EFFECT_RECEIPT);
    wire_init(&wire, text.bytes, sizeof(text.bytes));
    encode_accepted(&wire, &(struct receipt){.request_id = effect->request_id,
                                             .round = effect->round,
                                             .choice = (uint8_t)effect->choice,
                                             .at_ms = effect->at_ms,
                                             .rtt_ms = effect->credit_ms,
                                             .is_dup = effect->is_dup});
    assert_false(wire.is_overflown);
    text.size = wire.size;
    char *choice = strstr(text.bytes, "\"choice\":");
    assert_non_null(choice);
    choice[strlen("\"choice\":")] = '?';
    return text;
}

/* A copy of the game, down to the bytes between its fields: those of two games that are made alike
 * may differ. */
static struct game with_answer(struct game game, uint8_t choice)
{
    answer_at(&game, ADA, choice, ANSWERED_AFTER_MS);
    return game;
}

/* The bank cannot be read, and no place is the right one. */
static struct game blinded(struct game game)
{
    game.match.bank = NULL;
    for (unsigned i = 0; i < ROUNDS; i++) {
        memset(game.match.rounds[i].places, UINT8_MAX, sizeof(game.match.rounds[i].places));
    }
    return game;
}

static void assert_same_receipt(const struct game *a, const struct game *b)
{
    struct receipt_text one = receipt_of(a), other = receipt_of(b);
    assert_int_equal(one.size, other.size);
    assert_memory_equal(one.bytes, other.bytes, one.size);
}

/* All that the step wants, but for the choice in the receipt. */
static void assert_same_effects(const struct game *a, const struct game *b)
{
    struct effects one = a->effects, other = b->effects;
    for (uint32_t i = 0; i < EFFECTS_MAX; i++) one.items[i].choice = other.items[i].choice = 0;
    assert_memory_equal(&one, &other, sizeof(one));
}

/* All that the match is, but for the choice that was answered. */
static void assert_same_match(const struct game *a, const struct game *b)
{
    struct match one = a->match, other = b->match;
    one.rounds[0].answers[ADA].choice = other.rounds[0].answers[ADA].choice = 0;
    assert_memory_equal(&one, &other, sizeof(one));
}

static void a_receipt_is_the_same_for_a_right_answer_and_for_every_wrong_one(void **state)
{
    (void)state;
    struct game asking = game_asking(1);
    struct game right = with_answer(asking, 0);
    for (uint8_t choice = 1; choice < CHOICES; choice++) {
        struct game other = with_answer(asking, choice);
        assert_same_receipt(&right, &other);
        assert_same_effects(&right, &other);
        assert_same_match(&right, &other);
    }
}

static void one_of_the_choices_was_the_right_one(void **state)
{
    (void)state;
    struct game game = game_asking(1);
    assert_in_range(right_choice(&game), 0, CHOICES - 1);
}

static void an_answer_is_taken_without_a_look_at_the_bank_or_the_places(void **state)
{
    (void)state;
    for (uint8_t choice = 0; choice < CHOICES; choice++) {
        struct game seeing = game_asking(1);
        struct game blind = blinded(seeing);
        answer_at(&seeing, ADA, choice, ANSWERED_AFTER_MS);
        answer_at(&blind, ADA, choice, ANSWERED_AFTER_MS);
        assert_null(blind.match.fault);
        assert_memory_equal(&seeing.effects, &blind.effects, sizeof(seeing.effects));
        seeing = blinded(seeing);
        assert_memory_equal(&seeing.match, &blind.match, sizeof(seeing.match));
    }
}

static void a_repeated_answer_is_taken_so_too(void **state)
{
    (void)state;
    struct game seeing = with_answer(game_asking(1), 0);
    struct game blind = blinded(seeing);
    answer_at(&seeing, ADA, 1, ANSWERED_AFTER_MS + 1);
    answer_at(&blind, ADA, 1, ANSWERED_AFTER_MS + 1);
    assert_memory_equal(&seeing.effects, &blind.effects, sizeof(seeing.effects));
}

static void a_refused_answer_is_taken_so_too(void **state)
{
    (void)state;
    struct game seeing = game_asking(1);
    struct game blind = blinded(seeing);
    struct game before = blind;
    answer_at(&blind, ADA, CHOICES, ANSWERED_AFTER_MS);
    expect_refusal(&blind, &before, REFUSAL_BAD_CHOICE);
    answer_at(&blind, ADA, 0, ROUND_TIME_MS + ADA_CREDIT_MS + 1);
    expect_refusal(&blind, &before, REFUSAL_LATE_ANSWER);
}

/* Neither where the right choice is shown, nor where it is shown next, can be guessed. */
static void every_pair_of_places_is_as_likely_to_be_right_in_two_rounds(void **state)
{
    (void)state;
    enum { PAIRS = CHOICES * CHOICES, EACH = 300 };
    uint32_t met[PAIRS] = {0}, chi_square = 0;
    for (uint64_t seed = 0; seed < (uint64_t)PAIRS * EACH; seed++) {
        struct match_setup setup = game_setup();
        setup.seed.words[1] = seed;
        struct game game = game_set_up(&setup);
        met[match_right_place(&game.match, 1) * CHOICES + match_right_place(&game.match, 2)]++;
    }
    for (unsigned i = 0; i < PAIRS; i++) {
        int off = (int)met[i] - EACH;
        chi_square += (uint32_t)(off * off);
    }
    assert_true(chi_square / EACH < 38); /* 15 degrees of freedom: beyond it once in a thousand. */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receipt_is_the_same_for_a_right_answer_and_for_every_wrong_one),
        cmocka_unit_test(one_of_the_choices_was_the_right_one),
        cmocka_unit_test(an_answer_is_taken_without_a_look_at_the_bank_or_the_places),
        cmocka_unit_test(a_repeated_answer_is_taken_so_too),
        cmocka_unit_test(a_refused_answer_is_taken_so_too),
        cmocka_unit_test(every_pair_of_places_is_as_likely_to_be_right_in_two_rounds),
    };
    return cmocka_run_group_tests_name("secrecy", tests, NULL, NULL);
}
