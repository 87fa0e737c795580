#include <string.h>

#include "shard_priv.h"

/* --- Memory: one block, laid out in one place. --- */

struct layout {
    uint8_t *base; /* NULL: only the size is wanted. */
    size_t used;
};

static void *lay_out(struct layout *layout, size_t bytes)
{
    layout->used = (layout->used + 63) & ~(size_t)63;
    void *at = layout->base != NULL ? layout->base + layout->used : NULL;
    layout->used += bytes;
    return at;
}

static void lay_out_pool(struct layout *layout, struct pool *pool, size_t item_bytes,
                         uint32_t count)
{
    void *items = lay_out(layout, item_bytes * count);
    struct pool_slot *slots = lay_out(layout, sizeof(struct pool_slot) * count);
    if (layout->base != NULL) pool_init(pool, items, slots, item_bytes, count);
}

/* Per frame class and session. Small ones carry replies: every outbox may be full of them. Medium ones carry what a
 * match tells, shared by its players; large ones welcome, and the longest of questions. What finds none waits: a
 * match's message is encoded again, and a slow reader, who alone can hold many, is disconnected in the end. */
static uint32_t frames_of_class(const struct shard_settings *settings, unsigned class_index)
{
    static const uint8_t per_session[FRAME_CLASSES] = {OUTBOX_SLOTS, 4, 1};
    return per_session[class_index] * settings->sessions_max + 256;
}

/* Connections, and half as many players more whose connection is gone and who may come back. */
static uint32_t session_slots(const struct shard_settings *settings)
{
    return settings->sessions_max + settings->sessions_max / 2 + 16;
}

/* Of the whole process: a ticket, and a home, for every session. */
static uint32_t tickets_max(const struct shard_settings *settings)
{
    return session_slots(settings) * settings->count;
}

static void lay_out_lobby(struct layout *layout, struct shard *shard,
                          const struct shard_settings *settings)
{
    uint32_t tickets = tickets_max(settings);
    struct lobby *lobby = lay_out(layout, sizeof(struct lobby));
    uint32_t cells = matchmaker_cells_for(tickets);
    struct matchmaker_memory memory = {
        .items = lay_out(layout, sizeof(struct ticket) * tickets),
        .slots = lay_out(layout, sizeof(struct pool_slot) * tickets),
        .cells = lay_out(layout, sizeof(struct ticket_cell) * cells),
        .tags = lay_out(layout, cells),
        .capacity = tickets,
    };
    struct lobby_ticket *beside = lay_out(layout, sizeof(struct lobby_ticket) * tickets);
    struct pool offers = {0};
    /* Not half as many: an offer stands until both sides have answered, and who declined may be in the next one. */
    uint32_t rematches = map_entries_for(tickets);
    struct map_entry *entries = lay_out(layout, sizeof(struct map_entry) * rematches);
    lay_out_pool(layout, &offers, sizeof(struct offer), tickets);
    if (layout->base == NULL) return;
    shard->lobby = lobby;
    lobby->tickets = beside;
    lobby->offers = offers;
    map_init(&lobby->rematches, entries, rematches, &settings->key);
    matchmaker_init(&lobby->matchmaker, &memory, &shard->wheel, TIMER_TICKET);
}

static void lay_out_frames(struct layout *layout, struct shard *shard,
                           const struct shard_settings *settings)
{
    void *items[FRAME_CLASSES];
    struct pool_slot *slots[FRAME_CLASSES];
    uint32_t capacities[FRAME_CLASSES];
    for (unsigned i = 0; i < FRAME_CLASSES; i++) {
        capacities[i] = frames_of_class(settings, i);
        items[i] = lay_out(layout, frame_slot_bytes(i) * capacities[i]);
        slots[i] = lay_out(layout, sizeof(struct pool_slot) * capacities[i]);
    }
    if (layout->base != NULL) frame_pools_init(&shard->frames, items, slots, capacities);
}

