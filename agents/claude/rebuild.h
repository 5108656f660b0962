#ifndef AGENTS_CLAUDE_REBUILD_H
#define AGENTS_CLAUDE_REBUILD_H

#include "agents/rebuild.h"

/* Claude Code's way home: see the members of struct agent. */

const char *claude_why_not(const struct rebuild_opts *opts, const char *entry);
char *claude_arrival(const struct rebuild_opts *opts, const char *entry);

struct rebuild *claude_rebuild_new(const struct rebuild_opts *opts, const char *entry);
void claude_rebuild_free(struct rebuild *r);
int claude_rebuild_feed(struct rebuild *r, const void *p, size_t n, struct ct_err *err);
int claude_rebuild_end(struct rebuild *r, struct ct_err *err);

#endif
