#include "tcp_rtt_priv.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

uint32_t tcp_min_rtt_us(int fd)
{
    /* The kernel's word for "none yet" also stands for what an old one does not fill in. */
    struct tcp_info info = {.tcpi_min_rtt = UINT32_MAX};
    socklen_t size = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return 0;
    return info.tcpi_min_rtt != UINT32_MAX ? info.tcpi_min_rtt : 0;
}
