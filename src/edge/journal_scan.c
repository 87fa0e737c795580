#include "edge/journal_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/journal.h"
#include "journal_file_priv.h"
#include "proto/journal.h"

struct scanned {
    unsigned shard;
    uint32_t number;
    const uint8_t *map;
    size_t size;
    size_t end;     /* Behind the last record that can be read. */
    bool is_behind; /* A torn one: nothing counts. */
};

struct journal_scan {
    char path[JOURNAL_PATH_BYTES];
    struct scanned *segments; /* By shard and number. */
    unsigned count;
    unsigned at; /* The next record's segment, */
    size_t offset;
    size_t last; /* The offset of the one that was returned. */
    unsigned torn_count;
    struct journal_problem torn;
};

/* --- Which. --- */

static bool parse_incarnation(const char *name, uint32_t *ret_number, bool *ret_is_whole)
{
    char again[16];
    if (sscanf(name, "%8x", ret_number) != 1) return false;
    (void)snprintf(again, sizeof(again), "%08x", *ret_number); /* It fits. */
    *ret_is_whole = strcmp(name, again) == 0;
    return *ret_is_whole || (strncmp(name, again, 8) == 0 && strcmp(name + 8, ".tmp") == 0);
}

static int find_newest(const char *path, bool must_be_whole, uint32_t *ret_number)
{
    uint32_t found = 0, number;
    bool is_whole;
    DIR *dir = opendir(path);
    if (dir == NULL) return -errno;
    struct dirent *entry;
    while (errno = 0, (entry = readdir(dir)) != NULL) {
        if (!parse_incarnation(entry->d_name, &number, &is_whole)) continue;
        if ((is_whole || !must_be_whole) && number > found) found = number;
    }
    int error = -errno;  /* One that is overlooked is lost. */
    (void)closedir(dir); /* It was only read. */
    if (error == 0) *ret_number = found;
    return error;
}

int journal_scan_newest(const char *dir, uint32_t *ret_number)
{
    return find_newest(dir, false, ret_number);
}

/* --- Mapping. --- */

static void name_problem(struct journal_problem *problem, const struct journal_scan *scan,
                         const struct scanned *segment, uint64_t offset, const char *what)
{
    char name[JOURNAL_NAME_BYTES];
    journal_file_name(segment->shard, segment->number, name);
    (void)snprintf(problem->file, sizeof(problem->file), "%.*s/%s",
                   (int)(sizeof(problem->file) - sizeof(name) - 1), scan->path,
                   name); /* Cut, it still tells. */
    problem->offset = offset;
    problem->what = what;
}

static void name_directory(struct journal_problem *problem, const char *path)
{
    (void)snprintf(problem->file, sizeof(problem->file), "%s", path); /* Cut, it still tells. */
    problem->offset = 0;
    problem->what = "the directory cannot be read";
}

static int map_segment(const struct journal_scan *scan, int dir_fd, const char *name,
                       struct scanned *segment, struct journal_problem *problem)
{
    struct stat status;
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    int error = fd < 0 || fstat(fd, &status) < 0 ? -errno : 0;
    if (error == 0 && status.st_size > 0) {
        segment->size = (size_t)status.st_size;
        void *map = mmap(NULL, segment->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED) error = -errno;
        segment->map = error == 0 ? map : NULL;
    }
    if (fd >= 0) (void)close(fd); /* It was only read. */
    if (error != 0) name_problem(problem, scan, segment, 0, "the file cannot be read");
    return error;
}

static int by_shard_and_number(const void *a, const void *b)
{
    const struct scanned *first = a, *second = b;
    if (first->shard != second->shard) return first->shard < second->shard ? -1 : 1;
    return first->number < second->number ? -1 : first->number > second->number;
}

static int add_segment(struct journal_scan *scan, int dir_fd, const char *name,
                       struct journal_problem *problem)
{
    struct scanned segment = {.shard = 0};
    if (!journal_file_parse(name, &segment.shard, &segment.number)) return 0; /* Not ours. */
    int error = map_segment(scan, dir_fd, name, &segment, problem);
    if (error != 0) return error;
    void *larger = realloc(scan->segments, (scan->count + 1) * sizeof(*scan->segments));
    if (larger == NULL) {
        if (segment.map != NULL) (void)munmap((void *)segment.map, segment.size);
        return -ENOMEM;
    }
    scan->segments = larger;
    scan->segments[scan->count++] = segment;
    return 0;
}

