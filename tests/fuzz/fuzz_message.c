/* Bytes to a request: proto/decode.h and proto/name.h.
 *
 * A refusal writes no request and names what is wrong. What is taken can be written as JSON again,
 * and read as the same request. The bytes are also a player's name, as each name in a `hello` is.
 */
#include <stdbool.h>
#include <string.h>

#include <unistr.h>

#include "base/limits.h"
#include "core/emote.h"
#include "core/match.h"
#include "fuzz.h"
#include "proto/decode.h"
#include "proto/name.h"
#include "wire_priv.h"

enum {
    UNTOUCHED = 0xa5,
    TOKEN_BYTES_LIMIT = 2048, /* docs/protocol.md, Limits. */
    RESUME_BYTES_LIMIT = 128,
    /* Every byte of a message as an escape of six, and the names of its fields. */
    REQUEST_BYTES_MAX = 6 * MESSAGE_BYTES_MAX + 512,
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    decode_init();
    return 0;
}

/* --- Names. --- */

static void check_name(const char *text, size_t size)
{
    char name[NAME_BYTES_MAX + 1];
    char untouched[sizeof name];
    memset(name, UNTOUCHED, sizeof name);
    memset(untouched, UNTOUCHED, sizeof untouched);
    if (!name_normalise(text, size, name)) {
        QR_ASSERT(memcmp(name, untouched, sizeof name) == 0);
        return;
    }
    size_t length = strnlen(name, sizeof name);
    QR_ASSERT(length >= 1 && length <= NAME_BYTES_MAX);
    QR_ASSERT(u8_check((const uint8_t *)name, length) == NULL);
    QR_ASSERT(u8_mbsnlen((const uint8_t *)name, length) <= NAME_CHARACTERS_MAX);
    QR_ASSERT(name[0] != ' ' && name[length - 1] != ' ' && strstr(name, "  ") == NULL);
    char again[NAME_BYTES_MAX + 1];
    QR_ASSERT(name_normalise(name, length, again));
    QR_ASSERT(strcmp(again, name) == 0);
}

/* --- A request as JSON. --- */

static void write_hello(const struct request *request, struct wire *wire)
{
    QR_ASSERT(request->hello.name != NULL || request->hello.token != NULL ||
              request->hello.resume != NULL);
    if (request->hello.name != NULL) wire_member_string(wire, "name", request->hello.name);
    if (request->hello.token != NULL) {
        QR_ASSERT(strlen(request->hello.token) - 1 < TOKEN_BYTES_LIMIT);
        wire_member_string(wire, "token", request->hello.token);
    }
    if (request->hello.resume == NULL) {
        QR_ASSERT(!request->hello.has_last_match && request->hello.last_seq == 0);
        return;
    }
    QR_ASSERT(strlen(request->hello.resume) - 1 < RESUME_BYTES_LIMIT);
    wire_member_string(wire, "resume", request->hello.resume);
    if (request->hello.has_last_match) {
        wire_member_id(wire, "last_match", &request->hello.last_match);
    }
    wire_member_int(wire, "last_seq", request->hello.last_seq);
}

static void write_join(const struct request *request, struct wire *wire)
{
    wire_member_string(wire, "mode", match_mode_name((enum match_mode)request->join.mode));
    if (request->join.category != NULL) {
        QR_ASSERT(strlen(request->join.category) - 1 < CATEGORY_BYTES_MAX);
        wire_member_string(wire, "category", request->join.category);
    }
    if (request->join.has_rematch) wire_member_id(wire, "rematch", &request->join.rematch);
}

static void write_leave(const struct request *request, struct wire *wire)
{
    if (request->leave.has_match) wire_member_id(wire, "match", &request->leave.match);
}

static void write_answer(const struct request *request, struct wire *wire)
{
    QR_ASSERT(request->answer.round >= 1);
    wire_member_int(wire, "round", request->answer.round);
    wire_member_int(wire, "choice", request->answer.choice);
    if (request->answer.has_match) wire_member_id(wire, "match", &request->answer.match);
}

