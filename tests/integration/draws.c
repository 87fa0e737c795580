/* For LD_PRELOAD: what getrandom() gave the program goes also to the file that QUIZRUSH_DRAWS names, each draw behind
 * its size, so that a test knows every random byte there was. What libraries draw for themselves is not the program's. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static void record(const char *path, void *bytes, uint32_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
    struct iovec parts[] = {{&size, sizeof(size)}, {bytes, size}};
    /* One write, for threads draw at the same time. A test that misses a draw must not pass. */
    if (fd < 0 || writev(fd, parts, 2) != (ssize_t)(sizeof(size) + size)) abort();
    (void)close(fd); /* It is written. */
}

static int is_the_programs(void *caller)
{
    Dl_info info;
    if (dladdr(caller, &info) == 0) abort();
    const char *slash = strrchr(info.dli_fname, '/');
    return strcmp(slash == NULL ? info.dli_fname : slash + 1, program_invocation_short_name) == 0;
}

ssize_t getrandom(void *bytes, size_t size, unsigned flags)
{
    ssize_t got = syscall(SYS_getrandom, bytes, size, flags);
    const char *path = getenv("QUIZRUSH_DRAWS");
    if (got > 0 && path != NULL && is_the_programs(__builtin_return_address(0)))
        record(path, bytes, (uint32_t)got);
    return got;
}
