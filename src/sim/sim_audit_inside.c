/* Looks into the middle of an iteration: at what is healed or forgotten again when it is over. The shard calls these
 * functions in place of its own, by the linker, as in sim_audit_step.c. */

#include "sim_audit_priv.h"
#include "sim_failed.h"

void __real_ghost_begin(struct shard *shard, struct session *session);
void __wrap_ghost_begin(struct shard *shard, struct session *session);
void __real_hosted_deliver_owed(struct shard *shard);
void __wrap_hosted_deliver_owed(struct shard *shard);

void __real_hosted_on_come(struct shard *shard, const struct record_come *record);
void __wrap_hosted_on_come(struct shard *shard, const struct record_come *record);

void __real_lobby_on_away(struct shard *shard, const struct record_away *record);
void __wrap_lobby_on_away(struct shard *shard, const struct record_away *record);

void inside_audit_init(void)
{
}

/* docs/architecture.md, Players without a connection. */
void __wrap_ghost_begin(struct shard *shard, struct session *session)
{
    bool is_keeping = session->state == SESSION_QUEUED && !session->is_rematch &&
                      shard->settings.match.grace_ms > 0 && !shard->is_draining;
    __real_ghost_begin(shard, session);
    if (!is_keeping) return;
    mono_time until = mono_after(shard->now, shard->settings.match.grace_ms);
    bool is_kept = session->state == SESSION_QUEUED && session->ghost_until.ms == until.ms;
    bool is_told = (session->debts & DEBT_AWAY) != 0;
    if (!is_kept || !is_told)
        sim_failed("who is lost in the queue keeps its place: it is %s, and the lobby %s",
                   session_state_name((enum session_state)session->state),
                   is_told ? "hears of it" : "does not hear of it");
}

/* When the iteration is over there may be fewer again. */
void __wrap_lobby_on_away(struct shard *shard, const struct record_away *record)
{
    const struct matchmaker *matchmaker = &shard->lobby->matchmaker;
    const struct world_shard *at = shard->io.context;
    bool are_many = matchmaker->away >= matchmaker->away_bound;
    at->world->audit->are_many_away = at->world->audit->are_many_away || are_many;
    __real_lobby_on_away(shard, record);
}

/* Ids of requests are a connection's own. */
void __wrap_hosted_on_come(struct shard *shard, const struct record_come *record)
{
    const struct hosted *hosted = hosted_find(shard, record->match.handle, &record->match_id);
    uint32_t before = hosted != NULL ? hosted->seats[record->seat].generation : 0;
    __real_hosted_on_come(shard, record);
    hosted = hosted_find(shard, record->match.handle, &record->match_id);
    if (hosted == NULL) return;
    const struct seat *seat = &hosted->seats[record->seat];
    if (seat->generation != before && seat->stale_events != seat->events_queued)
        sim_failed("who is back gets no replies of before: %u events, %u of before",
                   seat->events_queued, seat->stale_events);
}

/* Behind the sweep that shuts matches down, and before they have learnt of it. */
void __wrap_hosted_deliver_owed(struct shard *shard)
{
    for (uint32_t slot = 0; shard->is_shutting_down && slot < shard->matches.touched; slot++) {
        const struct live_match *live = pool_at(&shard->matches, slot);
        if (live == NULL || live->token.reason == CANCEL_NONE) continue;
        if (live->play.reason == CANCEL_NONE)
            sim_failed("a token fires all that hangs on it: a match's, and not its play's");
    }
    __real_hosted_deliver_owed(shard);
}
