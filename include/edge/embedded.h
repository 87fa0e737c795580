/* Files that were compiled into the program: SQL, and the pages it serves.
 *
 * cmake/Embed.cmake makes them from lists of files; each list is one constant table, declared where
 * it is used. Read-only, of any thread, for as long as the program runs.
 */
#pragma once

#include <stddef.h>

struct embedded_file {
    const char *name;           /* The path relative to the list's base directory. */
    const unsigned char *bytes; /* Followed by a NUL that `size` does not count. */
    size_t size;
};

struct embedded_files {
    const struct embedded_file *files;
    size_t count;
};
