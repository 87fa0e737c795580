#include "sim_edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/journal.h"
#include "sim_answers.h"
#include "sim_audit.h"
#include "sim_failed.h"

enum { TOLD_BYTES_MAX = 16384 };

/* --- What a shard says. --- */

static unsigned number_of(const struct client *client)
{
    return (unsigned)(client - client->world->clients);
}

static bool is_heard(const struct client *client)
{
    return !client->is_paused && !client->is_lost && !client->is_silent;
}

static void keep_earlier(mono_time *earliest, mono_time at)
{
    if (mono_is_before(at, *earliest)) *earliest = at;
}

/* Copies the text behind `key` up to the closing quote; nothing where there is none. */
static bool copy_text(const char *text, const char *key, char *ret_text, size_t size)
{
    const char *at = strstr(text, key);
    if (at == NULL) return false;
    at += strlen(key);
    size_t length = strcspn(at, "\"");
    SIM_EXPECT(length < size);
    memcpy(ret_text, at, length);
    ret_text[length] = '\0';
    return true;
}

/* What a client keeps for its next connection. */
static void keep_what_counts(struct client *client, const char *text)
{
    if (strncmp(text, "{\"type\":\"welcome\"", 17) == 0) {
        SIM_EXPECT(
            copy_text(text, "\"session\":\"", client->session_text, sizeof(client->session_text)));
        SIM_EXPECT(copy_text(text, "\"token\":\"", client->token, sizeof(client->token)));
        char player[ID_TEXT_BYTES + 1];
        SIM_EXPECT(copy_text(text, "\"player\":\"", player, sizeof(player)));
        SIM_EXPECT(id_parse(player, ID_TEXT_BYTES, &client->player));
    }
    const char *seq = strstr(text, ",\"seq\":");
    if (seq == NULL) return;
    SIM_EXPECT(copy_text(text, "\"match\":\"", client->last_match, sizeof(client->last_match)));
    client->last_seq = (uint32_t)strtoul(seq + strlen(",\"seq\":"), NULL, 10);
}

static void keep_message(struct client *client, const char *text, size_t bytes)
{
    if (client->message_count == client->message_capacity) {
        client->message_capacity =
            client->message_capacity == 0 ? 32 : 2 * client->message_capacity;
        client->messages = realloc(client->messages, client->message_capacity * sizeof(char *));
        SIM_EXPECT(client->messages != NULL);
    }
    char *copy = malloc(bytes + 1);
    SIM_EXPECT(copy != NULL);
    memcpy(copy, text, bytes + 1);
    client->messages[client->message_count++] = copy;
}

static void record_message(struct client *client, const struct frame *frame)
{
    struct world *world = client->world;
    char text[TOLD_BYTES_MAX + 1];
    SIM_EXPECT(frame->size < sizeof(text));
    memcpy(text, frame->payload, frame->size);
    text[frame->size] = '\0';
    if (!world->settings.forgets_its_messages) keep_message(client, text, frame->size);
    tell(world, number_of(client), "told", text);
    keep_what_counts(client, text);
    referee_on_message(&world->referee, number_of(client), text, world->now);
    if (world->watch.on_told != NULL)
        world->watch.on_told(world->watch.context, number_of(client), text);
}

static void ping(struct client *client)
{
    client->pings++;
    client->pinged_at = client->world->now;
    if (client->pongs_due == PONGS_MAX) return; /* A client that is so late is lost. */
    client->pong_at[client->pongs_due++] = mono_after(client->world->now, client->pong_delay_ms);
    if (is_heard(client)) keep_earlier(&client->world->pong_at, client->pong_at[0]);
}

static unsigned io_send(void *context, shard_conn conn, struct frame *const frames[],
                        unsigned count, bool with_ping)
{
    (void)context; /* The connection knows its world. */
    struct client *client = conn;
    SIM_EXPECT(client->is_connected);
    SIM_EXPECT(client->close_code == 0);
    unsigned taken = count < client->takes ? count : client->takes;
    for (unsigned i = 0; i < taken; i++) {
        if (world_is_dead(client->world)) return count;
        record_message(client, frames[i]);
    }
    if (client->takes != ANY_NUMBER) client->takes -= taken;
    client->is_choked = taken < count;
    if (client->is_choked) referee_on_unread(&client->world->referee, number_of(client));
    if (with_ping && !client->is_choked) ping(client);
    return taken;
}

