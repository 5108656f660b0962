#ifndef CTCTL_PULL_PULL_LACKING_H
#define CTCTL_PULL_PULL_LACKING_H

#include "bundle/install/install.h"
#include "common/base/strlist.h"

/**
 * pull_lacking(in, root, ret):
 * Append to ${ret} what the session that was installed in the data folder ${root} used where it
 * comes from and what this machine has no file for, in words: "the agent reviewer", "the skill x",
 * "CLAUDE.md" (of the project's folder), "~/.claude/CLAUDE.md".
 */
void pull_lacking(const struct install_result *in, const char *root, struct strlist *ret);

#endif