static int map_all(struct journal_scan *scan, struct journal_problem *problem)
{
    DIR *dir = opendir(scan->path);
    int error = dir == NULL ? -errno : 0;
    struct dirent *entry;
    if (error != 0) name_directory(problem, scan->path);
    while (error == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
        error = add_segment(scan, dirfd(dir), entry->d_name, problem);
    }
    if (error == 0 && errno != 0) {
        error = -errno; /* A segment that is overlooked is lost. */
        name_directory(problem, scan->path);
    }
    if (dir != NULL) (void)closedir(dir); /* It was only read. */
    if (scan->count > 0) {
        qsort(scan->segments, scan->count, sizeof(*scan->segments), by_shard_and_number);
    }
    return error;
}

/* --- What can be read, and what was synced. --- */

static bool has_our_head(const struct scanned *segment)
{
    struct journal_file_head head;
    if (segment->size < sizeof(head)) return false;
    memcpy(&head, segment->map, sizeof(head));
    return memcmp(head.magic, journal_magic, sizeof(head.magic)) == 0 &&
           head.shard == segment->shard && head.number == segment->number;
}

/* Goes on behind a record that can be read; elsewhere to the next place where one may begin. */
static uint64_t synced_by(const struct scanned *segment)
{
    uint64_t synced = 0;
    size_t offset = JOURNAL_HEAD_BYTES;
    while (offset + JOURNAL_FRAME_BYTES <= segment->size) {
        const uint8_t *record;
        size_t bytes;
        struct journal_head head;
        struct journal_clock clock;
        enum journal_frame frame =
            journal_frame_read(segment->map + offset, segment->size - offset, &record, &bytes);
        offset += frame == FRAME_RECORD ? journal_frame_bytes(bytes) : journal_frame_bytes(0);
        if (frame != FRAME_RECORD || journal_read_head(record, bytes, &head) != NULL) continue;
        if (head.kind != JOURNAL_CLOCK || journal_read_clock(record, bytes, &clock) != NULL) {
            continue;
        }
        if (clock.synced > synced) synced = clock.synced;
    }
    return synced;
}

/* Returns what stopped it, NULL: nothing. */
static const char *find_end(struct scanned *segment)
{
    size_t offset = JOURNAL_HEAD_BYTES;
    if (!has_our_head(segment)) return "the head is not that of a journal's segment";
    while (true) {
        const uint8_t *record;
        size_t bytes;
        struct journal_head head;
        enum journal_frame frame =
            journal_frame_read(segment->map + offset, segment->size - offset, &record, &bytes);
        segment->end = offset;
        if (frame == FRAME_END) return NULL;
        if (frame == FRAME_BROKEN) return "a record's checksum is wrong";
        const char *what = journal_read_head(record, bytes, &head);
        if (what != NULL) return what;
        offset += journal_frame_bytes(bytes);
    }
}

/* Where something is wrong, and what; NULL: nothing is. */
struct flaw {
    struct scanned at; /* Its end is the place. */
    const char *what;
};

static uint64_t before_of(const struct scanned *segment)
{
    struct journal_file_head head;
    if (!has_our_head(segment)) return 0;
    memcpy(&head, segment->map, sizeof(head));
    return head.before;
}

/* What is wrong between a segment and the one before it. */
static struct flaw find_hole(const struct scanned *last, const struct scanned *segment)
{
    if (segment->number != last->number + 1) {
        struct scanned missing = {.shard = last->shard, .number = last->number + 1};
        return (struct flaw){missing, "the segment is missing"};
    }
    if (before_of(segment) > last->end) return (struct flaw){*last, "records are missing here"};
    return (struct flaw){.what = NULL};
}

static uint64_t position_in(const struct scanned *segment)
{
    return (uint64_t)segment->number << 32 | segment->end;
}

static struct flaw find_flaw(struct scanned *segments, unsigned i, uint64_t synced)
{
    struct scanned *segment = &segments[i];
    struct flaw flaw = {.what = find_end(segment)};
    if (i > 0) {
        struct flaw hole = find_hole(&segments[i - 1], segment);
        if (hole.what != NULL) return hole;
    }
    flaw.at = *segment;
    bool was_more = position_in(segment) < synced && synced >> 32 == segment->number;
    if (flaw.what == NULL && was_more) flaw.what = "records that were synced are missing";
    return flaw;
}