static void io_pause(void *context, shard_conn conn, bool is_paused)
{
    (void)context; /* The connection knows its world. */
    struct client *client = conn;
    SIM_EXPECT(client->is_connected);
    SIM_EXPECT(client->is_paused != is_paused);
    client->is_paused = is_paused;
    client->world->has_input = true;
}

static void io_close(void *context, shard_conn conn, enum close_code code, const char *reason)
{
    (void)context; /* The connection knows its world. */
    struct client *client = conn;
    SIM_EXPECT(client->is_connected);
    SIM_EXPECT(reason != NULL);
    SIM_EXPECT(client->close_code == 0); /* Asked for once. */
    if (world_is_dead(client->world)) return;
    client->close_code = (uint16_t)code;
    client->is_lost = true;
    client->world->has_input = true;
    tell(client->world, number_of(client), "closed", reason);
    const struct world_watch *watch = &client->world->watch;
    if (watch->on_closed != NULL) watch->on_closed(watch->context, number_of(client), code);
}

static uint32_t io_rtt_us(void *context, shard_conn conn)
{
    (void)context; /* The connection knows its world. */
    const struct client *client = conn;
    return client->rtt_us;
}

/* --- What a shard knows by the outside. --- */

static void io_random(void *context, void *ret_bytes, size_t size)
{
    struct world_shard *at = context;
    uint8_t *bytes = ret_bytes;
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)prng_next(&at->world->chance);
}

/* No secret, but as long as one, and the same for the same bytes. */
static void io_digest(void *context, const void *bytes, size_t size, uint8_t ret_digest[32])
{
    (void)context; /* A function of the bytes alone. */
    uint64_t hash = UINT64_C(14695981039346656037);
    for (unsigned i = 0; i < 32; i++) {
        for (size_t j = 0; j < size; j++) {
            hash = (hash ^ ((const uint8_t *)bytes)[j]) * UINT64_C(1099511628211);
        }
        ret_digest[i] = (uint8_t)(hash >> 32);
    }
}

static void io_token_write(void *context, const struct id *player, const char *name,
                           char *ret_token, size_t size)
{
    (void)context; /* A token is its text. */
    char text[ID_TEXT_BYTES + 1];
    id_format(player, text);
    text[ID_TEXT_BYTES] = '\0';
    int length = snprintf(ret_token, size, "guest.%s.%s", text, name);
    SIM_EXPECT(length > 0 && (size_t)length < size);
}

static bool io_token_read(void *context, const char *token, struct id *ret_player,
                          char ret_name[NAME_BYTES_MAX + 1])
{
    (void)context; /* A token is its text. */
    static const char head[] = "guest.";
    if (strncmp(token, head, sizeof(head) - 1) != 0) return false;
    const char *id = token + sizeof(head) - 1;
    if (strlen(id) <= ID_TEXT_BYTES || !id_parse(id, ID_TEXT_BYTES, ret_player)) return false;
    const char *name = id + ID_TEXT_BYTES + 1;
    SIM_EXPECT(strlen(name) <= NAME_BYTES_MAX);
    memcpy(ret_name, name, strlen(name) + 1);
    return true;
}

static void io_wake(void *context, unsigned shard)
{
    struct world_shard *at = context;
    SIM_EXPECT(shard < at->world->settings.shards);
    unsigned from = (unsigned)(at - at->world->shards);
    if (at->world->settings.has_late_mailboxes && from != shard) {
        at->world->relays[from][shard].is_woken = true;
    } else {
        at->world->shards[shard].is_woken = true;
    }
}

static void io_log(void *context, const struct shard_note *note)
{
    struct world_shard *at = context;
    if (world_is_dead(at->world)) return;
    at->world->notes[note->kind]++;
    const struct world_watch *watch = &at->world->watch;
    if (watch->on_note != NULL)
        watch->on_note(watch->context, (unsigned)(at - at->world->shards), note);
    if (note->kind == NOTE_MATCH_FAULT && !at->world->may_find_faults)
        sim_failed("a match found itself broken: %s", note->text);
    if (note->kind == NOTE_MATCH_STARTED) {
        audit_on_started(at->world, (unsigned)(at - at->world->shards), &note->match);
    }
    if (note->kind == NOTE_MATCH_ENDED) {
        tell(at->world, ANY_NUMBER, "ended", note->text);
        referee_on_ended(&at->world->referee, &note->match, note->text, at->world->now);
    }
}

