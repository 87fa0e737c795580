#include "core/emote.h"

#include <string.h>

#include "base/assert.h"

#define EMOTE_ROW(code) code,
static const char *const emotes[EMOTE_COUNT] = {EMOTES(EMOTE_ROW)};
#undef EMOTE_ROW

const char *emote_code(uint8_t emote)
{
    QR_ASSERT(emote < EMOTE_COUNT);
    return emotes[emote];
}

bool emote_find(const char *code, uint8_t *ret_emote)
{
    for (uint8_t emote = 0; emote < EMOTE_COUNT; emote++) {
        if (strcmp(emotes[emote], code) != 0) continue;
        *ret_emote = emote;
        return true;
    }
    return false;
}
