#include "shard_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "proto/decode.h"

enum {
    MAILBOX_BYTES = 256 * 1024, /* As the daemon's, where nothing else is configured. */
    QUESTIONS = 512,
    CATEGORIES = 8,
    JOIN_EVERY_MS = 1000,
    SETTLE_PASSES = 6, /* A pairing takes so many turns of two shards. */
    LONG_MS = 24 * 3600 * 1000,
};

static const int64_t WALL_AT_START_MS = 1790000000000;

void qr_assert_failed(const char *file, int line, const char *claim)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, claim);
    abort();
}

static void *map_zeros(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) exit(EXIT_FAILURE);
    return memory;
}

static wall_time wall_of(mono_time now)
{
    return (wall_time){WALL_AT_START_MS + (int64_t)now.ms};
}

/* --- Questions, as long as real ones. --- */

static const struct bank *stage_bank(void)
{
    static struct question questions[QUESTIONS];
    static uint16_t indices[QUESTIONS];
    static struct bank bank;
    if (bank.count > 0) return &bank;
    for (unsigned i = 0; i < QUESTIONS; i++) {
        questions[i] = (struct question){
            .id = {{(uint8_t)(i >> 8), (uint8_t)i, 1}},
            .text = "Which of the four rivers flows through more capital cities than the others?",
            .choices = {"The Danube", "The Rhine", "The Amazon", "The Mekong"},
            .choice_count = 4,
            .category = (uint8_t)(i / (QUESTIONS / CATEGORIES)),
        };
        indices[i] = (uint16_t)i;
    }
    bank = (struct bank){
        .questions = questions, .count = QUESTIONS, .all = indices, .category_count = CATEGORIES};
    for (unsigned i = 0; i < CATEGORIES; i++) {
        bank.categories[i] = (struct bank_category){
            "geography", &indices[i * QUESTIONS / CATEGORIES], QUESTIONS / CATEGORIES};
    }
    return &bank;
}

/* --- Queues. --- */

static struct stage_queue create_queue(uint32_t capacity)
{
    return (struct stage_queue){.items = map_zeros(capacity * sizeof(uint32_t)),
                                .capacity = capacity};
}

static void push(struct stage_queue *queue, uint32_t item)
{
    QR_ASSERT(queue->count < queue->capacity);
    queue->items[(queue->first + queue->count++) % queue->capacity] = item;
}

static uint32_t pop(struct stage_queue *queue)
{
    QR_ASSERT(queue->count > 0);
    uint32_t item = queue->items[queue->first];
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
    return item;
}

/* --- What the shards ask for. --- */

static void want_to_speak(struct stage_player *player)
{
    if (player->is_waiting || !player->at->stage->settings.plays) return;
    player->is_waiting = true;
    push(&player->at->speakers, (uint32_t)(player - player->at->stage->players));
}

static bool is_type(const struct frame *frame, const char *type, size_t bytes)
{
    static const char head[] = "{\"type\":\"";
    return frame->size > sizeof(head) + bytes &&
           memcmp(frame->payload + sizeof(head) - 1, type, bytes) == 0;
}

static void on_told(struct stage_player *player, const struct frame *frame)
{
    struct stage_shard *at = player->at;
    at->frames++;
    if (is_type(frame, "round\"", 6)) {
        player->round++;
        want_to_speak(player);
    } else if (is_type(frame, "accepted\"", 9)) {
        at->receipts++;
    } else if (is_type(frame, "match\"", 6)) {
        player->round = 0;
        player->has_ended = false;
        memcpy(player->match, frame->payload + strlen("{\"type\":\"match\",\"match\":\""),
               ID_TEXT_BYTES);
    } else if (is_type(frame, "end\"", 4)) {
        at->ends++;
        player->has_ended = true;
        want_to_speak(player);
    } else if (is_type(frame, "error\"", 6)) {
        /* Busy: a mailbox was full. It says the same again. */
        at->errors++;
        want_to_speak(player);
    }
}

static unsigned io_send(void *context, shard_conn conn, struct frame *const frames[],
                        unsigned count, bool with_ping)
{
    (void)context; /* The connection knows its shard. */
    struct stage_player *player = conn;
    if (with_ping) player->is_pinged = true;
    for (unsigned i = 0; i < count; i++) on_told(conn, frames[i]);
    return count;
}

static void io_pause(void *context, shard_conn conn, bool is_paused)
{
    (void)context; /* The connection knows its shard. */
    struct stage_player *player = conn;
    player->is_paused = is_paused;
}

static void io_close(void *context, shard_conn conn, enum close_code code, const char *reason)
{
    struct stage_shard *at = context;
    struct stage_player *player = conn;
    (void)code, (void)reason;
    push(&at->closings, (uint32_t)(player - at->stage->players));
}

