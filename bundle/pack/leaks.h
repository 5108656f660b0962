#ifndef BUNDLE_PACK_LEAKS_H
#define BUNDLE_PACK_LEAKS_H

#include <stdint.h>

#include "bundle/leak/leak.h"
#include "bundle/pack/snapshot.h"

/* How far a file was looked at. */
struct leaks_mark {
    int64_t size_bytes, mtime_ns; /* the file as it was */
    uint64_t inode;
    int64_t bytes; /* up to here, which is the beginning of a line, ... */
    int64_t lines; /* ... and so many lines are before it */
};

struct leaks_opts {
    struct leak_rules *rules;
    int is_rewritten;          /* the transcript is not the earlier one and more */
    const _Atomic int *cancel; /* may be NULL */

    /* What is known of ${path} (below the root): return 1 and fill it in, or 0. */
    int (*known)(void *arg, const char *path, struct leaks_mark *ret);
    /* A file that has to be looked at, from its beginning or from where it was left. */
    void (*begin)(void *arg, const char *path, int is_from_start);
    void (*found)(void *arg, const char *path, const char *rule, int64_t line);
    /* It was looked at as far as ${mark}. */
    void (*end)(void *arg, const char *path, const struct leaks_mark *mark);
    /* A rule that gave up somewhere in it. */
    void (*gave_up)(void *arg, const char *path, const char *rule);
    void *arg;
};

/**
 * leaks_scan(s, o, err):
 * Look for credentials in all that a bundle of ${s} would hold: of files that only grow what is new
 * since ${o}->known(), of others that changed all.  Blocking, in constant memory.  ERR_RETRY if a
 * file changed under our hands; ERR_CANCELLED.
 */
int leaks_scan(const struct snapshot *s, const struct leaks_opts *o, struct ct_err *err);

#endif
