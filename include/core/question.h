/* The question bank: questions by category, read-only once built, shared by all shards.
 *
 * The edge builds it from a file and owns its memory; a match refers to questions by index and keeps a reference to
 * the bank for as long as it lives. In a bank the right choice is always the first: a match shuffles the places, and
 * nothing but its permutation tells where the right one went.
 *
 * Bounds: base/limits.h; QUESTIONS_MAX questions.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/id.h"
#include "base/limits.h"

enum { QUESTIONS_MAX = 65535, QUESTION_CATEGORY_ANY = 255 };

enum difficulty { DIFFICULTY_EASY, DIFFICULTY_MEDIUM, DIFFICULTY_HARD };

struct question {
    struct id
        id; /* 128 bits of SHA-256 over category and text, never over which choice is right. */
    const char *text;
    const char *choices[QUESTION_CHOICES_MAX]; /* The right one first. */
    uint8_t choice_count;
    uint8_t category; /* Index into the bank's categories. */
    uint8_t difficulty;
};

struct bank_category {
    const char *name;
    const uint16_t *questions; /* Their indices. */
    uint32_t count;
};

struct bank {
    const struct question *questions;
    uint32_t count;
    const uint16_t *all; /* Every index: the pool of a match without a category. */
    struct bank_category categories[CATEGORIES_MAX];
    uint32_t category_count;
};

const char *difficulty_name(enum difficulty difficulty);

/* The 16 bits by which a player's past questions are remembered. Two questions may share them: then one of them is
 * taken for seen, which costs nothing but a question. */
uint16_t question_fingerprint(const struct question *question);

/* The index of a category by its name, among those with at least `rounds` questions; false where there is none. */
bool bank_find_category(const struct bank *bank, const char *name, unsigned rounds,
                        uint8_t *ret_category);

/* What a player saw last: fingerprints, the oldest first. */
struct recent_questions {
    uint16_t fingerprints[RECENT_QUESTIONS_MAX];
    uint8_t count;
};

/* Adds one; the oldest falls out where there are RECENT_QUESTIONS_MAX. One that is there moves to the end. */
void recent_add(struct recent_questions *recent, uint16_t fingerprint);