static void io_random(void *context, void *ret_bytes, size_t size)
{
    struct stage_shard *at = context;
    uint8_t *bytes = ret_bytes;
    for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
        uint64_t word = prng_next(&at->prng);
        size_t left = size - i;
        memcpy(bytes + i, &word, left < sizeof(word) ? left : sizeof(word));
    }
}

static int io_save(void *context, struct handle match, const struct match_result *result)
{
    (void)result;
    struct stage_shard *at = context;
    at->generations[match.slot] = match.generation;
    push(&at->saves, match.slot);
    return 0;
}

static int io_load(void *context, struct handle session, const struct id *player)
{
    (void)context, (void)session, (void)player;
    return -1;
}

static void io_cancel_load(void *context, struct handle session)
{
    (void)context, (void)session; /* None was asked for. */
}

static void io_token_write(void *context, const struct id *player, const char *name,
                           char *ret_token, size_t size)
{
    (void)context, (void)player, (void)name;
    memset(ret_token, 't', 160); /* As long as one. */
    ret_token[160] = '\0';
    QR_ASSERT(size > 160);
}

static bool io_token_read(void *context, const char *token, struct id *ret_player,
                          char ret_name[NAME_BYTES_MAX + 1])
{
    (void)context, (void)token, (void)ret_player, (void)ret_name;
    return false;
}

static void io_digest(void *context, const void *bytes, size_t size, uint8_t ret_digest[32])
{
    (void)context;
    static const struct siphash_key key = {{1, 2}};
    uint64_t words[4] = {siphash(&key, bytes, size)};
    memcpy(ret_digest, words, sizeof(words));
}

static uint32_t io_rtt_us(void *context, shard_conn conn)
{
    (void)context, (void)conn;
    return 0;
}

static void io_wake(void *context, unsigned shard)
{
    (void)shard; /* Nobody sleeps. */
    struct stage_shard *at = context;
    at->wakes++;
}

static void io_log(void *context, const struct shard_note *note)
{
    (void)context, (void)note;
}

/* --- Life. --- */

static struct shard_settings settings_of(const struct stage *stage, unsigned index)
{
    const struct stage_settings *from = &stage->settings;
    struct shard_settings settings = {
        .index = index,
        .count = from->shards,
        .sessions_max = from->players_max,
        .matches_max = from->players_max,
        .match_queue_slots = MATCH_QUEUE_SLOTS_MIN,
        .match = {.mode = MATCH_MODE_DUEL,
                  .rounds = from->rounds,
                  .start_ms = from->start_ms,
                  .round_time_ms = from->plays ? LONG_MS : STAGE_ROUND_MS,
                  .reveal_time_ms = from->reveal_time_ms,
                  .grace_ms = 10000,
                  .close_slack_ms = 20,
                  .tau_milli = 500},
        .bank = stage_bank(),
        .key = {{0x5eed, index}},
        .hello_timeout_ms = 5000,
        .send_timeout_ms = 5000,
        .ping_ms = LONG_MS, /* What is measured is the game. */
        .match_ping_ms = LONG_MS,
        .rtt_credit_max_ms = 250,
        .ended_keep_ms = from->ended_keep_ms,
        .rematch_ms = LONG_MS, /* A stage may stand still for a while. */
        .message_rate = 1000,
        .message_burst = 1000,
    };
    for (unsigned other = 0; other < from->shards; other++) {
        settings.to[other] = &stage->mailboxes[index * from->shards + other];
        settings.from[other] = &stage->mailboxes[other * from->shards + index];
    }
    return settings;
}

static void create_shard(struct stage *stage, unsigned index, mono_time now)
{
    struct stage_shard *at = &stage->shards[index];
    struct shard_settings settings = settings_of(stage, index);
    struct shard_io io = {.context = at,
                          .send = io_send,
                          .pause = io_pause,
                          .close = io_close,
                          .random = io_random,
                          .save = io_save,
                          .load = io_load,
                          .cancel_load = io_cancel_load,
                          .token_write = io_token_write,
                          .token_read = io_token_read,
                          .digest = io_digest,
                          .rtt_us = io_rtt_us,
                          .wake = io_wake,
                          .log = io_log};
    at->stage = stage;
    at->now = now;
    at->speakers = create_queue(settings.sessions_max);
    at->closings = create_queue(settings.sessions_max);
    at->saves = create_queue(settings.matches_max);
    at->generations = map_zeros(settings.matches_max * sizeof(uint32_t));
    prng_init(&at->prng, &settings.key);
    at->shard = shard_create(map_zeros(shard_bytes(&settings)), &settings, &io, now, wall_of(now));
}

