#include "recovery_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "edge/clock.h"
#include "edge/journal_store.h"
#include "journal_fixture.h"
#include "proto/journal.h"
#include "recovery_attempt_priv.h"
#include "store_double.h"

enum { MANY = 16, MATCHES_MAX = 64, LOADS_MAX = 4 };

int recovery_begin(void **state)
{
    return desk_begin(state);
}

int recovery_end(void **state)
{
    return desk_end(state);
}

bool has_attempt(struct desk *desk)
{
    return has_file(desk, "attempt");
}

static void append_bytes(struct desk *desk, const uint8_t *bytes, size_t size)
{
    assert_true(journal_append(desk->journal, 0, bytes, size, 0, NULL));
}

static void begin_leaving(struct desk *desk, const struct sim_journal *journal)
{
    begin_run(desk, MANY);
    for (size_t at = 0; at < journal->size;) {
        size_t size;
        memcpy(&size, journal->bytes + at, sizeof(size));
        append_bytes(desk, journal->bytes + at + sizeof(size), size);
        at += sizeof(size) + size;
    }
}

void leave(struct desk *desk, const struct sim_journal *journal)
{
    begin_leaving(desk, journal);
    end_run(desk);
}

void leave_with_result(struct desk *desk, const struct sim_journal *journal, enum left left)
{
    static uint8_t bytes[JOURNAL_RECORD_BYTES_MAX];
    struct match_result result = double_result(1);
    begin_leaving(desk, journal);
    size_t size = journal_write_result(bytes, &result);
    append_bytes(desk, bytes, left == LEFT_UNREADABLE ? size - 1 : size);
    if (left == LEFT_STORED) {
        append_bytes(desk, bytes, journal_write_mark(bytes, JOURNAL_STORED, &result.match));
    }
    end_run(desk);
}

void leave_stop(struct desk *desk, const struct id *match, uint32_t event, bool has_asserted)
{
    struct attempt attempt;
    assert_int_equal(attempt_open(&attempt, desk->dir), 0);
    attempt_at(&attempt, match, event);
    if (has_asserted) recovery_note_assertion();
    attempt_close(&attempt); /* The file stays, as it does when the process ends. */
}

static void hand_on(struct store *store, const struct store_double *database, unsigned count)
{
    struct store_answer answer;
    mono_time until = mono_after(clock_mono(), WAIT_MS);
    while (database->handed < count) {
        assert_true(mono_is_before(clock_mono(), until));
        assert_int_equal(store_take_answers(store, 0, &answer, 1), 0);
        (void)poll(NULL, 0, 1);
    }
}

static void start(struct desk *desk, struct shard *const shards[], unsigned count,
                  struct recovered *recovered)
{
    struct store_double database;
    struct store *store;
    store_double_init(&database);
    open_journal(desk, MANY);
    struct journal_store_options options = {.journal = desk->journal,
                                            .store = &database.store,
                                            .shards = 1,
                                            .matches_max = MATCHES_MAX,
                                            .results_max = 128,
                                            .loads_max = LOADS_MAX};
    assert_int_equal(journal_store_create(&options, &store), 0);
    recovered->error = recovery_replay(recovered->recovery, shards, count, store);
    recovered->stats = recovery_stats(recovered->recovery);
    if (recovered->error == 0) {
        commit(desk);
        recovery_succeeded(recovered->recovery);
        hand_on(store, &database, (unsigned)recovered->stats.results);
    }
    store->class->destroy(store);
    desk->journal = NULL; /* It was the store's. */
    recovered->handed = database.handed;
}

struct recovered recover(struct desk *desk, struct shard *const shards[], unsigned count)
{
    struct recovered recovered = {.recovery = NULL};
    recovered.error = recovery_open(desk->dir, &recovered.recovery);
    if (recovered.error == 0) start(desk, shards, count, &recovered);
    return recovered;
}

void give_up(struct recovered *recovered)
{
    recovery_close(recovered->recovery);
}
