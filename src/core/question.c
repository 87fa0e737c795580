#include "core/question.h"

#include <string.h>

static const char *const difficulties[] = {
    [DIFFICULTY_EASY] = "easy",
    [DIFFICULTY_MEDIUM] = "medium",
    [DIFFICULTY_HARD] = "hard",
};

const char *difficulty_name(enum difficulty difficulty)
{
    QR_ASSERT(difficulty < sizeof difficulties / sizeof difficulties[0]);
    return difficulties[difficulty];
}

uint16_t question_fingerprint(const struct question *question)
{
    return (uint16_t)(question->id.bytes[0] << 8 | question->id.bytes[1]);
}

bool bank_find_category(const struct bank *bank, const char *name, unsigned rounds,
                        uint8_t *ret_category)
{
    for (uint32_t category = 0; category < bank->category_count; category++) {
        if (strcmp(bank->categories[category].name, name) != 0) continue;
        if (bank->categories[category].count < rounds) return false;
        *ret_category = (uint8_t)category;
        return true;
    }
    return false;
}

void recent_add(struct recent_questions *recent, uint16_t fingerprint)
{
    QR_ASSERT(recent->count <= RECENT_QUESTIONS_MAX);
    /* What gives up its place: the same fingerprint, else the oldest of a full list, else nobody.
     */
    unsigned place = 0;
    while (place < recent->count && recent->fingerprints[place] != fingerprint) place++;
    if (place == recent->count && recent->count < RECENT_QUESTIONS_MAX) {
        recent->fingerprints[recent->count++] = fingerprint;
        return;
    }
    if (place == recent->count) place = 0;
    unsigned last = recent->count - 1u;
    memmove(&recent->fingerprints[place], &recent->fingerprints[place + 1],
            (last - place) * sizeof recent->fingerprints[0]);
    recent->fingerprints[last] = fingerprint;
}
