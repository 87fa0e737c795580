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
        wheel_disarm(&live->shard->wheel, &live->seats[i].grace);
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
    struct seat *seat = &live->seats[index];
    seat->session = side->session;
    seat->since = side->since;
    seat->is_connected = true;
    wheel_timer_init(&seat->grace, live->self, (uint16_t)(TIMER_GRACE + index));
}

static uint8_t common_category(const struct record_start *record)
{
    uint8_t first = record->sides[0].category;
    return first != QUESTION_CATEGORY_ANY ? first : record->sides[1].category;
}

static void start(struct shard *shard, struct live_match *live, const struct record_start *record)
{
    uint8_t random[ID_RANDOM_BYTES];
    struct match_setup setup = {.bank = shard->settings.bank,
                                .category = common_category(record),
                                .settings = shard->settings.match,
                                .player_count = MATCH_PLAYERS_MAX,
                                .now = shard->now,
                                .wall_now = shard_wall(shard)};
    shard->io.random(shard->io.context, random, sizeof(random));
    setup.id = id_make(setup.wall_now, random);
    /* Never derived from the id: players see shuffles, and must not be able to recover the generator. */
    shard->io.random(shard->io.context, &setup.seed, sizeof(setup.seed));
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) setup.entrants[i] = &record->sides[i].entrant;
    struct effects effects = {.count = 0};
    match_init(&live->match, &setup, &effects);
    shard->counters.matches[live->match.state]++;
    live->counted_state = live->match.state;
    shard->counters.matches_started++;
    shard->io.log(shard->io.context,
                  &(struct shard_note){.kind = NOTE_MATCH_STARTED, .match = live->match.id});
    apply_effects(shard, live, &effects);
}

bool live_match_on_start(struct shard *shard, const struct record_start *record)
{
    struct handle handle = HANDLE_NONE;
    struct live_match *live =
        shard->is_draining ? NULL : pool_acquire(&shard->matches, &handle);
    if (live == NULL) {
        struct record_start refused = *record;
        refused.kind = RECORD_START_REFUSED;
        if (shard->lobby != NULL) {
            /* Not through the mailbox that START stands in: room in it comes only from taking START out. */
            lobby_on_start_refused(shard, &refused);
            return true;
        }
        return post(shard, LOBBY_SHARD, &refused, sizeof(refused));
    }
    live->self = handle;
    live->shard = shard;
    ring_init(&live->events, shard->rings + handle.slot * shard->ring_bytes,
              sizeof(struct match_event), shard->settings.match_queue_slots,
              MATCH_RESERVED_SLOTS);
    wheel_timer_init(&live->phase, handle, TIMER_PHASE);
    list_init(&live->run_node);
    list_init(&live->owed_node);
    list_init(&live->retired_node);
    init_tokens(shard, live);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) init_seat(live, i, &record->sides[i]);
    start(shard, live, record);
    return true;
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
    seat_reply(shard, live, record->seat,
               &(struct seat_reply){.kind = REPLY_REFUSE,
                                    .refusal = REFUSAL_BUSY,
                                    .request_id = record->request_id});
}

