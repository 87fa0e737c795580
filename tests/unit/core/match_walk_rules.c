/* The rules of a match that is walked at random: one function each, named as the rule. */

#include "match_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* --- What must hold after every step. --- */

static void no_fault_is_found(const struct walk *walk)
{
    if (walk->game.match.fault != NULL) fail_msg("fault: %s", walk->game.match.fault);
}

static void no_step_causes_more_than_nine_effects(const struct walk *walk)
{
    assert_true(walk->game.effects.count <= 9);
}

/* docs/match.md, States, for a whole step: what ends without a result passes through SETTLING, and
 * the last reveal through REVEALING. */
static void the_state_moves_as_the_diagram_says(const struct walk *walk)
{
    static const bool moves[MATCH_STATE_COUNT][MATCH_STATE_COUNT] = {
        [MATCH_STARTING] = {[MATCH_ASKING] = true, [MATCH_SETTLING] = true, [MATCH_ENDED] = true},
        [MATCH_ASKING] = {[MATCH_REVEALING] = true, [MATCH_SETTLING] = true, [MATCH_ENDED] = true},
        [MATCH_REVEALING] = {[MATCH_ASKING] = true, [MATCH_SETTLING] = true, [MATCH_ENDED] = true},
        [MATCH_SETTLING] = {[MATCH_ENDED] = true},
    };
    const struct match *before = &walk->before.match;
    const struct match *match = &walk->game.match;
    assert_true(match->state == before->state || moves[before->state][match->state]);
    bool has_begun = match->state == MATCH_ASKING && before->state != MATCH_ASKING;
    assert_int_equal(match->round, before->round + has_begun);
}

static bool is_reply(const struct effect *effect)
{
    return effect->kind == EFFECT_RECEIPT || effect->kind == EFFECT_REFUSE ||
           effect->kind == EFFECT_LEFT || effect->kind == EFFECT_OK;
}

static void every_request_has_exactly_one_reply(const struct walk *walk)
{
    unsigned replies = 0;
    for (uint32_t i = 0; i < walk->game.effects.count; i++) {
        const struct effect *effect = &walk->game.effects.items[i];
        if (!is_reply(effect)) continue;
        replies++;
        assert_int_equal(effect->request_id, walk->event.request_id);
        assert_int_equal(effect->player, walk->event.player);
    }
    assert_int_equal(replies, walk->event.request_id != 0);
}

static void a_refusal_changes_nothing(const struct walk *walk)
{
    bool is_refused = false;
    for (uint32_t i = 0; i < walk->game.effects.count; i++) {
        is_refused |= walk->game.effects.items[i].kind == EFFECT_REFUSE;
    }
    if (!is_refused) return;
    assert_int_equal(walk->game.effects.count, 1);
    assert_memory_equal(&walk->game.match, &walk->before.match, sizeof(walk->game.match));
}

static void an_event_without_effect_changes_nothing_but_a_credit(const struct walk *walk)
{
    if (walk->game.effects.count > 0 || walk->event.kind == MATCH_EVENT_PRESENCE) return;
    assert_memory_equal(&walk->game.match, &walk->before.match, sizeof(walk->game.match));
}

static void what_is_told_is_numbered_without_gaps(struct walk *walk)
{
    for (uint32_t i = 0; i < walk->game.effects.count; i++) {
        const struct effect *effect = &walk->game.effects.items[i];
        if (effect->kind != EFFECT_ANNOUNCE) continue;
        assert_int_equal(effect->seq, walk->seq + 1);
        walk->seq = effect->seq;
        if (match_log_at(&walk->game.match, effect->seq).kind == MATCH_LOG_END) walk->ends++;
    }
    assert_int_equal(walk->game.match.seq, walk->seq);
}

static void nothing_is_told_after_the_end(const struct walk *walk)
{
    if (walk->before.match.state != MATCH_ENDED) return;
    assert_int_equal(walk->game.match.seq, walk->before.match.seq);
    assert_int_equal(walk->ends, 1);
}

static void one_answer_counts_per_player_and_round(struct walk *walk)
{
    for (unsigned round = 0; round < walk->game.match.round; round++) {
        for (unsigned player = 0; player < MATCH_PLAYERS_MAX; player++) {
            struct match_answer *first = &walk->answers[round][player];
            const struct match_answer *now = &walk->game.match.rounds[round].answers[player];
            if (first->choice == MATCH_CHOICE_NONE) *first = *now;
            assert_int_equal(first->choice, now->choice);
            assert_int_equal(first->raw_ms, now->raw_ms);
        }
    }
}

