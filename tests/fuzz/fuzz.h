/* What the fuzz targets share: the entries that libFuzzer calls, and a file that is in memory.
 *
 * A target is a program of its own, fuzz_<subject>.c: it hands hostile bytes to one reader of the
 * server and claims with QR_ASSERT, which aborts, what must hold whatever they are. It keeps nothing
 * from one input to the next, so that an input repeats its finding alone. One thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* One input. `bytes` is exactly as large as `size` says: a sanitizer sees what is read behind it. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Called once, before the first input. Only in the targets that need it. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* The path of a file that holds these bytes, until the next call: of one file in memory, so that an
 * input costs no disk. */
const char *fuzz_file(const void *bytes, size_t size);
