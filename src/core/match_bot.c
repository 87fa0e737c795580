/* What a bot answers, and when: drawn when a round begins, in integers, so that seed and events
 * determine it on every machine. The tables' formulas are recomputed by tests. */
#include "match_bot_priv.h"

#include "match_priv.h"

/* round(65536 / (1 + 10^(-d / 400))) at d = 0, 50, … 1600 rating points. */
const uint32_t bot_chances[BOT_CHANCE_COUNT] = {
    32768, 37451, 41947, 46097, 49791, 52974, 55641, 57825, 59578, 60964, 62047,
    62884, 63527, 64018, 64391, 64674, 64887, 65048, 65170, 65261, 65329, 65381,
    65420, 65449, 65471, 65487, 65499, 65508, 65515, 65520, 65524, 65527, 65529,
};

/* round(65536 * exp(0.45 * z)) at z = -4, -3 7/8, … 4. */
const uint32_t bot_factors[BOT_FACTOR_COUNT] = {
    10833,  11460,  12123,  12824,  13566,  14351,  15182,  16060,  16990,  17973,  19013,
    20113,  21276,  22508,  23810,  25188,  26645,  28187,  29818,  31543,  33368,  35299,
    37341,  39502,  41788,  44206,  46763,  49469,  52332,  55360,  58563,  61951,  65536,
    69328,  73340,  77583,  82072,  86821,  91845,  97159,  102781, 108728, 115019, 121675,
    128715, 136163, 144041, 152376, 161193, 170519, 180386, 190824, 201865, 213545, 225902,
    238973, 252800, 267428, 282902, 299271, 316587, 334906, 354284, 374784, 396470,
};

/* What a question is worth as an opponent. */
static const int32_t question_ratings_centi[] = {
    [DIFFICULTY_EASY] = 120000,
    [DIFFICULTY_MEDIUM] = 150000,
    [DIFFICULTY_HARD] = 180000,
};

/* The table's value at `x`, its entries being `step` apart: linear between two of them, and that of
 * the last one beyond. */
static uint32_t interpolate(const uint32_t *table, uint32_t count, uint32_t x, uint32_t step)
{
    uint32_t index = x / step;
    if (index >= count - 1) return table[count - 1];
    /* Both tables grow. At most 2^16 * 2^19. */
    uint64_t rise = table[index + 1] - table[index];
    return table[index] + (uint32_t)(rise * (x % step) / step);
}

uint32_t bot_chance(int32_t rating_centi, enum difficulty difficulty)
{
    int32_t distance = rating_centi - question_ratings_centi[difficulty];
    uint32_t apart = (uint32_t)(distance < 0 ? -distance : distance);
    uint32_t chance = interpolate(bot_chances, BOT_CHANCE_COUNT, apart, BOT_CHANCE_STEP_CENTI);
    return distance < 0 ? BOT_ONE - chance : chance;
}

uint64_t bot_answer_time(int32_t deviate, uint32_t round_time_ms)
{
    int32_t from_first = deviate < -BOT_DEVIATE_MAX ? 0 : deviate + BOT_DEVIATE_MAX;
    uint32_t factor =
        interpolate(bot_factors, BOT_FACTOR_COUNT, (uint32_t)from_first, BOT_FACTOR_STEP);
    uint64_t time_ms = (uint64_t)BOT_MEDIAN_MS * factor / BOT_ONE;
    if (time_ms < BOT_LEAST_MS) time_ms = BOT_LEAST_MS;
    return time_ms * round_time_ms / BOT_TIMES_OF_MS;
}

/* The sum of twelve uniform numbers has a variance of one, and is as normal as a bot needs. */
int32_t bot_draw_deviate(struct prng *prng)
{
    enum { LANES = 4, WORDS = 12 / LANES, LANE_BITS = 16, MEAN = 12 * (UINT16_MAX + 1) / 2 };
    int32_t sum = 0;
    for (unsigned word = 0; word < WORDS; word++) {
        uint64_t bits = prng_next(prng);
        for (unsigned lane = 0; lane < LANES; lane++) {
            sum += (int32_t)(bits >> (lane * LANE_BITS) & UINT16_MAX);
        }
    }
    return sum - MEAN;
}

uint8_t bot_draw_choice(struct prng *prng, uint32_t chance, uint8_t right, uint8_t choice_count)
{
    if (prng_below(prng, BOT_ONE) < chance) return right;
    uint32_t wrong = prng_below(prng, choice_count - 1u);
    return (uint8_t)(wrong < right ? wrong : wrong + 1);
}

/* A bot is as good as who plays against it. */
static void arm_bot(struct match *match, uint8_t index, struct effects *effects)
{
    const struct match_round *round = match_current_round(match);
    const struct question *question = &match->bank->questions[round->question];
    uint32_t chance = bot_chance(match->players[match_other(index)].rating.rating_centi,
                                 (enum difficulty)question->difficulty);
    uint8_t choice =
        bot_draw_choice(&match->prng, chance, match_round_right_place(round), round->choice_count);
    uint64_t time_ms =
        bot_answer_time(bot_draw_deviate(&match->prng), match->settings.round_time_ms);
    if (time_ms > match->settings.round_time_ms) return;
    struct effect *arm = match_want(effects, EFFECT_ARM_BOT);
    arm->player = index;
    arm->at = mono_after(match_began_at(match, round), time_ms);
    arm->tag = (uint16_t)(match->round << 8 | choice);
}

void match_arm_bots(struct match *match, struct effects *effects)
{
    for (uint8_t i = 0; i < MATCH_PLAYERS_MAX; i++) {
        if (match->players[i].is_bot) arm_bot(match, i, effects);
    }
}

struct match_event match_bot_answer(uint8_t player, uint16_t tag, mono_time at)
{
    return (struct match_event){
        .kind = MATCH_EVENT_ANSWER,
        .player = player,
        .at = at,
        .answer = {.stamp = at, .round = (uint8_t)(tag >> 8), .choice = (uint8_t)(tag & 0xff)},
    };
}
