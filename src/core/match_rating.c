#include "match_priv.h"

static bool is_rated(const struct match_setup *setup)
{
    if (setup->settings.mode != MATCH_MODE_DUEL) return false;
    for (uint8_t i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct match_entrant *entrant = setup->entrants[i];
        if (entrant->is_bot) return false;
        uint64_t other = player_fingerprint(&setup->entrants[match_other(i)]->player);
        unsigned today = opponents_count_today(&entrant->record.opponents, other, setup->wall_now);
        if (today >= MATCH_RATED_PER_DAY) return false;
    }
    return true;
}

void match_init_ratings(struct match *match, const struct match_setup *setup)
{
    match->is_rated = is_rated(setup);
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct player_record *record = &setup->entrants[i]->record;
        QR_ASSERT(rating_is_valid(&record->rating));
        struct match_player *player = &match->players[i];
        player->rating = record->rating;
        /* The idle days count once: with the rated match that ends them. */
        if (match->is_rated) {
            player->rating =
                rating_after_idle(&record->rating, player_idle_days(record, setup->wall_now));
        }
        player->rating_after = player->rating;
    }
}

static enum rating_score score_of(const struct match *match, int index)
{
    if (match->winner == MATCH_WINNER_NONE) return RATING_DRAW;
    return match->winner == index ? RATING_WIN : RATING_LOSS;
}

void match_rate(struct match *match)
{
    if (!match_shows_ratings(match)) return;
    for (uint8_t i = 0; i < MATCH_PLAYERS_MAX; i++) {
        match->players[i].rating_after =
            rating_after_match(&match->players[i].rating, &match->players[match_other(i)].rating,
                               score_of(match, i), match->settings.tau_milli);
    }
}

void match_forget_rates(struct match *match)
{
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        match->players[i].rating_after = match->players[i].rating;
    }
}

bool match_shows_ratings(const struct match *match)
{
    return match->is_rated && match_has_result(match);
}
