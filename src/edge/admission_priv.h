/* Whether a worker's loop keeps up, and so whether new players may come.
 *
 * The lag is the longest that something which is ready may have waited: the length of a turn where the turn has read all
 * that was ready. Where it has not, the sockets that are ready take turns (epoll hands them out in a circle), so what is
 * counted is the time since the beginning of the last whole circle. Measured as a mean that forgets within
 * half a second, so that one long turn of many short ones shuts nobody out. Above the limit the loop is crowded, until
 * the mean is below half of it: players who are there are not touched, who comes anew is turned away (worker_priv.h).
 *
 * The worker's; its thread. O(1) a turn.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { ADMISSION_WINDOW_US = 500000 };

struct admission {
    uint32_t limit_us; /* 0: nobody is turned away for it. */
    uint32_t lag_us;   /* The mean. */
    bool is_crowded;
    uint64_t caught_up_at_us; /* What was ready then has been read, */
    uint64_t circle_at_us;    /* and what was ready then is being read: */
    uint32_t slices;          /* so many slices so far. */
    uint64_t turned_at_us;    /* The end of the last turn. */
};

void admission_init(struct admission *admission, uint32_t limit_ms, uint64_t now_us);

/* What a turn has read of the players' sockets. */
enum { ADMISSION_READ_ALL = 0, ADMISSION_READ_NOTHING = -1 };

/* A turn is over, which began when its wait returned. `read`: one of these, or it was one slice, and of so many the whole
 * circle may consist. Requires: times do not go back. */
void admission_on_turn(struct admission *admission, uint64_t woke_at_us, uint64_t ended_at_us,
                       int32_t read);
