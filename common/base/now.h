#ifndef COMMON_BASE_NOW_H
#define COMMON_BASE_NOW_H

#include <stddef.h>
#include <stdint.h>

/**
 * now_mono_ms(), now_boot_ms(), now_wall_ms():
 * Milliseconds of a clock that only goes forward and stops in suspend; of one that goes on in
 * suspend (where the system has one); and since 1970.
 */
int64_t now_mono_ms(void);
int64_t now_boot_ms(void);
int64_t now_wall_ms(void);

/**
 * now_rfc3339(wall_ms, buf):
 * Write ${wall_ms} as "2026-11-23T20:00:46.505Z" into ${buf} and return it.
 */
const char *now_rfc3339(int64_t wall_ms, char buf[32]);

/**
 * now_parse_rfc3339(s, ret_wall_ms):
 * Read an RFC 3339 time with any offset and any number of fractional digits (milliseconds are
 * kept).  Return 0, or -1 if ${s} is none.
 */
int now_parse_rfc3339(const char *s, int64_t *ret_wall_ms);

#endif