static void a_repeated_answer_brings_the_receipt_of_the_first(const struct walk *walk)
{
    for (uint32_t i = 0; i < walk->game.effects.count; i++) {
        const struct effect *effect = &walk->game.effects.items[i];
        if (effect->kind != EFFECT_RECEIPT) continue;
        const struct match_answer *first = &walk->answers[effect->round - 1][effect->player];
        assert_int_equal(effect->choice, first->choice);
        const struct match_round *round = &walk->game.match.rounds[effect->round - 1];
        assert_int_equal(effect->at_ms, match_answer_time(round, effect->player));
        const struct match_round *before = &walk->before.match.rounds[effect->round - 1];
        bool was_answered = before->answers[effect->player].choice != MATCH_CHOICE_NONE;
        assert_int_equal(effect->is_dup, was_answered);
    }
}

/* How long after its round's start the answer of this step counts, before that is made zero. */
static int64_t answer_time(const struct walk *walk, const struct match_round *round)
{
    int64_t raw_ms =
        (int64_t)(walk->event.answer.stamp.ms - match_began_at(&walk->game.match, round).ms);
    return raw_ms - round->credits_ms[walk->event.player];
}

static void no_answer_that_counts_is_late(const struct walk *walk)
{
    const struct match *before = &walk->before.match;
    if (walk->event.kind != MATCH_EVENT_ANSWER || before->round == 0) return;
    unsigned index = before->round - 1u;
    const struct match_round *round = &walk->game.match.rounds[index];
    const struct match_answer *answer = &round->answers[walk->event.player];
    bool was_open = before->rounds[index].answers[walk->event.player].choice == MATCH_CHOICE_NONE;
    if (!was_open || answer->choice == MATCH_CHOICE_NONE) return;
    int64_t time_ms = answer_time(walk, round);
    assert_int_equal(before->state, MATCH_ASKING);
    assert_int_equal(walk->event.answer.round, before->round);
    assert_true(walk->event.answer.stamp.ms >= match_began_at(before, round).ms);
    assert_true(time_ms <= before->settings.round_time_ms);
    assert_int_equal(match_answer_time(round, walk->event.player), time_ms > 0 ? time_ms : 0);
    assert_int_equal(answer->choice, walk->event.answer.choice);
}

static void no_answer_in_time_is_refused_as_late(const struct walk *walk)
{
    const struct match *before = &walk->before.match;
    if (walk->game.effects.count == 0) return;
    const struct effect *effect = &walk->game.effects.items[0];
    if (effect->kind != EFFECT_REFUSE || effect->refusal != REFUSAL_LATE_ANSWER) return;
    if (before->state != MATCH_ASKING || walk->event.answer.round != before->round) return;
    const struct match_round *round = &before->rounds[before->round - 1];
    assert_true(answer_time(walk, round) > before->settings.round_time_ms);
}

static void scores_can_be_computed_again_from_the_answers(const struct walk *walk)
{
    const struct match *match = &walk->game.match;
    for (unsigned player = 0; player < MATCH_PLAYERS_MAX; player++) {
        uint64_t score = 0;
        for (unsigned i = 0; i < match->round; i++) {
            const struct match_round *round = &match->rounds[i];
            const struct match_answer *answer = &round->answers[player];
            if (!round->is_revealed || answer->choice == MATCH_CHOICE_NONE) continue;
            if (round->places[answer->choice] != 0) continue;
            uint64_t at = match_answer_time(round, player);
            if (at < 500) at = 500;
            uint64_t time = match->settings.round_time_ms;
            score += (500 + 500 * (time - at) / (time - 500)) *
                     (i + 1 == match->settings.rounds ? 2 : 1);
        }
        assert_int_equal(match->players[player].score, score);
    }
}

static void an_outcome_does_not_change(const struct walk *walk)
{
    if (!match_is_settling(&walk->before.match)) return;
    if (walk->game.match.reason == MATCH_END_SHUTDOWN) return;
    assert_int_equal(walk->game.match.reason, walk->before.match.reason);
    assert_int_equal(walk->game.match.winner, walk->before.match.winner);
    assert_int_equal(walk->game.match.players[ADA].score, walk->before.match.players[ADA].score);
}

static void a_result_is_told_only_when_it_is_saved(const struct walk *walk)
{
    const struct match *match = &walk->game.match;
    if (match->state != MATCH_ENDED) return;
    bool is_result = match->reason == MATCH_END_FINISHED || match->reason == MATCH_END_FORFEIT;
    assert_int_equal(match->is_saved, is_result);
}

static void ratings_change_with_a_rated_result_only(const struct walk *walk)
{
    const struct match *match = &walk->game.match;
    assert_int_equal(match->is_rated, !walk->has_bot);
    bool is_result = match->reason == MATCH_END_FINISHED || match->reason == MATCH_END_FORFEIT;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct match_player *player = &match->players[i];
        bool has_changed = !rating_equal(&player->rating, &player->rating_after);
        assert_int_equal(has_changed, is_result && match->is_rated);
    }
    assert_int_equal(match_shows_ratings(match), is_result && match->is_rated);
}

