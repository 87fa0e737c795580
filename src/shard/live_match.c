/* A match while it runs here: its ring, timers and tokens. The rules are core/match.c's; what a step causes is carried
 * out by apply.c; what a player is owed is seat.c's. */

#include <string.h>

#include "shard_priv.h"

/* --- Start. --- */

/* What serves the play ends with it: all timers. (A settling match arms its own afterwards.) */
static void on_play_fired(struct cancel_hook *hook, enum cancel_reason reason)
{
    (void)reason; /* Every end of the play ends its timers. */
    struct live_match *live = LIST_ITEM(hook, struct live_match, play_hook);
    wheel_disarm(&live->shard->wheel, &live->phase);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        wheel_disarm(&live->shard->wheel, &live->seat_timers[i]);
    }
}

static void on_match_fired(struct cancel_hook *hook, enum cancel_reason reason)
{
    struct live_match *live = LIST_ITEM(hook, struct live_match, token_hook);
    wheel_disarm(&live->shard->wheel, &live->phase);
    if (reason == CANCEL_FINISHED) return; /* Nothing is left to do. */
    struct match_event event = {.kind = MATCH_EVENT_CANCEL,
                                .cancel.reason = reason == CANCEL_SHUTDOWN ? MATCH_END_SHUTDOWN
                                                                           : MATCH_END_CANCELLED};
    live_match_push(live->shard, live, &event);
}

static void init_tokens(struct shard *shard, struct live_match *live)
{
    cancel_init(&live->token, &shard->root);
    cancel_init(&live->play, &live->token);
    cancel_hook_init(&live->token_hook, on_match_fired);
    cancel_hook_init(&live->play_hook, on_play_fired);
    bool is_watching = cancel_watch(&live->token, &live->token_hook) &&
                       cancel_watch(&live->play, &live->play_hook);
    QR_ASSERT(is_watching); /* The root fires only when the process ends. */
}

static void init_seat(struct live_match *live, unsigned index, const struct start_side *side)
{
    struct seat *seat = &live->hosted.seats[index];
    seat->session = side->session;
    seat->generation = side->generation;
    seat->since = side->since;
    seat->credit_ms = side->entrant.credit_ms;
    seat->is_bot = side->entrant.is_bot;
    seat->is_connected = !seat->is_bot;
    seat->is_seen = seat->is_bot;
}

static uint8_t common_category(const struct record_start *record)
{
    uint8_t first = record->sides[0].category;
    return first != QUESTION_CATEGORY_ANY ? first : record->sides[1].category;
}

/* False: the journal has no room. */
static bool start(struct shard *shard, struct live_match *live, const struct record_start *record)
{
    uint8_t random[ID_RANDOM_BYTES];
    struct match_setup setup = {.bank = shard->settings.bank,
                                .category = common_category(record),
                                .settings = shard->settings.match,
                                .player_count = MATCH_PLAYERS_MAX,
                                .now = shard->now,
                                .wall_now = shard_wall(shard)};
    setup.settings.mode = record->mode;
    shard->io.random(shard->io.context, random, sizeof(random));
    setup.id = id_make(setup.wall_now, random);
    /* Never derived from the id: players see shuffles, and must not be able to recover the generator. */
    shard->io.random(shard->io.context, &setup.seed, sizeof(setup.seed));
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) setup.entrants[i] = &record->sides[i].entrant;
    struct effects effects = {.count = 0};
    struct match *match = &live->hosted.match;
    match_init(match, &setup, &effects);
    shard->counters.matches[match->state]++;
    live->counted_state = match->state;
    if (!journaling_begin(shard, live, record)) return false;
    shard->counters.matches_started++;
    shard->io.log(shard->io.context,
                  &(struct shard_note){.kind = NOTE_MATCH_STARTED, .match = match->id});
    apply_effects(shard, live, &effects);
    return true;
}

/* False: there is no room to say so. */
static bool refuse_start(struct shard *shard, const struct record_start *record)
{
    struct record_start refused = *record;
    refused.kind = RECORD_START_REFUSED;
    if (record->mode == MATCH_MODE_HOUSE) {
        pairing_on_house_refused(shard, &refused);
        return true;
    }
    /* On the lobby's own shard the refusal would wait in the very mailbox whose head it is. */
    if (shard->settings.index == LOBBY_SHARD) {
        lobby_on_start_refused(shard, &refused);
        return true;
    }
    return post(shard, LOBBY_SHARD, &refused, sizeof(refused));
}

struct live_match *live_match_acquire(struct shard *shard)
{
    struct handle handle = HANDLE_NONE;
    struct live_match *live = pool_acquire_unset(&shard->matches, &handle);
    if (live == NULL) return NULL;
    memset(live, 0, offsetof(struct live_match, hosted.match)); /* The match clears itself. */
    live->hosted.self = handle;
    live->shard = shard;
    ring_init(&live->events, &shard->rings);
    wheel_timer_init(&live->phase, handle, TIMER_PHASE);
    list_init(&live->run_node);
    list_init(&live->hosted.owed_node);
    list_init(&live->retired_node);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        wheel_timer_init(&live->seat_timers[i], handle, (uint16_t)(TIMER_SEAT + i));
    }
    init_tokens(shard, live);
    return live;
}

