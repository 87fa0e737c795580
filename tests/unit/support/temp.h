/* Where tests put files: below TMPDIR, which ctest points to memory where it can, else below /tmp. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"

/* A template for mkstemp() and mkdtemp(). */
static inline void temp_template(char *ret_path, size_t size, const char *name)
{
    const char *directory = getenv("TMPDIR");
    int length = snprintf(ret_path, size, "%s/quizrush-%s-XXXXXX",
                          directory != NULL ? directory : "/tmp", name);
    QR_ASSERT(length > 0 && (size_t)length < size);
}
