/* The proxies that are trusted: addresses and ranges, parsed from the configuration.
 *
 * Behind a proxy the kernel's round-trip time is the proxy's, so no delay is credited to who comes
 * from there. IPv4 addresses are kept, and compared, as the part ::ffff:0:0/96 of IPv6 that they
 * are to a socket which takes both.
 *
 * A value of at most PROXIES_MAX ranges; looked at once per connection. Any thread, once parsed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/assert.h"

enum { PROXIES_MAX = 32, PROXIES_PROBLEM_BYTES = 160 };

struct proxy_range {
    uint8_t address[16];
    uint8_t prefix_bits; /* 0 … 128 */
};

struct proxies {
    struct proxy_range ranges[PROXIES_MAX];
    uint8_t count;
};

/* The item that is wrong and why, as the beginning of a sentence: "\"10.0.0.1/8\" has bits behind
 * its prefix". */
struct proxies_problem {
    char text[PROXIES_PROBLEM_BYTES];
};

/* `text` is a list of ADDRESS or ADDRESS/PREFIX, separated by commas, with spaces around them or
 * not; an empty one means none. False: nothing was written but the problem. */
QR_MUST_USE bool proxies_parse(const char *text, struct proxies *ret_proxies,
                               struct proxies_problem *reterr_problem);

/* Whether a peer's address is in one of the ranges; one that is neither IPv4 nor IPv6 is not. */
bool proxies_has(const struct proxies *proxies, const struct sockaddr_storage *peer);
