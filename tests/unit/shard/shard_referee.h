/* Reads along what the shards say and asks, and fails the test where a rule is broken that holds
 * always:
 *
 *   - every request gets exactly one reply, unless its connection closes first;
 *   - per connection the messages of a match are numbered from 1 without gaps;
 *   - all players of a match get the same bytes for the same number;
 *   - `end` comes last, once, and for a result that counts only after the store has said yes;
 *   - the right choice is in no message but a reveal.
 *
 * The world owns it. Fails by cmocka.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"

enum {
    REFEREE_CLIENTS_MAX = 1000,
    REFEREE_IDS_MAX = 2048,
    REFEREE_MATCHES_MAX = 128,
    REFEREE_SEQ_MAX = 64,
};

/* One connection. */
struct referee_client {
    uint8_t pending[REFEREE_IDS_MAX]; /* By id: replies that are due. */
    uint32_t pending_count;
    int match; /* Which it is in; -1: none. */
    uint32_t seq;
};

struct referee_match {
    struct id id;
    bool is_saved;
    char *texts[REFEREE_SEQ_MAX]; /* By seq - 1. */
};

struct referee {
    struct referee_client *clients;
    uint32_t client_count;
    struct referee_match matches[REFEREE_MATCHES_MAX];
    uint32_t match_count;
    uint32_t ends; /* Told to players. */
};

void referee_init(struct referee *referee, uint32_t clients);
void referee_fini(struct referee *referee);

void referee_on_connect(struct referee *referee, unsigned client);
/* A request with this id is on its way. */
void referee_on_request(struct referee *referee, unsigned client, uint32_t id);
void referee_on_message(struct referee *referee, unsigned client, const char *text);
void referee_on_saved(struct referee *referee, const struct id *match);
void referee_on_disconnect(struct referee *referee, unsigned client);

/* Who is connected has no reply due. */
void referee_expect_all_answered(const struct referee *referee);
