#ifndef WATCHER_DIRTREE_H
#define WATCHER_DIRTREE_H

#include <stddef.h>
#include <stdint.h>

#include "watcher/watches.h"

/*
 * The folders below a root, each with its name and its parent: some hundred bytes for each, and a
 * path is put together when it is needed.
 */

enum {
    DIR_POLLED = 1,     /* nothing tells of changes in it */
    DIR_LIMIT = 2,      /* because the system's limit on watches is reached */
    DIR_UNREADABLE = 4, /* it could not be read when last tried */
    DIR_REMOTE = 8,     /* because others can change it without this system's knowing */
    DIR_LINKED = 16,    /* a symbolic link leads to it: its parent tells nothing of it */
};

struct job;

struct dir {
    struct watch watch; /* first, so that it is found from there */
    struct dir *parent;
    struct dir *child;
    struct dir *next; /* of the same parent */
    struct dir *prev;
    struct job *job; /* the scan that waits, or NULL */
    uint64_t inode;  /* as of its last scan, 0: none yet */
    uint32_t mark;   /* the last scan of its parent that met it */
    uint16_t root;
    uint8_t flags;
    char name[];
};

struct dirtree;

struct dirtree *dirtree_new(void);

/**
 * dirtree_free(t):
 * All folders must be out of it; NULL is harmless.
 */
void dirtree_free(struct dirtree *t);

/**
 * dirtree_add(t, root, parent, name):
 * Return a new folder; ${parent} is NULL for the root itself.
 */
struct dir *dirtree_add(struct dirtree *t, int root, struct dir *parent, const char *name);

/**
 * dirtree_find(t, parent, name):
 * Return the folder ${name} in ${parent}, or NULL.
 */
struct dir *dirtree_find(const struct dirtree *t, const struct dir *parent, const char *name);

/**
 * dirtree_del(t, d):
 * Take out ${d}, which has no folders in it.
 */
void dirtree_del(struct dirtree *t, struct dir *d);

/**
 * dirtree_next(d, top, is_skipping):
 * Return the folder that comes after ${d} in a walk from ${top} downwards, leaving out what is
 * below
 * ${d} if ${is_skipping}; NULL at the end.
 */
struct dir *dirtree_next(const struct dir *d, const struct dir *top, int is_skipping);

/**
 * dirtree_leaf(d):
 * Return the first folder below ${d}, or itself, that has none in it.
 */
struct dir *dirtree_leaf(struct dir *d);

/**
 * dirtree_path(d, name, buf, size):
 * Write the path of ${name} in ${d} (of ${d} itself if it is NULL) below its root.  Return its
 * length, or -1 if it does not fit.
 */
int dirtree_path(const struct dir *d, const char *name, char *buf, size_t size);

#endif
