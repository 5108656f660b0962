#ifndef CTCTL_READ_SEARCH_H
#define CTCTL_READ_SEARCH_H

#include <json-c/json.h>

#include "common/base/strlist.h"
#include "common/base/uuid.h"
#include "ctctl/ctx/ctx.h"
#include "ctctl/read/find.h"

/* A session in which something was found. */
struct hit {
    char id[UUID_SIZE];
    int64_t changed_ms;
    int is_cloud;             /* it is not here */
    struct find_result r;     /* the line is NULL if only its title was looked at */
    struct json_object *item; /* of the daemon's list, or the cloud's; NULL: the daemon is silent */
};

/* What is looked for, and where. */
struct search {
    struct ctx *c;
    struct find *find;
    const char *project;  /* of that project only (folder_is_project()), or NULL */
    const char *machine;  /* of the machine with that name only, or NULL */
    const char *of_agent; /* of the agent with that id only, or NULL */
    int64_t since_ms;     /* only what changed after that */
    int is_cloud;         /* also what is in the cloud and not here, by its title */
    int is_fetching;      /* ... and by what is in it */

    /* Out. */
    struct hit *hits; /* the best first */
    size_t n;
    int64_t sessions, failed,
        unread; /* looked at; of them, could not be read; lines that could not */

    /* Our own. */
    struct json_object *local, *here, *answer;
    const struct agent *agent; /* of the folder that is searched */
    int root_fd;
};

/**
 * search_run(s, err):
 * Search.  What could not be read is said on stderr and counted.  The caller ends with
 * search_clear(), also if it fails: ERR_GONE if a project is asked for and there is no daemon,
 * whose knowledge that is; else as of sessions_cloud().
 */
int search_run(struct search *s, struct ct_err *err);
void search_clear(struct search *s);

/**
 * search_title(h, buf, n), search_project(h):
 * Its title, and the name of its project, or "".  ${buf} is room for a title that has to be made
 * up.
 */
const char *search_title(const struct hit *h, char *buf, size_t n);
const char *search_project(const struct hit *h);

#endif
