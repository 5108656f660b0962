#ifndef COMMON_BASE_LOG_IMPL_H
#define COMMON_BASE_LOG_IMPL_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/log.h"

#define LOG_LINE_SIZE 2048

/**
 * log_format(line, size, fmt, ap):
 * As vsnprintf() into ${line} of ${size} bytes; but a text that stands between quotes in ${fmt}
 * (key=\"%s\") is escaped, so that it can't end them and go on with a key of its own; and what
 * comes is one line.
 */
void log_format(char *line, size_t size, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

/**
 * log_line(level, line, now_ms):
 * Put the line out, or count it: of one line ten go out in a minute, then one says how many there
 * were.  For tests; everybody else calls log_info() and its like.
 */
void log_line(enum log_level level, const char *line, int64_t now_ms);

#endif
