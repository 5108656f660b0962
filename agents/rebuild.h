#ifndef AGENTS_REBUILD_H
#define AGENTS_REBUILD_H

#include <stddef.h>
#include <stdint.h>

#include "agents/trust.h"
#include "common/base/err.h"

/*
 * The files of a bundle on their way home.  What a stranger wrote is not copied but built anew from
 * what an agent's table allows; one's own comes whole, but for what would act by itself.
 */

#define REBUILD_LINE_MAX (64U << 20)    /* a longer line is no record of a stranger's */
#define REBUILD_DOCUMENT_MAX (4U << 20) /* the same for a file that is one JSON text */

/* What was left out, counted by name: 12 "record queue-operation".  Names are printable and few:
 * what is beyond counts as "others". */
struct losses {
    struct {
        char *name;
        int64_t count;
    } * v;
    size_t n;
    int is_news; /* conversation is among it */
};

void losses_add(struct losses *t, const char *what, const char *name);
void losses_free(struct losses *t);

#define USED_FILE "file"           /* a file of instructions below the working folder */
#define USED_HOME_FILE "home file" /* the same below the home folder */

struct rebuild_opts {
    enum trust trust;
    const char *session_id; /* whose it all is */
    const char *cwd, *home; /* of this machine; NULL: nothing is installed, it is only looked at */
    int with_memory;        /* a stranger's too */
    int with_file_history;  /* the same: what /rewind writes and deletes, below ${cwd} */
    int keep_mode;          /* what one's own session may do without asking, it may here too */
    int *has_mode_reset;    /* or NULL: set if it was taken from it */
    struct losses *losses;
    struct losses *used; /* what it used there, and that may be lacking here: "agent NAME",
                            "skill NAME", and the two below with a path */

    /* A path as it is called here; the caller frees it. */
    char *(*moved)(void *arg, const char *path);

    /* What comes.  ${is_exact}: nothing in it may be moved. */
    int (*put)(void *arg, const void *p, size_t n, int is_exact, struct ct_err *err);
    void *arg;
};

struct rebuild;

#endif
