/* A match and its seats, live or ended: who comes back to it, and how long it is kept.
 *
 * At `end` the live slot, its ring, timers and tokens are given back; what is needed to tell the rest to those who have
 * not been heard since stays in a pool of its own, the oldest first, for ended_keep_ms or until all have seen it. */

#include <string.h>

#include "shard_priv.h"

struct hosted *hosted_find(struct shard *shard, struct handle live, const struct id *match)
{
    struct live_match *running = pool_resolve(&shard->matches, live);
    if (running != NULL && id_equal(&running->hosted.match.id, match) && !running->is_retired) {
        return &running->hosted;
    }
    uint32_t slot = 0;
    if (!map_find(&shard->ended_ids, match, &slot)) return NULL;
    struct ended_match *ended = pool_at(&shard->ended, slot);
    QR_ASSERT(ended != NULL);
    return &ended->hosted;
}

struct live_match *hosted_live(struct hosted *hosted)
{
    QR_ASSERT(!hosted->is_ended);
    return LIST_ITEM(hosted, struct live_match, hosted);
}

/* --- Who comes back. --- */

/* False: no room; who comes asks again. */
static bool say_place(struct shard *shard, const struct record_come *come,
                      const struct hosted *hosted, uint16_t from_seq)
{
    struct record_place record = {.kind = RECORD_PLACE,
                                  .is_known = hosted != NULL,
                                  .is_settling =
                                      hosted != NULL && match_is_settling(&hosted->match),
                                  .from_seq = from_seq,
                                  .session = come->session.handle,
                                  .match_id = come->match_id};
    if (come->session.shard == shard->settings.index) {
        /* Not through the mailbox: the messages that follow do not take that way either. */
        hello_on_place(shard, &record);
        return true;
    }
    return post(shard, come->session.shard, &record, sizeof(record));
}

static void take_seat(struct seat *seat, const struct record_come *record, uint16_t from_seq)
{
    seat->session = record->session;
    seat->generation = record->generation;
    seat->credit_ms = record->credit_ms;
    seat->is_connected = true;
    seat->handed_seq = from_seq;
    seat->reply_count = 0;
    seat->leave_id = 0;
    seat->stale_events = seat->events_queued;
    seat->level_flags = (uint8_t)(seat->level_flags & ~(unsigned)LEVEL_AWAY);
    seat->has_end = false;
    seat->dropped = 0;
    seat->owes_clock = true;
}

void hosted_on_come(struct shard *shard, const struct record_come *record)
{
    struct hosted *hosted = hosted_find(shard, record->match.handle, &record->match_id);
    if (hosted == NULL) {
        (void)!say_place(shard, record, NULL, 0); /* Who comes asks again. */
        return;
    }
    struct seat *seat = &hosted->seats[record->seat];
    if (record->generation <= seat->generation) return; /* Asked twice, or overtaken. */
    uint16_t from_seq = 0;
    if (id_equal(&record->last_match, &record->match_id)) {
        /* Ahead, where the home shard could not ask (presence_on_standing): all of it, rather than a gap. */
        from_seq = record->last_seq <= hosted->announced_seq ? (uint16_t)record->last_seq : 0;
    }
    if (hosted->is_ended && from_seq == hosted->announced_seq) {
        /* It has all of it. */
        if (!say_place(shard, record, NULL, 0)) return;
        seat->is_seen = true;
        hosted_forget_if_seen(shard, hosted);
        return;
    }
    /* The seat is the session's before PLACE, which may come back at once. */
    struct seat before = *seat;
    take_seat(seat, record, from_seq);
    if (!say_place(shard, record, hosted, from_seq)) {
        *seat = before;
        return;
    }
    if (!hosted->is_ended) {
        journaling_seat(shard, hosted_live(hosted), record);
        live_match_push_level(shard, hosted_live(hosted), record->seat);
    }
    seat_flush(shard, hosted, record->seat, NULL);
}

