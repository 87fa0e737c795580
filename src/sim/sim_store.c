/* A store that remembers: a result is kept once, however often it comes, and players are known by what was saved of
 * them. */

#include <string.h>

#include "sim_answers.h"
#include "sim_failed.h"

void store_take(const struct match_result *result, struct kept_result *ret_kept)
{
    struct kept_result kept;
    memset(&kept, 0, sizeof(kept)); /* Compared as bytes. */
    kept.match = result->match;
    kept.ended_at = result->ended_at;
    kept.reason = result->reason;
    kept.winner = result->winner;
    kept.is_rated = result->is_rated;
    kept.question_count = result->round_count;
    for (unsigned i = 0; i < result->round_count; i++) {
        kept.questions[i] = question_fingerprint(result->rounds[i].question);
    }
    for (unsigned i = 0; i < result->player_count; i++) {
        const struct result_player *player = &result->players[i];
        kept.players[i] = player->player;
        kept.after[i] = player->after;
        kept.scores[i] = player->score;
        kept.has_bot = kept.has_bot || player->is_bot;
        memcpy(kept.names[i], player->name, strlen(player->name));
    }
    *ret_kept = kept;
}

static struct player_record *record_of(struct world *world, const struct kept_result *result,
                                       unsigned side)
{
    for (uint32_t i = 0; i < world->known_count; i++) {
        if (id_equal(&world->known[i], &result->players[side])) return &world->records[i];
    }
    if (world->known_count == KNOWN_MAX) return NULL; /* It forgets the later ones. */
    world->known[world->known_count] = result->players[side];
    struct player_record *record = &world->records[world->known_count++];
    player_record_init(record, result->names[side]);
    return record;
}

static void keep_player(struct world *world, const struct kept_result *result, unsigned side)
{
    struct player_record *record = record_of(world, result, side);
    if (record == NULL) return;
    for (unsigned i = 0; i < result->question_count; i++) {
        recent_add(&record->recent, result->questions[i]);
    }
    if (!result->is_rated) return;
    record->rating = result->after[side];
    record->rated_at = result->ended_at;
    opponents_add(&record->opponents, player_fingerprint(&result->players[1 - side]),
                  result->ended_at);
}

void store_keep(struct world *world, const struct kept_result *result)
{
    for (uint32_t i = world->result_count; i > 0; i--) {
        const struct kept_result *before = &world->results[i - 1];
        if (!id_equal(&before->match, &result->match)) continue;
        if (memcmp(before, result, sizeof(*result)) != 0)
            sim_failed("a result that is saved again is the same: it has changed");
        return;
    }
    SIM_EXPECT(world->result_count < RESULTS_MAX);
    world->results[world->result_count++] = *result;
    keep_player(world, result, 0);
    if (!result->has_bot) keep_player(world, result, 1);
}

static const struct kept_result *find_result(const struct world *world, const struct id *match)
{
    for (uint32_t i = world->result_count; i > 0; i--) {
        if (id_equal(&world->results[i - 1].match, match)) return &world->results[i - 1];
    }
    return NULL;
}

bool store_has(const struct world *world, const struct id *match)
{
    return find_result(world, match) != NULL;
}

static bool is_as_told(const struct kept_result *kept, const struct referee_match *match)
{
    bool is_it = kept->reason == match->reason && kept->winner == match->winner;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        is_it = is_it && kept->scores[i] == match->scores[i] &&
                rating_equal(&kept->after[i], &match->after[i]);
    }
    return is_it;
}

/* Of a match that has ended in this very moment. */
static bool is_on_its_way(const struct world *world, const struct id *match)
{
    for (uint32_t i = 0; i < world->parcel_count; i++) {
        const struct parcel *parcel = &world->parcels[i];
        bool is_it = id_equal(&parcel->result.match, match);
        if (is_it && parcel->state != PARCEL_SYNCING && !mono_is_before(world->now, parcel->at))
            return true;
    }
    return false;
}

void store_expect_all_told(const struct world *world)
{
    for (uint32_t i = 0; i < world->referee.match_count; i++) {
        const struct referee_match *match = &world->referee.matches[i];
        if (!match->is_saved) continue;
        const struct kept_result *kept = find_result(world, &match->id);
        if (kept == NULL && is_on_its_way(world, &match->id)) continue;
        if (kept == NULL) sim_failed("no result is lost: one is not in the store");
        if (!is_as_told(kept, match)) sim_failed("no result is lost: the store has another one");
    }
}