/* What is not kept of a match: it may be another one after a crash. */
static void note_refused(struct world *world, const uint8_t *record, size_t bytes)
{
    struct journal_head head;
    const char *problem = journal_read_head(record, bytes, &head);
    SIM_EXPECT(problem == NULL);
    if (head.kind != JOURNAL_BEGIN) referee_on_unjournaled(&world->referee, &head.match);
}

static bool io_journal(void *context, const uint8_t *record, size_t bytes)
{
    struct world_shard *at = context;
    if (world_is_dead(at->world)) return true;
    bool is_kept = sim_journal_append(&at->journal, record, bytes);
    if (!is_kept) note_refused(at->world, record, bytes);
    return is_kept;
}

/* --- What comes in. --- */

static void hear_pongs(struct world *world, struct client *client)
{
    struct world_shard *at = &world->shards[client->shard];
    while (client->pongs_due > 0 && is_heard(client) &&
           !mono_is_before(world->now, client->pong_at[0])) {
        client->pongs_due--;
        memmove(&client->pong_at[0], &client->pong_at[1],
                client->pongs_due * sizeof(client->pong_at[0]));
        tell(world, number_of(client), "pong", "");
        referee_on_heard(&world->referee, number_of(client), world->now);
        shard_on_heard(at->shard, client->session, client->pongs_due == 0, world->now);
        at->is_woken = true;
    }
}

static void hear(struct world *world, struct client *client)
{
    struct world_shard *at = &world->shards[client->shard];
    while (client->inbox_count > 0 && is_heard(client) && !world_is_dead(world)) {
        char *text = client->inbox[0];
        client->inbox_count--;
        memmove(&client->inbox[0], &client->inbox[1], client->inbox_count * sizeof(char *));
        referee_on_heard(&world->referee, number_of(client), world->now);
        tell(world, number_of(client), "says", text);
        shard_on_heard(at->shard, client->session, false, world->now);
        referee_on_arrival(&world->referee, number_of(client), text, world->now);
        audit_before_message(world, number_of(client));
        shard_on_message(at->shard, client->session, text, strlen(text), world->now);
        if (!world->is_dead) audit_after_message(world, number_of(client));
        free(text);
        at->is_woken = true;
    }
}

static void disconnect(struct world *world, struct client *client)
{
    struct world_shard *at = &world->shards[client->shard];
    client->is_connected = false;
    client->is_lost = false;
    for (uint32_t i = 0; i < client->inbox_count; i++) free(client->inbox[i]);
    client->inbox_count = 0;
    tell(world, number_of(client), "gone", "");
    referee_on_disconnect(&world->referee, number_of(client));
    shard_on_disconnect(at->shard, client->session);
    at->is_woken = true;
    if (world->watch.on_gone != NULL) world->watch.on_gone(world->watch.context, number_of(client));
}

void edge_bring_in(struct world *world)
{
    if (!world->has_input && mono_is_before(world->now, world->pong_at)) return;
    world->has_input = false;
    world->pong_at = (mono_time){UINT64_MAX};
    for (uint32_t i = 0; i < world->settings.clients && !world->is_dead; i++) {
        struct client *client = &world->clients[i];
        if (!client->is_connected || world->shards[client->shard].is_stalled) continue;
        hear(world, client);
        hear_pongs(world, client);
        if (client->is_writable && client->close_code == 0) {
            client->is_writable = false;
            client->is_choked = false;
            shard_on_writable(world->shards[client->shard].shard, client->session);
            world->shards[client->shard].is_woken = true;
        }
        if (client->pongs_due > 0 && is_heard(client))
            keep_earlier(&world->pong_at, client->pong_at[0]);
        if (client->is_lost) disconnect(world, client);
    }
}

mono_time edge_next_due(const struct world *world, mono_time until)
{
    mono_time next = until;
    answers_next_due(world, &next);
    keep_earlier(&next, world->pong_at);
    return next;
}

struct shard_io edge_io(struct world_shard *at)
{
    bool has_journal = at->world->settings.keeps != KEEPS_NO_JOURNAL;
    return (struct shard_io){.context = at,
                             .send = io_send,
                             .pause = io_pause,
                             .close = io_close,
                             .random = io_random,
                             .journal = has_journal ? io_journal : NULL,
                             .save = answers_save,
                             .load = answers_load,
                             .cancel_load = answers_cancel_load,
                             .token_write = io_token_write,
                             .token_read = io_token_read,
                             .digest = io_digest,
                             .rtt_us = io_rtt_us,
                             .wake = io_wake,
                             .log = io_log};
}
