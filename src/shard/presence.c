/* The home shard's part of presence: which session speaks for a player now.
 *
 * A player's home is found by hash, so that claims of one player, from whatever shards, meet here and have one order.
 * A claim that proves the player makes its session the claimant, unless a newer connection has claimed already: the
 * shards read at their own pace, and a `hello` may be overtaken by the one of the connection that followed. The newest
 * one wins, and one that was overtaken is told so. The holder is asked to let go, and answers with where the player stands (STANDING), or that it has gone
 * (RELEASE, which may have crossed), or that the claim is impossible (KEEP). What it knew travels to whoever is the
 * newest claimant then. */

#include <string.h>

#include "shard_priv.h"

unsigned presence_home(const struct shard *shard, const struct id *player)
{
    /* The last bytes of a player's id are random; the key of the maps differs per shard and cannot be used here. */
    unsigned hash = 0;
    for (unsigned i = 8; i < sizeof(player->bytes); i++) hash = hash * 31 + player->bytes[i];
    return hash % shard->settings.count;
}

static bool is_same(const struct session_ref *a, const struct session_ref *b)
{
    return a->shard == b->shard && handle_equal(a->handle, b->handle);
}

/* In constant time: what is compared comes from clients. */
static bool digests_match(const struct digest *a, const struct digest *b)
{
    unsigned difference = 0;
    for (unsigned i = 0; i < sizeof(a->bytes); i++) difference |= a->bytes[i] ^ b->bytes[i];
    return difference == 0;
}

static const struct takeover *takeover_of(const struct presence *presence)
{
    static const struct takeover nobody; /* Handles NONE. */
    return presence->takeover != NULL ? presence->takeover : &nobody;
}

static struct takeover *borrow_takeover(struct shard *shard, struct presence *presence)
{
    struct handle handle = HANDLE_NONE;
    if (presence->takeover == NULL) presence->takeover = pool_acquire(&shard->takeovers, &handle);
    QR_ASSERT(presence->takeover != NULL); /* One per presence. */
    return presence->takeover;
}

static void give_back_takeover(struct shard *shard, struct presence *presence)
{
    if (presence->takeover == NULL) return;
    pool_release(&shard->takeovers, pool_handle_of(&shard->takeovers, presence->takeover));
    presence->takeover = NULL;
}

static void forget_before(struct shard *shard, struct presence *presence)
{
    const struct takeover *takeover = takeover_of(presence);
    bool is_over =
        handle_is_none(takeover->claimant.handle) && handle_is_none(takeover->refused.handle);
    presence->has_before = false;
    if (is_over) give_back_takeover(shard, presence);
}

static bool proves(const struct presence *presence, const struct record_claim *claim)
{
    return claim->claim != CLAIM_RESUME || digests_match(&presence->secret, &claim->proof) ||
           (presence->has_before && digests_match(&takeover_of(presence)->before, &claim->proof));
}

static struct presence *find(struct shard *shard, const struct id *player)
{
    uint32_t slot = 0;
    if (!map_find(&shard->homes, player, &slot)) return NULL;
    struct presence *presence = pool_at(&shard->presences, slot);
    QR_ASSERT(presence != NULL);
    return presence;
}

static void owe(struct shard *shard, struct presence *presence)
{
    if (!list_is_linked(&presence->owed_node)) {
        list_append(&shard->owed_grants, &presence->owed_node);
    }
}

/* Lost where there is no room: who waits for it asks again. */
static void deny(struct shard *shard, const struct session_ref *session, uint32_t claim_no,
                 enum deny_reason reason)
{
    struct record_deny record = {.kind = RECORD_DENY,
                                 .reason = (uint8_t)reason,
                                 .session = session->handle,
                                 .claim_no = claim_no};
    (void)!post(shard, session->shard, &record, sizeof(record));
}

static void forget_standing(struct shard *shard, struct presence *presence)
{
    if (handle_is_none(presence->standing)) return;
    pool_release(&shard->standings, presence->standing);
    presence->standing = HANDLE_NONE;
}

static void forget(struct shard *shard, struct presence *presence)
{
    list_remove(&presence->owed_node);
    forget_standing(shard, presence);
    give_back_takeover(shard, presence);
    (void)map_remove(&shard->homes, &presence->player); /* It was found just now. */
    pool_release(&shard->presences, presence->self);
}

/* --- Claims. --- */

