#include "match_priv.h"

#include <string.h>

#include "core/draw.h"
#include "core/emote.h"

#define TO(state) (1u << (state))

static const struct {
    const char *name;
    unsigned next;
} match_states[MATCH_STATE_COUNT] = {
    [MATCH_STARTING] = {"starting", TO(MATCH_ASKING) | TO(MATCH_SETTLING)},
    [MATCH_ASKING] = {"asking", TO(MATCH_REVEALING) | TO(MATCH_SETTLING)},
    [MATCH_REVEALING] = {"revealing", TO(MATCH_ASKING) | TO(MATCH_SETTLING)},
    [MATCH_SETTLING] = {"settling", TO(MATCH_ENDED)},
    [MATCH_ENDED] = {"ended", 0},
};

static const char *const match_modes[MATCH_MODE_COUNT] = {
    [MATCH_MODE_DUEL] = "duel",
    [MATCH_MODE_HOUSE] = "house",
};

static const char *const match_events[MATCH_EVENT_COUNT] = {
    [MATCH_EVENT_ANSWER] = "answer",           [MATCH_EVENT_EMOTE] = "emote",
    [MATCH_EVENT_PRESENCE] = "presence",       [MATCH_EVENT_PHASE_TIMER] = "phase_timer",
    [MATCH_EVENT_GRACE_TIMER] = "grace_timer", [MATCH_EVENT_SAVED] = "saved",
    [MATCH_EVENT_SAVE_FAILED] = "save_failed", [MATCH_EVENT_CANCEL] = "cancel",
    [MATCH_EVENT_RECOVERED] = "recovered",
};

static const char *const match_end_reasons[] = {
    [MATCH_END_NONE] = "none",         [MATCH_END_FINISHED] = "finished",
    [MATCH_END_FORFEIT] = "forfeit",   [MATCH_END_CANCELLED] = "cancelled",
    [MATCH_END_SHUTDOWN] = "shutdown",
};

const char *match_mode_name(enum match_mode mode)
{
    QR_ASSERT((unsigned)mode < MATCH_MODE_COUNT);
    return match_modes[mode];
}

const char *match_state_name(enum match_state state)
{
    QR_ASSERT((unsigned)state < MATCH_STATE_COUNT);
    return match_states[state].name;
}

const char *match_event_name(enum match_event_kind kind)
{
    QR_ASSERT((unsigned)kind < MATCH_EVENT_COUNT);
    return match_events[kind];
}

const char *match_end_reason_name(enum match_end_reason reason)
{
    QR_ASSERT((unsigned)reason <= MATCH_END_SHUTDOWN);
    return match_end_reasons[reason];
}

bool match_may_move(enum match_state from, enum match_state to)
{
    QR_ASSERT((unsigned)from < MATCH_STATE_COUNT && (unsigned)to < MATCH_STATE_COUNT);
    return (match_states[from].next & TO(to)) != 0;
}

void match_fault(struct match *match, const char *what)
{
    if (match->fault == NULL) match->fault = what;
}

void match_move(struct match *match, enum match_state next)
{
    if (!match_may_move((enum match_state)match->state, next)) {
        match_fault(match, "this state does not lead to that one");
        return;
    }
    match->state = (uint8_t)next;
    const char *broken = match_find_broken(match);
    if (broken != NULL) match_fault(match, broken);
}

struct effect *match_want(struct effects *effects, enum effect_kind kind)
{
    QR_ASSERT(effects->count < EFFECTS_MAX);
    struct effect *effect = &effects->items[effects->count++];
    *effect = (struct effect){.kind = (uint8_t)kind};
    return effect;
}

void match_refuse(const struct match_event *event, enum refusal refusal, struct effects *effects)
{
    if (event->request_id == 0) return;
    struct effect *refuse = match_want(effects, EFFECT_REFUSE);
    refuse->player = event->player;
    refuse->request_id = event->request_id;
    refuse->refusal = (uint8_t)refusal;
}

void match_confirm_leave(const struct match_event *event, struct effects *effects)
{
    struct effect *left = match_want(effects, EFFECT_LEFT);
    left->player = event->player;
    left->request_id = event->request_id;
}

void match_arm_phase(struct match *match, mono_time at, struct effects *effects)
{
    match->phase++;
    match->phase_at = at;
    struct effect *arm = match_want(effects, EFFECT_ARM_PHASE);
    arm->at = at;
    arm->tag = match->phase;
}

void match_init_round(struct match *match, unsigned index, uint16_t question, uint8_t choice_count)
{
    struct match_round *round = &match->rounds[index];
    round->question = question;
    round->choice_count = choice_count;
    round->weight = index + 1 == match->settings.rounds ? 2 : 1;
    for (unsigned player = 0; player < MATCH_PLAYERS_MAX; player++) {
        round->answers[player].choice = MATCH_CHOICE_NONE;
    }
}

