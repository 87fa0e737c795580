#include "recovery_attempt_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/recovery.h"

enum { PATH_BYTES = 512 };

static const char attempt_magic[8] = {'Q', 'R', 'A', 'T', 'T', 'M', 'P', '2'};

/* An assertion knows nothing of whom it stops: this is how it finds the mark. Set by the main thread while matches are
 * played again, and by nobody else. */
static struct attempt_mark *open_mark;

void recovery_note_assertion(void)
{
    if (open_mark != NULL) open_mark->has_asserted = 1;
}

static void path_in(const char *dir, char ret_path[PATH_BYTES])
{
    (void)snprintf(ret_path, PATH_BYTES, "%.*s/attempt", PATH_BYTES - 16,
                   dir); /* Cut, it is not there. */
}

/* Where the last start has stopped becomes one of the stops. */
static void take_over(struct attempt_mark *mark)
{
    if (memcmp(mark->magic, attempt_magic, sizeof(attempt_magic)) != 0) {
        memset(mark, 0, sizeof(*mark));
        memcpy(mark->magic, attempt_magic, sizeof(attempt_magic));
    }
    if (mark->has_asserted != 0) mark->stops[mark->stop_count++ % ATTEMPT_STOPS_MAX] = mark->at;
    mark->has_asserted = 0;
    mark->at = (struct attempt_place){.event = 0};
}

int attempt_open(struct attempt *attempt, const char *dir)
{
    char path[PATH_BYTES];
    path_in(dir, path);
    memset(attempt, 0, sizeof(*attempt));
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) return -errno;
    int error = ftruncate(fd, sizeof(struct attempt_mark)) < 0 ? -errno : 0;
    void *map = error == 0 ? mmap(NULL, sizeof(struct attempt_mark), PROT_READ | PROT_WRITE,
                                  MAP_SHARED, fd, 0)
                           : MAP_FAILED;
    if (error == 0 && map == MAP_FAILED) error = -errno;
    (void)close(fd); /* The map stays. */
    if (error != 0) return error;
    attempt->mark = map;
    take_over(attempt->mark);
    open_mark = attempt->mark;
    return 0;
}

void attempt_close(struct attempt *attempt)
{
    open_mark = NULL;
    if (attempt->mark != NULL) (void)munmap(attempt->mark, sizeof(*attempt->mark));
    attempt->mark = NULL;
}

void attempt_remove(const char *dir)
{
    char path[PATH_BYTES];
    path_in(dir, path);
    (void)unlink(path); /* Where it stays, it says that nothing has stopped. */
}

void attempt_at(struct attempt *attempt, const struct id *match, uint32_t event)
{
    attempt->mark->at = (struct attempt_place){.match = *match, .event = event};
}

void attempt_nowhere(struct attempt *attempt)
{
    open_mark = NULL;
    attempt->mark->at = (struct attempt_place){.event = 0};
}

bool attempt_has_stopped_at(const struct attempt *attempt, const struct id *match, uint32_t event)
{
    const struct attempt_mark *mark = attempt->mark;
    unsigned count = mark->stop_count < ATTEMPT_STOPS_MAX ? mark->stop_count : ATTEMPT_STOPS_MAX;
    for (unsigned i = 0; i < count; i++) {
        if (mark->stops[i].event == event && id_equal(&mark->stops[i].match, match)) return true;
    }
    return false;
}
