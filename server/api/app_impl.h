#ifndef SERVER_API_APP_IMPL_H
#define SERVER_API_APP_IMPL_H

#include <pthread.h>

#include "server/api/call.h"

/* What app.c and call*.c share; nobody else includes it. */

struct app {
    struct app_config config;
    pthread_mutex_t mutex;
    struct call *calls; /* under way, of users */
};

/**
 * call_decode(s, n):
 * Return ${n} bytes with their percent escapes decoded, which the caller frees; NULL if one is
 * broken or the result has a NUL or is not UTF-8.
 */
char *call_decode(const char *s, size_t n);

#endif
