#include "edge/head.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define RESPONSE(status, fields)                                                                   \
    "HTTP/1.1 " status "\r\n" fields "Connection: close\r\nContent-Length: 0\r\n\r\n"

const char head_response_full[] = RESPONSE("503 Service Unavailable", "Retry-After: 5\r\n");

static const char too_large[] = RESPONSE("431 Request Header Fields Too Large", "");
static const char bad_request[] = RESPONSE("400 Bad Request", "");
const char head_response_not_found[] = RESPONSE("404 Not Found", "");
static const char upgrade_required[] =
    RESPONSE("426 Upgrade Required", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");

struct text {
    const char *at;
    size_t size;
};

static struct text trim(struct text text)
{
    while (text.size > 0 && (*text.at == ' ' || *text.at == '\t')) {
        text.at++;
        text.size--;
    }
    while (text.size > 0 && (text.at[text.size - 1] == ' ' || text.at[text.size - 1] == '\t')) {
        text.size--;
    }
    return text;
}

static bool is_word(struct text text, const char *word)
{
    return text.size == strlen(word) && strncasecmp(text.at, word, text.size) == 0;
}

/* The value of a header field, or a NULL text where the head has none. Finds the `nth` of that name. */
static struct text find_field(struct text head, const char *name, unsigned nth)
{
    size_t name_size = strlen(name);
    const char *end = head.at + head.size;
    const char *line = memchr(head.at, '\n', head.size);
    while (line != NULL && ++line < end) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        size_t size = (size_t)((next != NULL ? next : end) - line);
        if (size > 0 && line[size - 1] == '\r') size--;
        if (size > name_size && line[name_size] == ':' && strncasecmp(line, name, name_size) == 0 &&
            nth-- == 0) {
            return trim((struct text){line + name_size + 1, size - name_size - 1});
        }
        line = next;
    }
    return (struct text){NULL, 0};
}

static bool is_exactly(struct text text, const char *word)
{
    return text.size == strlen(word) && memcmp(text.at, word, text.size) == 0;
}

/* Whether a comma-separated list has the word, as `is` compares. */
static bool has_word(struct text list, const char *word, bool (*is)(struct text, const char *))
{
    const char *end = list.at + list.size;
    for (const char *at = list.at; at != NULL && at < end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma != NULL ? comma : end;
        if (is(trim((struct text){at, (size_t)(stop - at)}), word)) return true;
        at = comma != NULL ? comma + 1 : NULL;
    }
    return false;
}

static bool is_on_path(struct text head, const char *path)
{
    const char *space = memchr(head.at, ' ', head.size);
    if (space == NULL) return false;
    struct text rest = {space + 1, head.size - (size_t)(space + 1 - head.at)};
    size_t size = strlen(path);
    return rest.size > size && memcmp(rest.at, path, size) == 0 &&
           (rest.at[size] == ' ' || rest.at[size] == '?');
}

/* docs/protocol.md, Transport: other subprotocols only are refused, none is served as quizrush.v1. */
static bool offers_ours(struct text head)
{
    struct text offer;
    unsigned count = 0;
    for (; (offer = find_field(head, "sec-websocket-protocol", count)).at != NULL; count++) {
        if (has_word(offer, "quizrush.v1", is_exactly)) return true;
    }
    return count == 0;
}

static enum head_verdict look_at_upgrade(struct text head, const char **ret_response)
{
    if (!is_on_path(head, "/ws")) {
        *ret_response = head_response_not_found;
    } else if (!is_word(find_field(head, "sec-websocket-version", 0), "13")) {
        *ret_response = upgrade_required;
    } else if (strncmp(head.at, "GET ", 4) != 0 || !offers_ours(head) ||
               find_field(head, "sec-websocket-key", 0).size != 24) {
        *ret_response = bad_request;
    } else {
        return HEAD_UPGRADE;
    }
    return HEAD_REFUSED;
}

enum head_verdict head_look(const char *bytes, size_t size, size_t *ret_bytes,
                            const char **ret_response)
{
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);
    if (end == NULL) {
        if (size < HEAD_BYTES_MAX) return HEAD_INCOMPLETE;
        *ret_response = too_large;
        return HEAD_REFUSED;
    }
    struct text head = {bytes, (size_t)(end - bytes) + 2};
    *ret_bytes = head.size + 2;
    if (memchr(head.at, '\0', head.size) != NULL) {
        *ret_response = bad_request;
        return HEAD_REFUSED;
    }
    struct text upgrade = find_field(head, "upgrade", 0);
    if (upgrade.at != NULL && has_word(upgrade, "websocket", is_word)) {
        return look_at_upgrade(head, ret_response);
    }
    if (is_on_path(head, "/ws")) {
        *ret_response = upgrade_required;
        return HEAD_REFUSED;
    }
    return HEAD_HTTP;
}