/* --- Levels. --- */

static void apply_level(struct shard *shard, struct hosted *hosted,
                        const struct record_level *record)
{
    struct seat *seat = &hosted->seats[record->seat];
    if ((record->flags & LEVEL_REPLAY) != 0 && record->last_seq < seat->handed_seq) {
        seat->handed_seq = record->last_seq;
    }
    if ((record->flags & LEVEL_CLOCK) != 0) seat->owes_clock = true;
    if ((record->flags & LEVEL_AWAY) != 0) {
        seat->is_connected = false;
        seat->reply_count = 0;
        seat->owes_clock = false;
        seat->has_end = false; /* Its session may not have taken it, and must learn of it. */
    }
    if ((record->flags & LEVEL_CREDIT) != 0) seat->credit_ms = record->credit_ms;
    if ((record->flags & LEVEL_LEAVE) != 0) seat->leave_id = record->request_id;
    if ((record->flags & LEVEL_SEEN) != 0) seat->is_seen = true;
    enum { LEVEL_EVENTS = LEVEL_AWAY | LEVEL_LEAVE | LEVEL_NAMES_MATCH | LEVEL_CREDIT };
    unsigned events = record->flags & LEVEL_EVENTS;
    if (events != 0 && !hosted->is_ended) {
        seat->level_flags = (uint8_t)(seat->level_flags | events);
        live_match_push_level(shard, hosted_live(hosted), record->seat);
    }
    seat_flush(shard, hosted, record->seat, NULL);
    hosted_forget_if_seen(shard, hosted);
}

/* Lost where there is no room: a session that has not heard of the end asks again. */
static void say_gone(struct shard *shard, const struct record_level *level)
{
    struct record_place record = {
        .kind = RECORD_PLACE, .session = level->session.handle, .match_id = level->match_id};
    (void)!post(shard, level->session.shard, &record, sizeof(record));
}

void hosted_on_level(struct shard *shard, const struct record_level *record)
{
    struct hosted *hosted = hosted_find(shard, record->match, &record->match_id);
    if (hosted == NULL) { /* Seen by all, kept for long enough, or put out by newer ones. */
        if ((record->flags & ~(unsigned)LEVEL_SEEN) != 0) say_gone(shard, record);
        return;
    }
    if (record->generation != hosted->seats[record->seat].generation)
        return; /* Of an earlier connection. */
    apply_level(shard, hosted, record);
}

void hosted_deliver_owed(struct shard *shard)
{
    struct list waiting;
    list_move_all(&shard->owed, &waiting);
    struct list *node;
    bool is_moving = false;
    for (unsigned i = 0; i < PAYMENTS_PER_RUN; i++) {
        if ((node = list_take_first(&waiting)) == NULL) break;
        struct hosted *hosted = LIST_ITEM(node, struct hosted, owed_node);
        for (unsigned seat = 0; seat < MATCH_PLAYERS_MAX; seat++) {
            seat_flush(shard, hosted, seat, NULL);
        }
        is_moving = is_moving || !list_is_linked(&hosted->owed_node);
    }
    shard_put_off(shard, &waiting, &shard->owed, is_moving);
}

/* --- What has ended. --- */

static void forget(struct shard *shard, struct ended_match *ended)
{
    list_remove(&ended->age_node);
    list_remove(&ended->hosted.owed_node);
    (void)map_remove(&shard->ended_ids,
                     &ended->hosted.match.id); /* It is in there while it is kept. */
    pool_release(&shard->ended, ended->hosted.self);
}

static struct ended_match *oldest(struct shard *shard)
{
    if (list_is_empty(&shard->ended_by_age)) return NULL;
    return LIST_ITEM(shard->ended_by_age.next, struct ended_match, age_node);
}

/* Somebody has not been told of the end, or not even of the match, for want of room on the way: who has not heard of
 * it cannot ask, and waits. */
