#include "match_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum {
    CREDIT_MAX_MS = 250,
    TIMER_DELAY_MAX_MS = 30,
    SAVE_FAILURES_MAX = 5,
    EVENTS_BEHIND_THE_END = 20,
};

/* The next choice of the bytes that this match is made of: as many of them as the bound needs. */
static unsigned take_below(struct walk *walk, unsigned bound)
{
    unsigned number = 0;
    for (uint64_t reach = 1; reach < bound && walk->bytes_left > 0; reach <<= 8) {
        number = number << 8 | *walk->bytes++;
        walk->bytes_left--;
    }
    return number % bound;
}

static unsigned below(struct walk *walk, unsigned bound)
{
    return walk->bytes_left > 0 ? take_below(walk, bound) : prng_below(&walk->chance, bound);
}

static bool happens(struct walk *walk, unsigned in_a_hundred)
{
    return below(walk, 100) < in_a_hundred;
}

/* --- The world: timers and the store, as the effects ask for them. --- */

static void keep_stale(struct walk *walk, enum match_event_kind kind, unsigned player, uint16_t tag)
{
    struct walk_stale *slot = &walk->stale[walk->stale_count++ % STALE_MAX];
    *slot = (struct walk_stale){(uint8_t)kind, (uint8_t)player, tag};
}

static void disarm(struct walk *walk, struct walk_timer *timer, enum match_event_kind kind,
                   unsigned player)
{
    if (timer->is_armed) keep_stale(walk, kind, player, timer->tag);
    timer->is_armed = false;
}

static void arm(struct walk *walk, struct walk_timer *timer, enum match_event_kind kind,
                const struct effect *effect)
{
    disarm(walk, timer, kind, effect->player);
    *timer = (struct walk_timer){true, effect->at, effect->tag};
}

static void end_play(struct walk *walk)
{
    assert_false(walk->is_play_over);
    walk->is_play_over = true;
    disarm(walk, &walk->phase, MATCH_EVENT_PHASE_TIMER, 0);
    disarm(walk, &walk->graces[ADA], MATCH_EVENT_GRACE_TIMER, ADA);
    disarm(walk, &walk->graces[BEN], MATCH_EVENT_GRACE_TIMER, BEN);
    disarm(walk, &walk->bot, MATCH_EVENT_ANSWER, BEN);
}

static void apply(struct walk *walk, const struct effect *effect)
{
    assert_false(walk->has_ended && effect->kind >= EFFECT_ANSWERED);
    switch ((enum effect_kind)effect->kind) {
    case EFFECT_ARM_PHASE: arm(walk, &walk->phase, MATCH_EVENT_PHASE_TIMER, effect); return;
    case EFFECT_ARM_GRACE:
        assert_false(walk->is_play_over);
        arm(walk, &walk->graces[effect->player], MATCH_EVENT_GRACE_TIMER, effect);
        return;
    case EFFECT_DISARM_GRACE:
        assert_true(walk->graces[effect->player].is_armed ||
                    walk->event.kind == MATCH_EVENT_PRESENCE);
        disarm(walk, &walk->graces[effect->player], MATCH_EVENT_GRACE_TIMER, effect->player);
        return;
    case EFFECT_ARM_BOT:
        assert_false(walk->is_play_over);
        arm(walk, &walk->bot, MATCH_EVENT_ANSWER, effect);
        return;
    case EFFECT_PLAY_OVER: end_play(walk); return;
    case EFFECT_SAVE:
        assert_true(walk->is_play_over && !walk->is_saving);
        walk->is_saving = true;
        return;
    case EFFECT_ENDED:
        assert_int_equal(walk->ends, 1);
        walk->has_ended = true;
        disarm(walk, &walk->phase, MATCH_EVENT_PHASE_TIMER, 0);
        return;
    case EFFECT_ANNOUNCE:
    case EFFECT_RECEIPT:
    case EFFECT_REFUSE:
    case EFFECT_LEFT:
    case EFFECT_OK:
    case EFFECT_ANSWERED:
    case EFFECT_EMOTE:
    case EFFECT_SAVING: return;
    }
    fail();
}

