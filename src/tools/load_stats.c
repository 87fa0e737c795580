#include "load_stats.h"

#include <inttypes.h>
#include <string.h>

static const char *const latency_names[LATENCIES] = {
    [LATENCY_CONNECT] = "connect",   [LATENCY_WELCOME] = "welcome",
    [LATENCY_ACCEPTED] = "accepted", [LATENCY_PONG] = "pong",
    [LATENCY_MATCH] = "match",       [LATENCY_SPREAD] = "spread",
    [LATENCY_REVEAL] = "reveal",     [LATENCY_TIME_OVER] = "time_over",
    [LATENCY_LAG] = "lag",           [LATENCY_TURN] = "turn",
};

static const struct {
    const char *name;  /* In JSON. */
    const char *label; /* In the table. */
    uint32_t share;
} percentiles[] = {
    {"p50", "p50", 50000},    {"p90", "p90", 90000},      {"p99", "p99", 99000},
    {"p999", "p99.9", 99900}, {"p9999", "p99.99", 99990},
};
enum { PERCENTILES = sizeof(percentiles) / sizeof(percentiles[0]), P99 = 99000 };

void stats_measure(struct stats *stats, enum latency latency, uint64_t from_us, uint64_t now_us)
{
    if (stats->is_warming_up) return;
    histogram_add(&stats->latencies[latency], now_us > from_us ? now_us - from_us : 0);
}

bool stats_are_doubtful(const struct stats *stats)
{
    static const enum latency including[] = {LATENCY_CONNECT, LATENCY_ACCEPTED, LATENCY_PONG};
    enum { BEARABLE_US = 1000, TENTH = 10 };
    uint64_t lag_us = histogram_percentile(&stats->latencies[LATENCY_LAG], P99);
    if (lag_us <= BEARABLE_US) return false;
    for (unsigned index = 0; index < sizeof(including) / sizeof(including[0]); index++) {
        const struct histogram *latency = &stats->latencies[including[index]];
        if (latency->count > 0 && TENTH * lag_us > histogram_percentile(latency, P99)) return true;
    }
    return false;
}

void codes_count(struct stats_code codes[STATS_CODES_MAX], const char *code)
{
    unsigned index = 0;
    while (index < STATS_CODES_MAX - 1 && codes[index].count > 0 &&
           strcmp(codes[index].code, code) != 0)
        index++;
    if (codes[index].count == 0)
        (void)snprintf(codes[index].code, CHECK_CODE_BYTES, "%s", code); /* A longer one is cut. */
    codes[index].count++;
}

