#ifndef SERVER_STORE_EMBEDDED_IMPL_H
#define SERVER_STORE_EMBEDDED_IMPL_H

#include "server/store/embedded.h"

/* What embedded.c and embedded_put.c share; nobody else includes it. */
struct embedded {
    struct store store;
    char *dir;
    char *tmp;
    char *base_url;
    char *key_id, *secret, *region;
    struct sigv4_cred cred;
};

/**
 * embedded_path(e, key):
 * Return the file of ${key}, or NULL if that is no key; the caller frees it.
 */
char *embedded_path(struct embedded *e, const char *key);

#endif
