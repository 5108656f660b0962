#ifndef WATCHER_CHAIN_H
#define WATCHER_CHAIN_H

#include <stddef.h>

/*
 * Which folders decide what an absolute path leads to: each one on the way, symbolic links
 * followed, up to the first name that is missing.
 */

struct chain_link {
    char *dir;     /* an existing folder, by a path without symbolic links */
    char *name;    /* the name in it that the way goes on by */
    unsigned what; /* what to watch of it: BACKEND_SELF... */
    int is_vital;  /* nothing else tells of what happens to that name */
};

struct chain {
    struct chain_link *v;
    size_t n;
};

/**
 * chain_resolve(path, is_file, ret):
 * Fill ${ret} for ${path}.  Where the way ends or a symbolic link lies, and where the last name is,
 * the folder is to be watched for names; with ${is_file}, that of the last name also for what
 * happens to that file; otherwise folders are watched for their own going away.
 */
void chain_resolve(const char *path, int is_file, struct chain *ret);

/**
 * chain_is_same(a, b):
 * Return whether both name the same folders for the same reasons.
 */
int chain_is_same(const struct chain *a, const struct chain *b);

/**
 * chain_free(c):
 * Release it; it is empty then.
 */
void chain_free(struct chain *c);

#endif
