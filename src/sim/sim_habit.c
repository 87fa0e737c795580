/* What a player does, by what it knows and by its habits. */

#include <string.h>

#include "sim_dice.h"
#include "sim_player.h"
#include "sim_run.h"

static const mono_time NEVER = {UINT64_MAX};

enum {
    CHOICES_SHOWN = 4,
    INBOX_ENOUGH = 24, /* The verbs take no more than INBOX_MAX. */
    IDS_ENOUGH = 1900, /* The referee's table ends at REFEREE_IDS_MAX: then a new connection. */
    FLOOD_MS = 9000,
    FLOOD_EACH = 4,
    FLOOD_EVERY_MS = 40,
    LITTER_EACH = 22,
    FICKLE_LOOKS = 12,
};

static bool has_habit(const struct sim_run *run, struct prng *prng, enum sim_rate habit)
{
    return prng_below(prng, 1000) < run->recipe.rates[habit];
}

static void note_asked(struct sim_player *player, char type, uint32_t id)
{
    player->asked[player->asked_next++ % ASKED_KEPT] = (struct asked){id, type};
    if (type == 'a') player->outstanding++;
}

/* --- Coming. --- */

/* The later of two hellos, where the first one was refused, may only be one that works. */
static void say_hello(struct sim_run *run, unsigned client, struct prng *prng)
{
    struct world *world = run->world;
    struct client *at = &world->clients[client];
    struct sim_player *player = &run->players[client];
    player->is_resuming = at->session_text[0] != '\0';
    player->is_showing_token = player->is_showing_before = player->is_foreign = false;
    player->seq_claim = at->last_seq > 0 ? SEQ_CLAIM_LAST : SEQ_CLAIM_NONE;
    player->state = PLAYER_GREETING;
    uint32_t last_seq = at->last_seq;
    if (!player->is_resuming && at->token[0] != '\0') {
        player->is_showing_token = true;
        note_asked(player, 'h', shows_its_token(world, client));
        return;
    }
    if (!player->is_resuming) {
        note_asked(player, 'h', greets(world, client));
        return;
    }
    switch (prng_below(prng, player->flaps > 0 ? 1 : 12)) {
    case 1:
        last_seq = 0;
        player->seq_claim = SEQ_CLAIM_NONE;
        break;
    case 2:
        if (last_seq < 2) break;
        last_seq = 1 + prng_below(prng, last_seq - 1);
        player->seq_claim = SEQ_CLAIM_OLD;
        break;
    case 3:
        last_seq += 1 + prng_below(prng, 3);
        player->seq_claim = SEQ_CLAIM_AHEAD;
        break;
    case 4:
        if (player->before[0] == '\0') break;
        memcpy(at->session_text, player->before, sizeof(at->session_text));
        player->is_showing_before = true;
        break;
    case 5:
        player->is_showing_token = true;
        note_asked(player, 'h', resumes_or_shows_its_token(world, client));
        return;
    case 6:
        player->is_showing_token = true;
        player->is_resuming = false;
        note_asked(player, 'h', shows_its_token(world, client));
        return;
    case 7: {
        const struct client *other = &world->clients[prng_below(prng, run->recipe.players)];
        if (other->session_text[0] == '\0' || id_equal(&other->player, &at->player)) break;
        memcpy(at->session_text, other->session_text, sizeof(at->session_text));
        player->is_foreign = player->is_showing_token = true;
        note_asked(player, 'h', resumes_or_shows_its_token(world, client));
        return;
    }
    default: break;
    }
    memcpy(player->before, at->session_text, sizeof(player->before));
    note_asked(player, 'h', resumes_after(world, client, last_seq));
}

static void forget_all(struct client *client)
{
    client->session_text[0] = client->token[0] = client->last_match[0] = '\0';
    client->last_seq = 0;
}

