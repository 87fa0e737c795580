/* A player of a server that lacks parts of the protocol: whatever is missing, it plays on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "load_check.h"

static struct twins twins;
static struct check check;
static struct news news;
static struct verdict verdict;

static int connected(void **state)
{
    (void)state;
    struct prng prng;
    prng_init(&prng, &(struct siphash_key){{7, 0}});
    twins_create(&twins, 4, &prng);
    check_init(&check, "Ada", CHECK_LENIENT, &twins);
    return 0;
}

static int disconnected(void **state)
{
    (void)state;
    check_ended(&check);
    twins_destroy(&twins);
    return 0;
}

static void ask(uint8_t kind, uint32_t id, uint8_t round)
{
    assert_true(
        check_sent(&check, &(struct check_request){.id = id, .kind = kind, .round = round}));
}

static void hear(const char *text)
{
    check_message(&check, text, strlen(text), 1000, &news, &verdict);
}

static void queue(void)
{
    ask(CHECK_HELLO, 1, 0);
    hear("{\"type\":\"welcome\"}");
    assert_int_equal(news.kind, NEWS_WELCOME);
    ask(CHECK_JOIN, 2, 0);
}

static void a_reply_is_known_by_its_type_whatever_its_id(void **state)
{
    (void)state;
    ask(CHECK_HELLO, 7, 0);
    hear("{\"type\":\"welcome\",\"id\":1}");
    assert_int_equal(news.kind, NEWS_WELCOME);
    assert_int_equal(news.request.id, 7);
    assert_null(check_oldest(&check));
}

static void what_is_missing_is_told_all_the_same(void **state)
{
    (void)state;
    ask(CHECK_HELLO, 1, 0);
    hear("{\"type\":\"welcome\",\"id\":1}");
    assert_int_not_equal(verdict.violations, 0);
}

static void a_match_without_queued_is_the_answer_to_the_join(void **state)
{
    (void)state;
    queue();
    hear("{\"type\":\"match\"}");
    assert_int_equal(news.kind, NEWS_MATCH);
    assert_null(check_oldest(&check));
}

static void a_match_of_bare_messages_is_played_to_its_end(void **state)
{
    (void)state;
    queue();
    hear("{\"type\":\"match\"}");
    hear("{\"type\":\"round\"}");
    assert_int_equal(news.kind, NEWS_ROUND);
    assert_int_equal(news.round, 1);
    ask(CHECK_ANSWER, 3, 1);
    hear("{\"type\":\"accepted\"}");
    assert_int_equal(news.kind, NEWS_ACCEPTED);
    assert_int_equal(news.request.id, 3);
    hear("{\"type\":\"reveal\"}");
    assert_int_equal(news.kind, NEWS_REVEAL);
    assert_false(news.all_answered || news.any_silent);
    hear("{\"type\":\"end\",\"reason\":\"finished\"}");
    assert_int_equal(news.kind, NEWS_END);
    assert_int_equal(news.end_reason, CHECK_END_FINISHED);
    assert_int_equal(check.phase, CHECK_IDLE);
}

static void the_next_match_may_have_the_same_id(void **state)
{
    (void)state;
    static const char match[] =
        "{\"type\":\"match\",\"match\":\"01a0c450-6c00-7b69-88f1-f643f1d76abc\",\"seq\":1}";
    queue();
    hear(match);
    hear("{\"type\":\"round\",\"seq\":2}");
    hear("{\"type\":\"end\",\"seq\":3}");
    ask(CHECK_JOIN, 3, 0);
    hear(match);
    hear("{\"type\":\"round\",\"seq\":2}");
    assert_int_equal(news.kind, NEWS_ROUND);
    assert_int_equal(news.round, 1);
    assert_int_equal(twins.different, 0);
}

static void a_match_of_endless_rounds_is_cut_off(void **state)
{
    (void)state;
    queue();
    hear("{\"type\":\"match\"}");
    for (unsigned round = 1; round <= CHECK_ROUNDS_MAX; round++) hear("{\"type\":\"round\"}");
    assert_int_equal(news.round, CHECK_ROUNDS_MAX);
    hear("{\"type\":\"round\"}");
    assert_int_equal(news.kind, NEWS_OTHER);
}

static void an_echo_answers_the_oldest_ping(void **state)
{
    (void)state;
    struct check_request request;
    ask(CHECK_PING, 1, 0);
    ask(CHECK_PING, 2, 0);
    assert_true(check_take_oldest(&check, &request));
    assert_int_equal(request.id, 1);
    assert_true(check_take_oldest(&check, &request));
    assert_int_equal(request.id, 2);
    assert_false(check_take_oldest(&check, &request));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_reply_is_known_by_its_type_whatever_its_id, connected,
                                        disconnected),
        cmocka_unit_test_setup_teardown(what_is_missing_is_told_all_the_same, connected,
                                        disconnected),
        cmocka_unit_test_setup_teardown(a_match_without_queued_is_the_answer_to_the_join, connected,
                                        disconnected),
        cmocka_unit_test_setup_teardown(a_match_of_bare_messages_is_played_to_its_end, connected,
                                        disconnected),
        cmocka_unit_test_setup_teardown(the_next_match_may_have_the_same_id, connected,
                                        disconnected),
        cmocka_unit_test_setup_teardown(a_match_of_endless_rounds_is_cut_off, connected,
                                        disconnected),
        cmocka_unit_test_setup_teardown(an_echo_answers_the_oldest_ping, connected, disconnected),
    };
    return cmocka_run_group_tests_name("load_check_lenient", tests, NULL, NULL);
}
