#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"

void qr_assert_failed(const char *file, int line, const char *claim)
{
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, claim);
    abort(); /* libFuzzer keeps the input and prints the stack. */
}

const char *fuzz_file(const void *bytes, size_t size)
{
    static int fd = -1;
    static char path[32];
    if (fd < 0) {
        fd = memfd_create("input", MFD_CLOEXEC);
        QR_ASSERT(fd >= 0);
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    QR_ASSERT(ftruncate(fd, 0) == 0);
    QR_ASSERT(pwrite(fd, bytes, size, 0) == (ssize_t)size);
    return path;
}
