#include "shard_referee.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool is_of(const char *text, const char *type)
{
    static const char head[] = "{\"type\":\"";
    size_t length = strlen(type);
    assert_memory_equal(text, head, sizeof(head) - 1);
    return strncmp(text + sizeof(head) - 1, type, length) == 0 &&
           text[sizeof(head) - 1 + length] == '"';
}

/* Keys are unique in our messages wherever this is asked. 0: not there. */
static uint32_t number_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at == NULL ? 0 : (uint32_t)strtoul(at + strlen(key), NULL, 10);
}

static char *copy_of(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = malloc(bytes);
    assert_non_null(copy);
    memcpy(copy, text, bytes);
    return copy;
}

void referee_init(struct referee *referee, uint32_t clients)
{
    assert_true(clients <= REFEREE_CLIENTS_MAX);
    *referee = (struct referee){.client_count = clients};
    referee->clients = calloc(clients, sizeof(*referee->clients));
    assert_non_null(referee->clients);
}

void referee_fini(struct referee *referee)
{
    for (uint32_t i = 0; i < referee->match_count; i++) {
        for (unsigned seq = 0; seq < REFEREE_SEQ_MAX; seq++) {
            free(referee->matches[i].texts[seq]);
        }
    }
    free(referee->clients);
}

void referee_on_connect(struct referee *referee, unsigned client)
{
    memset(&referee->clients[client], 0, sizeof(referee->clients[client]));
    referee->clients[client].match = -1;
}

void referee_on_request(struct referee *referee, unsigned client, uint32_t id)
{
    if (id == 0) return;
    assert_true(id < REFEREE_IDS_MAX);
    referee->clients[client].pending[id]++;
    referee->clients[client].pending_count++;
}

void referee_on_disconnect(struct referee *referee, unsigned client)
{
    memset(&referee->clients[client], 0, sizeof(referee->clients[client]));
}

static int find_match(struct referee *referee, const struct id *id)
{
    for (uint32_t i = 0; i < referee->match_count; i++) {
        if (id_equal(&referee->matches[i].id, id)) return (int)i;
    }
    assert_true(referee->match_count < REFEREE_MATCHES_MAX);
    referee->matches[referee->match_count] = (struct referee_match){.id = *id};
    return (int)referee->match_count++;
}

void referee_on_saved(struct referee *referee, const struct id *match)
{
    referee->matches[find_match(referee, match)].is_saved = true;
}

static void check_reply(struct referee *referee, unsigned client, const char *text)
{
    uint32_t id = number_after(text, ",\"id\":");
    if (id == 0) return;
    assert_true(id < REFEREE_IDS_MAX);
    if (referee->clients[client].pending[id] == 0) fail_msg("a reply to nobody: %s", text);
    referee->clients[client].pending[id]--;
    referee->clients[client].pending_count--;
}

static void check_end(struct referee *referee, struct referee_client *client, const char *text)
{
    bool counts = strstr(text, "\"reason\":\"finished\"") != NULL ||
                  strstr(text, "\"reason\":\"forfeit\"") != NULL;
    if (counts && !referee->matches[client->match].is_saved) {
        fail_msg("an end before its result was saved: %s", text);
    }
    client->match = -1;
    referee->ends++;
}

static void check_numbered(struct referee *referee, struct referee_client *client, const char *text,
                           uint32_t seq)
{
    static const char key[] = "\"match\":\"";
    const char *at = strstr(text, key);
    struct id id;
    assert_non_null(at);
    assert_true(id_parse(at + sizeof(key) - 1, ID_TEXT_BYTES, &id));
    int match = find_match(referee, &id);
    if (is_of(text, "match")) {
        if (client->match >= 0) fail_msg("a match within a match: %s", text);
        client->match = match;
        client->seq = 0;
    }
    if (client->match != match) fail_msg("of a match that the player is not in: %s", text);
    if (seq != client->seq + 1) fail_msg("not the number after %u: %s", client->seq, text);
    client->seq = seq;
    assert_true(seq <= REFEREE_SEQ_MAX);
    char **known = &referee->matches[match].texts[seq - 1];
    if (*known == NULL) *known = copy_of(text);
    if (strcmp(*known, text) != 0) fail_msg("two players got\n%s\n%s", *known, text);
    if (is_of(text, "end")) check_end(referee, client, text);
}

void referee_on_message(struct referee *referee, unsigned client, const char *text)
{
    check_reply(referee, client, text);
    bool has_secret = strstr(text, "\"correct\"") != NULL;
    if (has_secret && !is_of(text, "reveal")) fail_msg("the secret is out: %s", text);
    uint32_t seq = number_after(text, ",\"seq\":");
    if (seq != 0) check_numbered(referee, &referee->clients[client], text, seq);
}

void referee_expect_all_answered(const struct referee *referee)
{
    for (uint32_t i = 0; i < referee->client_count; i++) {
        const struct referee_client *client = &referee->clients[i];
        for (unsigned id = 0; client->pending_count > 0 && id < REFEREE_IDS_MAX; id++) {
            if (client->pending[id] > 0) fail_msg("client %u: no reply to request %u", i, id);
        }
    }
}
