/* What a session owes other shards: records that must not be lost, kept as flags until a mailbox takes them. */

#include "shard_priv.h"

void session_owe(struct shard *shard, struct session *session, unsigned debts)
{
    session->debts |= (uint16_t)debts;
    if (!list_is_linked(&session->debt_node)) list_append(&shard->debts, &session->debt_node);
}

static struct session_ref ref_of(const struct shard *shard, const struct session *session)
{
    return (struct session_ref){session->self, (uint16_t)shard->settings.index};
}

static struct match_entrant entrant_of(const struct session *session)
{
    return (struct match_entrant){
        .player = session->player, .record = profile_get(session), .credit_ms = session->credit_ms};
}

static bool post_home(struct shard *shard, const struct session *session, const void *record,
                      size_t bytes)
{
    return post(shard, presence_home(shard, &session->player), record, bytes);
}

static bool pay_claim(struct shard *shard, struct session *session)
{
    struct hello *hello = session->hello;
    struct record_claim record = {.kind = RECORD_CLAIM,
                                  .claim = hello->claim,
                                  .is_conflict = hello->claim == CLAIM_RESUME && hello->is_conflict,
                                  .is_retry = hello->is_claimed,
                                  .session = ref_of(shard, session),
                                  .claim_no = session->claim_no,
                                  .connected_at = session->connected_at,
                                  .player = session->player,
                                  .proof = hello->proof,
                                  .secret = session->secret,
                                  .last_match = hello->last_match,
                                  .last_seq = hello->last_seq};
    if (!post_home(shard, session, &record, sizeof(record))) return false;
    hello->is_claimed = true;
    return true;
}

static bool pay_confirm(struct shard *shard, struct session *session)
{
    struct record_confirm record = {
        .kind = RECORD_CONFIRM, .session = ref_of(shard, session), .player = session->player};
    return post_home(shard, session, &record, sizeof(record));
}

static bool pay_standing(struct shard *shard, struct session *session)
{
    struct record_standing record = {.kind = RECORD_STANDING,
                                     .session = ref_of(shard, session),
                                     .player = session->player,
                                     .standing = ghost_standing(session)};
    if (!post_home(shard, session, &record, sizeof(record))) return false;
    list_remove(&session->gone_node);
    session->has_unseen = false;
    session->is_forgotten = true;
    session->ask_at = (mono_time){UINT64_MAX};
    if (session->state != SESSION_IDLE) session_move(shard, session, SESSION_IDLE);
    session_rearm(shard, session);
    return true;
}

static bool pay_keep(struct shard *shard, struct session *session)
{
    struct record_keep record = {
        .kind = RECORD_KEEP, .session = ref_of(shard, session), .player = session->player};
    return post_home(shard, session, &record, sizeof(record));
}

static bool pay_release(struct shard *shard, struct session *session)
{
    struct record_release record = {
        .kind = RECORD_RELEASE, .session = ref_of(shard, session), .player = session->player};
    return post_home(shard, session, &record, sizeof(record));
}

static bool pay_away(struct shard *shard, struct session *session)
{
    struct record_away record = {
        .kind = RECORD_AWAY, .session = ref_of(shard, session), .ticket = session->ticket};
    return post(shard, LOBBY_SHARD, &record, sizeof(record));
}

static bool pay_reticket(struct shard *shard, struct session *session)
{
    struct record_reticket record = {.kind = RECORD_RETICKET,
                                     .session = ref_of(shard, session),
                                     .generation = session->generation,
                                     .ticket_no = session->ticket_no,
                                     .ticket = session->ticket};
    return post(shard, LOBBY_SHARD, &record, sizeof(record));
}

/* A match against the house needs no lobby: it is played where the player is. */
static bool pay_house(struct shard *shard, struct session *session)
{
    struct record_start record = {.kind = RECORD_START, .mode = MATCH_MODE_HOUSE};
    record.sides[0] = (struct start_side){.session = ref_of(shard, session),
                                          .generation = session->generation,
                                          .ticket_no = session->ticket_no,
                                          .category = session->category,
                                          .since = session->queued_since,
                                          .secret = session->secret,
                                          .entrant = entrant_of(session)};
    struct match_entrant *house = &record.sides[1].entrant;
    house->is_bot = true;
    house->player = (struct id){{0}};
    player_record_init(&house->record, "The House");
    house->record.rating = record.sides[0].entrant.record.rating; /* An equal. */
    record.sides[1].category = QUESTION_CATEGORY_ANY;
    session->told_credit_ms = session->credit_ms;
    return post(shard, shard->settings.index, &record, sizeof(record));
}

