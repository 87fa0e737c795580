/* Why a request is refused: one list gives the C name, the wire code, whether waiting helps, and the text for
 * developers. tests compare it with docs/protocol.md, Errors.
 *
 * A refusal is an ordinary result, and a refused request has changed nothing.
 */
#pragma once

#include <stdbool.h>

/* X(C name, wire code, whether retry_ms belongs to it, message) */
#define REFUSALS(X)                                                                                \
    X(BAD_JSON, "bad_json", false, "The message is not a JSON object.")                            \
    X(BAD_MESSAGE, "bad_message", false, "A field is missing, of a wrong type or out of range.")   \
    X(UNKNOWN_TYPE, "unknown_type", false, "The server does not know this type.")                  \
    X(NOT_AUTHENTICATED, "not_authenticated", false, "Say hello first.")                           \
    X(AUTH_FAILED, "auth_failed", false, "The token was refused.")                                 \
    X(RESUME_EXPIRED, "resume_expired", false, "This session is not or no longer known.")          \
    X(BAD_NAME, "bad_name", false, "The name does not meet the limits.")                           \
    X(BAD_STATE, "bad_state", false, "The request does not fit the player's state.")               \
    X(LATE_ANSWER, "late_answer", false, "The round is over.")                                     \
    X(WRONG_ROUND, "wrong_round", false, "The round has not begun.")                               \
    X(BAD_CHOICE, "bad_choice", false, "The question has no such choice.")                         \
    X(RATE_LIMITED, "rate_limited", true, "Too many messages.")                                    \
    X(BUSY, "busy", true, "A queue is full; nothing was done.")                                    \
    X(UNAVAILABLE, "unavailable", true, "Not now.")

#define REFUSAL_ENUM(name, code, retry, message) REFUSAL_##name,
enum refusal { REFUSAL_NONE, REFUSALS(REFUSAL_ENUM) REFUSAL_COUNT };
#undef REFUSAL_ENUM

/* The wire code. Requires: not REFUSAL_NONE. */
const char *refusal_code(enum refusal refusal);
const char *refusal_message(enum refusal refusal);
bool refusal_has_retry(enum refusal refusal);