/* One shard's segments: `count` of them. Behind a torn one nothing counts. */
static int check_lane(struct journal_scan *scan, struct scanned *segments, unsigned count,
                      struct journal_problem *problem)
{
    uint64_t synced = 0;
    bool is_torn = false;
    for (unsigned i = 0; i < count; i++) {
        uint64_t by = synced_by(&segments[i]);
        if (by > synced) synced = by;
    }
    for (unsigned i = 0; i < count; i++) {
        struct flaw flaw = find_flaw(segments, i, synced);
        if (flaw.what != NULL && position_in(&flaw.at) < synced) {
            name_problem(problem, scan, &flaw.at, flaw.at.end, flaw.what);
            return -EBADMSG;
        }
        if (flaw.what != NULL && !is_torn) {
            scan->torn_count++;
            name_problem(&scan->torn, scan, &flaw.at, flaw.at.end, flaw.what);
        }
        /* Within this one what is before the flaw counts, if that is where it is. */
        bool is_behind = is_torn || (flaw.what != NULL && flaw.at.number != segments[i].number);
        is_torn = is_torn || flaw.what != NULL;
        if (is_behind) segments[i].is_behind = true;
    }
    return 0;
}

static int check_all(struct journal_scan *scan, struct journal_problem *problem)
{
    unsigned first = 0;
    while (first < scan->count) {
        unsigned count = 1;
        while (first + count < scan->count &&
               scan->segments[first + count].shard == scan->segments[first].shard) {
            count++;
        }
        int error = check_lane(scan, &scan->segments[first], count, problem);
        if (error != 0) return error;
        first += count;
    }
    return 0;
}

/* --- Life. --- */

int journal_scan_open(const char *dir, struct journal_scan **ret_scan,
                      struct journal_problem *reterr_problem)
{
    struct journal_scan *scan = calloc(1, sizeof(*scan));
    *reterr_problem = (struct journal_problem){.what = "there is no memory"};
    if (scan == NULL) return -ENOMEM;
    uint32_t number = 0;
    int error = find_newest(dir, true, &number);
    if (error != 0) name_directory(reterr_problem, dir);
    if (number != 0) {
        (void)snprintf(scan->path, sizeof(scan->path), "%.*s/%08x", JOURNAL_PATH_BYTES - 16, dir,
                       number); /* Cut, it is not there. */
        error = map_all(scan, reterr_problem);
        if (error == 0) error = check_all(scan, reterr_problem);
    }
    if (error != 0) {
        journal_scan_close(scan);
        return error;
    }
    journal_scan_rewind(scan);
    *ret_scan = scan;
    return 0;
}

void journal_scan_close(struct journal_scan *scan)
{
    if (scan == NULL) return;
    for (unsigned i = 0; i < scan->count; i++) {
        const struct scanned *segment = &scan->segments[i];
        if (segment->map != NULL) (void)munmap((void *)segment->map, segment->size);
    }
    free(scan->segments);
    free(scan);
}

void journal_scan_rewind(struct journal_scan *scan)
{
    scan->at = 0;
    scan->offset = JOURNAL_HEAD_BYTES;
}

bool journal_scan_next(struct journal_scan *scan, unsigned *ret_shard, const uint8_t **ret_record,
                       size_t *ret_bytes)
{
    while (scan->at < scan->count) {
        const struct scanned *segment = &scan->segments[scan->at];
        if (scan->offset < segment->end && !segment->is_behind) {
            enum journal_frame frame = journal_frame_read(
                segment->map + scan->offset, segment->size - scan->offset, ret_record, ret_bytes);
            QR_ASSERT(frame == FRAME_RECORD); /* It was read when the scan was opened. */
            *ret_shard = segment->shard;
            scan->last = scan->offset;
            scan->offset += journal_frame_bytes(*ret_bytes);
            return true;
        }
        scan->at++;
        scan->offset = JOURNAL_HEAD_BYTES;
    }
    return false;
}

void journal_scan_name_last(const struct journal_scan *scan, struct journal_problem *ret_problem)
{
    name_problem(ret_problem, scan, &scan->segments[scan->at], scan->last, NULL);
}

unsigned journal_scan_torn(const struct journal_scan *scan, struct journal_problem *ret_problem)
{
    *ret_problem = scan->torn;
    return scan->torn_count;
}
