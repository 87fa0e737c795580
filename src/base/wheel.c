#include "base/wheel.h"

#include <stddef.h>

/* A timer's level is that of the highest digit in which its time differs from `now`, the digits
 * being 8 bits for the first level and 6 for each above; the last level holds all that differs
 * further up. So
 *
 *   - all timers of one millisecond are in one slot, in the order of arming (but for those beyond
 * the reach),
 *   - a level that holds any has the earliest expiry before those above it,
 *   - when `now` enters a slot of an upper level, the levels below are empty, and its timers are
 * sorted into them.
 *
 * The last level is a circle of 63 slots ahead of `now`; what is later than that waits in the
 * furthest of them. */
enum {
    FIRST_BITS = 8,
    LEVEL_BITS = 6,
    LAST_LEVEL = WHEEL_LEVELS - 1,
    LAST_SHIFT = FIRST_BITS + LEVEL_BITS * (LAST_LEVEL - 1),
    WORD_BITS = 64,
};

_Static_assert(WHEEL_FIRST_SLOTS == 1 << FIRST_BITS, "a slot per value of the first digit");
_Static_assert(WHEEL_SLOTS == 1 << LEVEL_BITS, "a slot per value of an upper digit");
_Static_assert(WHEEL_SLOTS == 64, "an upper level's slots are the bits of one word");

/* The bits of a time below a level's digit: a millisecond of an upper level's slot is at >>
 * shift_of(level). */
static unsigned shift_of(unsigned level)
{
    return level == 0 ? 0 : FIRST_BITS + LEVEL_BITS * (level - 1);
}

static struct wheel_timer *head_of(struct wheel *wheel, unsigned level, unsigned slot)
{
    return level == 0 ? &wheel->first[slot] : &wheel->upper[level - 1][slot];
}

static uint64_t *word_of(struct wheel *wheel, unsigned level, unsigned slot)
{
    return level == 0 ? &wheel->first_used[slot / WORD_BITS] : &wheel->upper_used[level - 1];
}

static unsigned lowest_bit(uint64_t word)
{
    return (unsigned)__builtin_ctzll(word);
}

static void place(const struct wheel *wheel, mono_time at, struct wheel_timer *timer)
{
    uint64_t now = wheel->now.ms;
    /* What is past belongs to this millisecond. */
    uint64_t ms = at.ms > now ? at.ms : now;
    unsigned level = 0;
    while (level < LAST_LEVEL && ms >> shift_of(level + 1) != now >> shift_of(level + 1)) level++;
    uint64_t slot = ms >> shift_of(level);
    if (level == LAST_LEVEL && slot - (now >> LAST_SHIFT) >= WHEEL_SLOTS)
        slot = (now >> LAST_SHIFT) + WHEEL_SLOTS - 1;
    timer->level = (uint8_t)level;
    timer->slot = (uint8_t)(slot % (level == 0 ? WHEEL_FIRST_SLOTS : WHEEL_SLOTS));
}

static void link_timer(struct wheel *wheel, struct wheel_timer *timer)
{
    place(wheel, timer->at, timer);
    struct wheel_timer *head = head_of(wheel, timer->level, timer->slot);
    timer->prev = head->prev;
    timer->next = head;
    head->prev->next = timer;
    head->prev = timer;
    *word_of(wheel, timer->level, timer->slot) |= UINT64_C(1) << (timer->slot % WORD_BITS);
}

static void unlink_timer(struct wheel *wheel, struct wheel_timer *timer)
{
    timer->prev->next = timer->next;
    timer->next->prev = timer->prev;
    timer->next = NULL;
    timer->prev = NULL;
    const struct wheel_timer *head = head_of(wheel, timer->level, timer->slot);
    if (head->next == head)
        *word_of(wheel, timer->level, timer->slot) &= ~(UINT64_C(1) << (timer->slot % WORD_BITS));
}

/* The earliest slot that holds timers. */
struct stop {
    uint64_t at; /* Its first millisecond. */
    unsigned level;
    unsigned slot;
};