static void come(struct sim_run *run, unsigned client, struct prng *prng)
{
    struct world *world = run->world;
    struct client *at = &world->clients[client];
    struct sim_player *player = &run->players[client];
    if (player->flaps == 0 && has_habit(run, prng, HABIT_TAB)) {
        knows_what(world, client, prng_below(prng, run->recipe.players));
    }
    if (player->flaps == 0 && has_habit(run, prng, HABIT_FORGETFUL)) forget_all(at);
    at->pong_delay_ms = prng_below(prng, 300);
    at->rtt_us = prng_below(prng, 300000);
    comes(world, client, prng_below(prng, run->recipe.shards));
    if (!at->is_connected) {
        run_count(run, COUNTER_SESSIONS_FULL);
        player_act_within(run, client, prng, 1000 + run->recipe.away_ms);
        return;
    }
    player->state = PLAYER_NEW;
    if (has_habit(run, prng, HABIT_MUTE)) {
        player_act_within(run, client, prng, 2 * run->recipe.shard.hello_timeout_ms);
        return;
    }
    say_hello(run, client, prng);
    player_pause(run, client, prng);
    /* What is said behind a hello waits for its reply. */
    if (one_in(prng, 8)) note_asked(player, 'p', pings(world, client));
}

/* --- Playing. --- */

static uint32_t credit_of(const struct sim_run *run, unsigned client)
{
    const struct client *at = &run->world->clients[client];
    uint32_t credit_ms = at->rtt_us / 1000;
    if (at->pong_delay_ms < credit_ms) credit_ms = at->pong_delay_ms;
    uint32_t most_ms = run->recipe.shard.rtt_credit_max_ms;
    return credit_ms < most_ms ? credit_ms : most_ms;
}

void player_plan_answer(struct sim_run *run, unsigned client)
{
    struct sim_player *player = &run->players[client];
    struct prng prng = player_dice(run, client);
    uint32_t credit_ms = credit_of(run, client);
    uint32_t slack_ms = run->recipe.shard.match.close_slack_ms;
    uint32_t after_ms =
        1 + prng_below(&prng, run->recipe.think_ms < player->time_ms ? run->recipe.think_ms
                                                                     : player->time_ms);
    player->answering = player->round;
    if (has_habit(run, &prng, HABIT_DEADLINE)) {
        const uint32_t around[] = {
            0, 1, 2, credit_ms, 1 + credit_ms, 2 + credit_ms, slack_ms, 1 + slack_ms + credit_ms};
        after_ms = player->time_ms - 1 + around[prng_below(&prng, 8)];
    }
    if (has_habit(run, &prng, HABIT_LATE)) {
        after_ms = player->time_ms + credit_ms + slack_ms +
                   prng_below(&prng, run->recipe.shard.match.reveal_time_ms + 20);
    }
    player->answer_at = mono_after(player->round_at, after_ms);
    if (has_habit(run, &prng, HABIT_SILENT)) player->answer_at = NEVER;
}

static void answer(struct sim_run *run, unsigned client, struct prng *prng)
{
    struct sim_player *player = &run->players[client];
    player->answer_at = NEVER;
    if (player->state != PLAYER_PLAYING) return;
    unsigned choice = prng_below(prng, CHOICES_SHOWN);
    if (has_habit(run, prng, HABIT_BAD_CHOICE)) choice = CHOICES_SHOWN + prng_below(prng, 3);
    note_asked(player, 'a', answers(run->world, client, player->answering, choice));
    if (has_habit(run, prng, HABIT_REPEAT)) { /* The same message, with the same id. */
        run->world->clients[client].next_id--;
        note_asked(player, 'a', answers(run->world, client, player->answering, choice));
    }
    if (has_habit(run, prng, HABIT_TWICE)) { /* Another choice, at once or a little later. */
        if (one_in(prng, 2)) {
            unsigned other = prng_below(prng, CHOICES_SHOWN);
            note_asked(player, 'a', answers(run->world, client, player->answering, other));
        } else {
            player->answer_at = mono_after(run->world->now, 1 + prng_below(prng, 200));
        }
    }
}

