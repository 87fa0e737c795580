#include "sim_tally.h"

static const char *const names[COUNTER_COUNT] = {
#define SIM_COUNTER(name, text) [COUNTER_##name] = text,
    SIM_COUNTERS(SIM_COUNTER)
#undef SIM_COUNTER
};

const char *tally_name(enum sim_counter counter)
{
    return names[counter];
}
