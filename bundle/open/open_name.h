#ifndef BUNDLE_OPEN_OPEN_NAME_H
#define BUNDLE_OPEN_OPEN_NAME_H

#include "agents/agent.h"
#include "bundle/format/entry.h"
#include "bundle/format/meta.h"

enum name_verdict {
    NAME_FINE,
    NAME_ODD,  /* to be left out */
    NAME_EVIL, /* whoever wrote it means no good: the bundle is refused */
};

/**
 * open_name_clean(raw, ret, ret_reason):
 * Judge a name by its letters alone.  ${ret} is the name without "./" in front and slashes behind
 * ("" for the top itself), unless it is evil.  ${ret_reason} says why, if it is not fine.
 */
enum name_verdict open_name_clean(const char *raw, char ret[ENTRY_NAME_MAX + 1],
                                  const char **ret_reason);

/**
 * open_name_kind(meta, name, ret_kind):
 * Return NULL if the entry belongs to what we install, with its kind (AGENT_NOTHING for a file
 * that a user named), else why not.
 */
const char *open_name_kind(const struct meta *meta, const char *name, enum agent_kind *ret_kind);

/**
 * open_name_is_json(kind, name):
 * Return whether paths in its content are to be relocated.
 */
int open_name_is_json(enum agent_kind kind, const char *name);

#endif