static bool pay_come(struct shard *shard, struct session *session)
{
    struct record_come record = {.kind = RECORD_COME,
                                 .seat = session->seat,
                                 .credit_ms = session->credit_ms,
                                 .session = ref_of(shard, session),
                                 .generation = session->generation,
                                 .match = session->match,
                                 .match_id = session->match_id,
                                 .last_match = session->hello->last_match,
                                 .last_seq = session->hello->last_seq,
                                 .secret = session->secret};
    if (session->hello->claim == CLAIM_RESUME) record.shown = session->hello->proof;
    session->told_credit_ms = session->credit_ms;
    return post(shard, session->match.shard, &record, sizeof(record));
}

static bool pay_unjoin(struct shard *shard, struct session *session)
{
    struct record_unjoin record = {.kind = RECORD_UNJOIN, .ticket = session->ticket};
    if (!post(shard, LOBBY_SHARD, &record, sizeof(record))) return false;
    session->ticket = HANDLE_NONE;
    return true;
}

static bool pay_join(struct shard *shard, struct session *session)
{
    struct record_join record = {.kind = RECORD_JOIN,
                                 .category = session->category,
                                 .seat = session->last_seat,
                                 .is_rematch = session->is_rematch,
                                 .rematch = session->last_match,
                                 .session = ref_of(shard, session),
                                 .ticket_no = session->ticket_no,
                                 .request_id = session->join_id,
                                 .rating_centi = profile_get(session).rating.rating_centi,
                                 .player = session->player,
                                 .since = session->queued_since};
    return post(shard, LOBBY_SHARD, &record, sizeof(record));
}

static bool pay_attach(struct shard *shard, struct session *session)
{
    struct record_attach record = {.kind = RECORD_ATTACH,
                                   .side = session->offer_side,
                                   .offer = session->offer,
                                   .generation = session->generation,
                                   .matches = shard->matches.used,
                                   .secret = session->secret,
                                   .entrant = entrant_of(session)};
    session->told_credit_ms = session->credit_ms;
    return post(shard, LOBBY_SHARD, &record, sizeof(record));
}

static bool pay_level(struct shard *shard, struct session *session)
{
    struct record_level record = {.kind = RECORD_LEVEL,
                                  .seat = session->seat,
                                  .flags = session->level_flags,
                                  .last_seq = session->taken_seq,
                                  .credit_ms = session->credit_ms,
                                  .request_id = session->leave_id,
                                  .generation = session->generation,
                                  .session = ref_of(shard, session),
                                  .match = session->match.handle,
                                  .match_id = session->match_id};
    if (!post(shard, session->match.shard, &record, sizeof(record))) return false;
    session->level_flags = 0;
    session->told_credit_ms = session->credit_ms;
    return true;
}

/* In the order in which they must arrive: a claim before its release, the end of one ticket before the next, and
 * where the player stands when everything else has been said. */
static const struct {
    uint16_t debt;
    bool (*pay)(struct shard *shard, struct session *session);
} payments[] = {
    {DEBT_CLAIM, pay_claim},     {DEBT_CONFIRM, pay_confirm},   {DEBT_LEVEL, pay_level},
    {DEBT_UNJOIN, pay_unjoin},   {DEBT_RETICKET, pay_reticket}, {DEBT_AWAY, pay_away},
    {DEBT_JOIN, pay_join},       {DEBT_HOUSE, pay_house},       {DEBT_ATTACH, pay_attach},
    {DEBT_COME, pay_come},       {DEBT_STANDING, pay_standing}, {DEBT_KEEP, pay_keep},
    {DEBT_RELEASE, pay_release},
};

void session_pay(struct shard *shard, struct session *session)
{
    for (unsigned i = 0; i < sizeof(payments) / sizeof(payments[0]); i++) {
        if ((session->debts & payments[i].debt) == 0) continue;
        if (!payments[i].pay(shard, session)) return;
        session->debts = (uint16_t)(session->debts & ~payments[i].debt);
    }
    list_remove(&session->debt_node);
    session_retire_if_done(shard, session);
}

void session_pay_all(struct shard *shard)
{
    struct list waiting;
    list_move_all(&shard->debts, &waiting);
    struct list *node;
    bool is_moving = false;
    for (unsigned i = 0; i < PAYMENTS_PER_RUN; i++) {
        if ((node = list_take_first(&waiting)) == NULL) break;
        struct session *session = LIST_ITEM(node, struct session, debt_node);
        session_pay(shard, session);
        if (session->debts != 0) {
            session_owe(shard, session, 0);
        } else {
            is_moving = true;
        }
    }
    shard_put_off(shard, &waiting, &shard->debts, is_moving);
}
