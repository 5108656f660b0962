#ifndef CTCTL_PULL_PULL_AS_H
#define CTCTL_PULL_PULL_AS_H

#include "agents/agent.h"
#include "ctctl/ctx/ctx.h"

/* What of a session becomes one of another agent, and where. */
struct pull_as {
    const char *word;          /* the session: its id, or its beginning */
    int64_t version;           /* of the cloud; 0: what is here, else the newest there is */
    int is_plain;              /* as of struct reading */
    const char *dir;           /* where it is to live; NULL: the current folder */
    const struct agent *agent; /* that is to go on with it */

    /* Out, for pull_as_clear(). */
    char session_id[UUID_SIZE], new_id[UUID_SIZE];
    const struct agent *source;
    char *cwd, *path; /* of the folder; of the transcript, below the data folder */
    int64_t said;     /* prompts and answers */
};

/**
 * pull_as(c, p, err):
 * Write the words of a session, wherever it is, as a new session of another agent.  ERR_REFUSED if
 * nothing was said in it, or if no session can be written as that agent's; else as reading_do().
 */
int pull_as(struct ctx *c, struct pull_as *p, struct ct_err *err);
void pull_as_clear(struct pull_as *p);

#endif
