#ifndef WATCHER_BACKEND_BACKEND_H
#define WATCHER_BACKEND_BACKEND_H

#include "common/base/err.h"

/*
 * What a system must offer to tell of changes in folders.  One file for each system; the rest of
 * the room sees this alone.  A backend tells *where* to look, never what is there: whoever listens
 * looks for himself, so an event too many costs a look and nothing else.
 */

struct event_base;

/* What to tell of a watched folder. */
enum {
    BACKEND_SELF = 1,  /* that it was moved or removed itself */
    BACKEND_NAMES = 2, /* and which names in it came, went or were replaced */
    BACKEND_TREE = 4,  /* and which files in it were written */
    BACKEND_META = 8,  /* and whose permissions changed */
    BACKEND_LEFT = 16, /* that a folder in it was moved or removed, unless BACKEND_SELF of that one
                        * says so at once */
};

/* What is told with an event. */
enum {
    BACKEND_IS_DIR = 1,     /* the name is or was a folder's */
    BACKEND_MOVED_AWAY = 2, /* what had the name has left it */
    BACKEND_SELF_GONE = 4,  /* the watched folder itself was removed or, with the one above, moved
                             * (no name) */
    BACKEND_UNMOUNTED = 8,  /* its file system was unmounted (no name) */
    BACKEND_ENDED = 16,     /* nothing more comes for this watch; its number is free (no name) */
};

struct backend_listener {
    /* Look at ${name} in the folder behind ${watch}. */
    void (*event)(void *arg, int watch, unsigned flags, const char *name);

    /* Events were lost; they may have been of any watch. */
    void (*overflow)(void *arg);

    /* That was all for now. */
    void (*rest)(void *arg);
};

struct backend {
    const char *name;
    const char *doubt; /* a question for people: why would it refuse to watch a folder? */

    /* Begin to listen from ${base}. */
    int (*open)(struct event_base *base, const struct backend_listener *listener, void *arg,
                void **ret, struct ct_err *err);

    /* Stop, dropping all watches. */
    void (*close)(void *b);

    /* Watch the folder that ${fd} (O_PATH will do) is open on, for ${what} on top of what it is
     * watched for already, or with ${exactly} for just that.  Return the watch (one folder has one,
     * however often it is asked for), or -1 with errno: ENOSPC if the system's limit is reached,
     * ENOTSUP if only polling helps. */
    int (*watch)(void *b, int fd, unsigned what, int exactly);

    /* Stop watching; BACKEND_ENDED follows unless it had come already.  Return whether there was
     * still something to watch: the folder, wherever it is. */
    int (*unwatch)(void *b, int watch);

    /* Write into ${buf} of ${size} what raises the limit on watches. */
    void (*cure)(char *buf, unsigned long size);
};

/**
 * backend_system():
 * Return the best one that this system has.
 */
const struct backend *backend_system(void);

/**
 * backend_polling():
 * Return one that watches nothing, so that everything is polled.
 */
const struct backend *backend_polling(void);

#endif
