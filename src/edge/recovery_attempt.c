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

static const char attempt_magic[8] = {'Q', 'R', 'A', 'T', 'T', 'M', 'P', '1'};

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

int attempt_open(struct attempt *attempt, const char *dir)
{
    char path[PATH_BYTES];
    path_in(dir, path);
    memset(attempt, 0, sizeof(*attempt));
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) return -errno;
    ssize_t size = read(fd, &attempt->before, sizeof(attempt->before));
    bool is_left = size == (ssize_t)sizeof(attempt->before) &&
                   memcmp(attempt->before.magic, attempt_magic, sizeof(attempt_magic)) == 0;
    if (!is_left) memset(&attempt->before, 0, sizeof(attempt->before));
    int error = ftruncate(fd, sizeof(struct attempt_mark)) < 0 ? -errno : 0;
    void *map = error == 0 ? mmap(NULL, sizeof(struct attempt_mark), PROT_READ | PROT_WRITE,
                                  MAP_SHARED, fd, 0)
                           : MAP_FAILED;
    if (error == 0 && map == MAP_FAILED) error = -errno;
    (void)close(fd); /* The map stays. */
    if (error != 0) return error;
    attempt->mark = map;
    memset(attempt->mark, 0, sizeof(*attempt->mark));
    memcpy(attempt->mark->magic, attempt_magic, sizeof(attempt_magic));
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
    attempt->mark->match = *match;
    attempt->mark->event = event;
}

bool attempt_has_stopped_at(const struct attempt *attempt, const struct id *match, uint32_t event)
{
    return attempt->before.has_asserted != 0 && attempt->before.event == event &&
           id_equal(&attempt->before.match, match);
}
