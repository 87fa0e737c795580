/* What a store says in the log about results and look-ups that fail: the change, not each try.
 *
 * One thread's.
 */
#pragma once

#include <stdint.h>

#include <stdbool.h>

#include "base/id.h"

enum { REPORT_REFUSED_MAX = 16 };

struct store_report {
    uint64_t failed;       /* Results since they began to fail; 0 while they do not. */
    uint64_t failed_loads; /* Look-ups, likewise. */
    uint64_t failed_prunes;
    struct id malformed; /* The player whose row was the last that could not be used. */
    /* Results that were refused alone and said so: their matches try again every second, and say it
     * once. */
    struct id refused[REPORT_REFUSED_MAX];
    unsigned refused_next;
};

void store_report_refused(struct store_report *report, const struct id *match, const char *problem);
void store_report_failing(struct store_report *report, unsigned results, const char *problem);
void store_report_recovered(struct store_report *report);
void store_report_reading_failing(struct store_report *report, const char *problem);
void store_report_reading_recovered(struct store_report *report);
void store_report_pruning_failing(struct store_report *report, const char *problem);
void store_report_pruning_recovered(struct store_report *report);
void store_report_malformed(struct store_report *report, const struct id *player);
