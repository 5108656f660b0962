#ifndef SERVER_UPKEEP_GC_H
#define SERVER_UPKEEP_GC_H

#include <stdint.h>
#include <stdio.h>

#include "common/base/err.h"

#include "server/ledger/ledger.h"
#include "server/store/store.h"

/* Between metadata and objects: removing what nobody needs, and finding what does not match. */

struct gc_result {
    long orphans; /* objects that no version knows, older than any reservation; or that would go */
    long failed;
};

/**
 * gc_orphans(l, s, now_ms, do_remove, ret, err):
 * Walk through all objects and count those that no version knows, or remove them, and remains of
 * broken uploads.  ERR_CONFLICT, with nothing removed, if no version knows any of the objects, or a
 * quarter of many is unknown.
 */
int gc_orphans(struct ledger *l, struct store *s, int64_t now_ms, int do_remove,
               struct gc_result *ret, struct ct_err *err);

/**
 * gc_check(l, s, full, out, ret_problems, err):
 * Compare database and store both ways, with ${full} by content too, and write a line for every
 * difference to ${out}.
 */
int gc_check(struct ledger *l, struct store *s, int full, FILE *out, long *ret_problems,
             struct ct_err *err);

#endif