static bool find_stop(const struct wheel *wheel, struct stop *ret_stop)
{
    uint64_t now = wheel->now.ms;
    /* A slot that `now` is in holds what has not been sorted in yet: it may be due before all else. */
    for (unsigned level = LAST_LEVEL; level > 0; level--) {
        unsigned slot = (unsigned)(now >> shift_of(level)) % WHEEL_SLOTS;
        if ((wheel->upper_used[level - 1] >> slot & 1) == 0) continue;
        *ret_stop = (struct stop){now, level, slot};
        return true;
    }
    for (unsigned word = 0; word < WHEEL_FIRST_SLOTS / WORD_BITS; word++) {
        if (wheel->first_used[word] == 0) continue;
        unsigned slot = word * WORD_BITS + lowest_bit(wheel->first_used[word]);
        *ret_stop = (struct stop){(now >> FIRST_BITS << FIRST_BITS) + slot, 0, slot};
        return true;
    }
    for (unsigned level = 1; level < LAST_LEVEL; level++) {
        if (wheel->upper_used[level - 1] == 0) continue;
        unsigned slot = lowest_bit(wheel->upper_used[level - 1]);
        unsigned above = shift_of(level + 1);
        uint64_t at = (now >> above << above) + ((uint64_t)slot << shift_of(level));
        *ret_stop = (struct stop){at, level, slot};
        return true;
    }
    uint64_t used = wheel->upper_used[LAST_LEVEL - 1];
    if (used == 0) return false;
    /* Counted from now's own slot, which is empty, around the circle. */
    uint64_t own = now >> LAST_SHIFT;
    unsigned turn = (unsigned)(own % WHEEL_SLOTS);
    uint64_t turned = used >> turn | used << ((WORD_BITS - turn) % WORD_BITS);
    uint64_t slot = own + lowest_bit(turned);
    *ret_stop = (struct stop){slot << LAST_SHIFT, LAST_LEVEL, (unsigned)(slot % WHEEL_SLOTS)};
    return true;
}

/* Sorts at most `count` timers of an upper slot that `now` has entered: into the levels below, in
 * the order they are in. What is still beyond the reach goes back to the last level, into the slot
 * furthest ahead: never this one. Returns how many it were. */
static unsigned sort_in(struct wheel *wheel, unsigned level, unsigned slot, unsigned count)
{
    struct wheel_timer *head = head_of(wheel, level, slot);
    unsigned sorted = 0;
    for (; sorted < count && head->next != head; sorted++) {
        struct wheel_timer *timer = head->next;
        unlink_timer(wheel, timer);
        link_timer(wheel, timer);
    }
    return sorted;
}

static void init_head(struct wheel_timer *head)
{
    *head = (struct wheel_timer){.next = head, .prev = head};
}

void wheel_init(struct wheel *wheel, mono_time now)
{
    for (unsigned slot = 0; slot < WHEEL_FIRST_SLOTS; slot++) init_head(&wheel->first[slot]);
    for (unsigned level = 1; level < WHEEL_LEVELS; level++)
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++) init_head(head_of(wheel, level, slot));
    for (unsigned word = 0; word < WHEEL_FIRST_SLOTS / WORD_BITS; word++)
        wheel->first_used[word] = 0;
    for (unsigned level = 1; level < WHEEL_LEVELS; level++) wheel->upper_used[level - 1] = 0;
    wheel->now = now;
    wheel->count = 0;
    wheel->count_max = 0;
}

void wheel_timer_init(struct wheel_timer *timer, struct handle owner, uint16_t kind)
{
    *timer = (struct wheel_timer){.owner = owner, .kind = kind};
}

void wheel_arm(struct wheel *wheel, struct wheel_timer *timer, mono_time at, uint16_t tag)
{
    wheel_disarm(wheel, timer);
    timer->at = at;
    timer->tag = tag;
    link_timer(wheel, timer);
    wheel->count++;
    if (wheel->count > wheel->count_max) wheel->count_max = wheel->count;
}

void wheel_disarm(struct wheel *wheel, struct wheel_timer *timer)
{
    if (!wheel_is_armed(timer)) return;
    unlink_timer(wheel, timer);
    wheel->count--;
}

bool wheel_is_armed(const struct wheel_timer *timer)
{
    return timer->next != NULL;
}

struct wheel_timer *wheel_expire(struct wheel *wheel, mono_time now)
{
    /* Only to the next millisecond that holds a timer, so that one call stays short and a timer
     * armed meanwhile for a millisecond between that and `now` still gets its turn. */
    struct stop stop;
    unsigned sorted = 0;
    while (find_stop(wheel, &stop) && stop.at <= now.ms) {
        wheel->now.ms = stop.at;
        if (stop.level == 0) {
            struct wheel_timer *timer = wheel->first[stop.slot].next;
            wheel_disarm(wheel, timer);
            return timer;
        }
        sorted += sort_in(wheel, stop.level, stop.slot, WHEEL_SORTED_MAX - sorted);
        if (sorted == WHEEL_SORTED_MAX) return NULL;
    }
    if (mono_is_before(wheel->now, now)) wheel->now = now;
    return NULL;
}

bool wheel_next(const struct wheel *wheel, mono_time *ret_at)
{
    struct stop stop;
    if (!find_stop(wheel, &stop)) return false;
    ret_at->ms = stop.at;
    return true;
}