static void grant_new(struct shard *shard, const struct record_claim *record)
{
    struct handle handle = HANDLE_NONE;
    struct presence *presence = pool_acquire(&shard->presences, &handle);
    QR_ASSERT(presence != NULL); /* One per session that the process has room for. */
    presence->player = record->player;
    presence->self = handle;
    presence->holder = record->session;
    presence->secret = record->secret;
    presence->newest_at = record->connected_at;
    presence->generation = 1;
    presence->owes_grant = true;
    list_init(&presence->owed_node);
    bool is_put = map_put(&shard->homes, &presence->player, handle.slot);
    QR_ASSERT(is_put);
    owe(shard, presence);
}

bool presence_is_known(const struct shard *home, const struct id *player)
{
    uint32_t slot = 0;
    return map_find(&home->homes, player, &slot);
}

bool presence_restore(struct shard *home, const struct id *player, const struct session_ref *holder,
                      const struct digest *secret, const struct digest *before)
{
    if (find(home, player) != NULL) return false;
    struct record_claim claim = {.session = *holder, .player = *player, .secret = *secret};
    grant_new(home, &claim);
    struct presence *presence = find(home, player);
    presence->owes_grant = false; /* The session has all there is. */
    list_remove(&presence->owed_node);
    static const struct digest none;
    /* Its client may not have learnt the newer one. */
    presence->has_before = !digests_match(before, &none);
    if (presence->has_before) borrow_takeover(home, presence)->before = *before;
    return true;
}

static void become_claimant(struct shard *shard, struct presence *presence,
                            const struct record_claim *record)
{
    struct takeover *takeover = borrow_takeover(shard, presence);
    if (!handle_is_none(takeover->claimant.handle)) {
        deny(shard, &takeover->claimant, takeover->claim_no, DENY_OVERTAKEN);
    }
    presence->newest_at = record->connected_at;
    takeover->claimant = record->session;
    takeover->claim_no = record->claim_no;
    takeover->refused = (struct session_ref){HANDLE_NONE, 0};
    takeover->claim = record->claim;
    takeover->is_by_before = record->claim == CLAIM_RESUME && presence->has_before &&
                             digests_match(&takeover->before, &record->proof);
    takeover->claim_secret = record->secret;
    takeover->last_match = record->last_match;
    takeover->last_seq = record->last_seq;
    if (presence->is_letting_go) return; /* The holder has been asked already. */
    presence->is_letting_go = true;
    presence->owes_let_go = true;
    owe(shard, presence);
}

void presence_on_claim(struct shard *shard, const struct record_claim *record)
{
    struct presence *presence = find(shard, &record->player);
    if (presence == NULL) {
        /* A repetition is never granted: what it repeats was answered, and whoever got the answer may be gone. */
        if (record->claim == CLAIM_RESUME || record->is_retry) {
            deny(shard, &record->session, record->claim_no, DENY_UNKNOWN);
        } else {
            grant_new(shard, record);
        }
        return;
    }
    bool is_known = is_same(&presence->holder, &record->session) ||
                    is_same(&takeover_of(presence)->claimant, &record->session);
    if (is_known) return; /* Asked again: the answer is on its way. */
    if (!proves(presence, record)) {
        deny(shard, &record->session, record->claim_no, DENY_UNKNOWN);
    } else if (record->is_conflict) {
        deny(shard, &record->session, record->claim_no, DENY_CONFLICT);
    } else if (record->is_retry) {
        /* It was the newest when it came, and is not any more; what told it so was lost. */
        deny(shard, &record->session, record->claim_no,
             is_same(&takeover_of(presence)->refused, &record->session) ? DENY_AHEAD
                                                                        : DENY_OVERTAKEN);
    } else if (mono_is_before(record->connected_at, presence->newest_at)) {
        deny(shard, &record->session, record->claim_no, DENY_OVERTAKEN);
    } else {
        become_claimant(shard, presence, record);
    }
}

void presence_on_confirm(struct shard *shard, const struct record_confirm *record)
{
    struct presence *presence = find(shard, &record->player);
    if (presence == NULL || !is_same(&presence->holder, &record->session))
        return; /* A newer one has it. */
    forget_before(shard, presence);
}

/* --- The holder's answers. --- */

