/* Frames, timers and tokens: that their number is that of what holds them (after every iteration), and that each of
 * them belongs to something that lives (now and then). */

#include <string.h>

#include "sim_audit_priv.h"
#include "sim_failed.h"

/* --- Numbers. --- */

/* What is alive on a shard, and what it holds. */
struct holdings {
    uint32_t timers, tokens, frames, rings;
};

static uint32_t timers_of(const struct live_match *live)
{
    uint32_t timers = wheel_is_armed(&live->phase);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        timers += wheel_is_armed(&live->seat_timers[i]);
    }
    return timers;
}

static struct holdings holdings_of(const struct shard *shard)
{
    struct holdings held = {.timers = wheel_is_armed(&shard->ended_timer), .tokens = 1};
    for (uint32_t slot = 0; slot < shard->sessions.touched; slot++) {
        const struct session *session = pool_at(&shard->sessions, slot);
        if (session == NULL) continue;
        held.timers += wheel_is_armed(&session->timer);
        held.frames += session->outbox.count;
        held.rings += session->outbox.count > 0;
        held.tokens++;
    }
    for (uint32_t slot = 0; slot < shard->matches.touched; slot++) {
        const struct live_match *live = pool_at(&shard->matches, slot);
        if (live == NULL) continue;
        held.timers += timers_of(live);
        held.tokens += 2;
    }
    if (shard->lobby == NULL) return held;
    held.timers += wheel_is_armed(&shard->lobby->figures);
    const struct pool *tickets = &shard->lobby->matchmaker.tickets;
    for (uint32_t slot = 0; slot < tickets->touched; slot++) {
        const struct ticket *ticket = pool_at(tickets, slot);
        if (ticket != NULL) held.timers += wheel_is_armed(&ticket->timer);
    }
    return held;
}

/* One that is armed anew for a time that is over, by whoever was to deal with it, is handed out again and again: as
 * many as an iteration takes, and all others wait. (There are never that many at once here.) */
static void a_deadline_that_is_over_is_dealt_with(const struct shard *shard)
{
    if (mono_is_before(shard->wheel.now, shard->now))
        sim_failed("a deadline that is over is dealt with: timers wait since %u ms",
                   (unsigned)mono_elapsed(shard->wheel.now, shard->now));
}

void whole_audit_counts(const struct shard *shard)
{
    a_deadline_that_is_over_is_dealt_with(shard);
    struct holdings held = holdings_of(shard);
    if (held.timers != shard->wheel.count)
        sim_failed("a timer belongs to what lives: %u of %u do", held.timers, shard->wheel.count);
    if (held.tokens != shard->token_stats.live)
        sim_failed("a token belongs to what lives: %u of %u do", held.tokens,
                   shard->token_stats.live);
    uint32_t frames = 0;
    for (unsigned i = 0; i < FRAME_CLASSES; i++) frames += shard->frames.classes[i].used;
    if (frames > held.frames)
        sim_failed("a frame belongs to an outbox: %u of %u do", held.frames, frames);
    if (held.rings != shard->outboxes.rings.used)
        sim_failed("an outbox that holds nothing has no ring: %u of %u do", held.rings,
                   shard->outboxes.rings.used);
}

/* --- Frames: each by each. --- */

static unsigned references_in(const struct shard *shard, const struct frame *frame)
{
    unsigned references = 0;
    for (uint32_t slot = 0; slot < shard->sessions.touched; slot++) {
        const struct session *session = pool_at(&shard->sessions, slot);
        if (session == NULL) continue;
        const struct outbox *outbox = &session->outbox;
        for (unsigned i = 0; i < outbox->count; i++)
            references += outbox->frames[(outbox->head + i) % OUTBOX_SLOTS] == frame;
    }
    return references;
}

static void a_frame_has_as_many_references_as_hold_it(const struct shard *shard)
{
    for (unsigned i = 0; i < FRAME_CLASSES; i++) {
        const struct pool *pool = &shard->frames.classes[i];
        for (uint32_t slot = 0; pool->used > 0 && slot < pool->touched; slot++) {
            const struct frame *frame = pool_at(pool, slot);
            if (frame == NULL) continue;
            unsigned references = references_in(shard, frame);
            if (references == 0 || references != frame->references)
                sim_failed("a frame has as many references as hold it: %u, counted are %u",
                           references, frame->references);
        }
    }
}

/* --- Timers: each by each. --- */

