#ifndef AGENTS_ENCODE_H
#define AGENTS_ENCODE_H

#include "common/base/strlist.h"

#define ENCODE_MAX 200 /* a longer name is cut there, and a hash follows */

/**
 * claude_encode(cwd):
 * Return the name that Claude Code gives to the project folder of ${cwd}: in normalization form C,
 * every UTF-16 unit but ASCII letters and digits becomes a dash; of a name longer than ENCODE_MAX
 * the first so many, a dash and a hash of all of it in base 36.  Bytes that are not UTF-8 count as
 * U+FFFD each.  The caller frees it.
 */
char *claude_encode(const char *cwd);

/**
 * claude_encode_as_is(cwd), claude_project_name(cwd):
 * The same without composing anything; the one of the two that Claude Code takes on this system.
 */
char *claude_encode_as_is(const char *cwd);
char *claude_project_name(const char *cwd);

/**
 * claude_project_names(cwd, ret):
 * Append both to ${ret}, or the one that they are.
 */
void claude_project_names(const char *cwd, struct strlist *ret);

#endif
