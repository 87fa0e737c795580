/* Every step of a match, every move of its state, and every request that goes into its ring: looked at one by one. The
 * shard calls these functions here instead of their own, by the linker (--wrap, CMakeLists.txt): __wrap_x stands for x,
 * and __real_x is x. */

#include <string.h>

#include "sim_audit_priv.h"
#include "sim_failed.h"

#include "match_priv.h"

void __real_match_step(struct match *match, const struct match_event *event,
                       struct effects *effects);
void __wrap_match_step(struct match *match, const struct match_event *event,
                       struct effects *effects);
void __real_match_move(struct match *match, enum match_state next);
void __wrap_match_move(struct match *match, enum match_state next);
void __real_live_match_on_request(struct shard *shard, const struct record_request *record);
void __wrap_live_match_on_request(struct shard *shard, const struct record_request *record);

void step_audit_init(void)
{
}

/* --- Moves. --- */

#define TO(state) (1u << MATCH_##state)

/* As docs/match.md draws it. */
static const unsigned moves[MATCH_STATE_COUNT] = {
    [MATCH_STARTING] = TO(ASKING) | TO(SETTLING),
    [MATCH_ASKING] = TO(REVEALING) | TO(SETTLING),
    [MATCH_REVEALING] = TO(ASKING) | TO(SETTLING),
    [MATCH_SETTLING] = TO(ENDED),
    [MATCH_ENDED] = 0,
};

void __wrap_match_move(struct match *match, enum match_state next)
{
    if ((moves[match->state] >> next & 1) == 0)
        sim_failed("the state moves as its table says: not from %s to %s",
                   match_state_name((enum match_state)match->state), match_state_name(next));
    __real_match_move(match, next);
}

/* --- Steps. --- */

static unsigned count_of(const struct effects *effects, enum effect_kind kind)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < effects->count; i++) count += effects->items[i].kind == kind;
    return count;
}

static bool is_same(const struct match *before, const struct match *after)
{
    return memcmp(before, after, match_bytes(before->settings.rounds)) == 0;
}

static void a_refusal_changes_nothing(const struct match *before, const struct match *after,
                                      const struct effects *effects)
{
    if (count_of(effects, EFFECT_REFUSE) == 0) return;
    if (effects->count == 1 && is_same(before, after)) return;
    sim_failed("a refusal changes nothing: not so in a match, %s",
               refusal_code((enum refusal)effects->items[0].refusal));
}

static void a_request_gets_one_answer(const struct match_event *event,
                                      const struct effects *effects)
{
    bool is_leave = event->kind == MATCH_EVENT_PRESENCE && event->presence.is_leaving;
    bool is_request = event->kind == MATCH_EVENT_ANSWER || event->kind == MATCH_EVENT_EMOTE;
    unsigned due = is_leave || (is_request && event->request_id != 0) ? 1 : 0;
    unsigned answers = count_of(effects, EFFECT_RECEIPT) + count_of(effects, EFFECT_REFUSE) +
                       count_of(effects, EFFECT_LEFT) + count_of(effects, EFFECT_OK);
    if (answers != due)
        sim_failed("every request gets one reply: %u of a step, not %u", answers, due);
}

/* A choice that is there stays as it is; one that comes is of this event, in time. */
static void answers_come_once_and_in_time(const struct match *before, const struct match *after,
                                          const struct match_event *event)
{
    for (unsigned i = 0; i < after->round; i++) {
        for (unsigned seat = 0; seat < MATCH_PLAYERS_MAX; seat++) {
            const struct match_answer *was = &before->rounds[i].answers[seat];
            const struct match_answer *is = &after->rounds[i].answers[seat];
            if (was->choice == is->choice && was->raw_ms == is->raw_ms) continue;
            const struct match_round *round = &before->rounds[i];
            uint64_t raw_ms = mono_elapsed(match_began_at(before, round), event->answer.stamp);
            bool is_it =
                event->kind == MATCH_EVENT_ANSWER && event->player == seat &&
                event->answer.round == i + 1 && before->round == i + 1 &&
                before->state == MATCH_ASKING && was->choice == MATCH_CHOICE_NONE &&
                is->choice == (int8_t)event->answer.choice &&
                !mono_is_before(event->answer.stamp, match_began_at(before, round)) &&
                raw_ms <= (uint64_t)round->credits_ms[seat] + after->settings.round_time_ms;
            if (!is_it)
                sim_failed("one answer counts per player and round: round %u, player %u", i + 1,
                           seat);
        }
    }
}