static void pass_to_claimant(struct shard *shard, struct presence *presence)
{
    struct takeover *takeover = presence->takeover;
    presence->holder = takeover->claimant;
    takeover->claimant = (struct session_ref){HANDLE_NONE, 0};
    presence->is_letting_go = false;
    presence->owes_let_go = false;
    /* The one that the client is known to have. */
    if (!takeover->is_by_before) takeover->before = presence->secret;
    presence->has_before = true;
    presence->secret = takeover->claim_secret;
    presence->generation++;
    presence->owes_grant = true;
    owe(shard, presence);
}

void presence_on_standing(struct shard *shard, const struct record_standing *record)
{
    struct presence *presence = find(shard, &record->player);
    QR_ASSERT(presence != NULL && is_same(&presence->holder, &record->session));
    QR_ASSERT(!handle_is_none(
        takeover_of(presence)
            ->claimant.handle)); /* For whom it was asked; a newer one may be here. */
    forget_standing(shard, presence);
    struct standing *standing = pool_acquire(&shard->standings, &presence->standing);
    QR_ASSERT(standing != NULL); /* One per presence. */
    *standing = record->standing;
    pass_to_claimant(shard, presence);
}

void presence_on_keep(struct shard *shard, const struct record_keep *record)
{
    struct presence *presence = find(shard, &record->player);
    QR_ASSERT(presence != NULL && is_same(&presence->holder, &record->session));
    struct takeover *takeover = presence->takeover;
    QR_ASSERT(takeover != NULL); /* It was asked for somebody. */
    presence->is_letting_go = false;
    if (is_same(&takeover->claimant, &takeover->asked_for)) {
        deny(shard, &takeover->claimant, takeover->claim_no, DENY_AHEAD);
        takeover->refused = takeover->claimant;
        takeover->claimant = (struct session_ref){HANDLE_NONE, 0};
        return;
    }
    /* It was another's claim that was impossible. */
    presence->is_letting_go = true;
    presence->owes_let_go = true;
    owe(shard, presence);
}

void presence_on_release(struct shard *shard, const struct record_release *record)
{
    struct presence *presence = find(shard, &record->player);
    QR_ASSERT(presence != NULL && is_same(&presence->holder, &record->session));
    const struct takeover *takeover = takeover_of(presence);
    if (handle_is_none(takeover->claimant.handle)) {
        forget(shard, presence);
    } else if (takeover->claim == CLAIM_RESUME) {
        deny(shard, &takeover->claimant, takeover->claim_no, DENY_UNKNOWN);
        forget(shard, presence);
    } else {
        forget_standing(shard, presence);
        pass_to_claimant(shard, presence);
        forget_before(shard, presence); /* What it was for is gone. */
    }
}

/* --- What is owed. --- */

static bool pay_grant(struct shard *shard, struct presence *presence)
{
    struct record_grant record = {.kind = RECORD_GRANT,
                                  .session = presence->holder.handle,
                                  .generation = presence->generation};
    const struct standing *standing = pool_resolve(&shard->standings, presence->standing);
    if (standing != NULL) record.standing = *standing;
    if (!post(shard, presence->holder.shard, &record, sizeof(record))) return false;
    forget_standing(shard, presence);
    presence->owes_grant = false;
    return true;
}

static bool pay_let_go(struct shard *shard, struct presence *presence)
{
    struct takeover *takeover = presence->takeover;
    struct record_let_go record = {.kind = RECORD_LET_GO,
                                   .session = presence->holder.handle,
                                   .last_match = takeover->last_match,
                                   .last_seq = takeover->last_seq};
    if (!post(shard, presence->holder.shard, &record, sizeof(record))) return false;
    takeover->asked_for = takeover->claimant;
    presence->owes_let_go = false;
    return true;
}

/* The grant first: who is to let go must know that it holds. */
static bool pay(struct shard *shard, struct presence *presence)
{
    if (presence->owes_grant && !pay_grant(shard, presence)) return false;
    return !presence->owes_let_go || pay_let_go(shard, presence);
}

void presence_pay_all(struct shard *shard)
{
    struct list waiting;
    list_move_all(&shard->owed_grants, &waiting);
    struct list *node;
    bool is_moving = false;
    for (unsigned i = 0; i < PAYMENTS_PER_RUN; i++) {
        if ((node = list_take_first(&waiting)) == NULL) break;
        struct presence *presence = LIST_ITEM(node, struct presence, owed_node);
        if (pay(shard, presence)) {
            is_moving = true;
        } else {
            owe(shard, presence);
        }
    }
    shard_put_off(shard, &waiting, &shard->owed_grants, is_moving);
}
