#include "shard_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/decode.h"
#include "shard_priv.h"

enum {
    MAILBOX_BYTES = 256 * 1024,
    SESSIONS_MAX = 16,
    MATCHES_MAX = 8,
    STARTS_AT_MS = 5000000,
    PASSES_PER_MS = 16, /* A shard that waits for another one's mailbox is due again and again. */
};

static const int64_t WALL_AT_START_MS = 1790000000000;

/* --- The bank. --- */

static const char *const category_names[CATEGORIES] = {"art",   "film",    "history",
                                                       "music", "science", "sports"};

static const struct bank *world_bank(void)
{
    static struct question questions[CATEGORIES * QUESTIONS_EACH];
    static uint16_t indices[CATEGORIES * QUESTIONS_EACH];
    static struct bank bank;
    if (bank.count > 0) return &bank;
    for (unsigned i = 0; i < CATEGORIES * QUESTIONS_EACH; i++) {
        questions[i] = (struct question){
            .id = {{(uint8_t)(i >> 8), (uint8_t)i, 1}},
            .text = "Which?",
            .choices = {"the right one", "a", "b", "c"},
            .choice_count = 4,
            .category = (uint8_t)(i / QUESTIONS_EACH),
        };
        indices[i] = (uint16_t)i;
    }
    bank = (struct bank){.questions = questions,
                         .count = CATEGORIES * QUESTIONS_EACH,
                         .all = indices,
                         .category_count = CATEGORIES};
    for (unsigned i = 0; i < CATEGORIES; i++) {
        bank.categories[i] =
            (struct bank_category){category_names[i], &indices[i * QUESTIONS_EACH], QUESTIONS_EACH};
    }
    return &bank;
}

/* --- What a shard asks of the outside. --- */

static void record_message(struct client *client, const struct frame *frame)
{
    if (client->message_count == client->message_capacity) {
        client->message_capacity =
            client->message_capacity == 0 ? 32 : 2 * client->message_capacity;
        client->messages = realloc(client->messages, client->message_capacity * sizeof(char *));
        assert_non_null(client->messages);
    }
    char *text = malloc(frame->size + 1);
    assert_non_null(text);
    memcpy(text, frame->payload, frame->size);
    text[frame->size] = '\0';
    client->messages[client->message_count++] = text;
    struct world *world = client->world;
    referee_on_message(&world->referee, (unsigned)(client - world->clients), text);
}

static unsigned io_send(void *context, shard_conn conn, struct frame *const frames[],
                        unsigned count)
{
    (void)context; /* The connection knows its world. */
    struct client *client = conn;
    assert_true(client->is_connected);
    assert_int_equal(client->close_code, 0);
    unsigned taken = count < client->takes ? count : client->takes;
    for (unsigned i = 0; i < taken; i++) record_message(client, frames[i]);
    if (client->takes != ANY_NUMBER) client->takes -= taken;
    client->is_choked = taken < count;
    return taken;
}

static void io_pause(void *context, shard_conn conn, bool is_paused)
{
    (void)context; /* The connection knows its world. */
    struct client *client = conn;
    assert_true(client->is_connected);
    assert_int_not_equal(client->is_paused, is_paused);
    client->is_paused = is_paused;
}

static void io_close(void *context, shard_conn conn, enum close_code code, const char *reason)
{
    (void)context; /* The connection knows its world. */
    struct client *client = conn;
    assert_true(client->is_connected);
    assert_non_null(reason);
    assert_int_equal(client->close_code, 0); /* Asked for once. */
    client->close_code = (uint16_t)code;
    client->is_lost = true;
}

static void io_random(void *context, void *ret_bytes, size_t size)
{
    struct world_shard *at = context;
    uint8_t *bytes = ret_bytes;
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)prng_next(&at->world->chance);
}

static int io_save(void *context, struct handle match, const struct match_result *result)
{
    struct world_shard *at = context;
    struct world *world = at->world;
    world->saves_asked++;
    world->last_result = *result;
    if (world->store == STORE_REFUSING) return -EAGAIN;
    assert_true(world->save_count < SAVES_MAX);
    uint32_t delay_ms = world->store == STORE_LATE ? world->store_delay_ms : 0;
    world->saves[world->save_count++] =
        (struct pending_save){.match = match,
                              .id = result->match,
                              .shard = (unsigned)(at - world->shards),
                              .at = mono_after(world->now, delay_ms)};
    return 0;
}

