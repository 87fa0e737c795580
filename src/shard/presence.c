/* The home shard's part of presence: which session speaks for a player now. A player's home is found by hash, so that
 * two claims of one player, on whatever shards, meet here and have one order. */

#include "shard_priv.h"

unsigned presence_home(const struct shard *shard, const struct id *player)
{
    /* The last bytes of a player's id are random; the key of the maps differs per shard and cannot be used here. */
    unsigned hash = 0;
    for (unsigned i = 8; i < sizeof(player->bytes); i++) hash = hash * 31 + player->bytes[i];
    return hash % shard->settings.count;
}

static void owe_grant(struct shard *shard, struct presence *presence)
{
    if (!list_is_linked(&presence->owed_node)) {
        list_append(&shard->owed_grants, &presence->owed_node);
    }
}

void presence_on_claim(struct shard *shard, const struct record_claim *record)
{
    struct handle handle = HANDLE_NONE;
    struct presence *presence = pool_acquire(&shard->presences, &handle);
    QR_ASSERT(presence != NULL); /* One per session that the process has room for. */
    *presence = (struct presence){
        .player = record->player, .session = record->session, .self = handle};
    list_init(&presence->owed_node);
    bool is_put = map_put(&shard->homes, &presence->player, handle.slot);
    QR_ASSERT(is_put);
    owe_grant(shard, presence);
}

void presence_on_release(struct shard *shard, const struct record_release *record)
{
    uint32_t slot = 0;
    bool is_known = map_find(&shard->homes, &record->player, &slot);
    QR_ASSERT(is_known); /* Claim and release come in order, once each. */
    struct presence *presence = pool_at(&shard->presences, slot);
    QR_ASSERT(presence != NULL);
    list_remove(&presence->owed_node);
    (void)map_remove(&shard->homes, &presence->player); /* It was found just now. */
    pool_release(&shard->presences, presence->self);
}

void presence_pay_all(struct shard *shard)
{
    struct list waiting;
    list_move_all(&shard->owed_grants, &waiting);
    struct list *node;
    while ((node = list_take_first(&waiting)) != NULL) {
        struct presence *presence = LIST_ITEM(node, struct presence, owed_node);
        struct record_grant record = {.kind = RECORD_GRANT, .session = presence->session.handle};
        if (!post(shard, presence->session.shard, &record, sizeof(record))) {
            owe_grant(shard, presence);
        }
    }
}
