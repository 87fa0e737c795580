#include "load_ws.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

enum {
    BIT_FINAL = 0x80,
    BITS_RESERVED = 0x70,
    BITS_OPCODE = 0x0f,
    BIT_MASK = 0x80,
    BITS_LENGTH = 0x7f,
    LENGTH_IN_2 = 126,
    LENGTH_IN_8 = 127,
};

void ws_key_format(const uint8_t nonce[WS_NONCE_BYTES], char ret_key[WS_KEY_BYTES + 1])
{
    (void)EVP_EncodeBlock((unsigned char *)ret_key, nonce,
                          WS_NONCE_BYTES); /* Always WS_KEY_BYTES. */
}

void ws_accept_format(const char key[WS_KEY_BYTES + 1], char ret_accept[WS_ACCEPT_BYTES + 1])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455, 1.3. */
    unsigned char text[WS_KEY_BYTES + sizeof(guid) - 1];
    memcpy(text, key, WS_KEY_BYTES);
    memcpy(text + WS_KEY_BYTES, guid, sizeof(guid) - 1);
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1(text, sizeof(text), digest);
    (void)EVP_EncodeBlock((unsigned char *)ret_accept, digest,
                          sizeof(digest)); /* WS_ACCEPT_BYTES. */
}

size_t ws_upgrade_write(char *out, size_t capacity, const char *host, uint16_t port,
                        const char key[WS_KEY_BYTES + 1])
{
    const char *open = strchr(host, ':') != NULL ? "[" : "";
    const char *close = strchr(host, ':') != NULL ? "]" : "";
    int size = snprintf(out, capacity,
                        "GET /ws HTTP/1.1\r\n"
                        "Host: %s%s%s:%u\r\n"
                        "Upgrade: websocket\r\n"
                        "Connection: Upgrade\r\n"
                        "Sec-WebSocket-Key: %s\r\n"
                        "Sec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Protocol: " WS_SUBPROTOCOL "\r\n"
                        "\r\n",
                        open, host, close, (unsigned)port, key);
    return size > 0 && (size_t)size < capacity ? (size_t)size : 0;
}

/* A value of the head, which is NUL-terminated: of the first field with this name, without white
 * space around it. */
static bool head_find(const char *head, const char *name, char *ret_value, size_t capacity)
{
    size_t name_bytes = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, name_bytes) != 0 || line[name_bytes] != ':') continue;
        const char *value = line + name_bytes + 1;
        while (*value == ' ' || *value == '\t') value++;
        size_t size = strcspn(value, "\r\n");
        while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t')) size--;
        if (size >= capacity) return false;
        memcpy(ret_value, value, size);
        ret_value[size] = '\0';
        return true;
    }
    return false;
}

static const char *head_problem(const char *head, const char *key, enum ws_subprotocol subprotocol)
{
    char value[128];
    char accept[WS_ACCEPT_BYTES + 1];
    ws_accept_format(key, accept);
    if (strncmp(head, "HTTP/1.1 101 ", 13) != 0) return "the upgrade was refused";
    if (!head_find(head, "Upgrade", value, sizeof(value)) || strcasecmp(value, "websocket") != 0)
        return "no Upgrade: websocket";
    if (!head_find(head, "Connection", value, sizeof(value)) || strcasecmp(value, "upgrade") != 0)
        return "no Connection: Upgrade";
    if (!head_find(head, "Sec-WebSocket-Accept", value, sizeof(value)) ||
        strcmp(value, accept) != 0)
        return "Sec-WebSocket-Accept does not fit the key";
    bool is_taken = head_find(head, "Sec-WebSocket-Protocol", value, sizeof(value)) &&
                    strcmp(value, WS_SUBPROTOCOL) == 0;
    if (!is_taken && subprotocol == WS_SUBPROTOCOL_NEEDED) return "the subprotocol was not taken";
    if (head_find(head, "Sec-WebSocket-Extensions", value, sizeof(value)))
        return "an extension that nobody offered";
    return NULL;
}

enum ws_result ws_upgrade_read(const uint8_t *bytes, size_t size, const char key[WS_KEY_BYTES + 1],
                               enum ws_subprotocol subprotocol, size_t *ret_head_bytes,
                               const char **reterr_reason)
{
    const uint8_t *end = memmem(bytes, size, "\r\n\r\n", 4);
    size_t head_bytes = end != NULL ? (size_t)(end - bytes) + 4 : size;
    if (head_bytes >= WS_HEAD_BYTES_MAX) {
        *reterr_reason = "the answer to the upgrade is too long";
        return WS_BROKEN;
    }
    if (end == NULL) return WS_MORE;
    char head[WS_HEAD_BYTES_MAX];
    memcpy(head, bytes, head_bytes);
    head[head_bytes] = '\0';
    const char *problem = head_problem(head, key, subprotocol);
    if (problem != NULL) {
        *reterr_reason = problem;
        return WS_BROKEN;
    }
    *ret_head_bytes = head_bytes;
    return WS_DONE;
}

