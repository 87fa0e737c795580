#include "store_report_priv.h"

#include <inttypes.h>

#include "edge/log.h"

void store_report_refused(struct store_report *report, const struct id *match, const char *problem)
{
    for (unsigned i = 0; i < REPORT_REFUSED_MAX; i++) {
        if (id_equal(&report->refused[i], match)) return;
    }
    report->refused[report->refused_next] = *match;
    report->refused_next = (report->refused_next + 1) % REPORT_REFUSED_MAX;
    char id_text[ID_TEXT_BYTES + 1];
    char value[LOG_VALUE_BYTES_MAX];
    id_format(match, id_text);
    log_event(LOG_LEVEL_ERROR, "store_result_refused", "match=%s error=%s", id_text,
              log_value(problem, value));
}

void store_report_failing(struct store_report *report, unsigned results, const char *problem)
{
    bool is_first = report->failed == 0;
    report->failed += results;
    if (!is_first) return;
    char value[LOG_VALUE_BYTES_MAX];
    log_event(LOG_LEVEL_ERROR, "store_failing", "results=%u error=%s", results,
              log_value(problem, value));
}

void store_report_recovered(struct store_report *report)
{
    if (report->failed == 0) return;
    log_event(LOG_LEVEL_INFO, "store_recovered", "failed=%" PRIu64, report->failed);
    report->failed = 0;
}

void store_report_reading_failing(struct store_report *report, const char *problem)
{
    if (report->failed_loads++ > 0) return;
    char value[LOG_VALUE_BYTES_MAX];
    log_event(LOG_LEVEL_ERROR, "store_reading_failing", "error=%s", log_value(problem, value));
}

void store_report_reading_recovered(struct store_report *report)
{
    if (report->failed_loads == 0) return;
    log_event(LOG_LEVEL_INFO, "store_reading_recovered", "failed=%" PRIu64, report->failed_loads);
    report->failed_loads = 0;
}

void store_report_malformed(struct store_report *report, const struct id *player)
{
    if (id_equal(&report->malformed, player)) return;
    report->malformed = *player;
    char id[ID_TEXT_BYTES + 1];
    id_format(player, id);
    log_event(LOG_LEVEL_ERROR, "store_player_malformed", "player=%s", id);
}

/* It is tried again, and nobody misses anything meanwhile. */
void store_report_pruning_failing(struct store_report *report, const char *problem)
{
    if (report->failed_prunes++ > 0) return;
    char value[LOG_VALUE_BYTES_MAX];
    log_event(LOG_LEVEL_WARNING, "store_pruning_failing", "error=%s", log_value(problem, value));
}

void store_report_pruning_recovered(struct store_report *report)
{
    if (report->failed_prunes == 0) return;
    log_event(LOG_LEVEL_INFO, "store_pruning_recovered", "failed=%" PRIu64, report->failed_prunes);
    report->failed_prunes = 0;
}