static void io_wake(void *context, unsigned shard)
{
    struct world_shard *at = context;
    assert_true(shard < at->world->settings.shards);
    at->world->shards[shard].is_woken = true;
}

static void io_log(void *context, const struct shard_note *note)
{
    struct world_shard *at = context;
    at->world->notes[note->kind]++;
    if (note->kind == NOTE_MATCH_FAULT) fail_msg("a match found itself broken: %s", note->text);
}

/* --- Life. --- */

static struct shard_settings settings_of(struct world *world, unsigned index)
{
    const struct world_settings *from = &world->settings;
    struct shard_settings settings = {
        .index = index,
        .count = from->shards,
        .connections_max = from->sessions_max * from->shards,
        .sessions_max = from->sessions_max,
        .matches_max = from->matches_max,
        .match_queue_slots = MATCH_QUEUE_SLOTS_MIN,
        .match = {.mode = MATCH_MODE_DUEL,
                  .rounds = ROUNDS,
                  .start_ms = START_MS,
                  .round_time_ms = ROUND_TIME_MS,
                  .reveal_time_ms = REVEAL_TIME_MS,
                  .grace_ms = from->grace_ms,
                  .close_slack_ms = CLOSE_SLACK_MS},
        .bank = world_bank(),
        .key = {{from->seed, index}},
        .hello_timeout_ms = HELLO_TIMEOUT_MS,
        .send_timeout_ms = SEND_TIMEOUT_MS,
        .ping_ms = 25000,
        .message_rate = MESSAGE_RATE,
        .message_burst = from->message_burst,
    };
    for (unsigned other = 0; other < from->shards; other++) {
        settings.to[other] = &world->mailboxes[index][other];
        settings.from[other] = &world->mailboxes[other][index];
    }
    return settings;
}

static wall_time wall_now(const struct world *world)
{
    return (wall_time){WALL_AT_START_MS + (int64_t)(world->now.ms - STARTS_AT_MS)};
}

