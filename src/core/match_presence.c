#include "match_priv.h"

static void go_gone(struct match *match, uint8_t index, struct effects *effects)
{
    match->players[index].presence = PRESENCE_GONE;
    match_tell(match, MATCH_LOG_GONE, index, effects);
}

/* docs/protocol.md, Coming and going: what follows when a player is gone. */
static void decide_without(struct match *match, uint8_t index, mono_time now,
                           struct effects *effects)
{
    uint8_t other = match_other(index);
    switch ((enum match_presence)match->players[other].presence) {
    case PRESENCE_HERE: match_settle(match, MATCH_END_FORFEIT, other, now, effects); return;
    case PRESENCE_AWAY:
        /* The match waits for the other, but a round that waited for the one who is gone does not.
         */
        if (match->state != MATCH_ASKING) return;
        if (!match_has_all_answers(match, match_current_round(match))) return;
        match_reveal(match, now, effects);
        return;
    case PRESENCE_GONE:
        match_settle(match, MATCH_END_CANCELLED, MATCH_WINNER_NONE, now, effects);
        return;
    }
    match_fault(match, "presence is none of its kinds");
}

static void come_back(struct match *match, const struct match_event *event, struct effects *effects)
{
    struct match_player *player = &match->players[event->player];
    if (player->presence == PRESENCE_GONE) return;
    player->credit_ms = event->presence.credit_ms;
    if (player->presence == PRESENCE_HERE) return;
    player->presence = PRESENCE_HERE;
    bool is_in_play = !match_is_settling(match);
    if (is_in_play) match_want(effects, EFFECT_DISARM_GRACE)->player = event->player;
    match_tell(match, MATCH_LOG_BACK, event->player, effects);
    if (!is_in_play) return;
    if (match->players[match_other(event->player)].presence != PRESENCE_GONE) return;
    match_settle(match, MATCH_END_FORFEIT, event->player, event->at, effects);
}

/* False: nothing has changed. */
static bool note_away(struct match *match, uint8_t index, struct effects *effects)
{
    struct match_player *player = &match->players[index];
    if (player->presence != PRESENCE_HERE) return false;
    /* In play, one who was away this often is gone. While the result is saved nobody goes any more,
     * and nothing depends on who is there: the log has no room for another absence, so it is not
     * told. */
    if (player->absences == ABSENCES_MAX) return false;
    player->presence = PRESENCE_AWAY;
    player->absences++;
    match_tell(match, MATCH_LOG_AWAY, index, effects);
    return true;
}

/* The time to come back begins, or there is none. */
static void begin_grace(struct match *match, uint8_t index, mono_time now, struct effects *effects)
{
    const struct match_player *player = &match->players[index];
    if (match->settings.grace_ms == 0 || player->absences == ABSENCES_MAX) {
        go_gone(match, index, effects);
        decide_without(match, index, now, effects);
        return;
    }
    struct effect *grace = match_want(effects, EFFECT_ARM_GRACE);
    grace->player = index;
    grace->at = mono_after(now, match->settings.grace_ms);
    grace->tag = player->absences;
}

static void go_away(struct match *match, const struct match_event *event, struct effects *effects)
{
    if (!note_away(match, event->player, effects) || match_is_settling(match)) return;
    begin_grace(match, event->player, event->at, effects);
}

static void leave(struct match *match, const struct match_event *event, struct effects *effects)
{
    match_confirm_leave(event, effects);
    uint8_t presence = match->players[event->player].presence;
    if (match_is_settling(match) || presence == PRESENCE_GONE) return;
    if (presence == PRESENCE_AWAY) match_want(effects, EFFECT_DISARM_GRACE)->player = event->player;
    bool is_cancelling = match->state == MATCH_STARTING && !event->presence.names_match;
    go_gone(match, event->player, effects);
    if (is_cancelling) {
        match_settle(match, MATCH_END_CANCELLED, MATCH_WINNER_NONE, event->at, effects);
        return;
    }
    decide_without(match, event->player, event->at, effects);
}

/* One level stands for several things that happened in a row. Who is here came back before it asked
 * to leave; who is not asked first and was lost then. */
void match_apply_presence(struct match *match, const struct match_event *event,
                          struct effects *effects)
{
    if (match->players[event->player].is_bot) {
        match_fault(match, "a bot neither comes nor goes");
        return;
    }
    if (event->presence.is_here) come_back(match, event, effects);
    if (event->presence.is_leaving) leave(match, event, effects);
    if (!event->presence.is_here) go_away(match, event, effects);
}

void match_grace_over(struct match *match, const struct match_event *event, struct effects *effects)
{
    const struct match_player *player = &match->players[event->player];
    if (player->presence != PRESENCE_AWAY || event->timer.tag != player->absences) return;
    go_gone(match, event->player, effects);
    decide_without(match, event->player, event->at, effects);
}

/* False: it was too often. */
static bool note_recovery(struct match *match, const struct match_event *event)
{
    if (match->recovery_count == MATCH_RECOVERIES_MAX) return false;
    match->recoveries[match->recovery_count++] =
        (struct match_recovery){event->at, event->recovered.wall_offset_ms};
    return true;
}

void match_recover(struct match *match, const struct match_event *event, struct effects *effects)
{
    bool is_in_play = !match_is_settling(match);
    if (!note_recovery(match, event) && is_in_play) {
        match_settle(match, MATCH_END_CANCELLED, MATCH_WINNER_NONE, event->at, effects);
        return;
    }
    /* Nobody is there before anybody's absence decides anything. */
    for (uint8_t i = 0; i < MATCH_PLAYERS_MAX; i++) {
        if (!match->players[i].is_bot) (void)note_away(match, i, effects); /* May be away. */
    }
    if (!is_in_play) {
        match_save_again(match, event->at, effects);
        return;
    }
    for (uint8_t i = 0; i < MATCH_PLAYERS_MAX && !match_is_settling(match); i++) {
        if (match->players[i].presence != PRESENCE_AWAY) continue;
        begin_grace(match, i, event->at, effects);
    }
}
