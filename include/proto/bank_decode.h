/* A question bank's JSON, as the Open Trivia Database writes it, entry by entry.
 *
 *     {"response_code":0,"results":[{"type":"multiple","difficulty":"easy","category":"…","question":"…",
 *       "correct_answer":"…","incorrect_answers":["…","…","…"]}, …]}
 *
 * Reads the outer object itself, to know each entry's line, and each value through cJSON in the decoder's arena, so a
 * bank of any length needs no more memory than its largest entry. Strings come as they stand in the file, HTML
 * entities and all: what they mean, and whether they are a good question, is the caller's. Used at start and reload.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/limits.h"

struct bank_entry {
    uint32_t line; /* Where the entry begins, from 1. */
    bool is_boolean;
    uint8_t difficulty; /* enum difficulty. */
    const char *category;
    const char *question;
    const char *choices[QUESTION_CHOICES_MAX]; /* The right one first. */
    uint8_t choice_count;
};

struct bank_problem {
    uint32_t line;
    char reason[160]; /* English; names the field. */
};

/* Called per entry; strings are valid during the call. False stops, with the problem it has written. */
typedef bool bank_on_entry(void *context, const struct bank_entry *entry,
                           struct bank_problem *reterr_problem);

/* False and the first problem: bad JSON, an entry of wrong shape, or what on_entry refused. */
QR_MUST_USE bool bank_decode(const char *text, size_t bytes, struct bank_problem *reterr_problem,
                             bank_on_entry *on_entry, void *context);
