/* For LD_PRELOAD: a sync takes QUIZRUSH_SYNC_MS more than it does, as on a disk that is slower than this one's. */
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void wait_for_the_disk(void)
{
    const char *text = getenv("QUIZRUSH_SYNC_MS");
    if (text != NULL) (void)poll(NULL, 0, (int)strtol(text, NULL, 10)); /* Shorter is fine. */
}

int fdatasync(int fd)
{
    wait_for_the_disk();
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    wait_for_the_disk();
    return (int)syscall(SYS_fsync, fd);
}
