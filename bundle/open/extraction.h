#ifndef BUNDLE_OPEN_EXTRACTION_H
#define BUNDLE_OPEN_EXTRACTION_H

#include "bundle/open/open_inside.h"
#include "common/base/buf.h"
#include "common/base/map.h"

/*
 * One extraction under way, for the files of this room that do it.
 */

#define EXTRACTION_MANIFEST "extra-files-manifest.json"
#define EXTRACTION_MANIFEST_MAX (4 << 20)
#define NOT_AN_ITEM SIZE_MAX

/* A regular file of the bundle. */
struct item {
    char *name;
    enum agent_kind kind;
    int64_t size_bytes, stage_bytes, lines;
    unsigned char digest[HASH_SHA256_BYTES];
    int is_taken;      /* it lies in the stage */
    int is_extra;      /* the manifest names it */
    int is_executable; /* by its owner, before /rewind too */
};

struct extraction {
    struct opener *o;
    int stage_fd; /* -1: nothing is written */
    const struct relocation *relocation;
    struct map *names; /* of everything but folders: index in items + 1, or NOT_AN_ITEM */
    struct item *items;
    size_t n, cap;
    struct buf manifest;
    int64_t unlooked_bytes; /* for which nobody has looked for space */
    int has_mode_reset;
    int64_t folders, files; /* made in the stage */
    int64_t made;           /* both together, of what is taken */
    struct rebuild_opts rebuild;
    struct losses losses, used;
    struct strlist left_out;
    struct open_extra *extras;
    size_t n_extras;
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
 * extraction_copy(x, from, to, relocation, ret_stage_bytes, err):
 * Make the file ${to} in the stage with what the file ${from} there holds.
 */
int extraction_copy(const struct extraction *x, const char *from, const char *to,
                    const struct relocation *relocation, int64_t *ret_stage_bytes,
                    struct ct_err *err);

/**
 * extraction_extras(x, err):
 * Everything is in the stage: find out what the extra files are.  One that the manifest does not
 * name goes.
 */
int extraction_extras(struct extraction *x, struct ct_err *err);

#endif
