/* A match among events that the bytes choose: the walk of tests/unit/core/match_walk.h, whose rules
 * are looked at after every step. */
#include <stdlib.h>

#include "base/assert.h"
#include "fuzz.h"
#include "match_walk.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    /* A rule that fails outside a test of cmocka's ends the process where it stands. */
    QR_ASSERT(setenv("CMOCKA_TEST_ABORT", "1", 1) == 0);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct walk walk;
    walk_match_of_bytes(&walk, bytes, size);
    return 0;
}
