#include "core/draw.h"

#include <stdbool.h>

#include "base/assert.h"

enum {
    /* A question's age is the number of questions the player saw after it; one that nobody
     * remembers is older than all that are remembered. */
    AGE_UNSEEN = RECENT_QUESTIONS_MAX,

    /* Drawing blindly pays where at most one in eight is refused: those the players saw and those
     * drawn already. */
    LARGE_QUESTIONS_MIN = 8 * (MATCH_PLAYERS_MAX * RECENT_QUESTIONS_MAX + MATCH_ROUNDS_MAX),

    /* Fingerprints are shared, so that more may be refused; then a scan takes over. */
    TRIES_PER_ROUND = 8,
};

struct draw {
    const struct bank *bank;
    const uint16_t *pool; /* The indices that may be drawn. */
    uint32_t pool_count;
    const struct recent_questions *const *recents;
    unsigned player_count;
    struct prng *prng;
    uint16_t *drawn;
    unsigned drawn_count;
    unsigned rounds;
};

static unsigned age_for(const struct recent_questions *recent, uint16_t fingerprint)
{
    for (unsigned age = 0; age < recent->count; age++)
        if (recent->fingerprints[recent->count - 1u - age] == fingerprint) return age;
    return AGE_UNSEEN;
}

/* By the later sighting of all players. */
static unsigned age_of(const struct draw *draw, uint16_t question)
{
    uint16_t fingerprint = question_fingerprint(&draw->bank->questions[question]);
    unsigned youngest = AGE_UNSEEN;
    for (unsigned i = 0; i < draw->player_count; i++) {
        unsigned age = age_for(draw->recents[i], fingerprint);
        if (age < youngest) youngest = age;
    }
    return youngest;
}

static bool is_drawn(const struct draw *draw, unsigned count, uint16_t question)
{
    for (unsigned i = 0; i < count; i++)
        if (draw->drawn[i] == question) return true;
    return false;
}

/* Uniform among the unseen by refusing all others. It may give up early: whichever it has by then,
 * the rest is as likely to be any of those left. */
static void draw_blindly(struct draw *draw)
{
    for (unsigned tries = TRIES_PER_ROUND * draw->rounds; tries > 0; tries--) {
        if (draw->drawn_count == draw->rounds) return;
        uint16_t question = draw->pool[prng_below(draw->prng, draw->pool_count)];
        if (age_of(draw, question) != AGE_UNSEEN) continue;
        if (is_drawn(draw, draw->drawn_count, question)) continue;
        draw->drawn[draw->drawn_count++] = question;
    }
}

/* Fills up with those of one age, uniform in choice and order, in one pass (reservoir sampling,
 * Vitter 1985, algorithm R; the reservoir itself is filled in random order). */
static void draw_of_age(struct draw *draw, unsigned age)
{
    unsigned before = draw->drawn_count;
    uint16_t *reservoir = &draw->drawn[before];
    unsigned wanted = draw->rounds - before;
    unsigned filled = 0;
    uint32_t met = 0;
    for (uint32_t i = 0; i < draw->pool_count; i++) {
        uint16_t question = draw->pool[i];
        if (age_of(draw, question) != age || is_drawn(draw, before, question)) continue;
        uint32_t place = prng_below(draw->prng, ++met);
        if (place >= wanted) continue;
        if (filled < wanted) {
            if (place < filled) reservoir[filled] = reservoir[place];
            filled++;
        }
        reservoir[place] = question;
    }
    draw->drawn_count += filled;
}

void draw_questions(const struct bank *bank, uint8_t category,
                    const struct recent_questions *const recents[], unsigned player_count,
                    struct prng *prng, unsigned rounds, uint16_t ret_questions[])
{
    QR_ASSERT(category == QUESTION_CATEGORY_ANY || category < bank->category_count);
    QR_ASSERT(player_count <= MATCH_PLAYERS_MAX);
    QR_ASSERT(rounds <= MATCH_ROUNDS_MAX);
    for (unsigned i = 0; i < player_count; i++)
        QR_ASSERT(recents[i]->count <= RECENT_QUESTIONS_MAX);
    bool is_any = category == QUESTION_CATEGORY_ANY;
    struct draw draw = {
        .bank = bank,
        .pool = is_any ? bank->all : bank->categories[category].questions,
        .pool_count = is_any ? bank->count : bank->categories[category].count,
        .recents = recents,
        .player_count = player_count,
        .prng = prng,
        .drawn = ret_questions,
        .rounds = rounds,
    };
    QR_ASSERT(draw.pool_count >= rounds);

    if (draw.pool_count >= LARGE_QUESTIONS_MIN) draw_blindly(&draw);
    /* From the oldest to the youngest: a question has one age, so that no pass meets what another
     * has drawn. */
    for (unsigned age = AGE_UNSEEN + 1; age > 0 && draw.drawn_count < rounds; age--)
        draw_of_age(&draw, age - 1);
    QR_ASSERT(draw.drawn_count == rounds);
}

void draw_places(struct prng *prng, unsigned choice_count, uint8_t ret_places[])
{
    QR_ASSERT(choice_count >= QUESTION_CHOICES_MIN);
    QR_ASSERT(choice_count <= QUESTION_CHOICES_MAX);
    for (unsigned i = 0; i < choice_count; i++) ret_places[i] = (uint8_t)i;
    prng_shuffle(prng, ret_places, choice_count);
}
