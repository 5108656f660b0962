#ifndef DAEMON_SESSION_WHEREABOUTS_H
#define DAEMON_SESSION_WHEREABOUTS_H

#include "agents/agent.h"
#include "common/base/strlist.h"

/*
 * Where sessions began and were last, as their transcripts say.  Whether something is to stay here
 * is asked of all neighbours of a session each time that it is bundled; so what a transcript said
 * is remembered as long as it does not change.  On a worker, and by one at a time: where something
 * is excluded no two work.
 */
struct whereabouts;

struct whereabouts *whereabouts_new(void);
void whereabouts_free(struct whereabouts *w);

/**
 * whereabouts_look(w, agent, root_fd, path, ret_first, ret_last):
 * Say in which working folders the transcript at ${path} below the open root began and ended ("":
 * it doesn't say), borrowed until the next call.  Return 0 if there is nothing to be read.
 */
int whereabouts_look(struct whereabouts *w, const struct agent *agent, int root_fd,
                     const char *path, const char **ret_first, const char **ret_last);

/**
 * whereabouts_has_plan(w, agent, root_fd, path, slugs):
 * Return whether the transcript at ${path} has one of these plans, or may have: one that is too
 * long to be read for it, or can't be read.
 */
int whereabouts_has_plan(struct whereabouts *w, const struct agent *agent, int root_fd,
                         const char *path, const struct strlist *slugs);

#endif
