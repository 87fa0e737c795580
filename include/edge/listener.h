/* Listening sockets. Main thread, before the workers start. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"

enum { LISTENER_BACKLOG = 4096 };

/* How many connections wait to be accepted, and the most that may. Zero where the kernel does not say. */
void listener_depth(int fd, uint32_t *ret_waiting, uint32_t *ret_bound);

/* Opens `count` sockets that share one address through SO_REUSEPORT, so that the kernel spreads connections over them.
 * 0, or a negative errno, and none is open: -EADDRINUSE also where another process of this user listens there, which
 * SO_REUSEPORT alone would let pass. */
QR_MUST_USE int listener_open(const char *address, uint32_t port, unsigned count, int ret_fds[]);