static void join(struct sim_run *run, unsigned client, struct prng *prng)
{
    static const char *const categories[] = {"art", "film"};
    struct world *world = run->world;
    struct sim_player *player = &run->players[client];
    uint32_t id;
    player->state = PLAYER_JOINING;
    if (player->knows_other_match && has_habit(run, prng, HABIT_REMATCH)) {
        player->is_rematching = true;
        id = asks_for_a_rematch(world, client);
    } else if (has_habit(run, prng, HABIT_HOUSE)) {
        id = joins_the_house(world, client);
    } else if (has_habit(run, prng, HABIT_CATEGORY)) {
        id = joins_in(world, client, categories[prng_below(prng, 2)]);
    } else {
        id = joins(world, client);
    }
    note_asked(player, 'j', id);
    /* Sooner of the same opponent once more. */
    unsigned looks = player->is_rematching ? FICKLE_LOOKS : 1;
    for (unsigned i = 0; i < looks; i++) {
        player->is_fickle = player->is_fickle || has_habit(run, prng, HABIT_FICKLE);
    }
    if (!player->is_fickle) return;
    if (!one_in(prng, 4)) { /* In the same breath. */
        player->is_fickle = false;
        note_asked(player, 'l', leaves(world, client));
        return;
    }
    player_act_within(run, client, prng, 1 + 2 * run->world->mailbox_delay_ms);
}

static void leave(struct sim_run *run, unsigned client, struct prng *prng)
{
    bool is_named = run->players[client].state == PLAYER_PLAYING && one_in(prng, 3);
    note_asked(&run->players[client], 'l',
               is_named ? leaves_this_match(run->world, client) : leaves(run->world, client));
}

/* --- Mischief. --- */

/* It has thought better of it. */
static void take_back(struct sim_run *run, unsigned client, struct prng *prng)
{
    run->players[client].is_fickle = false;
    if (one_in(prng, 2)) {
        is_lost(run->world, client);
    } else {
        note_asked(&run->players[client], 'l', leaves(run->world, client));
    }
}

static void say_something_odd(struct sim_run *run, unsigned client, struct prng *prng)
{
    static const char *const odd[] = {"{", "[]", "{\"type\":7}", "{\"type\":\"join\"}",
                                      "{\"type\":\"emote\",\"code\":\"?\"}"};
    struct world *world = run->world;
    switch (prng_below(prng, 4)) {
    case 0: (void)asks(world, client, "dance", ""); break; /* Its reply tells nothing. */
    case 1: (void)asks(world, client, "answer", "\"round\":1"); break;     /* The same. */
    case 2: (void)asks(world, client, "hello", "\"resume\":\"x\""); break; /* The same. */
    default: says(world, client, odd[prng_below(prng, sizeof(odd) / sizeof(odd[0]))]); break;
    }
}

/* More at once than a match takes of one player. */
static void burst(struct sim_run *run, unsigned client, struct prng *prng)
{
    struct sim_player *player = &run->players[client];
    unsigned count = between(prng, 3, 8);
    for (unsigned i = 0; i < count; i++) {
        unsigned round = player->round > 0 ? player->round : 1;
        note_asked(player, 'a',
                   answers(run->world, client, round, prng_below(prng, CHOICES_SHOWN)));
        if (one_in(prng, 4)) emotes_without_id(run->world, client);
    }
}

static void flood(struct sim_run *run, unsigned client, struct prng *prng)
{
    for (unsigned i = 0; i < FLOOD_EACH; i++) {
        note_asked(&run->players[client], 'p', pings(run->world, client));
    }
    player_act_within(run, client, prng, FLOOD_EVERY_MS);
}

static void litter(struct sim_run *run, unsigned client)
{
    for (unsigned i = 0; i < LITTER_EACH; i++) says(run->world, client, "{");
    run->players[client].littering_until = mono_after(run->world->now, FLOOD_MS);
}

