#ifndef AGENTS_CLAUDE_WORKTREE_H
#define AGENTS_CLAUDE_WORKTREE_H

/**
 * worktree_is_listed(cwd, path):
 * Return whether the git repository that ${cwd} is in has ${path} as one of its work trees, and
 * ${path} says so too.  git itself is not run: its files say it.
 */
int worktree_is_listed(const char *cwd, const char *path);

#endif