bool live_match_on_start(struct shard *shard, const struct record_start *record)
{
    struct live_match *live = shard->is_draining ? NULL : live_match_acquire(shard);
    if (live == NULL) return refuse_start(shard, record);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) init_seat(live, i, &record->sides[i]);
    if (start(shard, live, record)) return true;
    live_match_release(shard, live); /* Nobody has heard of it. */
    return refuse_start(shard, record);
}

/* --- Events in. --- */

static void mark_runnable(struct shard *shard, struct live_match *live)
{
    if (!list_is_linked(&live->run_node)) list_append(&shard->runnable, &live->run_node);
    if (live->events.count_max > shard->counters.ring.max) {
        shard->counters.ring.max = live->events.count_max;
    }
}

void live_match_push(struct shard *shard, struct live_match *live, const struct match_event *event)
{
    bool is_queued = ring_push(&live->events, event, RING_RESERVED);
    QR_ASSERT(is_queued); /* limits.h counts what of the server's own can be outstanding. */
    mark_runnable(shard, live);
}

static void reply_busy(struct shard *shard, struct live_match *live,
                       const struct record_request *record)
{
    if (record->request_id == 0) {
        shard->counters.droppable_dropped++;
        return;
    }
    seat_reply(shard, &live->hosted, record->seat,
               &(struct seat_reply){.kind = REPLY_REFUSE,
                                    .refusal = REFUSAL_BUSY,
                                    .request_id = record->request_id});
}

void live_match_on_request(struct shard *shard, const struct record_request *record)
{
    struct live_match *live = pool_resolve(&shard->matches, record->match);
    if (live == NULL || live->hosted.is_ended)
        return; /* `end` is on its way: the session answers. */
    struct seat *seat = &live->hosted.seats[record->seat];
    if (!seat->is_connected || record->generation != seat->generation)
        return; /* Of an earlier connection. */
    struct match_event event = {
        .kind = record->event, .player = record->seat, .request_id = record->request_id};
    bool is_emote = record->event == MATCH_EVENT_EMOTE;
    if (is_emote) {
        event.emote.code = record->choice;
    } else {
        event.answer.stamp = record->stamp;
        event.answer.round = record->round;
        event.answer.choice = record->choice;
    }
    /* An emote leaves its player's second place to an answer. */
    unsigned most = is_emote ? CLIENT_EVENTS_PER_PLAYER - 1 : CLIENT_EVENTS_PER_PLAYER;
    if (seat->events_queued >= most ||
        !ring_push(&live->events, &event, is_emote ? RING_DROPPABLE : RING_CLIENT)) {
        reply_busy(shard, live, record);
        return;
    }
    seat->events_queued++;
    mark_runnable(shard, live);
}

void live_match_push_level(struct shard *shard, struct live_match *live, unsigned seat)
{
    if (live->hosted.seats[seat].is_level_queued) return;
    live->hosted.seats[seat].is_level_queued = true;
    struct match_event event = {.kind = MATCH_EVENT_PRESENCE, .player = (uint8_t)seat};
    live_match_push(shard, live, &event);
}

/* A bot's answer comes in like anyone's. Its two places are its own: it answers once a round. */
static void push_bot_answer(struct shard *shard, struct live_match *live, uint8_t seat,
                            const struct wheel_timer *timer)
{
    struct match_event event = match_bot_answer(seat, timer->tag, timer->at);
    bool is_queued = ring_push(&live->events, &event, RING_CLIENT);
    QR_ASSERT(is_queued);
    live->hosted.seats[seat].events_queued++;
    mark_runnable(shard, live);
}

void live_match_on_timer(struct shard *shard, const struct wheel_timer *timer)
{
    struct live_match *live = pool_resolve(&shard->matches, timer->owner);
    QR_ASSERT(live != NULL); /* A released match has no armed timer. */
    struct match_event event = {.kind = MATCH_EVENT_PHASE_TIMER, .timer.tag = timer->tag};
    if (timer->kind != TIMER_PHASE) {
        event.kind = MATCH_EVENT_GRACE_TIMER;
        event.player = (uint8_t)(timer->kind - TIMER_SEAT);
        if (live->hosted.match.players[event.player].is_bot) {
            push_bot_answer(shard, live, event.player, timer);
            return;
        }
    }
    live_match_push(shard, live, &event);
}

void live_match_note_save_failed(struct shard *shard, const struct live_match *live)
{
    shard->io.log(shard->io.context,
                  &(struct shard_note){.kind = NOTE_SAVE_FAILED, .match = live->hosted.match.id});
}

void shard_on_saved(struct shard *shard, struct handle match, bool is_saved)
{
    struct live_match *live = pool_resolve(&shard->matches, match);
    if (live == NULL) return; /* Shut down before the store had answered. */
    if (!is_saved) live_match_note_save_failed(shard, live);
    struct match_event event = {.kind = is_saved ? MATCH_EVENT_SAVED : MATCH_EVENT_SAVE_FAILED};
    live_match_push(shard, live, &event);
}

