#include "match_priv.h"

/* docs/protocol.md, Points: at most 1000 a round, twice that in the last one. */
_Static_assert((POINTS_BASE + POINTS_SPEED) * (MATCH_ROUNDS_MAX + 1) <= UINT16_MAX,
               "a score fits its field");

static bool has_answered(const struct match_round *round, unsigned player)
{
    return round->answers[player].choice != MATCH_CHOICE_NONE;
}

bool match_has_all_answers(const struct match *match, const struct match_round *round)
{
    for (unsigned i = 0; i < match->player_count; i++) {
        if (match->players[i].presence != PRESENCE_GONE && !has_answered(round, i)) return false;
    }
    return true;
}

/* Faults where it does not fit: no settings lead there, but a journal may be anybody's. */
static uint32_t since_created(struct match *match, mono_time at)
{
    uint64_t ms = mono_elapsed(match->created_at, at);
    if (ms > UINT32_MAX) match_fault(match, "a match goes on for 49 days");
    return (uint32_t)ms;
}

void match_begin_round(struct match *match, mono_time now, struct effects *effects)
{
    if (match->round >= match->settings.rounds) {
        match_fault(match, "no round is left");
        return;
    }
    match->round++;
    struct match_round *round = match_current_round(match);
    round->began_ms = since_created(match, now);
    uint32_t credit_max_ms = 0;
    for (unsigned i = 0; i < match->player_count; i++) {
        const struct match_player *player = &match->players[i];
        round->credits_ms[i] = player->credit_ms;
        if (player->presence == PRESENCE_GONE) continue;
        if (player->credit_ms > credit_max_ms) credit_max_ms = player->credit_ms;
    }
    match_move(match, MATCH_ASKING);
    match_tell(match, MATCH_LOG_ROUND, 0, effects);
    /* Open a little longer than the deadline says: an answer that reached another shard's socket in
     * time has its stamp, and still has to get here (docs/protocol.md, Answer time). */
    mono_time deadline = mono_after(now, match->settings.round_time_ms);
    uint64_t open_ms = (uint64_t)match->settings.close_slack_ms + credit_max_ms;
    match_arm_phase(match, mono_after(deadline, open_ms), effects);
    match_arm_bots(match, effects);
}

static void add_receipt(const struct match_round *round, const struct match_event *event,
                        bool is_dup, struct effects *effects)
{
    if (event->request_id == 0) return; /* A bot's: nobody asked. */
    const struct match_answer *answer = &round->answers[event->player];
    struct effect *receipt = match_want(effects, EFFECT_RECEIPT);
    receipt->player = event->player;
    receipt->request_id = event->request_id;
    receipt->round = event->answer.round;
    receipt->choice = answer->choice;
    receipt->at_ms = match_answer_time(round, event->player);
    receipt->credit_ms = round->credits_ms[event->player];
    receipt->is_dup = is_dup;
}

/* docs/protocol.md, Which refusal, for a round that this player has not answered. */
static enum refusal check_answer(const struct match *match, const struct match_event *event)
{
    if (event->answer.round == 0 || event->answer.round > match->round) return REFUSAL_WRONG_ROUND;
    const struct match_round *round = &match->rounds[event->answer.round - 1];
    mono_time began_at = match_began_at(match, round);
    if (mono_is_before(event->answer.stamp, began_at)) return REFUSAL_WRONG_ROUND;
    if (event->answer.round < match->round) return REFUSAL_LATE_ANSWER;
    if (match->state != MATCH_ASKING) return REFUSAL_LATE_ANSWER;
    /* The stamp decides, however late the event is applied: the round is open until it is revealed.
     */
    uint64_t raw_ms = mono_elapsed(began_at, event->answer.stamp);
    uint64_t last_ms = (uint64_t)match->settings.round_time_ms + round->credits_ms[event->player];
    if (raw_ms > last_ms) return REFUSAL_LATE_ANSWER;
    if (event->answer.choice >= round->choice_count) return REFUSAL_BAD_CHOICE;
    return REFUSAL_NONE;
}

static bool is_repeated(const struct match *match, const struct match_event *event)
{
    unsigned round = event->answer.round;
    if (round == 0 || round > match->round) return false;
    return has_answered(&match->rounds[round - 1], event->player);
}

/* Reads neither the bank nor the places: whether the answer is right decides no branch, no value and
 * so no time here. Only the reveal asks (count_answer). */
void match_answer(struct match *match, const struct match_event *event, struct effects *effects)
{
    if (match->players[event->player].presence == PRESENCE_GONE) {
        match_refuse(event, REFUSAL_BAD_STATE, effects);
        return;
    }
    if (is_repeated(match, event)) {
        add_receipt(&match->rounds[event->answer.round - 1], event, true, effects);
        return;
    }
    enum refusal refusal = check_answer(match, event);
    if (refusal != REFUSAL_NONE) {
        match_refuse(event, refusal, effects);
        return;
    }
    struct match_round *round = match_current_round(match);
    /* check_answer() bounds it by round time and credit, whose sum match_init() asserts to fit. */
    uint32_t raw_ms = (uint32_t)mono_elapsed(match_began_at(match, round), event->answer.stamp);
    round->answers[event->player] = (struct match_answer){
        .choice = (int8_t)event->answer.choice,
        .raw_ms = raw_ms,
    };
    add_receipt(round, event, false, effects);
    struct effect *answered = match_want(effects, EFFECT_ANSWERED);
    answered->player = event->player;
    answered->round = match->round;
    if (match_has_all_answers(match, round)) match_reveal(match, event->at, effects);
}

/* Points are given here and not with the answer: until its reveal nothing in the match's scores
 * tells the secret. */
static void count_answer(struct match *match, struct match_round *round, unsigned index)
{
    struct match_answer *answer = &round->answers[index];
    struct match_player *player = &match->players[index];
    answer->is_right = answer->choice == (int8_t)match_round_right_place(round);
    if (answer->is_right) {
        answer->points = (uint16_t)score_points(match_answer_time(round, index),
                                                match->settings.round_time_ms, round->weight);
    }
    player->score = (uint16_t)(player->score + answer->points);
    player->streak = answer->is_right ? (uint8_t)(player->streak + 1) : 0;
    round->scores[index] = player->score;
    round->streaks[index] = player->streak;
}

static int winner_by_score(const struct match *match)
{
    if (match->players[0].score == match->players[1].score) return MATCH_WINNER_NONE;
    return match->players[0].score > match->players[1].score ? 0 : 1;
}

void match_reveal(struct match *match, mono_time now, struct effects *effects)
{
    struct match_round *round = match_current_round(match);
    round->revealed_ms = since_created(match, now);
    round->is_revealed = true;
    for (unsigned i = 0; i < match->player_count; i++) count_answer(match, round, i);
    match_move(match, MATCH_REVEALING);
    match_tell(match, MATCH_LOG_REVEAL, 0, effects);
    if (match->round == match->settings.rounds) {
        match_settle(match, MATCH_END_FINISHED, winner_by_score(match), now, effects);
        return;
    }
    match_arm_phase(match, mono_after(now, match->settings.reveal_time_ms), effects);
}
