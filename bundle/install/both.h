#ifndef BUNDLE_INSTALL_BOTH_H
#define BUNDLE_INSTALL_BOTH_H

#include "agents/agent.h"
#include "bundle/install/local.h"
#include "bundle/open/open.h"
#include "common/base/err.h"
#include "common/base/strlist.h"

/*
 * What both sides of a session made of one thing, so that one holds it all.  The side that gives
 * way keeps its files under other names, which come from their content: doing it again makes
 * nothing new.
 */

/**
 * both_names(root_fd, stage_fd, agent, session_id, project, opened, ret, err):
 * Find the versions of edited files that have one name here and in the stage, and different
 * contents.  Append to ${ret} three for each: its name, its name if what is here gives way, its
 * name if what came does.  These are base names, as records of a transcript have them.
 */
int both_names(int root_fd, int stage_fd, const struct agent *agent, const char *session_id,
               const char *project, const struct open_result *opened, struct strlist *ret,
               struct ct_err *err);

/**
 * both_aside(fd, name, ret, err):
 * Return the name in a bundle for a file, open as ${fd}, that gives way to another one called
 * ${name} there; the caller frees it.  NULL on error.
 */
char *both_aside(int fd, const char *name, struct ct_err *err);

struct both {
    const struct agent *agent;
    int stage_fd;
    int is_exact;          /* what came is as it was written, but for its paths */
    int is_better;         /* ... and is vouched for more: of what both have, it stays */
    struct strlist *rests; /* what the result lacks of either side: see rest_stage() */
};

/**
 * both_unite(b, ours_fd, ours_end, staged, renamed, ret, err):
 * Unite the transcript here, up to ${ours_end}, with the file ${staged} of the stage, which becomes
 * both; see agent->unite().  What came is missed only if it is exact.
 */
int both_unite(const struct both *b, int ours_fd, int64_t ours_end, const char *staged,
               const struct strlist *renamed, struct unite_result *ret, struct ct_err *err);

/**
 * both_transcripts(b, root_fd, local, staged, renamed, ret, err):
 * The same for all copies that are here.
 */
int both_transcripts(const struct both *b, int root_fd, const struct local *local,
                     const char *staged, const struct strlist *renamed, struct unite_result *ret,
                     struct ct_err *err);

/**
 * both_replace(b, root_fd, local, staged, err):
 * The file ${staged} of the stage takes the place of all copies that are here.
 */
int both_replace(const struct both *b, int root_fd, const struct local *local, const char *staged,
                 struct ct_err *err);

/**
 * both_fuller(root_fd, local, agent, stage_fd, staged):
 * Return how many records that both have are longer here than in the file ${staged} of the stage;
 * 0 if that can't be said.
 */
size_t both_fuller(int root_fd, const struct local *local, const struct agent *agent, int stage_fd,
                   const char *staged);

#endif
