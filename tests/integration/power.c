/* For LD_PRELOAD: a disk that loses its power. What is synced below the directory that QUIZRUSH_DISK_ROOT names is copied
 * to QUIZRUSH_DISK_SHADOW, and nothing else: fsync() and fdatasync() of a file copy what is in it, fsync() of a directory
 * notes the names that are in it. power.py makes of the shadow what a start finds after a power cut.
 *
 *     SHADOW/root        the key of the root
 *     SHADOW/i/KEY       what is in a file
 *     SHADOW/d/KEY       the names in a directory, each "KEY NAME"
 *
 * A key is the inode and its time of birth, since inodes are used again. What is there when the process begins has been
 * synced. Nothing reaches a real disk. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_BYTES = 64, SYNC_MS = 100 };

static const char *root, *shadow;
static int is_slow; /* Where a file is written; not while what is there is noted. */

/* A test of what is lost must not pass because nothing could be noted. */
static void must(int holds)
{
    if (!holds) abort();
}

static int key_of(int fd, const char *name, char key[KEY_BYTES])
{
    struct statx status;
    int flags = AT_SYMLINK_NOFOLLOW | (name[0] == '\0' ? AT_EMPTY_PATH : 0);
    if (statx(fd, name, flags, STATX_INO | STATX_BTIME | STATX_TYPE, &status) != 0) return -1;
    must((status.stx_mask & STATX_BTIME) != 0);
    (void)snprintf(key, KEY_BYTES, "%llu-%lld.%u", (unsigned long long)status.stx_ino,
                   (long long)status.stx_btime.tv_sec, (unsigned)status.stx_btime.tv_nsec);
    return S_ISDIR(status.stx_mode);
}

/* Each appears whole or not at all: a kill may come at any time. And late, with what was there when the sync began: who
 * does not wait for the disk shall lose. */
static void move_in(const char *temporary, char kind, const char *key)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/%c/%s", shadow, kind, key);
    if (is_slow && kind == 'i') (void)poll(NULL, 0, SYNC_MS);
    must(rename(temporary, path) == 0);
}

static void temporary_path(char path[PATH_MAX])
{
    (void)snprintf(path, PATH_MAX, "%s/t-%d", shadow, (int)gettid());
}

static void keep_file(int fd)
{
    char key[KEY_BYTES], from_path[64], temporary[PATH_MAX];
    must(key_of(fd, "", key) == 0);
    (void)snprintf(from_path, sizeof(from_path), "/proc/self/fd/%d", fd);
    temporary_path(temporary);
    int from = open(from_path, O_RDONLY | O_CLOEXEC);
    int to = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    must(from >= 0 && to >= 0);
    ssize_t sent;
    do sent = sendfile(to, from, NULL, 1 << 30);
    while (sent > 0);
    must(sent == 0);
    (void)close(from);
    (void)close(to);
    move_in(temporary, 'i', key);
}

static DIR *open_directory(int fd)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(copy >= 0);
    return fdopendir(copy);
}

static void keep_names(int fd)
{
    char key[KEY_BYTES], temporary[PATH_MAX];
    must(key_of(fd, "", key) == 1);
    temporary_path(temporary);
    FILE *out = fopen(temporary, "we");
    DIR *dir = open_directory(fd);
    must(out != NULL && dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char child[KEY_BYTES];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (key_of(dirfd(dir), entry->d_name, child) < 0) continue; /* Gone meanwhile. */
        fprintf(out, "%s %s\n", child, entry->d_name);
    }
    (void)closedir(dir);
    must(fclose(out) == 0);
    move_in(temporary, 'd', key);
}

static void keep_all(int fd)
{
    keep_names(fd);
    DIR *dir = open_directory(fd);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        int child = openat(dirfd(dir), entry->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        struct stat status;
        must(child >= 0 && fstat(child, &status) == 0);
        if (S_ISDIR(status.st_mode)) keep_all(child);
        if (S_ISREG(status.st_mode)) keep_file(child);
        (void)close(child);
    }
    (void)closedir(dir);
}

__attribute__((constructor)) static void begin(void)
{
    char path[PATH_MAX], key[KEY_BYTES];
    root = getenv("QUIZRUSH_DISK_ROOT");
    shadow = getenv("QUIZRUSH_DISK_SHADOW");
    must(root != NULL && shadow != NULL);
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(fd >= 0 && key_of(fd, "", key) == 1);
    keep_all(fd);
    (void)close(fd);
    (void)snprintf(path, sizeof(path), "%s/root", shadow);
    FILE *out = fopen(path, "we");
    must(out != NULL && fprintf(out, "%s", key) > 0 && fclose(out) == 0);
    is_slow = 1;
}

static int is_below_root(int fd)
{
    char link[64], path[PATH_MAX];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof(path) - 1);
    if (size <= 0) return 0;
    path[size] = '\0';
    size_t length = strlen(root);
    return strncmp(path, root, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static int sync_it(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !is_below_root(fd) || status.st_nlink == 0) return 0;
    if (S_ISDIR(status.st_mode)) keep_names(fd);
    if (S_ISREG(status.st_mode)) keep_file(fd);
    return 0;
}

int fsync(int fd)
{
    return sync_it(fd);
}

int fdatasync(int fd)
{
    return sync_it(fd);
}
