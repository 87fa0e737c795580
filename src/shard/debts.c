/* What a session owes other shards: records that must not be lost, kept as flags until a mailbox takes them. */

#include <string.h>

#include "shard_priv.h"

void session_owe(struct shard *shard, struct session *session, unsigned debts)
{
    session->debts |= (uint8_t)debts;
    if (!list_is_linked(&session->debt_node)) list_append(&shard->debts, &session->debt_node);
}

static struct session_ref ref_of(const struct shard *shard, const struct session *session)
{
    return (struct session_ref){session->self, (uint16_t)shard->settings.index};
}

static bool pay_claim(struct shard *shard, struct session *session)
{
    struct record_claim record = {.kind = RECORD_CLAIM,
                                  .session = ref_of(shard, session),
                                  .player = session->player};
    return post(shard, presence_home(shard, &session->player), &record, sizeof(record));
}

static bool pay_release(struct shard *shard, struct session *session)
{
    struct record_release record = {.kind = RECORD_RELEASE,
                                    .session = ref_of(shard, session),
                                    .player = session->player};
    return post(shard, presence_home(shard, &session->player), &record, sizeof(record));
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
                                 .session = ref_of(shard, session),
                                 .ticket_no = session->ticket_no,
                                 .request_id = session->join_id,
                                 .rating_centi = session->rating_centi,
                                 .player = session->player,
                                 .since = session->queued_since};
    return post(shard, LOBBY_SHARD, &record, sizeof(record));
}

static bool pay_attach(struct shard *shard, struct session *session)
{
    struct record_attach record = {.kind = RECORD_ATTACH,
                                   .side = session->offer_side,
                                   .offer = session->offer,
                                   .matches = shard->matches.used};
    record.entrant = (struct match_entrant){.player = session->player,
                                            .rating_centi = session->rating_centi,
                                            .recent = session->recent};
    memcpy(record.entrant.name, session->name, sizeof(record.entrant.name));
    return post(shard, LOBBY_SHARD, &record, sizeof(record));
}

static bool pay_level(struct shard *shard, struct session *session)
{
    struct record_level record = {.kind = RECORD_LEVEL,
                                  .seat = session->seat,
                                  .flags = session->level_flags,
                                  .last_seq = session->taken_seq,
                                  .request_id = session->leave_id,
                                  .match = session->match.handle};
    if (!post(shard, session->match.shard, &record, sizeof(record))) return false;
    session->level_flags = 0;
    return true;
}

/* In the order in which they must arrive: a claim before its release, the end of one ticket before the next. */
static const struct {
    uint8_t debt;
    bool (*pay)(struct shard *shard, struct session *session);
} payments[] = {
    {DEBT_CLAIM, pay_claim},   {DEBT_LEVEL, pay_level},   {DEBT_UNJOIN, pay_unjoin},
    {DEBT_JOIN, pay_join},     {DEBT_ATTACH, pay_attach}, {DEBT_RELEASE, pay_release},
};

void session_pay(struct shard *shard, struct session *session)
{
    for (unsigned i = 0; i < sizeof(payments) / sizeof(payments[0]); i++) {
        if ((session->debts & payments[i].debt) == 0) continue;
        if (!payments[i].pay(shard, session)) return;
        session->debts = (uint8_t)(session->debts & ~payments[i].debt);
    }
    list_remove(&session->debt_node);
    session_retire_if_done(shard, session);
}

void session_pay_all(struct shard *shard)
{
    struct list waiting;
    list_move_all(&shard->debts, &waiting);
    struct list *node;
    while ((node = list_take_first(&waiting)) != NULL) {
        struct session *session = LIST_ITEM(node, struct session, debt_node);
        session_pay(shard, session);
        if (session->debts != 0) session_owe(shard, session, 0);
    }
}
