/* What no message may hold. The right choice is known by its text in the simulated bank, so the reveal can be checked
 * (sim_referee_match.c); here are the other ways in which it could get out: a field that the protocol does not name, and
 * whatever is as long as a seed or a key. */

#include <ctype.h>
#include <string.h>

#include "sim_failed.h"
#include "sim_referee_priv.h"
#include "sim_text.h"

enum {
    /* Of letters and digits without a break: ids are broken by hyphens into 12 at most, a time has 13 digits. */
    RUN_MAX = 15,
};

/* In the order of docs/protocol.md, each between blanks. */
static const struct {
    const char *type;
    const char *fields;
} message_fields[] = {
    {"welcome",
     " type id player name rating session token now_ms ping_ms modes categories emotes match "},
    {"queued", " type id mode waiting waited_ms "},
    {"unqueued", " type reason "},
    {"ticket", " type waited_ms waiting window eta_ms "},
    {"match", " type match mode rated seq players player name rating bot rounds starts_at_ms "},
    {"round",
     " type match seq round rounds question_id category difficulty question choices time_ms "
     "deadline_ms weight "},
    {"accepted", " type id round choice at_ms rtt_ms dup "},
    {"answered", " type match round player "},
    {"reveal",
     " type match seq round correct next_at_ms results choice at_ms points score streak "},
    {"peer", " type match seq player state grace_ms "},
    {"saving", " type match "},
    {"end", " type match seq reason winner scores ratings before after "},
    {"clock", " type match round left_ms now_ms "},
    {"emote", " type match player code "},
    {"gap", " type dropped "},
    {"pong", " type id at now_ms "},
    {"left", " type id "},
    {"ok", " type id "},
    {"error", " type id code message retry_ms "},
    {"bye", " type reason retry_ms "},
};

static const char *fields_of(const char *text)
{
    for (unsigned i = 0; i < sizeof(message_fields) / sizeof(message_fields[0]); i++) {
        if (text_is_of(text, message_fields[i].type)) return message_fields[i].fields;
    }
    sim_failed("a message has a type of the protocol's: %s", text);
}

static bool is_named(const char *fields, const char *key, size_t length)
{
    for (const char *at = strchr(fields, ' '); at != NULL; at = strchr(at + 1, ' ')) {
        if (strncmp(at + 1, key, length) == 0 && at[1 + length] == ' ') return true;
    }
    return false;
}

/* A string that is followed by a colon is a field's name. */
static void no_field_is_one_that_the_protocol_does_not_name(const char *text)
{
    const char *fields = fields_of(text);
    const char *at = text;
    while ((at = strchr(at, '"')) != NULL) {
        const char *begin = ++at;
        while (*at != '"') at += *at == '\\' ? 2 : 1;
        size_t length = (size_t)(at - begin);
        at++;
        if (*at == ':' && !is_named(fields, begin, length))
            sim_failed("no field is one that the protocol does not name: %s", text);
    }
}

/* A seed or a key in hexadecimal, decimal or base64. Sessions, tokens and what a ping brought are the player's own. */
static void nothing_is_as_long_as_a_seed(const char *text)
{
    if (text_is_of(text, "welcome") || text_is_of(text, "pong")) return;
    unsigned run = 0;
    for (const char *at = text; *at != '\0'; at++) {
        bool is_part = isalnum((unsigned char)*at) || *at == '+' || *at == '/';
        run = is_part ? run + 1 : 0;
        if (run > RUN_MAX) sim_failed("nothing is as long as a seed: %s", text);
    }
}

static void the_right_choice_is_in_its_reveal_alone(const char *text)
{
    if (strstr(text, "\"correct\"") != NULL && !text_is_of(text, "reveal"))
        sim_failed("the right choice is in its reveal alone: %s", text);
}

void secret_rules_on_message(const char *text)
{
    the_right_choice_is_in_its_reveal_alone(text);
    no_field_is_one_that_the_protocol_does_not_name(text);
    nothing_is_as_long_as_a_seed(text);
}
