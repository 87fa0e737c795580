/* For LD_PRELOAD: fdatasync() waits while somebody else has locked the file that QUIZRUSH_DISK names (flock), so that a
 * test decides when a disk is slow, and for how long. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

int fdatasync(int fd)
{
    const char *path = getenv("QUIZRUSH_DISK");
    int lock = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (lock >= 0) {
        if (flock(lock, LOCK_SH) < 0) abort(); /* A test that does not wait must not pass. */
        (void)close(lock); /* And with it the lock. */
    }
    return (int)syscall(SYS_fdatasync, fd);
}
