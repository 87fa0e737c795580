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

void stats_print(const struct stats *stats, const struct stats_closing *closing, FILE *out)
{
    fprintf(out, "players %" PRIu32 ", %.1f s\n", closing->players,
            ms_of(closing->seconds_us) / 1000.0);
    fprintf(out,
            "connections: %" PRIu64 " opened, %" PRIu64 " closed, %" PRIu64 " lost, %" PRIu64
            " unfinished\n",
            stats->opened, stats->closed, stats->lost, stats->unfinished);
    fprintf(out,
            "matches per player: min %" PRIu32 ", median %" PRIu32 ", max %" PRIu32 "; ends seen:",
            closing->matches_min, closing->matches_median, closing->matches_max);
    for (unsigned reason = 0; reason < CHECK_END_REASONS; reason++)
        fprintf(out, " %s %" PRIu64, check_end_name(reason), stats->ends[reason]);
    fprintf(out,
            "\nmessages: %" PRIu64 " sent, %" PRIu64 " received (%" PRIu64 " bytes), %" PRIu64
            " dropped in %" PRIu64 " gaps\n",
            stats->sent, stats->received, stats->received_bytes, stats->dropped, stats->gaps);
    fprintf(out,
            "answers: %" PRIu64 " sent, %" PRIu64 " accepted, %" PRIu64 " of them again; %" PRIu64
            " requests unanswered\n",
            stats->answers, stats->accepted, stats->dups, stats->unanswered);
    fprintf(out, "refused:");
    for (unsigned index = 0; index < STATS_CODES_MAX && stats->refusals[index].count > 0; index++)
        fprintf(out, " %s %" PRIu64, stats->refusals[index].code, stats->refusals[index].count);
    fprintf(out,
            "\nboth sides' bytes: %" PRIu64 " the same, %" PRIu64 " different, %" PRIu64
            " not compared\n",
            closing->twins_same, closing->twins_different, closing->twins_late);
    struct row rows[ROWS];
    rows_of(stats, rows);
    for (unsigned index = 0; index < ROWS; index++)
        fprintf(out, "%-9s ms: p50 %.2f, p99 %.2f, max %.2f (%" PRIu64 ")\n", rows[index].name,
                ms_of(histogram_percentile(rows[index].histogram, 50)),
                ms_of(histogram_percentile(rows[index].histogram, 99)),
                ms_of(rows[index].histogram->max), rows[index].histogram->count);
    fprintf(out, "violations %" PRIu64 ", errors %" PRIu64 "\n", stats->violations,
            stats_errors(stats));
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
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        {"players", closing->players},
        {"opened", stats->opened},
        {"closed", stats->closed},
        {"lost", stats->lost},
        {"unfinished", stats->unfinished},
        {"unanswered", stats->unanswered},
        {"matches_min", closing->matches_min},
        {"matches_median", closing->matches_median},
        {"matches_max", closing->matches_max},
        {"sent", stats->sent},
        {"received", stats->received},
        {"received_bytes", stats->received_bytes},
        {"answers", stats->answers},
        {"accepted", stats->accepted},
        {"dups", stats->dups},
        {"gaps", stats->gaps},
        {"dropped", stats->dropped},
        {"twins_same", closing->twins_same},
        {"twins_different", closing->twins_different},
        {"twins_late", closing->twins_late},
        {"violations", stats->violations},
        {"errors", stats_errors(stats)},
    };
    fprintf(out, "{\"seconds\":%.3f", ms_of(closing->seconds_us) / 1000.0);
    for (unsigned index = 0; index < sizeof(numbers) / sizeof(numbers[0]); index++)
        fprintf(out, ",\"%s\":%" PRIu64, numbers[index].name, numbers[index].value);
    fprintf(out, ",");
    print_json_objects(stats, out);
    fprintf(out, "}\n");
}
