#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <stddef.h>

#include "common/base/buf.h"

/* A private folder for one test, and files below it.  Every failure ends the test. */

char *scratch_new(void);      /* the caller frees with scratch_free() */
void scratch_free(char *dir); /* removes all of it */

/* The path of something below it; the caller frees. */
char *scratch_path(const char *dir, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Write or append to a file; folders above are made. */
void scratch_write(const char *path, const void *p, size_t n);
void scratch_puts(const char *path, const char *text);
void scratch_append(const char *path, const char *text);

/* The content of a file. */
struct buf scratch_read(const char *path);

/* Give a file a modification time this many seconds ago. */
void scratch_age(const char *path, int seconds);

#endif
