/* A record of the journal: proto/journal.h.
 *
 * Whatever a file holds is read or refused, within its bytes. What is read is all there is: written again it is the same
 * bytes; and a match begins from it.
 */
#include <string.h>

#include "base/assert.h"
#include "fuzz.h"
#include "proto/journal.h"

static uint8_t again[JOURNAL_RECORD_BYTES_MAX];

static void expect_same(const uint8_t *bytes, size_t size, size_t size_again)
{
    QR_ASSERT(size_again == size);
    QR_ASSERT(memcmp(again, bytes, size) == 0);
}

static void check_begin(const uint8_t *bytes, size_t size)
{
    static struct journal_begin begin;
    if (journal_read_begin(bytes, size, &begin) != NULL) return;
    if (begin.rules != MATCH_RULES_VERSION) return;
    struct match match;
    struct effects effects = {.count = 0};
    match_restore(&match, &begin.origin, &begin.bank.bank, &effects);
    expect_same(bytes, size, journal_write_begin(again, &match, begin.sides));
}

static void check_seat(const uint8_t *bytes, size_t size, const struct id *match)
{
    struct journal_seat seat;
    if (journal_read_seat(bytes, size, &seat) != NULL) return;
    expect_same(bytes, size, journal_write_seat(again, match, &seat));
}

static void check_event(const uint8_t *bytes, size_t size, const struct id *id)
{
    struct journal_event event;
    if (journal_read_event(bytes, size, &event) != NULL) return;
    struct match match = {.id = *id, .seq = event.seq};
    expect_same(bytes, size, journal_write_event(again, &match, &event.event));
}

static void check_result(const uint8_t *bytes, size_t size)
{
    static struct journal_result result;
    if (journal_read_result(bytes, size, &result) != NULL) return;
    expect_same(bytes, size, journal_write_result(again, &result.result));
}

static void check_clock(const uint8_t *bytes, size_t size)
{
    struct journal_clock clock;
    if (journal_read_clock(bytes, size, &clock) != NULL) return;
    size_t size_again = journal_write_clock(again, &clock);
    QR_ASSERT(size_again == size); /* Of its match nothing is read. */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct journal_head head;
    if (size > JOURNAL_RECORD_BYTES_MAX) return 0;
    if (journal_read_head(bytes, size, &head) != NULL) return 0;
    switch ((enum journal_kind)head.kind) {
    case JOURNAL_BEGIN: check_begin(bytes, size); return 0;
    case JOURNAL_SEAT: check_seat(bytes, size, &head.match); return 0;
    case JOURNAL_EVENT: check_event(bytes, size, &head.match); return 0;
    case JOURNAL_RESULT: check_result(bytes, size); return 0;
    case JOURNAL_CLOCK: check_clock(bytes, size); return 0;
    case JOURNAL_OVER:
    case JOURNAL_STORED: return 0;
    }
    QR_UNREACHABLE("a kind that is none");
}
