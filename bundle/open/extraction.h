#ifndef BUNDLE_OPEN_EXTRACTION_H
#define BUNDLE_OPEN_EXTRACTION_H

#include "bundle/open/open_inside.h"
#include "common/base/buf.h"
#include "common/base/map.h"

/*
 * One extraction under way, for the files of this room that do it.
 */

#define NOT_AN_ITEM SIZE_MAX

/* A regular file of the bundle. */
struct item {
    char *name;
    enum agent_kind kind;
    int64_t size_bytes, stage_bytes, lines;
    unsigned char digest[HASH_SHA256_BYTES];
    int is_taken;      /* it lies in the stage */
    int is_executable; /* by its owner, before /rewind too */
};

struct extraction {
    struct opener *o;
    int stage_fd; /* -1: nothing is written */
    const struct relocation *relocation;
    struct map *names; /* of everything but folders: index in items + 1, or NOT_AN_ITEM */
    struct item *items;
    size_t n, cap;
    struct buf manifest;    /* of the files that a user had named */
    int64_t unlooked_bytes; /* for which nobody has looked for space */
    int has_mode_reset;
    struct buf head;        /* how the transcript begins */
    int64_t folders, files; /* made in the stage */
    int64_t made;           /* both together, of what is taken */
    struct rebuild_opts rebuild;
    struct losses losses, used;
    struct strlist left_out;
};

/**
 * extraction_leave_out(x, name, reason):
 * Note it.
 */
void extraction_leave_out(struct extraction *x, const char *name, const char *reason);

/**
 * extraction_find(x, name):
 * Return the item with that name, or NULL; valid until another is added.
 */
struct item *extraction_find(const struct extraction *x, const char *name);

/**
 * extraction_note(x, name, at, err), extraction_add(x, name, err):
 * Every name comes once: note that it came, with the item ${at} - 1 or NOT_AN_ITEM; the same and
 * add an empty item, which is returned.  ERR_CORRUPT (NULL) if it had come before.
 */
int extraction_note(struct extraction *x, const char *name, uintptr_t at, struct ct_err *err);
struct item *extraction_add(struct extraction *x, const char *name, struct ct_err *err);

#endif