void live_match_on_request(struct shard *shard, const struct record_request *record)
{
    struct live_match *live = pool_resolve(&shard->matches, record->match);
    if (live == NULL || live->is_ended) return; /* `end` is on its way: the session answers. */
    struct seat *seat = &live->seats[record->seat];
    if (!seat->is_connected) return;
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

void live_match_on_level(struct shard *shard, const struct record_level *record)
{
    struct live_match *live = pool_resolve(&shard->matches, record->match);
    if (live == NULL) return; /* Released: it owed this player nothing any more. */
    struct seat *seat = &live->seats[record->seat];
    if ((record->flags & LEVEL_TOOK_END) != 0) seat->has_end = true;
    if ((record->flags & LEVEL_REPLAY) != 0 && record->last_seq < seat->handed_seq) {
        seat->handed_seq = record->last_seq;
        seat_flush(shard, live, record->seat, NULL);
    }
    if ((record->flags & LEVEL_AWAY) != 0) {
        seat->is_connected = false;
        seat->reply_count = 0;
    }
    if ((record->flags & LEVEL_LEAVE) != 0) seat->leave_id = record->request_id;
    seat->level_flags |= record->flags & (LEVEL_AWAY | LEVEL_LEAVE | LEVEL_NAMES_MATCH);
    if (live->is_ended) {
        live_match_retire_if_done(shard, live);
        return;
    }
    if (seat->level_flags == 0 || seat->is_level_queued) return;
    seat->is_level_queued = true;
    struct match_event event = {.kind = MATCH_EVENT_PRESENCE, .player = record->seat};
    live_match_push(shard, live, &event);
}

void live_match_on_timer(struct shard *shard, const struct wheel_timer *timer)
{
    struct live_match *live = pool_resolve(&shard->matches, timer->owner);
    QR_ASSERT(live != NULL); /* A released match has no armed timer. */
    struct match_event event = {.timer.tag = timer->tag};
    if (timer->kind == TIMER_PHASE) {
        event.kind = MATCH_EVENT_PHASE_TIMER;
    } else {
        event.kind = MATCH_EVENT_GRACE_TIMER;
        event.player = (uint8_t)(timer->kind - TIMER_GRACE);
    }
    live_match_push(shard, live, &event);
}

void live_match_note_save_failed(struct shard *shard, const struct live_match *live)
{
    shard->io.log(shard->io.context,
                  &(struct shard_note){.kind = NOTE_SAVE_FAILED, .match = live->match.id});
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
    if (match_is_settling(&live->match)) return;
    cancel_fire(&live->token,
                reason == MATCH_END_SHUTDOWN ? CANCEL_SHUTDOWN : CANCEL_OVERLOAD);
}

/* --- Running. --- */

/* A level is applied as it stands when its turn has come. */
static void fill_level(struct live_match *live, struct match_event *event)
{
    struct seat *seat = &live->seats[event->player];
    event->presence.is_here = seat->is_connected;
    event->presence.is_leaving = (seat->level_flags & LEVEL_LEAVE) != 0;
    event->presence.names_match = (seat->level_flags & LEVEL_NAMES_MATCH) != 0;
    event->request_id = seat->leave_id;
    seat->level_flags = 0;
    seat->is_level_queued = false;
}

static void step(struct shard *shard, struct live_match *live, struct match_event *event)
{
    struct effects effects = {.count = 0};
    event->at = shard->now;
    if (event->kind == MATCH_EVENT_PRESENCE) fill_level(live, event);
    if (event->kind == MATCH_EVENT_ANSWER || event->kind == MATCH_EVENT_EMOTE) {
        live->seats[event->player].events_queued--;
    }
    if (event->kind == MATCH_EVENT_ANSWER) shard->counters.answers++;
    match_step(&live->match, event, &effects);
    if (live->match.fault != NULL) {
        shard->counters.match_faults++;
        shard->io.log(shard->io.context, &(struct shard_note){.kind = NOTE_MATCH_FAULT,
                                                              .match = live->match.id,
                                                              .text = live->match.fault,
                                                              .number = event->kind});
        match_abort(&live->match, &effects);
    }
    apply_effects(shard, live, &effects);
}

static void run(struct shard *shard, struct live_match *live)
{
    struct match_event event;
    /* As many as the ring holds: what a step pushes waits for the next iteration, so that no match keeps the others
     * waiting. */
    for (unsigned i = ring_count(&live->events); i > 0 && !live->is_ended; i--) {
        if (!ring_pop(&live->events, &event)) break;
        step(shard, live, &event);
    }
    shard->counters.matches[live->counted_state]--;
    shard->counters.matches[live->match.state]++;
    live->counted_state = live->match.state;
    if (live->is_ended) {
        live_match_retire_if_done(shard, live);
    } else if (ring_count(&live->events) > 0) {
        mark_runnable(shard, live);
    }
}

void live_match_run_all(struct shard *shard)
{
    struct list ready;
    list_move_all(&shard->runnable, &ready);
    struct list *node;
    while ((node = list_take_first(&ready)) != NULL) {
        run(shard, LIST_ITEM(node, struct live_match, run_node));
    }
}

void live_match_deliver_owed(struct shard *shard)
{
    struct list waiting;
    list_move_all(&shard->owed, &waiting);
    struct list *node;
    while ((node = list_take_first(&waiting)) != NULL) {
        struct live_match *live = LIST_ITEM(node, struct live_match, owed_node);
        for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) seat_flush(shard, live, i, NULL);
        if (live->is_ended) live_match_retire_if_done(shard, live);
    }
}

/* --- The end. --- */

void live_match_retire_if_done(struct shard *shard, struct live_match *live)
{
    if (live->is_retired) return;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        if (live->seats[i].is_connected && !live->seats[i].has_end) return;
    }
    live->is_retired = true;
    list_append(&shard->retired_matches, &live->retired_node);
}

void live_match_release(struct shard *shard, struct live_match *live)
{
    QR_ASSERT(!wheel_is_armed(&live->phase));
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        QR_ASSERT(!wheel_is_armed(&live->seats[i].grace));
    }
    list_remove(&live->run_node);
    list_remove(&live->owed_node);
    cancel_unwatch(&live->play_hook);
    cancel_unwatch(&live->token_hook);
    cancel_fini(&live->play);
    cancel_fini(&live->token);
    shard->counters.matches[live->counted_state]--;
    pool_release(&shard->matches, live->self);
}
