/* What of a match is written to the journal: its beginning, the events that count, who takes its seats, its end. Each
 * is written before anything that it causes is said, so that no crash takes back what a player has seen. */

#include <string.h>

#include "shard_priv.h"

/* What a client may cause again and again without a trace in the match's log, whose length bounds the rest: taking its
 * seat over, and a new delay that is credited. */
enum { SPARE_RECORDS_MAX = 256 };

_Static_assert(sizeof(struct digest) == sizeof(struct journal_secret), "one is kept as the other");

static bool write(struct shard *shard, size_t bytes)
{
    return shard->io.journal == NULL || shard->io.journal(shard->io.context, shard->record, bytes);
}

static void write_over(struct shard *shard, struct live_match *live)
{
    /* Room is kept for it. */
    (void)!write(shard, journal_write_mark(shard->record, JOURNAL_OVER, &live->hosted.match.id));
}

/* From a gap on a match cannot come about again, so nothing more of it is written, and a crash ends it. */
static void write_of(struct shard *shard, struct live_match *live, size_t bytes)
{
    if (live->is_unjournaled || write(shard, bytes)) return;
    live->is_unjournaled = true;
    write_over(shard, live);
    shard->io.log(shard->io.context,
                  &(struct shard_note){.kind = NOTE_UNJOURNALED, .match = live->hosted.match.id});
}

bool journaling_begin(struct shard *shard, struct live_match *live,
                      const struct record_start *record)
{
    struct journal_side sides[MATCH_PLAYERS_MAX];
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) {
        const struct start_side *side = &record->sides[i];
        memcpy(sides[i].secret.bytes, side->secret.bytes, sizeof(sides[i].secret.bytes));
        sides[i].record = side->entrant.record;
    }
    return write(shard, journal_write_begin(shard->record, &live->hosted.match, sides));
}

static bool has_effect(const struct effects *effects, enum effect_kind kind)
{
    for (uint32_t i = 0; i < effects->count; i++) {
        if (effects->items[i].kind == kind) return true;
    }
    return false;
}

/* Whether the match would be another one without the event. `before` is its state before it. */
static bool counts(const struct match_event *event, const struct effects *effects,
                   enum match_state before, bool has_new_credit)
{
    switch ((enum match_event_kind)event->kind) {
    case MATCH_EVENT_ANSWER: return has_effect(effects, EFFECT_ANSWERED);
    case MATCH_EVENT_EMOTE: return false;
    case MATCH_EVENT_PRESENCE: return has_effect(effects, EFFECT_ANNOUNCE) || has_new_credit;
    /* How often the store was asked is forgotten: a recovery asks it anew. */
    case MATCH_EVENT_PHASE_TIMER: return before != MATCH_SETTLING && effects->count > 0;
    case MATCH_EVENT_SAVE_FAILED: return false;
    case MATCH_EVENT_GRACE_TIMER: return effects->count > 0;
    case MATCH_EVENT_SAVED:
    case MATCH_EVENT_CANCEL:
    case MATCH_EVENT_RECOVERED: return before != MATCH_ENDED;
    }
    QR_UNREACHABLE("an event of an unknown kind");
}

void journaling_step(struct shard *shard, struct live_match *live, struct match_event *event,
                     struct effects *effects)
{
    struct match *match = &live->hosted.match;
    enum match_state before = (enum match_state)match->state;
    uint16_t credit_ms = match->players[event->player].credit_ms;
    if (event->kind == MATCH_EVENT_PRESENCE && live->spare_records >= SPARE_RECORDS_MAX) {
        event->presence.credit_ms = credit_ms;
    }
    match_step(match, event, effects);
    if (match->fault != NULL)
        return; /* It ends without a result: there is nothing to come back to. */
    bool has_new_credit = match->players[event->player].credit_ms != credit_ms;
    if (!counts(event, effects, before, has_new_credit)) return;
    if (has_new_credit) live->spare_records++;
    write_of(shard, live, journal_write_event(shard->record, match, event));
}

void journaling_seat(struct shard *shard, struct live_match *live, const struct record_come *record)
{
    if (live->spare_records >= SPARE_RECORDS_MAX) return;
    live->spare_records++;
    struct journal_seat seat = {.seat = record->seat};
    memcpy(seat.secret.bytes, record->secret.bytes, sizeof(seat.secret.bytes));
    memcpy(seat.shown.bytes, record->shown.bytes, sizeof(seat.shown.bytes));
    write_of(shard, live, journal_write_seat(shard->record, &live->hosted.match.id, &seat));
}

void journaling_over(struct shard *shard, struct live_match *live)
{
    if (!live->is_unjournaled) write_over(shard, live);
}
