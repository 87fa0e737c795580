/* What is said of an answer, and how long a phase goes on: recomputed for every step (docs/protocol.md, Answer time and
 * Which refusal; docs/match.md, States). */

#include "sim_audit_priv.h"
#include "sim_failed.h"

/* --- Answers. --- */

/* In the protocol's order. REFUSAL_NONE: a receipt. */
static enum refusal verdict_due(const struct match *before, const struct match_event *event)
{
    unsigned number = event->answer.round;
    if (before->state == MATCH_ENDED || before->players[event->player].presence == PRESENCE_GONE)
        return REFUSAL_BAD_STATE;
    if (number == 0 || number > before->round) return REFUSAL_WRONG_ROUND;
    const struct match_round *round = &before->rounds[number - 1];
    if (round->answers[event->player].choice != MATCH_CHOICE_NONE) return REFUSAL_NONE;
    if (mono_is_before(event->answer.stamp, match_began_at(before, round)))
        return REFUSAL_WRONG_ROUND;
    bool is_over = number < before->round || before->state != MATCH_ASKING;
    uint64_t raw_ms = mono_elapsed(match_began_at(before, round), event->answer.stamp);
    uint64_t credit_ms = round->credits_ms[event->player];
    uint64_t at_ms = raw_ms > credit_ms ? raw_ms - credit_ms : 0;
    if (is_over || at_ms > before->settings.round_time_ms) return REFUSAL_LATE_ANSWER;
    if (event->answer.choice >= round->choice_count) return REFUSAL_BAD_CHOICE;
    return REFUSAL_NONE;
}

static void an_answer_gets_the_verdict_that_is_due(const struct match *before,
                                                   const struct match_event *event,
                                                   const struct effects *effects)
{
    if (event->kind != MATCH_EVENT_ANSWER || event->request_id == 0) return;
    enum refusal due = verdict_due(before, event);
    enum refusal given = REFUSAL_NONE;
    for (uint32_t i = 0; i < effects->count; i++) {
        const struct effect *effect = &effects->items[i];
        if (effect->kind == EFFECT_REFUSE) given = (enum refusal)effect->refusal;
    }
    if (given == due) return;
    sim_failed("an answer gets the verdict that is due: %s, not %s",
               due == REFUSAL_NONE ? "a receipt" : refusal_code(due),
               given == REFUSAL_NONE ? "a receipt" : refusal_code(given));
}

/* The round's own credit counts, whatever the connection is granted by now. */
static void an_answer_is_timed_from_its_arrival(const struct match *before,
                                                const struct match *after,
                                                const struct match_event *event)
{
    if (event->kind != MATCH_EVENT_ANSWER || before->round == 0) return;
    const struct match_round *round = &before->rounds[before->round - 1];
    const struct match_answer *answer = &after->rounds[before->round - 1].answers[event->player];
    if (round->answers[event->player].choice == answer->choice) return;
    uint64_t raw_ms = mono_elapsed(match_began_at(before, round), event->answer.stamp);
    uint64_t credit_ms = round->credits_ms[event->player];
    uint64_t at_ms = raw_ms > credit_ms ? raw_ms - credit_ms : 0;
    const struct match_round *now = &after->rounds[before->round - 1];
    uint32_t counted_ms = match_answer_time(now, event->player);
    if (counted_ms != at_ms || now->credits_ms[event->player] != credit_ms)
        sim_failed("an answer is timed from its arrival: %u ms, not %u", (unsigned)at_ms,
                   counted_ms);
}

/* --- Phases. --- */

static uint64_t open_ms(const struct match *match, const struct match_round *round)
{
    uint64_t credit_ms = 0;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        bool is_gone = match->players[i].presence == PRESENCE_GONE;
        if (!is_gone && round->credits_ms[i] > credit_ms) credit_ms = round->credits_ms[i];
    }
    return match->settings.round_time_ms + match->settings.close_slack_ms + credit_ms;
}

/* Where a phase begins with this step. */
static void a_phase_is_as_long_as_it_is_said_to_be(const struct match *before,
                                                   const struct match *after)
{
    if (before->state == after->state && before->round == after->round) return;
    if (after->state != MATCH_ASKING && after->state != MATCH_REVEALING) return;
    const struct match_round *round = &after->rounds[after->round - 1];
    mono_time ends_at =
        after->state == MATCH_ASKING
            ? mono_after(match_began_at(after, round), open_ms(after, round))
            : mono_after(match_revealed_at(after, round), after->settings.reveal_time_ms);
    if (after->phase_at.ms == ends_at.ms) return;
    sim_failed("a phase is as long as it is said to be: %s, %lld ms off",
               match_state_name((enum match_state)after->state),
               (long long)after->phase_at.ms - (long long)ends_at.ms);
}

/* But for its time, which the timer brings. */
static void a_round_waits_for_all_who_may_answer(const struct match *before,
                                                 const struct match *after,
                                                 const struct match_event *event)
{
    if (before->state != MATCH_ASKING || event->kind == MATCH_EVENT_PHASE_TIMER) return;
    bool is_revealed = after->state == MATCH_REVEALING || after->reason == MATCH_END_FINISHED;
    if (!is_revealed) return;
    const struct match_round *round = &after->rounds[before->round - 1];
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        bool is_waited_for = after->players[i].presence != PRESENCE_GONE &&
                             round->answers[i].choice == MATCH_CHOICE_NONE;
        if (is_waited_for) sim_failed("a round waits for all who may answer: not for player %u", i);
    }
}

void answer_audit(const struct match *before, const struct match *after,
                  const struct match_event *event, const struct effects *effects)
{
    an_answer_gets_the_verdict_that_is_due(before, event, effects);
    an_answer_is_timed_from_its_arrival(before, after, event);
    a_phase_is_as_long_as_it_is_said_to_be(before, after);
    a_round_waits_for_all_who_may_answer(before, after, event);
}
