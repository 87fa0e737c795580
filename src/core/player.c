#include "core/player.h"

#include <string.h>

#include "base/assert.h"

void player_record_init(struct player_record *record, const char *name)
{
    size_t name_bytes = strlen(name);
    QR_ASSERT(name_bytes <= NAME_BYTES_MAX);
    memset(record, 0, sizeof *record);
    memcpy(record->name, name, name_bytes + 1);
    record->rating = rating_initial();
}

uint32_t player_idle_days(const struct player_record *record, wall_time now)
{
    if (record->rated_at.ms == 0 || record->rated_at.ms >= now.ms) return 0;
    int64_t days = (now.ms - record->rated_at.ms) / RATING_DAY_MS;
    return days > UINT32_MAX ? UINT32_MAX : (uint32_t)days;
}

uint64_t player_fingerprint(const struct id *player)
{
    /* The last eight bytes of a version 7 UUID are random but for the two bits of its variant: the
     * two random bits before them take their place. */
    uint64_t fingerprint = player->bytes[7];
    fingerprint = fingerprint << 6 | (player->bytes[8] & 0x3f);
    for (unsigned i = 9; i < sizeof player->bytes; i++) {
        fingerprint = fingerprint << 8 | player->bytes[i];
    }
    return fingerprint;
}

void opponents_add(struct recent_opponents *opponents, uint64_t fingerprint, wall_time at)
{
    QR_ASSERT(opponents->count <= RECENT_OPPONENTS_MAX);
    if (opponents->count == RECENT_OPPONENTS_MAX) {
        memmove(&opponents->items[0], &opponents->items[1],
                (RECENT_OPPONENTS_MAX - 1) * sizeof opponents->items[0]);
        opponents->count--;
    }
    opponents->items[opponents->count++] = (struct recent_opponent){fingerprint, at};
}

unsigned opponents_count_today(const struct recent_opponents *opponents, uint64_t fingerprint,
                               wall_time now)
{
    QR_ASSERT(opponents->count <= RECENT_OPPONENTS_MAX);
    unsigned count = 0;
    for (unsigned i = 0; i < opponents->count; i++) {
        const struct recent_opponent *opponent = &opponents->items[i];
        if (opponent->fingerprint != fingerprint) continue;
        if (now.ms - opponent->at.ms < RATING_DAY_MS) count++;
    }
    return count;
}
