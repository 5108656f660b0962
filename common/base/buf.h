#ifndef COMMON_BASE_BUF_H
#define COMMON_BASE_BUF_H

#include <stddef.h>

/*
 * A growing byte buffer.  data is NULL or has len bytes followed by a NUL that len does not count,
 * so that text in it is a string.  Growing never fails: out of memory aborts.  Zeroed is empty.
 */
struct buf {
    char *data;
    size_t len;
    size_t cap;
};

/**
 * buf_add(b, p, n), buf_addstr(b, s), buf_addc(b, c), buf_printf(b, fmt, ...):
 * Append.
 */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_addstr(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * buf_reserve(b, n):
 * Make room for ${n} more bytes and return where they go; add to b->len what was written there.
 */
char *buf_reserve(struct buf *b, size_t n);

/**
 * buf_consume(b, n):
 * Drop the first ${n} bytes.
 */
void buf_consume(struct buf *b, size_t n);

/**
 * buf_reset(b):
 * Make it empty and keep its memory.
 */
void buf_reset(struct buf *b);

/**
 * buf_steal(b):
 * Return the content as a string that the caller frees (never NULL); the buffer is empty then.
 */
char *buf_steal(struct buf *b);

/**
 * buf_free(b):
 * Release the memory; the buffer is empty then and can be used again.
 */
void buf_free(struct buf *b);

#endif
