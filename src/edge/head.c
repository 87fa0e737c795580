#include "edge/head.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define RESPONSE(status, fields)                                                                   \
    "HTTP/1.1 " status "\r\n" fields "Connection: close\r\nContent-Length: 0\r\n\r\n"

const char head_response_full[] = RESPONSE("503 Service Unavailable", "Retry-After: 5\r\n");

static const char too_large[] = RESPONSE("431 Request Header Fields Too Large", "");
static const char bad_request[] = RESPONSE("400 Bad Request", "");
const char head_response_not_found[] = RESPONSE("404 Not Found", "");
static const char method_not_allowed[] = RESPONSE("405 Method Not Allowed", "Allow: GET, HEAD\r\n");
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

/* Whether a header that is a list, in one field or several, has the word. */
static bool has_listed(struct text head, const char *name, const char *word,
                       bool (*is)(struct text, const char *))
{
    struct text list;
    for (unsigned i = 0; (list = find_field(head, name, i)).at != NULL; i++) {
        if (has_word(list, word, is)) return true;
    }
    return false;
}

/* --- The first line. --- */

struct request {
    struct text head;
    struct text method, path, version; /* The path without its query. */
};

static struct text take_until(struct text *rest, const char *separators)
{
    size_t size = 0;
    while (size < rest->size && strchr(separators, rest->at[size]) == NULL) size++;
    struct text taken = {rest->at, size};
    size_t left = size < rest->size ? size + 1 : size;
    rest->at += left;
    rest->size -= left;
    return taken;
}

/* Three words with a space between each two. Requires: no NUL in the head, and a line's end. */
static bool read_request(struct text head, struct request *ret_request)
{
    struct text rest = head;
    struct text line = take_until(&rest, "\r\n");
    struct text method = take_until(&line, " ");
    struct text target = take_until(&line, " ");
    if (!is_exactly(line, "HTTP/1.1") && !is_exactly(line, "HTTP/1.0")) return false;
    *ret_request = (struct request){head, method, take_until(&target, "?"), line};
    return true;
}

/* --- Handshakes. --- */

/* docs/protocol.md, Transport: other subprotocols only are refused, none is served as ours. */
static bool is_subprotocol_right(const struct head_rules *rules, struct text head)
{
    return rules->takes_other_subprotocols ||
           find_field(head, "sec-websocket-protocol", 0).at == NULL ||
           has_listed(head, "sec-websocket-protocol", HEAD_SUBPROTOCOL, is_exactly);
}

/* 16 bytes in base64. */
static bool is_key(struct text key)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    enum { KEY_BYTES = 24, KEY_DIGITS = 22 };
    if (key.size != KEY_BYTES || memcmp(key.at + KEY_DIGITS, "==", 2) != 0) return false;
    for (unsigned i = 0; i < KEY_DIGITS; i++) {
        if (strchr(digits, key.at[i]) == NULL) return false;
    }
    return true;
}

static enum head_verdict refuse(struct head_found *ret_found, const char *response)
{
    ret_found->response = response;
    return HEAD_REFUSED;
}

static enum head_verdict look_at_upgrade(const struct head_rules *rules,
                                         const struct request *request,
                                         struct head_found *ret_found)
{
    struct text head = request->head;
    struct text key = find_field(head, "sec-websocket-key", 0);
    if (!is_exactly(request->path, rules->path)) return refuse(ret_found, head_response_not_found);
    if (!is_word(find_field(head, "sec-websocket-version", 0), "13")) {
        return refuse(ret_found, upgrade_required);
    }
    if (!is_exactly(request->method, "GET") || !is_exactly(request->version, "HTTP/1.1") ||
        find_field(head, "host", 0).at == NULL ||
        !has_listed(head, "connection", "upgrade", is_word) || !is_subprotocol_right(rules, head) ||
        !is_key(key)) {
        return refuse(ret_found, bad_request);
    }
    bool is_ours = has_listed(head, "sec-websocket-protocol", HEAD_SUBPROTOCOL, is_exactly);
    (void)snprintf(ret_found->forwarded, sizeof(ret_found->forwarded),
                   "GET /ws HTTP/1.1\r\nHost: quizrush\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: %.*s\r\n%s\r\n",
                   (int)key.size, key.at,
                   is_ours ? "Sec-WebSocket-Protocol: " HEAD_SUBPROTOCOL "\r\n" : "");
    return HEAD_UPGRADE;
}

/* --- Plain requests. --- */

/* Nothing that is served has another character in its path. */
static bool may_be_served(struct text path)
{
    static const char characters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        "/._-";
    if (path.size == 0 || path.size > HEAD_PATH_BYTES_MAX || path.at[0] != '/') return false;
    for (size_t i = 0; i < path.size; i++) {
        if (strchr(characters, path.at[i]) == NULL) return false;
    }
    return true;
}

static enum head_verdict look_at_plain(const struct request *request, struct head_found *ret_found)
{
    struct text method = request->method, path = request->path;
    if (!is_exactly(method, "GET") && !is_exactly(method, "HEAD")) {
        return refuse(ret_found, method_not_allowed);
    }
    if (!may_be_served(path)) return refuse(ret_found, head_response_not_found);
    (void)snprintf(ret_found->forwarded, sizeof(ret_found->forwarded),
                   "%.*s %.*s HTTP/1.1\r\nHost: quizrush\r\nConnection: close\r\n\r\n",
                   (int)method.size, method.at, (int)path.size, path.at);
    return HEAD_HTTP;
}

enum head_verdict head_look(const struct head_rules *rules, const char *bytes, size_t size,
                            struct head_found *ret_found)
{
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);
    if (end == NULL) return size < HEAD_BYTES_MAX ? HEAD_INCOMPLETE : refuse(ret_found, too_large);
    struct text head = {bytes, (size_t)(end - bytes) + 2};
    struct request request;
    if (memchr(head.at, '\0', head.size) != NULL || !read_request(head, &request)) {
        return refuse(ret_found, bad_request);
    }
    ret_found->bytes = head.size + 2;
    if (has_listed(head, "upgrade", "websocket", is_word)) {
        return look_at_upgrade(rules, &request, ret_found);
    }
    if (is_exactly(request.path, rules->path)) return refuse(ret_found, upgrade_required);
    return look_at_plain(&request, ret_found);
}
