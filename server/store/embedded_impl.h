#ifndef SERVER_STORE_EMBEDDED_IMPL_H
#define SERVER_STORE_EMBEDDED_IMPL_H

#include <pthread.h>

#include "server/store/embedded.h"

/* What embedded.c and embedded_put.c share; nobody else includes it. */
struct embedded {
    struct store store;
    char *dir;
    char *tmp;
    char *base_url;
    char *key_id, *secret, *region;
    struct sigv4_cred cred;
    struct space *space; /* the caller's; NULL: nobody looks after it */
    int (*is_active)(void *arg, const char *user_id); /* or NULL: all are */
    void *arg;
    pthread_mutex_t mutex;     /* of puts */
    struct embedded_put *puts; /* objects that are coming in */
};

/**
 * embedded_path(e, key):
 * Return the file of ${key}, or NULL if that is no key; the caller frees it.
 */
char *embedded_path(struct embedded *e, const char *key);

/**
 * embedded_is_coming(e, path):
 * Is an object coming in that will be the file ${path}?
 */
int embedded_is_coming(struct embedded *e, const char *path);

#endif
