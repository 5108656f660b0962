#ifndef AGENTS_COPILOT_COPILOT_H
#define AGENTS_COPILOT_COPILOT_H

#include "agents/rows.h"

/* The folder of GitHub Copilot CLI's sessions, version 1.0.102. */

#define COPILOT_WORKSPACE "session-subdir/workspace.yaml"
#define COPILOT_SNAPSHOTS "session-subdir/rewind-file-snapshots/index.json"

/* Is an event of that type one that says nothing itself, of all that are known? */
int copilot_is_silent(const char *type);

/* For the row; the contracts are those of the members of struct agent. */
extern const struct record_form copilot_record_form;
void copilot_record_turns(struct json_object *record, turns_f *f, void *arg);
const char *copilot_why_not(const struct rebuild_opts *opts, const char *entry);
struct rebuild *copilot_rebuild_new(const struct rebuild_opts *opts, const char *entry);

/* workspace.yaml and the index of snapshots, which are one document each: make ${p} of ${n} bytes
 * anew and put it.  Return as rebuild_end(). */
int copilot_make_workspace(const struct rebuild_opts *opts, const char *p, size_t n,
                           struct ct_err *err);
int copilot_make_snapshots(const struct rebuild_opts *opts, const char *p, size_t n,
                           struct ct_err *err);
int copilot_write_words(const struct words *w, words_file_f *file, void *arg, struct ct_err *err);

#endif
