/* The directories of the journal: the incarnation that is written, how it becomes the valid one, and older ones. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/journal_scan.h"
#include "journal_priv.h"

int journal_dir_open(struct journal *journal)
{
    const char *dir = journal->options.dir;
    uint32_t newest;
    (void)snprintf(journal->path, sizeof(journal->path), "%s", dir); /* What a failure names. */
    int error = journal_scan_newest(dir, &newest);
    if (error != 0) return error;
    journal->incarnation = newest + 1;
    int size =
        snprintf(journal->path, sizeof(journal->path), "%s/%08x.tmp", dir, journal->incarnation);
    QR_ASSERT(size > 0 && (size_t)size < sizeof(journal->path));
    journal->parent_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (journal->parent_fd < 0 || mkdir(journal->path, S_IRWXU) < 0) return -errno;
    journal->dir_fd = open(journal->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return journal->dir_fd < 0 ? -errno : 0;
}

int journal_dir_commit(struct journal *journal, bool has_records)
{
    char path[sizeof(journal->path)];
    size_t length = strlen(journal->path) - strlen(".tmp");
    memcpy(path, journal->path, length);
    path[length] = '\0';
    if (rename(journal->path, path) < 0) return -errno;
    memcpy(journal->path, path, length + 1);
    /* Where nothing was brought over, what a power cut leaves of the name is as good as nothing. */
    return has_records && fsync(journal->parent_fd) < 0 ? -errno : 0;
}

static void remove_directory(int parent_fd, const char *name)
{
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) return;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.')
            (void)unlinkat(fd, entry->d_name, 0); /* The next start tries again. */
    }
    (void)closedir(dir);                           /* And with it fd. */
    (void)unlinkat(parent_fd, name, AT_REMOVEDIR); /* Likewise. */
}

static bool is_older(const struct journal *journal, const char *name)
{
    uint32_t number;
    char rest[8] = "";
    int fields = sscanf(name, "%8x%7s", &number, rest);
    bool is_incarnation = fields >= 1 && (rest[0] == '\0' || strcmp(rest, ".tmp") == 0);
    return is_incarnation && strlen(name) >= 8 && number != journal->incarnation;
}

void journal_dir_remove_older(const struct journal *journal)
{
    /* Not before a power cut leaves the new one: it would find half of the old one. */
    if (fsync(journal->parent_fd) < 0) return; /* The next start removes them. */
    int copy = openat(journal->parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (dir == NULL) return; /* Likewise. */
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (is_older(journal, entry->d_name)) remove_directory(journal->parent_fd, entry->d_name);
    }
    (void)closedir(dir); /* It was only read. */
}