static void who_is_gone_stays_gone(const struct walk *walk)
{
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        if (walk->before.match.players[i].presence != PRESENCE_GONE) continue;
        assert_int_equal(walk->game.match.players[i].presence, PRESENCE_GONE);
    }
}

/* One to begin it and one to reveal it, whatever else happens. */
static void the_play_is_over_after_two_timers_a_round(const struct walk *walk)
{
    assert_true(walk->phases <= 2u * walk->game.match.settings.rounds);
}

void walk_check_step(struct walk *walk)
{
    no_fault_is_found(walk);
    no_step_causes_more_than_nine_effects(walk);
    the_state_moves_as_the_diagram_says(walk);
    every_request_has_exactly_one_reply(walk);
    a_refusal_changes_nothing(walk);
    an_event_without_effect_changes_nothing_but_a_credit(walk);
    what_is_told_is_numbered_without_gaps(walk);
    nothing_is_told_after_the_end(walk);
    one_answer_counts_per_player_and_round(walk);
    a_repeated_answer_brings_the_receipt_of_the_first(walk);
    no_answer_that_counts_is_late(walk);
    no_answer_in_time_is_refused_as_late(walk);
    scores_can_be_computed_again_from_the_answers(walk);
    an_outcome_does_not_change(walk);
    a_result_is_told_only_when_it_is_saved(walk);
    ratings_change_with_a_rated_result_only(walk);
    who_is_gone_stays_gone(walk);
    the_play_is_over_after_two_timers_a_round(walk);
}

void walk_check_birth(struct walk *walk)
{
    no_fault_is_found(walk);
    what_is_told_is_numbered_without_gaps(walk);
}

/* --- What must hold at the end. --- */

static void the_end_is_told_exactly_once_and_last(const struct walk *walk)
{
    assert_int_equal(walk->ends, 1);
    struct match_log_entry last = match_log_at(&walk->game.match, walk->game.match.seq);
    assert_int_equal(last.kind, MATCH_LOG_END);
}

static void no_timer_stays_armed_and_no_save_is_asked_for(const struct walk *walk)
{
    assert_true(walk->is_play_over);
    assert_false(walk->phase.is_armed);
    assert_false(walk->graces[ADA].is_armed);
    assert_false(walk->graces[BEN].is_armed);
    assert_false(walk->bot.is_armed);
    assert_true(!walk->is_saving || walk->game.match.reason == MATCH_END_SHUTDOWN);
}

static void a_round_ends_early_only_when_all_have_answered(const struct walk *walk)
{
    const struct match *match = &walk->game.match;
    for (unsigned i = 0; i < match->round; i++) {
        const struct match_round *round = &match->rounds[i];
        if (!round->is_revealed) continue;
        assert_true(round->began_ms <= round->revealed_ms);
        bool is_early = round->revealed_ms < round->began_ms + match->settings.round_time_ms;
        if (!is_early) continue;
        for (unsigned player = 0; player < MATCH_PLAYERS_MAX; player++) {
            bool has_answered = round->answers[player].choice != MATCH_CHOICE_NONE;
            assert_true(has_answered || match->players[player].presence == PRESENCE_GONE);
        }
    }
}

void walk_check_end(const struct walk *walk)
{
    the_end_is_told_exactly_once_and_last(walk);
    no_timer_stays_armed_and_no_save_is_asked_for(walk);
    a_round_ends_early_only_when_all_have_answered(walk);
}

/* --- What a journal keeps is all there is to a match. --- */

static void what_was_told_is_the_same(const struct match *first, const struct match *second)
{
    assert_int_equal(first->seq, second->seq);
    for (uint16_t seq = 1; seq <= first->seq; seq++) {
        assert_int_equal(match_log_at(first, seq).kind, match_log_at(second, seq).kind);
        assert_int_equal(match_log_at(first, seq).player, match_log_at(second, seq).player);
    }
    for (unsigned i = 0; i < first->settings.rounds; i++) {
        assert_int_equal(match_wall(first, match_began_at(first, &first->rounds[i])).ms,
                         match_wall(second, match_began_at(second, &second->rounds[i])).ms);
    }
}

void walk_check_history(const struct walk *walk)
{
    struct match match;
    struct effects effects = {.count = 0};
    match_restore(&match, &walk->origin, walk->game.match.bank, &effects);
    for (unsigned i = 0; i < walk->steps; i++) {
        effects.count = 0;
        match_step(&match, &walk->history[i], &effects);
    }
    what_was_told_is_the_same(&match, &walk->game.match);
    assert_memory_equal(&match, &walk->game.match, match_bytes(match.settings.rounds));
}
