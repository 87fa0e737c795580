#include "edge/bank_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bank_builder_priv.h"

__attribute__((format(printf, 3, 4))) static int fail(struct bank_problem *reterr_problem,
                                                      int error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    reterr_problem->line = 0;
    (void)vsnprintf(reterr_problem->reason, sizeof reterr_problem->reason, format, arguments);
    va_end(arguments);
    return error;
}

/* Reads up to `size` bytes: fewer where the file became shorter meanwhile. */
static int read_all(int fd, char *bytes, size_t size, size_t *ret_size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t count = read(fd, bytes + used, size - used);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -errno;
        if (count == 0) break;
        used += (size_t)count;
    }
    *ret_size = used;
    return 0;
}

static int read_open_file(int fd, char **ret_text, size_t *ret_size,
                          struct bank_problem *reterr_problem)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        int error = -errno;
        return fail(reterr_problem, error, "%s", strerror(-error));
    }
    if (S_ISDIR(status.st_mode)) return fail(reterr_problem, -EISDIR, "%s", strerror(EISDIR));
    if (!S_ISREG(status.st_mode))
        return fail(reterr_problem, -ENODEV, "This is not a regular file.");
    if (status.st_size > BANK_FILE_BYTES_MAX) {
        return fail(reterr_problem, -EFBIG, "The file is larger than %d bytes.",
                    (int)BANK_FILE_BYTES_MAX);
    }
    char *text = malloc((size_t)status.st_size + 1);
    if (text == NULL) return fail(reterr_problem, -ENOMEM, "%s", strerror(ENOMEM));
    int error = read_all(fd, text, (size_t)status.st_size, ret_size);
    if (error != 0) {
        free(text);
        return fail(reterr_problem, error, "%s", strerror(-error));
    }
    text[*ret_size] = '\0';
    *ret_text = text;
    return 0;
}

static int read_file(const char *path, char **ret_text, size_t *ret_size,
                     struct bank_problem *reterr_problem)
{
    /* Not blocking: a pipe is refused, not waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        int error = -errno;
        return fail(reterr_problem, error, "%s", strerror(-error));
    }
    int error = read_open_file(fd, ret_text, ret_size, reterr_problem);
    (void)close(fd); /* It was only read. */
    return error;
}

static int build(const char *text, size_t size, struct bank **ret_bank,
                 struct bank_problem *reterr_problem)
{
    struct bank_builder *builder = bank_builder_create();
    if (builder == NULL) return fail(reterr_problem, -ENOMEM, "%s", strerror(ENOMEM));
    int error = 0;
    if (!bank_decode(text, size, reterr_problem, bank_builder_add, builder)) {
        error = bank_builder_is_out_of_memory(builder) ? -ENOMEM : -EINVAL;
    } else if (bank_builder_is_empty(builder)) {
        error = fail(reterr_problem, -EINVAL, "There are no questions.");
    } else {
        struct bank *bank = bank_builder_finish(builder);
        if (bank == NULL) error = fail(reterr_problem, -ENOMEM, "%s", strerror(ENOMEM));
        if (bank != NULL) *ret_bank = bank;
    }
    bank_builder_destroy(builder);
    return error;
}

int bank_file_load(const char *path, struct bank **ret_bank, struct bank_problem *reterr_problem)
{
    char *text = NULL;
    size_t size = 0;
    int error = read_file(path, &text, &size, reterr_problem);
    if (error != 0) return error;
    error = build(text, size, ret_bank, reterr_problem);
    free(text);
    return error;
}

void bank_destroy(struct bank *bank)
{
    free(bank); /* bank_builder_finish() makes it of one block. */
}
