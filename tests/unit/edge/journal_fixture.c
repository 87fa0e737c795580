#define _GNU_SOURCE

#include "journal_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "edge/clock.h"
#include "proto/journal.h"
#include "temp.h"

enum { LOOK_AGAIN_MS = 2, NUMBER_AT = 1 /* In the id behind the kind. */ };

int desk_begin(void **state)
{
    static struct desk desk;
    memset(&desk, 0, sizeof(desk));
    desk.shards = 1;
    temp_template(desk.dir, sizeof(desk.dir), "journal");
    desk.woken = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    *state = &desk;
    return mkdtemp(desk.dir) == NULL || desk.woken < 0 ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

int desk_end(void **state)
{
    struct desk *desk = *state;
    end_run(desk);
    (void)close(desk->woken);
    return nftw(desk->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- Writing. --- */

static void on_wake(void *context, unsigned shard)
{
    struct desk *desk = context;
    assert_in_range(shard, 0, desk->shards - 1);
    (void)eventfd_write(desk->woken, 1);
}

void open_journal(struct desk *desk, unsigned segments_max)
{
    struct journal_options options = {.dir = desk->dir,
                                      .shards = desk->shards,
                                      .segment_bytes = SEGMENT_BYTES,
                                      .max_bytes = (uint64_t)segments_max * SEGMENT_BYTES,
                                      .wake = on_wake,
                                      .wake_context = desk};
    assert_int_equal(journal_create(&options, &desk->journal), 0);
}

void commit(struct desk *desk)
{
    assert_int_equal(journal_commit(desk->journal), 0);
}

void begin_run(struct desk *desk, unsigned segments_max)
{
    open_journal(desk, segments_max);
    commit(desk);
}

void end_run(struct desk *desk)
{
    journal_destroy(desk->journal);
    desk->journal = NULL;
}

bool try_append(struct desk *desk, unsigned number, size_t bytes)
{
    static uint8_t record[LARGE_BYTES];
    memset(record, 0xa5, sizeof(record));
    record[0] = JOURNAL_SEAT;
    memcpy(record + NUMBER_AT, &number, sizeof(number));
    return journal_append(desk->journal, 0, record, bytes, 0, NULL);
}

static uint64_t position(const struct desk *desk, unsigned shard)
{
    uint64_t at = journal_synced(desk->journal, shard);
    const uint8_t *record;
    size_t bytes;
    while (journal_next(desk->journal, shard, &at, &record, &bytes)) continue;
    return at;
}

static bool has_next_segment(struct desk *desk)
{
    return journal_has_room(desk->journal, 0, RECORD_BYTES, SEGMENT_BYTES / 2);
}

static uint64_t append_sized(struct desk *desk, unsigned number, size_t bytes)
{
    if (journal_is_started(desk->journal)) wait_until(has_next_segment, desk);
    assert_true(try_append(desk, number, bytes));
    return position(desk, 0);
}

uint64_t append(struct desk *desk, unsigned number)
{
    return append_sized(desk, number, RECORD_BYTES);
}

uint64_t append_large(struct desk *desk, unsigned number)
{
    return append_sized(desk, number, LARGE_BYTES);
}

void sync_shard(struct desk *desk, unsigned shard)
{
    uint64_t until = position(desk, shard);
    journal_sync(desk->journal, shard, until);
    while (journal_synced(desk->journal, shard) < until) {
        struct pollfd woken = {.fd = desk->woken, .events = POLLIN};
        assert_int_equal(poll(&woken, 1, WAIT_MS), 1);
        eventfd_t count;
        (void)eventfd_read(desk->woken, &count);
    }
}

void sync_all(struct desk *desk)
{
    sync_shard(desk, 0);
}

void note_synced(struct desk *desk)
{
    sync_all(desk);
    uint8_t bytes[JOURNAL_EVENT_BYTES_MAX];
    struct journal_clock clock = {{1}, {1}, journal_synced(desk->journal, 0)};
    size_t size = journal_write_clock(bytes, &clock);
    assert_true(journal_append(desk->journal, 0, bytes, size, 0, NULL));
}

/* --- Waiting. --- */

void wait_until(bool (*is_so)(struct desk *desk), struct desk *desk)
{
    mono_time until = mono_after(clock_mono(), WAIT_MS);
    while (!is_so(desk)) {
        assert_true(mono_is_before(clock_mono(), until));
        (void)poll(NULL, 0, LOOK_AGAIN_MS);
    }
}

bool has_file(const struct desk *desk, const char *name)
{
    char path[PATH_BYTES];
    path_of(desk, name, path);
    return access(path, F_OK) == 0;
}

/* --- What the disk holds. --- */

void path_of(const struct desk *desk, const char *name, char ret_path[PATH_BYTES])
{
    int size = snprintf(ret_path, PATH_BYTES, "%s/%s", desk->dir, name);
    assert_true(size > 0 && size < PATH_BYTES);
}

void segment_name(unsigned segment, char ret_name[PATH_BYTES])
{
    (void)snprintf(ret_name, PATH_BYTES, "00000001/00-%08x.qrj", segment); /* It fits. */
}

static int open_segment(const struct desk *desk, unsigned segment)
{
    char name[PATH_BYTES], path[PATH_BYTES];
    segment_name(segment, name);
    path_of(desk, name, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

void overwrite(const struct desk *desk, unsigned segment, uint64_t offset, const void *bytes,
               size_t size)
{
    int fd = open_segment(desk, segment);
    assert_int_equal(pwrite(fd, bytes, size, (off_t)offset), (ssize_t)size);
    (void)close(fd);
}

void wipe(const struct desk *desk, unsigned segment, uint64_t offset, size_t size)
{
    void *zeros = calloc(1, size);
    assert_non_null(zeros);
    overwrite(desk, segment, offset, zeros, size);
    free(zeros);
}

void flip(const struct desk *desk, unsigned segment, uint64_t offset)
{
    uint8_t byte;
    int fd = open_segment(desk, segment);
    assert_int_equal(pread(fd, &byte, 1, (off_t)offset), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)offset), 1);
    (void)close(fd);
}

void remove_segment(const struct desk *desk, unsigned segment)
{
    char name[PATH_BYTES], path[PATH_BYTES];
    segment_name(segment, name);
    path_of(desk, name, path);
    assert_int_equal(unlink(path), 0);
}

struct finding scan(const struct desk *desk)
{
    struct journal_scan *scan = NULL;
    struct finding finding = {.count = 0};
    finding.error = journal_scan_open(desk->dir, &scan, &finding.problem);
    if (finding.error != 0) return finding;
    unsigned shard;
    const uint8_t *record;
    size_t bytes;
    while (journal_scan_next(scan, &shard, &record, &bytes)) {
        if (record[0] == JOURNAL_CLOCK) continue;
        assert_true(finding.count < sizeof(finding.numbers) / sizeof(finding.numbers[0]));
        memcpy(&finding.numbers[finding.count++], record + NUMBER_AT, sizeof(unsigned));
    }
    finding.torn = journal_scan_torn(scan, &finding.problem);
    journal_scan_close(scan);
    return finding;
}

void expect_numbers(const struct finding *finding, unsigned first, unsigned last)
{
    assert_int_equal(finding->error, 0);
    assert_int_equal(finding->count, last + 1 - first);
    for (unsigned i = 0; i < finding->count; i++) {
        assert_int_equal(finding->numbers[i], first + i);
    }
}
