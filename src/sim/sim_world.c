#include "sim_world.h"

#include <stdlib.h>
#include <string.h>

#include "sim_failed.h"

#include "proto/decode.h"
#include "shard_priv.h"
#include "sim_answers.h"
#include "sim_audit.h"
#include "sim_edge.h"
#include "sim_world_priv.h"

enum {
    MAILBOX_BYTES = 256 * 1024,
    SESSIONS_MAX = 16,
    MATCHES_MAX = 8,
    STARTS_AT_MS = 5000000,
    PAUSE_MAX_MS = 16,
    SYNC_EVERY_MS = 1000,
    PASSES_PER_MS = 16, /* A shard that waits for another one's mailbox is due again and again. */
};

/* The right choice of every question, the first in the bank. */
#define RIGHT_TEXT "the right one"

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
            .choices = {RIGHT_TEXT, "a", "b", "c"},
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

/* --- Life. --- */

static void connect_mailboxes(struct world *world, unsigned index, struct shard_settings *settings)
{
    settings->index = index;
    settings->count = world->settings.shards;
    settings->bank = world_bank();
    settings->key = (struct siphash_key){{world->settings.seed, index}};
    for (unsigned other = 0; other < settings->count; other++) {
        bool is_late = world->settings.has_late_mailboxes && other != index;
        settings->to[other] =
            is_late ? &world->relays[index][other].mailbox : &world->mailboxes[index][other];
        settings->from[other] = &world->mailboxes[other][index];
    }
}

static struct shard_settings settings_of(struct world *world, unsigned index)
{
    const struct world_settings *from = &world->settings;
    if (from->shard != NULL) {
        struct shard_settings given = *from->shard;
        connect_mailboxes(world, index, &given);
        return given;
    }
    struct shard_settings settings = {
        .sessions_max = from->sessions_max,
        .matches_max = from->matches_max,
        .match_queue_slots = MATCH_QUEUE_SLOTS_MIN,
        .match = {.mode = MATCH_MODE_DUEL,
                  .rounds = ROUNDS,
                  .start_ms = START_MS,
                  .round_time_ms = ROUND_TIME_MS,
                  .reveal_time_ms = REVEAL_TIME_MS,
                  .grace_ms = from->grace_ms,
                  .close_slack_ms = CLOSE_SLACK_MS,
                  .tau_milli = 500},
        .hello_timeout_ms = HELLO_TIMEOUT_MS,
        .send_timeout_ms = SEND_TIMEOUT_MS,
        .ping_ms = PING_MS,
        .match_ping_ms = MATCH_PING_MS,
        .rtt_credit_max_ms = CREDIT_MAX_MS,
        .ended_keep_ms = ENDED_KEEP_MS,
        .rematch_ms = REMATCH_MS,
        .message_rate = MESSAGE_RATE,
        .message_burst = from->message_burst,
    };
    connect_mailboxes(world, index, &settings);
    return settings;
}

wall_time world_wall(const struct world *world)
{
    return (wall_time){WALL_AT_START_MS + (int64_t)(world->now.ms - STARTS_AT_MS) +
                       world->wall_offset_ms};
}

void world_create_shard(struct world *world, unsigned index)
{
    struct shard_settings settings = settings_of(world, index);
    struct world_shard *at = &world->shards[index];
    at->world = world;
    at->is_woken = true;
    at->pause_ms = 1;
    at->memory = calloc(1, shard_bytes(&settings) + 64);
    SIM_EXPECT(at->memory != NULL);
    uintptr_t aligned = ((uintptr_t)at->memory + 63) & ~(uintptr_t)63;
    struct shard_io io = edge_io(at);
    at->shard = shard_create((void *)aligned, &settings, &io, world->now, world_wall(world));
}

