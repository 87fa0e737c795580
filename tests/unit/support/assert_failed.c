/* QR_ASSERT in unit tests: a failed claim is cmocka's to judge, so that expect_assert_failure() works. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/assert.h"

void qr_assert_failed(const char *file, int line, const char *claim)
{
    mock_assert(0, claim, file, line);
    abort(); /* Not reached: mock_assert leaves by longjmp or by failing the test. */
}
