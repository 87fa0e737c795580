#include "sim_trace.h"

#include <inttypes.h>
#include <string.h>

enum { WORD = 8 };

void trace_init(struct trace *trace, bool is_printed)
{
    memset(trace, 0, sizeof(*trace));
    trace->is_printed = is_printed;
    trace->hash = UINT64_C(14695981039346656037);
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* Whole words, then the rest of fewer bytes: byte by byte the hash would be half of a run's time. */
static uint64_t mix_text(uint64_t hash, const char *text, size_t length)
{
    uint64_t word;
    size_t at = 0;
    for (; at + WORD <= length; at += WORD) {
        memcpy(&word, text + at, WORD);
        hash = mix(hash, word);
    }
    word = length;
    for (; at < length; at++) word = word << 8 | (uint8_t)text[at];
    return mix(hash, word);
}

static void print_number(uint32_t number, char letter, FILE *file)
{
    if (number == TRACE_NOBODY) {
        (void)fprintf(file, "  - ");
    } else {
        (void)fprintf(file, "%c%-3" PRIu32, letter, number);
    }
}

static void print_event(const struct trace_head *event, const char *text, FILE *file)
{
    (void)fprintf(file, "%9" PRIu64 " %6" PRIu32 " ", event->ms, event->step);
    print_number(event->shard, 's', file);
    print_number(event->client, 'c', file);
    (void)fprintf(file, "%-8s %s\n", event->what, text);
}

void trace_add(struct trace *trace, const struct trace_head *head, const char *text)
{
    size_t length = strlen(text);
    uint64_t hash = mix(trace->hash, head->ms);
    hash = mix(hash, (uint64_t)head->step << 32 | head->shard);
    hash = mix_text(hash ^ head->client, head->what, strlen(head->what));
    trace->hash = mix_text(hash, text, length);
    struct trace_event *event = &trace->events[trace->count++ % TRACE_KEPT];
    event->head = *head;
    if (length >= TRACE_TEXT_BYTES) length = TRACE_TEXT_BYTES - 1;
    memcpy(event->text, text, length);
    event->text[length] = '\0';
    if (trace->is_printed) print_event(head, text, stdout);
}

static bool is_shown(const struct trace_event *event, const struct id *match)
{
    return match == NULL || event->head.client == TRACE_NOBODY ||
           id_equal(&event->head.match, match);
}

void trace_print_last(const struct trace *trace, const struct id *match, FILE *file)
{
    uint64_t kept = trace->count < TRACE_KEPT ? trace->count : TRACE_KEPT;
    uint64_t first = trace->count - kept;
    unsigned shown = 0;
    /* Back to where the last TRACE_SHOWN of them begin. */
    uint64_t at = trace->count;
    while (at > first && shown < TRACE_SHOWN) {
        at--;
        shown += is_shown(&trace->events[at % TRACE_KEPT], match);
    }
    for (; at < trace->count; at++) {
        const struct trace_event *event = &trace->events[at % TRACE_KEPT];
        if (is_shown(event, match)) print_event(&event->head, event->text, file);
    }
}