/* Its deadline, the slack and the largest credit of those who are there. */
static mono_time closes_at(const struct match *match)
{
    const struct match_round *round = &match->rounds[match->round - 1];
    uint32_t credit_ms = 0;
    for (unsigned seat = 0; seat < MATCH_PLAYERS_MAX; seat++) {
        bool is_largest = round->credits_ms[seat] > credit_ms;
        if (is_largest && match->players[seat].presence != PRESENCE_GONE)
            credit_ms = round->credits_ms[seat];
    }
    return mono_after(match_began_at(match, round), (uint64_t)match->settings.round_time_ms +
                                                        match->settings.close_slack_ms + credit_ms);
}

/* docs/protocol.md, The end of a round. */
static void a_round_ends_when_its_time_is_over_or_all_have_answered(const struct match *before,
                                                                    const struct match *after,
                                                                    const struct match_event *event)
{
    bool is_over = before->state == MATCH_ASKING && before->round > 0 &&
                   after->rounds[before->round - 1].is_revealed;
    if (!is_over || !mono_is_before(event->at, closes_at(before))) return;
    for (unsigned seat = 0; seat < MATCH_PLAYERS_MAX; seat++) {
        bool is_missing = after->players[seat].presence != PRESENCE_GONE &&
                          after->rounds[before->round - 1].answers[seat].choice < 0;
        if (is_missing)
            sim_failed("a round ends when its time is over or all have answered: not player %u",
                       seat);
    }
}

/* `end` is in the log once, last, and with a result not before the store has said yes. */
static void an_end_comes_after_its_save(const struct match *before, const struct match *after,
                                        const struct match_event *event)
{
    if (before->state == MATCH_ENDED || after->state != MATCH_ENDED) return;
    if (match_has_result(after) && event->kind != MATCH_EVENT_SAVED)
        sim_failed("end comes after the store's yes: not after %s",
                   match_event_name((enum match_event_kind)event->kind));
}

/* A phase or an absence that is over has another number. */
static void an_old_timer_changes_nothing(const struct match *before, const struct match *after,
                                         const struct match_event *event)
{
    bool is_old = false;
    if (event->kind == MATCH_EVENT_PHASE_TIMER) {
        is_old = event->timer.tag != before->phase || before->state == MATCH_ENDED;
    } else if (event->kind == MATCH_EVENT_GRACE_TIMER) {
        const struct match_player *player = &before->players[event->player];
        is_old = event->timer.tag != player->absences || player->presence != PRESENCE_AWAY;
    }
    if (is_old && !is_same(before, after))
        sim_failed("an old timer changes nothing: %s in %s",
                   match_event_name((enum match_event_kind)event->kind),
                   match_state_name((enum match_state)before->state));
}

/* The log has room for so many absences. */
static void who_was_away_too_often_is_gone(const struct match *match)
{
    if (match_is_settling(match)) return;
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct match_player *player = &match->players[i];
        if (player->absences == ABSENCES_MAX && player->presence != PRESENCE_GONE)
            sim_failed("who was away too often is gone: not player %u", i);
    }
}

/* Which wall clock it is that a match goes on by. */
static void note_recovered(struct match *match, const struct match_event *event)
{
    if (event->kind != MATCH_EVENT_RECOVERED) return;
    const struct live_match *live = LIST_ITEM(match, struct live_match, hosted.match);
    const struct world_shard *at = live->shard->io.context;
    referee_on_recovered(&at->world->referee, &match->id, event->recovered.wall_offset_ms);
}

