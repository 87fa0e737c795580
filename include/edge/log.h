/* The daemon's log: one line per event on stderr, in logfmt, with journald's priorities.
 *
 *     level=info event=listening address=127.0.0.1 port=8080
 *
 * Where stderr is the journal's (JOURNAL_STREAM names it), a line begins with <6> and the like (sd-daemon(3)); elsewhere
 * with the time. The one mutable state of its own is the level. Any thread; a line is one write.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

/* The numbers are syslog's. */
enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7
};

enum { LOG_LINE_BYTES_MAX = 1024, LOG_VALUE_BYTES_MAX = 256 };

/* Lines above the level are not written. The default is LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/* `event` is one word in snake_case; `format` gives the fields, "key=%s other=%u", already in logfmt. Values from
 * outside go through log_value. */
__attribute__((format(printf, 3, 4))) void log_event(enum log_level level, const char *event,
                                                     const char *format, ...);

/* A value in logfmt: as it stands where it is a plain word, otherwise in quotes with escapes; control characters and
 * bytes that are not ASCII become \xNN; what is too long is cut. Writes into, and returns, `buffer`. */
const char *log_value(const char *text, char buffer[LOG_VALUE_BYTES_MAX]);
