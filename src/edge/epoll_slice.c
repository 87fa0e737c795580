#include "epoll_slice_priv.h"

#include <signal.h>
#include <sys/epoll.h>

static _Thread_local bool was_full;

/* Instead of libc's, for the whole process: libuv calls it too. */
__attribute__((visibility("default"))) int epoll_wait(int epfd, struct epoll_event *events,
                                                      int maxevents, int timeout)
{
    int most = maxevents < EPOLL_SLICE ? maxevents : EPOLL_SLICE;
    int count = epoll_pwait(epfd, events, most, timeout, NULL);
    was_full = count == EPOLL_SLICE;
    return count;
}

bool epoll_slice_was_full(void)
{
    return was_full;
}
