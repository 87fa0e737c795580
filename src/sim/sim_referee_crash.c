/* What a crash changes in what is held against the server. Of a process that was killed everything stands that was told;
 * after a power cut, and where the journal had no room, a match may stand earlier than that. */

#include <stdlib.h>
#include <string.h>

#include "sim_failed.h"
#include "sim_referee_priv.h"

void referee_on_unjournaled(struct referee *referee, const struct id *match)
{
    referee->matches[referee_find_match(referee, match)].is_unjournaled = true;
}

/* From that message on its moments are shown by another wall clock. */
static void begin_wall(struct referee_match *match, const struct referee_restored *restored)
{
    while (match->wall_count > 0 && match->walls[match->wall_count - 1].after_seq >= restored->seq)
        match->wall_count--;
    if (match->wall_count == REFEREE_WALLS_MAX) return; /* Its last round is over. */
    match->walls[match->wall_count++] =
        (struct referee_wall){restored->seq, restored->wall_offset_ms};
}

/* What was told beyond `seq` has not been: it may come otherwise. */
static void rewind_to(struct referee *referee, struct referee_match *match, uint32_t seq)
{
    for (uint32_t i = seq; i < REFEREE_SEQ_MAX; i++) {
        free(match->texts[i]);
        match->texts[i] = NULL;
    }
    if (match->seq_max > seq) match->seq_max = seq;
    match->revealed = 0;
    match->is_over = match->is_known = false;
    memset(match->rounds, 0, sizeof(match->rounds));
    memset(match->gone_seq, 0, sizeof(match->gone_seq));
    match->judged = 0;
    referee_judge_what_is_whole(referee, match);
}

void referee_on_restored(struct referee *referee, struct referee_match *match,
                         const struct referee_restored *restored)
{
    if (!match->is_started) match->wall_offset_ms = restored->began_offset_ms;
    match->is_started = true;
    match->is_ended = false;
    match->shard = restored->shard;
    if (!restored->has_result) match->has_result = false;
    match->is_saved = false; /* It asks again, and its players' ratings are those from then on. */
    begin_wall(match, restored);
    if (!restored->is_taken_back) return;
    rewind_to(referee, match, restored->seq);
    for (uint32_t i = 0; i < referee->player_count; i++) {
        struct referee_player *player = &referee->players[i];
        bool is_in_it = player->match >= 0 && &referee->matches[player->match] == match;
        if (is_in_it) player->session[0] = '\0'; /* One from before may be good instead. */
        if (referee_seat(match, referee, (int)i) >= 0) player->has_old_rating = true;
    }
}

void referee_on_recovered(struct referee *referee, const struct id *id, int64_t wall_offset_ms)
{
    struct referee_match *match = &referee->matches[referee_find_match(referee, id)];
    if (match->wall_count > 0) match->walls[match->wall_count - 1].offset_ms = wall_offset_ms;
}

void referee_on_lost(struct referee_match *match, mono_time now)
{
    match->is_ended = match->is_cancelled = true;
    match->ended_at = now;
}

void referee_on_crash(struct referee *referee, bool is_power_cut)
{
    for (uint32_t i = 0; i < referee->player_count; i++) {
        struct referee_player *player = &referee->players[i];
        player->claimed_seq = player->hellos = 0;
        player->last_asked_at = (mono_time){0};
        if (is_power_cut) player->session[0] = '\0';
        if (player->match < 0 || !referee->matches[player->match].is_ended) continue;
        player->is_heard = player->has_end = true;
    }
}

int64_t referee_wall_offset(const struct referee_match *match, uint32_t seq)
{
    int64_t offset_ms = match->wall_offset_ms;
    for (unsigned i = 0; i < match->wall_count && match->walls[i].after_seq < seq; i++)
        offset_ms = match->walls[i].offset_ms;
    return offset_ms;
}
