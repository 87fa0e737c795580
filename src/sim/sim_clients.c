/* What clients do: the verbs of sim_world.h. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_failed.h"
#include "sim_world.h"

enum { TEXT_BYTES = 512, WORD_BYTES = 64 };

/* --- Verbs. --- */

static void keeps(struct client *client, const struct client *before)
{
    client->player = before->player;
    memcpy(client->session_text, before->session_text, sizeof(client->session_text));
    memcpy(client->token, before->token, sizeof(client->token));
    memcpy(client->last_match, before->last_match, sizeof(client->last_match));
    client->last_seq = before->last_seq;
}

void knows_what(struct world *world, unsigned client, unsigned first)
{
    keeps(&world->clients[client], &world->clients[first]);
}

void comes(struct world *world, unsigned client, unsigned shard)
{
    struct client *at = &world->clients[client];
    SIM_EXPECT(!at->is_connected);
    for (uint32_t i = 0; i < at->message_count; i++) free(at->messages[i]);
    struct client before = *at;
    *at = (struct client){.world = world,
                          .shard = shard,
                          .is_connected = true,
                          .takes = ANY_NUMBER,
                          .next_id = 1,
                          .pong_delay_ms = before.pong_delay_ms,
                          .rtt_us = before.rtt_us,
                          .messages = before.messages,
                          .message_capacity = before.message_capacity};
    keeps(at, &before);
    referee_on_connect(&world->referee, client);
    at->session = shard_on_connect(world->shards[shard].shard, at, world->now);
    at->is_connected = !handle_is_none(at->session);
    world->shards[shard].is_woken = true;
}

void says(struct world *world, unsigned client, const char *text)
{
    struct client *at = &world->clients[client];
    SIM_EXPECT(at->is_connected);
    SIM_EXPECT(at->inbox_count < INBOX_MAX);
    size_t bytes = strlen(text) + 1;
    char *copy = malloc(bytes);
    SIM_EXPECT(copy != NULL);
    memcpy(copy, text, bytes);
    at->inbox[at->inbox_count++] = copy;
    world->has_input = true;
    referee_on_said(&world->referee, client, text);
    const char *id = strstr(text, "\"id\":");
    if (id != NULL) {
        uint32_t number = (uint32_t)strtoul(id + strlen("\"id\":"), NULL, 10);
        referee_on_request(&world->referee, client, number);
    }
}

uint32_t asks(struct world *world, unsigned client, const char *type, const char *fields)
{
    uint32_t id = world->clients[client].next_id++;
    char text[2 * TEXT_BYTES];
    int length = snprintf(text, sizeof(text), "{\"type\":\"%s\",\"id\":%" PRIu32 "%s%s}", type, id,
                          fields[0] != '\0' ? "," : "", fields);
    SIM_EXPECT(length > 0 && (size_t)length < sizeof(text));
    says(world, client, text);
    return id;
}

uint32_t greets(struct world *world, unsigned client)
{
    char fields[WORD_BYTES];
    (void)snprintf(fields, sizeof(fields), "\"name\":\"Player %u\"", client); /* It fits. */
    return asks(world, client, "hello", fields);
}

uint32_t joins(struct world *world, unsigned client)
{
    return asks(world, client, "join", "\"mode\":\"duel\"");
}

uint32_t joins_in(struct world *world, unsigned client, const char *category)
{
    char fields[TEXT_BYTES];
    int length =
        snprintf(fields, sizeof(fields), "\"mode\":\"duel\",\"category\":\"%s\"", category);
    SIM_EXPECT(length > 0 && (size_t)length < sizeof(fields));
    return asks(world, client, "join", fields);
}

uint32_t joins_the_house(struct world *world, unsigned client)
{
    return asks(world, client, "join", "\"mode\":\"house\"");
}

uint32_t asks_for_a_rematch(struct world *world, unsigned client)
{
    char fields[TEXT_BYTES];
    int length = snprintf(fields, sizeof(fields), "\"mode\":\"duel\",\"rematch\":\"%s\"",
                          world->clients[client].last_match);
    SIM_EXPECT(length > 0 && (size_t)length < sizeof(fields));
    return asks(world, client, "join", fields);
}

