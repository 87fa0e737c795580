/* A hierarchical timer wheel with a resolution of one millisecond (Varghese, Lauck: "Hashed and
 * hierarchical timing wheels", 1987, scheme 6).
 *
 * Arming and disarming are O(1); `now` is a parameter. A timer does not call: wheel_expire() hands
 * expired ones out one by one, and the owner turns each into an event. What it belongs to it names
 * by handle, never by pointer.
 *
 * Timers live inside what they serve; the wheel owns none. One owner, one thread. Reach: at least
 * 18 hours, 63 * 2^20 ms less what `now` is into its own 2^20; a later deadline waits in the last
 * level and is sorted in again each time that the reach has passed.
 *
 * Cost: wheel_next and a wheel_expire that finds nothing are O(levels), however far `now` jumps:
 * empty slots are skipped by bitmaps. A timer is sorted in again at most once per level before it
 * is handed out. So a long jump costs what it hands out; a single wheel_expire sorts in at most
 * WHEEL_SORTED_MAX of the timers of the slots it passes, and returns with the first that is due.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/time.h"

struct wheel_timer {
    struct wheel_timer *next;
    struct wheel_timer *prev;
    mono_time at;
    struct handle owner; /* What it is for: the wheel only carries it. */
    uint16_t kind;       /* Which of the owner's timers. */
    uint16_t tag;        /* What it was armed for: an old one is recognised by it. */
    uint8_t level;       /* The wheel's. */
    uint8_t slot;        /* The wheel's. */
};

enum {
    WHEEL_LEVELS = 4,
    WHEEL_FIRST_SLOTS = 256,
    WHEEL_SLOTS = 64,
    WHEEL_SORTED_MAX = 1024, /* In one call: a slot of the upper levels may hold all timers. */
};

struct wheel {
    struct wheel_timer first[WHEEL_FIRST_SLOTS]; /* List heads, a millisecond each. */
    struct wheel_timer upper[WHEEL_LEVELS - 1][WHEEL_SLOTS];
    uint64_t first_used[WHEEL_FIRST_SLOTS / 64]; /* A bit per slot that holds timers. */
    uint64_t upper_used[WHEEL_LEVELS - 1];
    mono_time now; /* What was due before it has been handed out. */
    uint32_t count;
    uint32_t count_max;
};

void wheel_init(struct wheel *wheel, mono_time now);

/* Leaves the timer disarmed. (So is one that is all zero, as a pool hands it out.) */
void wheel_timer_init(struct wheel_timer *timer, struct handle owner, uint16_t kind);

/* Arms, or arms anew, for `at`; a time that is past is due at the next wheel_expire, as if it were
 * `wheel->now`. Requires: an armed timer is armed in this wheel. */
void wheel_arm(struct wheel *wheel, struct wheel_timer *timer, mono_time at, uint16_t tag);

/* Idempotent. */
void wheel_disarm(struct wheel *wheel, struct wheel_timer *timer);

bool wheel_is_armed(const struct wheel_timer *timer);

/* The next timer whose time has come (at <= now), disarmed, or NULL: there is none, or
 * WHEEL_SORTED_MAX were sorted in and the next call goes on (wheel_next is not later than `now`
 * then). The caller bounds how many it takes; the rest stay due. A `now` that is before `wheel->now` finds nothing.
 *
 * The order is that of the milliseconds. Within one it is that of arming, except that a timer which
 * was armed beyond the reach may come after one that was armed for the same millisecond later,
 * within it. */
struct wheel_timer *wheel_expire(struct wheel *wheel, mono_time now);

/* False where nothing is armed; otherwise a time not later than the next expiry (and not before
 * `wheel->now`). It is exact where the expiry lies in the 256 milliseconds block of `wheel->now`;
 * otherwise it may be the beginning of the slot that the timer waits in, and the wheel_expire of
 * that time finds nothing, but makes the next answer closer. */
bool wheel_next(const struct wheel *wheel, mono_time *ret_at);