static void answer_otherwise(struct sim_run *run, unsigned client, enum sim_rate habit,
                             struct prng *prng)
{
    struct sim_player *player = &run->players[client];
    unsigned choice = prng_below(prng, CHOICES_SHOWN);
    unsigned round =
        habit == HABIT_EARLY ? player->round + 1U : between(prng, 1, player->round + 2U);
    uint32_t id = habit == HABIT_OTHER_MATCH && player->knows_other_match
                      ? answers_in(run->world, client, player->other_match, round, choice)
                      : answers(run->world, client, round, choice);
    note_asked(player, 'a', id);
}

/* One of the habits of a moment; mostly none. */
static void do_by_habit(struct sim_run *run, unsigned client, struct prng *prng)
{
    struct sim_player *player = &run->players[client];
    uint32_t drawn = prng_below(prng, 1000);
    unsigned habit = HABIT_EARLY;
    while (habit < HABIT_COUNT && drawn >= run->recipe.rates[habit]) {
        drawn -= run->recipe.rates[habit++];
    }
    switch (habit) {
    case HABIT_EARLY:
    case HABIT_OTHER_ROUND:
    case HABIT_OTHER_MATCH: answer_otherwise(run, client, (enum sim_rate)habit, prng); break;
    case HABIT_EMOTE:
        if (one_in(prng, 2)) {
            emotes_without_id(run->world, client);
        } else {
            note_asked(player, 'e', emotes(run->world, client));
        }
        break;
    case HABIT_PING: note_asked(player, 'p', pings(run->world, client)); break;
    case HABIT_LEAVE: leave(run, client, prng); break;
    case HABIT_ODD: say_something_odd(run, client, prng); break;
    case HABIT_BURST: burst(run, client, prng); break;
    case HABIT_FLOOD: player->flooding_until = mono_after(run->world->now, FLOOD_MS); break;
    case HABIT_LITTER: litter(run, client); break;
    case HABIT_HELLO_AGAIN: say_hello(run, client, prng); break;
    default: break;
    }
}

/* --- Acting. --- */

static void act_in_match(struct sim_run *run, unsigned client, struct prng *prng)
{
    struct sim_player *player = &run->players[client];
    if (player->flaps > 0) {
        player->flaps--;
        is_lost(run->world, client);
        return;
    }
    if (player->is_dodging && player->round == 0 && !player->is_leaving) {
        player->is_leaving = true;
        note_asked(player, 'l', leaves(run->world, client));
        return;
    }
    do_by_habit(run, client, prng);
}

static void act(struct sim_run *run, unsigned client, struct prng *prng)
{
    struct sim_player *player = &run->players[client];
    player_pause(run, client, prng);
    if (player->is_fickle && player->state != PLAYER_OFFLINE) {
        take_back(run, client, prng);
        return;
    }
    switch ((enum player_state)player->state) {
    case PLAYER_OFFLINE: come(run, client, prng); break;
    case PLAYER_NEW: say_hello(run, client, prng); break;
    case PLAYER_IDLE: join(run, client, prng); break;
    case PLAYER_PLAYING: act_in_match(run, client, prng); break;
    case PLAYER_GREETING:
    case PLAYER_JOINING:
    case PLAYER_WAITING: do_by_habit(run, client, prng); break;
    }
}

void player_act(struct sim_run *run, unsigned client)
{
    struct sim_player *player = &run->players[client];
    struct client *at = &run->world->clients[client];
    struct prng prng = player_dice(run, client);
    if (player->state == PLAYER_OFFLINE) {
        act(run, client, &prng);
        return;
    }
    if (at->is_lost || at->inbox_count >= INBOX_ENOUGH) { /* It is not heard now. */
        player->answer_at = NEVER;
        player_pause(run, client, &prng);
        return;
    }
    if (at->next_id > IDS_ENOUGH) {
        is_lost(run->world, client);
        player_pause(run, client, &prng);
        return;
    }
    if (!mono_is_before(run->world->now, player->answer_at)) {
        answer(run, client, &prng);
        return;
    }
    if (mono_is_before(run->world->now, player->flooding_until)) {
        flood(run, client, &prng);
        return;
    }
    act(run, client, &prng);
}