static void step(struct walk *walk, struct match_event event)
{
    walk->before = walk->game;
    event.at = walk->game.now;
    walk->event = event;
    game_step(&walk->game, event);
    assert_true(walk->steps < STEPS_MAX);
    walk->history[walk->steps++] = event;
    walk->phases += event.kind == MATCH_EVENT_PHASE_TIMER &&
                    walk->before.match.state < MATCH_SETTLING &&
                    event.timer.tag == walk->before.match.phase;
    if (walk->game.effects.count > walk->effects_max) walk->effects_max = walk->game.effects.count;
    walk_check_step(walk);
    if (walk->watcher != NULL) walk->watcher->on_step(walk, walk->watcher->context);
    for (uint32_t i = 0; i < walk->game.effects.count; i++) {
        apply(walk, &walk->game.effects.items[i]);
    }
}

/* --- What happens. --- */

/* A request's id decides nothing, so the bytes are spared. */
static uint32_t any_id(struct walk *walk)
{
    return 1 + prng_below(&walk->chance, INT32_MAX);
}

/* Within a millisecond of the last moment that counts. */
static mono_time stamp_at_the_deadline(struct walk *walk, uint8_t player)
{
    const struct match *match = &walk->game.match;
    const struct match_round *round = &match->rounds[match->round - 1];
    uint64_t last_ms = match->settings.round_time_ms + round->credits_ms[player];
    mono_time stamp = {match_began_at(match, round).ms + last_ms - 1 + below(walk, 3)};
    if (walk->game.now.ms < stamp.ms) walk->game.now = stamp;
    return stamp;
}

static mono_time any_stamp(struct walk *walk, uint8_t player)
{
    if (walk->game.match.state == MATCH_ASKING && happens(walk, 2)) {
        return stamp_at_the_deadline(walk, player);
    }
    return (mono_time){walk->game.now.ms - below(walk, happens(walk, 10) ? 20000 : 40)};
}

static uint8_t any_round(struct walk *walk)
{
    const struct match *match = &walk->game.match;
    if (happens(walk, 80)) return match->round;
    return (uint8_t)below(walk, happens(walk, 10) ? UINT8_MAX + 1 : match->settings.rounds + 3u);
}

static void client_answers(struct walk *walk, uint8_t player)
{
    uint8_t round = any_round(walk);
    mono_time stamp = any_stamp(walk, player);
    unsigned choices = happens(walk, 10) ? UINT8_MAX + 1 : CHOICES;
    step(walk,
         (struct match_event){
             .kind = MATCH_EVENT_ANSWER,
             .player = player,
             .request_id = any_id(walk),
             .answer = {.stamp = stamp, .round = round, .choice = (uint8_t)below(walk, choices)},
         });
}

static void client_comes_or_goes(struct walk *walk, uint8_t player)
{
    bool is_leaving = happens(walk, walk->leaving);
    step(walk, (struct match_event){
                   .kind = MATCH_EVENT_PRESENCE,
                   .player = player,
                   .request_id = is_leaving ? any_id(walk) : 0,
                   .presence = {.is_here = happens(walk, 60),
                                .is_leaving = is_leaving,
                                .names_match = happens(walk, 50),
                                .credit_ms = (uint16_t)below(walk, CREDIT_MAX_MS + 1)},
               });
}

static void client_sends_an_emote(struct walk *walk, uint8_t player)
{
    step(walk, (struct match_event){
                   .kind = MATCH_EVENT_EMOTE,
                   .player = player,
                   .request_id = happens(walk, 50) ? any_id(walk) : 0,
                   .emote = {.code = (uint8_t)below(walk, 3)},
               });
}

static void client_does_something(struct walk *walk)
{
    uint8_t player = (uint8_t)below(walk, walk->has_bot ? BEN : MATCH_PLAYERS_MAX);
    walk->game.now.ms += below(walk, walk->pace_ms);
    if (happens(walk, walk->flapping)) {
        client_comes_or_goes(walk, player);
    } else if (happens(walk, 85)) {
        client_answers(walk, player);
    } else {
        client_sends_an_emote(walk, player);
    }
}