struct stage *stage_create(const struct stage_settings *settings, mono_time now)
{
    decode_init();
    struct stage *stage = map_zeros(sizeof(*stage));
    unsigned pairs = settings->shards * settings->shards;
    stage->settings = *settings;
    stage->players = map_zeros(settings->players_max * sizeof(struct stage_player));
    stage->mailboxes = map_zeros(pairs * sizeof(struct mailbox));
    for (unsigned i = 0; i < pairs; i++) {
        mailbox_init(&stage->mailboxes[i], map_zeros(MAILBOX_BYTES), MAILBOX_BYTES);
    }
    for (unsigned i = 0; i < settings->shards; i++) create_shard(stage, i, now);
    return stage;
}

/* --- Players. --- */

static void say(struct stage_player *player, const char *text, int bytes)
{
    struct stage_shard *at = player->at;
    if (player->is_pinged) {
        player->is_pinged = false;
        shard_on_heard(at->shard, player->session, true, at->now);
    }
    shard_on_message(at->shard, player->session, text, (size_t)bytes, at->now);
}

struct stage_player *stage_come(struct stage *stage, unsigned shard)
{
    QR_ASSERT(stage->player_count < stage->settings.players_max);
    struct stage_player *player = &stage->players[stage->player_count++];
    char text[128];
    player->at = &stage->shards[shard];
    player->session = shard_on_connect(player->at->shard, player, player->at->now);
    QR_ASSERT(!handle_is_none(player->session));
    say(player, text,
        snprintf(text, sizeof(text), "{\"type\":\"hello\",\"id\":%u,\"name\":\"Player %u\"}",
                 ++player->next_id, stage->player_count));
    stage_settle(stage, player->at->now);
    return player;
}

void stage_join(struct stage_player *player)
{
    char text[128];
    int bytes;
    player->joined_at = player->at->now;
    if (player->has_ended) {
        bytes = snprintf(text, sizeof(text),
                         "{\"type\":\"join\",\"id\":%u,\"mode\":\"duel\",\"rematch\":\"%s\"}",
                         ++player->next_id, player->match);
    } else {
        bytes = snprintf(text, sizeof(text), "{\"type\":\"join\",\"id\":%u,\"mode\":\"duel\"}",
                         ++player->next_id);
    }
    say(player, text, bytes);
}

void stage_begin_match(struct stage *stage, unsigned first, unsigned second)
{
    struct stage_player *players[2] = {stage_come(stage, first), stage_come(stage, second)};
    for (unsigned i = 0; i < 2; i++) {
        stage_join(players[i]);
        stage_settle(stage, players[i]->at->now);
    }
    QR_ASSERT(players[1]->match[0] != '\0');
}

void stage_leave(struct stage_player *player)
{
    shard_on_disconnect(player->at->shard, player->session);
    player->session = HANDLE_NONE;
}

static void answer(struct stage_player *player)
{
    char text[128];
    say(player, text,
        snprintf(text, sizeof(text), "{\"type\":\"answer\",\"id\":%u,\"round\":%u,\"choice\":%u}",
                 ++player->next_id, player->round, player->round % 4u));
}

/* --- Turns. --- */

static void set_now(struct stage *stage, mono_time now)
{
    for (unsigned i = 0; i < stage->settings.shards; i++) stage->shards[i].now = now;
}

static void take_saves(struct stage_shard *at)
{
    while (at->saves.count > 0) {
        uint32_t slot = pop(&at->saves);
        shard_on_saved(at->shard, (struct handle){slot, at->generations[slot]}, true);
    }
}

void stage_read(struct stage_shard *at, mono_time now, unsigned count)
{
    at->now = now;
    take_saves(at);
    while (at->closings.count > 0) stage_leave(&at->stage->players[pop(&at->closings)]);
    if (!shard_takes_input(at->shard)) return;
    uint32_t waiting = at->speakers.count;
    for (unsigned i = 0; i < count && i < waiting; i++) {
        struct stage_player *player = &at->stage->players[pop(&at->speakers)];
        player->is_waiting = false;
        if (handle_is_none(player->session)) continue;
        if (!player->has_ended) {
            answer(player);
        } else if (mono_elapsed(player->joined_at, now) >= JOIN_EVERY_MS) {
            stage_join(player);
        } else {
            want_to_speak(player);
        }
    }
}

void stage_run(struct stage_shard *at, mono_time now)
{
    at->now = now;
    shard_run(at->shard, now, wall_of(now));
}

bool stage_is_idle(const struct stage_shard *at, mono_time now)
{
    mono_time due;
    return !shard_next_due(at->shard, &due) || mono_is_before(now, due);
}

void stage_settle(struct stage *stage, mono_time now)
{
    set_now(stage, now);
    for (unsigned pass = 0; pass < SETTLE_PASSES; pass++) {
        for (unsigned i = 0; i < stage->settings.shards; i++) {
            do stage_run(&stage->shards[i], now);
            while (!stage_is_idle(&stage->shards[i], now));
        }
    }
}
