#include "admission_priv.h"

enum { OPEN_AT_ONE_IN = 2 };

void admission_init(struct admission *admission, uint32_t limit_ms, uint64_t now_us)
{
    *admission = (struct admission){
        .limit_us = limit_ms * 1000,
        .caught_up_at_us = now_us,
        .circle_at_us = now_us,
        .turned_at_us = now_us,
    };
}

/* For `lasted_us` the lag was `lag_us`. */
static void mix(struct admission *admission, uint64_t lag_us, uint64_t lasted_us)
{
    uint64_t window = ADMISSION_WINDOW_US;
    if (lasted_us > window) lasted_us = window;
    if (lag_us > UINT32_MAX) lag_us = UINT32_MAX;
    uint64_t mean = (admission->lag_us * (window - lasted_us) + lag_us * lasted_us) / window;
    admission->lag_us = (uint32_t)mean;
}

static void note_read(struct admission *admission, uint64_t woke_at_us, int32_t read)
{
    if (read == ADMISSION_READ_NOTHING) return;
    bool is_all = read == ADMISSION_READ_ALL;
    if (!is_all && ++admission->slices < (uint32_t)read) return;
    admission->caught_up_at_us = is_all ? woke_at_us : admission->circle_at_us;
    admission->circle_at_us = woke_at_us;
    admission->slices = 0;
}

void admission_on_turn(struct admission *admission, uint64_t woke_at_us, uint64_t ended_at_us,
                       int32_t read)
{
    mix(admission, 0, woke_at_us - admission->turned_at_us);
    note_read(admission, woke_at_us, read);
    mix(admission, ended_at_us - admission->caught_up_at_us, ended_at_us - woke_at_us);
    admission->turned_at_us = ended_at_us;
    if (admission->limit_us == 0) return;
    uint32_t least_us =
        admission->is_crowded ? admission->limit_us / OPEN_AT_ONE_IN : admission->limit_us;
    admission->is_crowded = admission->lag_us > least_us;
}
