/* A message decoded: the request, or the problem. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "proto/decode.h"

#define MATCH_TEXT "01920000-0000-7000-8000-00000000002a"

static const struct id match_id = {{0x01, 0x92, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x2a}};

static inline struct request accepted(const char *text)
{
    struct request request;
    struct problem problem = {.message = ""};
    bool is_request = decode_request(text, strlen(text), &request, &problem);
    assert_string_equal(problem.message, "");
    assert_true(is_request);
    return request;
}

static inline struct problem refused(const char *text)
{
    struct request request = {.id = 77};
    struct problem problem;
    assert_false(decode_request(text, strlen(text), &request, &problem));
    assert_int_equal(request.id, 77); /* A refusal writes no request. */
    return problem;
}

static inline void assert_bad(const char *text, uint32_t request_id, const char *message)
{
    struct problem problem = refused(text);
    assert_string_equal(problem.message, message);
    assert_int_equal(problem.refusal, REFUSAL_BAD_MESSAGE);
    assert_int_equal(problem.request_id, request_id);
    assert_false(problem.is_silent);
}

/* A message with `count` times the letter x between two texts. Valid until the next. */
static inline const char *filled(const char *before, size_t count, const char *after)
{
    static char text[MESSAGE_BYTES_MAX + 1];
    size_t before_bytes = strlen(before);
    assert_true(before_bytes + count + strlen(after) <= MESSAGE_BYTES_MAX);
    memcpy(text, before, before_bytes);
    memset(text + before_bytes, 'x', count);
    strcpy(text + before_bytes + count, after);
    return text;
}

static inline int setup(void **state)
{
    (void)state;
    decode_init();
    return 0;
}
