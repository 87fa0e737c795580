/* The head of an HTTP request: edge/head.h.
 *
 * Whatever arrives behind a head does not change what it is, and no head is judged before it is
 * whole. A handshake that is let through is one by the letter of docs/protocol.md, Transport. What
 * is passed on instead of the client's head is a whole head itself, and is judged as that was.
 */
#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "edge/head.h"
#include "fuzz.h"

static const char head_end[] = "\r\n\r\n";
static const struct head_rules strict = {.path = "/ws"};
static const struct head_rules lenient = {.path = "/ws", .takes_other_subprotocols = true};

struct look {
    enum head_verdict verdict;
    struct head_found found;
};

static struct look look_at(const struct head_rules *rules, const void *bytes, size_t size)
{
    struct look look = {.found = {.bytes = 0}};
    look.verdict = head_look(rules, bytes, size, &look.found);
    return look;
}

static bool has_prefix(const uint8_t *bytes, size_t size, const char *prefix)
{
    return size >= strlen(prefix) && memcmp(bytes, prefix, strlen(prefix)) == 0;
}

static bool is_for_the_game(const uint8_t *bytes, size_t size)
{
    return has_prefix(bytes, size, "GET /ws ") || has_prefix(bytes, size, "GET /ws?");
}

static void check_incomplete(const struct look *look, const uint8_t *bytes, size_t size)
{
    QR_ASSERT(size < HEAD_BYTES_MAX);
    QR_ASSERT(memmem(bytes, size, head_end, strlen(head_end)) == NULL);
    QR_ASSERT(look->found.bytes == 0 && look->found.response == NULL);
}

static void check_refused(const struct look *look)
{
    const char *response = look->found.response;
    QR_ASSERT(response != NULL);
    QR_ASSERT(strncmp(response, "HTTP/1.1 4", 10) == 0);
    QR_ASSERT(strcmp(response + strlen(response) - strlen(head_end), head_end) == 0);
}

/* Where a head is whole, its bytes alone say what it is. */
static void check_whole(const struct head_rules *rules, const struct look *look,
                        const uint8_t *bytes, size_t size)
{
    const uint8_t *end = memmem(bytes, size, head_end, strlen(head_end));
    size_t head_bytes = look->found.bytes;
    QR_ASSERT(end != NULL);
    QR_ASSERT(look->found.response == NULL);
    QR_ASSERT(head_bytes == (size_t)(end - bytes) + strlen(head_end));
    QR_ASSERT(memchr(bytes, '\0', head_bytes) == NULL);
    struct look alone = look_at(rules, bytes, head_bytes);
    QR_ASSERT(alone.verdict == look->verdict && alone.found.bytes == head_bytes);
    if (head_bytes > HEAD_BYTES_MAX) return;
    QR_ASSERT(look_at(rules, bytes, head_bytes - 1).verdict == HEAD_INCOMPLETE);
}

static void check_forwarded(const struct head_rules *rules, const struct look *look)
{
    const char *forwarded = look->found.forwarded;
    size_t length = strnlen(forwarded, sizeof look->found.forwarded);
    QR_ASSERT(length < sizeof look->found.forwarded);
    for (size_t i = 0; i < length; i++) {
        bool is_shown = forwarded[i] >= ' ' && forwarded[i] <= '~';
        QR_ASSERT(is_shown || forwarded[i] == '\r' || forwarded[i] == '\n');
    }
    struct look again = look_at(rules, forwarded, length);
    QR_ASSERT(again.verdict == look->verdict && again.found.bytes == length);
    QR_ASSERT(strcmp(again.found.forwarded, forwarded) == 0);
}

static void check_upgrade(const struct head_rules *rules, const uint8_t *bytes, size_t size)
{
    QR_ASSERT(is_for_the_game(bytes, size));
    char text[HEAD_BYTES_MAX + 1];
    if (size >= sizeof text) return;
    memcpy(text, bytes, size);
    text[size] = '\0';
    QR_ASSERT(strcasestr(text, "\nhost:") != NULL);
    QR_ASSERT(strcasestr(text, "\nupgrade:") != NULL);
    QR_ASSERT(strcasestr(text, "\nconnection:") != NULL);
    QR_ASSERT(strcasestr(text, "websocket") != NULL);
    QR_ASSERT(strcasestr(text, "\nsec-websocket-version:") != NULL);
    QR_ASSERT(strcasestr(text, "\nsec-websocket-key:") != NULL);
    QR_ASSERT(rules->takes_other_subprotocols ||
              strcasestr(text, "\nsec-websocket-protocol:") == NULL ||
              strstr(text, HEAD_SUBPROTOCOL) != NULL);
}

static enum head_verdict check(const struct head_rules *rules, const uint8_t *bytes, size_t size)
{
    struct look look = look_at(rules, bytes, size);
    switch (look.verdict) {
    case HEAD_INCOMPLETE: check_incomplete(&look, bytes, size); return look.verdict;
    case HEAD_REFUSED: check_refused(&look); return look.verdict;
    case HEAD_HTTP:
        QR_ASSERT(!is_for_the_game(bytes, size));
        check_whole(rules, &look, bytes, size);
        check_forwarded(rules, &look);
        return look.verdict;
    case HEAD_UPGRADE:
        check_upgrade(rules, bytes, look.found.bytes);
        check_whole(rules, &look, bytes, size);
        check_forwarded(rules, &look);
        return look.verdict;
    }
    QR_UNREACHABLE("a verdict is none of its kinds");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    enum head_verdict verdict = check(&strict, bytes, size);
    enum head_verdict where_lenient = check(&lenient, bytes, size);
    QR_ASSERT(verdict == where_lenient ||
              (verdict == HEAD_REFUSED && where_lenient == HEAD_UPGRADE));
    return 0;
}
