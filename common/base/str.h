#ifndef COMMON_BASE_STR_H
#define COMMON_BASE_STR_H

#include <stddef.h>

/**
 * str_utf8_len(s, len):
 * Return the length in bytes (1 to 4) of the well-formed UTF-8 sequence at ${s}, of which ${len} >
 * 0 bytes are there, or 0 if there is none (RFC 3629: no overlong form, no surrogate, at most
 * U+10FFFF).
 */
size_t str_utf8_len(const char *s, size_t len);

/**
 * str_is_utf8(s, len):
 * Return whether all of ${s} is well-formed UTF-8.
 */
int str_is_utf8(const char *s, size_t len);

/**
 * str_escape(s, len, buf, size):
 * Write ${s} into ${buf} of ${size} > 4 bytes, safe for a log or a terminal: control characters (C1
 * ones and bidirectional overrides too), quotes, backslashes and bytes that are not UTF-8 become
 * escapes.  What does not fit is cut and ends in "...".  The result is terminated.
 */
void str_escape(const char *s, size_t len, char *buf, size_t size);

/**
 * str_printable(s):
 * Return a new string with every control character, bidirectional override and malformed byte of
 * ${s} replaced by U+FFFD, for text that is shown as it is (titles, names).  Never NULL: aborts
 * when memory is out.  The caller frees it.
 */
char *str_printable(const char *s);

/**
 * str_utf8_cut(s, len, max):
 * Return the largest length of at most ${max} *characters* of ${s} (${len} bytes) in bytes.
 */
size_t str_utf8_cut(const char *s, size_t len, size_t max);

/**
 * str_resembles(word, candidates, n):
 * Return the one of the ${n} ${candidates} that is closest to ${word} by edit distance, if it is
 * close enough to be worth suggesting, else NULL.
 */
const char *str_resembles(const char *word, const char *const *candidates, size_t n);

/**
 * str_dup(s), str_printf(fmt, ...):
 * As strdup() and asprintf(), but never NULL: they abort when memory is out.
 */
char *str_dup(const char *s);
char *str_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * str_calloc(n, size), str_realloc(p, n, size):
 * As calloc() and reallocarray(), but never NULL: they abort when memory is out.
 */
void *str_calloc(size_t n, size_t size);
void *str_realloc(void *p, size_t n, size_t size);

/**
 * str_wipe(p, n):
 * Overwrite ${n} bytes at ${p}, in a way that the compiler keeps.
 */
void str_wipe(void *p, size_t n);

/**
 * str_human_bytes(n, buf, size):
 * Write ${n} bytes for people ("1.4 MB", powers of 1000) into ${buf} and return it.
 */
const char *str_human_bytes(unsigned long long n, char *buf, size_t size);

/**
 * str_human_duration(s, buf, size):
 * Write ${s} seconds for people ("2 min", "3 h 10 min") into ${buf} and return it.
 */
const char *str_human_duration(long long s, char *buf, size_t size);

/**
 * str_hex_digit(c):
 * Return the value of a hexadecimal digit, or -1.
 */
int str_hex_digit(char c);

/**
 * str_parse_u64(s, ret):
 * Read a decimal number, whole string, no sign or space.  Return 0, or -1.
 */
int str_parse_u64(const char *s, unsigned long long *ret);

#endif
