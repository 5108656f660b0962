#ifndef COMMON_BASE_LOG_IMPL_H
#define COMMON_BASE_LOG_IMPL_H

#include <stdint.h>

#include "common/base/log.h"

/**
 * log_line(level, line, now_ms):
 * Put the line out, or count it: of one line ten go out in a minute, then one says how many there
 * were.  For tests; everybody else calls log_info() and its like.
 */
void log_line(enum log_level level, const char *line, int64_t now_ms);

#endif