size_t ws_frame_write(uint8_t *out, size_t capacity, enum ws_opcode opcode, const void *payload,
                      size_t size, const uint8_t mask[WS_MASK_BYTES])
{
    QR_ASSERT(size <= WS_MESSAGE_BYTES_MAX && capacity >= size + WS_HEADER_BYTES_MAX);
    size_t at = 0;
    out[at++] = (uint8_t)(BIT_FINAL | (unsigned)opcode);
    if (size < LENGTH_IN_2) {
        out[at++] = (uint8_t)(BIT_MASK | size);
    } else {
        bool is_long = size > UINT16_MAX;
        out[at++] = (uint8_t)(BIT_MASK | (is_long ? LENGTH_IN_8 : LENGTH_IN_2));
        for (unsigned left = is_long ? 8 : 2; left > 0; left--)
            out[at++] = (uint8_t)((uint64_t)size >> (8 * (left - 1)));
    }
    memcpy(out + at, mask, WS_MASK_BYTES);
    at += WS_MASK_BYTES;
    const uint8_t *bytes = payload;
    for (size_t index = 0; index < size; index++)
        out[at + index] = bytes[index] ^ mask[index % WS_MASK_BYTES];
    return at + size;
}

static bool opcode_is_known(uint8_t opcode)
{
    return opcode <= WS_BINARY || (opcode >= WS_CLOSE && opcode <= WS_PONG);
}

static const char *frame_problem(const struct ws_frame *frame, unsigned first, unsigned second)
{
    if ((first & BITS_RESERVED) != 0) return "reserved bits";
    if (!opcode_is_known(frame->opcode)) return "a reserved opcode";
    if ((second & BIT_MASK) != 0) return "a masked frame from the server";
    if (frame->opcode >= WS_CLOSE && !frame->is_final) return "a fragmented control frame";
    if (frame->opcode >= WS_CLOSE && (second & BITS_LENGTH) > WS_CONTROL_BYTES_MAX)
        return "a control frame that is too long";
    return NULL;
}

enum ws_result ws_frame_read(const uint8_t *bytes, size_t size, struct ws_frame *ret_frame,
                             const char **reterr_reason)
{
    if (size < 2) return WS_MORE;
    struct ws_frame frame = {.opcode = bytes[0] & BITS_OPCODE, .is_final = bytes[0] & BIT_FINAL};
    const char *problem = frame_problem(&frame, bytes[0], bytes[1]);
    if (problem != NULL) {
        *reterr_reason = problem;
        return WS_BROKEN;
    }
    uint64_t length = bytes[1] & BITS_LENGTH;
    size_t more = length == LENGTH_IN_2 ? 2 : length == LENGTH_IN_8 ? 8 : 0;
    if (size < 2 + more) return WS_MORE;
    if (more > 0) {
        length = 0;
        for (size_t index = 0; index < more; index++) length = length << 8 | bytes[2 + index];
        if (length < LENGTH_IN_2 || (more == 8 && length <= UINT16_MAX)) {
            *reterr_reason = "a length in more bytes than it needs";
            return WS_BROKEN;
        }
    }
    if (length > WS_MESSAGE_BYTES_MAX) {
        *reterr_reason = "a frame that is too long";
        return WS_BROKEN;
    }
    if (size - 2 - more < length) return WS_MORE;
    frame.payload = bytes + 2 + more;
    frame.payload_bytes = (size_t)length;
    frame.frame_bytes = 2 + more + (size_t)length;
    *ret_frame = frame;
    return WS_DONE;
}

static bool close_code_is_sendable(uint16_t code)
{
    enum { NO_CODE = 1005, ABNORMAL = 1006, TLS_FAILED = 1015 };
    if (code >= 3000 && code <= 4999) return true;
    return code >= 1000 && code <= 1014 && code != 1004 && code != NO_CODE && code != ABNORMAL;
}

bool ws_close_read(const struct ws_frame *frame, uint16_t *ret_code)
{
    enum { NO_CODE = 1005 };
    if (frame->payload_bytes == 0) {
        *ret_code = NO_CODE;
        return true;
    }
    if (frame->payload_bytes == 1) return false;
    uint16_t code = (uint16_t)(frame->payload[0] << 8 | frame->payload[1]);
    if (!close_code_is_sendable(code)) return false;
    if (!ws_is_utf8(frame->payload + 2, frame->payload_bytes - 2)) return false;
    *ret_code = code;
    return true;
}

/* How many bytes follow a first byte, and what it contributes; false where it begins nothing. */
static bool utf8_begin(uint8_t byte, unsigned *ret_more, uint32_t *ret_bits, uint32_t *ret_least)
{
    if (byte < 0x80) {
        *ret_more = 0, *ret_bits = byte, *ret_least = 0;
    } else if (byte >= 0xc0 && byte < 0xe0) {
        *ret_more = 1, *ret_bits = byte & 0x1f, *ret_least = 0x80;
    } else if (byte >= 0xe0 && byte < 0xf0) {
        *ret_more = 2, *ret_bits = byte & 0x0f, *ret_least = 0x800;
    } else if (byte >= 0xf0 && byte < 0xf8) {
        *ret_more = 3, *ret_bits = byte & 0x07, *ret_least = 0x10000;
    } else {
        return false;
    }
    return true;
}

/* How many bytes at the beginning are ASCII, in whole words: nearly all of a message. */
static size_t ascii_words(const uint8_t *bytes, size_t size)
{
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    size_t at = 0;
    for (uint64_t word; size - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, bytes + at, sizeof(word));
        if ((word & high_bits) != 0) break;
    }
    return at;
}

bool ws_is_utf8(const uint8_t *bytes, size_t size)
{
    size_t at = ascii_words(bytes, size);
    while (at < size) {
        unsigned more;
        uint32_t point, least;
        if (!utf8_begin(bytes[at++], &more, &point, &least) || size - at < more) return false;
        for (; more > 0; more--, at++) {
            if ((bytes[at] & 0xc0) != 0x80) return false;
            point = point << 6 | (bytes[at] & 0x3f);
        }
        if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
    }
    return true;
}
