/* The head of an HTTP request: edge/head.h.
 *
 * Whatever arrives behind a head does not change what it is, and no head is judged before it is
 * whole. A handshake that is let through is one by the letter of docs/protocol.md, Transport.
 */
#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "edge/head.h"
#include "fuzz.h"

static const char head_end[] = "\r\n\r\n";

struct look {
    enum head_verdict verdict;
    size_t bytes;
    const char *response;
};

static struct look look_at(const uint8_t *bytes, size_t size)
{
    struct look look = {.bytes = 0};
    look.verdict = head_look((const char *)bytes, size, &look.bytes, &look.response);
    return look;
}

static bool has_prefix(const uint8_t *bytes, size_t size, const char *prefix)
{
    return size >= strlen(prefix) && memcmp(bytes, prefix, strlen(prefix)) == 0;
}

static void check_incomplete(const struct look *look, const uint8_t *bytes, size_t size)
{
    QR_ASSERT(size < HEAD_BYTES_MAX);
    QR_ASSERT(memmem(bytes, size, head_end, strlen(head_end)) == NULL);
    QR_ASSERT(look->bytes == 0 && look->response == NULL);
}

static void check_refused(const struct look *look)
{
    QR_ASSERT(look->response != NULL);
    size_t length = strlen(look->response);
    QR_ASSERT(strncmp(look->response, "HTTP/1.1 4", 10) == 0);
    QR_ASSERT(strcmp(look->response + length - strlen(head_end), head_end) == 0);
}

/* Where a head is whole, its bytes alone say what it is. */
static void check_whole(const struct look *look, const uint8_t *bytes, size_t size)
{
    const uint8_t *end = memmem(bytes, size, head_end, strlen(head_end));
    QR_ASSERT(end != NULL);
    QR_ASSERT(look->response == NULL);
    QR_ASSERT(look->bytes == (size_t)(end - bytes) + strlen(head_end));
    QR_ASSERT(memchr(bytes, '\0', look->bytes) == NULL);
    struct look alone = look_at(bytes, look->bytes);
    QR_ASSERT(alone.verdict == look->verdict && alone.bytes == look->bytes);
    if (look->bytes > HEAD_BYTES_MAX) return;
    struct look cut = look_at(bytes, look->bytes - 1);
    QR_ASSERT(cut.verdict == HEAD_INCOMPLETE);
}

static void check_upgrade(const uint8_t *bytes, size_t size)
{
    QR_ASSERT(has_prefix(bytes, size, "GET /ws ") || has_prefix(bytes, size, "GET /ws?"));
    char text[HEAD_BYTES_MAX + 1];
    if (size >= sizeof text) return;
    memcpy(text, bytes, size);
    text[size] = '\0';
    QR_ASSERT(strcasestr(text, "\nupgrade:") != NULL);
    QR_ASSERT(strcasestr(text, "websocket") != NULL);
    QR_ASSERT(strcasestr(text, "\nsec-websocket-version:") != NULL);
    QR_ASSERT(strcasestr(text, "\nsec-websocket-key:") != NULL);
    QR_ASSERT(strcasestr(text, "\nsec-websocket-protocol:") == NULL ||
              strstr(text, "quizrush.v1") != NULL);
}

static void check_http(const uint8_t *bytes, size_t size)
{
    QR_ASSERT(!has_prefix(bytes, size, "GET /ws ") && !has_prefix(bytes, size, "GET /ws?"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct look look = look_at(bytes, size);
    switch (look.verdict) {
    case HEAD_INCOMPLETE: check_incomplete(&look, bytes, size); return 0;
    case HEAD_REFUSED: check_refused(&look); return 0;
    case HEAD_HTTP:
        check_whole(&look, bytes, size);
        check_http(bytes, look.bytes);
        return 0;
    case HEAD_UPGRADE:
        check_whole(&look, bytes, size);
        check_upgrade(bytes, look.bytes);
        return 0;
    }
    QR_UNREACHABLE("a verdict is none of its kinds");
}