static void create_shard(struct world *world, unsigned index)
{
    struct shard_settings settings = settings_of(world, index);
    struct world_shard *at = &world->shards[index];
    at->world = world;
    at->memory = calloc(1, shard_bytes(&settings) + 64);
    assert_non_null(at->memory);
    uintptr_t aligned = ((uintptr_t)at->memory + 63) & ~(uintptr_t)63;
    struct shard_io io = {.context = at,
                          .send = io_send,
                          .pause = io_pause,
                          .close = io_close,
                          .random = io_random,
                          .save = io_save,
                          .wake = io_wake,
                          .log = io_log};
    at->shard = shard_create((void *)aligned, &settings, &io, world->now, wall_now(world));
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

struct world *world_create(struct world_settings settings)
{
    decode_init();
    settings.shards = or_default(settings.shards, 1);
    settings.clients = or_default(settings.clients, LEO + 1);
    settings.sessions_max = or_default(settings.sessions_max, SESSIONS_MAX);
    settings.matches_max = or_default(settings.matches_max, MATCHES_MAX);
    settings.mailbox_bytes = or_default(settings.mailbox_bytes, MAILBOX_BYTES);
    settings.message_burst = or_default(settings.message_burst, MESSAGE_BURST);
    settings.grace_ms = or_default(settings.grace_ms, GRACE_MS);
    struct world *world = aligned_alloc(_Alignof(struct world), sizeof(*world));
    assert_non_null(world);
    memset(world, 0, sizeof(*world));
    world->settings = settings;
    world->now.ms = STARTS_AT_MS;
    struct siphash_key seed = {{0x5eed, settings.seed}};
    prng_init(&world->chance, &seed);
    world->clients = calloc(settings.clients, sizeof(*world->clients));
    assert_non_null(world->clients);
    for (uint32_t i = 0; i < settings.clients; i++) {
        world->clients[i] = (struct client){.world = world, .next_id = 1};
    }
    referee_init(&world->referee, settings.clients);
    for (unsigned from = 0; from < settings.shards; from++) {
        for (unsigned to = 0; to < settings.shards; to++) {
            void *bytes = calloc(1, settings.mailbox_bytes);
            assert_non_null(bytes);
            world->mailbox_bytes[from][to] = bytes;
            mailbox_init(&world->mailboxes[from][to], bytes, settings.mailbox_bytes);
        }
    }
    for (unsigned i = 0; i < settings.shards; i++) create_shard(world, i);
    return world;
}

struct world *world_of(unsigned shards)
{
    return world_create((struct world_settings){.shards = shards});
}

static void expect_nothing_left(struct world *world, unsigned index)
{
    struct shard *shard = world->shards[index].shard;
    assert_true(shard_is_empty(shard));
    struct shard_stats stats;
    shard_stats(shard, &stats);
    for (unsigned i = 0; i < SESSION_STATE_COUNT; i++) assert_int_equal(stats.sessions[i], 0);
    for (unsigned i = 0; i < MATCH_STATE_COUNT; i++) assert_int_equal(stats.matches[i], 0);
    for (unsigned i = 0; i < FRAME_CLASSES; i++) assert_int_equal(stats.frames[i].now, 0);
    assert_int_equal(stats.session_slots.now, 0);
    assert_int_equal(stats.match_slots.now, 0);
    assert_int_equal(stats.ticket_slots.now, 0);
    assert_int_equal(stats.presence_slots.now, 0);
    assert_int_equal(stats.offer_slots.now, 0);
    assert_int_equal(stats.lingering, 0);
    assert_int_equal(stats.timers_live, index == 0 ? 1 : 0); /* The lobby's figures. */
    assert_int_equal(stats.tokens_live, 1);                  /* The shard's own. */
}

static void free_client(struct client *client)
{
    for (uint32_t i = 0; i < client->message_count; i++) free(client->messages[i]);
    for (uint32_t i = 0; i < client->inbox_count; i++) free(client->inbox[i]);
    free(client->messages);
}

void calm_down(struct world *world)
{
    world->store = STORE_PROMPT;
    for (unsigned i = 0; i < world->settings.shards; i++) go_on(world, i);
    for (unsigned i = 0; i < world->settings.clients; i++) takes_everything(world, i);
    run_ms(world, CALM_MS);
    referee_expect_all_answered(&world->referee);
}

void world_close(struct world *world)
{
    calm_down(world);
    shut_down(world);
    run_ms(world, CALM_MS);
    for (unsigned i = 0; i < world->settings.clients; i++) {
        assert_false(world->clients[i].is_connected);
    }
    for (unsigned i = 0; i < world->settings.shards; i++) {
        expect_nothing_left(world, i);
        shard_destroy(world->shards[i].shard);
        free(world->shards[i].memory);
        for (unsigned to = 0; to < world->settings.shards; to++) free(world->mailbox_bytes[i][to]);
    }
    for (uint32_t i = 0; i < world->settings.clients; i++) free_client(&world->clients[i]);
    free(world->clients);
    referee_fini(&world->referee);
    free(world);
}

/* --- What comes in. --- */

static void hear(struct world *world, struct client *client)
{
    struct world_shard *at = &world->shards[client->shard];
    while (client->inbox_count > 0 && !client->is_paused && !client->is_lost) {
        char *text = client->inbox[0];
        client->inbox_count--;
        memmove(&client->inbox[0], &client->inbox[1], client->inbox_count * sizeof(char *));
        shard_on_message(at->shard, client->session, text, strlen(text), world->now);
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
    referee_on_disconnect(&world->referee, (unsigned)(client - world->clients));
    shard_on_disconnect(at->shard, client->session);
    at->is_woken = true;
}

static void bring_in(struct world *world)
{
    for (uint32_t i = 0; i < world->settings.clients; i++) {
        struct client *client = &world->clients[i];
        if (!client->is_connected || world->shards[client->shard].is_stalled) continue;
        hear(world, client);
        if (client->is_writable && client->close_code == 0) {
            client->is_writable = false;
            client->is_choked = false;
            shard_on_writable(world->shards[client->shard].shard, client->session);
            world->shards[client->shard].is_woken = true;
        }
        if (client->is_lost) disconnect(world, client);
    }
}

static void bring_saves(struct world *world)
{
    if (world->store == STORE_DEAD) return;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < world->save_count; i++) {
        struct pending_save save = world->saves[i];
        struct world_shard *at = &world->shards[save.shard];
        if (at->is_stalled || mono_is_before(world->now, save.at)) {
            world->saves[kept++] = save;
            continue;
        }
        bool is_saved = world->store != STORE_FAILING;
        if (is_saved) referee_on_saved(&world->referee, &save.id);
        shard_on_saved(at->shard, save.match, is_saved);
        at->is_woken = true;
    }
    world->save_count = kept;
}

/* --- Time. --- */

bool run_once(struct world *world)
{
    bool has_run = false;
    bring_in(world);
    bring_saves(world);
    for (unsigned i = 0; i < world->settings.shards; i++) {
        struct world_shard *at = &world->shards[i];
        mono_time due;
        bool is_due = shard_next_due(at->shard, &due) && !mono_is_before(world->now, due);
        if (at->is_stalled || (!at->is_woken && !is_due)) continue;
        at->is_woken = false;
        shard_run(at->shard, world->now, wall_now(world));
        world->runs++;
        has_run = true;
    }
    return has_run;
}

/* Nobody runs now, so nothing may wait for it. */
static void expect_no_lost_wake_up(const struct world *world)
{
    for (unsigned to = 0; to < world->settings.shards; to++) {
        if (world->shards[to].is_stalled) continue;
        for (unsigned from = 0; from < world->settings.shards; from++) {
            if (mailbox_bytes_used(&world->mailboxes[from][to]) == 0) continue;
            fail_msg("shard %u sleeps on what shard %u has sent", to, from);
        }
    }
}

static mono_time next_due(const struct world *world, mono_time until)
{
    mono_time next = until;
    for (unsigned i = 0; i < world->settings.shards; i++) {
        mono_time due;
        if (world->shards[i].is_stalled || !shard_next_due(world->shards[i].shard, &due)) continue;
        if (mono_is_before(due, next)) next = due;
    }
    for (uint32_t i = 0; i < world->save_count; i++) {
        bool can_come =
            world->store != STORE_DEAD && !world->shards[world->saves[i].shard].is_stalled;
        if (can_come && mono_is_before(world->saves[i].at, next)) next = world->saves[i].at;
    }
    return next;
}

void run_ms(struct world *world, uint32_t ms)
{
    mono_time until = mono_after(world->now, ms);
    while (true) {
        unsigned passes = 0;
        while (passes < PASSES_PER_MS && run_once(world)) passes++;
        if (passes < PASSES_PER_MS) expect_no_lost_wake_up(world);
        if (!mono_is_before(world->now, until)) return;
        mono_time next = next_due(world, until);
        mono_time soonest = mono_after(world->now, 1);
        world->now = mono_is_before(next, soonest) ? soonest : next;
    }
}

void settle(struct world *world)
{
    run_ms(world, HOPS_MS);
}

/* --- Faults. --- */

void stall(struct world *world, unsigned shard)
{
    world->shards[shard].is_stalled = true;
}

void go_on(struct world *world, unsigned shard)
{
    world->shards[shard].is_stalled = false;
    world->shards[shard].is_woken = true;
}

void jam(struct world *world, unsigned from, unsigned to)
{
    struct record_figures record = {.kind = RECORD_FIGURES, .mean_wait_ms = -1};
    while (mailbox_push(&world->mailboxes[from][to], &record, sizeof(record), NULL, 0)) continue;
    world->shards[to].is_woken = true;
}

static void be_woken(struct world *world)
{
    for (unsigned i = 0; i < world->settings.shards; i++) world->shards[i].is_woken = true;
}

void drain(struct world *world)
{
    for (unsigned i = 0; i < world->settings.shards; i++) shard_drain(world->shards[i].shard);
    be_woken(world);
}

void shut_down(struct world *world)
{
    for (unsigned i = 0; i < world->settings.shards; i++) shard_shutdown(world->shards[i].shard);
    be_woken(world);
}