void live_match_cancel(struct shard *shard, struct live_match *live, enum match_end_reason reason)
{
    (void)shard;
    /* A match whose result is on its way to disk ends by itself, as soon as the store has answered. */
    if (match_is_settling(&live->hosted.match)) return;
    cancel_fire(&live->token, reason == MATCH_END_SHUTDOWN ? CANCEL_SHUTDOWN : CANCEL_OVERLOAD);
}

/* --- Running. --- */

/* A level is applied as it stands when its turn has come. */
static void fill_level(struct live_match *live, struct match_event *event)
{
    struct seat *seat = &live->hosted.seats[event->player];
    event->presence.is_here = seat->is_connected;
    event->presence.is_leaving = (seat->level_flags & LEVEL_LEAVE) != 0;
    event->presence.names_match = (seat->level_flags & LEVEL_NAMES_MATCH) != 0;
    event->presence.credit_ms = seat->credit_ms;
    event->request_id = seat->leave_id;
    seat->level_flags = 0;
    seat->is_level_queued = false;
}

/* What was asked on an earlier connection counts, but nobody waits for the reply. */
static void count_client_event(struct live_match *live, struct match_event *event)
{
    struct seat *seat = &live->hosted.seats[event->player];
    seat->events_queued--;
    if (seat->stale_events == 0) return;
    seat->stale_events--;
    event->request_id = 0;
}

static void note_fault(struct shard *shard, const struct match *match,
                       const struct match_event *event)
{
    shard->counters.match_faults++;
    shard->io.log(shard->io.context, &(struct shard_note){.kind = NOTE_MATCH_FAULT,
                                                          .match = match->id,
                                                          .text = match->fault,
                                                          .number = event->kind});
}

static void step(struct shard *shard, struct live_match *live, struct match_event *event)
{
    struct effects effects = {.count = 0};
    event->at = shard->now;
    if (event->kind == MATCH_EVENT_PRESENCE) fill_level(live, event);
    if (event->kind == MATCH_EVENT_ANSWER || event->kind == MATCH_EVENT_EMOTE) {
        count_client_event(live, event);
    }
    if (event->kind == MATCH_EVENT_ANSWER) shard->counters.answers++;
    if (event->kind == MATCH_EVENT_RECOVERED) {
        event->recovered.wall_offset_ms = shard->wall_offset_ms;
    }
    struct match *match = &live->hosted.match;
    if (match->fault == NULL) journaling_step(shard, live, event, &effects);
    if (match->fault != NULL) {
        if (!live->is_condemned) note_fault(shard, match, event);
        match_abort(match, &effects);
    }
    apply_effects(shard, live, &effects);
}

static void spend_steps(struct shard *shard, uint32_t steps)
{
    shard->steps_left -= steps < shard->steps_left ? steps : shard->steps_left;
}

/* False: it has ended before, and there still is no room to keep it. */
static bool run(struct shard *shard, struct live_match *live)
{
    struct match_event event;
    bool had_ended = live->hosted.is_ended;
    /* As many as the ring holds: what a step pushes waits for the next iteration, so that no match keeps the others
     * waiting. */
    unsigned steps = 0;
    for (unsigned i = ring_count(&live->events); i > 0 && !live->hosted.is_ended; i--) {
        if (!ring_pop(&live->events, &event)) break;
        step(shard, live, &event);
        steps++;
    }
    /* One that has ended and is not kept for want of room has its price as well. */
    spend_steps(shard, steps > 0 ? steps : 1);
    shard->counters.matches[live->counted_state]--;
    shard->counters.matches[live->hosted.match.state]++;
    live->counted_state = live->hosted.match.state;
    if (live->hosted.is_ended) {
        if (!hosted_keep_ended(shard, live)) {
            mark_runnable(shard, live);
            return !had_ended;
        }
        live->is_retired = true;
        list_append(&shard->retired_matches, &live->retired_node);
    } else if (ring_count(&live->events) > 0) {
        mark_runnable(shard, live);
    }
    return true;
}

void live_match_run_all(struct shard *shard)
{
    struct list ready;
    list_move_all(&shard->runnable, &ready);
    struct list *node;
    bool is_moving = false;
    while (shard->steps_left > 0 && (node = list_take_first(&ready)) != NULL) {
        is_moving = run(shard, LIST_ITEM(node, struct live_match, run_node)) || is_moving;
    }
    shard_put_off(shard, &ready, &shard->runnable, is_moving);
}

/* --- The end. --- */

void live_match_release(struct shard *shard, struct live_match *live)
{
    QR_ASSERT(!wheel_is_armed(&live->phase));
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        QR_ASSERT(!wheel_is_armed(&live->seat_timers[i]));
    }
    ring_fini(&live->events);
    list_remove(&live->run_node);
    list_remove(&live->hosted.owed_node);
    cancel_unwatch(&live->play_hook);
    cancel_unwatch(&live->token_hook);
    cancel_fini(&live->play);
    cancel_fini(&live->token);
    shard->counters.matches[live->counted_state]--;
    pool_release(&shard->matches, live->hosted.self);
}
