/* Assertions that stay on in every build.
 *
 * QR_ASSERT guards memory and what matches share: a failed claim stops the process. It is not for
 * what one match does wrong (match_fault), not for what a client does wrong (enum refusal), not for
 * the world's failures (errno).
 *
 * qr_assert_failed() is defined by the program, not here: the daemon prints and aborts, the unit
 * tests hand it to cmocka. So the pure layers need no output of their own.
 */
#pragma once

/* Prints where and what, and does not return. Any thread. */
__attribute__((noreturn)) void qr_assert_failed(const char *file, int line, const char *claim);

#define QR_ASSERT(claim)                                                                           \
    do {                                                                                           \
        if (__builtin_expect(!(claim), 0)) qr_assert_failed(__FILE__, __LINE__, #claim);           \
    } while (0)

#define QR_UNREACHABLE(why) qr_assert_failed(__FILE__, __LINE__, why)

/* For everything that returns an error or a refusal. Ignoring is written (void)call(); with the
 * reason beside it. */
#define QR_MUST_USE __attribute__((warn_unused_result))
