#include "edge/proxies.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum { ITEM_BYTES = INET6_ADDRSTRLEN + 8, ADDRESS_BITS = 128, MAPPED_BITS = 96, SHOWN_BYTES = 64 };

static const uint8_t mapped_prefix[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

static void map_ipv4(const struct in_addr *from, uint8_t ret_address[16])
{
    memcpy(ret_address, mapped_prefix, sizeof mapped_prefix);
    memcpy(ret_address + sizeof mapped_prefix, from, 4);
}

/* Digits only, without a leading zero, at most `max`. */
static bool parse_prefix(const char *text, unsigned max, unsigned *ret_bits)
{
    unsigned bits = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 3 || text[digits] != '\0') return false;
    if (text[0] == '0' && digits > 1) return false;
    for (size_t i = 0; i < digits; i++) bits = bits * 10 + (unsigned)(text[i] - '0');
    *ret_bits = bits;
    return bits <= max;
}

static bool has_bit(const uint8_t address[16], unsigned bit)
{
    return (address[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

static bool is_clear_behind(const struct proxy_range *range)
{
    for (unsigned bit = range->prefix_bits; bit < ADDRESS_BITS; bit++) {
        if (has_bit(range->address, bit)) return false;
    }
    return true;
}

/* NULL, or what is wrong with the item. */
static const char *parse_item(const char *text, size_t size, struct proxy_range *ret_range)
{
    char item[ITEM_BYTES];
    if (size == 0) return "is empty: each item is an address or a range";
    if (size >= sizeof item) return "is not an IPv4 or IPv6 address, or a range of them";
    memcpy(item, text, size);
    item[size] = '\0';
    char *slash = strchr(item, '/');
    if (slash != NULL) *slash = '\0';
    struct in_addr ipv4;
    bool is_ipv4 = inet_pton(AF_INET, item, &ipv4) == 1;
    if (is_ipv4) map_ipv4(&ipv4, ret_range->address);
    if (!is_ipv4 && inet_pton(AF_INET6, item, ret_range->address) != 1) {
        return "is not an IPv4 or IPv6 address, or a range of them";
    }
    unsigned before = is_ipv4 ? MAPPED_BITS : 0;
    unsigned bits = ADDRESS_BITS - before;
    if (slash != NULL && !parse_prefix(slash + 1, bits, &bits)) {
        return is_ipv4 ? "has a prefix that is no number from 0 to 32"
                       : "has a prefix that is no number from 0 to 128";
    }
    ret_range->prefix_bits = (uint8_t)(before + bits);
    return is_clear_behind(ret_range) ? NULL : "has bits behind its prefix";
}

static bool complain(const char *item, size_t size, const char *why,
                     struct proxies_problem *reterr_problem)
{
    int shown = size < SHOWN_BYTES ? (int)size : (int)SHOWN_BYTES;
    (void)snprintf(reterr_problem->text, sizeof reterr_problem->text, "\"%.*s\" %s", shown, item,
                   why);
    return false;
}

bool proxies_parse(const char *text, struct proxies *ret_proxies,
                   struct proxies_problem *reterr_problem)
{
    struct proxies proxies = {.count = 0};
    bool is_last = text[strspn(text, " ")] == '\0';
    while (!is_last) {
        text += strspn(text, " ");
        size_t size = strcspn(text, ",");
        const char *next = text + size;
        while (size > 0 && text[size - 1] == ' ') size--;
        if (proxies.count == PROXIES_MAX) {
            return complain(text, size, "is one more than the most, 32", reterr_problem);
        }
        const char *why = parse_item(text, size, &proxies.ranges[proxies.count]);
        if (why != NULL) return complain(text, size, why, reterr_problem);
        proxies.count++;
        is_last = *next == '\0';
        text = next + 1;
    }
    *ret_proxies = proxies;
    return true;
}

static bool is_in(const struct proxy_range *range, const uint8_t address[16])
{
    unsigned whole = range->prefix_bits / 8;
    unsigned rest = range->prefix_bits % 8;
    if (memcmp(range->address, address, whole) != 0) return false;
    return rest == 0 || (range->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}

bool proxies_has(const struct proxies *proxies, const struct sockaddr_storage *peer)
{
    uint8_t address[16];
    if (peer->ss_family == AF_INET) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, peer, sizeof ipv4);
        map_ipv4(&ipv4.sin_addr, address);
    } else if (peer->ss_family == AF_INET6) {
        struct sockaddr_in6 ipv6;
        memcpy(&ipv6, peer, sizeof ipv6);
        memcpy(address, &ipv6.sin6_addr, sizeof address);
    } else {
        return false;
    }
    for (unsigned i = 0; i < proxies->count; i++) {
        if (is_in(&proxies->ranges[i], address)) return true;
    }
    return false;
}