/* docs/match.md, The server was gone. */
static void a_recovery_gives_the_grace_anew(const struct match *after,
                                            const struct match_event *event,
                                            const struct effects *effects)
{
    if (event->kind != MATCH_EVENT_RECOVERED || match_is_settling(after)) return;
    for (unsigned seat = 0; seat < MATCH_PLAYERS_MAX; seat++) {
        bool is_armed = after->players[seat].presence != PRESENCE_AWAY;
        for (uint32_t i = 0; i < effects->count; i++) {
            const struct effect *effect = &effects->items[i];
            is_armed = is_armed || (effect->kind == EFFECT_ARM_GRACE && effect->player == seat &&
                                    effect->at.ms == event->at.ms + after->settings.grace_ms);
        }
        if (!is_armed) sim_failed("a recovery gives the grace anew: not to player %u", seat);
    }
}

void __wrap_match_step(struct match *match, const struct match_event *event,
                       struct effects *effects)
{
    struct match before;
    /* With what lies between its members. */
    memcpy(&before, match, match_bytes(match->settings.rounds));
    __real_match_step(match, event, effects);
    answer_audit(&before, match, event, effects);
    a_refusal_changes_nothing(&before, match, effects);
    a_request_gets_one_answer(event, effects);
    answers_come_once_and_in_time(&before, match, event);
    a_round_ends_when_its_time_is_over_or_all_have_answered(&before, match, event);
    an_end_comes_after_its_save(&before, match, event);
    an_old_timer_changes_nothing(&before, match, event);
    who_was_away_too_often_is_gone(match);
    a_recovery_gives_the_grace_anew(match, event, effects);
    note_recovered(match, event);
}

/* --- Requests. --- */

/* Two places are each player's, the second for an answer; and emotes take half of the clients' slots at most. */
static void an_emote_takes_no_place_of_an_answer(const struct live_match *live, unsigned seat,
                                                 const struct ring *before, unsigned queued)
{
    const struct ring *ring = &live->events;
    if (live->hosted.seats[seat].events_queued == queued) return; /* Refused. */
    const struct ring_store *store = ring->store;
    bool has_room = 2u * before->client_count < (unsigned)store->slots - store->reserve &&
                    queued < CLIENT_EVENTS_PER_PLAYER - 1;
    if (!has_room || ring_last_class(ring) != RING_DROPPABLE)
        sim_failed("an emote takes no place of an answer: behind %u of its player, %u of all",
                   queued, before->client_count);
}

void __wrap_live_match_on_request(struct shard *shard, const struct record_request *record)
{
    const struct live_match *live = pool_resolve(&shard->matches, record->match);
    struct ring before = {.items = NULL};
    unsigned queued = 0;
    if (live != NULL) {
        before = live->events;
        queued = live->hosted.seats[record->seat].events_queued;
    }
    __real_live_match_on_request(shard, record);
    if (live == NULL) return;
    const struct ring *ring = &live->events;
    if (record->event == MATCH_EVENT_EMOTE)
        an_emote_takes_no_place_of_an_answer(live, record->seat, &before, queued);
    if (ring->reserved_count != before.reserved_count ||
        ring->client_count > ring->store->slots - ring->store->reserve)
        sim_failed("no client's event takes a reserved slot: %u of %u", ring->reserved_count,
                   ring->store->reserve);
    if (live->hosted.seats[record->seat].events_queued > CLIENT_EVENTS_PER_PLAYER ||
        ring->client_count > CLIENT_EVENTS_PER_PLAYER * MATCH_PLAYERS_MAX)
        sim_failed("no player has more events in a ring than its share: %u",
                   live->hosted.seats[record->seat].events_queued);
    if (ring_count(ring) > 0 && !list_is_linked(&live->run_node))
        sim_failed("a match with events is runnable: not after a request");
}