static const struct wheel_timer *timer_of(const struct shard *shard,
                                          const struct wheel_timer *timer)
{
    if (timer->kind == TIMER_FIGURES) return &shard->lobby->figures;
    if (timer->kind == TIMER_ENDED) return &shard->ended_timer;
    if (timer->kind == TIMER_SESSION) {
        const struct session *session = pool_resolve(&shard->sessions, timer->owner);
        return session != NULL ? &session->timer : NULL;
    }
    if (timer->kind == TIMER_TICKET) {
        const struct ticket *ticket = pool_resolve(&shard->lobby->matchmaker.tickets, timer->owner);
        return ticket != NULL ? &ticket->timer : NULL;
    }
    const struct live_match *live = pool_resolve(&shard->matches, timer->owner);
    if (live == NULL) return NULL;
    if (timer->kind == TIMER_PHASE) return &live->phase;
    unsigned seat = timer->kind - (unsigned)TIMER_SEAT;
    return seat < MATCH_PLAYERS_MAX ? &live->seat_timers[seat] : NULL;
}

/* How many hang on a slot. */
static uint32_t timers_on(const struct shard *shard, const struct wheel_timer *head)
{
    uint32_t count = 0;
    for (const struct wheel_timer *timer = head->next; timer != head; timer = timer->next) {
        count++;
        if (timer_of(shard, timer) != timer)
            sim_failed("a timer belongs to what lives: one of kind %u does not", timer->kind);
        if (timer->next->prev != timer)
            sim_failed("the wheel holds together: not at a timer of kind %u", timer->kind);
    }
    return count;
}

/* Of the slots that are marked as used. A timer in another one lacks in the count. */
static uint32_t timers_in(const struct shard *shard, const struct wheel_timer *heads, uint64_t used)
{
    uint32_t count = 0;
    for (; used != 0; used &= used - 1) {
        uint32_t here = timers_on(shard, &heads[__builtin_ctzll(used)]);
        if (here == 0) sim_failed("the wheel holds together: a slot that is empty is marked");
        count += here;
    }
    return count;
}

static void the_wheel_holds_what_is_armed(const struct shard *shard)
{
    const struct wheel *wheel = &shard->wheel;
    uint32_t count = 0;
    for (unsigned word = 0; word < WHEEL_FIRST_SLOTS / 64; word++)
        count += timers_in(shard, &wheel->first[word * 64], wheel->first_used[word]);
    for (unsigned level = 0; level < WHEEL_LEVELS - 1; level++)
        count += timers_in(shard, wheel->upper[level], wheel->upper_used[level]);
    if (count != wheel->count)
        sim_failed("the wheel holds what is armed: %u of %u", count, wheel->count);
}

/* --- Tokens: each by each. --- */

static uint32_t tokens_below(const struct cancel *token, const struct shard *shard)
{
    uint32_t count = 1;
    if (token->stats != &shard->token_stats)
        sim_failed("a token belongs to what lives: one that was ended is in the tree");
    for (const struct cancel *child = token->first_child; child != NULL;
         child = child->next_sibling) {
        bool is_whole = child->parent == token && *child->prev_sibling == child &&
                        child->depth == token->depth + 1;
        if (!is_whole) sim_failed("the tree of tokens holds together: a child has another parent");
        if (token->reason != CANCEL_NONE && child->reason == CANCEL_NONE)
            sim_failed("what ends ends all that hangs on it: a token has not fired");
        count += tokens_below(child, shard);
    }
    return count;
}

/* Who has no connection, and what is over, has fired. */
static void tokens_fire_when_their_time_has_come(const struct shard *shard)
{
    for (uint32_t slot = 0; slot < shard->sessions.touched; slot++) {
        const struct session *session = pool_at(&shard->sessions, slot);
        if (session == NULL) continue;
        if ((session->conn == NULL) != (session->token.reason != CANCEL_NONE))
            sim_failed("a token fires when its time has come: not a session's");
    }
    for (uint32_t slot = 0; slot < shard->matches.touched; slot++) {
        const struct live_match *live = pool_at(&shard->matches, slot);
        if (live == NULL) continue;
        bool is_over = match_is_settling(&live->hosted.match);
        if (is_over && live->play.reason == CANCEL_NONE)
            sim_failed("a token fires when its time has come: not that of the play");
        if (live->hosted.is_ended && live->token.reason == CANCEL_NONE)
            sim_failed("a token fires when its time has come: not a match's");
    }
}

void whole_audit(const struct shard *shard)
{
    a_frame_has_as_many_references_as_hold_it(shard);
    the_wheel_holds_what_is_armed(shard);
    if (tokens_below(&shard->root, shard) != shard->token_stats.live)
        sim_failed("a token belongs to what lives: one is not in the tree");
    tokens_fire_when_their_time_has_come(shard);
}