static void write_emote(const struct request *request, struct wire *wire)
{
    wire_member_string(wire, "code", emote_code(request->emote.code));
}

static void write_ping(const struct request *request, struct wire *wire)
{
    if (request->ping.text == NULL) {
        QR_ASSERT(request->ping.number >= -(INT64_C(1) << 53));
        QR_ASSERT(request->ping.number <= INT64_C(1) << 53);
        wire_member_int(wire, "at", request->ping.number);
        return;
    }
    QR_ASSERT(strlen(request->ping.text) <= PING_AT_BYTES_MAX);
    wire_member_string(wire, "at", request->ping.text);
}

static const struct {
    const char *name;
    void (*write)(const struct request *request, struct wire *wire);
} request_types[REQUEST_TYPE_COUNT] = {
    [REQUEST_HELLO] = {"hello", write_hello}, [REQUEST_JOIN] = {"join", write_join},
    [REQUEST_LEAVE] = {"leave", write_leave}, [REQUEST_ANSWER] = {"answer", write_answer},
    [REQUEST_EMOTE] = {"emote", write_emote}, [REQUEST_PING] = {"ping", write_ping},
};

static struct wire write_request(const struct request *request, char text[REQUEST_BYTES_MAX])
{
    struct wire wire;
    wire_init(&wire, text, REQUEST_BYTES_MAX);
    QR_ASSERT(request->type < REQUEST_TYPE_COUNT);
    wire_open_message(&wire, request_types[request->type].name);
    if (request->id != 0) wire_member_int(&wire, "id", request->id);
    request_types[request->type].write(request, &wire);
    wire_close_message(&wire);
    QR_ASSERT(!wire.is_overflown);
    return wire;
}

/* --- The message. --- */

static void check_refusal(const struct request *request, const struct problem *problem)
{
    struct request untouched;
    memset(&untouched, UNTOUCHED, sizeof untouched);
    QR_ASSERT(memcmp(request, &untouched, sizeof untouched) == 0);
    QR_ASSERT(problem->refusal == REFUSAL_BAD_JSON || problem->refusal == REFUSAL_BAD_MESSAGE ||
              problem->refusal == REFUSAL_UNKNOWN_TYPE);
    size_t length = strnlen(problem->message, sizeof problem->message);
    QR_ASSERT(length > 1 && length < sizeof problem->message);
    QR_ASSERT(problem->message[length - 1] == '.'); /* No sentence is cut. */
    QR_ASSERT(problem->request_id <= INT32_MAX);
    QR_ASSERT(!problem->is_silent || problem->request_id == 0);
}

static void check_request(const struct request *request)
{
    QR_ASSERT(request->id <= INT32_MAX);
    QR_ASSERT(request->id >= 1 || request->type == REQUEST_EMOTE);
    if (request->type == REQUEST_HELLO && request->hello.name != NULL) {
        check_name(request->hello.name, strlen(request->hello.name));
    }
    static char first[REQUEST_BYTES_MAX];
    static char second[REQUEST_BYTES_MAX];
    struct wire written = write_request(request, first);
    if (written.size > MESSAGE_BYTES_MAX) return; /* As escapes it is longer than it came. */
    struct request again;
    struct problem problem;
    QR_ASSERT(decode_request(first, written.size, &again, &problem));
    struct wire rewritten = write_request(&again, second);
    QR_ASSERT(rewritten.size == written.size);
    QR_ASSERT(memcmp(first, second, written.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size > MESSAGE_BYTES_MAX) return 0;
    check_name((const char *)bytes, size);
    /* libwebsockets lets no other text through. */
    if (u8_check(bytes, size) != NULL) return 0;
    struct request request;
    struct problem problem;
    memset(&request, UNTOUCHED, sizeof request);
    if (decode_request((const char *)bytes, size, &request, &problem)) {
        check_request(&request);
    } else {
        check_refusal(&request, &problem);
    }
    return 0;
}