uint64_t stats_errors(const struct stats *stats)
{
    return stats->lost + stats->unfinished + stats->unanswered;
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
        {"cpu_us", "CPU time here, us", closing->cpu_us},
        {"pings_sent", "pings sent", stats->pings_sent},
        {"withheld", "requests withheld", stats->withheld},
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

static void print_rough(const struct stats *stats, const struct stats_closing *closing,
                        bool wants_json, FILE *out)
{
    const struct number numbers[] = {
        {"slow", "slow", closing->slow},
        {"garbage", "with garbage", closing->garbage},
        {"rough_opened", "opened by them", stats->rough_opened},
        {"rough_sent", "sent by them", stats->rough_sent},
        {"rough_received", "received by them", stats->rough_received},
    };
    PRINT_NUMBERS("of the players, slow or with garbage", numbers);
}

static void print_verdict(const struct stats *stats, bool wants_json, FILE *out)
{
    const struct number numbers[] = {
        {"violations", "violations", stats->violations},
        {"deviations", "deviations", stats->deviations},
        {"errors", "errors", stats_errors(stats)},
        {"is_doubtful", "generator too late", stats_are_doubtful(stats)},
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
    if (wants_json || closing->slow + closing->garbage > 0)
        print_rough(stats, closing, wants_json, out);
}

static void print_row(const char *label, uint64_t value, FILE *out)
{
    fprintf(out, "  %-*s%*" PRIu64 "\n", LABEL_COLUMNS, label, VALUE_COLUMNS, value);
}

static void print_codes(const char *title, const struct stats_code codes[STATS_CODES_MAX],
                        FILE *out)
{
    if (codes[0].count > 0) fprintf(out, "\n%s\n", title);
    for (unsigned index = 0; index < STATS_CODES_MAX && codes[index].count > 0; index++)
        print_row(codes[index].code, codes[index].count, out);
}

static void print_latencies(const struct stats *stats, FILE *out)
{
    fprintf(out, "\n%-12s", "latency, ms");
    for (unsigned index = 0; index < PERCENTILES; index++)
        fprintf(out, "%10s", percentiles[index].label);
    fprintf(out, "%10s%10s\n", "max", "count");
    for (unsigned latency = 0; latency < LATENCIES; latency++) {
        const struct histogram *histogram = &stats->latencies[latency];
        fprintf(out, "  %-10s", latency_names[latency]);
        for (unsigned index = 0; index < PERCENTILES; index++)
            fprintf(out, "%10.3f",
                    ms_of(histogram_percentile(histogram, percentiles[index].share)));
        fprintf(out, "%10.3f%10" PRIu64 "\n", ms_of(histogram->max), histogram->count);
    }
}

void stats_print(const struct stats *stats, const struct stats_closing *closing, FILE *out)
{
    fprintf(out, "quizrush-load, %.1f s\n", ms_of(closing->seconds_us) / 1000.0);
    print_all_numbers(stats, closing, false, out);
    fprintf(out, "\nends, as players saw them\n");
    for (unsigned reason = 0; reason < CHECK_END_REASONS; reason++)
        print_row(check_end_name(reason), stats->ends[reason], out);
    print_codes("refused", stats->refusals, out);
    print_codes("refused to the slow and to garbage", stats->rough_errors, out);
    print_codes("and closed", stats->rough_closes, out);
    print_latencies(stats, out);
    print_verdict(stats, false, out);
}

/* The server's text: what is in no code does not get into the JSON. */
static bool is_of_code(char at)
{
    return (at >= 'a' && at <= 'z') || (at >= '0' && at <= '9') || at == '_';
}

static void print_json_codes(const char *name, const struct stats_code codes[STATS_CODES_MAX],
                             FILE *out)
{
    fprintf(out, ",\"%s\":{", name);
    for (unsigned index = 0; index < STATS_CODES_MAX && codes[index].count > 0; index++) {
        fprintf(out, "%s\"", index > 0 ? "," : "");
        for (const char *at = codes[index].code; *at != '\0'; at++)
            fputc(is_of_code(*at) ? *at : '?', out);
        fprintf(out, "\":%" PRIu64, codes[index].count);
    }
    fprintf(out, "}");
}

static void print_json_objects(const struct stats *stats, FILE *out)
{
    fprintf(out, "\"ends\":{");
    for (unsigned reason = 0; reason < CHECK_END_REASONS; reason++)
        fprintf(out, "%s\"%s\":%" PRIu64, reason > 0 ? "," : "", check_end_name(reason),
                stats->ends[reason]);
    fprintf(out, "}");
    print_json_codes("refusals", stats->refusals, out);
    print_json_codes("rough_errors", stats->rough_errors, out);
    print_json_codes("rough_closes", stats->rough_closes, out);
}

static void print_json_latencies(const struct stats *stats, FILE *out)
{
    fprintf(out, "\"latency_us\":{");
    for (unsigned latency = 0; latency < LATENCIES; latency++) {
        const struct histogram *histogram = &stats->latencies[latency];
        fprintf(out, "%s\"%s\":{\"count\":%" PRIu64, latency > 0 ? "," : "", latency_names[latency],
                histogram->count);
        for (unsigned index = 0; index < PERCENTILES; index++)
            fprintf(out, ",\"%s\":%" PRIu64, percentiles[index].name,
                    histogram_percentile(histogram, percentiles[index].share));
        fprintf(out, ",\"max\":%" PRIu64 "}", histogram->max);
    }
    fprintf(out, "}");
}

void stats_print_json(const struct stats *stats, const struct stats_closing *closing, FILE *out)
{
    fprintf(out, "{\"seconds\":%.3f", ms_of(closing->seconds_us) / 1000.0);
    print_all_numbers(stats, closing, true, out);
    print_verdict(stats, true, out);
    fprintf(out, ",");
    print_json_objects(stats, out);
    fprintf(out, ",");
    print_json_latencies(stats, out);
    fprintf(out, "}\n");
}
