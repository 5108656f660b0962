#ifndef AGENTS_GEMINI_GEMINI_H
#define AGENTS_GEMINI_GEMINI_H

#include "agents/rows.h"
#include "agents/words.h"

/* Gemini CLI's folder of projects, version 0.61.0. */

#define GEMINI_MARK ".project_root" /* in a project's folder: whose it is */

/**
 * gemini_context_cwd(text, ret, size):
 * Write the working folder that the text of a session's first message names, with which Gemini CLI
 * tells the model where it is; "" if it is another text.
 */
void gemini_context_cwd(const char *text, char *ret, size_t size);

/**
 * gemini_is_context(text):
 * Return whether a text is one that Gemini CLI, not a person, says to the model as the user.
 */
int gemini_is_context(const char *text);

/**
 * gemini_context(cwd), gemini_first_text(message):
 * Return such a text that names ${cwd}, which the caller frees; the text that a message begins
 * with, borrowed, or NULL.
 */
char *gemini_context(const char *cwd);
const char *gemini_first_text(const struct json_object *message);

/* For the row; the contracts are those of the members of struct agent. */
extern const struct jscan_ops gemini_record_ops;
void gemini_record_turns(struct json_object *record, turns_f *f, void *arg);
char *gemini_project_name(const char *cwd);
void gemini_project_names(const char *cwd, struct strlist *ret);
char *gemini_find_project(const char *root, const char *cwd);
int gemini_write_words(const struct words *w, words_file_f *file, void *arg, struct ct_err *err);
int gemini_cleanup_days(const char *root, int *ret_is_said);
struct rebuild *gemini_rebuild_new(const struct rebuild_opts *opts, const char *entry);

#endif
