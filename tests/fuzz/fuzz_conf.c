/* The configuration: a file, and one assignment of --set. daemon/conf.h.
 *
 * A refusal changes nothing and names the line. What is taken is printed as a file that reads as
 * the same values, and conf_resolve() takes it or says why not.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf.h"
#include "fuzz.h"

enum {
    FILES_MAX = 65536, /* Open files and cores of the machine that it is resolved for. */
    CORES = 4,
};

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* One line without control characters, that ends before its buffer does. */
static void check_sentence(const struct conf_problem *problem)
{
    size_t length = strnlen(problem->text, sizeof problem->text);
    QR_ASSERT(length > 0 && length < sizeof problem->text);
    for (size_t i = 0; i < length; i++) QR_ASSERT(!iscntrl((unsigned char)problem->text[i]));
}

static unsigned long count_lines(const uint8_t *bytes, size_t size)
{
    unsigned long lines = 1;
    for (size_t i = 0; i < size; i++) lines += bytes[i] == '\n';
    return lines;
}

/* "PATH:LINE: …"; what is wrong with the file as a whole has no line. */
static void check_problem(const struct conf_problem *problem, const char *path,
                          const uint8_t *bytes, size_t size)
{
    check_sentence(problem);
    QR_ASSERT(has_prefix(problem->text, path));
    const char *place = problem->text + strlen(path);
    QR_ASSERT(place[0] == ':');
    if (size > CONF_FILE_BYTES_MAX) {
        QR_ASSERT(has_prefix(place, ": more than"));
    } else if (memchr(bytes, '\0', size) != NULL) {
        QR_ASSERT(has_prefix(place, ": not a text file"));
    } else {
        char *end;
        unsigned long line = strtoul(place + 1, &end, 10);
        QR_ASSERT(line >= 1 && line <= count_lines(bytes, size));
        QR_ASSERT(has_prefix(end, ": ") && end[2] != '\0');
    }
}

/* What --print-config prints. The caller frees it. */
static char *print(const struct conf *conf, size_t *ret_size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_size);
    QR_ASSERT(out != NULL);
    conf_print(conf, out);
    QR_ASSERT(fclose(out) == 0);
    return text;
}

static void check_printed(const struct conf *conf)
{
    size_t size, size_again;
    char *text = print(conf, &size);
    struct conf again;
    struct conf_problem problem;
    conf_init(&again);
    QR_ASSERT(conf_read_file(&again, fuzz_file(text, size), &problem));
    char *text_again = print(&again, &size_again);
    QR_ASSERT(size == size_again && memcmp(text, text_again, size) == 0);
    free(text);
    free(text_again);
}

static void check_resolved(const struct conf *conf)
{
    struct conf resolved = *conf;
    struct conf_problem problem = {""};
    if (!conf_resolve(&resolved, FILES_MAX, CORES, &problem)) {
        check_sentence(&problem);
        QR_ASSERT(memcmp(&resolved, conf, sizeof resolved) == 0);
        return;
    }
    QR_ASSERT(resolved.workers >= 1);
    QR_ASSERT(resolved.max_connections >= 1);
    QR_ASSERT(conf_files_needed(&resolved) <= FILES_MAX);
}

static void check_taken(const struct conf *conf)
{
    check_printed(conf);
    check_resolved(conf);
}

static void check_file(const uint8_t *bytes, size_t size)
{
    struct conf conf, before;
    struct conf_problem problem = {""};
    conf_init(&conf);
    before = conf;
    const char *path = fuzz_file(bytes, size);
    if (conf_read_file(&conf, path, &problem)) {
        check_taken(&conf);
        return;
    }
    QR_ASSERT(memcmp(&conf, &before, sizeof conf) == 0);
    check_problem(&problem, path, bytes, size);
}

static void check_assignment(const char *assignment)
{
    struct conf conf, before;
    struct conf_problem problem = {""};
    conf_init(&conf);
    before = conf;
    if (conf_set(&conf, assignment, &problem)) {
        check_taken(&conf);
        return;
    }
    QR_ASSERT(memcmp(&conf, &before, sizeof conf) == 0);
    check_sentence(&problem);
    QR_ASSERT(has_prefix(problem.text, "--set: "));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    check_file(bytes, size);
    if (memchr(bytes, '\n', size) != NULL) return 0;
    char *assignment = strndup((const char *)bytes, size);
    QR_ASSERT(assignment != NULL);
    check_assignment(assignment);
    free(assignment);
    return 0;
}