void tell(const struct world *world, unsigned client, const char *what, const char *text)
{
    if (world->watch.on_event == NULL) return;
    unsigned shard = client == ANY_NUMBER ? ANY_NUMBER : world->clients[client].shard;
    world->watch.on_event(world->watch.context, shard, client, what, text);
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

void world_wake_all(struct world *world)
{
    for (unsigned i = 0; i < world->settings.shards; i++) world->shards[i].is_woken = true;
}

static void *create_mailbox(const struct world_settings *settings, struct mailbox *mailbox)
{
    void *bytes = malloc(settings->mailbox_bytes);
    SIM_EXPECT(bytes != NULL);
    mailbox_init(mailbox, bytes, settings->mailbox_bytes);
    if (settings->mailbox_room != 0) mailbox->size = settings->mailbox_room;
    return bytes;
}

void world_create_mailboxes(struct world *world)
{
    const struct world_settings *settings = &world->settings;
    for (unsigned from = 0; from < settings->shards; from++) {
        for (unsigned to = 0; to < settings->shards; to++) {
            struct relay *relay = &world->relays[from][to];
            world->mailbox_bytes[from][to] = create_mailbox(settings, &world->mailboxes[from][to]);
            *relay = (struct relay){.bytes = NULL};
            if (settings->has_late_mailboxes)
                relay->bytes = create_mailbox(settings, &relay->mailbox);
        }
    }
}

void world_free_mailboxes(struct world *world)
{
    for (unsigned from = 0; from < world->settings.shards; from++) {
        for (unsigned to = 0; to < world->settings.shards; to++) {
            free(world->mailbox_bytes[from][to]);
            free(world->relays[from][to].bytes);
        }
    }
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
    if (settings.is_without_grace) settings.grace_ms = 0;
    struct world *world = aligned_alloc(_Alignof(struct world), sizeof(*world));
    SIM_EXPECT(world != NULL);
    memset(world, 0, sizeof(*world));
    world->settings = settings;
    world->now.ms = STARTS_AT_MS;
    world->pong_at = (mono_time){UINT64_MAX};
    struct siphash_key seed = {{0x5eed, settings.seed}};
    prng_init(&world->chance, &seed);
    world->clients = calloc(settings.clients, sizeof(*world->clients));
    SIM_EXPECT(world->clients != NULL);
    for (uint32_t i = 0; i < settings.clients; i++) {
        world->clients[i] = (struct client){.world = world, .next_id = 1};
    }
    referee_init(&world->referee, settings.clients);
    world->referee.kept_ms = ENDED_KEEP_MS;
    world->referee.right_text = RIGHT_TEXT;
    world_create_mailboxes(world);
    for (unsigned i = 0; i < settings.shards; i++) world_create_shard(world, i);
    world->audit = audit_create(world);
    return world;
}

struct world *world_of(unsigned shards)
{
    return world_create((struct world_settings){.shards = shards});
}

static void expect_nothing_left(struct world *world, unsigned index)
{
    struct shard *shard = world->shards[index].shard;
    SIM_EXPECT(shard_is_empty(shard));
    struct shard_stats stats;
    shard_stats(shard, &stats);
    for (unsigned i = 0; i < SESSION_STATE_COUNT; i++) SIM_EXPECT(stats.sessions[i] == 0);
    for (unsigned i = 0; i < MATCH_STATE_COUNT; i++) SIM_EXPECT(stats.matches[i] == 0);
    for (unsigned i = 0; i < FRAME_CLASSES; i++) SIM_EXPECT(stats.frames[i].now == 0);
    SIM_EXPECT(stats.session_slots.now == 0);
    SIM_EXPECT(stats.match_slots.now == 0);
    SIM_EXPECT(stats.ended_slots.now == 0);
    SIM_EXPECT(stats.standing_slots.now == 0);
    SIM_EXPECT(stats.away_tickets.now == 0);
    SIM_EXPECT(stats.ticket_slots.now == 0);
    SIM_EXPECT(stats.presence_slots.now == 0);
    SIM_EXPECT(stats.offer_slots.now == 0);
    SIM_EXPECT(stats.lingering == 0);
    SIM_EXPECT(stats.timers_live == (index == 0 ? 1 : 0)); /* The lobby's figures. */
    SIM_EXPECT(stats.tokens_live == 1);                    /* The shard's own. */
}

static void free_client(struct client *client)
{
    for (uint32_t i = 0; i < client->message_count; i++) free(client->messages[i]);
    for (uint32_t i = 0; i < client->inbox_count; i++) free(client->inbox[i]);
    free(client->messages);
}

void calm_down(struct world *world)
{
    world->saves.mode = world->loads.mode = STORE_PROMPT;
    answers_calm(world);
    for (unsigned i = 0; i < world->settings.shards; i++) go_on(world, i);
    for (unsigned i = 0; i < world->settings.clients; i++) {
        is_heard_again(world, i);
        takes_everything(world, i);
    }
    run_ms(world, CALM_MS);
    referee_expect_all_answered(&world->referee);
}

void world_close(struct world *world)
{
    calm_down(world);
    shut_down(world);
    run_ms(world, CALM_MS + ENDED_KEEP_MS);
    for (unsigned i = 0; i < world->settings.clients; i++) {
        SIM_EXPECT(!world->clients[i].is_connected);
    }
    audit_at_end(world);
    audit_destroy(world->audit);
    for (unsigned i = 0; i < world->settings.shards; i++) {
        expect_nothing_left(world, i);
        shard_destroy(world->shards[i].shard);
        free(world->shards[i].memory);
        sim_journal_free(&world->shards[i].journal);
    }
    world_free_mailboxes(world);
    sim_recovery_free(&world->recovery);
    for (uint32_t i = 0; i < world->settings.clients; i++) free_client(&world->clients[i]);
    free(world->clients);
    referee_fini(&world->referee);
    free(world);
}

/* --- Time. --- */

static void pass_on(struct world *world, struct relay *relay, unsigned from, unsigned to)
{
    size_t bytes;
    const void *record;
    while ((record = mailbox_peek(&relay->mailbox, &bytes)) != NULL) {
        if (!mailbox_push(&world->mailboxes[from][to], record, bytes, NULL, 0)) break;
        mailbox_consume(&relay->mailbox);
        world->shards[from].pause_ms = 1;
    }
    /* What finds no room is tried again with the next pass; the reader has been woken for what did. */
    if (relay->is_woken) world->shards[to].is_woken = true;
    relay->is_under_way = record != NULL;
    relay->is_woken = record != NULL && relay->is_woken;
}

/* What lies in the senders' mailboxes gets on its way, and what has been under way long enough arrives. */
static void bring_records(struct world *world)
{
    if (!world->settings.has_late_mailboxes) return;
    for (unsigned from = 0; from < world->settings.shards; from++) {
        for (unsigned to = 0; to < world->settings.shards; to++) {
            struct relay *relay = &world->relays[from][to];
            if (from == to || mailbox_bytes_used(&relay->mailbox) == 0) continue;
            if (!relay->is_under_way) {
                uint32_t delay_ms = prng_below(&world->chance, world->mailbox_delay_ms + 1);
                relay->due = mono_after(world->now, delay_ms);
                relay->is_under_way = true;
                world->late_records += delay_ms > 0;
            }
            if (!mono_is_before(world->now, relay->due)) pass_on(world, relay, from, to);
        }
    }
}

/* What a shard owes to one that stands still it tries to pay every millisecond. Here it pauses longer from time to time:
 * nothing else is lost by that, and most of a run's time otherwise. */
static bool shard_due(const struct world_shard *at, mono_time *ret_due)
{
    const struct shard *shard = at->shard;
    mono_time due;
    if (!at->has_due) return false;
    *ret_due = at->due;
    bool is_trying = at->pause_ms > 1 && ret_due->ms == shard->now.ms + 1;
    if (!is_trying) return true;
    *ret_due = mono_after(shard->now, at->pause_ms);
    if (wheel_next(&shard->wheel, &due) && mono_is_before(due, *ret_due)) *ret_due = due;
    return true;
}

static bool run_shard(struct world *world, unsigned index)
{
    struct world_shard *at = &world->shards[index];
    mono_time due;
    bool is_due = shard_due(at, &due) && !mono_is_before(world->now, due);
    if (at->is_stalled || (!at->is_woken && !is_due) || world_is_dead(world)) return false;
    bool may_pause = world->settings.is_patient && !at->is_woken;
    at->pause_ms = may_pause && at->pause_ms < PAUSE_MAX_MS ? 2 * at->pause_ms : at->pause_ms;
    if (!may_pause) at->pause_ms = 1;
    at->is_woken = false;
    shard_run(at->shard, world->now, world_wall(world));
    if (world_is_dead(world)) return false;
    /* Asked when it goes to sleep, as the edge does: what is sent to it later has to wake it. */
    at->has_due = shard_next_due(at->shard, &at->due);
    audit_after_run(world, index);
    world->runs++;
    return true;
}

/* Once a second, as src/edge/journal.c does. */
static void sync_journals(struct world *world)
{
    if (mono_is_before(world->now, world->sync_at)) return;
    world->sync_at = mono_after(world->now, SYNC_EVERY_MS);
    for (unsigned i = 0; i < world->settings.shards; i++) {
        struct sim_journal *journal = &world->shards[i].journal;
        journal->synced = journal->size;
    }
}

bool run_once(struct world *world)
{
    bool has_run = false;
    /* First: what a message has posted is followed by its shard's wake-ups before it gets on its way. */
    bring_records(world);
    edge_bring_in(world);
    answers_bring(world);
    sync_journals(world);
    for (unsigned i = 0; i < world->settings.shards; i++) has_run |= run_shard(world, i);
    return has_run;
}

static mono_time next_due(const struct world *world, mono_time until)
{
    mono_time next = edge_next_due(world, until);
    for (unsigned i = 0; i < world->settings.shards; i++) {
        mono_time due;
        if (world->shards[i].is_stalled || !shard_due(&world->shards[i], &due)) continue;
        if (mono_is_before(due, next)) next = due;
    }
    for (unsigned from = 0; from < world->settings.shards; from++) {
        for (unsigned to = 0; to < world->settings.shards; to++) {
            const struct relay *relay = &world->relays[from][to];
            bool is_coming = relay->is_under_way && !world->shards[to].is_stalled;
            if (is_coming && mono_is_before(relay->due, next)) next = relay->due;
        }
    }
    return next;
}

/* What is due now. */
static void run_now(struct world *world)
{
    unsigned passes = 0;
    while (passes < PASSES_PER_MS && run_once(world)) passes++;
    if (passes < PASSES_PER_MS && !world->is_dead) audit_at_rest(world);
}

static void go_to_next(struct world *world, mono_time until)
{
    mono_time next = next_due(world, until);
    mono_time soonest = mono_after(world->now, 1);
    if (mono_is_before(next, soonest)) next = soonest;
    audit_on_time(world, next);
    world->now = next;
}

void run_before(struct world *world, mono_time at)
{
    while (mono_is_before(world->now, at) && !world->is_dead) {
        run_now(world);
        if (!world->is_dead) go_to_next(world, at);
    }
}

void run_ms(struct world *world, uint32_t ms)
{
    run_before(world, mono_after(world->now, ms));
    run_now(world);
}

void settle(struct world *world)
{
    run_ms(world, HOPS_MS);
}

/* --- Faults. --- */

void stall(struct world *world, unsigned shard)
{
    if (world->shards[shard].is_stalled) return;
    world->shards[shard].is_stalled = true;
    world->shards[shard].stalled_at = world->now;
}

void go_on(struct world *world, unsigned shard)
{
    struct world_shard *at = &world->shards[shard];
    mono_time due;
    bool was_due = at->is_stalled && wheel_next(&at->shard->wheel, &due);
    if (was_due && mono_is_before(due, world->now)) world->late_timers++;
    at->is_stalled = false;
    world->has_input = true;
    for (unsigned i = 0; i < world->settings.shards; i++) world->shards[i].pause_ms = 1;
    at->is_woken = true;
}

void jam(struct world *world, unsigned from, unsigned to)
{
    struct record_figures record = {.kind = RECORD_FIGURES, .mean_wait_ms = -1};
    while (mailbox_push(&world->mailboxes[from][to], &record, sizeof(record), NULL, 0)) continue;
    world->shards[to].is_woken = true;
}

void drain(struct world *world)
{
    world->referee.is_draining = true;
    for (unsigned i = 0; i < world->settings.shards; i++) shard_drain(world->shards[i].shard);
    world_wake_all(world);
}

void shut_down(struct world *world)
{
    world->referee.is_draining = true;
    for (unsigned i = 0; i < world->settings.shards; i++) shard_shutdown(world->shards[i].shard);
    world_wake_all(world);
}

void set_wall_clock(struct world *world, int64_t by_ms)
{
    world->wall_offset_ms += by_ms;
}
