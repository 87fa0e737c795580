#include "edge/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t parse_address(const char *text, uint32_t port, union socket_address *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1) {
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = htons((uint16_t)port);
        return sizeof(ret->v4);
    }
    if (inet_pton(AF_INET6, text, &ret->v6.sin6_addr) == 1) {
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = htons((uint16_t)port);
        return sizeof(ret->v6);
    }
    return 0;
}

/* What the kernel keeps of each connection, which takes both from its listener, in bytes; it doubles them for its own
 * headers. A client's longest message fits several times, and what a slow reader leaves is the outbox's to bound, not
 * megabytes of the kernel's, which are nobody's to see. */
enum { RECEIVE_BUFFER = 16384, SEND_BUFFER = 32768 };

/* With SO_REUSEADDR in any case: connections of an earlier run that linger in TIME_WAIT are no reason to wait. */
static int open_bound(const union socket_address *address, socklen_t length, int is_shared)
{
    int one = 1;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &is_shared, sizeof(is_shared)) < 0 ||
        bind(fd, &address->any, length) < 0) {
        int error = -errno;
        (void)close(fd); /* Nothing was done with it. */
        return error;
    }
    return fd;
}

static int open_listening(const union socket_address *address, socklen_t length)
{
    int receive = RECEIVE_BUFFER, send = SEND_BUFFER;
    int fd = open_bound(address, length, 1);
    if (fd < 0) return fd;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof(receive)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send, sizeof(send)) == 0 &&
        listen(fd, LISTENER_BACKLOG) == 0) {
        return fd;
    }
    int error = -errno;
    (void)close(fd); /* Nothing was done with it. */
    return error;
}

int listener_open(const char *address_text, uint32_t port, unsigned count, int ret_fds[])
{
    union socket_address address;
    socklen_t length = parse_address(address_text, port, &address);
    if (length == 0) return -EINVAL;
    /* Whoever else listens there has it: a socket without SO_REUSEPORT cannot join them. */
    int probe = open_bound(&address, length, 0);
    if (probe < 0) return probe;
    (void)close(probe); /* It has shown what it was for. */
    for (unsigned i = 0; i < count; i++) {
        ret_fds[i] = open_listening(&address, length);
        if (ret_fds[i] >= 0) continue;
        int error = ret_fds[i];
        while (i-- > 0) (void)close(ret_fds[i]); /* Nobody has connected that could be told. */
        return error;
    }
    return 0;
}

void listener_depth(int fd, uint32_t *ret_waiting, uint32_t *ret_bound)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);
    bool is_known = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
    /* Of a listener these two have another meaning than their names (tcp(7) does not say so, ss(8) shows it). */
    *ret_waiting = is_known ? info.tcpi_unacked : 0;
    *ret_bound = is_known ? info.tcpi_sacked : 0;
}
