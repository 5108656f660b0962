#ifndef CTCTL_READ_READING_H
#define CTCTL_READ_READING_H

#include <stdint.h>

#include "agents/turns.h"
#include "common/base/strlist.h"
#include "common/base/uuid.h"
#include "ctctl/ctx/ctx.h"

/* Which conversation, and where it is read. */
struct reading {
    const char *word; /* the id, or its beginning */
    int64_t version;  /* of the cloud; 0: what is here, else the newest there is */
    int is_cloud;     /* not what is here */
    int must_be_here; /* not what is in the cloud */
    int (*only)(void *arg, const char *p, size_t n); /* as of turns_only(), may be NULL */
    void *only_arg;
    int is_plain; /* what is there in clear, on a device that seals */

    /* Out. */
    char session_id[UUID_SIZE];
    const struct agent *agent; /* whose it is; known before anything is told */
    int64_t found;             /* the version that was read, 0: what is here */
    int64_t unread;            /* lines that could not be read */
};

/**
 * reading_do(c, r, f, arg, err):
 * Call ${f} with each turn.  ERR_GONE if there is no such session, ERR_CONFLICT if ${word} means
 * several; else as download_look(), download_fetch() and opener_new().
 */
int reading_do(struct ctx *c, struct reading *r, turns_f *f, void *arg, struct ct_err *err);

/**
 * reading_raw(c, r, f, arg, err):
 * As reading_do(), but call ${f} with the transcript's own bytes, piece by piece.
 */
typedef void reading_f(void *arg, const void *p, size_t n);
int reading_raw(struct ctx *c, struct reading *r, reading_f *f, void *arg, struct ct_err *err);

/**
 * reading_open(c, word, ret_id, ret_agent, ret_fd, err):
 * Open the transcript, the longest if there are several, of the session here that ${word} means.
 * ERR_GONE if there is none, ERR_CONFLICT if there are several sessions.
 */
int reading_open(struct ctx *c, const char *word, char ret_id[UUID_SIZE],
                 const struct agent **ret_agent, int *ret_fd, struct ct_err *err);

/**
 * reading_further(c, word, f, arg, err):
 * Call ${f} with the name of each further transcript of the session here: what its subagents said,
 * in files of their own.  Fails as reading_open().
 *
 * reading_open_further(c, word, name, ret_agent, ret_fd, err):
 * Open the one of that name.  ERR_GONE if there is none.
 */
int reading_further(struct ctx *c, const char *word, void (*f)(void *arg, const char *name),
                    void *arg, struct ct_err *err);
int reading_open_further(struct ctx *c, const char *word, const char *name,
                         const struct agent **ret_agent, int *ret_fd, struct ct_err *err);

/**
 * reading_file(agent, root_fd, path, t, err):
 * Feed the transcript at ${path} below the data folder ${root_fd}.
 */
int reading_file(const struct agent *agent, int root_fd, const char *path, struct turns *t,
                 struct ct_err *err);

#endif