static void init_rounds(struct match *match, const struct match_setup *setup)
{
    const struct recent_questions *recents[MATCH_PLAYERS_MAX];
    for (unsigned i = 0; i < setup->player_count; i++)
        recents[i] = &setup->entrants[i]->record.recent;
    uint16_t questions[MATCH_ROUNDS_MAX];
    unsigned count = setup->settings.rounds;
    draw_questions(setup->bank, setup->category, recents, setup->player_count, &match->prng, count,
                   questions);
    for (unsigned i = 0; i < count; i++) {
        uint8_t choice_count = setup->bank->questions[questions[i]].choice_count;
        match_init_round(match, i, questions[i], choice_count);
        draw_places(&match->prng, choice_count, match->rounds[i].places);
    }
}

void match_begin(struct match *match, struct effects *effects)
{
    match->player_count = MATCH_PLAYERS_MAX;
    match->winner = MATCH_WINNER_NONE;
    match_tell(match, MATCH_LOG_MATCH, 0, effects);
    match_arm_phase(match, mono_after(match->created_at, match->settings.start_ms), effects);
    match->seq_kept = match->seq;
}

void match_init(struct match *match, const struct match_setup *setup, struct effects *effects)
{
    const struct match_settings *settings = &setup->settings;
    QR_ASSERT(effects->count == 0);
    QR_ASSERT(setup->player_count == MATCH_PLAYERS_MAX);
    QR_ASSERT(settings->mode < MATCH_MODE_COUNT);
    QR_ASSERT(settings->rounds >= 1 && settings->rounds <= MATCH_ROUNDS_MAX);
    QR_ASSERT(settings->round_time_ms >= ROUND_TIME_MIN_MS);
    QR_ASSERT(settings->round_time_ms <= UINT32_MAX - UINT16_MAX); /* And the largest credit. */
    QR_ASSERT(settings->tau_milli >= RATING_TAU_MIN_MILLI);
    QR_ASSERT(settings->tau_milli <= RATING_TAU_MAX_MILLI);
    memset(match, 0, match_bytes(settings->rounds));
    match->id = setup->id;
    match->bank = setup->bank;
    match->settings = *settings;
    match->created_at = setup->now;
    match->wall_offset_ms = setup->wall_now.ms - (int64_t)setup->now.ms;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct match_entrant *entrant = setup->entrants[i];
        struct match_player *player = &match->players[i];
        player->player = entrant->player;
        memcpy(player->name, entrant->record.name, sizeof(player->name));
        player->credit_ms = entrant->credit_ms;
        player->is_bot = entrant->is_bot;
    }
    match_init_ratings(match, setup);
    prng_init(&match->prng, &setup->seed);
    init_rounds(match, setup);
    match_begin(match, effects);
}

/* Whether a phase timer is the one armed last: an old one is harmless by value. */
static bool is_due(struct match *match, const struct match_event *event)
{
    if (event->timer.tag != match->phase) return false;
    if (mono_is_before(event->at, match->phase_at)) {
        match_fault(match, "a phase timer came before its time");
        return false;
    }
    return true;
}

static void show_emote(const struct match *match, const struct match_event *event,
                       struct effects *effects)
{
    QR_ASSERT(event->emote.code < EMOTE_COUNT);
    if (match->players[event->player].presence == PRESENCE_GONE) {
        match_refuse(event, REFUSAL_BAD_STATE, effects);
        return;
    }
    struct effect *emote = match_want(effects, EFFECT_EMOTE);
    emote->player = event->player;
    emote->code = event->emote.code;
    if (event->request_id == 0) return;
    struct effect *ok = match_want(effects, EFFECT_OK);
    ok->player = event->player;
    ok->request_id = event->request_id;
}

static void step_starting(struct match *match, const struct match_event *event,
                          struct effects *effects)
{
    switch ((enum match_event_kind)event->kind) {
    case MATCH_EVENT_ANSWER: match_answer(match, event, effects); return;
    case MATCH_EVENT_EMOTE: show_emote(match, event, effects); return;
    case MATCH_EVENT_PRESENCE: match_apply_presence(match, event, effects); return;
    case MATCH_EVENT_PHASE_TIMER:
        if (is_due(match, event)) match_begin_round(match, event->at, effects);
        return;
    case MATCH_EVENT_GRACE_TIMER: match_grace_over(match, event, effects); return;
    case MATCH_EVENT_SAVED:
    case MATCH_EVENT_SAVE_FAILED: match_fault(match, "a store answer before the start"); return;
    case MATCH_EVENT_CANCEL: match_cancel(match, event, effects); return;
    case MATCH_EVENT_RECOVERED: match_recover(match, event, effects); return;
    }
    match_fault(match, "an event is none of its kinds");
}

static void step_asking(struct match *match, const struct match_event *event,
                        struct effects *effects)
{
    switch ((enum match_event_kind)event->kind) {
    case MATCH_EVENT_ANSWER: match_answer(match, event, effects); return;
    case MATCH_EVENT_EMOTE: show_emote(match, event, effects); return;
    case MATCH_EVENT_PRESENCE: match_apply_presence(match, event, effects); return;
    case MATCH_EVENT_PHASE_TIMER:
        if (is_due(match, event)) match_reveal(match, event->at, effects);
        return;
    case MATCH_EVENT_GRACE_TIMER: match_grace_over(match, event, effects); return;
    case MATCH_EVENT_SAVED:
    case MATCH_EVENT_SAVE_FAILED: match_fault(match, "a store answer during a round"); return;
    case MATCH_EVENT_CANCEL: match_cancel(match, event, effects); return;
    case MATCH_EVENT_RECOVERED: match_recover(match, event, effects); return;
    }
    match_fault(match, "an event is none of its kinds");
}