/* What a timer that expires is to the match. */
static struct match_event timer_event(const struct walk *walk, enum match_event_kind kind,
                                      uint8_t player, uint16_t tag)
{
    if (kind == MATCH_EVENT_ANSWER) return match_bot_answer(player, tag, walk->game.now);
    return (struct match_event){.kind = (uint8_t)kind, .player = player, .timer = {.tag = tag}};
}

static void old_timer_expires(struct walk *walk)
{
    if (walk->stale_count == 0) return;
    unsigned kept = walk->stale_count < STALE_MAX ? walk->stale_count : STALE_MAX;
    struct walk_stale stale = walk->stale[below(walk, kept)];
    step(walk, timer_event(walk, (enum match_event_kind)stale.kind, stale.player, stale.tag));
}

static void store_answers(struct walk *walk)
{
    bool is_failing = walk->save_failures < SAVE_FAILURES_MAX && happens(walk, 40);
    walk->save_failures += is_failing;
    walk->is_saving = false;
    walk->game.now.ms += below(walk, happens(walk, 30) ? 3000 : 30);
    step(walk,
         (struct match_event){.kind = is_failing ? MATCH_EVENT_SAVE_FAILED : MATCH_EVENT_SAVED});
}

static void owner_cancels(struct walk *walk)
{
    enum match_end_reason reason = happens(walk, 50) ? MATCH_END_CANCELLED : MATCH_END_SHUTDOWN;
    step(walk, (struct match_event){.kind = MATCH_EVENT_CANCEL, .cancel = {(uint8_t)reason}});
}

/* Timers stand as they stood; what the store would have said is lost. */
static void server_is_gone_and_back(struct walk *walk)
{
    walk->is_saving = false;
    walk->recoveries++;
    walk->game.now.ms++;
    step(walk,
         (struct match_event){.kind = MATCH_EVENT_RECOVERED,
                              .recovered = {(int64_t)(WALL_AT_CREATION_MS + below(walk, 60000))}});
}

static void expire(struct walk *walk, struct walk_timer *timer, enum match_event_kind kind,
                   uint8_t player)
{
    uint64_t at = timer->at.ms + below(walk, TIMER_DELAY_MAX_MS + 1);
    if (walk->game.now.ms < at) walk->game.now.ms = at;
    timer->is_armed = false;
    keep_stale(walk, kind, player, timer->tag);
    step(walk, timer_event(walk, kind, player, timer->tag));
}

static struct walk_timer *earlier(struct walk_timer *a, struct walk_timer *b)
{
    if (!a->is_armed) return b;
    if (!b->is_armed) return a;
    return a->at.ms <= b->at.ms ? a : b;
}

static void next_timer_expires(struct walk *walk)
{
    struct walk_timer *grace = earlier(&walk->graces[ADA], &walk->graces[BEN]);
    struct walk_timer *next = earlier(&walk->bot, earlier(&walk->phase, grace));
    if (!next->is_armed) return;
    if (next == &walk->bot) {
        expire(walk, next, MATCH_EVENT_ANSWER, BEN);
    } else if (next == &walk->phase) {
        expire(walk, next, MATCH_EVENT_PHASE_TIMER, 0);
    } else {
        expire(walk, next, MATCH_EVENT_GRACE_TIMER, (uint8_t)(next - walk->graces));
    }
}

static bool is_a_timer_overdue(const struct walk *walk)
{
    uint64_t latest = walk->game.now.ms;
    bool is_overdue = walk->phase.is_armed && walk->phase.at.ms < latest;
    is_overdue |= walk->bot.is_armed && walk->bot.at.ms < latest;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        is_overdue |= walk->graces[i].is_armed && walk->graces[i].at.ms < latest;
    }
    return is_overdue;
}

