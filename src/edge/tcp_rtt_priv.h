/* The kernel's measure of a TCP connection.
 *
 * In a file of its own, since <linux/tcp.h>, which alone has tcpi_min_rtt, and the <netinet/tcp.h>
 * that libuv includes exclude each other. One system call. Any thread.
 */
#pragma once

#include <stdint.h>

/* The smallest round-trip time that the kernel has seen lately, in microseconds; 0 where it has
 * seen none, or where the socket is no TCP connection. */
uint32_t tcp_min_rtt_us(int fd);
