#include "edge/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static _Atomic int log_level_max = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&log_level_max, (int)level, memory_order_relaxed);
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR: return "error";
    case LOG_LEVEL_WARNING: return "warning";
    case LOG_LEVEL_INFO: return "info";
    case LOG_LEVEL_DEBUG: return "debug";
    }
    return "unknown";
}

/* systemd.exec(5), JOURNAL_STREAM: device and inode of what was stderr at start. They are compared,
 * since stderr may have been redirected since, or inherited the variable from a parent whose stderr
 * is another. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    if (stream == NULL) return false;
    char *end;
    unsigned long long device = strtoull(stream, &end, 10);
    if (*end != ':') return false;
    unsigned long long inode = strtoull(end + 1, &end, 10);
    if (*end != '\0') return false;
    struct stat status;
    if (fstat(STDERR_FILENO, &status) != 0) return false;
    return status.st_dev == device && status.st_ino == inode;
}

static size_t format_time(char *line, size_t size)
{
    struct timespec now;
    struct tm utc;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* Cannot fail for this clock. */
    if (gmtime_r(&now.tv_sec, &utc) == NULL) return 0;
    size_t used = strftime(line, size, "time=%Y-%m-%dT%H:%M:%S", &utc);
    int more = snprintf(line + used, size - used, ".%03ldZ ", now.tv_nsec / 1000000);
    return used + (size_t)more;
}

/* One event is one line, whatever the caller put into a value. */
static void blank_controls(char *line, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) line[i] = '?';
    }
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    if ((int)level > atomic_load_explicit(&log_level_max, memory_order_relaxed)) return;
    int saved_errno = errno;
    char line[LOG_LINE_BYTES_MAX];
    size_t room = sizeof line - 1; /* The last byte is the newline's. */
    size_t used = 0;
    if (stderr_is_journal()) {
        used = (size_t)snprintf(line, room, "<%d>", (int)level);
    } else {
        used = format_time(line, room);
    }
    int more = snprintf(line + used, room - used, "level=%s event=%s ", level_name(level), event);
    used += (size_t)more;
    if (used < room) {
        va_list arguments;
        va_start(arguments, format);
        more = vsnprintf(line + used, room - used, format, arguments);
        va_end(arguments);
        if (more > 0) used += (size_t)more;
    }
    if (used > room - 1) used = room - 1; /* Cut; snprintf put its NUL there. */
    while (used > 0 && line[used - 1] == ' ') used--;
    blank_controls(line, used);
    line[used++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, used);
    (void)written; /* There is nowhere left to say that the log cannot be written. */
    errno = saved_errno;
}

static bool is_plain(const char *text)
{
    if (*text == '\0') return false;
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte <= 0x20 || byte >= 0x7f || byte == '"' || byte == '=' || byte == '\\')
            return false;
    }
    return true;
}

/* Writes one byte of a quoted value; returns how many bytes that took, at most four. */
static size_t escape_byte(unsigned char byte, char ret_bytes[4])
{
    static const char digits[] = "0123456789abcdef";
    if (byte == '"' || byte == '\\') {
        ret_bytes[0] = '\\';
        ret_bytes[1] = (char)byte;
        return 2;
    }
    if (byte >= 0x20 && byte < 0x7f) {
        ret_bytes[0] = (char)byte;
        return 1;
    }
    memcpy(ret_bytes, "\\x", 2);
    ret_bytes[2] = digits[byte >> 4];
    ret_bytes[3] = digits[byte & 0x0f];
    return 4;
}

const char *log_value(const char *text, char buffer[LOG_VALUE_BYTES_MAX])
{
    if (is_plain(text)) {
        size_t size = strnlen(text, LOG_VALUE_BYTES_MAX - 1);
        memcpy(buffer, text, size);
        buffer[size] = '\0';
        return buffer;
    }
    size_t used = 0;
    buffer[used++] = '"';
    for (; *text != '\0'; text++) {
        char bytes[4];
        size_t size = escape_byte((unsigned char)*text, bytes);
        if (used + size > LOG_VALUE_BYTES_MAX - 2) break; /* The quote and the NUL. */
        memcpy(buffer + used, bytes, size);
        used += size;
    }
    buffer[used++] = '"';
    buffer[used] = '\0';
    return buffer;
}
