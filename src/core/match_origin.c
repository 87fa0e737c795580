#include "core/match_origin.h"

#include <string.h>

#include "match_priv.h"

void match_origin_of(const struct match *match, struct match_origin *ret_origin)
{
    QR_ASSERT(match->state == MATCH_STARTING && match->seq == 1 && match->phase == 1);
    memset(ret_origin, 0, sizeof(*ret_origin));
    ret_origin->id = match->id;
    ret_origin->prng = match->prng;
    ret_origin->settings = match->settings;
    ret_origin->created_at = match->created_at;
    ret_origin->wall_offset_ms = match->wall_offset_ms;
    ret_origin->is_rated = match->is_rated;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct match_player *player = &match->players[i];
        struct origin_player *ret_player = &ret_origin->players[i];
        ret_player->player = player->player;
        memcpy(ret_player->name, player->name, sizeof(ret_player->name));
        ret_player->rating = player->rating;
        ret_player->credit_ms = player->credit_ms;
        ret_player->is_bot = player->is_bot;
    }
    for (unsigned i = 0; i < match->settings.rounds; i++) {
        const struct match_round *round = &match->rounds[i];
        struct origin_round *ret_round = &ret_origin->rounds[i];
        ret_round->question = round->question;
        ret_round->choice_count = round->choice_count;
        memcpy(ret_round->places, round->places, sizeof(ret_round->places));
    }
}

/* --- From outside. --- */

static bool settings_are_valid(const struct match_settings *settings)
{
    return settings->mode < MATCH_MODE_COUNT && settings->rounds >= 1 &&
           settings->rounds <= MATCH_ROUNDS_MAX && settings->round_time_ms >= ROUND_TIME_MIN_MS &&
           settings->round_time_ms <= UINT32_MAX - UINT16_MAX &&
           settings->tau_milli >= RATING_TAU_MIN_MILLI &&
           settings->tau_milli <= RATING_TAU_MAX_MILLI;
}

static bool players_are_valid(const struct match_origin *origin)
{
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct origin_player *player = &origin->players[i];
        if (memchr(player->name, '\0', sizeof(player->name)) == NULL) return false;
        if (!rating_is_valid(&player->rating)) return false;
        if (player->is_bot && origin->is_rated) return false;
    }
    return true;
}

static bool is_permutation(const uint8_t places[], unsigned count)
{
    unsigned seen = 0;
    for (unsigned i = 0; i < count; i++) {
        if (places[i] >= count) return false;
        seen |= 1u << places[i];
    }
    return seen == (1u << count) - 1;
}

static bool rounds_are_valid(const struct match_origin *origin, const struct bank *bank)
{
    for (unsigned i = 0; i < origin->settings.rounds; i++) {
        const struct origin_round *round = &origin->rounds[i];
        if (round->question >= bank->count) return false;
        unsigned count = bank->questions[round->question].choice_count;
        if (count < QUESTION_CHOICES_MIN || count > QUESTION_CHOICES_MAX) return false;
        if (round->choice_count != count || !is_permutation(round->places, count)) return false;
    }
    return true;
}

const char *match_origin_find_broken(const struct match_origin *origin, const struct bank *bank)
{
    if (!settings_are_valid(&origin->settings)) return "its settings are out of bounds";
    if (!players_are_valid(origin)) return "its players cannot be";
    if (!rounds_are_valid(origin, bank)) return "its rounds do not fit their questions";
    return NULL;
}

/* --- Back again. --- */

void match_restore(struct match *match, const struct match_origin *origin, const struct bank *bank,
                   struct effects *effects)
{
    QR_ASSERT(effects->count == 0);
    QR_ASSERT(match_origin_find_broken(origin, bank) == NULL);
    memset(match, 0, match_bytes(origin->settings.rounds));
    match->id = origin->id;
    match->bank = bank;
    match->settings = origin->settings;
    match->prng = origin->prng;
    match->created_at = origin->created_at;
    match->wall_offset_ms = origin->wall_offset_ms;
    match->is_rated = origin->is_rated;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct origin_player *from = &origin->players[i];
        struct match_player *player = &match->players[i];
        player->player = from->player;
        memcpy(player->name, from->name, sizeof(player->name));
        player->rating = player->rating_after = from->rating;
        player->credit_ms = from->credit_ms;
        player->is_bot = from->is_bot;
    }
    for (unsigned i = 0; i < origin->settings.rounds; i++) {
        const struct origin_round *from = &origin->rounds[i];
        match_init_round(match, i, from->question, from->choice_count);
        memcpy(match->rounds[i].places, from->places, sizeof(from->places));
    }
    match_begin(match, effects);
}