/* last_seq 0: says nothing of a match. */
static uint32_t resumes_with(struct world *world, unsigned client, uint32_t last_seq,
                             const char *token)
{
    const struct client *at = &world->clients[client];
    char fields[TEXT_BYTES];
    int length =
        snprintf(fields, sizeof(fields), "\"resume\":\"%s\"%s%s%s", at->session_text,
                 token[0] != '\0' ? ",\"token\":\"" : "", token, token[0] != '\0' ? "\"" : "");
    SIM_EXPECT(length > 0 && (size_t)length < sizeof(fields));
    if (last_seq > 0) {
        (void)snprintf(fields + length, sizeof(fields) - (size_t)length,
                       ",\"last_match\":\"%s\",\"last_seq\":%" PRIu32, at->last_match,
                       last_seq); /* Cut, it is no JSON. */
    }
    return asks(world, client, "hello", fields);
}

uint32_t resumes(struct world *world, unsigned client)
{
    return resumes_with(world, client, world->clients[client].last_seq, "");
}

uint32_t resumes_after(struct world *world, unsigned client, uint32_t last_seq)
{
    return resumes_with(world, client, last_seq, "");
}

uint32_t resumes_or_shows_its_token(struct world *world, unsigned client)
{
    return resumes_with(world, client, world->clients[client].last_seq,
                        world->clients[client].token);
}

uint32_t shows_its_token(struct world *world, unsigned client)
{
    char fields[TEXT_BYTES];
    int length = snprintf(fields, sizeof(fields), "\"token\":\"%s\"", world->clients[client].token);
    SIM_EXPECT(length > 0 && (size_t)length < sizeof(fields));
    return asks(world, client, "hello", fields);
}

uint32_t leaves(struct world *world, unsigned client)
{
    return asks(world, client, "leave", "");
}

uint32_t leaves_this_match(struct world *world, unsigned client)
{
    char fields[WORD_BYTES + ID_TEXT_BYTES];
    (void)snprintf(fields, sizeof(fields), "\"match\":\"%s\"",
                   world->clients[client].last_match); /* It fits. */
    return asks(world, client, "leave", fields);
}

uint32_t answers_in(struct world *world, unsigned client, const char *match, unsigned round,
                    unsigned choice)
{
    char fields[2 * WORD_BYTES + ID_TEXT_BYTES];
    (void)snprintf(fields, sizeof(fields), "\"match\":\"%s\",\"round\":%u,\"choice\":%u", match,
                   round, choice); /* It fits. */
    return asks(world, client, "answer", fields);
}

uint32_t answers(struct world *world, unsigned client, unsigned round, unsigned choice)
{
    char fields[WORD_BYTES];
    (void)snprintf(fields, sizeof(fields), "\"round\":%u,\"choice\":%u", round,
                   choice); /* It fits. */
    return asks(world, client, "answer", fields);
}

uint32_t pings(struct world *world, unsigned client)
{
    return asks(world, client, "ping", "\"at\":1");
}

uint32_t emotes(struct world *world, unsigned client)
{
    return asks(world, client, "emote", "\"code\":\"gg\"");
}

void emotes_without_id(struct world *world, unsigned client)
{
    says(world, client, "{\"type\":\"emote\",\"code\":\"gg\"}");
}

void is_lost(struct world *world, unsigned client)
{
    SIM_EXPECT(world->clients[client].is_connected);
    world->clients[client].is_lost = true;
    world->has_input = true;
}

void falls_silent(struct world *world, unsigned client)
{
    world->clients[client].is_silent = true;
}

void is_heard_again(struct world *world, unsigned client)
{
    world->clients[client].is_silent = false;
    world->has_input = true;
}

void takes_only(struct world *world, unsigned client, uint32_t frames)
{
    world->clients[client].takes = frames;
    world->has_input = true;
    if (frames > 0 && world->clients[client].is_choked) world->clients[client].is_writable = true;
}

void takes_everything(struct world *world, unsigned client)
{
    takes_only(world, client, ANY_NUMBER);
}
