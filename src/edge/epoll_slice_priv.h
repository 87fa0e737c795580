/* How many events one look at an epoll set brings, whatever was asked for.
 *
 * libuv asks for 1,024 and, where it gets as many, asks again, up to 48 times, all within one uv_run: 49,152 sockets
 * served before anybody is answered. It has no setting for that; but where it gets fewer than it has asked for it is
 * content. So epoll_wait is the program's own, and returns at most EPOLL_SLICE events; the kernel begins the next look
 * with those that were left. For any caller a short count is in order.
 */
#pragma once

#include <stdbool.h>

enum { EPOLL_SLICE = 32 };

/* Whether this thread's last look brought as many as it may, so that more may be ready. */
bool epoll_slice_was_full(void);
