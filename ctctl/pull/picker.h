#ifndef CTCTL_PULL_PICKER_H
#define CTCTL_PULL_PICKER_H

#include <json-c/json.h>

#include "common/base/err.h"
#include "ctctl/ctx/ctx.h"

/**
 * picker_choose(c, list, ret, err):
 * Let a person at the terminal choose one of the API's list items in the array ${list}: those of
 * the project in the current folder come first; what is typed narrows the list down, arrows and
 * Enter, or a number, choose.  Where the terminal can't draw, a line at a time.  The caller frees
 * ${ret}, what the server calls it.  ERR_CANCELLED if nothing was chosen.
 */
int picker_choose(struct ctx *c, struct json_object *list, char **ret, struct ct_err *err);

/**
 * picker_matches(item, word):
 * Return whether the title, project, folder, machine or id of ${item} contains ${word}, in whatever
 * case.
 */
int picker_matches(const struct json_object *item, const char *word);

/**
 * picker_is_here(item, cwd):
 * Return whether the session of ${item} belongs to the project in the folder ${cwd} of this
 * machine.
 */
int picker_is_here(const struct json_object *item, const char *cwd);

#endif
