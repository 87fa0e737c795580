#include "sqlite_player_priv.h"

#include <string.h>

#include "store_codec_priv.h"

const char sqlite_player_select[] =
    "SELECT name, rating_centi, deviation_centi, volatility_micro, rated_at_ms, recent, opponents"
    " FROM players WHERE player = ?";

enum {
    COLUMN_NAME,
    COLUMN_RATING,
    COLUMN_DEVIATION,
    COLUMN_VOLATILITY,
    COLUMN_RATED_AT,
    COLUMN_RECENT,
    COLUMN_OPPONENTS
};

static bool read_name(sqlite3_stmt *select, char ret_name[NAME_BYTES_MAX + 1])
{
    const unsigned char *name = sqlite3_column_text(select, COLUMN_NAME);
    if (name == NULL) return false; /* No memory. */
    size_t size = (size_t)sqlite3_column_bytes(select, COLUMN_NAME);
    if (size > NAME_BYTES_MAX) return false;
    memcpy(ret_name, name, size);
    ret_name[size] = '\0';
    return true;
}

static int32_t read_int32(sqlite3_stmt *select, int column)
{
    int64_t value = sqlite3_column_int64(select, column);
    return value >= 0 && value <= INT32_MAX ? (int32_t)value : -1; /* Which is beyond all bounds. */
}

static bool read_row(sqlite3_stmt *select, struct player_record *ret_record)
{
    struct rating rating = {
        .rating_centi = read_int32(select, COLUMN_RATING),
        .deviation_centi = read_int32(select, COLUMN_DEVIATION),
        .volatility_micro = read_int32(select, COLUMN_VOLATILITY),
    };
    ret_record->rating = rating;
    ret_record->rated_at.ms = sqlite3_column_int64(select, COLUMN_RATED_AT);
    /* The pointer before the size: asked in this order neither changes the value. */
    const uint8_t *recent = sqlite3_column_blob(select, COLUMN_RECENT);
    size_t recent_size = (size_t)sqlite3_column_bytes(select, COLUMN_RECENT);
    const uint8_t *opponents = sqlite3_column_blob(select, COLUMN_OPPONENTS);
    size_t opponents_size = (size_t)sqlite3_column_bytes(select, COLUMN_OPPONENTS);
    return rating_is_valid(&rating) && read_name(select, ret_record->name) &&
           recent_decode(recent, recent_size, &ret_record->recent) &&
           opponents_decode(opponents, opponents_size, &ret_record->opponents);
}

int sqlite_player_read(sqlite3_stmt *select, const struct id *player,
                       struct player_record *ret_record)
{
    struct player_record record = {.name = ""};
    int code = sqlite3_bind_blob(select, 1, player->bytes, sizeof player->bytes, SQLITE_STATIC);
    if (code == SQLITE_OK) code = sqlite3_step(select);
    if (code == SQLITE_ROW && !read_row(select, &record)) code = SQLITE_MISMATCH;
    (void)sqlite3_reset(select);          /* Repeats the code. */
    (void)sqlite3_clear_bindings(select); /* Cannot fail. */
    if (code == SQLITE_ROW) *ret_record = record;
    return code;
}
