#ifndef WATCHER_WATCHES_H
#define WATCHER_WATCHES_H

#include <stddef.h>
#include <stdint.h>

#include "watcher/backend/backend.h"

/*
 * Who uses which watch.  A folder has one watch however many ways lead to it (roots that overlap, a
 * bind mount, a folder that was just moved, an anchor beside a tree), so a watch has several users.
 */

enum watch_kind { WATCH_DIR, WATCH_GRAVE, WATCH_STEP, WATCH_MARKER };

/* A user; it is a member of what ${kind} says. */
struct watch {
    struct watch *next; /* the next user of the same watch */
    int id;             /* or -1 */
    uint8_t kind;
    uint8_t what; /* BACKEND_SELF... */
};

struct watches;

/**
 * watches_new(backend, base, listener, arg, ret, err):
 * Open ${backend}.
 */
int watches_new(const struct backend *backend, struct event_base *base,
                const struct backend_listener *listener, void *arg, struct watches **ret,
                struct ct_err *err);

/**
 * watches_free(ws):
 * Close it; users are not touched any more.
 */
void watches_free(struct watches *ws);

/**
 * watches_ask(ws, fd, what):
 * Have the folder behind ${fd} watched for ${what} as well and return the watch, or -1 with errno
 * as struct backend says.  watches_join() must follow.
 */
int watches_ask(struct watches *ws, int fd, unsigned what);

/**
 * watches_join(ws, u, id):
 * Make ${u}, which has no watch, a user of ${id}; its kind and what are set.
 */
void watches_join(struct watches *ws, struct watch *u, int id);

/**
 * watches_leave(ws, u):
 * ${u} (if it has a watch) is no user any more; the last one ends the watch.
 */
void watches_leave(struct watches *ws, struct watch *u);

/**
 * watches_is_shared(ws, u):
 * Return whether the watch of ${u} has other users.
 */
int watches_is_shared(const struct watches *ws, const struct watch *u);

/**
 * watches_is_of(ws, u, fd):
 * Return whether the watch of ${u}, which has one, is of the folder behind ${fd}, which is open.
 */
int watches_is_of(struct watches *ws, const struct watch *u, int fd);

/**
 * watches_bury(ws, u, grave):
 * End the watch, of which ${u} is the only user; ${grave} takes its place until the end is told.
 * Return whether the folder was still alive.
 */
int watches_bury(struct watches *ws, struct watch *u, struct watch *grave);

/**
 * watches_narrow(ws, id, fd):
 * Watch the folder behind ${fd}, which should be the one that has the watch ${id}, for what its
 * users want and no more.
 */
void watches_narrow(struct watches *ws, int id, int fd);

/**
 * watches_find(ws, id):
 * Return the first user of ${id}, or NULL.
 */
struct watch *watches_find(const struct watches *ws, int id);

/**
 * watches_ended(ws, id):
 * The system ended the watch ${id}: return its users, which have none any more.
 */
struct watch *watches_ended(struct watches *ws, int id);

/**
 * watches_count(ws):
 * Return how many watches there are.
 */
size_t watches_count(const struct watches *ws);

#endif