/* Of something whose last member is a match, at that offset. */
static size_t bytes_with_match(size_t match_at, const struct shard_settings *settings)
{
    enum { ALIGNMENT = _Alignof(struct live_match) };
    size_t bytes = match_at + match_bytes(match_rounds_max(settings));
    return (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

/* And what a session borrows: as many as there are sessions, so that none lacks. */
static void lay_out_sessions(struct layout *layout, struct shard *shard,
                             const struct shard_settings *settings)
{
    struct pool sessions = {0}, rings = {0}, hellos = {0}, profiles[PROFILE_CLASSES] = {{0}};
    uint32_t slots = session_slots(settings);
    lay_out_pool(layout, &sessions, sizeof(struct session), slots);
    lay_out_pool(layout, &rings, sizeof(struct frame *[OUTBOX_SLOTS]), slots);
    lay_out_pool(layout, &hellos, sizeof(struct hello), slots);
    for (unsigned i = 0; i < PROFILE_CLASSES; i++) {
        lay_out_pool(layout, &profiles[i], profile_class_bytes(i), slots);
    }
    if (shard == NULL) return;
    shard->sessions = sessions;
    shard->outboxes = (struct outboxes){.rings = rings, .frames = &shard->frames};
    shard->hellos = hellos;
    memcpy(shard->profiles, profiles, sizeof(profiles));
}

/* With base NULL: only counts. */
static struct shard *lay_out_shard(struct layout *layout, const struct shard_settings *settings)
{
    struct shard *shard = lay_out(layout, sizeof(struct shard));
    struct pool matches = {0}, ended = {0}, presences = {0}, takeovers = {0}, standings = {0},
                rings = {0};
    lay_out_sessions(layout, shard, settings);
    size_t live_bytes = bytes_with_match(offsetof(struct live_match, hosted.match), settings);
    size_t ended_bytes = bytes_with_match(offsetof(struct ended_match, hosted.match), settings);
    lay_out_pool(layout, &matches, live_bytes, settings->matches_max);
    lay_out_pool(layout, &ended, ended_bytes, settings->matches_max);
    lay_out_pool(layout, &presences, sizeof(struct presence), tickets_max(settings));
    lay_out_pool(layout, &takeovers, sizeof(struct takeover), tickets_max(settings));
    lay_out_pool(layout, &standings, sizeof(struct standing), tickets_max(settings));
    uint32_t homes = map_entries_for(tickets_max(settings));
    struct map_entry *entries = lay_out(layout, sizeof(struct map_entry) * homes);
    uint32_t ended_ids = map_entries_for(settings->matches_max);
    struct map_entry *ended_entries = lay_out(layout, sizeof(struct map_entry) * ended_ids);
    size_t ring_bytes = ring_storage_bytes(sizeof(struct match_event), settings->match_queue_slots);
    ring_bytes = (ring_bytes + 15) & ~(size_t)15;
    lay_out_pool(layout, &rings, ring_bytes, settings->matches_max);
    if (shard != NULL) {
        shard->matches = matches;
        shard->ended = ended;
        map_init(&shard->ended_ids, ended_entries, ended_ids, &settings->key);
        shard->presences = presences;
        shard->takeovers = takeovers;
        shard->standings = standings;
        map_init(&shard->homes, entries, homes, &settings->key);
        ring_store_init(&shard->rings, &rings, sizeof(struct match_event),
                        settings->match_queue_slots, MATCH_RESERVED_SLOTS);
    }
    lay_out_frames(layout, shard, settings);
    if (settings->index == LOBBY_SHARD) lay_out_lobby(layout, shard, settings);
    return shard;
}

uint32_t shard_share(uint32_t total, unsigned count)
{
    /* Twice the even share and a little: the kernel's hash is fair to within a few times the square root. Room that
     * is not used costs address space only. */
    uint64_t share = 2 * (uint64_t)total / count + 256;
    return count == 1 || share > total ? total : (uint32_t)share;
}

size_t shard_bytes(const struct shard_settings *settings)
{
    struct layout layout = {.base = NULL};
    (void)lay_out_shard(&layout, settings); /* NULL: only the size is wanted. */
    return layout.used;
}

struct shard *shard_create(void *memory, const struct shard_settings *settings,
                           const struct shard_io *io, mono_time now, wall_time wall_now)
{
    QR_ASSERT(settings->index < settings->count && settings->count <= WORKERS_MAX);
    QR_ASSERT(settings->match_queue_slots >= MATCH_QUEUE_SLOTS_MIN);
    QR_ASSERT(settings->sessions_max > 0 && settings->matches_max > 0);
    struct layout layout = {.base = memory};
    struct shard *shard = lay_out_shard(&layout, settings);
    shard->settings = *settings;
    shard->io = *io;
    shard->now = now;
    shard->wall_offset_ms = wall_now.ms - (int64_t)now.ms;
    shard->queue_mean_wait_ms = -1;
    wheel_init(&shard->wheel, now);
    cancel_init_root(&shard->root, &shard->token_stats);
    list_init(&shard->flush);
    list_init(&shard->debts);
    list_init(&shard->runnable);
    list_init(&shard->owed);
    list_init(&shard->owed_grants);
    list_init(&shard->ended_by_age);
    wheel_timer_init(&shard->ended_timer, HANDLE_NONE, TIMER_ENDED);
    list_init(&shard->retired_sessions);
    list_init(&shard->idle_ghosts);
    list_init(&shard->retired_matches);
    if (shard->lobby != NULL) lobby_init(shard);
    return shard;
}

void shard_destroy(struct shard *shard)
{
    if (shard == NULL) return;
    QR_ASSERT(shard_is_empty(shard));
    QR_ASSERT(shard->rings.pool.used == 0);
    if (shard->lobby != NULL) wheel_disarm(&shard->wheel, &shard->lobby->figures);
    wheel_disarm(&shard->wheel, &shard->ended_timer); /* Nobody is left who could come back. */
    QR_ASSERT(shard->wheel.count == 0);
    cancel_fini(&shard->root);
    QR_ASSERT(shard->token_stats.live == 0);
}

/* --- The iteration. --- */

void shard_put_off(struct shard *shard, struct list *rest, struct list *list, bool is_moving)
{
    if (list_is_empty(rest)) return;
    list_put_before(rest, list);
    /* Where all that was tried waits for room, the rest waits as long. */
    shard->is_cut = shard->is_cut || is_moving;
}

static void expire_timers(struct shard *shard)
{
    for (unsigned i = 0; i < TIMERS_PER_RUN; i++) { /* The rest stays due. */
        struct wheel_timer *timer = wheel_expire(&shard->wheel, shard->now);
        if (timer == NULL) return;
        uint64_t late_ms = mono_elapsed(timer->at, shard->now);
        if (late_ms > shard->counters.timers_late_ms_max) {
            shard->counters.timers_late_ms_max = late_ms;
        }
        switch (timer->kind) {
        case TIMER_SESSION: session_on_timer(shard, timer->owner); break;
        case TIMER_TICKET: lobby_on_timer(shard, timer->owner); break;
        case TIMER_FIGURES: lobby_on_figures_timer(shard); break;
        case TIMER_ENDED: hosted_expire_ended(shard); break;
        default: live_match_on_timer(shard, timer); break;
        }
    }
}

/* Who has connected just now may say hello: to resume a live match, or to hear that the server restarts. */
static bool may_still_say_hello(const struct shard *shard, const struct session *session)
{
    return !shard->is_shutting_down &&
           mono_elapsed(session->connected_at, shard->now) < DRAIN_HELLO_MS;
}

static void sweep_session(struct shard *shard, struct session *session)
{
    switch ((enum session_state)session->state) {
    case SESSION_NEW:
        if (may_still_say_hello(shard, session)) break;
        session_dismiss(shard, session, CLOSE_RESTART, "restart", RESTART_RETRY_MS);
        break;
    case SESSION_IDLE:
    case SESSION_QUEUED:
        session_dismiss(shard, session, CLOSE_RESTART, "restart", RESTART_RETRY_MS);
        break;
    case SESSION_GREETING: /* It may resume a live match; if not, hello is answered with unavailable. */
    case SESSION_JOINING:  /* The lobby's answer is on its way: the next sweep finds it queued. */
    case SESSION_ATTACHED: /* The match, or the queue, is on its way. */
    case SESSION_PLAYING: break; /* After its end. */
    }
}

/* Who is away from a match may still come back to it; nobody else has anything to come back to. */
static void sweep_ghost(struct shard *shard, struct session *session)
{
    bool is_waiting = session->state == SESSION_IDLE || session->state == SESSION_QUEUED;
    if (is_waiting && !session->is_handing_over) ghost_forget(shard, session);
}

/* Sends away who has nothing to finish, a slice an iteration, round and round until nobody is left: players come out
 * of their matches one by one. */
static void sweep(struct shard *shard)
{
    uint32_t sessions = shard->sessions.touched;
    for (unsigned i = 0; i < SWEEP_PER_RUN && i < sessions; i++) {
        if (shard->sweep_next >= sessions) shard->sweep_next = 0;
        struct session *session = pool_at(&shard->sessions, shard->sweep_next++);
        if (session == NULL || session->is_forgotten) continue;
        if (session->is_over) {
            sweep_ghost(shard, session);
        } else {
            sweep_session(shard, session);
        }
    }
    if (!shard->is_shutting_down) return;
    uint32_t matches = shard->matches.touched;
    for (unsigned i = 0; i < SWEEP_PER_RUN && i < matches; i++) {
        if (shard->sweep_match_next >= matches) shard->sweep_match_next = 0;
        struct live_match *live = pool_at(&shard->matches, shard->sweep_match_next++);
        if (live != NULL) live_match_cancel(shard, live, MATCH_END_SHUTDOWN);
    }
}

void session_release(struct shard *shard, struct session *session)
{
    outbox_clear(&session->outbox, &shard->outboxes);
    hello_forget(shard, session);
    profile_forget(shard, session);
    wheel_disarm(&shard->wheel, &session->timer);
    list_remove(&session->flush_node);
    list_remove(&session->debt_node);
    list_remove(&session->gone_node);
    cancel_unwatch(&session->hook);
    cancel_fini(&session->token);
    QR_ASSERT(shard->states[session->state] > 0);
    shard->states[session->state]--;
    shard->lingering--;
    pool_release(&shard->sessions, session->self);
}

/* What has ended is released here, never inside the call that noticed it. */
static void release_retired(struct shard *shard)
{
    struct list *node;
    for (unsigned i = 0; i < RELEASES_PER_RUN; i++) {
        if ((node = list_take_first(&shard->retired_matches)) == NULL) break;
        live_match_release(shard, LIST_ITEM(node, struct live_match, retired_node));
    }
    for (unsigned i = 0; i < RELEASES_PER_RUN; i++) {
        if ((node = list_take_first(&shard->retired_sessions)) == NULL) break;
        session_release(shard, LIST_ITEM(node, struct session, gone_node));
    }
}

enum { OWED_LISTS = 5 };

/* The last of each list of what is owed. */
static void note_ends(const struct shard *shard, const struct list *ret_ends[OWED_LISTS])
{
    const struct lobby *lobby = shard->lobby;
    ret_ends[0] = shard->debts.prev;
    ret_ends[1] = shard->owed.prev;
    ret_ends[2] = shard->owed_grants.prev;
    ret_ends[3] = lobby != NULL ? lobby->owed_tickets.prev : NULL;
    ret_ends[4] = lobby != NULL ? lobby->owed_offers.prev : NULL;
}

/* What this shard has sent itself is done in this iteration, not after the next wait. What comes to be owed for it has not
 * been tried and waits for nobody: the next iteration follows at once. */
static void take_own_post(struct shard *shard)
{
    const struct list *before[OWED_LISTS], *after[OWED_LISTS];
    note_ends(shard, before);
    (void)post_receive(
        shard); /* The rest is for the next iteration: shard_next_due looks for it. */
    live_match_run_all(shard);
    note_ends(shard, after);
    if (memcmp(before, after, sizeof(before)) != 0) shard->is_cut = true;
}

void shard_run(struct shard *shard, mono_time now, wall_time wall_now)
{
    QR_ASSERT(now.ms >= shard->now.ms);
    shard->now = now;
    shard->wall_offset_ms = wall_now.ms - (int64_t)now.ms;
    shard->records_left[0] = shard->records_left[1] = RECORDS_PER_RUN;
    shard->steps_left = STEPS_PER_RUN;
    shard->is_cut = false;
    bool is_more = post_receive(shard);
    expire_timers(shard);
    live_match_run_all(shard);
    if (shard->is_draining) sweep(shard);
    hosted_deliver_owed(shard);
    presence_pay_all(shard);
    if (shard->lobby != NULL) lobby_pay_all(shard);
    session_pay_all(shard);
    if (!is_more) take_own_post(shard);
    session_flush_all(shard);
    release_retired(shard);
    post_wake(shard);
}

bool shard_takes_input(const struct shard *shard)
{
    /* The other half is for what one more turn's reading brings, and for the shard's own. */
    const struct mailbox *own = shard->settings.from[shard->settings.index];
    return mailbox_bytes_used(own) < own->size / 2;
}

/* What was cut off, or lies in a mailbox, this shard's own or another's: no wake-up comes for it any more. */
static bool has_work_now(const struct shard *shard)
{
    if (shard->is_cut || !list_is_empty(&shard->flush) || !list_is_empty(&shard->retired_matches) ||
        !list_is_empty(&shard->retired_sessions)) {
        return true;
    }
    for (unsigned from = 0; from < shard->settings.count; from++) {
        if (mailbox_bytes_used(shard->settings.from[from]) > 0) return true;
    }
    return false;
}

static bool has_work_soon(const struct shard *shard)
{
    return !list_is_empty(&shard->runnable) || !list_is_empty(&shard->debts) ||
           !list_is_empty(&shard->owed) || !list_is_empty(&shard->owed_grants) ||
           (shard->is_draining && !shard_is_empty(shard)) ||
           (shard->lobby != NULL && !list_is_empty(&shard->lobby->owed_tickets));
}

bool shard_next_due(const struct shard *shard, mono_time *ret_at)
{
    if (has_work_now(shard)) {
        *ret_at = shard->now;
        return true;
    }
    bool is_due = wheel_next(&shard->wheel, ret_at);
    /* Something waits for room in a mailbox or an outbox: its other end makes it within a turn of its loop. Timers that
     * were left do not wait for that. */
    mono_time soon = mono_after(shard->now, 1);
    bool is_waiting = has_work_soon(shard);
    if (!is_waiting && (shard->lobby == NULL || list_is_empty(&shard->lobby->owed_offers))) {
        return is_due;
    }
    /* Matches that find no slot wait together for some to end. */
    if (!is_waiting && mono_is_before(soon, shard->lobby->starts_at))
        soon = shard->lobby->starts_at;
    if (!is_due || mono_is_before(soon, *ret_at)) *ret_at = soon;
    return true;
}

void shard_set_journal_room(struct shard *shard, bool has_room)
{
    shard->is_journal_full = !has_room;
}

/* --- The end. --- */

void shard_drain(struct shard *shard)
{
    shard->is_draining = true;
}

void shard_shutdown(struct shard *shard)
{
    shard->is_draining = true;
    shard->is_shutting_down = true;
}

bool shard_has_matches(const struct shard *shard)
{
    return shard->matches.used > 0;
}

bool shard_is_empty(const struct shard *shard)
{
    return shard->sessions.used == 0 && shard->matches.used == 0 && shard->presences.used == 0 &&
           (shard->lobby == NULL ||
            (shard->lobby->matchmaker.waiting == 0 && shard->lobby->offers.used == 0));
}

uint32_t shard_longest_match_ms(const struct shard_settings *settings)
{
    /* Every round goes to its end and stays open for the slack and the largest credit there is. */
    const struct match_settings *match = &settings->match;
    return match->start_ms +
           match->rounds *
               (match->round_time_ms + match->close_slack_ms + settings->rtt_credit_max_ms) +
           (match->rounds - 1u) * match->reveal_time_ms;
}
