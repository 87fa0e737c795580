#include "core/refusal.h"

#include "base/assert.h"

#define REFUSAL_ROW(name, code, retry, message) [REFUSAL_##name] = {code, message, retry},
static const struct {
    const char *code;
    const char *message;
    bool has_retry;
} refusals[REFUSAL_COUNT] = {REFUSALS(REFUSAL_ROW)};
#undef REFUSAL_ROW

static void check(enum refusal refusal)
{
    QR_ASSERT(refusal > REFUSAL_NONE);
    QR_ASSERT(refusal < REFUSAL_COUNT);
}

const char *refusal_code(enum refusal refusal)
{
    check(refusal);
    return refusals[refusal].code;
}

const char *refusal_message(enum refusal refusal)
{
    check(refusal);
    return refusals[refusal].message;
}

bool refusal_has_retry(enum refusal refusal)
{
    check(refusal);
    return refusals[refusal].has_retry;
}
