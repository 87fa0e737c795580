/* Every truncation and every single-byte mutation of valid messages: no crash, no read behind the
 * end (under ASan), and a refusal always has a code and a sentence. And threads, whose arenas are
 * their own. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "proto/decode.h"

static const char hello[] =
    "{\"type\":\"hello\",\"id\":1,\"name\":\"Ad\\u00e9 \\ud83d\\ude42\",\"token\":\"t.t\","
    "\"resume\":\"r\",\"last_match\":\"01920000-0000-7000-8000-00000000002a\",\"last_seq\":12}";
static const char answer[] = "{\"type\":\"answer\",\"id\":4,\"round\":1,\"choice\":2,"
                             "\"x\":[1,2.5e3,{\"a\":[true,false,null]}]}";
static const char *const messages[] = {
    hello,
    answer,
    "{\"type\":\"join\",\"id\":2147483647,\"mode\":\"duel\",\"category\":\"science\"}",
    "{\"type\":\"leave\",\"id\":3,\"match\":\"01920000-0000-7000-8000-00000000002a\"}",
    "{\"type\":\"emote\",\"code\":\"gg\"}",
    "{\"type\":\"ping\",\"id\":6,\"at\":-9007199254740992}",
};
enum { MESSAGE_COUNT = sizeof messages / sizeof messages[0] };

static void assert_sound_request(const struct request *request)
{
    assert_true(request->type < REQUEST_TYPE_COUNT);
    assert_true(request->id <= INT32_MAX);
    assert_true(request->id > 0 || request->type == REQUEST_EMOTE);
}

static void assert_sound_problem(const struct problem *problem)
{
    assert_true(problem->refusal == REFUSAL_BAD_JSON || problem->refusal == REFUSAL_BAD_MESSAGE ||
                problem->refusal == REFUSAL_UNKNOWN_TYPE);
    assert_true(problem->request_id <= INT32_MAX);
    assert_true(problem->request_id > 0 || problem->refusal != REFUSAL_UNKNOWN_TYPE);
    assert_true(problem->request_id == 0 || !problem->is_silent);
    const char *end = memchr(problem->message, '\0', sizeof problem->message);
    assert_non_null(end);
    assert_true(end > problem->message);
    assert_int_equal(end[-1], '.');
}

/* `bytes` must end where their storage ends. */
static bool decode_soundly(const char *bytes, size_t count)
{
    struct request request;
    struct problem problem;
    if (decode_request(bytes, count, &request, &problem)) {
        assert_sound_request(&request);
        return true;
    }
    assert_sound_problem(&problem);
    return false;
}

static char *exact_copy(const char *text, size_t bytes)
{
    char *copy = malloc(bytes > 0 ? bytes : 1);
    return bytes > 0 ? memcpy(copy, text, bytes) : copy;
}

static void truncate_everywhere(const char *message)
{
    for (size_t bytes = 0; bytes < strlen(message); bytes++) {
        char *copy = exact_copy(message, bytes);
        assert_false(decode_soundly(copy, bytes));
        free(copy);
    }
}

static void mutate_everywhere(const char *message)
{
    size_t bytes = strlen(message);
    char *copy = exact_copy(message, bytes);
    for (size_t at = 0; at < bytes; at++) {
        for (unsigned value = 0; value < 256; value++) {
            copy[at] = (char)value;
            (void)decode_soundly(copy, bytes); /* Either way is fine. */
        }
        copy[at] = message[at];
    }
    assert_true(decode_soundly(copy, bytes));
    free(copy);
}

static void drop_and_double_everywhere(const char *message)
{
    size_t bytes = strlen(message);
    for (size_t at = 0; at < bytes; at++) {
        char *shorter = malloc(bytes - 1);
        memcpy(shorter, message, at);
        memcpy(shorter + at, message + at + 1, bytes - at - 1);
        (void)decode_soundly(shorter, bytes - 1); /* Either way is fine. */
        free(shorter);
        char *longer = malloc(bytes + 1);
        memcpy(longer, message, at + 1);
        memcpy(longer + at + 1, message + at, bytes - at);
        (void)decode_soundly(longer, bytes + 1); /* Either way is fine. */
        free(longer);
    }
}

static void for_each_message(void (*torture)(const char *message))
{
    for (size_t i = 0; i < MESSAGE_COUNT; i++) torture(messages[i]);
}

static void no_message_is_a_request_before_its_end(void **state)
{
    (void)state;
    for_each_message(truncate_everywhere);
}

static void a_message_with_one_byte_changed_is_a_request_or_refused(void **state)
{
    (void)state;
    for_each_message(mutate_everywhere);
}

static void a_message_with_one_byte_lost_or_doubled_is_a_request_or_refused(void **state)
{
    (void)state;
    for_each_message(drop_and_double_everywhere);
}

/* A message of the given size made of one byte, over and over. */
static void repeat_every_byte(size_t bytes)
{
    char *copy = malloc(bytes);
    for (unsigned value = 0; value < 256; value++) {
        memset(copy, (int)value, bytes);
        (void)decode_soundly(copy, bytes); /* A lone digit is JSON; nothing is a request. */
    }
    free(copy);
}

static void one_byte_over_and_over_is_refused(void **state)
{
    (void)state;
    repeat_every_byte(1);
    repeat_every_byte(2);
    repeat_every_byte(MESSAGE_BYTES_MAX);
}

/* --- Threads. --- */

enum { ROUNDS = 2000 };

static void *decode_many(void *context)
{
    const char *name = context;
    char message[80] = "{\"type\":\"hello\",\"id\":1,\"name\":\"";
    strcat(message, name);
    strcat(message, "\"}");
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct request request;
        struct problem problem;
        if (!decode_request(message, strlen(message), &request, &problem)) return NULL;
        if (strcmp(request.hello.name, name) != 0) return NULL;
    }
    return context;
}

static void two_threads_decode_without_each_other(void **state)
{
    (void)state;
    static char ada[] = "Ada";
    static char grace[] = "Grace";
    pthread_t threads[2];
    void *results[2];
    assert_int_equal(pthread_create(&threads[0], NULL, decode_many, ada), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, decode_many, grace), 0);
    assert_int_equal(pthread_join(threads[0], &results[0]), 0);
    assert_int_equal(pthread_join(threads[1], &results[1]), 0);
    assert_ptr_equal(results[0], ada);
    assert_ptr_equal(results[1], grace);
}

static int setup(void **state)
{
    (void)state;
    decode_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_message_is_a_request_before_its_end),
        cmocka_unit_test(a_message_with_one_byte_changed_is_a_request_or_refused),
        cmocka_unit_test(a_message_with_one_byte_lost_or_doubled_is_a_request_or_refused),
        cmocka_unit_test(one_byte_over_and_over_is_refused),
        cmocka_unit_test(two_threads_decode_without_each_other),
    };
    return cmocka_run_group_tests_name("decode_torture", tests, setup, NULL);
}