static void something_happens(struct walk *walk)
{
    /* Nobody has anything to say any more: the timers end the match. */
    if (walk->bytes != NULL && walk->bytes_left == 0) walk->chatter = 0;
    if (is_a_timer_overdue(walk) && happens(walk, 70)) {
        next_timer_expires(walk);
    } else if (happens(walk, walk->chatter)) {
        client_does_something(walk);
    } else if (happens(walk, 10)) {
        old_timer_expires(walk);
    } else if (walk->is_saving && happens(walk, 30)) {
        store_answers(walk);
    } else if (below(walk, 500) == 0) {
        owner_cancels(walk);
    } else if (below(walk, 15) == 0) {
        server_is_gone_and_back(walk);
    } else {
        next_timer_expires(walk);
        if (walk->is_saving) store_answers(walk);
    }
}

/* Players who are lost and back all the time, long enough to be away as often as one may be. */
static void walk_among_flappers(struct walk *walk)
{
    walk->chatter = 98;
    walk->flapping = 95;
    walk->leaving = 0;
    walk->pace_ms = 5;
}

static struct game game_begun(struct walk *walk, struct match_settings settings)
{
    walk->has_bot = happens(walk, 20);
    if (!walk->has_bot) return game_of(settings);
    struct match_setup setup = house_setup();
    setup.seed.words[0] = prng_next(&walk->chance);
    setup.settings = settings;
    setup.settings.mode = MATCH_MODE_HOUSE;
    return game_set_up(&setup);
}

static void begin(struct walk *walk)
{
    static const unsigned graces_ms[] = {0, 50, 3000, 60000};
    struct match_settings settings = game_settings();
    settings.rounds = (uint8_t)(1 + below(walk, MATCH_ROUNDS_MAX));
    settings.grace_ms = graces_ms[below(walk, 4)];
    settings.round_time_ms = 600 + below(walk, 10000);
    settings.reveal_time_ms = below(walk, 5000);
    settings.start_ms = below(walk, 5000);
    walk->chatter = below(walk, 96);
    walk->flapping = below(walk, 40);
    walk->leaving = happens(walk, 50) ? 0 : below(walk, 10);
    walk->pace_ms = 400;
    if (happens(walk, 10)) walk_among_flappers(walk);
    walk->game = game_begun(walk, settings);
    for (unsigned i = 0; i < MATCH_ROUNDS_MAX * MATCH_PLAYERS_MAX; i++) {
        walk->answers[i / MATCH_PLAYERS_MAX][i % MATCH_PLAYERS_MAX].choice = MATCH_CHOICE_NONE;
    }
    if (walk->watcher != NULL) walk->watcher->on_begun(walk, walk->watcher->context);
    match_origin_of(&walk->game.match, &walk->origin);
    walk_check_birth(walk);
    for (uint32_t i = 0; i < walk->game.effects.count; i++) {
        apply(walk, &walk->game.effects.items[i]);
    }
}

static void play(struct walk *walk)
{
    begin(walk);
    while (!walk->has_ended) {
        something_happens(walk);
    }
    walk_check_end(walk);
    for (unsigned i = 0; i < EVENTS_BEHIND_THE_END; i++) {
        if (happens(walk, 50)) client_does_something(walk);
        if (happens(walk, 50)) old_timer_expires(walk);
    }
    if (walk->is_saving) store_answers(walk); /* Of a shutdown that did not wait for it. */
    walk_check_history(walk);
}

static void set_out(struct walk *walk, uint64_t seed)
{
    memset(walk, 0, offsetof(struct walk, history));
    prng_init(&walk->chance, &(struct siphash_key){{seed, 0x3a1c}});
}

void walk_match(struct walk *walk, uint64_t seed)
{
    walk_match_watched(walk, seed, NULL);
}

void walk_match_watched(struct walk *walk, uint64_t seed, const struct walk_watcher *watcher)
{
    set_out(walk, seed);
    walk->watcher = watcher;
    play(walk);
}

void walk_match_of_bytes(struct walk *walk, const uint8_t *bytes, size_t size)
{
    set_out(walk, 0);
    walk->bytes = bytes;
    walk->bytes_left = size;
    play(walk);
}
