/* What the checker's parts share: one message being read. load_check.c has the envelope,
 * requests and replies; load_check_coming.c how a player comes, waits and comes back;
 * load_check_match.c a match from its beginning, load_check_end.c its end. */
#pragma once

#include <cjson/cJSON.h>

#include "load_check.h"

enum { COUNT_MAX = 100000000, CREDIT_MAX_MS = 250 /* protocol.md, "Answer time". */ };
enum { SCORE_MAX = 1000000, DURATION_MAX_MS = 3600000 };

struct reading {
    struct check *check;
    const cJSON *object;
    const char *type;
    const char *text; /* The message as it came. */
    size_t bytes;
    uint64_t now_us;
    struct news *news;
    struct verdict *verdict;
};

/* Notes a violation; the text names what is wrong. */
__attribute__((format(printf, 2, 3))) void fail(struct reading *reading, const char *format, ...);

/* Each reads one required field and fails where it is missing, of another type or out of range;
 * false then, and *ret_value is untouched. */
bool need_int(struct reading *reading, const cJSON *object, const char *field, int64_t min,
              int64_t max, int64_t *ret_value);
bool need_bool(struct reading *reading, const cJSON *object, const char *field, bool *ret_value);
/* From 1 to `characters_max` characters. */
bool need_string(struct reading *reading, const cJSON *object, const char *field,
                 size_t characters_max, const char **ret_text);
/* An integer, or null: then *ret_is_null. */
bool need_int_or_null(struct reading *reading, const cJSON *object, const char *field, int64_t min,
                      int64_t max, int64_t *ret_value, bool *ret_is_null);
/* An array of min to max items. */
bool need_array(struct reading *reading, const cJSON *object, const char *field, int min, int max,
                const cJSON **ret_array);

/* A point in time: Unix milliseconds of this century. */
bool need_wall(struct reading *reading, const cJSON *object, const char *field, int64_t *ret_value);

/* The next message in the match's order, with the bytes that the other player gets. */
void take_seq(struct reading *reading);

/* The player is in a match, and this message is of it. */
bool is_of_match(struct reading *reading);

/* Whether the last round is over, or somebody is gone: then only `end` is to come. */
bool match_is_over(const struct check_match *match);
bool any_gone(const struct check_match *match);

/* What is live comes after the clock. */
void expect_no_replay(struct reading *reading);

/* Takes the oldest request of a kind out of those that wait. False: there is none. */
QR_MUST_USE bool take_pending_of(struct check *check, enum check_request_kind kind,
                                 struct check_request *ret_request);

/* Lets go of the match, where one is held. */
void let_go(struct check *check);

/* Forgets what the last connection left behind: the server does not know the player any more. */
void forget_return(struct reading *reading);

void read_welcome(struct reading *reading);
void read_queued(struct reading *reading);
void read_unqueued(struct reading *reading);
void read_ticket(struct reading *reading);
void read_clock(struct reading *reading);

void read_match(struct reading *reading);
void read_round(struct reading *reading);
void read_answered(struct reading *reading);
void read_reveal(struct reading *reading);
void read_peer(struct reading *reading);
void read_saving(struct reading *reading);
void read_end(struct reading *reading);
void read_emote(struct reading *reading);

/* The receipt. `request`: what it answers. */
void read_accepted(struct reading *reading, const struct check_request *request);
