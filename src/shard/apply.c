/* A step's effects, each carried out once, in the order in which the match wants them. */

#include <string.h>

#include "shard_priv.h"

/* One frame, the same bytes for all who get it. */
static void announce(struct shard *shard, struct live_match *live, uint16_t seq)
{
    struct hosted *hosted = &live->hosted;
    hosted->announced_seq = seq;
    struct wire wire = shard_wire(shard);
    encode_match_entry(&wire, &hosted->match, seq);
    QR_ASSERT(!wire.is_overflown);
    struct frame *frame = frame_create(&shard->frames, wire.bytes, wire.size);
    /* Without a frame it is encoded again when there is one. */
    for (unsigned i = 0; i < MATCH_PLAYERS_MAX; i++) seat_flush(shard, hosted, i, frame);
    if (frame != NULL) frame_unref(&shard->frames, frame);
}

static void reply(struct shard *shard, struct live_match *live, const struct effect *effect,
                  enum reply_kind kind)
{
    if (kind == REPLY_REFUSE) shard->counters.refusals[effect->refusal]++;
    seat_reply(shard, &live->hosted, effect->player,
               &(struct seat_reply){
                   .kind = (uint8_t)kind,
                   .refusal = effect->refusal,
                   .round = effect->round,
                   .is_dup = effect->is_dup,
                   .request_id = effect->request_id,
               });
}

static void say_droppable(struct shard *shard, struct live_match *live, const struct effect *effect)
{
    struct wire wire = shard_wire(shard);
    const struct id *match = &live->hosted.match.id;
    if (effect->kind == EFFECT_ANSWERED) {
        encode_answered(&wire, match, effect->round, effect->player);
    } else if (effect->kind == EFFECT_EMOTE) {
        encode_emote(&wire, match, effect->player, effect->code);
    } else {
        encode_saving(&wire, match);
    }
    seats_say_droppable(shard, &live->hosted, &wire);
}

static void save(struct shard *shard, struct live_match *live)
{
    match_result_of(&live->hosted.match, &shard->result);
    if (shard->io.save(shard->io.context, live->hosted.self, &shard->result) == 0) return;
    live_match_note_save_failed(shard, live);
    struct match_event event = {.kind = MATCH_EVENT_SAVE_FAILED};
    live_match_push(shard, live, &event);
}

static void end(struct shard *shard, struct live_match *live)
{
    const struct match *match = &live->hosted.match;
    live->hosted.is_ended = true;
    journaling_over(shard, live);
    shard->counters.matches_ended[match->reason]++;
    cancel_fire(&live->token, CANCEL_FINISHED);
    shard->io.log(
        shard->io.context,
        &(struct shard_note){.kind = NOTE_MATCH_ENDED,
                             .match = match->id,
                             .text = match_end_reason_name((enum match_end_reason)match->reason),
                             .number = mono_elapsed(match->created_at, shard->now)});
}

void apply_timer(struct shard *shard, struct live_match *live, const struct effect *effect)
{
    if (effect->kind == EFFECT_ARM_PHASE) {
        wheel_arm(&shard->wheel, &live->phase, effect->at, effect->tag);
    } else if (effect->kind == EFFECT_ARM_GRACE || effect->kind == EFFECT_ARM_BOT) {
        wheel_arm(&shard->wheel, &live->seat_timers[effect->player], effect->at, effect->tag);
    } else if (effect->kind == EFFECT_DISARM_GRACE) {
        wheel_disarm(&shard->wheel, &live->seat_timers[effect->player]);
    } else if (effect->kind == EFFECT_PLAY_OVER) {
        cancel_fire(&live->play, (enum cancel_reason)effect->code);
    }
}

static void apply(struct shard *shard, struct live_match *live, const struct effect *effect)
{
    switch ((enum effect_kind)effect->kind) {
    case EFFECT_ANNOUNCE: announce(shard, live, effect->seq); break;
    case EFFECT_RECEIPT: reply(shard, live, effect, REPLY_RECEIPT); break;
    case EFFECT_REFUSE: reply(shard, live, effect, REPLY_REFUSE); break;
    case EFFECT_LEFT: reply(shard, live, effect, REPLY_LEFT); break;
    case EFFECT_OK: reply(shard, live, effect, REPLY_OK); break;
    case EFFECT_ANSWERED:
    case EFFECT_EMOTE:
    case EFFECT_SAVING: say_droppable(shard, live, effect); break;
    case EFFECT_ARM_PHASE:
    case EFFECT_ARM_GRACE:
    case EFFECT_DISARM_GRACE:
    case EFFECT_ARM_BOT:
    case EFFECT_PLAY_OVER: apply_timer(shard, live, effect); break;
    case EFFECT_SAVE: save(shard, live); break;
    case EFFECT_ENDED: end(shard, live); break;
    }
}

void apply_effects(struct shard *shard, struct live_match *live, const struct effects *effects)
{
    QR_ASSERT(effects->count <= EFFECTS_MAX);
    for (uint32_t i = 0; i < effects->count; i++) apply(shard, live, &effects->items[i]);
}
