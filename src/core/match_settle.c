#include "match_priv.h"

/* Why the play is over, for its cancellation token. */
static const uint8_t play_over_reasons[] = {
    [MATCH_END_FINISHED] = CANCEL_FINISHED,
    [MATCH_END_FORFEIT] = CANCEL_DISCONNECT,
    [MATCH_END_CANCELLED] = CANCEL_DISCONNECT,
    [MATCH_END_SHUTDOWN] = CANCEL_SHUTDOWN,
};

static void end(struct match *match, struct effects *effects)
{
    match->phase++; /* A saving timer that is still queued is stale. */
    match_move(match, MATCH_ENDED);
    match_tell(match, MATCH_LOG_END, 0, effects);
    (void)match_want(effects, EFFECT_ENDED); /* Has no fields. */
}

static void save(struct match *match, struct effects *effects)
{
    match->is_saving = true;
    (void)match_want(effects, EFFECT_SAVE); /* Has no fields. */
}

void match_settle(struct match *match, enum match_end_reason reason, int winner, mono_time now,
                  struct effects *effects)
{
    match->reason = (uint8_t)reason;
    match->winner = (int8_t)winner;
    match->settled_at = now;
    match_rate(match);
    match_move(match, MATCH_SETTLING);
    match_want(effects, EFFECT_PLAY_OVER)->code = play_over_reasons[reason];
    if (reason == MATCH_END_CANCELLED || reason == MATCH_END_SHUTDOWN) {
        end(match, effects);
        return;
    }
    match_save_again(match, now, effects);
}

void match_save_again(struct match *match, mono_time now, struct effects *effects)
{
    save(match, effects);
    match_arm_phase(match, mono_after(now, MATCH_SAVE_RETRY_MS), effects);
}

/* Armed when saving begins and after each failure, so when it expires it has been a second in
 * either case: the players are told once that it takes longer, and what failed is tried again. */
void match_saving_timer(struct match *match, struct effects *effects)
{
    if (!match->has_told_saving) {
        match->has_told_saving = true;
        (void)match_want(effects, EFFECT_SAVING); /* Has no fields. */
    }
    if (!match->is_saving) save(match, effects);
}

void match_saved(struct match *match, struct effects *effects)
{
    match->is_saving = false;
    match->is_saved = true;
    end(match, effects);
}

void match_save_failed(struct match *match, mono_time now, struct effects *effects)
{
    if (!match->is_saving) return; /* The next try waits for its time already. */
    match->is_saving = false;
    match_arm_phase(match, mono_after(now, MATCH_SAVE_RETRY_MS), effects);
}

void match_cancel(struct match *match, const struct match_event *event, struct effects *effects)
{
    enum match_end_reason reason = (enum match_end_reason)event->cancel.reason;
    if (reason != MATCH_END_CANCELLED && reason != MATCH_END_SHUTDOWN) {
        match_fault(match, "a cancel has another reason");
        return;
    }
    if (!match_is_settling(match)) {
        match_settle(match, reason, MATCH_WINNER_NONE, event->at, effects);
        return;
    }
    /* A result is never cancelled: it waits for its save. But the process may have to go before the
     * store answers, and then says no more than it knows. */
    if (reason == MATCH_END_CANCELLED) return;
    match->reason = MATCH_END_SHUTDOWN;
    match->winner = MATCH_WINNER_NONE;
    match_forget_rates(match);
    end(match, effects);
}
