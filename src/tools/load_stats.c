#include "load_stats.h"

#include <inttypes.h>
#include <string.h>

/* Below HISTOGRAM_STEPS a bucket is one value; above, the highest bits of the value name it. */
static unsigned bucket_of(uint64_t value)
{
    enum { STEP_BITS = 5 };
    _Static_assert(1 << STEP_BITS == HISTOGRAM_STEPS, "steps are named by bits");
    if (value < HISTOGRAM_STEPS) return (unsigned)value;
    unsigned power = 63 - (unsigned)__builtin_clzll(value);
    unsigned step = (unsigned)(value >> (power - STEP_BITS)) - HISTOGRAM_STEPS;
    unsigned bucket = (power - STEP_BITS + 1) * HISTOGRAM_STEPS + step;
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The largest value of a bucket. */
static uint64_t bucket_top(unsigned bucket)
{
    if (bucket < HISTOGRAM_STEPS) return bucket;
    unsigned shift = bucket / HISTOGRAM_STEPS - 1;
    return ((uint64_t)(bucket % HISTOGRAM_STEPS + HISTOGRAM_STEPS + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value_us)
{
    histogram->count++;
    histogram->buckets[bucket_of(value_us)]++;
    if (value_us > histogram->max) histogram->max = value_us;
}

uint64_t histogram_percentile(const struct histogram *histogram, unsigned percent)
{
    uint64_t wanted = (histogram->count * percent + 99) / 100;
    uint64_t seen = 0;
    for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS && wanted > 0; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen < wanted) continue;
        uint64_t top = bucket_top(bucket);
        return top < histogram->max ? top : histogram->max;
    }
    return 0;
}

void stats_refused(struct stats *stats, const char *code)
{
    unsigned index = 0;
    while (index < STATS_CODES_MAX - 1 && stats->refusals[index].count > 0 &&
           strcmp(stats->refusals[index].code, code) != 0)
        index++;
    /* More codes than there are rows share the last one. */
    if (stats->refusals[index].count == 0)
        (void)snprintf(stats->refusals[index].code, CHECK_CODE_BYTES, "%s", code);
    stats->refusals[index].count++;
}

uint64_t stats_errors(const struct stats *stats)
{
    return stats->lost + stats->unfinished + stats->unanswered;
}

struct row {
    const char *name;
    const struct histogram *histogram;
};
enum { ROWS = 4 };

static void rows_of(const struct stats *stats, struct row ret_rows[ROWS])
{
    ret_rows[0] = (struct row){"connect", &stats->connect};
    ret_rows[1] = (struct row){"accepted", &stats->accept};
    ret_rows[2] = (struct row){"pong", &stats->pong};
    ret_rows[3] = (struct row){"match", &stats->match};
}

static double ms_of(uint64_t us)
{
    return (double)us / 1000.0;
}

/* --- What is printed, once for people and once for programs. --- */

struct number {
    const char *name;  /* In JSON. */
    const char *label; /* In the table. */
    uint64_t value;
};

enum { LABEL_COLUMNS = 26, VALUE_COLUMNS = 14 };

static void print_numbers(const char *title, const struct number *numbers, size_t count,
                          bool wants_json, FILE *out)
{
    if (!wants_json) fprintf(out, "\n%s\n", title);
    for (size_t index = 0; index < count; index++) {
        const struct number *number = &numbers[index];
        if (wants_json)
            fprintf(out, ",\"%s\":%" PRIu64, number->name, number->value);
        else
            fprintf(out, "  %-*s%*" PRIu64 "\n", LABEL_COLUMNS, number->label, VALUE_COLUMNS,
                    number->value);
    }
}

#define PRINT_NUMBERS(title, numbers)                                                              \
    print_numbers(title, numbers, sizeof(numbers) / sizeof((numbers)[0]), wants_json, out)

static void print_connections(const struct stats *stats, const struct stats_closing *closing,
                              bool wants_json, FILE *out)
{
    const struct number numbers[] = {
        {"players", "players", closing->players},
        {"idle", "idle", closing->idle},
        {"opened", "opened", stats->opened},
        {"closed", "closed in order", stats->closed},
        {"lost", "lost", stats->lost},
        {"unfinished", "unfinished", stats->unfinished},
        {"pings", "pings answered", stats->pings},
    };
    PRINT_NUMBERS("connections", numbers);
}

static void print_returns(const struct stats *stats, bool wants_json, FILE *out)
{
    const struct number numbers[] = {
        {"drops", "dropped", stats->drops},
        {"takeovers", "of these, taken over", stats->takeovers},
        {"taken_over", "older closed with 4509", stats->taken_over},
        {"resumes", "resumed", stats->resumes},
        {"resumed_matches", "of these, in a match", stats->resumed_matches},
        {"resume_expired", "session expired", stats->resume_expired},
        {"by_token", "hello by token", stats->by_token},
        {"clocks", "clocks", stats->clocks},
        {"replayed", "messages sent again", stats->replayed},
        {"receipts_again", "receipts asked for again", stats->receipts_again},
        {"matches_lost", "matches lost", stats->matches_lost},
        {"places_lost", "places in the queue lost", stats->places_lost},
        {"deaths", "lost with the server", stats->deaths},
        {"taken_back", "matches partly taken back", stats->taken_back},
        {"refused_tries", "tries while it was gone", stats->refused_tries},
    };
    PRINT_NUMBERS("losses and returns", numbers);
}

static void print_matches(const struct stats *stats, const struct stats_closing *closing,
                          bool wants_json, FILE *out)
{
    const struct number numbers[] = {
        {"matches_min", "per player, least", closing->matches_min},
        {"matches_median", "per player, median", closing->matches_median},
        {"matches_max", "per player, most", closing->matches_max},
        {"answers", "answers", stats->answers},
        {"accepted", "accepted", stats->accepted},
        {"dups", "of these, again", stats->dups},
        {"forfeits", "forfeits seen", stats->ends[CHECK_END_FORFEIT]},
        {"cancelled_in_play", "cancelled in play", stats->cancelled_in_play},
    };
    PRINT_NUMBERS("matches", numbers);
}

static void print_messages(const struct stats *stats, const struct stats_closing *closing,
                           bool wants_json, FILE *out)
{
    const struct number numbers[] = {
        {"sent", "sent", stats->sent},
        {"received", "received", stats->received},
        {"received_bytes", "bytes received", stats->received_bytes},
        {"gaps", "gap messages", stats->gaps},
        {"dropped", "dropped by the server", stats->dropped},
        {"unanswered", "requests unanswered", stats->unanswered},
        {"seq_gaps", "gaps in a sequence", stats->seq_gaps},
        {"twins_same", "same bytes for both", closing->twins_same},
        {"twins_different", "different bytes", closing->twins_different},
        {"twins_late", "not compared", closing->twins_late},
    };
    PRINT_NUMBERS("messages", numbers);
}

static void print_verdict(const struct stats *stats, bool wants_json, FILE *out)
{
    const struct number numbers[] = {
        {"violations", "violations", stats->violations},
        {"errors", "errors", stats_errors(stats)},
    };
    PRINT_NUMBERS("verdict", numbers);
}

static void print_all_numbers(const struct stats *stats, const struct stats_closing *closing,
                              bool wants_json, FILE *out)
{
    print_connections(stats, closing, wants_json, out);
    print_returns(stats, wants_json, out);
    print_matches(stats, closing, wants_json, out);
    print_messages(stats, closing, wants_json, out);
}

static void print_row(const char *label, uint64_t value, FILE *out)
{
    fprintf(out, "  %-*s%*" PRIu64 "\n", LABEL_COLUMNS, label, VALUE_COLUMNS, value);
}

void stats_print(const struct stats *stats, const struct stats_closing *closing, FILE *out)
{
    fprintf(out, "quizrush-load, %.1f s\n", ms_of(closing->seconds_us) / 1000.0);
    print_all_numbers(stats, closing, false, out);
    fprintf(out, "\nends, as players saw them\n");
    for (unsigned reason = 0; reason < CHECK_END_REASONS; reason++)
        print_row(check_end_name(reason), stats->ends[reason], out);
    if (stats->refusals[0].count > 0) fprintf(out, "\nrefused\n");
    for (unsigned index = 0; index < STATS_CODES_MAX && stats->refusals[index].count > 0; index++)
        print_row(stats->refusals[index].code, stats->refusals[index].count, out);
    struct row rows[ROWS];
    rows_of(stats, rows);
    fprintf(out, "\n%-12s%10s%10s%10s%10s\n", "latency, ms", "p50", "p99", "max", "count");
    for (unsigned index = 0; index < ROWS; index++)
        fprintf(out, "  %-10s%10.2f%10.2f%10.2f%10" PRIu64 "\n", rows[index].name,
                ms_of(histogram_percentile(rows[index].histogram, 50)),
                ms_of(histogram_percentile(rows[index].histogram, 99)),
                ms_of(rows[index].histogram->max), rows[index].histogram->count);
    print_verdict(stats, false, out);
}

static void print_json_objects(const struct stats *stats, FILE *out)
{
    fprintf(out, "\"ends\":{");
    for (unsigned reason = 0; reason < CHECK_END_REASONS; reason++)
        fprintf(out, "%s\"%s\":%" PRIu64, reason > 0 ? "," : "", check_end_name(reason),
                stats->ends[reason]);
    fprintf(out, "},\"refusals\":{");
    for (unsigned index = 0; index < STATS_CODES_MAX && stats->refusals[index].count > 0; index++) {
        fprintf(out, "%s\"", index > 0 ? "," : "");
        for (const char *at = stats->refusals[index].code; *at != '\0'; at++)
            fputc((*at >= 'a' && *at <= 'z') || *at == '_' ? *at : '?', out);
        fprintf(out, "\":%" PRIu64, stats->refusals[index].count);
    }
    fprintf(out, "},\"latency_ms\":{");
    struct row rows[ROWS];
    rows_of(stats, rows);
    for (unsigned index = 0; index < ROWS; index++)
        fprintf(out, "%s\"%s\":{\"count\":%" PRIu64 ",\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}",
                index > 0 ? "," : "", rows[index].name, rows[index].histogram->count,
                ms_of(histogram_percentile(rows[index].histogram, 50)),
                ms_of(histogram_percentile(rows[index].histogram, 99)),
                ms_of(rows[index].histogram->max));
    fprintf(out, "}");
}

void stats_print_json(const struct stats *stats, const struct stats_closing *closing, FILE *out)
{
    fprintf(out, "{\"seconds\":%.3f", ms_of(closing->seconds_us) / 1000.0);
    print_all_numbers(stats, closing, true, out);
    print_verdict(stats, true, out);
    fprintf(out, ",");
    print_json_objects(stats, out);
    fprintf(out, "}\n");
}
