#ifndef COMMON_SYS_SECRET_H
#define COMMON_SYS_SECRET_H

#include <stddef.h>

/*
 * Memory for keys and tokens: locked where the limits of the process allow it, kept out of core
 * dumps, wiped when it is freed.  Where it can't be locked it is ordinary memory, wiped all the
 * same.
 */

/**
 * secret_init():
 * Set the locked arena aside (a few pages) and turn core dumps off.  First thing in main(), before
 * any thread; without it the other functions work, on ordinary memory.
 */
void secret_init(void);

/**
 * secret_is_locked():
 * Return whether secrets lie in locked memory.
 */
int secret_is_locked(void);

/**
 * secret_alloc(n), secret_dup(s), secret_free(p):
 * ${n} bytes, zeroed; a copy of ${s} (NULL: NULL).  Never NULL otherwise.  secret_free() wipes what
 * one of them returned and frees it; NULL is harmless.
 */
void *secret_alloc(size_t n);
char *secret_dup(const char *s);
void secret_free(void *p);

/**
 * secret_clear_stack():
 * Overwrite 64 KiB of the stack below the caller, where functions that have returned (ours,
 * libcurl's, OpenSSL's) left copies of what they handled.
 */
void secret_clear_stack(void);

#endif