static void step_revealing(struct match *match, const struct match_event *event,
                           struct effects *effects)
{
    switch ((enum match_event_kind)event->kind) {
    case MATCH_EVENT_ANSWER: match_answer(match, event, effects); return;
    case MATCH_EVENT_EMOTE: show_emote(match, event, effects); return;
    case MATCH_EVENT_PRESENCE: match_apply_presence(match, event, effects); return;
    case MATCH_EVENT_PHASE_TIMER:
        if (is_due(match, event)) match_begin_round(match, event->at, effects);
        return;
    case MATCH_EVENT_GRACE_TIMER: match_grace_over(match, event, effects); return;
    case MATCH_EVENT_SAVED:
    case MATCH_EVENT_SAVE_FAILED: match_fault(match, "a store answer between rounds"); return;
    case MATCH_EVENT_CANCEL: match_cancel(match, event, effects); return;
    case MATCH_EVENT_RECOVERED: match_recover(match, event, effects); return;
    }
    match_fault(match, "an event is none of its kinds");
}

static void step_settling(struct match *match, const struct match_event *event,
                          struct effects *effects)
{
    switch ((enum match_event_kind)event->kind) {
    case MATCH_EVENT_ANSWER: match_answer(match, event, effects); return;
    case MATCH_EVENT_EMOTE: show_emote(match, event, effects); return;
    case MATCH_EVENT_PRESENCE: match_apply_presence(match, event, effects); return;
    case MATCH_EVENT_PHASE_TIMER:
        if (is_due(match, event)) match_saving_timer(match, effects);
        return;
    case MATCH_EVENT_GRACE_TIMER: return; /* Of the play, which is over: it was queued already. */
    case MATCH_EVENT_SAVED: match_saved(match, effects); return;
    case MATCH_EVENT_SAVE_FAILED: match_save_failed(match, event->at, effects); return;
    case MATCH_EVENT_CANCEL: match_cancel(match, event, effects); return;
    case MATCH_EVENT_RECOVERED: match_recover(match, event, effects); return;
    }
    match_fault(match, "an event is none of its kinds");
}

/* What was queued behind the end. Nothing moves; who asked gets an answer. */
static void step_ended(struct match *match, const struct match_event *event,
                       struct effects *effects)
{
    switch ((enum match_event_kind)event->kind) {
    case MATCH_EVENT_ANSWER:
    case MATCH_EVENT_EMOTE: match_refuse(event, REFUSAL_BAD_STATE, effects); return;
    case MATCH_EVENT_PRESENCE:
        if (!event->presence.is_leaving) return;
        /* Where there is no match to leave, nothing happens (docs/protocol.md, Requests and
         * replies). */
        match_confirm_leave(event, effects);
        return;
    case MATCH_EVENT_PHASE_TIMER:
    case MATCH_EVENT_GRACE_TIMER:
    case MATCH_EVENT_SAVED: /* Of a shutdown that did not wait for it. */
    case MATCH_EVENT_SAVE_FAILED:
    case MATCH_EVENT_CANCEL:
    case MATCH_EVENT_RECOVERED: return;
    }
    match_fault(match, "an event is none of its kinds");
}

static void step_in_state(struct match *match, const struct match_event *event,
                          struct effects *effects)
{
    switch ((enum match_state)match->state) {
    case MATCH_STARTING: step_starting(match, event, effects); return;
    case MATCH_ASKING: step_asking(match, event, effects); return;
    case MATCH_REVEALING: step_revealing(match, event, effects); return;
    case MATCH_SETTLING: step_settling(match, event, effects); return;
    case MATCH_ENDED: step_ended(match, event, effects); return;
    }
    match_fault(match, "the state is none of its kinds");
}

void match_step(struct match *match, const struct match_event *event, struct effects *effects)
{
    QR_ASSERT(effects->count == 0);
    QR_ASSERT(event->player < MATCH_PLAYERS_MAX);
    step_in_state(match, event, effects);
    if (match->fault == NULL) match->seq_kept = match->seq;
}

void match_abort(struct match *match, struct effects *effects)
{
    QR_ASSERT(match->fault != NULL);
    effects->count = 0;
    /* The step that found the fault has told nobody what it logged. */
    match->seq = match->seq_kept;
    if (match_has_told_end(match)) return;
    match->phase++;
    match->reason = MATCH_END_CANCELLED;
    match->winner = MATCH_WINNER_NONE;
    match->state = MATCH_ENDED; /* Not by match_move(): its checks are what failed. */
    match_want(effects, EFFECT_PLAY_OVER)->code = CANCEL_FINISHED;
    match_tell(match, MATCH_LOG_END, 0, effects);
    (void)match_want(effects, EFFECT_ENDED); /* Has no fields. */
}
