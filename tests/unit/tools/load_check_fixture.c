#include "load_check_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "load_check.h"

enum { ROUND_CAME_US = 5000000, ANSWER_LEFT_US = ROUND_CAME_US + 2300000 };

struct check check;
struct news news;
struct verdict verdict;

int connected(void **state)
{
    static struct twins twins;
    struct prng prng;
    prng_init(&prng, &(struct siphash_key){{7, 0}});
    twins_create(&twins, 4, &prng);
    check_init(&check, "Ada", CHECK_STRICT, &twins);
    *state = &twins;
    return 0;
}

int disconnected(void **state)
{
    check_ended(&check);
    twins_destroy(*state);
    return 0;
}

void ask(uint8_t kind, uint32_t id)
{
    assert_true(check_sent(&check, &(struct check_request){.id = id, .kind = kind}));
}

void answer(uint32_t id, uint8_t round, int8_t choice)
{
    assert_true(check_sent(&check, &(struct check_request){.id = id,
                                                           .kind = CHECK_ANSWER,
                                                           .round = round,
                                                           .choice = choice,
                                                           .sent_us = ANSWER_LEFT_US}));
}

static void say_hello_again(uint8_t proof, uint32_t last_seq)
{
    check_lost(&check);
    assert_true(check_sent(
        &check, &(struct check_request){
                    .id = 9, .kind = CHECK_HELLO, .proof = proof, .last_seq = last_seq}));
}

void come_back(uint32_t last_seq)
{
    say_hello_again(CHECK_BY_RESUME, last_seq);
}

void come_back_by(uint8_t proof)
{
    say_hello_again(proof, 0);
}

void fine(const char *text)
{
    check_message(&check, text, strlen(text), ROUND_CAME_US, &news, &verdict);
    assert_string_equal(verdict.first, "");
    assert_int_equal(verdict.violations, 0);
}

void wrong(const char *text, const char *why)
{
    check_message(&check, text, strlen(text), ROUND_CAME_US, &news, &verdict);
    assert_string_equal(verdict.first, why);
    assert_int_not_equal(verdict.violations, 0);
}

/* --- Where tests begin. --- */

int greeted(void **state)
{
    connected(state);
    ask(CHECK_HELLO, 1);
    fine(WELCOME);
    return 0;
}

int queued(void **state)
{
    greeted(state);
    ask(CHECK_JOIN, 2);
    fine(QUEUED);
    return 0;
}

int in_the_first_round(void **state)
{
    queued(state);
    fine(MATCH);
    fine(ROUND_1);
    return 0;
}

int answered(void **state)
{
    in_the_first_round(state);
    answer(3, 1, 2);
    fine(ACCEPTED_1);
    return 0;
}

int all_revealed(void **state)
{
    answered(state);
    fine(REVEAL_1);
    fine(ROUND_2);
    fine(REVEAL_2);
    return 0;
}

int back_in_the_first_round(void **state)
{
    in_the_first_round(state);
    come_back(2);
    fine(WELCOME_BACK_TO_DUEL);
    return 0;
}
