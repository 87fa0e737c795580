/* For LD_PRELOAD: while the file is there that QUIZRUSH_SLOW names, accept4() works for a second, and so does the turn of
 * the loop that accepts somebody. */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double seconds(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) < 0) abort();
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    const char *path = getenv("QUIZRUSH_SLOW");
    int accepted = (int)syscall(SYS_accept4, fd, address, length, flags);
    if (accepted < 0 || path == NULL || access(path, F_OK) < 0) return accepted;
    for (double until = seconds() + 1; seconds() < until;) continue;
    return accepted;
}
