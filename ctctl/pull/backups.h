#ifndef CTCTL_PULL_BACKUPS_H
#define CTCTL_PULL_BACKUPS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/uuid.h"
#include "ctctl/ctx/ctx.h"
#include "ctctl/pull/pull.h"

/*
 * What a pull or an import put away before it replaced it: folders of this shape below
 * .codeteleport/backups/ of an agent's data folder, each like a small data folder of its own.
 */
struct backup {
    const struct agent *agent;  /* whose session it is */
    char *root, *dir;           /* the data folder; the folder of backups in it */
    char *name;                 /* of its own folder */
    const char *id;             /* what a person calls it: the end of the name */
    char session_id[UUID_SIZE]; /* whose it is */
    int64_t kept_ms;            /* when, since 1970, to a second */
    int64_t made_ns;            /* ... and its folder's time, which tells two of one second apart */
    int64_t size_bytes, files;
    char *title;      /* or NULL: there is no transcript in it, or it says none */
    int64_t messages; /* -1: there is no transcript in it */
};

struct backups {
    struct backup *all;
    size_t n; /* the newest first */
};

/**
 * backups_list(c, ret, err):
 * List them; none is no error.  The caller ends ${ret} with backups_clear().
 */
int backups_list(struct ctx *c, struct backups *ret, struct ct_err *err);
void backups_clear(struct backups *b);

/**
 * backups_find(b, word, err):
 * Return the one that ${word} is the beginning of, of its own id or of its session's, if that has
 * but one.  NULL: ERR_GONE if there is none, ERR_CONFLICT if there are several.
 */
const struct backup *backups_find(const struct backups *b, const char *word, struct ct_err *err);

/**
 * backups_restore(c, what, opts, ret, err):
 * Put what is in ${what} where it was; what gives way becomes a backup in its turn.  As
 * pull_file() otherwise; ERR_GONE if there is no transcript in it.
 */
int backups_restore(struct ctx *c, const struct backup *what, const struct pull_opts *opts,
                    struct pull_result *ret, struct ct_err *err);

/**
 * backups_remove(what, err):
 * Remove it for good.
 */
int backups_remove(const struct backup *what, struct ct_err *err);

#endif
