#ifndef SERVER_STORE_EMBEDDED_IMPL_H
#define SERVER_STORE_EMBEDDED_IMPL_H

#include <pthread.h>

#include "server/store/embedded.h"

/* What embedded.c and embedded_put.c share; nobody else includes it. */

#define EMBEDDED_ARRIVALS 1024

/* An object that came in a moment ago and was not asked for yet. */
struct embedded_arrival {
    char *path; /* NULL: forgotten */
    char sha256[HASH_SHA256_HEX];
};

struct embedded {
    struct store store;
    char *dir;
    char *tmp;
    char *base_url;
    char *key_id, *secret, *region;
    struct sigv4_cred cred;
    struct space *space;                        /* the caller's; NULL: nobody looks after it */
    int (*is_live)(void *arg, const char *key); /* or NULL: all are */
    int (*is_wanted)(void *arg, const char *key);
    void *arg;
    const char *shown_to;                                /* an origin, or NULL */
    pthread_mutex_t mutex;                               /* of what follows */
    struct embedded_put *puts;                           /* objects that are coming in */
    struct embedded_arrival arrivals[EMBEDDED_ARRIVALS]; /* a ring */
    size_t n_arrivals;                                   /* ever */
};

/**
 * embedded_path(e, key):
 * Return the file of ${key}, or NULL if that is no key; the caller frees it.
 */
char *embedded_path(struct embedded *e, const char *key);

/**
 * embedded_is_filling(e, name):
 * Is the file ${name} of the folder tmp one that an object is coming into?
 */
int embedded_is_filling(struct embedded *e, const char *name);

/**
 * embedded_is_coming(e, path):
 * Is an object coming in that will be the file ${path}?
 */
int embedded_is_coming(struct embedded *e, const char *path);

/**
 * embedded_arrived(e, path, sha256):
 * Remember what the object at ${path} turned out to be while it came in.
 */
void embedded_arrived(struct embedded *e, const char *path, const char *sha256);

/**
 * embedded_take_arrival(e, path, sha256):
 * Forget it.  Return 1 with what was remembered in ${sha256} (may be NULL), else 0: it has to be
 * read.
 */
int embedded_take_arrival(struct embedded *e, const char *path, char sha256[HASH_SHA256_HEX]);

#endif
