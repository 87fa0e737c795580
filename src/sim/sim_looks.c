/* What can be seen of the world: the looks of sim_world.h. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_failed.h"
#include "sim_world.h"

enum { WORD_BYTES = 64 };

struct shard_stats stats_of(struct world *world, unsigned shard)
{
    struct shard_stats stats;
    shard_stats(world->shards[shard].shard, &stats);
    return stats;
}

unsigned sessions_in(struct world *world, enum session_state state)
{
    unsigned count = 0;
    for (unsigned i = 0; i < world->settings.shards; i++) {
        count += stats_of(world, i).sessions[state];
    }
    return count;
}

unsigned matches_live(struct world *world)
{
    unsigned count = 0;
    for (unsigned i = 0; i < world->settings.shards; i++) {
        count += stats_of(world, i).match_slots.now;
    }
    return count;
}

unsigned matches_kept(struct world *world)
{
    unsigned count = 0;
    for (unsigned i = 0; i < world->settings.shards; i++) {
        count += stats_of(world, i).ended_slots.now;
    }
    return count;
}

unsigned players_present(struct world *world)
{
    unsigned count = 0;
    for (unsigned i = 0; i < world->settings.shards; i++) {
        count += stats_of(world, i).presence_slots.now;
    }
    return count;
}

static bool is_of(const char *text, const char *type)
{
    static const char head[] = "{\"type\":\"";
    size_t length = strlen(type);
    return strncmp(text + sizeof(head) - 1, type, length) == 0 &&
           text[sizeof(head) - 1 + length] == '"';
}

static const char *find_last(const struct world *world, unsigned client, const char *type)
{
    const struct client *at = &world->clients[client];
    for (uint32_t i = at->message_count; i > 0; i--) {
        if (is_of(at->messages[i - 1], type)) return at->messages[i - 1];
    }
    return NULL;
}

const char *last_said(const struct world *world, unsigned client, const char *type)
{
    const char *text = find_last(world, client, type);
    if (text == NULL) sim_failed("client %u was told no `%s`", client, type);
    return text;
}

unsigned count_said(const struct world *world, unsigned client, const char *type)
{
    const struct client *at = &world->clients[client];
    unsigned count = 0;
    for (uint32_t i = 0; i < at->message_count; i++) count += is_of(at->messages[i], type);
    return count;
}

uint32_t number_in(const char *text, const char *key)
{
    char quoted[WORD_BYTES];
    (void)snprintf(quoted, sizeof(quoted), "\"%s\":", key); /* It fits. */
    const char *at = strstr(text, quoted);
    if (at == NULL) return ANY_NUMBER;
    at += strlen(quoted);
    return *at >= '0' && *at <= '9' ? (uint32_t)strtoul(at, NULL, 10) : ANY_NUMBER;
}

unsigned right_choice(const struct world *world, unsigned client)
{
    const char *at = strstr(last_said(world, client, "round"), "\"choices\":[");
    const char *right = strstr(at, "\"the right one\"");
    SIM_EXPECT(right != NULL);
    unsigned place = 0;
    for (; at < right; at++) place += *at == ',';
    return place;
}

unsigned wrong_choice(const struct world *world, unsigned client)
{
    return (right_choice(world, client) + 1) % 4;
}
