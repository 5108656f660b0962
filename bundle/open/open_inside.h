#ifndef BUNDLE_OPEN_OPEN_INSIDE_H
#define BUNDLE_OPEN_OPEN_INSIDE_H

#include <json-c/json.h>

#include "bundle/open/open.h"
#include "bundle/open/untar.h"

/*
 * The inside of an opener, for the files of this room that make it, and for the fuzzer.
 */

struct opener {
    int fd;
    int is_plain;
    struct open_opts opts;
    struct untar *untar;
    struct meta meta;
    struct json_object *document; /* where its strings live */
    int is_meta_first;            /* extraction goes on behind it; else from the beginning */
    int is_spent;
};

/**
 * opener_new_fd(fd, is_plain, opts, ret, err):
 * As opener_new(), from an open file, which the opener closes, even on error.  ${is_plain}: it is
 * not compressed.
 */
int opener_new_fd(int fd, int is_plain, const struct open_opts *opts, struct opener **ret,
                  struct ct_err *err);

/**
 * open_evil(name, reason, err):
 * Refuse the bundle because of that name.
 */
int open_evil(const char *name, const char *reason, struct ct_err *err);

#endif
