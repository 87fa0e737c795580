/* Records out and in. Everything that goes from one part of the game to another (session, lobby, match, home) goes
 * through here, also within one shard: one way, one order. */

#include "shard_priv.h"

bool post_with_body(struct shard *shard, unsigned to, const void *record, size_t record_bytes,
                    const void *body, size_t body_bytes)
{
    QR_ASSERT(to < shard->settings.count);
    if (!mailbox_push(shard->settings.to[to], record, record_bytes, body, body_bytes)) {
        return false;
    }
    shard->woken |= UINT64_C(1) << to;
    return true;
}

bool post(struct shard *shard, unsigned to, const void *record, size_t record_bytes)
{
    return post_with_body(shard, to, record, record_bytes, NULL, 0);
}

/* False: not now; the record stays where it is, and those behind it wait. */
static bool receive(struct shard *shard, const void *record, size_t bytes)
{
    switch ((enum record_kind)((const uint8_t *)record)[0]) {
    case RECORD_CLAIM: presence_on_claim(shard, record); break;
    case RECORD_GRANT: hello_on_grant(shard, record); break;
    case RECORD_DENY: hello_on_deny(shard, record); break;
    case RECORD_CONFIRM: presence_on_confirm(shard, record); break;
    case RECORD_LET_GO: ghost_on_let_go(shard, record); break;
    case RECORD_STANDING: presence_on_standing(shard, record); break;
    case RECORD_KEEP: presence_on_keep(shard, record); break;
    case RECORD_RELEASE: presence_on_release(shard, record); break;
    case RECORD_JOIN: lobby_on_join(shard, record); break;
    case RECORD_UNJOIN: lobby_on_unjoin(shard, record); break;
    case RECORD_AWAY: lobby_on_away(shard, record); break;
    case RECORD_RETICKET: lobby_on_reticket(shard, record); break;
    case RECORD_UNQUEUED: pairing_on_unqueued(shard, record); break;
    case RECORD_QUEUED: pairing_on_queued(shard, record); break;
    case RECORD_OFFER: pairing_on_offer(shard, record); break;
    case RECORD_ATTACH: lobby_on_attach(shard, record); break;
    case RECORD_REQUEUED: pairing_on_requeued(shard, record); break;
    case RECORD_START: return live_match_on_start(shard, record);
    case RECORD_START_REFUSED: lobby_on_start_refused(shard, record); break;
    case RECORD_COME: hosted_on_come(shard, record); break;
    case RECORD_PLACE: hello_on_place(shard, record); break;
    case RECORD_REQUEST: live_match_on_request(shard, record); break;
    case RECORD_LEVEL: hosted_on_level(shard, record); break;
    case RECORD_DELIVER: {
        const struct record_deliver *deliver = record;
        playing_on_deliver(shard, deliver, (const char *)(deliver + 1),
                           (uint32_t)(bytes - sizeof(*deliver)));
        break;
    }
    case RECORD_FIGURES: pairing_on_figures(shard, record); break;
    }
    return true;
}

/* What a record costs its receiver, in the cheapest ones': the matchmaker's search, a welcome, or a whole match. */
static uint32_t cost_of(const void *record)
{
    switch ((enum record_kind)((const uint8_t *)record)[0]) {
    case RECORD_START: return 16;
    case RECORD_GRANT:
    case RECORD_PLACE: return 8;
    case RECORD_CLAIM:
    case RECORD_STANDING:
    case RECORD_JOIN:
    case RECORD_UNJOIN:
    case RECORD_AWAY:
    case RECORD_RETICKET:
    case RECORD_ATTACH:
    case RECORD_START_REFUSED:
    case RECORD_COME: return 4;
    case RECORD_DENY:
    case RECORD_CONFIRM:
    case RECORD_LET_GO:
    case RECORD_KEEP:
    case RECORD_RELEASE:
    case RECORD_UNQUEUED:
    case RECORD_QUEUED:
    case RECORD_OFFER:
    case RECORD_REQUEUED:
    case RECORD_LEVEL:
    case RECORD_DELIVER: return 2;
    case RECORD_REQUEST:
    case RECORD_FIGURES: return 1;
    }
    QR_UNREACHABLE("a record that is none");
}

/* True: there is more. */
static bool receive_from(struct shard *shard, unsigned from)
{
    struct mailbox *mailbox = shard->settings.from[from];
    uint32_t *left = &shard->records_left[from == shard->settings.index];
    const void *record = NULL;
    size_t bytes = 0;
    while ((record = mailbox_peek(mailbox, &bytes)) != NULL && *left > 0) {
        uint32_t cost = cost_of(record);
        if (!receive(shard, record, bytes)) break;
        mailbox_consume(mailbox);
        *left -= cost < *left ? cost : *left;
    }
    return record != NULL;
}

bool post_receive(struct shard *shard)
{
    unsigned count = shard->settings.count;
    unsigned first = shard->receive_next;
    bool is_more = false;
    shard->receive_next = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned from = (first + i) % count;
        bool had_room = shard->records_left[0] > 0;
        bool is_left = receive_from(shard, from);
        is_more = is_more || is_left;
        /* What the others' share did not reach comes first in the next iteration. */
        bool is_cut = is_left && from != shard->settings.index && shard->records_left[0] == 0;
        if (is_cut && had_room) shard->receive_next = (from + 1) % count;
    }
    return is_more;
}

/* One wake-up a shard and batch. What a shard has left for itself needs none: shard_next_due says that it is due. */
void post_wake(struct shard *shard)
{
    shard->woken &= ~(UINT64_C(1) << shard->settings.index);
    for (unsigned to = 0; shard->woken != 0; to++, shard->woken >>= 1) {
        if ((shard->woken & 1) != 0) shard->io.wake(shard->io.context, to);
    }
}