static bool is_owing(const struct ended_match *ended)
{
    bool is_owing = false;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        is_owing = is_owing || seat_is_owed(&ended->hosted, i);
    }
    return is_owing;
}

/* The oldest has had the most time. False: all that were looked at owe something. */
static bool make_room(struct shard *shard)
{
    struct list *node = shard->ended_by_age.next;
    for (unsigned i = 0; i < EVICTION_LOOKS && node != &shard->ended_by_age; i++) {
        struct ended_match *ended = LIST_ITEM(node, struct ended_match, age_node);
        node = node->next;
        if (is_owing(ended)) continue;
        forget(shard, ended);
        return true;
    }
    return false;
}

/* If its time is over: when it is looked at again, that it still owes something or was not reached. */
static void arm_for_oldest(struct shard *shard, uint32_t again_ms)
{
    struct ended_match *first = oldest(shard);
    if (first == NULL) {
        wheel_disarm(&shard->wheel, &shard->ended_timer);
    } else if (!wheel_is_armed(&shard->ended_timer)) {
        mono_time at = mono_after(first->ended_at, shard->settings.ended_keep_ms);
        mono_time soonest = mono_after(shard->now, again_ms);
        wheel_arm(&shard->wheel, &shard->ended_timer, mono_is_before(shard->now, at) ? at : soonest,
                  0);
    }
}

static size_t hosted_bytes(const struct hosted *hosted)
{
    return offsetof(struct hosted, match) + match_bytes(hosted->match.settings.rounds);
}

bool hosted_keep_ended(struct shard *shard, struct live_match *live)
{
    struct handle handle = HANDLE_NONE;
    struct ended_match *ended = pool_acquire_unset(&shard->ended, &handle);
    if (ended == NULL && make_room(shard)) ended = pool_acquire_unset(&shard->ended, &handle);
    if (ended == NULL) return false;
    list_remove(&live->hosted.owed_node); /* What is owed is the ended one's from here on. */
    memcpy(&ended->hosted, &live->hosted, hosted_bytes(&live->hosted));
    ended->hosted.self = handle;
    ended->hosted.is_kept = true;
    ended->ended_at = shard->now;
    list_init(&ended->hosted.owed_node);
    list_init(&ended->age_node);
    list_append(&shard->ended_by_age, &ended->age_node);
    bool is_put = map_put(&shard->ended_ids, &ended->hosted.match.id, handle.slot);
    QR_ASSERT(is_put);
    arm_for_oldest(shard, ASK_AGAIN_MS);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) seat_flush(shard, &ended->hosted, i, NULL);
    hosted_forget_if_seen(shard, &ended->hosted);
    return true;
}

void hosted_expire_ended(struct shard *shard)
{
    struct list waiting;
    list_move_all(&shard->ended_by_age, &waiting);
    bool is_cut = false;
    for (unsigned i = 0; !list_is_empty(&waiting); i++) {
        struct ended_match *ended = LIST_ITEM(waiting.next, struct ended_match, age_node);
        if (mono_elapsed(ended->ended_at, shard->now) < shard->settings.ended_keep_ms) break;
        is_cut = i == EXPIRED_PER_RUN;
        if (is_cut) break;
        if (!is_owing(ended)) {
            forget(shard, ended);
        } else { /* It keeps nobody waiting. */
            list_remove(&ended->age_node);
            list_append(&shard->ended_by_age, &ended->age_node);
        }
    }
    list_put_before(&waiting, &shard->ended_by_age);
    arm_for_oldest(shard, is_cut ? 1 : ASK_AGAIN_MS);
}

void hosted_forget_if_seen(struct shard *shard, struct hosted *hosted)
{
    if (!hosted->is_kept) return;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        if (!hosted->seats[i].is_seen) return;
    }
    forget(shard, LIST_ITEM(hosted, struct ended_match, hosted));
    arm_for_oldest(shard, ASK_AGAIN_MS);
}
